/*
 * Products by OpenBLAS, loaded at run time. Its sums depend on the shape of the product it is given
 * (so exact_rows is 0: rounding differs with the number of rows), but the blocks that it is given depend
 * on shapes alone, never on the number of threads.
 */
#ifndef KERNELS_OPENBLAS_BLAS_H
#define KERNELS_OPENBLAS_BLAS_H

#include "kernels/cpu/cpu_int.h"

/* cblas.h's, as OpenBLAS has it with 32-bit integers. */
enum { BLAS_ROW_MAJOR = 101, BLAS_PLAIN = 111, BLAS_TRANSPOSED = 112 };
typedef void sgemm_fn(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a,
	int lda, const float *b, int ldb, float beta, float *c, int ldc);

struct blas { /* kctx.own */
	sgemm_fn *sgemm;
};

const char *blas_unavailable(void);
int blas_open(const struct kernels *self, int device, int threads, enum kprecision precision,
	struct kctx **out);
int blas_linear_fwd(struct kctx *c, const struct klinear *l, struct kbuf x, size_t T, struct kbuf y,
	struct kbuf h);
int blas_linear_bwd(struct kctx *c, const struct klinear *l, struct kbuf x, struct kbuf h,
	struct kbuf dy, size_t T, struct kbuf dx, int accumulate);

#endif
