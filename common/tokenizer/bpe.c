/*
 * Byte-pair encoding: a piece of text → ids, by the library's rules. The lowest rank goes first,
 * and of equal ones the leftmost (bpe_merge.c). Pieces that are not too long are remembered.
 */
#include "common/tokenizer/tokenizer_int.h"

#include "common/mem.h"
#include "common/tokenizer/bpe_merge.h"
#include "common/tokenizer/memo.h"
#include "common/tokenizer/unicode.h"

#include <string.h>

enum { UNMAPPED = -2 }; /* the piece has a byte without a symbol */

/* A short piece that came before. */
enum { PIECE_IDS = 3 };
struct piece {
	uint64_t key[MEMO_SHORT_KEY];
	uint32_t ids[PIECE_IDS];
	uint8_t ends[PIECE_IDS], n; /* where in it each id's bytes end */
};

struct bpe_state {
	struct memo memo;
	struct bpe_merger merger;
	struct str word; /* a character with its prefix and suffix */
	uint32_t *lens;	 /* of one piece's symbols, in bytes */
	size_t lens_cap;
};

struct bpe_state *bpe_state_new(void)
{
	struct bpe_state *st = mem_zalloc(1, sizeof *st);
	memo_init(&st->memo, sizeof(struct piece));
	return st;
}

void bpe_state_free(struct bpe_state *st)
{
	if (!st)
		return;
	memo_done(&st->memo);
	bpe_merger_done(&st->merger);
	str_done(&st->word);
	mem_free(st->lens);
	mem_free(st);
}

/* ---- the symbols that merging begins with ---------------------------------------------------- */

static long symbol_of(
	const struct bpe *b, struct bpe_state *st, const char *s, size_t from, size_t to, int last)
{
	int prefix = b->prefix && from > 0, suffix = b->suffix && last;
	if (!prefix && !suffix) {
		size_t i = from;
		uint32_t c = uni_next((const uint8_t *)s, &i);
		if (c < 0x10000)
			return b->char_id[c] == UINT32_MAX ? -1 : (long)b->char_id[c];
		return vocab_find(b->words, s + from, to - from);
	}
	str_reset(&st->word);
	if (prefix)
		str_adds(&st->word, b->prefix);
	str_add(&st->word, s + from, to - from);
	if (suffix)
		str_adds(&st->word, b->suffix);
	return vocab_find(b->words, st->word.s, st->word.len);
}

/* The library's way with unknown characters, quirk included: a pending unknown comes out when the
 * next known character does, after byte tokens that followed it. */
static long symbols(const struct bpe *b, struct bpe_state *st, const char *s, size_t len,
	uint32_t *ids, uint32_t *lens, struct err *e)
{
	size_t n = 0;
	uint32_t pending = 0;
	for (size_t i = 0, to; i < len; i = to) {
		to = i + uni_len((uint8_t)s[i]);
		uint32_t bytes = (uint32_t)(to - i);
		long id = symbol_of(b, st, s, i, to, to == len);
		if (id >= 0) {
			if (pending) {
				ids[n] = (uint32_t)b->unk;
				lens[n++] = pending;
				pending = 0;
			}
			ids[n] = (uint32_t)id;
			lens[n++] = bytes;
			continue;
		}
		if (b->byte_fallback) {
			size_t k = 0;
			while (k < bytes && b->fallback[(uint8_t)s[i + k]] != UINT32_MAX)
				k++;
			if (k == bytes) {
				for (k = 0; k < bytes; k++) {
					ids[n] = b->fallback[(uint8_t)s[i + k]];
					lens[n++] = 1;
				}
				continue;
			}
		}
		if (!b->unk_token)
			continue; /* dropped, as in the library */
		if (b->unk < 0)
			return err_data(
				e, "the unk_token '%s' is not in the vocabulary", b->unk_token);
		if (pending && !b->fuse_unk) {
			ids[n] = (uint32_t)b->unk;
			lens[n++] = pending;
			pending = 0;
		}
		pending += bytes;
	}
	if (pending) {
		ids[n] = (uint32_t)b->unk;
		lens[n++] = pending;
	}
	return (long)n;
}

static long merge_symbols(const struct bpe *b, struct bpe_state *st, const char *s, size_t len,
	uint32_t *ids, uint32_t *lens, struct err *e)
{
	long n = symbols(b, st, s, len, ids, lens, e);
	return n > 1 ? (long)bpe_merge(b, &st->merger, ids, lens, (size_t)n) : n;
}

