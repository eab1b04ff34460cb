/*
 * W + sum of s·B·A over blocks of rows, from and to the element types of files, and the check that
 * all is finite. Every element on its own, in one order: the products of B·A are added one after
 * the other with one rounding each (fma), the sum is scaled, the adapters' are added, then W, then
 * one rounding to the result's type. So results depend neither on the instruction set nor on how
 * rows are cut, and for one adapter are what PEFT 0.21's merge gives where its product adds in
 * order.
 */
#ifndef KERNELS_MERGE_H
#define KERNELS_MERGE_H

#include "kernels/dtype.h"

struct merge_part {
	const float *b; /* [rows, r]: of these rows */
	const float *a; /* [r, cols], as merge_pack orders it */
	size_t r;
	float scale;
	enum dtype as; /* the product is rounded to it before it is added: DT_F32 for none */
};

/* A [r, cols] cut into blocks of columns that lie together: rows a power of two apart would push each
 * other out of the cache. packed: as many elements, not a. */
void merge_pack(const float *a, size_t r, size_t cols, float *packed);

/* out[rows, cols] = in[rows, cols] + the parts' products (none: converted). in may be unaligned;
 * out may not be in. 0, or -1 when something in the result is not finite. Types: the floats. */
int merge_rows(enum dtype tin, const void *in, enum dtype tout, void *out, size_t rows, size_t cols,
	const struct merge_part *parts, size_t nparts);

/*
 * DoRA (arXiv 2402.09353): every row of w[rows, cols] times magnitude[row] / its norm. The norm is that
 * of torch 2.13's AVX2 and AVX-512 kernels: eight sums, a square rounded before it is added.
 */
void merge_rescale(float *w, size_t rows, size_t cols, const float *magnitude);

/* What became of n values that were base and should be want: sums over (is - want)^2, (want - base)^2
 * and (is - base)(want - base) are added to sums. base NULL: zeros. */
void merge_compare(const float *base, const float *want, const float *is, size_t n, double sums[3]);

/* Whether n elements are all finite; types without infinities always are. */
int merge_finite(enum dtype t, const void *p, size_t n);

#endif
