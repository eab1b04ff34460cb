#include "common/tokenizer/piece_cache.h"

#include "common/mem.h"

void piece_cache_init(struct piece_cache *c)
{
	const size_t tiny = sizeof *c->tiny << PIECE_TINY_BITS,
		     small = sizeof *c->small << PIECE_SHORT_BITS,
		     large = sizeof *c->large << PIECE_LONG_BITS;
	char *table = mem_table(tiny + small + large);
	c->tiny = (void *)table;
	c->small = (void *)(table + tiny);
	c->large = (void *)(table + tiny + small);
}

void piece_cache_done(struct piece_cache *c)
{
	mem_free(c->tiny); /* where all of them begin */
}

static struct piece_long *long_set(const struct piece_cache *c, const struct piece_key *k)
{
	uint64_t hash = 0;
	for (int i = 0; i < PIECE_WORDS; i++)
		hash = (hash ^ k->key[i]) * 0x9e3779b97f4a7c15u + (hash >> 32);
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

static void fill(uint32_t *to, uint8_t *ends, const uint32_t *ids, const uint8_t *from, size_t n)
{
	memcpy(to, ids, n * sizeof *ids);
	memcpy(ends, from, n);
}

static void put_long(struct piece_cache *c, const struct piece_key *k, const uint32_t *ids,
	const uint8_t *ends, size_t n)
{
	struct piece_long *p = long_set(c, k);
	p[1] = p[0];
	memcpy(p->key, k->key, sizeof p->key);
	p->n = (uint8_t)n;
	fill(p->ids, p->ends, ids, ends, n);
}

/* What has to give way goes where longer ones are: they are looked up there too. */
static void put_short(struct piece_cache *c, const struct piece_key *k, const uint32_t *ids,
	const uint8_t *ends, size_t n)
{
	struct piece_short *p = piece_short_set(c, k->key);
	if (p[1].n)
		put_long(c, &(struct piece_key){{p[1].key[0], p[1].key[1]}}, p[1].ids, p[1].ends,
			p[1].n);
	p[1] = p[0];
	memcpy(p->key, k->key, sizeof p->key);
	p->n = (uint8_t)n;
	fill(p->ids, p->ends, ids, ends, n);
}

static void put_tiny(struct piece_cache *c, const struct piece_key *k, const uint32_t *ids,
	const uint8_t *ends, size_t n)
{
	struct piece_tiny *set = piece_tiny_set(c, k->key), last = set[PIECE_TINY_WAYS - 1];
	if (last.key) {
		const uint32_t of[2] = {last.ids & 0xffffff, last.ids >> 24 & 0xffffff};
		const uint8_t to[2] = {last.ids >> 48 & 0xff, (uint8_t)(last.key >> 56)};
		put_short(c, &(struct piece_key){{last.key}}, of, to, last.ids >> 56);
	}
	memmove(set + 1, set, (PIECE_TINY_WAYS - 1) * sizeof *set);
	set->key = k->key[0];
	set->ids = ids[0] | (uint64_t)(n > 1 ? ids[1] : 0) << 24 | (uint64_t)ends[0] << 48 |
		   (uint64_t)n << 56;
}

void piece_cache_put(struct piece_cache *c, const struct piece_key *k, size_t len,
	const uint32_t *ids, const uint32_t *lens, size_t n)
{
	uint8_t ends[PIECE_LONG_IDS], end = 0;
	if (n == 0 || n > PIECE_LONG_IDS)
		return;
	for (size_t i = 0; i < n; i++)
		ends[i] = end = (uint8_t)(end + lens[i]);
	if (len <= PIECE_TINY && n <= PIECE_TINY_IDS)
		put_tiny(c, k, ids, ends, n);
	else if (len <= PIECE_SHORT && n <= PIECE_SHORT_IDS)
		put_short(c, k, ids, ends, n);
	else
		put_long(c, k, ids, ends, n);
}
