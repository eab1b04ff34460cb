/* The table of normalizers. Each makes a new text with the places its characters came from. */
#include "common/tokenizer/norm.h"

#include "common/mem.h"
#include "common/tokenizer/unicode.h"
#include "common/utf8.h"

#include <string.h>

void transform_put(struct transform *w, uint32_t c, long change)
{
	const uint8_t *s = (const uint8_t *)w->in->s;
	struct span at = {w->in->base, w->in->base};
	if (change > 0 ? w->next > 0 : w->next < w->in->len)
		at = ntext_at(w->in, change > 0 ? w->next - 1 : w->next);
	char bytes[4];
	nbuf_put(w->out, bytes, utf8_put(c, bytes), at);
	for (; change <= 0 && w->next < w->in->len; change++)
		w->next += uni_len(s[w->next]);
}

int norm_filter(
	const struct ntext *in, struct nbuf *out, int (*gone)(uint32_t c), int (*blank)(uint32_t c))
{
	size_t done = 0;
	for (size_t i = 0, from = 0; i < in->len; from = i) {
		uint32_t c = uni_next((const uint8_t *)in->s, &i);
		int goes = gone(c);
		if (!goes && !(blank && blank(c)))
			continue;
		nbuf_copy(out, in, done, from);
		if (!goes)
			nbuf_put(out, " ", 1, ntext_at(in, from));
		done = i;
	}
	if (!done)
		return 0;
	nbuf_copy(out, in, done, in->len);
	return 1;
}

int norm_lowercase(const struct norm *n, struct encoder *enc, const struct ntext *in,
	struct nbuf *out, struct err *e)
{
	(void)n, (void)enc, (void)e;
	for (size_t i = 0; i < in->len;) {
		struct span at = ntext_at(in, i);
		uint32_t c[3];
		size_t k = uni_lower(uni_next((const uint8_t *)in->s, &i), c);
		for (size_t j = 0; j < k; j++) {
			char bytes[4];
			nbuf_put(out, bytes, utf8_put(c[j], bytes), at);
		}
	}
	return 1;
}

static int load_strip(struct norm *n, const json_t *v, struct err *e)
{
	return part_bool(v, "strip_left", 1, &n->left, e) ||
	       part_bool(v, "strip_right", 1, &n->right, e);
}

static int run_strip(const struct norm *n, struct encoder *enc, const struct ntext *in,
	struct nbuf *out, struct err *e)
{
	(void)enc, (void)e;
	const uint8_t *s = (const uint8_t *)in->s;
	size_t from = 0, to = in->len, k;
	while (n->left && (k = from, from < to && uni_is_space(uni_next(s, &k))))
		from = k;
	while (n->right && to > from && uni_is_space(uni_before(s, to)))
		to = uni_prev(s, to);
	if (to - from == in->len)
		return 0;
	nbuf_copy(out, in, from, to);
	return 1;
}

static int load_prepend(struct norm *n, const json_t *v, struct err *e)
{
	if (part_text(v, "prepend", &n->content, &n->len, e))
		return -1;
	return n->content ? 0 : err_data(e, "'prepend' is not there");
}

/* What is put in front stands where the first character does. */
static int run_prepend(const struct norm *n, struct encoder *enc, const struct ntext *in,
	struct nbuf *out, struct err *e)
{
	(void)enc, (void)e;
	if (!in->len)
		return 0;
	nbuf_put(out, n->content, n->len, ntext_at(in, 0));
	nbuf_copy(out, in, 0, in->len);
	return 1;
}

static int load_replace(struct norm *n, const json_t *v, struct err *e)
{
	if (pattern_load(&n->pattern, json_object_get(v, "pattern"), "pattern", e) ||
		part_text(v, "content", &n->content, &n->len, e))
		return -1;
	return n->content ? 0 : err_data(e, "'content' is not there");
}

