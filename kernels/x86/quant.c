/* quant_int.h for one instruction set; where the compiler finds no vectors, by hand. */
#include "kernels/quant_int.h"
#include "kernels/x86/vec.h"

static void load(enum dtype t, const void *src, float *x, size_t n, float *absmax)
{
	quant_load_body(t, src, x, n, absmax);
}

#ifdef __AVX512F__
/* Sixteen places at a time by halving: the bounds are one register. */
INLINE __m512i place(__m512 bounds, __m512 v)
{
	/* `at`: the bound to look at, which is above as many as are known to be below v. */
	__m512i at = _mm512_set1_epi32(7);
	for (int half = 4; half; half /= 2) {
		__mmask16 above =
			_mm512_cmp_ps_mask(v, _mm512_permutexvar_ps(at, bounds), _CMP_GT_OQ);
		at = _mm512_sub_epi32(at, _mm512_set1_epi32(half));
		at = _mm512_mask_add_epi32(at, above, at, _mm512_set1_epi32(2 * half));
	}
	__mmask16 above = _mm512_cmp_ps_mask(v, _mm512_permutexvar_ps(at, bounds), _CMP_GT_OQ);
	return _mm512_mask_add_epi32(at, above, at, _mm512_set1_epi32(1));
}

static void bins(
	const float bounds[15], const float *x, size_t n, float factor, int divide, uint8_t *codes)
{
	__m512 all = _mm512_maskz_loadu_ps(0x7fff, bounds), f = _mm512_set1_ps(factor);
	size_t i = 0;
	for (; !divide && i + 16 <= n; i += 16) {
		__m512 v = _mm512_mul_ps(_mm512_loadu_ps(x + i), f);
		_mm_storeu_si128((__m128i *)(codes + i), _mm512_cvtepi32_epi8(place(all, v)));
	}
	quant_bins_body(bounds, x + i, n - i, factor, divide, codes + i);
}
#else
static void bins(
	const float bounds[15], const float *x, size_t n, float factor, int divide, uint8_t *codes)
{
	if (divide)
		quant_bins_body(bounds, x, n, factor, 1, codes);
	else
		quant_bins_body(bounds, x, n, factor, 0, codes);
}
#endif

static void pack(const uint8_t *codes, size_t bytes, uint8_t *packed)
{
	quant_pack_body(codes, bytes, packed);
}

static void scaled(const float *x, size_t n, float factor, int8_t *q)
{
	quant_scaled_body(x, n, factor, q);
}

/* The values of 8 or 16 codes, one a 32-bit lane. */
#ifdef __AVX512F__
INLINE vec look_up(const float map[16], __m128i codes)
{
	return _mm512_permutexvar_ps(_mm512_cvtepu8_epi32(codes), _mm512_loadu_ps(map));
}
#else
INLINE vec look_up(const float map[16], __m128i codes)
{
	__m256i i = _mm256_cvtepu8_epi32(codes);
	vec low = _mm256_permutevar8x32_ps(_mm256_loadu_ps(map), i);
	vec high = _mm256_permutevar8x32_ps(_mm256_loadu_ps(map + 8), i);
	return _mm256_blendv_ps(low, high, _mm256_castsi256_ps(_mm256_slli_epi32(i, 28)));
}
#endif

static void values4(
	const float map[16], const uint8_t *packed, size_t from, size_t n, float absmax, float *dst)
{
	size_t odd = from % 2 && n ? 1 : 0, i = odd;
	quant_values4_body(map, packed, from, odd, absmax, dst);
	for (; i + W <= n; i += W) {
		uint64_t pairs = 0;
		memcpy(&pairs, packed + (from + i) / 2, W / 2);
		uint64_t even = pairs >> 4 & 0x0f0f0f0f0f0f0f0f, other = pairs & 0x0f0f0f0f0f0f0f0f;
		__m128i codes = _mm_unpacklo_epi8(
			_mm_cvtsi64_si128((long long)even), _mm_cvtsi64_si128((long long)other));
		v_store(dst + i, look_up(map, codes) * v_set(absmax));
	}
	quant_values4_body(map, packed, from + i, n - i, absmax, dst + i);
}

static void values8(const int8_t *q, size_t n, float scb, float *dst)
{
	quant_values8_body(q, n, scb, dst);
}

static void rounded(enum dtype t, float *x, size_t n)
{
	quant_round_body(t, x, n);
}

const struct quant_ops FN(quant_ops) = {load, bins, pack, scaled, values4, values8, rounded};
