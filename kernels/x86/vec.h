/*
 * Vectors of f32 as the instruction set has them, for files of kernels/x86/ that are compiled once
 * for each set (-DISA=avx2, -DISA=avx512): FN(name) is name_avx2 or name_avx512. W lanes a vector;
 * a partial vector is its first n lanes. + - * / are the compiler's own on both.
 */
#ifndef KERNELS_X86_VEC_H
#define KERNELS_X86_VEC_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define FN_PASTE(name, isa)  name##_##isa
#define FN_EXPAND(name, isa) FN_PASTE(name, isa)
#define FN(name)	     FN_EXPAND(name, ISA)

#define INLINE static inline __attribute__((always_inline, unused))

#ifdef __AVX512F__

enum { W = 16 };
typedef __m512 vec;
typedef __mmask16 vmask;

INLINE vmask v_first(size_t n)
{
	return n >= W ? 0xffff : (vmask)((1u << n) - 1);
}
INLINE vec v_load(const float *p)
{
	return _mm512_loadu_ps(p);
}
INLINE vec v_load_part(const float *p, vmask m) /* other lanes: 0 */
{
	return _mm512_maskz_loadu_ps(m, p);
}
INLINE void v_store(float *p, vec a)
{
	_mm512_storeu_ps(p, a);
}
INLINE void v_store_part(float *p, vmask m, vec a)
{
	_mm512_mask_storeu_ps(p, m, a);
}
INLINE vec v_set(float x)
{
	return _mm512_set1_ps(x);
}
INLINE vec v_fma(vec a, vec b, vec c)
{
	return _mm512_fmadd_ps(a, b, c);
}
INLINE vec v_max(vec a, vec b)
{
	return _mm512_max_ps(a, b);
}
INLINE vec v_min(vec a, vec b)
{
	return _mm512_min_ps(a, b);
}
INLINE vec v_sqrt(vec a)
{
	return _mm512_sqrt_ps(a);
}
INLINE vec v_round(vec a)
{
	return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
INLINE vec v_floor(vec a)
{
	return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}
/* a * 2^n, n whole, the result right even where it is denormal. */
INLINE vec v_scale2(vec a, vec n)
{
	return _mm512_scalef_ps(a, n);
}
/* Lanes where a < b are x, the others (NaN too) y. */
INLINE vec v_select_lt(vec a, vec b, vec x, vec y)
{
	return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), y, x);
}
/* The lanes of m are a, the others x. */
INLINE vec v_keep(vec a, vmask m, vec x)
{
	return _mm512_mask_blend_ps(m, x, a);
}
INLINE vec v_load_bf16(const void *p)
{
	__m256i h = _mm256_loadu_si256(p);
	return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(h), 16));
}
INLINE vec v_load_f16(const void *p)
{
	return _mm512_cvtph_ps(_mm256_loadu_si256(p));
}
/* Lanes to bf16, to nearest and half to even; NaN stays NaN. In a vector of f32, or W in memory. */
INLINE vec v_round_bf16(vec a)
{
	__m512i u = _mm512_castps_si512(a), odd = _mm512_srli_epi32(u, 16);
	odd = _mm512_and_si512(odd, _mm512_set1_epi32(1));
	__m512i up = _mm512_add_epi32(u, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
	up = _mm512_mask_or_epi32(
		up, _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q), u, _mm512_set1_epi32(0x400000));
	return _mm512_castsi512_ps(_mm512_and_si512(up, _mm512_set1_epi32((int)0xffff0000)));
}
INLINE void v_store_bf16(void *p, vec a)
{
#ifdef __AVX512BF16__
	_mm256_storeu_si256(p, (__m256i)_mm512_cvtneps_pbh(a));
#else
	__m512i u = _mm512_srli_epi32(_mm512_castps_si512(v_round_bf16(a)), 16);
	_mm256_storeu_si256(p, _mm512_cvtepi32_epi16(u));
#endif
}
/* Pairs of bf16 in 32-bit lanes, the first in the low half: of W from memory each, or rounded. */
INLINE vec v_pair_bf16(const void *first, const void *second)
{
	__m512i a = _mm512_cvtepu16_epi32(_mm256_loadu_si256(first));
	__m512i b = _mm512_cvtepu16_epi32(_mm256_loadu_si256(second));
	return _mm512_castsi512_ps(_mm512_or_si512(a, _mm512_slli_epi32(b, 16)));
}
INLINE vec v_pair_rounded(vec first, vec second)
{
	__m512i a = _mm512_srli_epi32(_mm512_castps_si512(v_round_bf16(first)), 16);
	return _mm512_castsi512_ps(_mm512_or_si512(a, _mm512_castps_si512(v_round_bf16(second))));
}
/* c + a.second * b.second + a.first * b.first, in this order, rounded to f32 after each. */
INLINE vec v_dot_pairs(vec a, vec b, vec c)
{
#ifdef __AVX512BF16__
	return _mm512_dpbf16_ps(c, (__m512bh)a, (__m512bh)b);
#else
	__m512i high = _mm512_set1_epi32((int)0xffff0000);
	__m512i x = _mm512_castps_si512(a), y = _mm512_castps_si512(b);
	c = _mm512_fmadd_ps(_mm512_castsi512_ps(_mm512_and_si512(x, high)),
		_mm512_castsi512_ps(_mm512_and_si512(y, high)), c);
	return _mm512_fmadd_ps(_mm512_castsi512_ps(_mm512_slli_epi32(x, 16)),
		_mm512_castsi512_ps(_mm512_slli_epi32(y, 16)), c);
#endif
}
/* Halves of the lanes in double. */
typedef __m512d vecd;
INLINE vecd v_lower(vec a)
{
	return _mm512_cvtps_pd(_mm512_castps512_ps256(a));
}
INLINE vecd v_upper(vec a)
{
	return _mm512_cvtps_pd(_mm512_extractf32x8_ps(a, 1));
}
INLINE vec v_narrow(vecd lower, vecd upper)
{
	return _mm512_insertf32x8(
		_mm512_castps256_ps512(_mm512_cvtpd_ps(lower)), _mm512_cvtpd_ps(upper), 1);
}
INLINE vecd vd_set(double x)
{
	return _mm512_set1_pd(x);
}
INLINE vecd vd_round(vecd a)
{
	return _mm512_roundscale_pd(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
INLINE vecd vd_fma(vecd a, vecd b, vecd c)
{
	return _mm512_fmadd_pd(a, b, c);
}
INLINE double vd_sum(vecd a)
{
	return _mm512_reduce_add_pd(a);
}
INLINE float v_sum(vec a)
{
	return _mm512_reduce_add_ps(a);
}
INLINE float v_greatest(vec a)
{
	return _mm512_reduce_max_ps(a);
}

INLINE void v_transpose(vec r[W])
{
	vec t[W];
#pragma GCC unroll 4
	for (int i = 0; i < W; i += 4) {
		vec a = _mm512_unpacklo_ps(r[i], r[i + 1]), b = _mm512_unpackhi_ps(r[i], r[i + 1]);
		vec c = _mm512_unpacklo_ps(r[i + 2], r[i + 3]);
		vec d = _mm512_unpackhi_ps(r[i + 2], r[i + 3]);
		t[i] = _mm512_shuffle_ps(a, c, 0x44);
		t[i + 1] = _mm512_shuffle_ps(a, c, 0xee);
		t[i + 2] = _mm512_shuffle_ps(b, d, 0x44);
		t[i + 3] = _mm512_shuffle_ps(b, d, 0xee);
	}
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		vec a = _mm512_shuffle_f32x4(t[i], t[i + 4], 0x88);
		vec b = _mm512_shuffle_f32x4(t[i], t[i + 4], 0xdd);
		vec c = _mm512_shuffle_f32x4(t[i + 8], t[i + 12], 0x88);
		vec d = _mm512_shuffle_f32x4(t[i + 8], t[i + 12], 0xdd);
		r[i] = _mm512_shuffle_f32x4(a, c, 0x88);
		r[i + 8] = _mm512_shuffle_f32x4(a, c, 0xdd);
		r[i + 4] = _mm512_shuffle_f32x4(b, d, 0x88);
		r[i + 12] = _mm512_shuffle_f32x4(b, d, 0xdd);
	}
}

#else

enum { W = 8 };
typedef __m256 vec;
typedef __m256i vmask;

INLINE vmask v_first(size_t n)
{
	static const int32_t edge[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
	return _mm256_loadu_si256((const __m256i *)(edge + (n >= W ? 0 : W - n)));
}
INLINE vec v_load(const float *p)
{
	return _mm256_loadu_ps(p);
}
INLINE vec v_load_part(const float *p, vmask m)
{
	return _mm256_maskload_ps(p, m);
}
INLINE void v_store(float *p, vec a)
{
	_mm256_storeu_ps(p, a);
}
INLINE void v_store_part(float *p, vmask m, vec a)
{
	_mm256_maskstore_ps(p, m, a);
}
INLINE vec v_set(float x)
{
	return _mm256_set1_ps(x);
}
INLINE vec v_fma(vec a, vec b, vec c)
{
	return _mm256_fmadd_ps(a, b, c);
}
INLINE vec v_max(vec a, vec b)
{
	return _mm256_max_ps(a, b);
}
INLINE vec v_min(vec a, vec b)
{
	return _mm256_min_ps(a, b);
}
INLINE vec v_sqrt(vec a)
{
	return _mm256_sqrt_ps(a);
}
INLINE vec v_round(vec a)
{
	return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
INLINE vec v_floor(vec a)
{
	return _mm256_round_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}
INLINE vec v_scale2(vec a, vec n)
{
	/* Two steps, so that neither power leaves the normal range. */
	__m256i whole = _mm256_cvtps_epi32(n), half = _mm256_srai_epi32(whole, 1);
	__m256i rest = _mm256_sub_epi32(whole, half), bias = _mm256_set1_epi32(127);
	vec p = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(half, bias), 23));
	vec q = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(rest, bias), 23));
	return _mm256_mul_ps(_mm256_mul_ps(a, p), q);
}
INLINE vec v_select_lt(vec a, vec b, vec x, vec y)
{
	return _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, b, _CMP_LT_OQ));
}
INLINE vec v_keep(vec a, vmask m, vec x)
{
	return _mm256_blendv_ps(x, a, _mm256_castsi256_ps(m));
}
INLINE vec v_load_bf16(const void *p)
{
	__m128i h = _mm_loadu_si128(p);
	return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16));
}
INLINE vec v_load_f16(const void *p)
{
	return _mm256_cvtph_ps(_mm_loadu_si128(p));
}
INLINE vec v_round_bf16(vec a)
{
	__m256i u = _mm256_castps_si256(a), odd = _mm256_srli_epi32(u, 16);
	odd = _mm256_and_si256(odd, _mm256_set1_epi32(1));
	__m256i up = _mm256_add_epi32(u, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
	__m256i nan = _mm256_or_si256(u, _mm256_set1_epi32(0x400000));
	vec r = _mm256_blendv_ps(_mm256_castsi256_ps(up), _mm256_castsi256_ps(nan),
		_mm256_cmp_ps(a, a, _CMP_UNORD_Q));
	return _mm256_and_ps(r, _mm256_castsi256_ps(_mm256_set1_epi32((int)0xffff0000)));
}
INLINE void v_store_bf16(void *p, vec a)
{
	__m256i u = _mm256_srli_epi32(_mm256_castps_si256(v_round_bf16(a)), 16);
	u = _mm256_permute4x64_epi64(_mm256_packus_epi32(u, u), 0x08);
	_mm_storeu_si128(p, _mm256_castsi256_si128(u));
}
INLINE vec v_pair_bf16(const void *first, const void *second)
{
	__m256i a = _mm256_cvtepu16_epi32(_mm_loadu_si128(first));
	__m256i b = _mm256_cvtepu16_epi32(_mm_loadu_si128(second));
	return _mm256_castsi256_ps(_mm256_or_si256(a, _mm256_slli_epi32(b, 16)));
}
INLINE vec v_pair_rounded(vec first, vec second)
{
	__m256i a = _mm256_srli_epi32(_mm256_castps_si256(v_round_bf16(first)), 16);
	return _mm256_or_ps(_mm256_castsi256_ps(a), v_round_bf16(second));
}
INLINE vec v_dot_pairs(vec a, vec b, vec c)
{
	vec high = _mm256_castsi256_ps(_mm256_set1_epi32((int)0xffff0000));
	__m256i x = _mm256_castps_si256(a), y = _mm256_castps_si256(b);
	c = _mm256_fmadd_ps(_mm256_and_ps(a, high), _mm256_and_ps(b, high), c);
	return _mm256_fmadd_ps(_mm256_castsi256_ps(_mm256_slli_epi32(x, 16)),
		_mm256_castsi256_ps(_mm256_slli_epi32(y, 16)), c);
}
typedef __m256d vecd;
INLINE vecd v_lower(vec a)
{
	return _mm256_cvtps_pd(_mm256_castps256_ps128(a));
}
INLINE vecd v_upper(vec a)
{
	return _mm256_cvtps_pd(_mm256_extractf128_ps(a, 1));
}
INLINE vec v_narrow(vecd lower, vecd upper)
{
	return _mm256_set_m128(_mm256_cvtpd_ps(upper), _mm256_cvtpd_ps(lower));
}
INLINE vecd vd_set(double x)
{
	return _mm256_set1_pd(x);
}
INLINE vecd vd_round(vecd a)
{
	return _mm256_round_pd(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
INLINE vecd vd_fma(vecd a, vecd b, vecd c)
{
	return _mm256_fmadd_pd(a, b, c);
}
INLINE double vd_sum(vecd a)
{
	double l[4];
	_mm256_storeu_pd(l, a);
	return (l[0] + l[2]) + (l[1] + l[3]);
}
INLINE float v_sum(vec a)
{
	float l[W];
	_mm256_storeu_ps(l, a);
	return ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7]));
}
INLINE float v_greatest(vec a)
{
	__m128 m = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
	m = _mm_max_ps(m, _mm_movehl_ps(m, m));
	m = _mm_max_ss(m, _mm_shuffle_ps(m, m, 1));
	return _mm_cvtss_f32(m);
}