/* What is put in stands where the last character that it replaces did. */
static int run_replace(const struct norm *n, struct encoder *enc, const struct ntext *in,
	struct nbuf *out, struct err *e)
{
	size_t done = 0;
	struct span m;
	int rc, any = 0;
	struct pattern_cursor c = {0};
	while ((rc = pattern_next(n->pattern, enc->pattern, in->s, in->len, &c, &m, e)) > 0) {
		nbuf_copy(out, in, done, m.from);
		nbuf_put(out, n->content, n->len,
			m.to ? ntext_at(in, m.to - 1) : (struct span){in->base, in->base});
		if (out->text.len > TEXT_LIMIT)
			break; /* norm_run says so */
		done = m.to;
		any = 1;
	}
	if (rc < 0 || !any)
		return rc;
	nbuf_copy(out, in, done, in->len);
	return 1;
}

static int run_bytelevel(const struct norm *n, struct encoder *enc, const struct ntext *in,
	struct nbuf *out, struct err *e)
{
	(void)n, (void)enc, (void)e;
	bytelevel_map(out, in, 0, in->len);
	return 1;
}

static const struct norm_kind kinds[] = {
	{"NFC", NULL, norm_nfc, NORM_NEAR},
	{"NFD", NULL, norm_nfd, NORM_NEAR},
	{"NFKC", NULL, norm_nfkc, NORM_NEAR},
	{"NFKD", NULL, norm_nfkd, NORM_NEAR},
	{"Lowercase", NULL, norm_lowercase, NORM_NEAR},
	{"StripAccents", NULL, norm_strip_accents, NORM_NEAR},
	{"Strip", load_strip, run_strip, NORM_FAR},
	{"Prepend", load_prepend, run_prepend, NORM_FRONT},
	{"Replace", load_replace, run_replace, NORM_FAR},
	{"ByteLevel", NULL, run_bytelevel, NORM_NEAR},
	{"Nmt", NULL, norm_nmt, NORM_NEAR},
	{"Precompiled", norm_precompiled_load, norm_precompiled, NORM_NEAR},
	{0},
};

/* ---- loading and running ----------------------------------------------------------------------- */

struct norm *norm_add(struct tokenizer *t, const struct norm_kind *kind)
{
	t->norms = mem_resize(t->norms, t->nnorms + 1, sizeof *t->norms);
	struct norm *n = &t->norms[t->nnorms++];
	*n = (struct norm){.kind = kind};
	return n;
}

static int load_one(void *arg, const char *type, const json_t *v, struct err *e)
{
	struct tokenizer *t = arg;
	if (strcmp(type, "BertNormalizer") == 0)
		return norm_bert_load(t, v, e);
	const struct norm_kind *k = kinds;
	while (k->type && strcmp(k->type, type) != 0)
		k++;
	if (!k->type)
		return PART_UNKNOWN;
	struct norm *n = norm_add(t, k);
	return k->load ? k->load(n, v, e) : 0;
}

int norm_load(struct tokenizer *t, const json_t *v, struct err *e)
{
	return part_each(v, "normalizer", "normalizers", load_one, t, e);
}

void norm_done(struct norm *n)
{
	pattern_free(n->pattern);
	mem_free(n->content);
	charsmap_free(n->charsmap);
}

int norm_replaces_space(const struct norm *n)
{
	return n->kind->run == run_replace && pattern_is_space(n->pattern);
}

int norm_run(
	const struct tokenizer *tok, struct encoder *enc, struct ntext *t, int first, struct err *e)
{
	for (size_t i = 0; i < tok->nnorms; i++) {
		if (!first && tok->norms[i].kind->reach == NORM_FRONT)
			continue;
		struct nbuf *out = &enc->norm[enc->flip];
		nbuf_reset(out);
		int rc = tok->norms[i].kind->run(&tok->norms[i], enc, t, out, e);
		if (rc < 0)
			return -1;
		if (!rc)
			continue;
		if (ntext_is_nowhere(t) && tok->norms[i].kind->run != run_prepend &&
			tok->norms[i].kind->run != run_replace)
			return err_data(e,
				"%s after a Replace that matched nothing in front of the text",
				tok->norms[i].kind->type);
		if (out->text.len > TEXT_LIMIT)
			return err_data(e, "normalized text is over %zu MiB", TEXT_LIMIT >> 20);
		mem_grow(
			&out->align, &out->cap, 1, sizeof *out->align); /* empty text has one too */
		uint32_t base = t->base;
		*t = nbuf_text(out);
		t->base = base;
		enc->flip ^= 1;
	}
	return 0;
}
