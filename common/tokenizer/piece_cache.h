/*
 * Pieces that have been encoded, with their ids: most of a text are words that came before. Keys
 * are the bytes themselves, never a hash alone. Two of up to 15 bytes and three ids lie in one cache
 * line; one of up to 127 and 24 takes four lines. A new one takes the oldest one's place, and that one
 * moves to where longer ones are.
 */
#ifndef COMMON_TOKENIZER_PIECE_CACHE_H
#define COMMON_TOKENIZER_PIECE_CACHE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
	PIECE_SHORT = 15, /* bytes */
	PIECE_LONG = 127,
	PIECE_WORDS = 16, /* of 8 bytes */
	PIECE_SHORT_IDS = 3,
	PIECE_LONG_IDS = 24,
	/* Sets, as a power of two: 4 MiB each, the words of a book. */
	PIECE_SHORT_BITS = 16,
	PIECE_LONG_BITS = 13,
};

/* Where in the piece each id's bytes end is kept beside the ids. */
struct piece_short {
	uint64_t key[2]; /* the bytes, their number in the last */
	uint32_t ids[PIECE_SHORT_IDS];
	uint8_t ends[PIECE_SHORT_IDS], n;
};
struct piece_long {
	uint64_t key[PIECE_WORDS];
	uint32_t ids[PIECE_LONG_IDS];
	uint8_t ends[PIECE_LONG_IDS], n;
};

struct piece_cache {
	struct piece_short (*small)[2];
	struct piece_long (*large)[2];
};

/* A key is the bytes, their number in the last of two words, of a long piece in the last of the words that
 * they take; the rest is 0. */
struct piece_key {
	uint64_t key[PIECE_WORDS];
};

extern const uint64_t piece_keep[PIECE_SHORT + 1][2]; /* of a piece of so many bytes */

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
	key[0] = v[0] & piece_keep[len][0];
	key[1] = (v[1] & piece_keep[len][1]) | (uint64_t)len << 56;
}

/* Where a short piece is, if it is: to be fetched before it is looked up. */
static inline struct piece_short *piece_cache_at(const struct piece_cache *c, const uint64_t *key)
{
	uint64_t hash = key[0] * 0x9e3779b97f4a7c15u ^ key[1] * 0xd6e8feb86659fd93u;
	return c->small[hash >> (64 - PIECE_SHORT_BITS)];
}

/* NULL: not there. (One of many ids may be among the long.) at: piece_cache_at's. */
static inline const struct piece_short *piece_cache_short(
	const struct piece_short *at, const uint64_t *key)
{
	/* Which of the two it is cannot be foretold: no branches. */
	at += ((at->key[0] ^ key[0]) | (at->key[1] ^ key[1])) != 0;
	return ((at->key[0] ^ key[0]) | (at->key[1] ^ key[1])) == 0 ? at : NULL;
}

const struct piece_long *piece_cache_long(const struct piece_cache *c, const struct piece_key *k);
/* A short one that had to give way and came again, p: back to where it is found soonest. */
void piece_cache_back(
	struct piece_cache *c, const struct piece_key *k, size_t len, const struct piece_long *p);

void piece_cache_init(struct piece_cache *c);
void piece_cache_done(struct piece_cache *c);
/* Keeps it, unless it has too many ids. */
void piece_cache_put(struct piece_cache *c, const struct piece_key *k, size_t len,
	const uint32_t *ids, const uint32_t *lens, size_t n);

#endif
