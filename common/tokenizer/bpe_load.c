/* From tokenizer.json's "model" to the tables that bpe.c works with. */
#include "common/tokenizer/tokenizer_int.h"

#include "common/mem.h"
#include "common/tokenizer/unicode.h"
#include "common/utf8.h"

#include <stdio.h>
#include <string.h>

enum { LEAST_MERGE = 4 }; /* bytes in the file: "\" \"," */

struct loading {
	struct tokenizer *t;
	size_t prefix, nmerges;
	struct listed_merge *list;
	uint32_t last; /* what the merge before made: mostly the next makes it too, or the next
			  token */
	struct str word;
};

static int is_token(
	const struct vocab *v, uint32_t id, const struct json_text *a, const char *b, size_t blen)
{
	size_t len;
	const char *s = vocab_token(v, id, &len);
	return s && len == a->len + blen && !memcmp(s, a->s, a->len) &&
	       !memcmp(s + a->len, b, blen);
}

static long made(struct loading *l, const struct json_text *a, const char *b, size_t blen)
{
	for (uint32_t id = l->last; id < l->last + 2; id++)
		if (is_token(&l->t->vocab, id, a, b, blen))
			return (long)id;
	str_reset(&l->word);
	str_add(&l->word, a->s, a->len);
	str_add(&l->word, b, blen);
	return vocab_find(&l->t->vocab, l->word.s, l->word.len);
}

static int add_merge(struct loading *l, struct json_text pair[2], const long ids[2], struct err *e)
{
	const struct json_text *a = &pair[0], *b = &pair[1];
	if (b->len < l->prefix)
		return err_data(e, "'%.*s' is shorter than the continuing_subword_prefix",
			(int)(b->len < 60 ? b->len : 60), b->s);
	if (l->nmerges == MERGE_MAX)
		return err_data(e, "over %d of them", MERGE_MAX);
	long id = made(l, a, b->s + l->prefix, b->len - l->prefix);
	if (ids[0] < 0 || ids[1] < 0 || id < 0) {
		const struct json_text word = {l->word.s, l->word.len}, *no = ids[0] < 0   ? a
									      : ids[1] < 0 ? b
											   : &word;
		return err_data(e, "'%.*s' is not in the vocabulary",
			(int)(no->len < 60 ? no->len : 60), no->s);
	}
	l->last = (uint32_t)id;
	l->list[l->nmerges++] =
		(struct listed_merge){(uint32_t)ids[0], (uint32_t)ids[1], (uint32_t)id};
	return 0;
}

static size_t add_merges(void *arg, struct json_text (*pairs)[2], size_t n, struct err *e)
{
	_Static_assert(2 * JSON_TABLES_BATCH <= VOCAB_MANY, "all sides are looked for at once");
	struct loading *l = arg;
	long ids[JSON_TABLES_BATCH][2];
	size_t i = 0;
	vocab_find_many(&l->t->vocab, *pairs, 2 * n, *ids);
	while (i < n && !add_merge(l, pairs[i], ids[i], e))
		i++;
	return i;
}

static uint64_t merge_pair(const struct listed_merge *m)
{
	return m->a | (uint64_t)m->b << 24;
}

/* Where looking for the pair begins. */
static size_t merge_slot(const struct merges *m, uint64_t pair)
{
	return (pair * 0x9e3779b97f4a7c15u >> 32) * m->nslots >> 32;
}

/* A pair that comes again takes the later rank. */
static void index_merges(struct merges *m, const struct listed_merge *list, size_t n)
{
	enum { AHEAD = 16 };
	m->nslots = 2 * n + 16;
	m->slots = mem_table(m->nslots, sizeof *m->slots);
	memset(m->slots, 0xff, m->nslots * sizeof *m->slots);
	for (size_t rank = 0; rank < n; rank++) {
		if (rank + AHEAD < n)
			__builtin_prefetch(
				&m->slots[merge_slot(m, merge_pair(&list[rank + AHEAD]))], 1);
		uint64_t pair = merge_pair(&list[rank]), there;
		size_t i = merge_slot(m, pair);
		for (;; i = i + 1 == m->nslots ? 0 : i + 1) {
			memcpy(&there, &m->slots[i], sizeof there);
			there &= MERGE_NONE;
			if (there == pair || there == MERGE_NONE)
				break;
		}
		pair |= (uint64_t)rank << 48;
		uint32_t rest = (uint32_t)rank >> 16 | list[rank].id << 8;
		memcpy(&m->slots[i], &pair, sizeof pair);
		memcpy((char *)&m->slots[i] + sizeof pair, &rest, sizeof rest);
	}
}

