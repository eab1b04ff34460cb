/*
 * Random numbers that are the same everywhere for the same seed and stream: xoshiro256++ (Blackman
 * and Vigna 2019), its state filled by splitmix64 of (seed, stream). Streams of one seed are
 * independent: one a tensor, one a record, one an epoch.
 */
#ifndef COMMON_RNG_H
#define COMMON_RNG_H

#include <stdint.h>

struct rng {
	uint64_t s[4];
};

void rng_init(struct rng *r, uint64_t seed, uint64_t stream);
uint64_t rng_next(struct rng *r);
/* In [0, 1), 53 bits. */
double rng_uniform(struct rng *r);
/* In [0, n), every value equally likely; n > 0. */
uint64_t rng_below(struct rng *r, uint64_t n);
/* Standard normal (Box and Muller 1958, one of the two). */
double rng_normal(struct rng *r);

#endif
