/* Whether bytes are UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, nothing past
 * U+10FFFF. */
#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

#include <stddef.h>

/* Length of the longest valid beginning: equals n when all of it is valid. */
size_t utf8_valid_prefix(const char *s, size_t n);
static inline int utf8_valid(const char *s, size_t n)
{
	return utf8_valid_prefix(s, n) == n;
}

#endif
