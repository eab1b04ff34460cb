/*
 * Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011). The same bits on every backend, in any order of evaluation.
 *
 * Dropout's mask of (seed, step, module, record, position, feature): the key is a hash of seed and
 * step, the counter is {feature / 4, position, record, module}, the word is feature % 4. An element
 * is dropped when its word is below p * 2^32; a kept one is multiplied by 1 / (1 - p).
 */
#ifndef KERNELS_PHILOX_H
#define KERNELS_PHILOX_H

#include <stdint.h>

static inline void philox4x32(const uint32_t ctr[4], uint64_t key, uint32_t out[4])
{
	uint32_t c0 = ctr[0], c1 = ctr[1], c2 = ctr[2], c3 = ctr[3];
	uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
	for (int round = 0; round < 10; round++) {
		uint64_t a = (uint64_t)0xD2511F53u * c0, b = (uint64_t)0xCD9E8D57u * c2;
		c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
		c1 = (uint32_t)b;
		c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
		c3 = (uint32_t)a;
		k0 += 0x9E3779B9u;
		k1 += 0xBB67AE85u;
	}
	out[0] = c0;
	out[1] = c1;
	out[2] = c2;
	out[3] = c3;
}

/* The finaliser of splitmix64: every bit of the input moves every bit of the output. */
static inline uint64_t philox_mix(uint64_t x)
{
	x += 0x9E3779B97F4A7C15u;
	x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
	x = (x ^ x >> 27) * 0x94D049BB133111EBu;
	return x ^ x >> 31;
}

static inline uint64_t philox_key(uint64_t seed, uint64_t step)
{
	return philox_mix(seed ^ philox_mix(step));
}

#endif
