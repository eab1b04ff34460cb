/* Patterns of tokenizer.json, which are in Oniguruma's Ruby syntax, for PCRE2. */
#ifndef COMMON_TOKENIZER_REGEX_H
#define COMMON_TOKENIZER_REGEX_H

#include "common/err.h"
#include "common/str.h"

#include <stddef.h>

/* Appends what PCRE2 (UTF, UCP, MULTILINE, newline LF) matches as Oniguruma does s. What cannot be said so
 * is an error that names it. */
int regex_translate(const char *s, size_t len, struct str *out, struct err *e);

enum { REGEX_LIMIT = 1 << 20 }; /* bytes that a pattern may become */

/* The inside of a PCRE2 class for a \p{name} of Oniguruma (Unicode 16.0 there, 14.0 here). */
struct regex_property {
	const char *name; /* lower case, without _ - and blanks */
	const char *inside, *more;
	int negated; /* it is what is not inside */
};
extern const struct regex_property regex_properties[]; /* ends with name NULL */

/* One character class of a pattern: see regex_class.c. *p stands behind its '['. */
int regex_class(const char **p, const char *end, int caseless, struct str *out, struct err *e);
/* \p{name}, \P{^name}, \s, \W … : *p stands at the letter. 1: was one, and inside, negated are what it is
 * (inside appended). 0: another escape. */
int regex_shorthand(const char **p, const char *end, int in_class, struct str *inside, int *negated,
	struct err *e);
/* An escape that is one character: *p at the letter. 1, *c; 0: it is none. */
int regex_char(const char **p, const char *end, unsigned *c, struct err *e);
void regex_put(struct str *out, unsigned c); /* a character that stands for itself */

#endif
