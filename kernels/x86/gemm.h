/*
 * The product of these kernels: one chain of fused multiply-adds an element, in the order of the terms
 * and of p within a term. So an element's bytes depend on its row of A and its column of B alone: not
 * on tiles, threads, vector width, or the rows around it.
 */
#ifndef KERNELS_X86_GEMM_H
#define KERNELS_X86_GEMM_H

#include "kernels/cpu/gemm.h"
#include "kernels/x86/vec.h"

int FN(gemm_run)(struct kctx *c, const struct gemm *g);

/*
 * One product in the cache, on the caller: C[m,n] (+)= A[m,k] B[k,n]. b, ldb: rows of whole vectors,
 * what is beyond n is read and goes nowhere. The same chain an element.
 */
void FN(gemm_small)(size_t m, size_t n, size_t k, const float *a, size_t ars, size_t acs,
	const float *b, size_t ldb, float *c, size_t ldc, int add);

#endif
