/* The implementations of text.h. */
#ifndef KERNELS_TEXT_INT_H
#define KERNELS_TEXT_INT_H

#include "kernels/text.h"

typedef void text_classifier(const uint8_t *s, size_t n, struct text_block *out);
extern text_classifier *const text_classify_plain, *const text_classify_avx2,
							   *const text_classify_avx512;

#endif
