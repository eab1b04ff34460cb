/*
 * Hand-written splitters for the patterns that nearly all models use: the regex, alternative by
 * alternative, over the bits of a window. A test holds them against PCRE2.
 *
 * Each next_…(w, i) says where the piece that begins at i ends; w->to when it would have to see
 * more.
 */
#include "common/tokenizer/splitter.h"

#include "common/tokenizer/edges.h"

#include <string.h>

/* \s+(?!\S)|\s+ for blanks that begin at i: all of them at the end of the text, else all but the
 * last when there are several. lines: \s*[\r\n]+ comes before, up to the last newline. */
static size_t blanks(const struct window *w, size_t i, int lines)
{
	size_t end = window_run(w, i, TEXT_BLANK), newline;
	if (end >= w->to)
		return w->to == w->len && lines && (newline = window_last(w, i, end, TEXT_NEWLINE))
			       ? newline
			       : w->to;
	if (lines && (newline = window_last(w, i, end, TEXT_NEWLINE)))
		return newline;
	size_t last = uni_prev(w->s, end);
	return last > i ? last : end;
}

/* 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+ */
static inline size_t next_gpt2(const struct window *w, size_t i)
{
	size_t n, from = i + (w->s[i] == ' ');
	if (window_is(w, from, TEXT_LETTER))
		return window_run(w, from, TEXT_LETTER);
	if (w->s[i] == '\'' && (n = contraction(w->s, i, w->len, 0)))
		return i + n;
	if (window_is(w, from, TEXT_OTHER))
		return window_run(w, from, TEXT_OTHER);
	if (window_is(w, from, TEXT_NUMBER))
		return window_run(w, from, TEXT_NUMBER);
	return blanks(w, i, 0);
}

/* ` ?[^\s\p{L}\p{N}]+[\r\n]*` whose others begin at `from`, `[\r\n/]*` with slash. */
static inline size_t others(const struct window *w, size_t from, int slash)
{
	size_t end = window_run(w, from, TEXT_OTHER);
	while (end < w->to && (window_is(w, end, TEXT_NEWLINE) || (slash && w->s[end] == '/')))
		end++;
	return end;
}

/* (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,most}| ?[^\s\p{L}\p{N}]+[\r\n]*|
 * \s*[\r\n]+|\s+(?!\S)|\s+ */
static inline size_t next_cl100k(const struct window *w, size_t i, int most)
{
	size_t n;
	if (window_is(w, i, TEXT_LETTER))
		return window_run(w, i, TEXT_LETTER);
	if (window_is(w, i, TEXT_NUMBER))
		return digits(w, i, most);
	if (window_is(w, i, TEXT_NEWLINE))
		return blanks(w, i, 1);
	if (w->s[i] == '\'' && (n = contraction(w->s, i, w->len, 1)))
		return i + n;
	size_t next = behind(w, i);
	if (window_is(w, next, TEXT_LETTER))
		return window_run(w, next, TEXT_LETTER);
	size_t from = w->s[i] == ' ' ? next : i;
	return window_is(w, from, TEXT_OTHER) ? others(w, from, 0) : blanks(w, i, 1);
}

/* U*W+ at i, else, with `upper`, U+W*; 0: it does not match. U: letters and marks that are not
 * lower case, W: not upper case. U* takes all that it can, and gives back as little as W+ needs. */
static size_t cased_word(const struct window *w, size_t i, int upper)
{
	size_t end = window_run(w, i, TEXT_UPPER);
	if (end >= w->to && w->to < w->len)
		return w->to;
	if (window_is(w, end, TEXT_LOWER))
		return window_run(w, end, TEXT_LOWER);
	size_t last = window_last(w, i, end, TEXT_LOWER);
	return last ? last : upper && end > i ? end : 0;
}

/* [^\r\n\p{L}\p{N}]?U*W+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?U+W*(?i:…)?|\p{N}{1,most}|
 *  ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+; the (?i:…) where words are `contracted` */
static inline size_t next_o200k(const struct window *w, size_t i, int most, int contracted)
{
	if (window_is(w, i, TEXT_NUMBER))
		return digits(w, i, most);
	if (window_is(w, i, TEXT_NEWLINE))
		return blanks(w, i, 1);
	size_t next = behind(w, i), end;
	if (window_is(w, i, TEXT_LETTER)) {
		end = cased_word(w, i, 1);
	} else {
		/* A mark may be what comes in front, or itself U and W: before U+W* is tried. */
		int mark = window_is(w, i, TEXT_LOWER);
		end = cased_word(w, next, !mark);
		if (!end && mark)
			end = cased_word(w, i, 0);
	}
	if (end && contracted && end < w->len && w->s[end] == '\'')
		return end + contraction(w->s, end, w->len, 1);
	if (end)
		return end;
	size_t from = w->s[i] == ' ' ? next : i;
	return window_is(w, from, TEXT_OTHER) ? others(w, from, 1) : blanks(w, i, 1);
}

