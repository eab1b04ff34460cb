/*
 * What short texts became: most of a text are pieces, or words, that came before. Keys are the bytes
 * themselves, never a hash alone. A short one that comes again takes the first place of its set's two, so
 * that it does not give way to what comes but once. Tables are as large as what they hold asks for.
 */
#ifndef COMMON_TOKENIZER_MEMO_H
#define COMMON_TOKENIZER_MEMO_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
	MEMO_SHORT = 15, /* bytes */
	MEMO_LONG = 127,
	MEMO_SHORT_KEY = 2, /* of 8 bytes: the text's, and in the last one how many they are */
	MEMO_LONG_KEY = 16,
	MEMO_IDS = 31,
	MEMO_SHORT_SIZE = 64, /* at most: a cache line */
};

/* Of a short text an entry is what the user makes of it: a short key, then ids as few as mostly come. */
struct memo_long {
	_Alignas(64) uint64_t key[MEMO_LONG_KEY];
	uint32_t ids[MEMO_IDS];
	uint8_t at[MEMO_IDS][2], n; /* [from, to) in the text, by id */
};

/* Sets of two entries, each beginning with its key; a key of zeros: none. */
struct memo_table {
	char *sets;
	size_t size, words, used; /* of an entry in bytes; of its key in words; entries */
	int bits, most;		  /* sets, as a power of two */
};
struct memo {
	struct memo_table small, large;
};

void memo_init(struct memo *m, size_t short_size); /* at most MEMO_SHORT_SIZE */
void memo_done(struct memo *m);
/* Grows where too much would have to give way: entries move. To be called now and then, not between
 * memo_set and memo_find_short. */
void memo_fit(struct memo *m);

/* A place with its key in it, of which the rest is for the caller to write. */
void *memo_add_short(struct memo *m, const uint64_t *key);
struct memo_long *memo_add_long(struct memo *m, const uint64_t *key);
/* NULL: not there. */
const struct memo_long *memo_find_long(const struct memo *m, const uint64_t *key);

/* For memo_short_key: which bytes of 16 are a text of so many. */
extern const uint64_t memo_bytes[MEMO_SHORT + 1][MEMO_SHORT_KEY];

/* len is from 1 to MEMO_SHORT; the text goes on to `end`. */
static inline void memo_short_key(
	uint64_t key[MEMO_SHORT_KEY], const char *s, size_t len, const char *end)
{
	uint64_t v[MEMO_SHORT_KEY] = {0};
	if ((size_t)(end - s) >= sizeof v) /* a size that is known is no call */
		memcpy(v, s, sizeof v);
	else
		memcpy(v, s, len);
	key[0] = v[0] & memo_bytes[len][0];
	key[1] = (v[1] & memo_bytes[len][1]) | (uint64_t)len << 56;
}

/* len is from 1 to MEMO_LONG. Short texts have their short key, and zeros. */
static inline void memo_long_key(uint64_t key[MEMO_LONG_KEY], const char *s, size_t len)
{
	memset(key, 0, MEMO_LONG_KEY * sizeof *key);
	memcpy(key, s, len);
	key[(len <= MEMO_SHORT ? MEMO_SHORT_KEY : MEMO_LONG_KEY) - 1] |= (uint64_t)len << 56;
}

/* Where a short text is, if it is: to be fetched before it is looked into. */
static inline void *memo_set(const struct memo *m, const uint64_t *key, size_t short_size)
{
	uint64_t hash = key[0] * 0x9e3779b97f4a7c15u ^ key[1] * 0xd6e8feb86659fd93u;
	return m->small.sets + (hash >> (64 - m->small.bits)) * 2 * short_size;
}

static inline int memo_is(const void *entry, const uint64_t *key)
{
	uint64_t v[MEMO_SHORT_KEY];
	memcpy(v, entry, sizeof v);
	return !((v[0] ^ key[0]) | (v[1] ^ key[1]));
}

/* In its set; NULL: not there. (One of many ids may be among the long.) */
static inline const void *memo_find_short(void *set, const uint64_t *key, size_t short_size)
{
	char *second = (char *)set + short_size, was[MEMO_SHORT_SIZE];
	if (memo_is(set, key))
		return set;
	if (!memo_is(second, key))
		return NULL;
	memcpy(was, set, short_size);
	memcpy(set, second, short_size);
	memcpy(second, was, short_size);
	return set;
}

#endif
