/*
 * The product of these kernels: one chain of fused multiply-adds an element, in the order of the terms
 * and of p within a term. So an element's bytes depend on its row of A and its column of B alone: not
 * on tiles, threads, vector width, or the rows around it.
 *
 * Operands in bf16 go by pairs, two of a sum in one 32-bit cell; `vdpbf16ps` is the same chain, the
 * high half first, each step rounded to f32 (what is denormal counts as 0). In sums along rows of A the
 * cells are as in memory, so the chain takes 1, 0, 3, 2 …; in sums over rows (gradients of
 * weights, which go on from batch to batch) the first row is the high half: row after row. Without the
 * instruction two multiply-adds do the same.
 */
#ifndef KERNELS_X86_GEMM_H
#define KERNELS_X86_GEMM_H

#include "kernels/cpu/gemm.h"
#include "kernels/x86/vec.h"

/*
 * A tile of C is TILE_M rows by TILE_V vectors, held in registers: 8 x 3 of 32 (AVX-512), 6 x 2
 * of 16. A panel is PANEL_K rows of GROUP columns of B, f32 or pairs: 288 KiB, in the second-level cache while
 * all rows of A pass by.
 */
#ifdef __AVX512F__
enum { TILE_M = 8, TILE_V = 3, PANEL_K = 384, GROUP = 192 };
#else
enum { TILE_M = 6, TILE_V = 2, PANEL_K = 384, GROUP = 192 };
#endif
enum { TILE_N = TILE_V * W };

#define gemm_run	 FN(gemm_run)
#define gemm_small	 FN(gemm_small)
#define gemm_small_pairs FN(gemm_small_pairs)

int gemm_run(struct kctx *c, const struct gemm *g);

/*
 * One product in the cache, on the caller: C[m,n] (+)= A[m,k] B[k,n]. b, ldb: rows of whole vectors,
 * what is beyond n is read and goes nowhere. The same chain an element.
 */
void gemm_small(size_t m, size_t n, size_t k, const float *a, size_t ars, size_t acs,
	const float *b, size_t ldb, float *c, size_t ldc, int add);
/* The same of cells that are pairs of bf16; k: cells. The cells that are made next come from f32 far away:
 * 2k of two rows are asked for on the way. */
struct ahead {
	const float *row;
	size_t step; /* to the second */
};
void gemm_small_pairs(size_t m, size_t n, size_t k, const float *a, size_t ars, size_t acs,
	const float *b, size_t ldb, float *c, size_t ldc, int add, struct ahead next);

#endif
