#include "common/tokenizer/piece_cache.h"

#include "common/mem.h"

void piece_cache_init(struct piece_cache *c)
{
	c->tiny = mem_zalloc((size_t)1 << PIECE_TINY_BITS, sizeof *c->tiny);
	c->small = mem_zalloc((size_t)1 << PIECE_SHORT_BITS, sizeof *c->small);
	c->large = mem_zalloc((size_t)1 << PIECE_LONG_BITS, sizeof *c->large);
}

void piece_cache_done(struct piece_cache *c)
{
	mem_free(c->tiny);
	mem_free(c->small);
	mem_free(c->large);
}

static struct piece_long *long_set(const struct piece_cache *c, const struct piece_key *k)
{
	const uint64_t *key = k->key;
	uint64_t hash = (key[0] ^ key[2] << 23 ^ key[2] >> 41) * 0x9e3779b97f4a7c15u ^
			(key[1] ^ key[3] << 29 ^ key[3] >> 35) * 0xd6e8feb86659fd93u;
	return c->large[hash >> (64 - PIECE_LONG_BITS)];
}

const struct piece_long *piece_cache_long(const struct piece_cache *c, const struct piece_key *k)
{
	const struct piece_long *set = long_set(c, k);
	for (int way = 0; way < 2; way++)
		if (!memcmp(set[way].key, k->key, sizeof k->key))
			return &set[way];
	return NULL;
}

static void put_tiny(
	struct piece_tiny *set, uint64_t key, const uint32_t *ids, const uint32_t *lens, size_t n)
{
	memmove(set + 1, set, (PIECE_TINY_WAYS - 1) * sizeof *set);
	set->key = key;
	set->ids = ids[0] | (uint64_t)(n > 1 ? ids[1] : 0) << 24 | (uint64_t)lens[0] << 48 |
		   (uint64_t)n << 56;
}

static void fill(uint32_t *to, uint8_t *ends, const uint32_t *ids, const uint32_t *lens, size_t n)
{
	uint32_t end = 0;
	for (size_t i = 0; i < n; i++) {
		to[i] = ids[i];
		ends[i] = (uint8_t)(end += lens[i]);
	}
}

void piece_cache_put(struct piece_cache *c, const struct piece_key *k, size_t len,
	const uint32_t *ids, const uint32_t *lens, size_t n)
{
	if (n == 0 || n > PIECE_LONG_IDS)
		return;
	if (len <= PIECE_TINY && n <= PIECE_TINY_IDS) {
		put_tiny(piece_tiny_set(c, k), k->key[0], ids, lens, n);
	} else if (len <= PIECE_SHORT && n <= PIECE_SHORT_IDS) {
		struct piece_short *p = piece_short_set(c, k);
		p[1] = p[0];
		memcpy(p->key, k->key, sizeof p->key);
		p->n = (uint8_t)n;
		fill(p->ids, p->ends, ids, lens, n);
	} else {
		struct piece_long *p = long_set(c, k);
		p[1] = p[0];
		memcpy(p->key, k->key, sizeof p->key);
		p->n = (uint8_t)n;
		fill(p->ids, p->ends, ids, lens, n);
	}
}