/*
 * Where a piece may be cut: between two characters that stand side by side in no token that a merge
 * makes, no merge can reach across. Only when every character has symbols, so that no unknown token
 * looks at its neighbours, and those of bytes (whose names are not their text) are not merged.
 */
static void find_cuts(
	struct bpe *b, const struct vocab *v, const struct listed_merge *list, size_t n)
{
	if (!b->byte_fallback || b->ignore_merges || b->prefix || b->suffix)
		return;
	uint8_t *is_byte = mem_zalloc(v->nids, 1);
	int usable = 1;
	for (int c = 0; c < 256; c++) {
		if (b->fallback[c] == UINT32_MAX)
			usable = 0;
		else
			is_byte[b->fallback[c]] = 1;
	}
	for (size_t k = 0; k < n; k++)
		usable &= !is_byte[list[k].a] && !is_byte[list[k].b];
	mem_free(is_byte);
	if (!usable)
		return;
	b->joined = mem_zalloc(CUT_CLASSES, sizeof *b->joined);
	for (size_t k = 0; k < n; k++) {
		size_t len, i = 0;
		const char *s = vocab_token(v, list[k].id, &len);
		int left = len ? bpe_cut_class(s, &i) : 0;
		while (i < len) {
			int right = bpe_cut_class(s, &i);
			b->joined[left][right] = 1;
			left = right;
		}
	}
}

/* The symbols of single bytes in the alphabet of ByteLevel. Some files have none for bytes that
 * their training text did not have. */
static void byte_symbols(struct bpe *b, const struct vocab *v)
{
	for (int c = 0; c < 256; c++) {
		char s[4];
		long id = vocab_find(v, s, utf8_put(bytelevel_char((uint8_t)c), s));
		b->byte_id[c] = id < 0 ? UINT32_MAX : (uint32_t)id;
	}
}

static void fallback_symbols(struct bpe *b, const struct vocab *v)
{
	for (int c = 0; b->byte_fallback && c < 256; c++) {
		char name[8];
		int n = snprintf(name, sizeof name, "<0x%02X>", (unsigned)c);
		long id = vocab_find(v, name, (size_t)n);
		b->fallback[c] = id < 0 ? UINT32_MAX : (uint32_t)id;
	}
}

/* Of a pair that comes again the later rank counts. */
static void byte_pairs(struct bpe *b, size_t nids, const struct listed_merge *list, size_t n)
{
	int16_t *byte_of = mem_alloc(nids, sizeof *byte_of);
	memset(byte_of, 0xff, nids * sizeof *byte_of);
	for (int c = 0; c < 256; c++)
		if (b->byte_id[c] != UINT32_MAX)
			byte_of[b->byte_id[c]] = (int16_t)c;
	b->byte_pairs = mem_alloc(BPE_PAIRS, sizeof *b->byte_pairs);
	memset(b->byte_pairs, 0xff, BPE_PAIRS * sizeof *b->byte_pairs);
	for (size_t rank = 0; rank < n; rank++) {
		int left = byte_of[list[rank].a], right = byte_of[list[rank].b];
		if (left >= 0 && right >= 0)
			b->byte_pairs[left << 8 | right] = (uint64_t)rank << 32 | list[rank].id;
	}
	mem_free(byte_of);
}

/* The vocabulary as pieces of bytes are looked up in it; tokens outside of the alphabet cannot
 * occur. */
static int raw_vocab(struct vocab *raw, const struct vocab *v, struct err *e)
{
	struct str bytes = {0};
	int rc = 0;
	for (uint32_t id = 0; id < v->nids && !rc; id++) {
		size_t len;
		const char *s = vocab_token(v, id, &len);
		if (!s || !len)
			continue;
		str_reserve(&bytes, len);
		long n = bytelevel_bytes(bytes.s, s, len);
		if (n >= 0)
			rc = vocab_add(raw, bytes.s, (size_t)n, id, e);
	}
	str_done(&bytes);
	return rc;
}

static void char_symbols(struct bpe *b, const struct vocab *v)
{
	b->char_id = mem_alloc(BPE_CHARS, sizeof *b->char_id);
	memset(b->char_id, 0xff, BPE_CHARS * sizeof *b->char_id);
	for (uint32_t id = 0; id < v->nids; id++) {
		size_t len, i = 0;
		const char *s = vocab_token(v, id, &len);
		if (!s || !len || uni_len((uint8_t)*s) != len)
			continue;
		uint32_t c = uni_next((const uint8_t *)s, &i);
		if (c < BPE_CHARS && vocab_find(v, s, len) == (long)id)
			b->char_id[c] = id;
	}
}

