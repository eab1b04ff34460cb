#include "common/tokenizer/piece_cache.h"

#include "common/mem.h"

#define LOW(n) (((uint64_t)1 << 8 * (n)) - 1)
#define ALL    (~(uint64_t)0)
const uint64_t piece_keep[PIECE_SHORT + 1][2] = {{0, 0}, {LOW(1), 0}, {LOW(2), 0}, {LOW(3), 0},
	{LOW(4), 0}, {LOW(5), 0}, {LOW(6), 0}, {LOW(7), 0}, {ALL, 0}, {ALL, LOW(1)}, {ALL, LOW(2)},
	{ALL, LOW(3)}, {ALL, LOW(4)}, {ALL, LOW(5)}, {ALL, LOW(6)}, {ALL, LOW(7)}};

void piece_cache_init(struct piece_cache *c)
{
	const size_t small = sizeof *c->small << PIECE_SHORT_BITS,
		     large = sizeof *c->large << PIECE_LONG_BITS;
	char *table = mem_table(1, small + large);
	memset(table, 0, small + large);
	c->small = (void *)table;
	c->large = (void *)(table + small);
}

void piece_cache_done(struct piece_cache *c)
{
	mem_free(c->small); /* where both begin */
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
	struct piece_short *p = piece_cache_at(c, k->key), last = p[1];
	p[1] = p[0];
	memcpy(p->key, k->key, sizeof p->key);
	p->n = (uint8_t)n;
	fill(p->ids, p->ends, ids, ends, n);
	if (last.n)
		put_long(c, &(struct piece_key){{last.key[0], last.key[1]}}, last.ids, last.ends,
			last.n);
}

void piece_cache_back(
	struct piece_cache *c, const struct piece_key *k, size_t len, const struct piece_long *p)
{
	if (len <= PIECE_SHORT && p->n <= PIECE_SHORT_IDS)
		put_short(c, k, p->ids, p->ends, p->n);
}

void piece_cache_put(struct piece_cache *c, const struct piece_key *k, size_t len,
	const uint32_t *ids, const uint32_t *lens, size_t n)
{
	uint8_t ends[PIECE_LONG_IDS], end = 0;
	if (n == 0 || n > PIECE_LONG_IDS)
		return;
	for (size_t i = 0; i < n; i++)
		ends[i] = end = (uint8_t)(end + lens[i]);
	if (len <= PIECE_SHORT && n <= PIECE_SHORT_IDS)
		put_short(c, k, ids, ends, n);
	else
		put_long(c, k, ids, ends, n);
}
