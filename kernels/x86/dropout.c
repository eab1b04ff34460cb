/*
 * Dropout by vectors of Philox counters (kernels/philox.h): each counter gives the words of four
 * features. Counters are laid in the lanes so that a 4 x 4 transposition within 128 bits puts the
 * words in the features' order.
 */
#include "kernels/x86/x86_int.h"

#include "kernels/philox.h"

#ifdef __AVX512F__

typedef __m512i ints;
#define I(op) _mm512_##op
#define LANES(f)                                                                                   \
	_mm512_setr_epi32(f(0), f(1), f(2), f(3), f(4), f(5), f(6), f(7), f(8), f(9), f(10),       \
		f(11), f(12), f(13), f(14), f(15))

INLINE ints xor (ints a, ints b) { return _mm512_xor_si512(a, b); }
	/* Even 32-bit words of a, odd ones of b. */
	INLINE ints even_odd(ints a, ints b)
{
	return _mm512_mask_blend_epi32(0xaaaa, a, b);
}
INLINE vec factor(ints word, uint32_t below, float keep)
{
	__mmask16 kept = _mm512_cmpge_epu32_mask(word, _mm512_set1_epi32((int)below));
	return _mm512_maskz_mov_ps(kept, _mm512_set1_ps(keep));
}

#else

typedef __m256i ints;
#define I(op)	 _mm256_##op
#define LANES(f) _mm256_setr_epi32(f(0), f(1), f(2), f(3), f(4), f(5), f(6), f(7))

INLINE ints xor (ints a, ints b) { return _mm256_xor_si256(a, b); } INLINE ints
	even_odd(ints a, ints b)
{
	return _mm256_blend_epi32(a, b, 0xaa);
}
INLINE vec factor(ints word, uint32_t below, float keep)
{
	__m256i least = _mm256_set1_epi32((int)below); /* word >= below: max(word, below) is word */
	__m256i kept = _mm256_cmpeq_epi32(_mm256_max_epu32(word, least), word);
	return _mm256_and_ps(_mm256_castsi256_ps(kept), _mm256_set1_ps(keep));
}

#endif

INLINE void multiply(ints a, uint32_t by, ints *high, ints *low)
{
	ints m = I(set1_epi32)((int)by);
	ints even = I(mul_epu32)(a, m), odd = I(mul_epu32)(I(srli_epi64)(a, 32), m);
	*low = even_odd(even, I(slli_epi64)(odd, 32));
	*high = even_odd(I(srli_epi64)(even, 32), odd);
}

/* Factors (0 or keep) of the 4 W features of W counters from `first`. */
INLINE void factors(uint32_t first, const struct kdropout *d, size_t t, uint64_t key,
	uint32_t below, float keep, float *out)
{
#define COUNTER(lane) ((lane) % 4 * (W / 4) + (lane) / 4)
	ints c0 = I(add_epi32)(I(set1_epi32)((int)first), LANES(COUNTER));
	ints c1 = I(set1_epi32)((int)d->pos[t]), c2 = I(set1_epi32)((int)d->record[t]);
	ints c3 = I(set1_epi32)((int)d->module);
	uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
	for (int round = 0; round < 10; round++) {
		ints ah, al, bh, bl;
		multiply(c0, 0xD2511F53u, &ah, &al);
		multiply(c2, 0xCD9E8D57u, &bh, &bl);
		c0 = xor(xor(bh, c1), I(set1_epi32)((int)k0));
		c1 = bl;
		c2 = xor(xor(ah, c3), I(set1_epi32)((int)k1));
		c3 = al;
		k0 += 0x9E3779B9u;
		k1 += 0xBB67AE85u;
	}
	ints lo01 = I(unpacklo_epi32)(c0, c1), hi01 = I(unpackhi_epi32)(c0, c1);
	ints lo23 = I(unpacklo_epi32)(c2, c3), hi23 = I(unpackhi_epi32)(c2, c3);
	v_store(out, factor(I(unpacklo_epi64)(lo01, lo23), below, keep));
	v_store(out + W, factor(I(unpackhi_epi64)(lo01, lo23), below, keep));
	v_store(out + 2 * W, factor(I(unpacklo_epi64)(hi01, hi23), below, keep));
	v_store(out + 3 * W, factor(I(unpackhi_epi64)(hi01, hi23), below, keep));
}

void FN(drop)(const struct kdropout *d, size_t t, size_t k0, size_t nk, const float *x, float *dst)
{
	if (!(d->p > 0) || d->p >= 1) {
		cpu_drop(d, t, k0, nk, x, dst);
		return;
	}
	uint64_t key = philox_key(d->seed, d->step);
	uint32_t below = (uint32_t)((double)d->p * 0x1p32);
	float keep = 1 / (1 - d->p), factor_of[5 * W]; /* W more than are read, for whole vectors */
	size_t end = k0 + nk;
	for (size_t f = k0 / 4 * 4; f < end; f += 4 * W) {
		factors((uint32_t)(f / 4), d, t, key, below, keep, factor_of);
		size_t from = f < k0 ? k0 : f, to = cpu_min(f + 4 * W, end);
		for (size_t k = from; k < to; k += W) {
			vmask m = v_first(to - k);
			vec kept = v_load_part(factor_of + (k - f), m),
			    v = v_load_part(x + (k - k0), m);
			v_store_part(
				dst + (k - k0), m, v_select_lt(v_set(0), kept, v * kept, v_set(0)));
		}
	}
}
