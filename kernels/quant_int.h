/* The one source of quant.h's loops, compiled plain (kernels/quant.c) and for each instruction set
 * (kernels/x86/quant.c). */
#ifndef KERNELS_QUANT_INT_H
#define KERNELS_QUANT_INT_H

#include "kernels/quant.h"

#include <math.h>
#include <string.h>
#ifdef __F16C__
#include <immintrin.h>
#endif

#define QUANT_INLINE static inline __attribute__((always_inline, unused))

struct quant_ops {
	/* n <= QUANT_BLOCK_MAX elements of one block; the greatest magnitude is *absmax. */
	void (*load)(enum dtype t, const void *src, float *x, size_t n, float *absmax);
	/* codes[i] = how many of the 15 bounds x[i] * scale, or x[i] / divisor, is above. */
	void (*bins)(const float bounds[15], const float *x, size_t n, float factor, int divide,
		uint8_t *codes);
	void (*pack)(const uint8_t *codes, size_t bytes, uint8_t *packed);
	/* q[i] = x[i] * factor, to the nearest. */
	void (*scaled)(const float *x, size_t n, float factor, int8_t *q);
	/* dst[i] = map[code] * absmax for the elements from `from` on. */
	void (*values4)(const float map[16], const uint8_t *packed, size_t from, size_t n,
		float absmax, float *dst);
	void (*values8)(const int8_t *q, size_t n, float scb, float *dst);
	void (*round)(enum dtype t, float *x, size_t n);
};
extern const struct quant_ops quant_ops_plain, quant_ops_avx2, quant_ops_avx512;

QUANT_INLINE void quant_convert(enum dtype t, const void *src, float *x, size_t n)
{
	const unsigned char *s = src;
	size_t i = 0;
	if (t == DT_BF16)
		for (; i < n; i++) {
			uint16_t h;
			memcpy(&h, s + 2 * i, 2);
			uint32_t u = (uint32_t)h << 16;
			memcpy(x + i, &u, 4);
		}
#ifdef __F16C__
	if (t == DT_F16)
		for (; i + 8 <= n; i += 8)
			_mm256_storeu_ps(x + i,
				_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(s + 2 * i))));
#endif
	if (i < n)
		dtype_to_f32(t, s + dtype_bytes(t, i), x + i, n - i);
}

QUANT_INLINE void quant_load_body(
	enum dtype t, const void *src, float *restrict x, size_t n, float *absmax)
{
	uint32_t greatest = 0; /* as bits: a NaN is greater than all */
	quant_convert(t, src, x, n);
	for (size_t i = 0; i < n; i++) {
		uint32_t u;
		memcpy(&u, x + i, 4);
		u &= 0x7fffffff;
		greatest = u > greatest ? u : greatest;
	}
	memcpy(absmax, &greatest, 4);
}

QUANT_INLINE void quant_bins_body(const float bounds[15], const float *restrict x, size_t n,
	float factor, int divide, uint8_t *restrict codes)
{
	for (size_t i = 0; i < n; i++) {
		float v = divide ? x[i] / factor : x[i] * factor;
		int above = 0;
		for (int k = 0; k < 15; k++)
			above += v > bounds[k];
		codes[i] = (uint8_t)above;
	}
}

QUANT_INLINE void quant_pack_body(
	const uint8_t *restrict codes, size_t bytes, uint8_t *restrict packed)
{
	for (size_t i = 0; i < bytes; i++)
		packed[i] = (uint8_t)(codes[2 * i] << 4 | codes[2 * i + 1]);
}

/* Adding 1.5 * 2^23 rounds to whole numbers, half to even; the product's magnitude is below 128. */
QUANT_INLINE void quant_scaled_body(
	const float *restrict x, size_t n, float factor, int8_t *restrict q)
{
	for (size_t i = 0; i < n; i++) {
		float v = x[i] * factor + 0x1.8p23f;
		int32_t whole;
		memcpy(&whole, &v, 4);
		q[i] = (int8_t)whole;
	}
}

QUANT_INLINE void quant_values4_body(const float map[16], const uint8_t *packed, size_t from,
	size_t n, float absmax, float *restrict dst)
{
	for (size_t i = from; i < from + n; i++) {
		uint8_t pair = packed[i / 2];
		*dst++ = map[i % 2 ? pair & 15 : pair >> 4] * absmax;
	}
}

QUANT_INLINE void quant_values8_body(
	const int8_t *restrict q, size_t n, float scb, float *restrict dst)
{
	for (size_t i = 0; i < n; i++)
		dst[i] = (float)q[i] * scb * 7.874015718698502e-3f;
}

QUANT_INLINE void quant_round_body(enum dtype t, float *x, size_t n)
{
	size_t i = 0;
	if (t == DT_BF16)
		for (; i < n; i++) {
			uint32_t u;
			memcpy(&u, x + i, 4);
			uint32_t nan = (u & 0x7fffffff) > 0x7f800000; /* rounding could end in 0 */
			u = nan ? u : (u + 0x7fff + (u >> 16 & 1)) & 0xffff0000;
			memcpy(x + i, &u, 4);
		}
#ifdef __F16C__
	if (t == DT_F16)
		for (; i + 8 <= n; i += 8)
			_mm256_storeu_ps(
				x + i, _mm256_cvtph_ps(_mm256_cvtps_ph(
					       _mm256_loadu_ps(x + i), _MM_FROUND_TO_NEAREST_INT)));
#endif
	for (; i < n && t != DT_F32; i++) {
		char half[8];
		dtype_from_f32(t, x + i, half, 1);
		dtype_to_f32(t, half, x + i, 1);
	}
}

#endif
