/* UTF-8 as RFC 3629 has it. */
#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Length of the longest valid beginning: equals n when all of it is valid. No surrogates, no overlong
 * forms, nothing past U+10FFFF. */
size_t utf8_valid_prefix(const char *s, size_t n);
static inline int utf8_valid(const char *s, size_t n)
{
	return utf8_valid_prefix(s, n) == n;
}

/* Writes the character, at most U+10FFFF; its bytes. */
size_t utf8_put(uint32_t c, char out[4]);

#endif
