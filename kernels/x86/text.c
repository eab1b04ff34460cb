/* text.h for one instruction set. */
#include "kernels/text_int.h"

#include <immintrin.h>
#include <string.h>

#define PASTE(name, isa)  name##_##isa
#define EXPAND(name, isa) PASTE(name, isa)
#define FN(name)	  EXPAND(name, ISA)

/* A block of bytes, and what there is to ask of each: the answers are bits. */
#ifdef __AVX512BW__
typedef __m512i bytes;

static inline bytes load(const uint8_t *s)
{
	return _mm512_loadu_si512(s);
}

/* from <= byte <= to; both below 0x80 */
static inline uint64_t within(bytes v, char from, char to)
{
	return _mm512_cmple_epu8_mask(
		_mm512_sub_epi8(v, _mm512_set1_epi8(from)), _mm512_set1_epi8((char)(to - from)));
}

static inline uint64_t wide(bytes v)
{
	return _mm512_movepi8_mask(v);
}
#else
typedef struct {
	__m256i half[2];
} bytes;

static inline bytes load(const uint8_t *s)
{
	return (bytes){{_mm256_loadu_si256((const __m256i *)(const void *)s),
		_mm256_loadu_si256((const __m256i *)(const void *)(s + 32))}};
}

static inline uint64_t bits(__m256i a, __m256i b)
{
	return (uint32_t)_mm256_movemask_epi8(a) | (uint64_t)(uint32_t)_mm256_movemask_epi8(b)
							   << 32;
}

static inline __m256i within_half(__m256i v, char from, char to)
{
	/* Signed: bytes above 0x7f are below `from`. */
	return _mm256_and_si256(_mm256_cmpgt_epi8(v, _mm256_set1_epi8((char)(from - 1))),
		_mm256_cmpgt_epi8(_mm256_set1_epi8((char)(to + 1)), v));
}

static inline uint64_t within(bytes v, char from, char to)
{
	return bits(within_half(v.half[0], from, to), within_half(v.half[1], from, to));
}

static inline uint64_t wide(bytes v)
{
	return bits(v.half[0], v.half[1]);
}
#endif

static inline void classify(const uint8_t *s, uint64_t there, struct text_block *out)
{
	bytes v = load(s);
	uint64_t *is = out->is;
	is[TEXT_UPPER] = within(v, 'A', 'Z') & there;
	is[TEXT_LOWER] = within(v, 'a', 'z') & there;
	is[TEXT_LETTER] = is[TEXT_UPPER] | is[TEXT_LOWER];
	is[TEXT_NUMBER] = within(v, '0', '9') & there;
	is[TEXT_NEWLINE] = (within(v, '\n', '\n') | within(v, '\r', '\r')) & there;
	is[TEXT_SPACE] = within(v, ' ', ' ') & there;
	is[TEXT_BLANK] = is[TEXT_SPACE] | (within(v, '\t', '\r') & there);
	is[TEXT_QUOTE] = within(v, '\'', '\'') & there;
	is[TEXT_WIDE] = wide(v) & there;
	is[TEXT_OTHER] =
		there & ~(is[TEXT_LETTER] | is[TEXT_NUMBER] | is[TEXT_BLANK] | is[TEXT_WIDE]);
}

static void classify_all(const uint8_t *s, size_t n, struct text_block *out)
{
	for (; n >= TEXT_BLOCK; n -= TEXT_BLOCK, s += TEXT_BLOCK)
		classify(s, ~(uint64_t)0, out++);
	if (n) {
		uint8_t last[TEXT_BLOCK] = {0};
		memcpy(last, s, n);
		classify(last, ((uint64_t)1 << n) - 1, out);
	}
}

#ifdef __AVX512F__
static size_t least(const uint32_t *v, size_t n)
{
	__m512i all = _mm512_loadu_si512(v);
	for (size_t i = 16; i < n; i += 16)
		all = _mm512_min_epu32(all, _mm512_loadu_si512(v + i));
	__m512i min = _mm512_set1_epi32((int)_mm512_reduce_min_epu32(all));
	for (size_t i = 0;; i += 16) {
		uint32_t is = _mm512_cmpeq_epi32_mask(_mm512_loadu_si512(v + i), min);
		if (is)
			return i + (size_t)__builtin_ctz(is);
	}
}
#else
static __m256i load8(const uint32_t *v)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)v);
}

static size_t least(const uint32_t *v, size_t n)
{
	__m256i all = _mm256_min_epu32(load8(v), load8(v + 8));
	for (size_t i = 16; i < n; i += 8)
		all = _mm256_min_epu32(all, load8(v + i));
	__m128i four = _mm_min_epu32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
	four = _mm_min_epu32(four, _mm_shuffle_epi32(four, 0x4e));
	four = _mm_min_epu32(four, _mm_shuffle_epi32(four, 0xb1));
	__m256i min = _mm256_broadcastd_epi32(four);
	for (size_t i = 0;; i += 8) {
		int is = _mm256_movemask_ps(
			_mm256_castsi256_ps(_mm256_cmpeq_epi32(load8(v + i), min)));
		if (is)
			return i + (size_t)__builtin_ctz((unsigned)is);
	}
}
#endif

const struct text_ops FN(text_ops) = {classify_all, least};
