/* From tokenizer.json's "model" to the tables that bpe.c works with. */
#include "common/tokenizer/bpe_list.h"
#include "common/tokenizer/tokenizer_int.h"

#include "common/mem.h"
#include "common/tokenizer/unicode.h"
#include "common/utf8.h"
#include "kernels/team.h"

#include <stdio.h>
#include <string.h>

static uint64_t pair_of(const struct listed_merge *m)
{
	return merges_pair(m->a, m->b);
}

/* A pair that comes again takes the later rank. */
static int index_merges(struct merges *m, const struct listed_merge *list, size_t n, struct err *e)
{
	enum { AHEAD = 16 };
	m->nslots = 2 * n + 16;
	m->slots = mem_table(m->nslots, sizeof *m->slots);
	memset(m->slots, 0xff, m->nslots * sizeof *m->slots);
	for (size_t rank = 0; rank < n; rank++) {
		if (rank + AHEAD < n)
			__builtin_prefetch(
				&m->slots[merges_slot(m, pair_of(&list[rank + AHEAD]))], 1);
		uint64_t pair = pair_of(&list[rank]), there;
		size_t i = merges_slot(m, pair), run = 0;
		for (;; i = i + 1 == m->nslots ? 0 : i + 1) {
			memcpy(&there, &m->slots[i], sizeof there);
			there &= MERGE_NONE;
			if (there == pair || there == MERGE_NONE)
				break;
			if (++run > HASH_RUN_MAX)
				return err_data(e, "merges that were chosen to be slow");
		}
		pair |= (uint64_t)rank << 48;
		uint32_t rest = (uint32_t)rank >> 16 | list[rank].id << 8;
		memcpy(&m->slots[i], &pair, sizeof pair);
		memcpy((char *)&m->slots[i] + sizeof pair, &rest, sizeof rest);
	}
	return 0;
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
		size_t len = 0, i = 0;
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
static int raw_vocab(struct vocab *raw, const struct vocab *v, int index, struct err *e)
{
	struct str bytes = {0};
	int rc = 0;
	vocab_reserve(raw, v->nids, v->blob.len);
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
	return rc || (index && vocab_index(raw, e)) ? -1 : 0;
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

/* What threads do beside each other: the parts of the list, and the vocabulary as bytes. */
struct building {
	struct bpe *b;
	const struct vocab *vocab;
	struct bpe_list list;
	int rc; /* of raw_vocab */
	struct err err;
};

static void task(void *arg, size_t i, int worker)
{
	struct building *w = arg;
	(void)worker;
	if (i)
		bpe_list_read(&w->list, i - 1);
	else if (w->b->bytes)
		w->rc = raw_vocab(&w->b->raw, w->vocab, w->b->ignore_merges, &w->err);
}

static int run_tasks(struct building *w, size_t bytes, struct err *e)
{
	enum { THREADS = 2, WORTH_THREADS = 512 * 1024 };
	int threads = bytes >= WORTH_THREADS && team_cpus() > 1 ? THREADS : 1;
	struct team *team = threads > 1 ? team_new(threads) : NULL;
	team_run(team, 1 + w->list.nparts, task, w);
	team_free(team);
	if (bpe_list_join(&w->list, e))
		return -1;
	if (w->rc)
		*e = w->err;
	return w->rc;
}

/* The tables that take time; the others follow from them. */
static int build(struct tokenizer *t, struct json_text merges, struct err *e)
{
	struct bpe *b = &t->bpe;
	struct building w = {.b = b, .vocab = &t->vocab};
	struct bpe_list *l = &w.list;
	if (bpe_list_open(l, merges, &t->vocab, b->prefix ? strlen(b->prefix) : 0, e))
		return -1;
	int rc = run_tasks(&w, merges.len, e);
	if (!rc)
		rc = index_merges(&b->merges, l->v, l->n, e);
	if (!rc)
		char_symbols(b, &t->vocab);
	if (!rc && b->bytes) {
		byte_pairs(b, t->vocab.nids, l->v, l->n);
		bpe_find_ready(b, &b->raw, t->vocab.nids, l->v, l->n);
		if (!b->ignore_merges)
			vocab_done(&b->raw);
	} else if (!rc) {
		find_cuts(b, &t->vocab, l->v, l->n);
	}
	bpe_list_done(l);
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
