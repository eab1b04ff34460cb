/*
 * Unicode's normal forms, as unicode-normalization-alignments does it, with its notion of where a character comes from: the
 * n-th character that is not an addition stands at the n-th character of the source, whatever
 * reordering has done; an added one stands where the one before it does.
 */
#include "common/tokenizer/norm.h"

#include "common/mem.h"
#include "common/tokenizer/unicode.h"

#include <string.h>

/* Behind the ASCII at i, give or take a few bytes. */
static size_t behind_ascii(const struct ntext *t, size_t i)
{
	for (uint64_t w; i + sizeof w <= t->len; i += sizeof w) {
		memcpy(&w, t->s + i, sizeof w);
		if (w & 0x8080808080808080u)
			return i;
	}
	return i;
}

static int is_ascii(const struct ntext *t)
{
	size_t i = behind_ascii(t, 0);
	while (i < t->len && !((uint8_t)t->s[i] & 0x80))
		i++;
	return i == t->len;
}

struct decomposed {
	uint32_t c;
	int class,
		added; /* added: beyond the first of its source; after composing, less what vanished */
};

struct composer {
	struct transform to;
	struct decomposed *d;
	size_t n, cap;
};

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
		transform_put(&w->to, w->d[i].c, w->d[i].added);
	w->n = 0;
}

/* The text of w->to.in, w->to.out is appended to. */
static void normal_form(struct composer *w, int compat, int composing)
{
	w->to.next = 0;
	for (size_t i = 0; i < w->to.in->len;) {
		uint32_t d[18];
		size_t k = uni_decompose(uni_next((const uint8_t *)w->to.in->s, &i), compat, d);
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
int norm_nfc(const struct norm *n, struct encoder *enc, const struct ntext *in, struct nbuf *out,
	struct err *e)
{
	(void)n, (void)e;
	const uint8_t *s = (const uint8_t *)in->s;
	struct composer w = {.to.out = &enc->mapped};
	size_t done = 0;
	int any = 0;
	if (is_ascii(in))
		return 0;
	struct uni_pages *pages = &enc->window.pages[UNI_PLAIN];
	for (size_t i = 0, from = 0, to; i < in->len;) {
		if (s[i] < 0x80 && (from = behind_ascii(in, i)) > i) {
			i = from;
			continue;
		}
		from = i;
		if (uni_flags(pages, uni_next(s, &i)) & UNI_INERT)
			continue;
		size_t starter = from > done ? uni_prev(s, from) : from;
		for (to = i; i < in->len && !(uni_flags(pages, uni_next(s, &i)) & UNI_INERT);)
			to = i;
		i = to;
		struct ntext part = ntext_slice(in, starter, to);
		nbuf_reset(w.to.out);
		w.to.in = &part;
		normal_form(&w, 0, 1);
		if (w.to.out->text.len == part.len && !memcmp(w.to.out->text.s, part.s, part.len))
			continue;
		struct ntext made = nbuf_text(w.to.out);
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
	struct composer w = {.to = {.in = in, .out = out}};
	if (is_ascii(in))
		return 0;
	normal_form(&w, compat, composing);
	mem_free(w.d);
	return 1;
}

int norm_nfd(const struct norm *n, struct encoder *enc, const struct ntext *in, struct nbuf *out,
	struct err *e)
{
	(void)n, (void)enc, (void)e;
	return run_form(in, out, 0, 0);
}

int norm_nfkc(const struct norm *n, struct encoder *enc, const struct ntext *in, struct nbuf *out,
	struct err *e)
{
	(void)n, (void)enc, (void)e;
	return run_form(in, out, 1, 1);
}

int norm_nfkd(const struct norm *n, struct encoder *enc, const struct ntext *in, struct nbuf *out,
	struct err *e)
{
	(void)n, (void)enc, (void)e;
	return run_form(in, out, 1, 0);
}
