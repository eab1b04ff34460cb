/*
 * Products of matrices as a sum of terms, C = A1 B1 + A2 B2 + …, and linear made of them. What
 * multiplies (the x86 kernels, OpenBLAS) is a gemm_fn; what is multiplied is said here once.
 */
#ifndef KERNELS_CPU_GEMM_H
#define KERNELS_CPU_GEMM_H

#include "kernels/cpu/cpu_int.h"

struct term {
	size_t k;	/* length of the sum */
	const float *a; /* A[i,p] at a[i * ars + p * acs]; one of the two is 1 */
	size_t ars, acs;
	const struct kweight *b;       /* unpacked piece by piece, whatever its type … */
	int b_transposed;	       /* B[p,j] is b's element (j,p); else (p,j) */
	float scale;		       /* … B is multiplied by it … */
	const struct kdropout *drop_b; /* … its rows are dropped (their number: the token) … */
	const struct kdropout *drop_c; /* … or the term's product is, by rows of C */
	int bf16; /* A and B, scaled and dropped, are rounded; B is not both that and transposed */
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

/* For cpu_run. */
size_t gemm_work(const struct gemm *g);

typedef int gemm_fn(struct kctx *c, const struct gemm *g);

/* A view of f32 in memory as a weight, for `b`. */
struct kweight gemm_view(const struct kctx *c, const float *p, size_t rows, size_t cols);

/* Rows i … i+m-1 of C, columns j … j+n-1: += the mask times product (rows ld apart), which is lost. */
void gemm_add_dropped(struct kctx *c, const struct gemm *g, const struct kdropout *drop, size_t i,
	size_t m, size_t j, size_t n, float *product, size_t ld);

int gemm_linear_fwd(struct kctx *c, gemm_fn *run, const struct klinear *l, struct kbuf x, size_t T,
	struct kbuf y, struct kbuf h);
int gemm_linear_bwd(struct kctx *c, gemm_fn *run, const struct klinear *l, struct kbuf x,
	struct kbuf h, struct kbuf dy, size_t T, struct kbuf dx, int accumulate);

#endif
