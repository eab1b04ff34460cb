/* Pre-tokenizers that write a new text, and cut that: ByteLevel, Metaspace. */
#include "common/tokenizer/split.h"

#include "common/utf8.h"

#include <string.h>

/* ---- ByteLevel ----------------------------------------------------------------------------------- */

int split_bytelevel_load(struct pretok *p, const json_t *v, struct err *e)
{
	if (part_bool(v, "add_prefix_space", 1, &p->prefix, e) ||
		part_bool(v, "use_regex", 1, &p->regex, e))
		return -1;
	p->split = p->regex ? splitter_table : NULL;
	p->map = 1;
	return 0;
}

/* A new text in which every piece that does not begin with c has c in front. */
static void prefix_pieces(
	struct pieces *w, uint32_t c, int (*wants)(const struct pieces *w, struct span piece))
{
	char mark[4];
	size_t n = utf8_put(c, mark);
	struct nbuf *out = &w->buf[w->flip];
	nbuf_reset(out);
	w->next.n = 0;
	for (size_t k = 0; k < w->cur.n; k++) {
		struct span x = w->cur.v[k];
		size_t from = out->text.len;
		int there = x.to - x.from >= n && !memcmp(w->text.s + x.from, mark, n);
		if (!there && (!wants || wants(w, x)))
			nbuf_put(out, mark, n, ntext_at(&w->text, x.from));
		nbuf_copy(out, &w->text, x.from, x.to);
		spans_add(&w->next, from, out->text.len);
	}
	w->text = nbuf_text(out);
	w->flip ^= 1;
	struct spans was = w->cur;
	w->cur = w->next;
	w->next = was;
	w->next.n = 0;
}

/* The pieces' bytes as characters of ByteLevel's alphabet; pieces are of the new text. */
static void map_bytes(struct pieces *w)
{
	struct nbuf *out = &w->buf[w->flip];
	nbuf_reset(out);
	for (size_t k = 0; k < w->next.n; k++) {
		struct span *x = &w->next.v[k];
		size_t from = out->text.len;
		bytelevel_map(out, &w->text, x->from, x->to);
		*x = (struct span){(uint32_t)from, (uint32_t)out->text.len};
	}
	w->text = nbuf_text(out);
	w->flip ^= 1;
}

int split_bytelevel(const struct pretok *p, struct encoder *enc, struct pieces *w, struct err *e)
{
	(void)e;
	if (p->prefix)
		prefix_pieces(w, ' ', NULL);
	if (p->split)
		split_by_hand(p, enc, w);
	else
		for (size_t k = 0; k < w->cur.n; k++)
			spans_add(&w->next, w->cur.v[k].from, w->cur.v[k].to);
	if (p->map)
		map_bytes(w);
	return 0;
}

/* ---- Metaspace ----------------------------------------------------------------------------------- */

int split_metaspace_load(struct pretok *p, const json_t *v, struct err *e)
{
	static const char *const names[] = {"always", "first", "never"};
	int old;
	if (part_char(v, "replacement", 0x2581, &p->delimiter, e) ||
		part_bool(v, "split", 1, &p->regex, e) ||
		part_bool(v, "add_prefix_space", 1, &old, e))
		return -1;
	p->prepend = old ? PREPEND_ALWAYS : PREPEND_NEVER;
	const json_t *scheme = json_object_get(v, "prepend_scheme");
	if (scheme && !json_is_null(scheme)) {
		const char *name = json_string_value(scheme);
		unsigned i = 0;
		while (i < 3 && (!name || strcmp(name, names[i]) != 0))
			i++;
		if (i == 3)
			return err_data(e, "prepend_scheme '%s' is not known", name ? name : "");
		p->prepend = (enum pretok_prepend)i;
	}
	return 0;
}

static int at_the_start(const struct pieces *w, struct span piece)
{
	return ntext_at(&w->text, piece.from).from == 0;
}

int split_metaspace(const struct pretok *p, struct encoder *enc, struct pieces *w, struct err *e)
{
	(void)enc, (void)e;
	char mark[4];
	size_t n = utf8_put(p->delimiter, mark);
	struct nbuf *out = &w->buf[w->flip];
	nbuf_reset(out);
	for (size_t k = 0; k < w->cur.n; k++) {
		struct span *x = &w->cur.v[k];
		size_t from = out->text.len, i = x->from;
		while (i < x->to) {
			const char *space = memchr(w->text.s + i, ' ', x->to - i);
			size_t to = space ? (size_t)(space - w->text.s) : x->to;
			nbuf_copy(out, &w->text, i, to);
			if (space)
				nbuf_put(out, mark, n, ntext_at(&w->text, to));
			i = to + (space != NULL);
		}
		*x = (struct span){(uint32_t)from, (uint32_t)out->text.len};
	}
	w->text = nbuf_text(out);
	w->flip ^= 1;
	if (p->prepend != PREPEND_NEVER)
		prefix_pieces(w, p->delimiter, p->prepend == PREPEND_FIRST ? at_the_start : NULL);
	for (size_t k = 0; k < w->cur.n; k++) {
		size_t from = w->cur.v[k].from, to = w->cur.v[k].to, i = from;
		while (p->regex && i < to) { /* in front of every mark */
			const char *m =
				i + 1 < to ? memmem(w->text.s + i + 1, to - i - 1, mark, n) : NULL;
			i = m ? (size_t)(m - w->text.s) : to;
			spans_add(&w->next, from, i);
			from = i;
		}
		if (from < to)
			spans_add(&w->next, from, to);
	}
	return 0;
}
