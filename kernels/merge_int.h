/* The one source of merge.h's loops, compiled plain (kernels/merge.c) and for each instruction set
 * (kernels/x86/merge.c): straight loops that the compiler turns into vectors. */
#ifndef KERNELS_MERGE_INT_H
#define KERNELS_MERGE_INT_H

#include "kernels/merge.h"

#include <math.h>
#include <stdint.h>
#include <string.h>
#ifdef __F16C__
#include <immintrin.h>
#endif

#define MERGE_INLINE static inline __attribute__((always_inline))

/* Columns worked on at a time: lines of 2 KiB, and a block of A (r 16: 32 KiB) that stays in cache
 * while the rows pass by. */
enum { MERGE_LINE = 512 };

struct merge_ops {
	int (*rows)(enum dtype tin, const void *in, enum dtype tout, void *out, size_t rows,
		size_t cols, const struct merge_part *parts, size_t nparts);
	int (*finite)(enum dtype t, const void *p, size_t n);
	void (*rescale)(float *w, size_t rows, size_t cols, const float *magnitude);
	void (*compare)(
		const float *base, const float *want, const float *is, size_t n, double sums[3]);
};
extern const struct merge_ops merge_ops_plain, merge_ops_avx2, merge_ops_avx512;

/* Exponents that are all ones, looked for through the greatest magnitude. */
MERGE_INLINE int merge_finite_body(enum dtype t, const void *p, size_t n)
{
	const unsigned char *s = p;
	uint32_t m32 = 0;
	uint16_t m16 = 0;
	uint64_t m64 = 0;
	switch (t) {
	case DT_F32:
		for (size_t i = 0; i < n; i++) {
			uint32_t u;
			memcpy(&u, s + 4 * i, 4);
			u &= 0x7fffffff;
			m32 = u > m32 ? u : m32;
		}
		return m32 < 0x7f800000;
	case DT_BF16:
	case DT_F16:
		for (size_t i = 0; i < n; i++) {
			uint16_t u;
			memcpy(&u, s + 2 * i, 2);
			u &= 0x7fff;
			m16 = u > m16 ? u : m16;
		}
		return m16 < (t == DT_BF16 ? 0x7f80 : 0x7c00);
	case DT_F64:
		for (size_t i = 0; i < n; i++) {
			uint64_t u;
			memcpy(&u, s + 8 * i, 8);
			u &= 0x7fffffffffffffff;
			m64 = u > m64 ? u : m64;
		}
		return m64 < 0x7ff0000000000000;
	default:
		return 1;
	}
}

MERGE_INLINE void merge_load_f16(const unsigned char *src, float *w, size_t n)
{
	size_t i = 0;
#ifdef __F16C__
	for (; i + 8 <= n; i += 8) {
		__m128i h = _mm_loadu_si128((const __m128i *)(const void *)(src + 2 * i));
		_mm256_storeu_ps(w + i, _mm256_cvtph_ps(h));
	}
#endif
	dtype_to_f32(DT_F16, src + 2 * i, w + i, n - i);
}

MERGE_INLINE void merge_store_f16(const float *w, unsigned char *dst, size_t n)
{
	size_t i = 0;
#ifdef __F16C__
	for (; i + 8 <= n; i += 8) {
		__m128i h = _mm256_cvtps_ph(_mm256_loadu_ps(w + i), _MM_FROUND_TO_NEAREST_INT);
		_mm_storeu_si128((__m128i *)(void *)(dst + 2 * i), h);
	}
#endif
	dtype_from_f32(DT_F16, w + i, dst + 2 * i, n - i);
}

MERGE_INLINE void merge_load_bf16(const unsigned char *src, float *w, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint16_t h;
		memcpy(&h, src + 2 * i, 2);
		uint32_t u = (uint32_t)h << 16;
		memcpy(w + i, &u, 4);
	}
}

/* A NaN becomes some NaN: enough for the check that follows. */
MERGE_INLINE void merge_store_bf16(const float *w, unsigned char *dst, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t u;
		memcpy(&u, w + i, 4);
		uint32_t rounded = (u + 0x7fff + (u >> 16 & 1)) >> 16;
		uint32_t nan = (u & 0x7fffffff) > 0x7f800000;
		uint16_t h = (uint16_t)(nan ? 0x7fc0 : rounded);
		memcpy(dst + 2 * i, &h, 2);
	}
}

/* dtype.h's conversions, by vectors where they are common. */
MERGE_INLINE void merge_load(enum dtype t, const unsigned char *src, float *w, size_t n)
{
	if (t == DT_BF16)
		merge_load_bf16(src, w, n);
	else if (t == DT_F16)
		merge_load_f16(src, w, n);
	else
		dtype_to_f32(t, src, w, n);
}

MERGE_INLINE void merge_store(enum dtype t, const float *w, unsigned char *dst, size_t n)
{
	if (t == DT_BF16)
		merge_store_bf16(w, dst, n);
	else if (t == DT_F16)
		merge_store_f16(w, dst, n);
	else
		dtype_from_f32(t, w, dst, n);
}