static int options(struct bpe *b, const json_t *v, struct err *e)
{
	const json_t *dropout = json_object_get(v, "dropout");
	if (dropout && !json_is_null(dropout) && json_number_value(dropout) != 0)
		return err_data(e, "'dropout' makes ids random and is not implemented");
	size_t len;
	if (part_bool(v, "fuse_unk", 0, &b->fuse_unk, e) ||
		part_bool(v, "byte_fallback", 0, &b->byte_fallback, e) ||
		part_bool(v, "ignore_merges", 0, &b->ignore_merges, e) ||
		part_text(v, "unk_token", &b->unk_token, &len, e) ||
		part_text(v, "continuing_subword_prefix", &b->prefix, &len, e) ||
		part_text(v, "end_of_word_suffix", &b->suffix, &len, e))
		return -1;
	/* Empty ones, which some files have, are none. */
	if (b->prefix && !*b->prefix) {
		mem_free(b->prefix);
		b->prefix = NULL;
	}
	if (b->suffix && !*b->suffix) {
		mem_free(b->suffix);
		b->suffix = NULL;
	}
	return 0;
}

/* What there is beside where pieces are bytes. */
static int byte_tables(struct bpe *b, const struct vocab *v, const struct listed_merge *list,
	size_t n, struct err *e)
{
	if (raw_vocab(&b->raw, v, e))
		return -1;
	byte_pairs(b, v->nids, list, n);
	bpe_find_ready(b, &b->raw, v->nids, list, n);
	if (b->ignore_merges)
		vocab_index(&b->raw);
	else
		vocab_done(&b->raw);
	return 0;
}

/* The tables that take time; the others follow from them. */
static int build(struct tokenizer *t, struct json_text merges, struct err *e)
{
	struct bpe *b = &t->bpe;
	struct loading l = {.t = t, .prefix = b->prefix ? strlen(b->prefix) : 0};
	size_t most = merges.len / LEAST_MERGE + 1;
	l.list = mem_table(most < MERGE_MAX ? most : MERGE_MAX, sizeof *l.list);
	str_reserve(&l.word, 0);
	int rc = json_tables_merges(merges, add_merges, &l, e);
	if (!rc) {
		index_merges(&b->merges, l.list, l.nmerges);
		char_symbols(b, &t->vocab);
		if (b->bytes)
			rc = byte_tables(b, &t->vocab, l.list, l.nmerges, e);
		else
			find_cuts(b, &t->vocab, l.list, l.nmerges);
	}
	mem_free(l.list);
	str_done(&l.word);
	return rc;
}

static int same_text(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

/* Whether what build() makes depends on is the same. */
static int same_tables(const struct bpe *a, const struct bpe *b)
{
	return a->bytes == b->bytes && a->ignore_merges == b->ignore_merges &&
	       a->byte_fallback == b->byte_fallback && same_text(a->prefix, b->prefix) &&
	       same_text(a->suffix, b->suffix);
}

int bpe_load(struct tokenizer *t, const json_t *model, struct json_text merges, struct err *e)
{
	struct bpe *b = &t->bpe;
	if (options(b, model, e))
		return -1;
	if (!has_tables(t) && !merges.s)
		return err_data(e, "there are no 'merges'");
	struct pretok *last = t->npretoks ? &t->pretoks[t->npretoks - 1] : NULL;
	b->bytes = last && last->map && !b->prefix && !b->suffix;
	if (b->bytes) {
		last->map = 0;
		if (!last->prefix && !last->split) /* nothing is left to do */
			pretok_done(&t->pretoks[--t->npretoks]);
	}
	b->words = b->bytes && b->ignore_merges ? &b->raw : &t->vocab;
	b->unk = b->unk_token ? vocab_find(&t->vocab, b->unk_token, strlen(b->unk_token)) : -1;
	byte_symbols(b, &t->vocab);
	fallback_symbols(b, &t->vocab);
	if (!has_tables(t))
		return build(t, merges, e);
	if (t->shares && !same_tables(b, &t->shares->bpe))
		return err_data(e, "these tables are another tokenizer's");
	if (b->bytes ? !b->byte_pairs || !b->ready || !b->words->nslots : b->byte_pairs != NULL)
		return err_data(e, "the tables in the cache are not this tokenizer's");
	return 0;
}

void bpe_done(struct bpe *b)
{
	vocab_done(&b->raw);
	mem_free(b->char_id);
	mem_free(b->joined);
	mem_free(b->merges.slots);
	mem_free(b->byte_pairs);
	mem_free(b->ready);
	mem_free(b->unk_token);
	mem_free(b->prefix);
	mem_free(b->suffix);
}