INLINE void v_transpose(vec r[W])
{
	vec t[W];
#pragma GCC unroll 4
	for (int i = 0; i < W; i += 4) {
		vec a = _mm256_unpacklo_ps(r[i], r[i + 1]), b = _mm256_unpackhi_ps(r[i], r[i + 1]);
		vec c = _mm256_unpacklo_ps(r[i + 2], r[i + 3]);
		vec d = _mm256_unpackhi_ps(r[i + 2], r[i + 3]);
		t[i] = _mm256_shuffle_ps(a, c, 0x44);
		t[i + 1] = _mm256_shuffle_ps(a, c, 0xee);
		t[i + 2] = _mm256_shuffle_ps(b, d, 0x44);
		t[i + 3] = _mm256_shuffle_ps(b, d, 0xee);
	}
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		r[i] = _mm256_permute2f128_ps(t[i], t[i + 4], 0x20);
		r[i + 4] = _mm256_permute2f128_ps(t[i], t[i + 4], 0x31);
	}
}

#endif

/* n f32 from src; zeros after them to whole vectors. (GCC makes `rep movs` of a short memcpy.) */
INLINE void v_copy_padded(float *dst, const float *src, size_t n)
{
	for (size_t i = 0; i < n; i += W)
		v_store(dst + i, v_load_part(src + i, v_first(n - i)));
}
INLINE void v_copy(float *dst, const float *src, size_t n)
{
	for (size_t i = 0; i < n; i += W)
		v_store_part(dst + i, v_first(n - i), v_load_part(src + i, v_first(n - i)));
}

#endif
