#include "tools/train-step/order.h"

/* mt19937 (Matsumoto and Nishimura 1998), seeded with the low 32 bits as torch's CPU generator is.
 */
enum { MT_N = 624, MT_M = 397 };

struct mt {
	uint32_t s[MT_N];
	size_t next;
};

static void mt_seed(struct mt *g, uint32_t seed)
{
	g->s[0] = seed;
	for (uint32_t i = 1; i < MT_N; i++)
		g->s[i] = 1812433253u * (g->s[i - 1] ^ (g->s[i - 1] >> 30)) + i;
	g->next = MT_N;
}

static void mt_refill(struct mt *g)
{
	for (size_t i = 0; i < MT_N; i++) {
		uint32_t y = (g->s[i] & 0x80000000u) | (g->s[(i + 1) % MT_N] & 0x7fffffffu);
		g->s[i] = g->s[(i + MT_M) % MT_N] ^ (y >> 1) ^ (y & 1 ? 0x9908b0dfu : 0);
	}
	g->next = 0;
}

static uint32_t mt_draw(struct mt *g)
{
	if (g->next == MT_N)
		mt_refill(g);
	uint32_t y = g->s[g->next++];
	y ^= y >> 11;
	y ^= (y << 7) & 0x9d2c5680u;
	y ^= (y << 15) & 0xefc60000u;
	return y ^ (y >> 18);
}

void order_epoch(uint32_t *order, size_t n, uint64_t seed, uint64_t epoch, int shuffle)
{
	for (size_t i = 0; i < n; i++)
		order[i] = (uint32_t)i;
	if (!shuffle)
		return;
	struct mt g;
	mt_seed(&g, (uint32_t)(seed + epoch));
	for (size_t i = 0; i + 1 < n; i++) {
		size_t j = i + mt_draw(&g) % (n - i);
		uint32_t was = order[i];
		order[i] = order[j];
		order[j] = was;
	}
}
