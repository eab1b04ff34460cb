/* The implementations of text.h. */
#ifndef KERNELS_TEXT_INT_H
#define KERNELS_TEXT_INT_H

#include "kernels/text.h"

void text_classify_plain(const uint8_t *s, size_t n, struct text_block *out);
void text_classify_avx2(const uint8_t *s, size_t n, struct text_block *out);
void text_classify_avx512(const uint8_t *s, size_t n, struct text_block *out);

#endif
