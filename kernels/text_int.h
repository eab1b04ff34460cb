/* The implementations of text.h. */
#ifndef KERNELS_TEXT_INT_H
#define KERNELS_TEXT_INT_H

#include "kernels/text.h"

struct text_ops {
	void (*classify)(const uint8_t *s, size_t n, struct text_block *out);
	size_t (*least)(const uint32_t *v, size_t n);
};
extern const struct text_ops text_ops_plain, text_ops_avx2, text_ops_avx512;

#endif
