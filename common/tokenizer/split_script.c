/* Pre-tokenizers that cut without looking for something: where the script changes, after so many characters. */
#include "common/tokenizer/split.h"

#include "common/tokenizer/unicode.h"

/* ---- UnicodeScripts ------------------------------------------------------------------------------- */

/* Blanks of the script before them, and, as in the library, none before the first script: what is in front
 * of it is dropped. */
static void cut_scripts(struct pieces *w, struct span piece)
{
	const uint8_t *s = (const uint8_t *)w->text.s;
	int last = -1;
	size_t from = piece.from;
	for (size_t i = piece.from, next; i < piece.to; i = next) {
		next = i;
		int script = uni_script(uni_next(s, &next));
		if (script < 0 || script == last)
			continue;
		if (last >= 0)
			spans_add(&w->next, from, i);
		from = i;
		last = script;
	}
	if (last >= 0)
		spans_add(&w->next, from, piece.to);
}

int split_scripts(const struct pretok *p, struct encoder *enc, struct pieces *w, struct err *e)
{
	(void)p, (void)enc, (void)e;
	for (size_t k = 0; k < w->cur.n; k++)
		cut_scripts(w, w->cur.v[k]);
	return 0;
}

/* ---- FixedLength ---------------------------------------------------------------------------------- */

int split_fixed_load(struct pretok *p, const json_t *v, struct err *e)
{
	if (part_size(v, "length", 5, &p->length, e))
		return -1;
	return p->length ? 0 : err_data(e, "'length' is 0");
}

int split_fixed(const struct pretok *p, struct encoder *enc, struct pieces *w, struct err *e)
{
	(void)enc, (void)e;
	const uint8_t *s = (const uint8_t *)w->text.s;
	for (size_t k = 0; k < w->cur.n; k++) {
		size_t from = w->cur.v[k].from, to = w->cur.v[k].to, i = from;
		while (from < to) {
			for (size_t n = 0; n < p->length && i < to; n++)
				i += uni_len(s[i]);
			spans_add(&w->next, from, i);
			from = i;
		}
	}
	return 0;
}
