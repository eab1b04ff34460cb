/*
 * bitsandbytes' number formats (0.50.2): 4 bits in blocks (NF4, FP4), 8 bits in blocks through a map
 * (statistics of double quantisation, optimizer states), int8 by rows. Every value on its own and in
 * f32, so results depend neither on the instruction set nor on how the work was cut.
 */
#ifndef KERNELS_QUANT_H
#define KERNELS_QUANT_H

#include "kernels/kernels.h"

/* Block sizes are powers of two from 32 to 4096; statistics are quantised by 256. */
enum { QUANT_BLOCK_MIN = 32, QUANT_BLOCK_MAX = 4096, QUANT_NESTED_BLOCK = 256 };

/* The values of the 16 codes of DT_NF4 or DT_FP4 ("quant_map"). */
const float *quant4_map(enum dtype q);
/* "nested_quant_map": create_dynamic_map(signed), sorted. */
void quant8_map(int is_signed, float map[256]);

/*
 * n elements of a float type (src may be unaligned) to codes, two a byte, the even element in the high
 * half, and one absmax a block. n is whole blocks except at a tensor's end: there the last block is
 * divided by its absmax (at least 1e-38) where full ones are multiplied by the reciprocal, and the
 * half byte behind an odd number is the code of 0. -1: something is not finite.
 */
int quant4_encode(enum dtype q, enum dtype t, const void *src, size_t n, size_t blocksize,
	uint8_t *packed, float *absmax);
/* That absmax alone. */
int quant4_absmax(enum dtype t, const void *src, size_t n, size_t blocksize, float *absmax);

/*
 * The code of x/absmax in a sorted map. Exact: the nearest; half-way, the even one (bitsandbytes on
 * CUDA). Table: what its CPU library finds by a table of 65536, wrong by one now and then. A block of
 * zeros gets code 0 by both.
 */
enum quant8_rule { QUANT8_EXACT, QUANT8_TABLE };
void quant8_encode(enum quant8_rule rule, const float map[256], const float *x, size_t n,
	size_t blocksize, uint8_t *codes, float *absmax);

/* A dynamic map with QUANT8_TABLE's table, for who encodes at every step: the code of v = x/absmax is
 * code[quant8_place(v)]. */
enum { QUANT8_PLACES = 65536 };
struct quant8 {
	float map[256];
	uint8_t code[QUANT8_PLACES];
};
void quant8_init(struct quant8 *q, int is_signed);
static inline int quant8_place(float v)
{
	float place = (v + 1) * 0.5f * (QUANT8_PLACES - 1) + 0.5f;
	place = place > 0 ? place : 0; /* NaN, too */
	return (int)(place < QUANT8_PLACES - 1 ? place : QUANT8_PLACES - 1);
}

/* torch's mean of n f32 (2.13, one thread, AVX2 or AVX-512): "nested_offset". */
float quant_mean(const float *x, size_t n);

/* Rows of LLM.int8: through f16, q = x * (127/absmax) to the nearest, half to even; the quotient is
 * torch's, 127 times the reciprocal. -1: something is not finite in f16. */
int quant_int8_encode(
	enum dtype t, const void *src, size_t rows, size_t cols, int8_t *q, float *scb);

/*
 * Elements [from, from + n) of a quantised matrix, counted through all its rows: map * absmax in f32,
 * rounded to d->values; int8: q * scb * (1/127).
 */
void quant_decode(const struct kweight_desc *d, size_t from, size_t n, float *dst);

#endif
