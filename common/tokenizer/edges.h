/*
 * Where pieces end, 64 bytes at a time: the regex as algebra on the bits of a window, where that is
 * the same. What a class of characters stands beside decides nearly everything; what is rare is left
 * to splitter.c, which goes from piece to piece.
 */
#ifndef COMMON_TOKENIZER_EDGES_H
#define COMMON_TOKENIZER_EDGES_H

#include "common/tokenizer/window.h"

/* A piece begins at i. Bit k: one ends before i + k (never bit 0). They are all up to the last of them;
 * 0: nothing is known. The patterns stand in splitter.c. */
uint64_t edges_gpt2(const struct window *w, size_t i);
uint64_t edges_cl100k(const struct window *w, size_t i); /* cl100k and Llama 3: \p{N}{1,3} */
uint64_t edges_qwen2(const struct window *w, size_t i);	 /* the same with \p{N} */
uint64_t edges_o200k(const struct window *w, size_t i);

/* Length of 's 't 're 've 'm 'll 'd at the apostrophe s[i], 0 without. fold: in any case, and
 * U+017F (ſ) is an s. */
size_t contraction(const uint8_t *s, size_t i, size_t len, int fold);

#endif
