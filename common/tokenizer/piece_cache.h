/*
 * Pieces that have been encoded, with their ids: most of a text are words that came before. Keys are the
 * bytes themselves, never a hash alone. Short pieces of few ids lie two to a cache line, the others one;
 * a new one takes the older one's place.
 */
#ifndef COMMON_TOKENIZER_PIECE_CACHE_H
#define COMMON_TOKENIZER_PIECE_CACHE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
	PIECE_SHORT = 15, /* bytes */
	PIECE_LONG = 31,
	PIECE_SHORT_IDS = 3,
	PIECE_LONG_IDS = 6,
	PIECE_SHORT_SETS = 1 << 15, /* 2 MiB: the words of a book */
	PIECE_LONG_SETS = 1 << 14,  /* 2 MiB */
};

struct piece_short {
	uint64_t key[2]; /* the bytes, their number in the last */
	uint32_t ids[PIECE_SHORT_IDS];
	uint8_t lens[PIECE_SHORT_IDS], n;
};
struct piece_long {
	uint64_t key[4];
	uint32_t ids[PIECE_LONG_IDS];
	uint8_t lens[PIECE_LONG_IDS], n;
};

struct piece_cache {
	struct piece_short (*small)[2];
	struct piece_long (*large)[2];
};

struct piece_key {
	uint64_t key[4];
	uint64_t hash;
};

/* Bits of all of a into the low ones. */
static inline uint64_t piece_mix(uint64_t a)
{
	a = (a ^ a >> 32) * 0xd6e8feb86659fd93u;
	a = (a ^ a >> 32) * 0xd6e8feb86659fd93u;
	return a ^ a >> 32;
}

/* len is from 1 to PIECE_LONG. */
static inline void piece_key_make(struct piece_key *k, const char *s, size_t len)
{
	uint64_t *key = k->key;
	key[0] = key[1] = key[2] = key[3] = 0;
	if (len >= 8) {
		size_t i = 0;
		for (; i + 8 <= len; i += 8)
			memcpy(&key[i / 8], s + i, 8);
		if (i < len) { /* the last eight bytes, what is there already shifted out */
			memcpy(&key[i / 8], s + len - 8, 8);
			key[i / 8] >>= 8 * (8 - (len - i));
		}
	} else if (len >= 4) {
		uint32_t a, b;
		memcpy(&a, s, 4);
		memcpy(&b, s + len - 4, 4);
		key[0] = a | (uint64_t)b << (8 * (len - 4));
	} else {
		key[0] = (uint8_t)s[0] | (uint64_t)(uint8_t)s[len / 2] << (8 * (len / 2)) |
			 (uint64_t)(uint8_t)s[len - 1] << (8 * (len - 1));
	}
	key[len <= PIECE_SHORT ? 1 : 3] |= (uint64_t)len << 56;
	k->hash = piece_mix(key[0] ^ key[1] * 0x9e3779b97f4a7c15u);
	if (len > PIECE_SHORT)
		k->hash = piece_mix(k->hash ^ key[2] ^ key[3] * 0x9e3779b97f4a7c15u);
}

/* So that piece_cache_get need not wait. */
static inline void piece_cache_fetch(
	const struct piece_cache *c, const struct piece_key *k, size_t len)
{
	__builtin_prefetch(len <= PIECE_SHORT
				   ? (const void *)c->small[k->hash & (PIECE_SHORT_SETS - 1)]
				   : (const void *)c->large[k->hash & (PIECE_LONG_SETS - 1)]);
}

/* How many ids, 0: not there. */
static inline size_t piece_cache_get(
	struct piece_cache *c, const struct piece_key *k, size_t len, uint32_t *ids, uint32_t *lens)
{
	if (len <= PIECE_SHORT) {
		struct piece_short *set = c->small[k->hash & (PIECE_SHORT_SETS - 1)];
		for (int way = 0; way < 2; way++) {
			const struct piece_short *p = &set[way];
			if (p->key[0] != k->key[0] || p->key[1] != k->key[1])
				continue;
			for (size_t i = 0; i < p->n; i++) {
				ids[i] = p->ids[i];
				lens[i] = p->lens[i];
			}
			return p->n;
		}
	}
	struct piece_long *set = c->large[k->hash & (PIECE_LONG_SETS - 1)];
	for (int way = 0; way < 2; way++) {
		const struct piece_long *p = &set[way];
		if (memcmp(p->key, k->key, sizeof p->key) != 0)
			continue;
		for (size_t i = 0; i < p->n; i++) {
			ids[i] = p->ids[i];
			lens[i] = p->lens[i];
		}
		return p->n;
	}
	return 0;
}

void piece_cache_init(struct piece_cache *c);
void piece_cache_done(struct piece_cache *c);
/* Keeps it, unless it has too many ids. */
void piece_cache_put(struct piece_cache *c, const struct piece_key *k, size_t len,
	const uint32_t *ids, const uint32_t *lens, size_t n);

#endif
