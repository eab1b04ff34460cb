/*
 * Added tokens: which they are, and where they stand in a text. Leftmost-longest, as the library's
 * Aho-Corasick has it; here by a sorted list. Of the tokens that do not sort behind a text, the last is
 * the longest that the text begins with, or begins itself with that one.
 */
#include "common/tokenizer/tokenizer_int.h"

#include "common/mem.h"
#include "common/tokenizer/unicode.h"

#include <stdlib.h>
#include <string.h>

/* What is searched for in a text. */
static const char *searched(const struct added_token *a, size_t *len)
{
	int normal = a->normalized && a->norm;
	*len = normal ? a->normlen : a->len;
	return normal ? a->norm : a->content;
}

static const char *set_bytes(const struct added_set *set, size_t i, size_t *len)
{
	return searched(set->v[i], len);
}

static int begins_with(const char *s, size_t len, const struct added_token *a)
{
	size_t n;
	const char *token = searched(a, &n);
	return n <= len && !memcmp(s, token, n);
}

static int compare(const void *pa, const void *pb)
{
	const struct added_token *a = *(const struct added_token *const *)pa;
	const struct added_token *b = *(const struct added_token *const *)pb;
	size_t na, nb;
	const char *sa = searched(a, &na), *sb = searched(b, &nb);
	int c = memcmp(sa, sb, na < nb ? na : nb);
	if (c || na != nb)
		return c ? c : na < nb ? -1 : 1;
	/* Special ones first, then as in the file: the first is found. */
	if (a->special != b->special)
		return b->special - a->special;
	return a < b ? -1 : a > b;
}

static void set_make(struct added_set *set, const struct added *a, int normalized)
{
	set->v = mem_alloc(a->n, sizeof *set->v);
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].normalized == normalized && added_by_id(a, a->v[i].id) == &a->v[i])
			set->v[set->n++] = &a->v[i];
	if (set->n)
		qsort(set->v, set->n, sizeof *set->v, compare);
	size_t all = set->n, len, last = 0;
	set->n = 0;
	for (size_t i = 0; i < all; i++, last = len) {
		const char *bytes = searched(set->v[i], &len);
		if (!set->n || len != last || !begins_with(bytes, len, set->v[set->n - 1]))
			set->v[set->n++] = set->v[i];
	}
	set->within = mem_alloc(set->n, sizeof *set->within);
	for (size_t i = 0; i < set->n; i++) {
		const char *bytes = set_bytes(set, i, &len);
		uint8_t first = (uint8_t)*bytes;
		size_t j = i;
		while (j && !begins_with(bytes, len, set->v[j - 1]))
			j = set->within[j - 1];
		set->within[i] = (uint32_t)j;
		set->longest = len > set->longest ? len : set->longest;
		set->first[first] = 1;
	}
	if (set->n) {
		const char *front = set_bytes(set, 0, &len),
			   *back = set_bytes(set, set->n - 1, &last);
		while (set->common < len && set->common < last &&
			front[set->common] == back[set->common])
			set->common++;
	}
}

/* The longest token that s begins with. */
static const struct added_token *longest(
	const struct added_set *set, const char *s, size_t len, size_t *taken)
{
	size_t lo = 0, hi = set->n;
	while (lo < hi) { /* those before lo are not behind s, those from hi on are */
		size_t mid = (lo + hi) / 2, n;
		const char *token = set_bytes(set, mid, &n);
		int c = memcmp(token, s, n < len ? n : len);
		if (c < 0 || (c == 0 && n <= len))
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo; lo = set->within[lo - 1])
		if (begins_with(s, len, set->v[lo - 1])) {
			set_bytes(set, lo - 1, taken);
			return set->v[lo - 1];
		}
	return NULL;
}

int added_find(const struct added_set *set, const char *s, size_t len, struct added_cursor *at,
	struct span *m, const struct added_token **which)
{
	const uint8_t *u = (const uint8_t *)s;
	size_t n = set->common;
	const char *common = n ? set_bytes(set, 0, &(size_t){0}) : NULL;
	for (size_t i = at->search; set->n && i < len; i++) {
		if (n) {
			const char *p = memchr(s + i, *common, len - i);
			if (!p)
				return 0;
			i = (size_t)(p - s);
			if (len - i < n || !same_bytes(p, common, n))
				continue;
		} else if (!set->first[u[i]]) {
			continue;
		}
		size_t taken;
		const struct added_token *t = longest(set, s + i, len - i, &taken);
		if (!t)
			continue;
		size_t start = i, stop = i + taken, k = stop;
		if (t->as_text ||
			(t->single_word && ((start > 0 && uni_is_word(uni_before(u, start))) ||
						   (stop < len && uni_is_word(uni_next(u, &k)))))) {
			i = stop - 1;
			continue;
		}
		at->search = stop;
		if (t->lstrip && start < at->done)
			start = at->done;
		while (t->lstrip && start > at->done && uni_is_space(uni_before(u, start)))
			start = uni_prev(u, start);
		while (t->rstrip && (k = stop, stop < len && uni_is_space(uni_next(u, &k))))
			stop = k;
		at->done = stop;
		if (start >= stop) { /* all of it was a blank that another took */
			i = at->search - 1;
			continue;
		}
		*m = (struct span){(uint32_t)start, (uint32_t)stop};
		*which = t;
		return 1;
	}
	return 0;
}

int added_may_begin(const struct added_set *set, const char *s, size_t from, size_t to)
{
	while (from < to && !set->first[(uint8_t)s[from]])
		from++;
	return from < to;
}

