#include "common/tokenizer/piece_cache.h"

#include "common/mem.h"

void piece_cache_init(struct piece_cache *c)
{
	c->small = mem_zalloc(PIECE_SHORT_SETS, sizeof *c->small);
	c->large = mem_zalloc(PIECE_LONG_SETS, sizeof *c->large);
}

void piece_cache_done(struct piece_cache *c)
{
	mem_free(c->small);
	mem_free(c->large);
}

void piece_cache_put(struct piece_cache *c, const struct piece_key *k, size_t len,
	const uint32_t *ids, const uint32_t *lens, size_t n)
{
	if (n == 0 || n > PIECE_LONG_IDS)
		return;
	if (len <= PIECE_SHORT && n <= PIECE_SHORT_IDS) {
		struct piece_short *set = c->small[k->hash & (PIECE_SHORT_SETS - 1)], *p = &set[0];
		set[1] = *p;
		memcpy(p->key, k->key, sizeof p->key);
		p->n = (uint8_t)n;
		for (size_t i = 0; i < n; i++) {
			p->ids[i] = ids[i];
			p->lens[i] = (uint8_t)lens[i];
		}
		return;
	}
	struct piece_long *set = c->large[k->hash & (PIECE_LONG_SETS - 1)], *p = &set[0];
	set[1] = *p;
	memcpy(p->key, k->key, sizeof p->key);
	p->n = (uint8_t)n;
	for (size_t i = 0; i < n; i++) {
		p->ids[i] = ids[i];
		p->lens[i] = (uint8_t)lens[i];
	}
}
