#include "common/utf8.h"

#include <stdint.h>
#include <string.h>

/* Length of the sequence at s, 0 when it is not one. Table 3-7 of the Unicode standard. */
static size_t sequence(const unsigned char *s, size_t n)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t len;
	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf) {
		len = 2;
	} else if (s[0] >= 0xe0 && s[0] <= 0xef) {
		len = 3;
		if (s[0] == 0xe0)
			low = 0xa0;
		if (s[0] == 0xed)
			high = 0x9f;
	} else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		len = 4;
		if (s[0] == 0xf0)
			low = 0x90;
		if (s[0] == 0xf4)
			high = 0x8f;
	} else {
		return 0;
	}
	if (n < len || s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

/*
 * Vectors of 16 bytes, as the compiler has them: of each byte, whether it and the three before it may
 * stand so. What is wrong is found a little later than it begins, and left to sequence().
 */
enum { VECTOR = 16, LOOKS_BACK = 3 };
typedef uint8_t vector __attribute__((vector_size(VECTOR)));

static inline vector load(const unsigned char *s)
{
	vector v;
	memcpy(&v, s, sizeof v);
	return v;
}

static inline int any(vector v)
{
	uint64_t half[2];
	memcpy(half, &v, sizeof half);
	return (half[0] | half[1]) != 0;
}

/* Whether the bytes at s, which has LOOKS_BACK good ones in front, go on as UTF-8 does. */
static inline int goes_on(const unsigned char *s)
{
	vector v = load(s);
	if (!any(v & 0x80) && !any(load(s - 3) & 0x80))
		return 1;
	vector one = load(s - 1), two = load(s - 2), three = load(s - 3);
	vector follows = (vector)((v & 0xc0) == 0x80);
	vector must = (vector)((one >= 0xc0) | (two >= 0xe0) | (three >= 0xf0));
	vector never = (vector)((v == 0xc0) | (v == 0xc1) | (v >= 0xf5));
	vector second = (vector)(((one == 0xe0) & (v < 0xa0)) | ((one == 0xed) & (v >= 0xa0)) |
				 ((one == 0xf0) & (v < 0x90)) | ((one == 0xf4) & (v >= 0x90)));
	return !any((follows ^ must) | never | second);
}

size_t utf8_valid_prefix(const char *text, size_t n)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t i = 0, len = 1, from;
	for (; i < n && i < LOOKS_BACK; i += len)
		if (!(len = sequence(s + i, n - i)))
			return i;
	for (from = i; n - i >= VECTOR && goes_on(s + i);)
		i += VECTOR;
	if (i > from) /* back to where the last character begins, which may go on from here */
		do
			i--;
		while ((s[i] & 0xc0) == 0x80);
	for (; i < n; i += len)
		if (!(len = sequence(s + i, n - i)))
			return i;
	return n;
}

size_t utf8_put(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}
