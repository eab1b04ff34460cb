/*
 * A stretch of a text with the classes of its characters as bits: what splitters look at. It moves
 * along the text, and grows where one piece needs more of it.
 */
#ifndef COMMON_TOKENIZER_WINDOW_H
#define COMMON_TOKENIZER_WINDOW_H

#include "common/tokenizer/unicode.h"
#include "kernels/text.h"

/* Of characters beyond ASCII every byte has the bits of the character: LETTER is L, NUMBER is N,
 * BLANK is White_Space, OTHER is the rest; UPPER is all of L and M but Ll, LOWER is all of L and M
 * but Lu and Lt. Other views than the plain one say otherwise (enum uni_view). */
struct window {
	const uint8_t *s;
	size_t len;
	size_t from, to; /* the stretch */
	struct text_block
		*block; /* of s[from, to); bits beyond are of nothing that can be told yet */
	size_t cap;
	struct uni_pages pages[UNI_VIEWS];
	enum uni_view view;
};

void window_init(struct window *w);
void window_done(struct window *w);
/* Turns to a text, which stays the caller's. */
void window_begin(struct window *w, const char *s, size_t len, enum uni_view view);
/* Begins at `from`, where a character does; longer than before if it began there already. */
void window_move(struct window *w, size_t from);

/*
 * A splitter cuts at `end` only when that is not too near to the window's end: what it saw there, a
 * character and one more, or a run, may go on. Behind w->to all bits are 0, so that every run ends.
 */
enum { WINDOW_EDGE = 8 };
static inline int window_sees(const struct window *w, size_t end)
{
	return end + WINDOW_EDGE <= w->to || w->to == w->len;
}

static inline int window_is(const struct window *w, size_t i, enum text_class c)
{
	i -= w->from;
	return w->block[i / TEXT_BLOCK].is[c] >> i % TEXT_BLOCK & 1;
}

/* Behind the characters of class c that begin at i. */
static inline size_t window_run(const struct window *w, size_t i, enum text_class c)
{
	size_t at = i - w->from;
	const struct text_block *b = w->block + at / TEXT_BLOCK;
	uint64_t not = ~b->is[c] >> at % TEXT_BLOCK;
	if (not )
		return i + (size_t)__builtin_ctzll(not );
	do
		b++;
	while (!~b->is[c]);
	return w->from + (size_t)(b - w->block) * TEXT_BLOCK + (size_t)__builtin_ctzll(~b->is[c]);
}

/* Behind the last byte of class c in [from, to), 0 without. */
size_t window_last(const struct window *w, size_t from, size_t to, enum text_class c);

#endif
