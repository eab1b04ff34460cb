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
	uint8_t first, last, n,
		b[3]; /* b: the bytes, if they are so few; n 0: none, or not in the alphabet */
};

/* Least ranks, by a part of a character: its first byte or two, its last byte or two; and by
 * whether what it merges with is ASCII at the border. */
struct borders {
	uint32_t begins1[2][0x100], ends1[2][0x100], begins2[2][0x10000], ends2[2][0x10000];
	uint32_t *uses; /* by token: of the merges that it is a side of */
};

static void read_token(struct token_bytes *t, const char *s, size_t len)
{
	const uint8_t *u = (const uint8_t *)s;
	*t = (struct token_bytes){0};
	int byte = 0;
	size_t i = 0, n = 0;
	for (; i < len && n < 4; n++) {
		byte = bytelevel_byte(uni_next(u, &i));
		if (byte < 0)
			return;
		if (n < 3)
			t->b[n] = (uint8_t)byte;
	}
	if (!len || (byte = bytelevel_byte(uni_before(u, len))) < 0)
		return;
	t->first = t->b[0];
	t->last = (uint8_t)byte;
	t->n = (uint8_t)n;
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
static void find_borders(struct borders *w, const struct token_bytes *tokens,
	const struct listed_merge *list, size_t n)
{
	for (size_t rank = 0; rank < n; rank++) {
		const struct token_bytes *a = &tokens[list[rank].a], *b = &tokens[list[rank].b];
		least(&w->uses[list[rank].a], rank);
		least(&w->uses[list[rank].b], rank);
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

/* The token that the n bytes merge to, and the greatest rank on the way; UINT32_MAX: they stay
 * several. */
static uint32_t merge_char(const struct bpe *b, const uint8_t *s, size_t n, uint32_t *rank)
{
	uint32_t ids[3];
	*rank = 0;
	for (size_t i = 0; i < n; i++) {
		ids[i] = b->byte_id[s[i]];
		if (ids[i] == UINT32_MAX)
			return UINT32_MAX;
	}
	while (n > 1) {
		uint64_t first = merges_find(&b->merges, ids[0], ids[1]);
		uint64_t second = n > 2 ? merges_find(&b->merges, ids[1], ids[2]) : UINT64_MAX;
		uint64_t m = first <= second ? first : second;
		if (m == UINT64_MAX)
			return UINT32_MAX;
		if (m >> 32 > *rank)
			*rank = (uint32_t)(m >> 32);
		if (first <= second) {
			ids[0] = (uint32_t)m;
			ids[1] = ids[2];
		} else {
			ids[1] = (uint32_t)m;
		}
		n--;
	}
	return ids[0];
}

static uint32_t ready(const struct bpe *b, const struct borders *w, uint32_t c)
{
	char text[4];
	size_t n = utf8_put(c, text);
	const uint8_t *s = (const uint8_t *)text;
	uint32_t rank, id = merge_char(b, s, n, &rank), is = 0;
	if (id == UINT32_MAX || w->uses[id] <= rank)
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

void bpe_find_ready(struct bpe *b, const struct vocab *v, const struct listed_merge *list, size_t n)
{
	struct token_bytes *tokens = mem_zalloc(v->nids, sizeof *tokens);
	struct borders *w = mem_alloc(1, sizeof *w);
	memset(w, 0xff, sizeof *w);
	w->uses = mem_alloc(v->nids, sizeof *w->uses);
	memset(w->uses, 0xff, v->nids * sizeof *w->uses);
	b->ready = mem_zalloc(BPE_CHARS, sizeof *b->ready);
	for (uint32_t id = 0; id < v->nids; id++) {
		size_t len;
		const char *s = vocab_token(v, id, &len);
		if (s)
			read_token(&tokens[id], s, len);
	}
	find_borders(w, tokens, list, n);
	for (uint32_t c = 0x80; c < BPE_CHARS; c++)
		if (c < 0xd800 || c >= 0xe000)
			b->ready[c] = ready(b, w, c);
	mem_free(w->uses);
	mem_free(w);
	mem_free(tokens);
}
