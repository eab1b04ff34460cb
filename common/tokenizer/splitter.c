/*
 * Hand-written splitters for the patterns that nearly all models use: the regex, alternative by
 * alternative, over classes of characters. A test holds them against PCRE2.
 */
#include "common/tokenizer/tokenizer_int.h"

#include "common/tokenizer/unicode.h"

#include <string.h>

static inline enum uni_class class_at(const uint8_t *s, size_t i, size_t *next)
{
	if (s[i] < 0x80) {
		*next = i + 1;
		return uni_ascii_class[s[i]];
	}
	*next = i;
	return uni_class_of(uni_next(s, next));
}

/* Behind the characters of class `want` that begin at i. */
static inline size_t run_of(const uint8_t *s, size_t i, size_t len, enum uni_class want)
{
	size_t next;
	while (i < len && class_at(s, i, &next) == want)
		i = next;
	return i;
}

static inline int is_blank(enum uni_class c)
{
	return c >= UNI_SPACE;
}

/* \s+(?!\S)|\s+ for blanks that begin at i: all of them at the end of the text, else all but the last
 * when there are several. newline: behind the last \r or \n among them, 0 without. */
static size_t blanks(const uint8_t *s, size_t i, size_t len, size_t *newline)
{
	size_t from = i, last = i, next;
	enum uni_class c;
	*newline = 0;
	while (i < len && is_blank(c = class_at(s, i, &next))) {
		if (c == UNI_NEWLINE)
			*newline = next;
		last = i;
		i = next;
	}
	return i == len || last == from ? i : last;
}

/* Length of 's 't 're 've 'm 'll 'd at the apostrophe s[i], 0 without. fold: in any case, and U+017F (ſ)
 * is an s. */
static size_t contraction(const uint8_t *s, size_t i, size_t len, int fold)
{
	if (i + 1 >= len)
		return 0;
	uint8_t mask = fold ? 0x20 : 0, a = s[i + 1] | mask, b = i + 2 < len ? s[i + 2] | mask : 0;
	if (s[i + 1] < 0x40)
		return 0;
	if (a == 's' || a == 't' || a == 'm' || a == 'd')
		return 2;
	if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l'))
		return 3;
	return fold && i + 2 < len && s[i + 1] == 0xc5 && s[i + 2] == 0xbf ? 3 : 0;
}

/* 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+ */
static inline size_t next_gpt2(const uint8_t *s, size_t i, size_t len)
{
	size_t next, newline, n;
	if (s[i] == '\'' && (n = contraction(s, i, len, 0)))
		return i + n;
	enum uni_class c = class_at(s, i, &next);
	if (s[i] == ' ' && next < len) {
		size_t second = next;
		enum uni_class c2 = class_at(s, second, &next);
		if (!is_blank(c2))
			return run_of(s, next, len, c2);
	}
	return is_blank(c) ? blanks(s, i, len, &newline) : run_of(s, next, len, c);
}

/* (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|
 * \s*[\r\n]+|\s+(?!\S)|\s+ */
static inline size_t next_cl100k(const uint8_t *s, size_t i, size_t len, int digits)
{
	size_t next, newline, n;
	if (s[i] == '\'' && (n = contraction(s, i, len, 1)))
		return i + n;
	enum uni_class c = class_at(s, i, &next);
	if (c == UNI_LETTER)
		return run_of(s, next, len, UNI_LETTER);
	if (c == UNI_NUMBER) {
		i = next;
		for (int k = 1; k < digits && i < len && class_at(s, i, &next) == UNI_NUMBER; k++)
			i = next;
		return i;
	}
	if (c != UNI_NEWLINE && next < len) {
		size_t second = next, after;
		enum uni_class c2 = class_at(s, second, &after);
		if (c2 == UNI_LETTER)
			return run_of(s, after, len, UNI_LETTER);
		if (s[i] == ' ' && c2 == UNI_OTHER) {
			c = UNI_OTHER;
			next = after;
		}
	}
	if (c == UNI_OTHER) {
		i = run_of(s, next, len, UNI_OTHER);
		while (i < len && (s[i] == '\r' || s[i] == '\n'))
			i++;
		return i;
	}
	size_t end = blanks(s, i, len, &newline);
	return newline ? newline : end;
}

#define SPLITTER(name, next)                                                                       \
	static size_t name(const uint8_t *s, size_t from, size_t len, uint32_t *ends, size_t max)  \
	{                                                                                          \
		size_t n = 0;                                                                      \
		while (from < len && n < max)                                                      \
			ends[n++] = (uint32_t)(from = next);                                       \
		return n;                                                                          \
	}
SPLITTER(gpt2, next_gpt2(s, from, len))
SPLITTER(cl100k, next_cl100k(s, from, len, 3))
SPLITTER(qwen2, next_cl100k(s, from, len, 1))

const struct splitter_row splitter_table[] = {
	{"'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
		gpt2},
	{"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"
	 " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
		cl100k},
	{"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|"
	 " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
		qwen2},
	{0},
};

splitter *splitter_find(const char *pattern)
{
	for (const struct splitter_row *r = splitter_table; r->pattern; r++)
		if (strcmp(r->pattern, pattern) == 0)
			return r->split;
	return NULL;
}
