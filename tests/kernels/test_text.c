/* Classes of bytes, and the least of numbers: the plain classes are ctype's of the C locale, and
 * every instruction set gives the same. */
#include "kernels/text.h"

#include "kernels/text_int.h"
#include "tests/tap.h"

#include <ctype.h>
#include <stdlib.h>

enum { MOST = 1000, BLOCKS = MOST / TEXT_BLOCK + 1 };

static unsigned state = 1;

static unsigned rnd(void)
{
	state = state * 1664525u + 1013904223u;
	return state >> 8;
}

static int right(uint8_t b, const struct text_block *t, size_t i)
{
	int want[TEXT_CLASSES] = {0};
	if (b >= 0x80) {
		want[TEXT_WIDE] = 1;
	} else {
		want[TEXT_LETTER] = isalpha(b) != 0;
		want[TEXT_NUMBER] = isdigit(b) != 0;
		want[TEXT_BLANK] = isspace(b) != 0;
		want[TEXT_NEWLINE] = b == '\n' || b == '\r';
		want[TEXT_UPPER] = isupper(b) != 0;
		want[TEXT_LOWER] = islower(b) != 0;
		want[TEXT_SPACE] = b == ' ';
		want[TEXT_QUOTE] = b == '\'';
		want[TEXT_OTHER] = !isalnum(b) && !isspace(b);
	}
	for (int c = 0; c < TEXT_CLASSES; c++)
		if ((int)(t->is[c] >> i & 1) != want[c])
			return 0;
	return 1;
}

static void check(void (*classify)(const uint8_t *, size_t, struct text_block *), const char *name)
{
	int bytes = 1, lengths = 1;
	struct text_block got[BLOCKS], want[BLOCKS];
	for (size_t n = 0; n <= MOST; n++) {
		/* A copy of its own, so that a byte beyond it is beyond an allocation. */
		uint8_t *s = malloc(n ? n : 1);
		for (size_t i = 0; s && i < n; i++)
			s[i] = (uint8_t)rnd();
		memset(got, 0xff, sizeof got);
		classify(s, n, got);
		for (size_t i = 0; i < n; i++)
			bytes &= right(s[i], &got[i / TEXT_BLOCK], i % TEXT_BLOCK);
		size_t blocks = (n + TEXT_BLOCK - 1) / TEXT_BLOCK;
		text_ops_plain.classify(s, n, want);
		lengths &= !memcmp(got, want, blocks * sizeof *got);
		free(s);
	}
	ok(bytes, "%s: every byte is of its classes", name);
	ok(lengths, "%s: bits beyond the end are none, at every length", name);
}

static void check_least(size_t (*least)(const uint32_t *, size_t), const char *name)
{
	int first = 1;
	for (int k = 0; k < 20000; k++) {
		uint32_t v[64];
		size_t n = 1 + rnd() % 64, want = 0;
		memset(v, 0xff, sizeof v);
		for (size_t i = 0; i < n; i++)
			v[i] = rnd() % 3 ? rnd() % (2 + rnd() % 1000) : UINT32_MAX - rnd() % 2;
		for (size_t i = 1; i < n; i++)
			want = v[i] < v[want] ? i : want;
		first &= least(v, n) == want;
	}
	ok(first, "%s: the first of the least", name);
}

static void check_all(const struct text_ops *ops, const char *name)
{
	check(ops->classify, name);
	check_least(ops->least, name);
}

int main(void)
{
	check_all(&text_ops_plain, "plain");
	check_all(&(struct text_ops){text_classify, text_least}, "what this CPU chooses");
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		check_all(&text_ops_avx2, "avx2");
	else
		tap_skip("avx2", "this CPU has none");
#endif
	return tap_done();
}
