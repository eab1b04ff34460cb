/* Between the files of the splitters: splitter.c has their table, splitter_deepseek.c one of them. */
#ifndef COMMON_TOKENIZER_SPLITTER_H
#define COMMON_TOKENIZER_SPLITTER_H

#include "common/tokenizer/tokenizer_int.h"

splitter split_deepseek;

/* Behind the character at i. */
static inline size_t behind(const struct window *w, size_t i)
{
	return i + uni_len(w->s[i]);
}

/* \p{N}{1,most} */
static inline size_t digits(const struct window *w, size_t i, int most)
{
	i = behind(w, i);
	for (int k = 1; k < most && window_is(w, i, TEXT_NUMBER); k++)
		i = behind(w, i);
	return i;
}

#endif
