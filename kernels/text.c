#include "kernels/text.h"

#include "kernels/text_int.h"

/* The classes of a byte, a bit each. */
static unsigned classes_of(uint8_t b)
{
	if (b >= 0x80)
		return 1 << TEXT_WIDE;
	if (b >= 'a' && b <= 'z')
		return 1 << TEXT_LETTER | 1 << TEXT_LOWER;
	if (b >= 'A' && b <= 'Z')
		return 1 << TEXT_LETTER | 1 << TEXT_UPPER;
	if (b >= '0' && b <= '9')
		return 1 << TEXT_NUMBER;
	if (b == '\n' || b == '\r')
		return 1 << TEXT_BLANK | 1 << TEXT_NEWLINE;
	if (b == ' ')
		return 1 << TEXT_BLANK | 1 << TEXT_SPACE;
	if (b == '\'')
		return 1 << TEXT_OTHER | 1 << TEXT_QUOTE;
	return b >= 9 && b <= 13 ? 1 << TEXT_BLANK : 1 << TEXT_OTHER;
}

static void plain_classify(const uint8_t *s, size_t n, struct text_block *out)
{
	for (size_t at = 0; at < n; at += TEXT_BLOCK, out++) {
		size_t most = n - at < TEXT_BLOCK ? n - at : TEXT_BLOCK;
		*out = (struct text_block){0};
		for (size_t i = 0; i < most; i++) {
			unsigned classes = classes_of(s[at + i]);
			for (int c = 0; c < TEXT_CLASSES; c++)
				out->is[c] |= (uint64_t)(classes >> c & 1) << i;
		}
	}
}

static size_t plain_least(const uint32_t *v, size_t n)
{
	size_t best = 0;
	for (size_t i = 1; i < n; i++)
		if (v[i] < v[best])
			best = i;
	return best;
}

const struct text_ops text_ops_plain = {plain_classify, plain_least};

static const struct text_ops *ops(void)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"))
		return &text_ops_avx512;
	if (__builtin_cpu_supports("avx2"))
		return &text_ops_avx2;
#endif
	return &text_ops_plain;
}

void text_classify(const uint8_t *s, size_t n, struct text_block *out)
{
	ops()->classify(s, n, out);
}

size_t text_least(const uint32_t *v, size_t n)
{
	return ops()->least(v, n);
}
