/* The table of post-processors: special tokens around the text, and offsets without blanks. */
#include "common/tokenizer/tokenizer_int.h"

#include "common/mem.h"
#include "common/tokenizer/unicode.h"

#include <string.h>

/* ---- ByteLevel and Roberta: trim_offsets --------------------------------------------------------- */

static int load_bytelevel(struct post *p, const struct tokenizer *t, const json_t *v, struct err *e)
{
	(void)t;
	return part_bool(v, "trim_offsets", 1, &p->trim, e) ||
	       part_bool(v, "add_prefix_space", 1, &p->prefix_space, e);
}

static int is_blank(uint32_t c)
{
	return c == 0x120 /* ByteLevel's space */ || uni_is_space(c);
}

static struct blanks count_blanks(const char *text, size_t len)
{
	const uint8_t *s = (const uint8_t *)text;
	struct blanks b = {0};
	for (size_t i = 0, k = 0; i < len && is_blank(uni_next(s, &k)); i = k)
		b.leading++;
	for (size_t i = len; i > 0 && is_blank(uni_before(s, i)); i = uni_prev(s, i))
		b.trailing++;
	return b;
}

void post_note(struct encoder *enc, size_t at, const char *s, size_t len)
{
	const struct tokenizer *t = enc->t;
	size_t i = 0;
	while (i < t->nposts && !t->posts[i].trim)
		i++;
	if (i == t->nposts)
		return;
	mem_grow(&enc->blanks, &enc->blanks_cap, enc->nblanks + 1, sizeof *enc->blanks);
	struct blanks *b = &enc->blanks[enc->nblanks++];
	*b = count_blanks(s, len);
	b->at = at;
}

/* Offsets move by as many characters of the input as the token has blanks. */
static void trim(const struct post *p, const char *text, size_t textlen, const struct blanks *b,
	int first, uint32_t (*at)[2])
{
	const uint8_t *u = (const uint8_t *)text;
	size_t from = (*at)[0], to = (*at)[1], leading = b->leading, trailing = b->trailing;
	if (leading == 1 && p->prefix_space && (first || from == 0))
		leading = 0; /* the space is one that was added */
	for (; leading && from < textlen; leading--)
		from += uni_len(u[from]);
	(*at)[0] = (uint32_t)(from < to ? from : to);
	for (; trailing && to; trailing--)
		to = uni_prev(u, to);
	if (!trailing)
		(*at)[1] = (uint32_t)(to > (*at)[0] ? to : (*at)[0]);
}

/* ---- templates ----------------------------------------------------------------------------------- */

static void append(uint32_t **ids, size_t *n, uint32_t id)
{
	*ids = mem_resize(*ids, *n + 1, sizeof **ids);
	(*ids)[(*n)++] = id;
}

/* "single": special tokens, one Sequence A, special tokens. (Pairs of texts are nothing we have.) */
static int load_template(struct post *p, const struct tokenizer *t, const json_t *v, struct err *e)
{
	(void)t;
	const json_t *specials = json_object_get(v, "special_tokens"), *item;
	size_t i, seen = 0;
	json_array_foreach(json_object_get(v, "single"), i, item)
	{
		const json_t *special = json_object_get(item, "SpecialToken");
		if (json_object_get(item, "Sequence")) {
			seen++;
			continue;
		}
		const char *name = json_string_value(json_object_get(special, "id"));
		const json_t *entry = json_object_get(specials, name ? name : "");
		const json_t *ids = json_object_get(entry, "ids"), *id;
		if (!json_is_array(ids))
			return err_data(e, "special token '%.60s' of 'single' has no ids",
				name ? name : "");
		size_t k;
		json_array_foreach(ids, k, id)
		{
			json_int_t n = json_integer_value(id);
			if (!json_is_integer(id) || n < 0 || n >= VOCAB_MAX_ID)
				return err_data(
					e, "an id of special token '%.60s' is not one", name);
			if (seen)
				append(&p->after, &p->nafter, (uint32_t)n);
			else
				append(&p->before, &p->nbefore, (uint32_t)n);
		}
	}
	return seen == 1 ? 0 : err_data(e, "'single' has the text %zu times, not once", seen);
}

