/*
 * Words that came before, with their ids and where in the word those stand (words.c). Keys are the bytes
 * themselves, never a hash alone. Tables are as large as what they hold asks for.
 */
#ifndef COMMON_TOKENIZER_WORD_CACHE_H
#define COMMON_TOKENIZER_WORD_CACHE_H

#include "common/tokenizer/tokenizer.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
	WORD_SHORT = 15, /* bytes */
	WORD_LONG = 63,
	WORD_SHORT_KEY = 2, /* of 8 bytes: the word's, and in the last one how many they are */
	WORD_LONG_KEY = 8,
	WORD_SHORT_IDS = 7,
	WORD_LONG_IDS = 24,
};

/* A cache line. */
struct short_word {
	uint64_t key[WORD_SHORT_KEY];
	uint32_t ids[WORD_SHORT_IDS];
	uint8_t at[WORD_SHORT_IDS][2], n; /* [from, to) in the word, by id */
};
struct long_word {
	uint64_t key[WORD_LONG_KEY];
	uint32_t ids[WORD_LONG_IDS];
	uint8_t at[WORD_LONG_IDS][2], n;
};

/* Sets of two entries, each beginning with its key; a key of zeros: none. */
struct word_table {
	char *sets;
	size_t size, words; /* of an entry in bytes; of its key in words */
	int bits, most;	    /* sets, as a power of two */
	size_t used;
};
struct word_cache {
	struct word_table small, large;
	struct encoding made; /* of the word that comes to it */
};

struct word_cache *word_cache_new(void);
void word_cache_free(struct word_cache *c);

/* len is from 1 to WORD_SHORT; the text goes on to `end`. */
static inline void word_short_key(
	uint64_t key[WORD_SHORT_KEY], const char *s, size_t len, const char *end)
{
	uint64_t v[WORD_SHORT_KEY] = {0};
	if ((size_t)(end - s) >= sizeof v) {
		memcpy(v, s, sizeof v);
		if (len < 8)
			v[0] &= ((uint64_t)1 << 8 * len) - 1;
		v[1] &= len > 8 ? ((uint64_t)1 << 8 * (len - 8)) - 1 : 0;
	} else {
		memcpy(v, s, len);
	}
	key[0] = v[0];
	key[1] = v[1] | (uint64_t)len << 56;
}

/* len is from 1 to WORD_LONG. Short words have their short key, and zeros. */
static inline void word_long_key(uint64_t key[WORD_LONG_KEY], const char *s, size_t len)
{
	memset(key, 0, WORD_LONG_KEY * sizeof *key);
	memcpy(key, s, len);
	key[(len <= WORD_SHORT ? WORD_SHORT_KEY : WORD_LONG_KEY) - 1] |= (uint64_t)len << 56;
}

static inline uint64_t word_hash(const uint64_t *key, size_t words)
{
	uint64_t hash = key[0] * 0x9e3779b97f4a7c15u ^ key[1] * 0xd6e8feb86659fd93u;
	for (size_t i = 2; i < words; i++)
		hash = (hash ^ hash >> 32 ^ key[i]) * 0x9e3779b97f4a7c15u;
	return hash;
}

/* To be fetched before it is looked into. */
static inline struct short_word *word_short_set(const struct word_cache *c, const uint64_t *key)
{
	return (struct short_word *)c->small.sets +
	       2 * (word_hash(key, WORD_SHORT_KEY) >> (64 - c->small.bits));
}

static inline int word_is_short(const struct short_word *p, const uint64_t *key)
{
	return !((p->key[0] ^ key[0]) | (p->key[1] ^ key[1]));
}

/* NULL: not there. (A short one of many ids may be among the long.) One that comes again takes the set's
 * first place, so that it does not give way to what comes but once. */
static inline const struct short_word *word_find_short(
	const struct word_cache *c, const uint64_t *key)
{
	struct short_word *p = word_short_set(c, key);
	if (word_is_short(p, key))
		return p;
	if (!word_is_short(p + 1, key))
		return NULL;
	struct short_word first = p[0];
	p[0] = p[1];
	p[1] = first;
	return p;
}

const struct long_word *word_find_long(const struct word_cache *c, const uint64_t *key);

/* Keeps c->made, whose word of len bytes is at `from`, unless it is too much or stands elsewhere. key: as
 * word_long_key has it. */
void word_keep(struct word_cache *c, const uint64_t *key, size_t from, size_t len);

#endif
