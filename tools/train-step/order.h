/* The order of an epoch's rows: that of the peers' trainer (accelerate's seedable sampler): torch's
 * randperm from a generator seeded with seed + epoch, so that shuffled runs can be compared too. */
#ifndef TRAIN_ORDER_H
#define TRAIN_ORDER_H

#include <stddef.h>
#include <stdint.h>

/* More rows than this draw 64-bit numbers in torch; nobody has fine-tuned on so many. */
enum { ORDER_MAX = UINT32_MAX / 20 - 1 };

/* Fills order[n], n <= ORDER_MAX. shuffle 0: 0, 1, 2 … */
void order_epoch(uint32_t *order, size_t n, uint64_t seed, uint64_t epoch, int shuffle);

#endif