/* The pieces from `from` to each edge; how many. */
static inline size_t put_edges(uint64_t edge, size_t from, struct span *pieces, size_t max)
{
	size_t n = (size_t)__builtin_popcountll(edge), start = from;
	n = n < max ? n : max;
	for (size_t k = 0; k < n; k++, edge &= edge - 1) {
		size_t end = start + (size_t)__builtin_ctzll(edge);
		pieces[k] = (struct span){(uint32_t)from, (uint32_t)end};
		from = end;
	}
	return n;
}

enum { ASK_AGAIN = 24 }; /* bytes behind where edges.h could tell nothing */

/* edges: as edges.h has it. */
#define SPLITTER(name, next, edges)                                                                \
	static size_t name(struct window *w, size_t from, struct span *pieces, size_t max)         \
	{                                                                                          \
		size_t n = 0, ask = from;                                                          \
		while (from < w->len && n < max) {                                                 \
			uint64_t edge = from >= ask ? edges : 0;                                   \
			if (edge) {                                                                \
				size_t k = put_edges(edge, from, pieces + n, max - n);             \
				from = pieces[n + k - 1].to;                                       \
				n += k;                                                            \
				continue;                                                          \
			}                                                                          \
			ask = from + ASK_AGAIN;                                                    \
			size_t end = next;                                                         \
			if (!window_sees(w, end)) {                                                \
				window_move(w, from);                                              \
				continue;                                                          \
			}                                                                          \
			pieces[n++] = (struct span){(uint32_t)from, (uint32_t)end};                \
			from = end;                                                                \
		}                                                                                  \
		return n;                                                                          \
	}
SPLITTER(gpt2, next_gpt2(w, from), edges_gpt2(w, from))
SPLITTER(cl100k, next_cl100k(w, from, 3), edges_cl100k(w, from))
SPLITTER(qwen2, next_cl100k(w, from, 1), edges_qwen2(w, from))
SPLITTER(o200k, next_o200k(w, from, 3, 1), edges_o200k(w, from))
SPLITTER(tekken, next_o200k(w, from, 1, 0), 0)

#define CONTRACTIONS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define UPPER	     "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER	     "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define FRONT	     "[^\\r\\n\\p{L}\\p{N}]?"
#define BLANKS	     "\\s+(?!\\S)|\\s+"
#define LINES	     "\\s*[\\r\\n]+|" BLANKS
#define OTHERS	     " ?[^\\s\\p{L}\\p{N}]+"

const struct splitter_row splitter_table[] = {
	{gpt2, UNI_PLAIN, {"'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+|" OTHERS "|" BLANKS}},
	{cl100k, UNI_PLAIN,
		{CONTRACTIONS "|" FRONT "\\p{L}+|\\p{N}{1,3}|" OTHERS "[\\r\\n]*|" LINES}},
	{qwen2, UNI_PLAIN, {CONTRACTIONS "|" FRONT "\\p{L}+|\\p{N}|" OTHERS "[\\r\\n]*|" LINES}},
	{qwen2, UNI_MARKS, /* Qwen 3.5 */
		{CONTRACTIONS
			"|" FRONT
			"[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|" LINES}},
	{o200k, UNI_PLAIN,
		{FRONT UPPER "*" LOWER "+" CONTRACTIONS "?|" FRONT UPPER "+" LOWER "*" CONTRACTIONS
			     "?|\\p{N}{1,3}|" OTHERS "[\\r\\n/]*|" LINES}},
	{tekken, UNI_PLAIN,
		{FRONT UPPER "*" LOWER "+|" FRONT UPPER "+" LOWER "*|\\p{N}|" OTHERS
			     "[\\r\\n/]*|" LINES}},
	{split_deepseek, UNI_SYMBOLS,
		{"\\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+",
			"[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|"
			"[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| "
			"?[\\p{P}\\p{S}]+[\\r\\n]*|" LINES}},
	{0},
};

/* Some files have the line ends themselves where others have \r and \n. */
static int same_pattern(const char *pattern, const char *file)
{
	for (; *pattern && *file; pattern++, file++) {
		if (pattern[0] == '\\' && ((pattern[1] == 'r' && *file == '\r') ||
						  (pattern[1] == 'n' && *file == '\n')))
			pattern++;
		else if (*pattern != *file)
			return 0;
	}
	return *pattern == *file;
}

const struct splitter_row *splitter_find(const char *const *patterns, size_t n)
{
	for (const struct splitter_row *r = splitter_table; r->split; r++) {
		size_t k = 0;
		while (k < SPLITTER_PATTERNS && r->pattern[k] && k < n &&
			same_pattern(r->pattern[k], patterns[k]))
			k++;
		if (k == SPLITTER_PATTERNS || !r->pattern[k])
			return r;
	}
	return NULL;
}
