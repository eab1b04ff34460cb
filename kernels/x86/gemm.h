/*
 * Products of f32 matrices, as sums of terms: C = A1 B1 + A2 B2 + …, one chain of fused
 * multiply-adds an element, in the order of the terms and of p within a term. So an element's bytes
 * depend on its row of A and its column of B alone: not on tiles, threads, vector width, or the
 * rows around it. B is unpacked piece by piece from any type of weight into a panel in the cache.
 */
#ifndef KERNELS_X86_GEMM_H
#define KERNELS_X86_GEMM_H

#include "kernels/cpu/cpu_int.h"
#include "kernels/x86/vec.h"

struct term {
	size_t k;	/* length of the sum */
	const float *a; /* A[i,p] at a[i * ars + p * acs]; one of the two is 1 */
	size_t ars, acs;
	const struct kweight *b;
	int b_transposed;	       /* B[p,j] is b's element (j,p); else (p,j) */
	float scale;		       /* B is multiplied by it */
	const struct kdropout *drop_b; /* rows of B are dropped (their number: the token) … */
	const struct kdropout *drop_c; /* … or the term's product is, by rows of C */
};

struct gemm {
	size_t m, n;
	float *c; /* [m,n], rows ldc apart */
	size_t ldc;
	int add;	   /* C = C + …; else C = … */
	const float *bias; /* [n], where C starts; NULL: from 0 (or from C) */
	struct term term[2];
	int nterms;
};

int FN(gemm_run)(struct kctx *c, const struct gemm *g);

/*
 * One product in the cache, on the caller: C[m,n] (+)= A[m,k] B[k,n]. b, ldb: rows of whole vectors, what
 * is beyond n is read and goes nowhere. The same chain an element.
 */
void FN(gemm_small)(size_t m, size_t n, size_t k, const float *a, size_t ars, size_t acs,
	const float *b, size_t ldb, float *c, size_t ldc, int add);

/* A view of f32 in memory as a weight, for `b`. */
struct kweight FN(gemm_view)(const float *p, size_t rows, size_t cols);

#endif
