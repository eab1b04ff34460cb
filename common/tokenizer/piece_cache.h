/*
 * Pieces that have been encoded, with their ids: most of a text are words that came before. Keys
 * are the bytes themselves, never a hash alone. The shorter a piece, the more lie in one cache
 * line: four of up to 7 bytes and two ids, two of up to 15 and three; one of up to 127 and 24 takes
 * four lines. A new one takes the oldest one's place, and that one moves to where longer ones are.
 */
#ifndef COMMON_TOKENIZER_PIECE_CACHE_H
#define COMMON_TOKENIZER_PIECE_CACHE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
	PIECE_TINY = 7, /* bytes */
	PIECE_SHORT = 15,
	PIECE_LONG = 127,
	PIECE_WORDS = 16, /* of 8 bytes */
	PIECE_TINY_IDS = 2,
	PIECE_SHORT_IDS = 3,
	PIECE_LONG_IDS = 24,
	PIECE_TINY_WAYS = 4,
	/* Sets, as a power of two: 1, 2 and 2 MiB, the words of a book. */
	PIECE_TINY_BITS = 14,
	PIECE_SHORT_BITS = 15,
	PIECE_LONG_BITS = 12,
};

/* Where in the piece each id's bytes end is kept beside the ids. */
struct piece_tiny {
	uint64_t key; /* the bytes, their number in the last */
	uint64_t ids; /* 24 bits each; then 8 bits: where the first ends; then how many */
};
struct piece_short {
	uint64_t key[2]; /* the same */
	uint32_t ids[PIECE_SHORT_IDS];
	uint8_t ends[PIECE_SHORT_IDS], n;
};
struct piece_long {
	uint64_t key[PIECE_WORDS];
	uint32_t ids[PIECE_LONG_IDS];
	uint8_t ends[PIECE_LONG_IDS], n;
};

struct piece_cache {
	struct piece_tiny (*tiny)[PIECE_TINY_WAYS];
	struct piece_short (*small)[2];
	struct piece_long (*large)[2];
};

/* A key is the bytes, their number in the last of the words that they take. Of a tiny piece that is
 * the first, of a short one the second: where a piece's length is known the words beyond are not
 * looked at. In a whole key they are 0. */
struct piece_key {
	uint64_t key[PIECE_WORDS];
};

/* The first n bytes of a word. */
static inline uint64_t piece_low(uint64_t v, size_t n)
{
	return n >= 8 ? v : v & (((uint64_t)1 << 8 * n) - 1);
}

/* len is from 1 to PIECE_SHORT; the text goes on to `end`. */
static inline void piece_key_make(uint64_t key[2], const char *s, size_t len, const char *end)
{
	uint64_t v[2];
	if ((size_t)(end - s) >= sizeof v) {
		memcpy(v, s, sizeof v);
	} else {
		v[0] = v[1] = 0;
		memcpy(v, s, len);
	}
	uint64_t top = (uint64_t)len << 56;
	key[0] = len <= PIECE_TINY ? piece_low(v[0], len) | top : v[0];
	key[1] = piece_low(v[1], (len - 8) & 7) | top;
}

static inline struct piece_tiny *piece_tiny_set(const struct piece_cache *c, const uint64_t *key)
{
	return c->tiny[key[0] * 0x9e3779b97f4a7c15u >> (64 - PIECE_TINY_BITS)];
}

static inline struct piece_short *piece_short_set(const struct piece_cache *c, const uint64_t *key)
{
	uint64_t hash = key[0] * 0x9e3779b97f4a7c15u ^ key[1] * 0xd6e8feb86659fd93u;
	return c->small[hash >> (64 - PIECE_SHORT_BITS)];
}

/* Where a piece of up to PIECE_SHORT bytes is, if it is: to be fetched before it is looked up. (A
 * function that did the fetching would be one without effect to the compiler.) */
static inline const void *piece_cache_at(
	const struct piece_cache *c, const uint64_t *key, size_t len)
{
	const void *tiny = piece_tiny_set(c, key), *small = piece_short_set(c, key);
	return len <= PIECE_TINY ? tiny : small;
}

/* NULL: not there. (A tiny one of many ids may be among the short, a short one among the long.) */
static inline const struct piece_tiny *piece_cache_tiny(
	const struct piece_cache *c, const uint64_t *key)
{
	const struct piece_tiny *p = piece_tiny_set(c, key);
	/* Which of them it is cannot be foretold: no branches. */
	p += (p[1].key == *key) + 2 * (p[2].key == *key) + 3 * (p[3].key == *key);
	return p->key == *key ? p : NULL;
}

static inline const struct piece_short *piece_cache_short(
	const struct piece_cache *c, const uint64_t *key)
{
	const struct piece_short *p = piece_short_set(c, key);
	p += ((p->key[0] ^ key[0]) | (p->key[1] ^ key[1])) != 0;
	return p->key[0] == key[0] && p->key[1] == key[1] ? p : NULL;
}

const struct piece_long *piece_cache_long(const struct piece_cache *c, const struct piece_key *k);

void piece_cache_init(struct piece_cache *c);
void piece_cache_done(struct piece_cache *c);
/* Keeps it, unless it has too many ids. */
void piece_cache_put(struct piece_cache *c, const struct piece_key *k, size_t len,
	const uint32_t *ids, const uint32_t *lens, size_t n);

#endif
