/* UTF-8 as it is checked a vector at a time. */
#include "common/utf8.h"

#include "common/mem.h"
#include "tests/tap.h"

static uint32_t rnd(void)
{
	static uint64_t state = 1;
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33);
}

static void test_utf8(void)
{
	static const struct {
		const char *s;
		size_t good;
	} cases[] = {{"plain text that is longer than eight", 36}, {"\xc3\xa9", 2},
		{"\xf0\x9f\x98\x80", 4}, {"\xc0\x80", 0}, {"\xe0\x80\x80", 0}, {"\xed\xa0\x80", 0},
		{"\xf4\x90\x80\x80", 0}, {"\xf8\x88\x80\x80\x80", 0}, {"ab\xe2\x82", 2},
		{"12345678\x80", 8}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		is_int((long long)utf8_valid_prefix(cases[i].s, strlen(cases[i].s)),
			(long long)cases[i].good, "UTF-8 as RFC 3629 has it");
}

/* Where the text stops being UTF-8, by what sequences there are (table 3-7). */
static size_t good_beginning(const unsigned char *s, size_t n)
{
	static const struct {
		uint8_t lead[2], second[2], len;
	} rows[] = {{{0xc2, 0xdf}, {0x80, 0xbf}, 2}, {{0xe0, 0xe0}, {0xa0, 0xbf}, 3},
		{{0xe1, 0xec}, {0x80, 0xbf}, 3}, {{0xed, 0xed}, {0x80, 0x9f}, 3},
		{{0xee, 0xef}, {0x80, 0xbf}, 3}, {{0xf0, 0xf0}, {0x90, 0xbf}, 4},
		{{0xf1, 0xf3}, {0x80, 0xbf}, 4}, {{0xf4, 0xf4}, {0x80, 0x8f}, 4}};
	size_t i = 0;
	while (i < n) {
		size_t k = 0, len = 1;
		if (s[i] >= 0x80) {
			while (k < 8 && !(s[i] >= rows[k].lead[0] && s[i] <= rows[k].lead[1]))
				k++;
			if (k == 8 || rows[k].len > n - i || s[i + 1] < rows[k].second[0] ||
				s[i + 1] > rows[k].second[1])
				return i;
			for (len = 2; len < rows[k].len; len++)
				if (s[i + len] < 0x80 || s[i + len] > 0xbf)
					return i;
		}
		i += len;
	}
	return n;
}

/* Text of all lengths of character with one byte, or none, made another: found at once, wherever it is. */
static void test_damaged_utf8(void)
{
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000},
			      most[] = {0x7f, 0x7ff, 0xd7ff, 0x10ffff};
	int same = 1;
	for (int round = 0; round < 200000 && same; round++) {
		char text[96], *exact;
		size_t n = 0, to = (size_t)rnd() % 80;
		while (n < to) {
			size_t k = (size_t)rnd() % (round % 2 ? 4 : 2);
			n += utf8_put(
				least[k] + (uint32_t)rnd() % (most[k] - least[k] + 1), text + n);
		}
		if (n && round % 4)
			text[(size_t)rnd() % n] = (char)rnd();
		n -= n && round % 3 == 0 ? (size_t)rnd() % n : 0;
		exact = mem_dup(text, n);
		same = utf8_valid_prefix(exact, n) ==
		       good_beginning((const unsigned char *)exact, n);
		mem_free(exact);
	}
	ok(same, "random text stops being UTF-8 where the table says");
}

int main(void)
{
	test_utf8();
	test_damaged_utf8();
	return tap_done();
}
