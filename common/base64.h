/* Base64 as RFC 4648 has it, with padding. */
#ifndef COMMON_BASE64_H
#define COMMON_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* Writes base64_size(n) characters, no NUL. */
static inline size_t base64_size(size_t n)
{
	return (n + 2) / 3 * 4;
}
void base64_encode(char *out, const uint8_t *p, size_t n);

/* Writes at most n / 4 * 3 bytes; 0, or -1: not base64. */
int base64_decode(uint8_t *out, size_t *outlen, const char *s, size_t n);

#endif