/* What merging begins with: the bytes, and characters that nothing can come between. */
static long byte_symbols(
	const struct bpe *b, const uint8_t *u, size_t len, uint32_t *ids, uint32_t *lens)
{
	long n = 0;
	for (size_t i = 0, to; i < len; i = to, n++) {
		to = i + 1;
		lens[n] = 1;
		ids[n] = b->byte_id[u[i]];
		if (u[i] >= 0xc2 && u[i] < 0xf0 && i + uni_len(u[i]) <= len) {
			size_t end = i;
			uint32_t c = uni_next(u, &end), is = b->ready[c],
				 need = (i && u[i - 1] < 0x80) || (end < len && u[end] < 0x80)
						? READY_ASCII
						: READY_WIDE;
			if (is & need) {
				to = end;
				lens[n] = (uint32_t)(end - i);
				ids[n] = (is & READY_ID) - 1;
			}
		}
		if (ids[n] == UINT32_MAX)
			return UNMAPPED;
	}
	return n;
}

static int is_ascii(const uint8_t *u, size_t len)
{
	uint8_t any = 0;
	for (size_t i = 0; i < len; i++)
		any |= u[i];
	return any < 0x80;
}

static long merge_bytes(const struct bpe *b, struct bpe_state *st, const char *s, size_t len,
	uint32_t *ids, uint32_t *lens)
{
	const uint8_t *u = (const uint8_t *)s;
	long n = byte_symbols(b, u, len, ids, lens);
	if (n <= 1)
		return n;
	return (long)(is_ascii(u, len) ? bpe_merge_bytes(b, &st->merger, u, ids, lens, (size_t)n)
				       : bpe_merge(b, &st->merger, ids, lens, (size_t)n));
}

static long encode_piece(const struct bpe *b, struct bpe_state *st, const char *s, size_t len,
	uint32_t *ids, uint32_t *lens, struct err *e)
{
	if (b->ignore_merges) {
		long id = vocab_find(b->words, s, len);
		if (id >= 0) {
			ids[0] = (uint32_t)id;
			lens[0] = (uint32_t)len;
			return 1;
		}
	}
	if (!b->bytes)
		return merge_symbols(b, st, s, len, ids, lens, e);
	return merge_bytes(b, st, s, len, ids, lens);
}

/* ---- pieces ----------------------------------------------------------------------------------- */

/* The ids of one piece go behind the others, and where their bytes are; n is negative on errors. */
static long placed(struct bpe_out *out, size_t from, const uint32_t *lens, long n)
{
	for (long i = 0; out->at && i < n; from += lens[i++]) {
		out->at[out->n + (size_t)i][0] = (uint32_t)from;
		out->at[out->n + (size_t)i][1] = (uint32_t)(from + lens[i]);
	}
	out->n += n > 0 ? (size_t)n : 0;
	return n;
}

long bpe_encode_mapped(const struct bpe *b, struct bpe_state *st, const char *s, size_t len,
	struct bpe_out *out, struct err *e)
{
	mem_grow(&st->lens, &st->lens_cap, len, sizeof *st->lens);
	uint32_t *ids = out->ids + out->n;
	return placed(out, 0, st->lens, merge_symbols(b, st, s, len, ids, st->lens, e));
}

static void keep(struct memo *m, const uint64_t *key, size_t len, const uint32_t *ids,
	const uint32_t *lens, size_t n)
{
	uint8_t end = 0;
	if (n == 0 || n > MEMO_IDS)
		return;
	if (len <= MEMO_SHORT && n <= PIECE_IDS) {
		struct piece *p = memo_add_short(m, key);
		memcpy(p->ids, ids, n * sizeof *ids);
		for (size_t i = 0; i < n; i++)
			p->ends[i] = end = (uint8_t)(end + lens[i]);
		p->n = (uint8_t)n;
		return;
	}
	struct memo_long *p = memo_add_long(m, key);
	memcpy(p->ids, ids, n * sizeof *ids);
	for (size_t i = 0; i < n; i++) {
		p->at[i][0] = end;
		p->at[i][1] = end = (uint8_t)(end + lens[i]);
	}
	p->n = (uint8_t)n;
}

static long put_long(struct bpe_out *out, uint32_t from, const struct memo_long *p)
{
	memcpy(out->ids + out->n, p->ids, p->n * sizeof *p->ids);
	for (size_t i = 0; out->at && i < p->n; i++) {
		out->at[out->n + i][0] = from + p->at[i][0];
		out->at[out->n + i][1] = from + p->at[i][1];
	}
	out->n += p->n;
	return p->n;
}

