/*
 * JSON text a vector at a time: where the plain text of a string ends, where a value does. Vectors are
 * the compiler's own (SSE2, NEON or two words), so there is one source and one result for every machine.
 */
#ifndef COMMON_SCAN_H
#define COMMON_SCAN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { SCAN_BYTES = 16 };
typedef uint8_t scan_vector __attribute__((vector_size(SCAN_BYTES)));

static inline int scan_is_plain(unsigned char c)
{
	return c >= 0x20 && c != '"' && c != '\\';
}

/* Which of the SCAN_BYTES bytes is the first that is a quote, a backslash or below `least`; SCAN_BYTES: none. */
static inline size_t scan_first(scan_vector v, uint8_t least)
{
	scan_vector hit = (scan_vector)((v == '"') | (v == '\\') | (v < least));
#ifdef __SSE2__ /* the same without a branch, which short strings make dear */
	typedef char bytes __attribute__((vector_size(SCAN_BYTES)));
	unsigned mask = (unsigned)__builtin_ia32_pmovmskb128((bytes)hit);
	return (size_t)__builtin_ctz(mask | 1u << SCAN_BYTES);
#else
	uint64_t half[2];
	memcpy(half, &hit, sizeof half);
	if (half[0])
		return (size_t)__builtin_ctzll(half[0]) / 8;
	return half[1] ? 8 + (size_t)__builtin_ctzll(half[1]) / 8 : SCAN_BYTES;
#endif
}

static inline const char *scan_to(const char *s, const char *end, uint8_t least)
{
	scan_vector v;
	for (; end - s >= SCAN_BYTES; s += SCAN_BYTES) {
		memcpy(&v, s, sizeof v);
		size_t n = scan_first(v, least);
		if (n < SCAN_BYTES)
			return s + n;
	}
	while (s < end && scan_is_plain((unsigned char)*s) && (uint8_t)*s >= least)
		s++;
	return s;
}

/* The first byte from s that is a quote, a backslash or a control character; end when there is none. */
static inline const char *scan_plain(const char *s, const char *end)
{
	return scan_to(s, end, 0x20);
}

/* The same, or a blank. */
static inline const char *scan_word(const char *s, const char *end)
{
	return scan_to(s, end, ' ' + 1);
}

/* The same, and copies what it passes. `to` has room for end - s + SCAN_BYTES bytes. */
static inline const char *scan_copy(char *to, const char *s, const char *end)
{
	scan_vector v;
	for (; end - s >= SCAN_BYTES; s += SCAN_BYTES, to += SCAN_BYTES) {
		memcpy(&v, s, sizeof v);
		memcpy(to, &v, sizeof v);
		size_t n = scan_first(v, 0x20);
		if (n < SCAN_BYTES)
			return s + n;
	}
	while (s < end && scan_is_plain((unsigned char)*s))
		*to++ = *s++;
	return s;
}

/* Zero-initialise: before a value. */
struct scan_nesting {
	long depth;	    /* brackets open */
	int string, escape; /* within a string; behind its backslash */
};

/* Goes on through a value whose bytes arrive in pieces: how many of them come before the comma or the
 * closing bracket that ends it; len: it goes on. Nothing is checked but brackets and strings. */
size_t scan_value(struct scan_nesting *n, const char *s, size_t len);

#endif