const struct added_token *added_by_id(const struct added *a, uint32_t id)
{
	return id >= a->first_id && id - a->first_id < a->nids ? a->by_id[id - a->first_id] : NULL;
}

const struct added_token *added_by_content(const struct added *a, const char *s, size_t len)
{
	long i = vocab_find(&a->contents, s, len);
	return i < 0 ? NULL : &a->v[i];
}

const char *added_decoded(const struct added_token *a, size_t *len)
{
	*len = a->norm ? a->normlen : a->len;
	return a->norm ? a->norm : a->content;
}

int added_is_skipped(const struct added *a, const struct added_token *token)
{
	if (token->norm)
		token = added_by_content(a, token->norm, token->normlen);
	return token && token->special;
}

/* ---- loading ----------------------------------------------------------------------------------- */

static int load_token(struct added_token *a, const json_t *v, struct err *e)
{
	if (part_text(v, "content", &a->content, &a->len, e) ||
		part_bool(v, "single_word", 0, &a->single_word, e) ||
		part_bool(v, "lstrip", 0, &a->lstrip, e) ||
		part_bool(v, "rstrip", 0, &a->rstrip, e) ||
		part_bool(v, "normalized", 1, &a->normalized, e) ||
		part_bool(v, "special", 0, &a->special, e))
		return -1;
	return a->content ? 0 : err_data(e, "there is no 'content'");
}

/* The last token with that content: the only one that counts. */
static struct added_token *last_alike(const struct added *a, const struct added_token *x)
{
	return &a->v[vocab_find(&a->contents, x->content, x->len)];
}

/* A token of the vocabulary keeps its id; others are numbered from the vocabulary's count on, whatever
 * ids it has. The file's own `id` is not asked (tokenizers does the same). What is special once stays so. */
static int give_ids(struct tokenizer *t, struct err *e)
{
	struct added *a = &t->added;
	size_t next = t->vocab.count;
	uint32_t largest = 0;
	for (size_t i = 0; i < a->n; i++) {
		struct added_token *x = last_alike(a, &a->v[i]);
		x->special |= a->v[i].special;
		if (x->id != UINT32_MAX)
			continue;
		long known = vocab_find(&t->vocab, x->content, x->len);
		size_t id = known < 0 ? next++ : (size_t)known;
		if (id >= VOCAB_MAX_ID)
			return err_data(
				e, "added token '%.60s' gets an id beyond the limit", x->content);
		x->id = (uint32_t)id;
		largest = x->id > largest ? x->id : largest;
		if (!i || x->id < a->first_id)
			a->first_id = x->id;
	}
	if (!a->n)
		return 0;
	a->nids = (size_t)largest + 1 - a->first_id;
	a->by_id = mem_zalloc(a->nids, sizeof *a->by_id);
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].id != UINT32_MAX)
			a->by_id[a->v[i].id - a->first_id] = &a->v[i];
	return 0;
}

/* What was normalized once is decoded so, though it be no longer searched for so. */
static int normalise(struct tokenizer *t, struct err *e)
{
	int rc = 0;
	struct encoder *enc = encoder_new(t);
	for (size_t i = 0; t->nnorms && !rc && i < t->added.n; i++) {
		struct added_token *a = last_alike(&t->added, &t->added.v[i]);
		struct ntext text = {.s = a->content, .len = a->len};
		if (!t->added.v[i].normalized || a->norm)
			continue;
		if ((rc = norm_run(t, enc, &text, 1, e)) == 0 &&
			(text.len != a->len || memcmp(text.s, a->content, a->len) != 0)) {
			a->norm = mem_strndup(text.s, text.len);
			a->normlen = text.len;
		}
		/* The library would find it between all bytes. */
		if (!rc && a->normalized && !text.len)
			rc = err_data(e, "'%.60s' is nothing once it is normalized", a->content);
	}
	encoder_free(enc);
	return rc;
}

int added_load(struct tokenizer *t, const json_t *list, struct err *e)
{
	struct added *a = &t->added;
	if (list && !json_is_array(list) && !json_is_null(list))
		return err_data(e, "added_tokens: not an array");
	size_t n = json_array_size(list);
	if (n > 1 << 16)
		return err_data(e, "added_tokens: over %d of them", 1 << 16);
	a->v = mem_zalloc(n, sizeof *a->v);
	for (size_t i = 0; i < n; i++) {
		struct added_token *x = &a->v[a->n++];
		if (load_token(x, json_array_get(list, i), e))
			return err_prefix(e, "added_tokens: number %zu", i + 1);
		x->id = UINT32_MAX;
		if (!x->len) { /* the library ignores it */
			mem_free(x->content);
			a->n--;
		} else if (vocab_add(&a->contents, x->content, x->len, a->n - 1, e)) {
			return err_prefix(e, "added_tokens");
		}
	}
	if (vocab_index(&a->contents, e) || give_ids(t, e) || normalise(t, e))
		return err_prefix(e, "added_tokens");
	set_make(&a->raw, a, 0);
	set_make(&a->normalized, a, 1);
	return 0;
}

void added_split_special(struct added *a)
{
	for (size_t i = 0; i < a->n; i++)
		a->v[i].as_text = a->v[i].special;
}

static void set_done(struct added_set *set)
{
	mem_free(set->v);
	mem_free(set->within);
}

void added_done(struct added *a)
{
	for (size_t i = 0; i < a->n; i++) {
		mem_free(a->v[i].content);
		mem_free(a->v[i].norm);
	}
	mem_free(a->v);
	vocab_done(&a->contents);
	set_done(&a->raw);
	set_done(&a->normalized);
	mem_free(a->by_id);
}
