/*
 * Weight handles of the host backends. A weight stays where it lies (the mapped file or the arena);
 * what an operation needs is unpacked piece by piece through one function a type: the one place
 * where another type of weight enters.
 */
#include "kernels/cpu/cpu_int.h"
#include "kernels/quant.h"

#include <stdlib.h>

static const float *rows_in_place(
	const struct kweight *w, size_t n, size_t k0, size_t nk, float *dst)
{
	(void)nk;
	(void)dst;
	return (const float *)w->d.data + n * w->d.k + k0;
}

static const float *rows_converted(
	const struct kweight *w, size_t n, size_t k0, size_t nk, float *dst)
{
	size_t at = dtype_bytes(w->d.dtype, n * w->d.k + k0);
	dtype_to_f32(w->d.dtype, (const char *)w->d.data + at, dst, nk);
	return dst;
}

static const float *rows_quantised(
	const struct kweight *w, size_t n, size_t k0, size_t nk, float *dst)
{
	quant_decode(&w->d, n * w->d.k + k0, nk, dst);
	return dst;
}

const void *cpu_rows_bf16(const struct kweight *w, size_t n, size_t k0, size_t nk, void *dst)
{
	enum { PIECE = 256 };
	float piece[PIECE];
	for (size_t i = 0; i < nk; i += PIECE) {
		size_t len = cpu_min(PIECE, nk - i);
		dtype_from_f32(
			DT_BF16, w->rows(w, n, k0 + i, len, piece), (char *)dst + i * 2, len);
	}
	return dst;
}

static const void *bf16_in_place(const struct kweight *w, size_t n, size_t k0, size_t nk, void *dst)
{
	(void)nk;
	(void)dst;
	return (const char *)w->d.data + dtype_bytes(DT_BF16, n * w->d.k + k0);
}

int cpu_weight_new(
	struct kctx *c, const struct kweight_desc *d, unsigned uses, struct kweight **out)
{
	(void)uses;
	int quantised = d->dtype == DT_NF4 || d->dtype == DT_FP4 || d->dtype == DT_INT8;
	if (!dtype_info[d->dtype].is_float && !quantised)
		return KE_TYPE;
	struct kweight *w = malloc(sizeof *w);
	if (!w)
		return KE_MEMORY;
	w->d = *d;
	int in_place = d->dtype == DT_F32 && (uintptr_t)d->data % _Alignof(float) == 0;
	w->rows = quantised ? rows_quantised : in_place ? rows_in_place : rows_converted;
	w->rows_bf16 = d->dtype == DT_BF16 ? bf16_in_place : c->rows_bf16;
	*out = w;
	return KE_OK;
}

int cpu_weight_new_param(
	struct kctx *c, struct kbuf p, size_t n, size_t k, unsigned uses, struct kweight **out)
{
	struct kweight_desc d = {.dtype = p.t, .n = n, .k = k, .data = p.p};
	return p.t == DT_F32 ? cpu_weight_new(c, &d, uses, out) : KE_TYPE;
}

int cpu_weight_refresh(struct kctx *c, struct kweight *w)
{
	(void)c;
	(void)w;
	return KE_OK;
}

void cpu_weight_free(struct kctx *c, struct kweight *w)
{
	(void)c;
	free(w);
}

size_t cpu_weight_bytes(const struct kweight_desc *d, unsigned uses)
{
	(void)d;
	(void)uses;
	return 0;
}
