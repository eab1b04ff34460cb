/*
 * Folding (Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel 2009):
 * 64 bytes are multiplied by x^512 modulo the polynomial and added to the 64 after them, until 16 bytes are
 * left that have the same remainder as all. zlib takes the remainder, and what is no whole block.
 */
#include "kernels/crc.h"

#include <zlib.h>

#if defined(__x86_64__)
#include <immintrin.h>

/* x^(k+32) and x^(k-32) modulo the polynomial, bits reversed: to move 128 bits on by k. */
#define BY_512 _mm_set_epi64x(0x01c6e41596, 0x0154442bd4)
#define BY_128 _mm_set_epi64x(0x00ccaa009e, 0x01751997d0)

enum { BLOCK = 64 };

__attribute__((target("pclmul"))) static inline __m128i fold(__m128i v, __m128i by, __m128i next)
{
	__m128i low = _mm_clmulepi64_si128(v, by, 0x00), high = _mm_clmulepi64_si128(v, by, 0x11);
	return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

static inline __m128i load(const uint8_t *p)
{
	return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* n is a multiple of BLOCK, not 0. */
__attribute__((target("pclmul"))) static uint32_t update_blocks(
	uint32_t crc, const uint8_t *p, size_t n)
{
	uint8_t left[16];
	__m128i v[4];
	for (int i = 0; i < 4; i++)
		v[i] = load(p + 16 * i);
	v[0] = _mm_xor_si128(v[0], _mm_cvtsi32_si128((int)~crc));
	for (size_t at = BLOCK; at < n; at += BLOCK)
		for (int i = 0; i < 4; i++)
			v[i] = fold(v[i], BY_512, load(p + at + 16 * i));
	for (int i = 1; i < 4; i++)
		v[i] = fold(v[i - 1], BY_128, v[i]);
	_mm_storeu_si128((__m128i *)(void *)left, v[3]);
	/* What zlib begins with is inverted: this is its zero. */
	return (uint32_t)crc32_z(~(uint32_t)0, left, sizeof left);
}

uint32_t crc_update(uint32_t crc, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	size_t blocks = n / BLOCK * BLOCK;
	if (blocks > BLOCK && __builtin_cpu_supports("pclmul")) {
		crc = update_blocks(crc, p, blocks);
		p += blocks;
		n -= blocks;
	}
	return (uint32_t)crc32_z(crc, p, n);
}
#else
uint32_t crc_update(uint32_t crc, const void *bytes, size_t n)
{
	return (uint32_t)crc32_z(crc, bytes, n);
}
#endif
