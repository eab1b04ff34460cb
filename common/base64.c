#include "common/base64.h"

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(char *out, const uint8_t *p, size_t n)
{
	for (; n >= 3; n -= 3, p += 3) {
		uint32_t x = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
		for (int shift = 18; shift >= 0; shift -= 6)
			*out++ = digits[x >> shift & 63];
	}
	if (n) {
		uint32_t x = (uint32_t)p[0] << 16 | (n > 1 ? (uint32_t)p[1] << 8 : 0);
		*out++ = digits[x >> 18];
		*out++ = digits[x >> 12 & 63];
		*out++ = n > 1 ? digits[x >> 6 & 63] : '=';
		*out++ = '=';
	}
}

static int digit(char c)
{
	const char *p = c ? strchr(digits, c) : NULL;
	return p ? (int)(p - digits) : -1;
}

int base64_decode(uint8_t *out, size_t *outlen, const char *s, size_t n)
{
	if (n % 4)
		return -1;
	size_t pad = n && s[n - 1] == '=' ? 1 + (s[n - 2] == '=') : 0;
	for (size_t i = 0; i < n; i += 4) {
		uint32_t x = 0;
		for (size_t k = i; k < i + 4; k++) {
			int d = k >= n - pad ? 0 : digit(s[k]);
			if (d < 0)
				return -1;
			x = x << 6 | (uint32_t)d;
		}
		*out++ = (uint8_t)(x >> 16);
		*out++ = (uint8_t)(x >> 8);
		*out++ = (uint8_t)x;
	}
	*outlen = n / 4 * 3 - pad;
	return 0;
}
