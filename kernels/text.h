/*
 * Text as bits: for every 64 bytes, which of them are of each class. Where a run of letters ends is
 * then a matter of counting zeros. ASCII only: bytes of longer characters are TEXT_WIDE, and of no
 * other class.
 */
#ifndef KERNELS_TEXT_H
#define KERNELS_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Classes of a byte below 0x80. OTHER, LETTER, NUMBER, BLANK: exactly one. NEWLINE (\r, \n) is in
 * BLANK, and SPACE (0x20) is; UPPER and LOWER are letters; QUOTE (') is in OTHER. */
enum text_class {
	TEXT_OTHER,
	TEXT_LETTER,
	TEXT_NUMBER,
	TEXT_BLANK,
	TEXT_NEWLINE,
	TEXT_WIDE,
	TEXT_UPPER,
	TEXT_LOWER,
	TEXT_SPACE,
	TEXT_QUOTE,
	TEXT_CLASSES
};
enum { TEXT_BLOCK = 64 };
struct text_block {
	uint64_t is[TEXT_CLASSES]; /* bit i: of byte i */
};

/* n bytes, the blocks one after the other; bits beyond n are 0. */
void text_classify(const uint8_t *s, size_t n, struct text_block *out);

/* Which of n numbers is the least, the first of equal ones. v goes on to a multiple of TEXT_LANES;
 * what is beyond n is UINT32_MAX. For merging the symbols of a text by rank. */
enum { TEXT_LANES = 16 };
size_t text_least(const uint32_t *v, size_t n);

#endif