/* acc[n] = sum over k < r, in order, of b[k] * a[k * n + …]. */
MERGE_INLINE void merge_product(
	float *restrict acc, const float *restrict a, const float *b, size_t r, size_t n)
{
	memset(acc, 0, n * sizeof *acc);
	size_t k = 0;
	for (; k + 4 <= r; k += 4) {
		const float *a0 = a + k * n, *a1 = a0 + n, *a2 = a1 + n, *a3 = a2 + n;
		const float b0 = b[k], b1 = b[k + 1], b2 = b[k + 2], b3 = b[k + 3];
		for (size_t j = 0; j < n; j++) {
			float s = fmaf(b0, a0[j], acc[j]);
			s = fmaf(b1, a1[j], s);
			s = fmaf(b2, a2[j], s);
			acc[j] = fmaf(b3, a3[j], s);
		}
	}
	for (; k < r; k++)
		for (size_t j = 0; j < n; j++)
			acc[j] = fmaf(b[k], a[k * n + j], acc[j]);
}

/* x[n] as they are in type t. */
MERGE_INLINE void merge_round(enum dtype t, float *x, size_t n)
{
	unsigned char as_t[MERGE_LINE * sizeof(double)];
	merge_store(t, x, as_t, n);
	merge_load(t, as_t, x, n);
}

/* One line of a row: w[n] += its deltas. */
MERGE_INLINE void merge_line(float *restrict w, size_t row, size_t col, size_t n,
	const struct merge_part *parts, size_t nparts)
{
	float acc[MERGE_LINE], sum[MERGE_LINE];
	for (size_t p = 0; p < nparts; p++) {
		const struct merge_part *m = &parts[p];
		merge_product(acc, m->a + m->r * col, m->b + row * m->r, m->r, n);
		for (size_t j = 0; j < n; j++)
			acc[j] *= m->scale;
		if (m->as != DT_F32)
			merge_round(m->as, acc, n);
		for (size_t j = 0; j < n; j++)
			sum[j] = p ? sum[j] + acc[j] : acc[j];
	}
	if (nparts)
		for (size_t j = 0; j < n; j++)
			w[j] += sum[j];
}

MERGE_INLINE int merge_rows_body(enum dtype tin, const void *in, enum dtype tout, void *out,
	size_t rows, size_t cols, const struct merge_part *parts, size_t nparts)
{
	size_t from = dtype_bytes(tin, 1), to = dtype_bytes(tout, 1);
	const unsigned char *src = in;
	unsigned char *dst = out;
	int finite = 1;
	float w[MERGE_LINE];
	for (size_t col = 0; col < cols; col += MERGE_LINE) {
		size_t n = cols - col < MERGE_LINE ? cols - col : MERGE_LINE;
		for (size_t row = 0; row < rows; row++) {
			size_t at = row * cols + col;
			merge_load(tin, src + at * from, w, n);
			merge_line(w, row, col, n, parts, nparts);
			merge_store(tout, w, dst + at * to, n);
			finite &= merge_finite_body(tout, dst + at * to, n);
		}
	}
	return finite ? 0 : -1;
}

MERGE_INLINE void merge_rescale_body(
	float *restrict w, size_t rows, size_t cols, const float *magnitude)
{
	enum { LANES = 8 };
	for (; rows; rows--, w += cols, magnitude++) {
		float sum[LANES] = {0};
		size_t i = 0;
		for (; i + LANES <= cols; i += LANES)
			for (int k = 0; k < LANES; k++)
				sum[k] += w[i + k] * w[i + k];
		for (int k = 1; k < LANES; k++)
			sum[0] += sum[k];
		for (; i < cols; i++)
			sum[0] += w[i] * w[i];
		float factor = *magnitude / sqrtf(sum[0]);
		for (size_t j = 0; j < cols; j++)
			w[j] *= factor;
	}
}

MERGE_INLINE void merge_compare_one(
	double base, double want, double is, double *error, double *norm, double *along)
{
	double off = is - want, delta = want - base;
	*error += off * off;
	*norm += delta * delta;
	*along += (is - base) * delta;
}

/* Eight sums of each, so that they need not wait for one another. */
MERGE_INLINE void merge_compare_body(
	const float *base, const float *want, const float *is, size_t n, double sums[3])
{
	enum { LANES = 8 };
	double error[LANES] = {0}, norm[LANES] = {0}, along[LANES] = {0};
	size_t i = 0;
	for (; base && i + LANES <= n; i += LANES)
		for (int k = 0; k < LANES; k++)
			merge_compare_one((double)base[i + k], (double)want[i + k],
				(double)is[i + k], &error[k], &norm[k], &along[k]);
	for (; !base && i + LANES <= n; i += LANES)
		for (int k = 0; k < LANES; k++)
			merge_compare_one(0, (double)want[i + k], (double)is[i + k], &error[k],
				&norm[k], &along[k]);
	for (; i < n; i++)
		merge_compare_one(base ? (double)base[i] : 0, (double)want[i], (double)is[i],
			&error[0], &norm[0], &along[0]);
	for (int k = 0; k < LANES; k++) {
		sums[0] += error[k];
		sums[1] += norm[k];
		sums[2] += along[k];
	}
}

#endif