/* [cls, A, sep] of Bert and Roberta: pairs of token and id. */
static int load_cls_sep(struct post *p, const struct tokenizer *t, const json_t *v, struct err *e)
{
	(void)t;
	const char *const names[] = {"cls", "sep"};
	for (int i = 0; i < 2; i++) {
		const json_t *id = json_array_get(json_object_get(v, names[i]), 1);
		json_int_t n = json_integer_value(id);
		if (!json_is_integer(id) || n < 0 || n >= VOCAB_MAX_ID)
			return err_data(e, "'%s' is not a token with its id", names[i]);
		if (i)
			append(&p->after, &p->nafter, (uint32_t)n);
		else
			append(&p->before, &p->nbefore, (uint32_t)n);
	}
	return 0;
}

static int load_roberta(struct post *p, const struct tokenizer *t, const json_t *v, struct err *e)
{
	return load_bytelevel(p, t, v, e) || load_cls_sep(p, t, v, e) ? -1 : 0;
}

static const struct post_kind kinds[] = {
	{"TemplateProcessing", load_template},
	{"ByteLevel", load_bytelevel},
	{"BertProcessing", load_cls_sep},
	{"RobertaProcessing", load_roberta},
	{0},
};

static void insert(struct encoding *enc, size_t at, const uint32_t *ids, size_t n)
{
	encoding_reserve(enc, n);
	memmove(enc->ids + at + n, enc->ids + at, (enc->n - at) * sizeof *enc->ids);
	if (enc->offsets)
		memmove(enc->offsets + at + n, enc->offsets + at,
			(enc->n - at) * sizeof *enc->offsets);
	memcpy(enc->ids + at, ids, n * sizeof *ids);
	if (enc->offsets)
		memset(enc->offsets + at, 0, n * sizeof *enc->offsets);
	enc->n += n;
}

/* The ids of the text are from `start` to before `end`. */
static void trim_all(const struct post *p, const struct encoder *enc, const char *text, size_t len,
	struct encoding *out, size_t start, size_t end)
{
	for (size_t k = start, noted = 0; k < end; k++) {
		size_t n;
		const char *s = vocab_token(&enc->t->vocab, out->ids[k], &n);
		struct blanks b = s ? count_blanks(s, n) : (struct blanks){0};
		if (noted < enc->nblanks && enc->blanks[noted].at == k)
			b = enc->blanks[noted++];
		trim(p, text, len, &b, k == start, &out->offsets[k]);
	}
}

void post_run(struct encoder *enc, const char *text, size_t len, int add_special,
	struct encoding *out, size_t start)
{
	size_t end = out->n;
	for (size_t i = 0; i < enc->t->nposts; i++) {
		const struct post *p = &enc->t->posts[i];
		if (p->trim && out->offsets)
			trim_all(p, enc, text, len, out, start, end);
		if (!add_special)
			continue;
		if (p->nbefore)
			insert(out, start, p->before, p->nbefore);
		if (p->nafter)
			insert(out, out->n, p->after, p->nafter);
		for (size_t k = 0; k < enc->nblanks; k++)
			enc->blanks[k].at += p->nbefore;
		start += p->nbefore;
		end += p->nbefore;
	}
}

static int is_around(const struct post *p)
{
	return p->nbefore || p->nafter;
}

static int load_one(void *arg, const char *type, const json_t *v, struct err *e)
{
	struct tokenizer *t = arg;
	const struct post_kind *k = kinds;
	while (k->type && strcmp(k->type, type) != 0)
		k++;
	if (!k->type)
		return PART_UNKNOWN;
	t->posts = mem_resize(t->posts, t->nposts + 1, sizeof *t->posts);
	struct post *p = &t->posts[t->nposts++];
	*p = (struct post){.kind = k};
	if (k->load(p, t, v, e))
		return -1;
	for (size_t i = 0; i + 1 < t->nposts; i++)
		if (is_around(p) && is_around(&t->posts[i]))
			return err_data(e, "a second one that adds tokens is not implemented");
	return 0;
}

int post_load(struct tokenizer *t, const json_t *v, struct err *e)
{
	return part_each(v, "post_processor", "processors", load_one, t, e);
}

void post_done(struct post *p)
{
	mem_free(p->before);
	mem_free(p->after);
}
