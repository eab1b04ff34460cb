/*
 * DeepSeek's splitter, for the three patterns that its files apply one after the other: digits by three,
 * Chinese and Japanese, and of what is left
 *
 *	[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|
 *	 ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
 *
 * The first two are classes of their own (UNI_SYMBOLS), so that runs of others end in front of them; what
 * the third would see as the text's end, a digit or a Han character is. It cuts Han pieces once more.
 * What it does not match stands between matches and is a piece too.
 */
#include "common/tokenizer/splitter.h"

static inline int is_han(const struct window *w, size_t i)
{
	return w->s[i] >= 0x80 && window_is(w, i, TEXT_UPPER);
}

/* Of ASCII the class has control characters too. */
static inline int is_symbol(const struct window *w, size_t i)
{
	return window_is(w, i, TEXT_OTHER) && w->s[i] > ' ' && w->s[i] != 0x7f && !is_han(w, i);
}

static inline int is_ascii_letter(const struct window *w, size_t i)
{
	return w->s[i] < 0x80 && window_is(w, i, TEXT_LETTER);
}

/* Whether a match of the third pattern begins at i. */
static int begins(const struct window *w, size_t i)
{
	return window_is(w, i, TEXT_LETTER) || window_is(w, i, TEXT_BLANK) || is_symbol(w, i) ||
	       window_is(w, behind(w, i), TEXT_LETTER);
}

/* [\p{P}\p{S}]+[\r\n]* */
static size_t symbols(const struct window *w, size_t i)
{
	while (i < w->to && is_symbol(w, i))
		i = behind(w, i);
	while (i < w->to && window_is(w, i, TEXT_NEWLINE))
		i++;
	return i;
}

/* \s*[\r\n]+|\s+(?!\S)|\s+ */
static size_t blanks(const struct window *w, size_t i)
{
	size_t end = window_run(w, i, TEXT_BLANK);
	if (end >= w->to && w->to < w->len)
		return w->to;
	size_t newline = window_last(w, i, end, TEXT_NEWLINE);
	if (newline)
		return newline;
	if (end >= w->len || window_is(w, end, TEXT_NUMBER) || is_han(w, end))
		return end;
	size_t last = uni_prev(w->s, end);
	return last > i ? last : end;
}

static inline int is_han_letter(const struct window *w, size_t i)
{
	return is_han(w, i) && window_is(w, i, TEXT_LOWER);
}

static inline int is_han_symbol(const struct window *w, size_t i)
{
	return is_han(w, i) && window_is(w, i, TEXT_OTHER);
}

/* [^\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|[\p{P}\p{S}]+, or what lies between, of a Han piece. */
static size_t next_han(const struct window *w, size_t i)
{
	size_t next = behind(w, i);
	if (is_han_symbol(w, i)) {
		while (next < w->to && is_han_symbol(w, next))
			next = behind(w, next);
		return next;
	}
	if (!is_han_letter(w, i) && !is_han_letter(w, next)) {
		while (next < w->to && is_han(w, next) && !is_han_symbol(w, next) &&
			!is_han_letter(w, behind(w, next)))
			next = behind(w, next);
		return next;
	}
	while (next < w->to && is_han_letter(w, next))
		next = behind(w, next);
	return next;
}

/* As in splitter.c. */
static size_t next_deepseek(const struct window *w, size_t i)
{
	if (window_is(w, i, TEXT_LETTER))
		return window_run(w, i, TEXT_LETTER);
	if (window_is(w, i, TEXT_NUMBER))
		return digits(w, i, 3);
	if (is_han(w, i))
		return next_han(w, i);
	size_t next = behind(w, i);
	if (is_symbol(w, i)) {
		if (w->s[i] >= 0x80 || next >= w->to || !is_ascii_letter(w, next))
			return symbols(w, i);
		while (next < w->to && is_ascii_letter(w, next))
			next++;
		return next;
	}
	if (window_is(w, i, TEXT_NEWLINE))
		return blanks(w, i);
	if (window_is(w, next, TEXT_LETTER))
		return window_run(w, next, TEXT_LETTER);
	if (window_is(w, i, TEXT_BLANK))
		return w->s[i] == ' ' && next < w->to && is_symbol(w, next) ? symbols(w, next)
									    : blanks(w, i);
	while (next < w->to && !begins(w, next) && !window_is(w, next, TEXT_NUMBER) &&
		!is_han(w, next))
		next = behind(w, next);
	return next;
}

size_t split_deepseek(struct window *w, size_t from, struct span *pieces, size_t max)
{
	size_t n = 0;
	while (from < w->len && n < max) {
		size_t end = next_deepseek(w, from);
		if (!window_sees(w, end)) {
			window_move(w, from);
			continue;
		}
		pieces[n++] = (struct span){(uint32_t)from, (uint32_t)end};
		from = end;
	}
	return n;
}
