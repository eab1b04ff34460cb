/*
 * Which characters merging may begin with, instead of with their bytes. The bytes of c merge to one
 * token t, the merges' ranks up to m. While c is not whole one of these merges is there to be done,
 * so that
 *
 *  - no merge over c's borders is done with a part of c, if all that there are have ranks above m:
 * those of something that ends before c with a proper beginning of c, and of a proper end of c with
 * something that begins behind it;
 *  - if all merges that t is a side of have ranks above m, none is done sooner because t is there
 * sooner.
 *
 * Then the merges done are the same, in the same order, less those within c. What may be in front
 * of c and behind it is told apart by ASCII and other bytes: many vocabularies have blanks merge
 * with the first bytes of characters early.
 */
#include "common/tokenizer/tokenizer_int.h"

#include "common/mem.h"
#include "common/tokenizer/unicode.h"
#include "common/utf8.h"

#include <string.h>

/* A token as bytes, as far as it matters here. */
struct token_bytes {
	uint32_t uses; /* least rank of the merges that it is a side of */
	uint8_t first, last, n,
		b[3]; /* b: the bytes, if they are so few; n 0: none, or not in the alphabet */
};

/* Least ranks, by a part of a character: its first byte or two, its last byte or two; and by
 * whether what it merges with is ASCII at the border. */
struct borders {
	uint32_t begins1[2][0x100], ends1[2][0x100], begins2[2][0x10000], ends2[2][0x10000];
};

static void read_token(struct token_bytes *t, const char *s, size_t len)
{
	t->first = (uint8_t)s[0];
	t->last = (uint8_t)s[len - 1];
	t->n = len < 4 ? (uint8_t)len : 4;
	memcpy(t->b, s, len < 3 ? len : 3);
}

static void least(uint32_t *rank, size_t other)
{
	if (other < *rank)
		*rank = (uint32_t)other;
}

static unsigned two(const uint8_t *b)
{
	return (unsigned)b[0] << 8 | b[1];
}

/* Merges whose sides meet at a character's border, where one of them is a part of it. */
static void find_borders(
	struct borders *w, struct token_bytes *tokens, const struct listed_merge *list, size_t n)
{
	enum { AHEAD = 16 };
	for (size_t rank = 0; rank < n; rank++) {
		if (rank + AHEAD < n) {
			__builtin_prefetch(&tokens[list[rank + AHEAD].a], 1);
			__builtin_prefetch(&tokens[list[rank + AHEAD].b], 1);
		}
		struct token_bytes *a = &tokens[list[rank].a], *b = &tokens[list[rank].b];
		least(&a->uses, rank);
		least(&b->uses, rank);
		if (a->last >= 0xc0 || (b->first & 0xc0) == 0x80)
			continue; /* they meet within a character */
		int before = a->last < 0x80, behind = b->first < 0x80;
		if (b->n == 1)
			least(&w->begins1[before][b->first], rank);
		if (b->n == 2)
			least(&w->begins2[before][two(b->b)], rank);
		if (a->n == 1)
			least(&w->ends1[behind][a->first], rank);
		if (a->n == 2)
			least(&w->ends2[behind][two(a->b)], rank);
	}
}

/* The token that the n bytes, two or three, merge to, and the greatest rank on the way; UINT32_MAX: they
 * stay several. */
static uint32_t merge_char(const struct bpe *b, const uint8_t *s, size_t n, uint32_t *rank)
{
	for (size_t i = 0; i < n; i++)
		if (b->byte_id[s[i]] == UINT32_MAX)
			return UINT32_MAX;
	uint64_t first = b->byte_pairs[two(s)];
	uint64_t second = n > 2 ? b->byte_pairs[two(s + 1)] : UINT64_MAX;
	uint64_t m = first <= second ? first : second;
	*rank = (uint32_t)(m >> 32);
	if (m == UINT64_MAX || n == 2)
		return (uint32_t)m;
	m = first <= second ? merges_find(&b->merges, (uint32_t)m, b->byte_id[s[2]])
			    : merges_find(&b->merges, b->byte_id[s[0]], (uint32_t)m);
	if (m != UINT64_MAX && m >> 32 > *rank)
		*rank = (uint32_t)(m >> 32);
	return (uint32_t)m;
}

static uint32_t ready(
	const struct bpe *b, const struct borders *w, const struct token_bytes *tokens, uint32_t c)
{
	char text[4];
	size_t n = utf8_put(c, text);
	const uint8_t *s = (const uint8_t *)text;
	uint32_t rank, id = merge_char(b, s, n, &rank), is = 0;
	if (id == UINT32_MAX || tokens[id].uses <= rank)
		return 0;
	for (int ascii = 0; ascii < 2; ascii++) {
		uint32_t border = w->begins1[ascii][s[0]];
		least(&border, w->ends1[ascii][s[n - 1]]);
		if (n == 3) {
			least(&border, w->begins2[ascii][two(s)]);
			least(&border, w->ends2[ascii][two(s + 1)]);
		}
		if (border > rank)
			is |= ascii ? READY_ASCII : READY_WIDE;
	}
	/* With ASCII on one side there may be something else on the other. */
	if (!(is & READY_WIDE))
		is = 0;
	return is ? is | (id + 1) : 0;
}

void bpe_find_ready(struct bpe *b, const struct vocab *raw, size_t nids,
	const struct listed_merge *list, size_t n)
{
	struct token_bytes *tokens = mem_table(nids, sizeof *tokens);
	struct borders *w = mem_table(1, sizeof *w);
	memset(w, 0xff, sizeof *w);
	b->ready = mem_zalloc(BPE_CHARS, sizeof *b->ready);
	for (uint32_t id = 0; id < nids; id++) {
		size_t len;
		const char *s = vocab_token(raw, id, &len);
		tokens[id] = (struct token_bytes){.uses = UINT32_MAX};
		if (s)
			read_token(&tokens[id], s, len);
	}
	find_borders(w, tokens, list, n);
	/* Only a character that is a token can be made by merging. */
	for (uint32_t id = 0; id < raw->nids; id++) {
		size_t len, i = 0;
		const char *s = vocab_token(raw, id, &len);
		if (s && len > 1 && uni_len((uint8_t)*s) == len && utf8_valid(s, len)) {
			uint32_t c = uni_next((const uint8_t *)s, &i);
			if (c < BPE_CHARS)
				b->ready[c] = ready(b, w, tokens, c);
		}
	}
	mem_free(w);
	mem_free(tokens);
}
