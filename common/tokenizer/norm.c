/* The table of normalizers. Each makes a new text with the places its characters came from. */
#include "common/tokenizer/tokenizer_int.h"

#include "common/mem.h"
#include "common/tokenizer/unicode.h"

#include <string.h>

static void put(struct nbuf *out, uint32_t c, struct span at)
{
	char s[4];
	nbuf_put(out, s, uni_put(c, s), at);
}

static int is_ascii(const struct ntext *t)
{
	size_t i = 0;
	for (; i + 8 <= t->len; i += 8) {
		uint64_t w;
		memcpy(&w, t->s + i, 8);
		if (w & 0x8080808080808080u)
			return 0;
	}
	for (; i < t->len; i++)
		if ((uint8_t)t->s[i] & 0x80)
			return 0;
	return 1;
}

/* ---- Unicode normal forms ---------------------------------------------------------------------- */

/*
 * As unicode-normalization-alignments does it, with its notion of where a character comes from: the
 * n-th character that is not an addition stands at the n-th character of the source, whatever
 * reordering has done; an added one stands where the one before it does.
 */
struct decomposed {
	uint32_t c;
	int class,
		added; /* added: beyond the first of its source; after composing, less what vanished */
};

struct composer {
	const struct ntext *in;
	struct nbuf *out;
	size_t next; /* byte of the source */
	struct decomposed *d;
	size_t n, cap;
};

static void write_decomposed(struct composer *w, const struct decomposed *d)
{
	const uint8_t *s = (const uint8_t *)w->in->s;
	if (d->added > 0) {
		put(w->out, d->c, w->next ? ntext_at(w->in, w->next - 1) : (struct span){0, 0});
		return;
	}
	put(w->out, d->c, ntext_at(w->in, w->next));
	for (int k = 0; k <= -d->added && w->next < w->in->len; k++)
		w->next += uni_len(s[w->next]);
}

/* Stable, by class, between starters. Runs are short, but a hostile one must not be quadratic. */
static void sort_run(struct decomposed *d, size_t n)
{
	if (n <= 16) {
		for (size_t i = 1; i < n; i++) {
			struct decomposed x = d[i];
			size_t k = i;
			for (; k && d[k - 1].class > x.class; k--)
				d[k] = d[k - 1];
			d[k] = x;
		}
		return;
	}
	size_t start[257] = {0};
	for (size_t i = 0; i < n; i++)
		start[d[i].class + 1]++;
	for (int c = 0; c < 256; c++)
		start[c + 1] += start[c];
	struct decomposed *copy = mem_dup(d, n * sizeof *d);
	for (size_t i = 0; i < n; i++)
		d[start[copy[i].class]++] = copy[i];
	mem_free(copy);
}

static void sort_marks(struct decomposed *d, size_t n)
{
	for (size_t i = 0, to; i < n; i = to) {
		for (to = i + 1; d[i].class && to < n && d[to].class;)
			to++;
		sort_run(d + i, to - i);
	}
}

static void compose(struct composer *w)
{
	size_t n = 0, starter = SIZE_MAX;
	int last = -1; /* class of the last that stayed behind the starter, -1: none did */
	for (size_t i = 0; i < w->n; i++) {
		struct decomposed *d = &w->d[i];
		uint32_t c = 0;
		if (starter != SIZE_MAX && (last < 0 || last < d->class))
			c = uni_compose(w->d[starter].c, d->c);
		if (c) {
			w->d[starter].c = c;
			w->d[starter].added += d->added - 1;
			continue;
		}
		if (!d->class) {
			starter = n;
			last = -1;
		} else {
			last = d->class;
		}
		w->d[n++] = *d;
	}
	w->n = n;
}

static void flush(struct composer *w, int composing)
{
	sort_marks(w->d, w->n);
	if (composing)
		compose(w);
	for (size_t i = 0; i < w->n; i++)
		write_decomposed(w, &w->d[i]);
	w->n = 0;
}

/* The text of w->in, w->out is appended to. */
static void normal_form(struct composer *w, int compat, int composing)
{
	w->next = 0;
	for (size_t i = 0; i < w->in->len;) {
		uint32_t d[18];
		size_t k = uni_decompose(uni_next((const uint8_t *)w->in->s, &i), compat, d);
		/* A character that composes with nothing in front of it ends what is kept back. */
		if (w->n && uni_is_nfc_inert(d[0]) && !uni_combining(d[0]))
			flush(w, composing);
		mem_grow(&w->d, &w->cap, w->n + k, sizeof *w->d);
		for (size_t j = 0; j < k; j++)
			w->d[w->n++] = (struct decomposed){d[j], uni_combining(d[j]), j > 0};
	}
	flush(w, composing);
}

/* Only where something may change, a character and what may join it, and only when something does:
 * most text is in NFC already. */
