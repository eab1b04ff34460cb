/*
 * GPT-2's alphabet: every byte as a printable character. Printable Latin-1 stands for itself, the
 * other bytes, in order, are U+0100 and up.
 */
#include "common/tokenizer/tokenizer_int.h"

#include "common/tokenizer/unicode.h"
#include "common/utf8.h"

uint32_t bytelevel_char(uint8_t byte)
{
	if (byte <= 0x20)
		return 0x100u + byte;
	if (byte >= 0x7f && byte <= 0xa0)
		return 0x121u + byte - 0x7f;
	return byte == 0xad ? 0x143 : byte;
}

int bytelevel_byte(uint32_t c)
{
	if (c >= 0x100 && c <= 0x120)
		return (int)c - 0x100;
	if (c >= 0x121 && c <= 0x142)
		return (int)c - 0x121 + 0x7f;
	if (c == 0x143)
		return 0xad;
	return c <= 0xff && bytelevel_char((uint8_t)c) == c ? (int)c : -1;
}

long bytelevel_bytes(char *out, const char *s, size_t len)
{
	long n = 0;
	for (size_t i = 0; i < len;) {
		if ((uint8_t)(s[i] - '!') <= '~' - '!') {
			out[n++] = s[i++];
			continue;
		}
		int byte = bytelevel_byte(uni_next((const uint8_t *)s, &i));
		if (byte < 0)
			return -1;
		out[n++] = (char)byte;
	}
	return n;
}

void bytelevel_map(struct nbuf *out, const struct ntext *t, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		char s[4];
		nbuf_put(out, s, utf8_put(bytelevel_char((uint8_t)t->s[i]), s), ntext_at(t, i));
	}
}
