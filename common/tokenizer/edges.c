#include "common/tokenizer/edges.h"

/*
 * A regex has no memory: a piece that begins at i is the same whatever stands before it. So the first
 * bit of every word is byte i, nothing stands before it, and what the bytes behind the last one may
 * change is not told.
 */
struct sight {
	uint64_t letter, number, blank, newline, other, space, quote;
	unsigned last; /* edges up to this bit can be told; 0: none */
};

/* Of each bit, what is known of the byte before it, and of the byte behind it. */
#define AFTER(x)  ((x) << 1)
#define BEFORE(x) ((x) >> 1)

static inline uint64_t bits(const struct window *w, size_t i, enum text_class c)
{
	const struct text_block *b = w->block + (i - w->from) / TEXT_BLOCK;
	unsigned shift = (i - w->from) % TEXT_BLOCK;
	return b[0].is[c] >> shift | b[1].is[c] << 1 << (TEXT_BLOCK - 1 - shift);
}

/* Where the run that `bit` is in begins. */
static inline unsigned run_start(uint64_t run, unsigned bit)
{
	uint64_t no = ~run & (((uint64_t)1 << bit) - 1);
	return no ? TEXT_BLOCK - (unsigned)__builtin_clzll(no) : 0;
}

/* strange: bytes that are not what they are counted as. */
static inline struct sight look(const struct window *w, size_t i, uint64_t strange)
{
	enum { WORTH = 12 };
	struct sight v = {0};
	size_t there = w->to - i;
	unsigned last = there < TEXT_BLOCK - 2 + WINDOW_EDGE ? (unsigned)there - WINDOW_EDGE
							     : TEXT_BLOCK - 2;
	if (there < WORTH + WINDOW_EDGE)
		return v;
	if (strange && (unsigned)__builtin_ctzll(strange) < last)
		last = (unsigned)__builtin_ctzll(strange);
	if (last < WORTH)
		return v;
	v.letter = bits(w, i, TEXT_LETTER);
	v.number = bits(w, i, TEXT_NUMBER);
	v.blank = bits(w, i, TEXT_BLANK);
	v.newline = bits(w, i, TEXT_NEWLINE);
	v.other = bits(w, i, TEXT_OTHER);
	v.space = bits(w, i, TEXT_SPACE);
	v.quote = bits(w, i, TEXT_QUOTE);
	/* Blanks that go on may go on to a newline, or to the end of the text. */
	v.last = v.blank >> (last + 1) & 1 ? run_start(v.blank, last + 1) : last;
	return v;
}

static inline uint64_t up_to(uint64_t edge, unsigned last)
{
	return edge & (((uint64_t)2 << last) - 2);
}

size_t contraction(const uint8_t *s, size_t i, size_t len, int fold)
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

/* Contractions at these bits: they hold together, and end. */
static inline uint64_t contract(
	const struct window *w, size_t i, uint64_t edge, uint64_t quotes, int fold, int suffix)
{
	unsigned behind = 0; /* the last one */
	for (; quotes; quotes &= quotes - 1) {
		unsigned bit = (unsigned)__builtin_ctzll(quotes);
		size_t n = contraction(w->s, i + bit, w->len, fold);
		if (!n || (suffix && bit == behind))
			continue;
		uint64_t all = (((uint64_t)1 << n) - 1) << bit;
		edge &= ~(suffix ? all : AFTER(all));
		behind = bit + (unsigned)n;
		edge |= behind < TEXT_BLOCK ? (uint64_t)1 << behind : 0;
	}
	return edge;
}

uint64_t edges_gpt2(const struct window *w, size_t i)
{
	struct sight v = look(w, i, bits(w, i, TEXT_WIDE) & ~bits(w, i, TEXT_LETTER));
	if (!v.last)
		return 0;
	uint64_t first = (v.letter & ~AFTER(v.letter)) | (v.number & ~AFTER(v.number)) |
			 (v.other & ~AFTER(v.other));
	/* The last of several blanks stands alone, or is the space in front of what follows. */
	uint64_t edge = (first & ~AFTER(v.space)) | (v.blank & ~AFTER(v.blank)) |
			(v.blank & ~BEFORE(v.blank));
	edge = contract(w, i, edge, v.quote & (edge | 1) & BEFORE(v.letter), 0, 0);
	return up_to(edge, v.last);
}

/* cased: o200k's words, which end where lower case does, and have the contraction behind them. */
static inline uint64_t edges_of(const struct window *w, size_t i, int most, int cased)
{
	uint64_t strange = bits(w, i, TEXT_WIDE);
	/* A mark may go on with a word, and a letter may be of both cases. */
	strange = cased ? strange | BEFORE(strange) : strange & ~bits(w, i, TEXT_LETTER);
	struct sight v = look(w, i, strange);
	if (!v.last)
		return 0;
	/* Newlines behind others belong to them. */
	uint64_t took = v.newline & AFTER(v.other), sum = v.newline + took,
		 behind_took = sum & ~v.newline;
	uint64_t line = v.newline & sum, blank = v.blank & ~v.newline;
	/* Blanks after a newline begin a piece, unless another newline follows them. */
	uint64_t indent = blank & AFTER(line), again = ((blank + indent) & ~blank) & line;
	if (again) {
		unsigned from = run_start(v.blank, (unsigned)__builtin_ctzll(again));
		v.last = from < v.last ? from : v.last;
	}
	if (cased && behind_took & v.other) { /* [\r\n/]*: it may be a slash */
		unsigned before = (unsigned)__builtin_ctzll(behind_took & v.other) - 1;
		v.last = before < v.last ? before : v.last;
	}
	/* One that stands alone, without a space, goes with the letters behind it. */
	uint64_t alone = v.other & ~AFTER(v.other) & ~BEFORE(v.other) & ~AFTER(v.space);
	uint64_t edge = (~v.letter & AFTER(v.letter)) | (~v.number & AFTER(v.number)) |
			(v.number & ~AFTER(v.number)) |
			(v.other & ~AFTER(v.other) & ~AFTER(v.space)) |
			(v.space & BEFORE(v.other)) | behind_took |
			(v.blank & ~took & ~AFTER(v.blank)) | indent | (blank & ~BEFORE(v.blank)) |
			(v.letter & AFTER(v.newline)) | (v.letter & AFTER(v.other & ~alone));
	if (most == 1) {
		edge |= v.number;
	} else {
		uint64_t three = v.number & AFTER(v.number) & v.number << 2 & v.number << 3;
		for (uint64_t at = v.number & ~AFTER(v.number); (at = at << 3 & three);)
			edge |= at;
	}
	if (cased) {
		edge |= bits(w, i, TEXT_UPPER) & AFTER(bits(w, i, TEXT_LOWER));
		edge = contract(w, i, edge, v.quote & AFTER(v.letter) & BEFORE(v.letter), 1, 1);
	} else {
		edge = contract(w, i, edge, v.quote & (edge | 1) & BEFORE(v.letter), 1, 0);
	}
	return up_to(edge, v.last);
}

uint64_t edges_cl100k(const struct window *w, size_t i)
{
	return edges_of(w, i, 3, 0);
}

uint64_t edges_qwen2(const struct window *w, size_t i)
{
	return edges_of(w, i, 1, 0);
}

uint64_t edges_o200k(const struct window *w, size_t i)
{
	return edges_of(w, i, 3, 1);
}
