/* The operations of kernels/x86/, one set of names for each instruction set. */
#ifndef KERNELS_X86_X86_INT_H
#define KERNELS_X86_X86_INT_H

#include "kernels/cpu/cpu_int.h"
#include "kernels/x86/vec.h"

void FN(drop)(const struct kdropout *d, size_t t, size_t k0, size_t nk, const float *x, float *dst);
int FN(rmsnorm_fwd)(struct kctx *c, struct kbuf x, struct kbuf add, struct kbuf sum, struct kbuf g,
	float offset, float eps, size_t T, size_t K, struct kbuf y, struct kbuf rstd);
int FN(rmsnorm_bwd)(struct kctx *c, struct kbuf x, struct kbuf g, float offset, struct kbuf rstd,
	struct kbuf dy, size_t T, size_t K, struct kbuf dx, struct kbuf dg);
int FN(rope)(struct kctx *c, struct kbuf x, size_t T, size_t heads, size_t D, const uint32_t *pos,
	const float *inv_freq, float mscale, int inverse);
int FN(attn_fwd)(struct kctx *c, const struct kattn *a, struct kbuf q, struct kbuf k, struct kbuf v,
	struct kbuf out, struct kbuf lse);
int FN(attn_bwd)(struct kctx *c, const struct kattn *a, struct kbuf q, struct kbuf k, struct kbuf v,
	struct kbuf out, struct kbuf lse, struct kbuf dout, struct kbuf dq, struct kbuf dk,
	struct kbuf dv);
int FN(swiglu_fwd)(struct kctx *c, struct kbuf gate, struct kbuf up, size_t n, struct kbuf y);
int FN(swiglu_bwd)(struct kctx *c, struct kbuf gate, struct kbuf up, struct kbuf dy, size_t n,
	struct kbuf dgate, struct kbuf dup);
int FN(keep)(struct kctx *c, struct kbuf x, size_t n, struct kbuf kept);
int FN(restore)(struct kctx *c, struct kbuf kept, size_t n, struct kbuf x);
int FN(axpy)(struct kctx *c, float a, struct kbuf x, size_t n, struct kbuf y);
int FN(softmax_label)(struct kctx *c, struct kbuf logits, const uint32_t *target, size_t L,
	size_t V, unsigned stats, int grad, const double *coef, struct klabel_out *out);
int FN(sumsq)(struct kctx *c, struct kbuf x, size_t n, double *out);
int FN(adamw)(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p, struct kbuf g,
	struct kbuf m, struct kbuf v);
int FN(adamw8)(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p, struct kbuf g,
	struct kstate8 m, struct kstate8 v);
int FN(lion)(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p, struct kbuf g,
	struct kbuf m);
int FN(lion8)(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p, struct kbuf g,
	struct kstate8 m);
int FN(rmsprop)(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p, struct kbuf g,
	struct kbuf v);
int FN(sgd)(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p, struct kbuf g);
int FN(rmsprop8)(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p, struct kbuf g,
	struct kstate8 v);
int FN(ademamix)(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p, struct kbuf g,
	struct kbuf m, struct kbuf slow, struct kbuf v);
int FN(ademamix8)(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p, struct kbuf g,
	struct kstate8 m, struct kstate8 slow, struct kstate8 v);

#endif
