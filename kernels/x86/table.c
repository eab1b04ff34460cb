/* The table of this instruction set: the plain one with faster entries; and faster unpacking of
 * weights. */
#include "kernels/openblas/blas.h"
#include "kernels/x86/gemm.h"
#include "kernels/x86/x86_int.h"

#include <string.h>

static const float *rows_bf16(const struct kweight *w, size_t n, size_t k0, size_t nk, float *dst)
{
	const char *src = (const char *)w->d.data + (n * w->d.k + k0) * 2;
	size_t i = 0;
	for (; i + W <= nk; i += W)
		v_store(dst + i, v_load_bf16(src + i * 2));
	dtype_to_f32(DT_BF16, src + i * 2, dst + i, nk - i);
	return dst;
}

static const float *rows_f16(const struct kweight *w, size_t n, size_t k0, size_t nk, float *dst)
{
	const char *src = (const char *)w->d.data + (n * w->d.k + k0) * 2;
	size_t i = 0;
	for (; i + W <= nk; i += W)
		v_store(dst + i, v_load_f16(src + i * 2));
	dtype_to_f32(DT_F16, src + i * 2, dst + i, nk - i);
	return dst;
}

static const void *rows_rounded(const struct kweight *w, size_t n, size_t k0, size_t nk, void *dst)
{
	enum { PIECE = 256 };
	float piece[PIECE];
	for (size_t i = 0; i < nk; i += PIECE) {
		size_t len = cpu_min(PIECE, nk - i), j = 0;
		const float *src = w->rows(w, n, k0 + i, len, piece);
		char *to = (char *)dst + i * 2;
		for (; j + W <= len; j += W)
			v_store_bf16(to + j * 2, v_load(src + j));
		dtype_from_f32(DT_BF16, src + j, to + j * 2, len - j);
	}
	return dst;
}

static int weight_new(
	struct kctx *c, const struct kweight_desc *d, unsigned uses, struct kweight **out)
{
	int rc = cpu_weight_new(c, d, uses, out);
	if (rc == KE_OK && d->dtype == DT_BF16)
		(*out)->rows = rows_bf16;
	if (rc == KE_OK && d->dtype == DT_F16)
		(*out)->rows = rows_f16;
	return rc;
}

static const char *unavailable(void)
{
	__builtin_cpu_init();
#ifdef __AVX512F__
	int can = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
		  __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#ifdef __AVX512BF16__
	if (can && !__builtin_cpu_supports("avx512bf16"))
		return "this CPU has no AVX512-BF16";
#endif
	return can ? NULL : "this CPU has no AVX-512";
#else
	int can = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
		  __builtin_cpu_supports("f16c");
	return can ? NULL : "this CPU has no AVX2";
#endif
}

static int with_isa(int rc, struct kctx *c)
{
	if (rc == KE_OK) {
		c->drop = FN(drop);
		c->rows_bf16 = rows_rounded;
	}
	return rc;
}

static int x86_open(const struct kernels *self, int device, int threads, enum kprecision precision,
	struct kctx **out)
{
	int rc = cpu_open(self, device, threads, precision, out);
	return with_isa(rc, *out);
}

static int linear_fwd(struct kctx *c, const struct klinear *l, struct kbuf x, size_t T,
	struct kbuf y, struct kbuf h)
{
	return gemm_linear_fwd(c, gemm_run, l, x, T, y, h);
}

static int linear_bwd(struct kctx *c, const struct klinear *l, struct kbuf x, struct kbuf h,
	struct kbuf dy, size_t T, struct kbuf dx, int accumulate)
{
	return gemm_linear_bwd(c, gemm_run, l, x, h, dy, T, dx, accumulate);
}

#define X86_ENTRIES                                                                                \
	.weight_new = weight_new, .rmsnorm_fwd = FN(rmsnorm_fwd), .rmsnorm_bwd = FN(rmsnorm_bwd),  \
	.rope = FN(rope), .attn_fwd = FN(attn_fwd), .attn_bwd = FN(attn_bwd),                      \
	.swiglu_fwd = FN(swiglu_fwd), .swiglu_bwd = FN(swiglu_bwd), .keep = FN(keep),              \
	.restore = FN(restore), .axpy = FN(axpy), .softmax_label = FN(softmax_label),              \
	.sumsq = FN(sumsq), .adamw = FN(adamw), .adamw8 = FN(adamw8), .lion = FN(lion),            \
	.lion8 = FN(lion8), .rmsprop = FN(rmsprop), .rmsprop8 = FN(rmsprop8), .sgd = FN(sgd),      \
	.ademamix = FN(ademamix), .ademamix8 = FN(ademamix8)

#define TEXT_OF(x) #x
#define TEXT(x)	   TEXT_OF(x)

const struct kernels FN(kernels) = {
	CPU_ENTRIES,
	X86_ENTRIES,
	.name = TEXT(ISA),
	.exact_rows = 1,
#ifdef __AVX512BF16__
	.precision = {KP_BF16, KP_F32},
#else
	.precision = {KP_F32, KP_BF16},
#endif
	.unavailable = unavailable,
	.open = x86_open,
	.linear_fwd = linear_fwd,
	.linear_bwd = linear_bwd,
};

#ifndef __AVX512BF16__ /* OpenBLAS has no bf16: one of AVX-512 is enough */
static const char *blas_and_isa_unavailable(void)
{
	const char *why = unavailable();
	return why ? why : blas_unavailable();
}

static int blas_and_isa_open(const struct kernels *self, int device, int threads,
	enum kprecision precision, struct kctx **out)
{
	int rc = blas_open(self, device, threads, precision, out);
	return with_isa(rc, *out);
}

const struct kernels FN(kernels_openblas) = {
	CPU_ENTRIES,
	X86_ENTRIES,
	.name = "openblas",
	.exact_rows = 0,
	.precision = {KP_F32},
	.unavailable = blas_and_isa_unavailable,
	.open = blas_and_isa_open,
	.linear_fwd = blas_linear_fwd,
	.linear_bwd = blas_linear_bwd,
};
#endif
