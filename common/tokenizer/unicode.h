/*
 * Characters as the tokenizers library sees them: classes, decomposition, case. utf8proc's tables,
 * corrected by unicode_tables.c where the library's own (of several ages, see there) differ. Text
 * is valid UTF-8 everywhere below tokenizer_encode.
 */
#ifndef COMMON_TOKENIZER_UNICODE_H
#define COMMON_TOKENIZER_UNICODE_H

#include "kernels/text.h"

#include <stddef.h>
#include <stdint.h>
#include <utf8proc.h>

struct uni_range {
	uint32_t from, to; /* both belong to it; a table ends with to == 0 */
	int value;
};
extern const struct uni_range uni_new_categories[];
extern const struct uni_range uni_extra_numeric[];
extern const struct uni_range uni_other_punct[];
extern const struct uni_range uni_other_mark[];
extern const struct uni_range uni_other_nonspacing[];
extern const struct uni_range uni_other_control[];
extern const struct uni_range uni_other_join[];
extern const struct uni_range uni_scripts[]; /* this one ends after uni_nscripts */
extern const size_t uni_nscripts;
extern const struct uni_range uni_inert[];
extern const struct uni_range uni_new_lower[];

/* One of these for every code point. */
enum uni_class { UNI_OTHER, UNI_LETTER, UNI_NUMBER, UNI_SPACE };
extern const uint8_t uni_ascii_class[128];

/* The code point at s[*i], *i moved behind it. */
static inline uint32_t uni_next(const uint8_t *s, size_t *i)
{
	uint32_t c = s[*i];
	if (c < 0x80) {
		*i += 1;
		return c;
	}
	if (c < 0xe0) {
		c = (c & 0x1f) << 6 | (s[*i + 1] & 0x3f);
		*i += 2;
		return c;
	}
	if (c < 0xf0) {
		c = (c & 0x0f) << 12 | (uint32_t)(s[*i + 1] & 0x3f) << 6 | (s[*i + 2] & 0x3f);
		*i += 3;
		return c;
	}
	c = (c & 0x07) << 18 | (uint32_t)(s[*i + 1] & 0x3f) << 12 |
	    (uint32_t)(s[*i + 2] & 0x3f) << 6 | (s[*i + 3] & 0x3f);
	*i += 4;
	return c;
}

/* Bytes of the character that begins with byte c. */
static inline size_t uni_len(uint8_t c)
{
	return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

/* Start of the character that ends before i (i > 0). */
static inline size_t uni_prev(const uint8_t *s, size_t i)
{
	do
		i--;
	while (i > 0 && (s[i] & 0xc0) == 0x80);
	return i;
}

/* That character. */
static inline uint32_t uni_before(const uint8_t *s, size_t i)
{
	i = uni_prev(s, i);
	return uni_next(s, &i);
}

/* Writes c (at most 4 bytes), returns how many. */

/* UTF8PROC_CATEGORY_… of Unicode 16.0. */
int uni_category(uint32_t c);
int uni_is_letter(uint32_t c);	   /* L */
int uni_is_numeric(uint32_t c);	   /* Rust's char::is_numeric: N */
int uni_is_space(uint32_t c);	   /* White_Space: \s, char::is_whitespace */
int uni_is_word(uint32_t c);	   /* \w of Rust's regex */
int uni_is_punct(uint32_t c);	   /* as Punctuation has it, ASCII symbols included */
int uni_is_mark(uint32_t c);	   /* M, as StripAccents has it */
int uni_is_nonspacing(uint32_t c); /* Mn, as BertNormalizer's strip_accents has it */
int uni_is_control(uint32_t c);	   /* what its clean_text removes */

/* A number for each script that UnicodeScripts tells apart; -1: c goes with any. */
int uni_script(uint32_t c);

/* The end of the extended grapheme cluster of s that begins at from (< len). */
size_t uni_grapheme(const uint8_t *s, size_t from, size_t len);

static inline enum uni_class uni_class_of(uint32_t c)
{
	if (c < 0x80)
		return uni_ascii_class[c];
	if (uni_is_letter(c))
		return UNI_LETTER;
	int cat = uni_category(c);
	if (cat >= UTF8PROC_CATEGORY_ND && cat <= UTF8PROC_CATEGORY_NO)
		return UNI_NUMBER;
	return uni_is_space(c) ? UNI_SPACE : UNI_OTHER;
}

/*
 * All of that for the code points of a text, quickly: flags, found when first asked for (none has
 * no flag), by page of 256 code points. One thread's. Zero-initialise, but for the view.
 */
enum uni_view {
	UNI_PLAIN, /* enum text_class as window.h has it */
	/* As families of patterns tell characters apart. Marks are LETTER. */
	UNI_MARKS,
	/* The same; OTHER is P and S alone; Chinese and Japanese as DeepSeek has them are UPPER, and
	 * letters of theirs LOWER too, symbols OTHER. */
	UNI_SYMBOLS,
	UNI_VIEWS
};
enum {
	UNI_INERT = 1 << TEXT_WIDE,		/* uni_is_nfc_inert; UNI_PLAIN only */
	UNI_CLASSES = 0xff & ~(1 << TEXT_WIDE), /* enum text_class */
};
struct uni_pages {
	enum uni_view view;
	uint8_t *page[0x1100];
};
void uni_pages_done(struct uni_pages *p);
unsigned uni_pages_find(struct uni_pages *p, uint32_t c);
static inline unsigned uni_flags(struct uni_pages *p, uint32_t c)
{
	const uint8_t *page = p->page[c >> 8];
	unsigned flags = page ? page[c & 0xff] : 0;
	return flags ? flags : uni_pages_find(p, c);
}

/* Combining class, decomposition (at most 18 code points into out; one level is the full one) and
 * composition as the library's normalizers know them. */
int uni_combining(uint32_t c);
size_t uni_decompose(uint32_t c, int compat, uint32_t out[18]);
uint32_t uni_compose(uint32_t a, uint32_t b); /* 0: the two do not compose */
/* 0: c may change under NFC beside its neighbours; 1: it never does. */
int uni_is_nfc_inert(uint32_t c);

/* Rust's char::to_lowercase: one to three code points. */
size_t uni_lower(uint32_t c, uint32_t out[3]);

#endif