/* What is not among the short ones. */
static __attribute__((noinline)) long encode_other(const struct bpe *b, struct bpe_state *st,
	const struct ntext *t, struct span piece, struct bpe_out *out, struct err *e)
{
	size_t len = piece.to - piece.from;
	const char *s = t->s + piece.from;
	uint64_t key[MEMO_LONG_KEY];
	if (len <= MEMO_LONG) {
		memo_long_key(key, s, len);
		const struct memo_long *p = memo_find_long(&st->memo, key);
		if (p)
			return put_long(out, piece.from, p);
	}
	mem_grow(&st->lens, &st->lens_cap, len, sizeof *st->lens);
	uint32_t *ids = out->ids + out->n;
	long n = encode_piece(b, st, s, len, ids, st->lens, e);
	if (n > 0 && len <= MEMO_LONG)
		keep(&st->memo, key, len, ids, st->lens, (size_t)n);
	return placed(out, piece.from, st->lens, n);
}

/* All ids that there is room for, however many there are: a branch on that is one that nobody can
 * foretell. */
static inline void put_short(struct bpe_out *out, uint32_t from, const struct piece *p)
{
	memcpy(out->ids + out->n, p->ids, sizeof p->ids);
	if (out->at) {
		uint32_t(*at)[2] = out->at + out->n;
		at[0][0] = from;
		at[0][1] = at[1][0] = from + p->ends[0];
		at[1][1] = at[2][0] = from + p->ends[1];
		at[2][1] = from + p->ends[2];
	}
	out->n += p->n;
}

/* At most BPE_BLOCK pieces: all are fetched before the first is looked at. */
static long encode_block(const struct bpe *b, struct bpe_state *st, const struct ntext *t,
	const struct span *pieces, size_t n, struct bpe_out *result, struct err *e)
{
	uint64_t keys[BPE_BLOCK][MEMO_SHORT_KEY];
	void *at[BPE_BLOCK];
	struct bpe_out out = *result;
	const char *s = t->s, *end = t->s + t->len;
	memo_fit(&st->memo);
	for (size_t i = 0; i < n; i++) {
		size_t len = pieces[i].to - pieces[i].from;
		if (len > MEMO_SHORT)
			continue;
		memo_short_key(keys[i], s + pieces[i].from, len, end);
		at[i] = memo_set(&st->memo, keys[i], sizeof(struct piece));
		__builtin_prefetch(at[i]);
	}
	long done = (long)n;
	for (size_t i = 0; i < n; i++) {
		struct span piece = pieces[i];
		const struct piece *p;
		if (piece.to - piece.from <= MEMO_SHORT &&
			(p = memo_find_short(at[i], keys[i], sizeof *p))) {
			put_short(&out, piece.from, p);
		} else {
			long k = encode_other(b, st, t, piece, &out, e);
			if (k < 0) {
				done = k == UNMAPPED ? (long)i : -1;
				break;
			}
		}
	}
	result->n = out.n;
	return done;
}

/* A long piece, as parts that no merge reaches across. */
static int encode_cut(const struct bpe *b, struct bpe_state *st, const struct ntext *t,
	struct span piece, struct bpe_out *out, struct err *e)
{
	struct span parts[BPE_BLOCK];
	size_t n = 0, next = piece.from;
	int left = bpe_cut_class(t->s, &next), right = left;
	for (size_t from = piece.from; from < piece.to; left = right) {
		size_t to = next;
		for (; to < piece.to; to = next, left = right) {
			right = bpe_cut_class(t->s, &next);
			if (!b->joined[left][right])
				break;
		}
		parts[n++] = (struct span){(uint32_t)from, (uint32_t)to};
		from = to;
		if ((n == BPE_BLOCK || from == piece.to)) {
			if (encode_block(b, st, t, parts, n, out, e) < 0)
				return -1;
			n = 0;
		}
	}
	return 0;
}

long bpe_encode(const struct bpe *b, struct bpe_state *st, const struct ntext *t,
	const struct span *pieces, size_t n, struct bpe_out *out, struct err *e)
{
	for (size_t done = 0; done < n;) {
		size_t most = n - done < BPE_BLOCK ? n - done : BPE_BLOCK, k = 0;
		if (b->joined)
			while (k < most &&
				pieces[done + k].to - pieces[done + k].from <= MEMO_SHORT)
				k++;
		else
			k = most;
		long did = encode_block(b, st, t, pieces + done, k, out, e);
		if (did < 0)
			return -1;
		done += (size_t)did;
		if ((size_t)did < k)
			return (long)done;
		if (k < most && encode_cut(b, st, t, pieces[done++], out, e))
			return -1;
	}
	return (long)n;
}