static int run_nfc(const struct norm *n, struct encoder *enc, const struct ntext *in,
	struct nbuf *out, struct err *e)
{
	(void)n, (void)e;
	const uint8_t *s = (const uint8_t *)in->s;
	struct composer w = {.out = &enc->mapped};
	size_t done = 0;
	int any = 0;
	if (is_ascii(in))
		return 0;
	for (size_t i = 0, from = 0, to; i < in->len; from = i) {
		if (uni_is_nfc_inert(uni_next(s, &i)))
			continue;
		size_t starter = from > done ? uni_prev(s, from) : from;
		for (to = i; i < in->len && !uni_is_nfc_inert(uni_next(s, &i));)
			to = i;
		i = to;
		struct ntext part = ntext_slice(in, starter, to);
		nbuf_reset(w.out);
		w.in = &part;
		normal_form(&w, 0, 1);
		if (w.out->text.len == part.len && !memcmp(w.out->text.s, part.s, part.len))
			continue;
		struct ntext made = nbuf_text(w.out);
		nbuf_copy(out, in, done, starter);
		nbuf_copy(out, &made, 0, made.len);
		done = to;
		any = 1;
	}
	mem_free(w.d);
	if (any)
		nbuf_copy(out, in, done, in->len);
	return any;
}

static int run_form(const struct ntext *in, struct nbuf *out, int compat, int composing)
{
	struct composer w = {.in = in, .out = out};
	if (is_ascii(in))
		return 0;
	normal_form(&w, compat, composing);
	mem_free(w.d);
	return 1;
}

static int run_nfd(const struct norm *n, struct encoder *enc, const struct ntext *in,
	struct nbuf *out, struct err *e)
{
	(void)n, (void)enc, (void)e;
	return run_form(in, out, 0, 0);
}

static int run_nfkc(const struct norm *n, struct encoder *enc, const struct ntext *in,
	struct nbuf *out, struct err *e)
{
	(void)n, (void)enc, (void)e;
	return run_form(in, out, 1, 1);
}

static int run_nfkd(const struct norm *n, struct encoder *enc, const struct ntext *in,
	struct nbuf *out, struct err *e)
{
	(void)n, (void)enc, (void)e;
	return run_form(in, out, 1, 0);
}

/* ---- the others -------------------------------------------------------------------------------- */

static int run_lowercase(const struct norm *n, struct encoder *enc, const struct ntext *in,
	struct nbuf *out, struct err *e)
{
	(void)n, (void)enc, (void)e;
	for (size_t i = 0; i < in->len;) {
		struct span at = ntext_at(in, i);
		uint32_t c[3];
		size_t k = uni_lower(uni_next((const uint8_t *)in->s, &i), c);
		for (size_t j = 0; j < k; j++)
			put(out, c[j], at);
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
	for (size_t at = 0;
		(rc = pattern_find(n->pattern, enc->pattern, in->s, in->len, at, &m, e)) > 0;) {
		nbuf_copy(out, in, done, m.from);
		if (m.to)
			nbuf_put(out, n->content, n->len, ntext_at(in, m.to - 1));
		if (out->text.len > TEXT_LIMIT)
			break; /* norm_run says so */
		done = m.to;
		at = m.to > m.from ? m.to : m.to + 1;
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
	{"NFC", NULL, run_nfc},
	{"NFD", NULL, run_nfd},
	{"NFKC", NULL, run_nfkc},
	{"NFKD", NULL, run_nfkd},
	{"Lowercase", NULL, run_lowercase},
	{"Strip", load_strip, run_strip},
	{"Prepend", load_prepend, run_prepend},
	{"Replace", load_replace, run_replace},
	{"ByteLevel", NULL, run_bytelevel},
	{0},
};

/* ---- loading and running ----------------------------------------------------------------------- */

static int load_one(void *arg, const char *type, const json_t *v, struct err *e)
{
	struct tokenizer *t = arg;
	const struct norm_kind *k = kinds;
	while (k->type && strcmp(k->type, type) != 0)
		k++;
	if (!k->type)
		return PART_UNKNOWN;
	t->norms = mem_resize(t->norms, t->nnorms + 1, sizeof *t->norms);
	struct norm *n = &t->norms[t->nnorms++];
	*n = (struct norm){.kind = k};
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
}

int norm_run(const struct tokenizer *tok, struct encoder *enc, struct ntext *t, struct err *e)
{
	for (size_t i = 0; i < tok->nnorms; i++) {
		struct nbuf *out = &enc->norm[enc->flip];
		nbuf_reset(out);
		int rc = tok->norms[i].kind->run(&tok->norms[i], enc, t, out, e);
		if (rc < 0)
			return -1;
		if (!rc)
			continue;
		if (out->text.len > TEXT_LIMIT)
			return err_data(e, "normalized text is over %zu MiB", TEXT_LIMIT >> 20);
		mem_grow(
			&out->align, &out->cap, 1, sizeof *out->align); /* empty text has one too */
		*t = nbuf_text(out);
		enc->flip ^= 1;
	}
	return 0;
}
