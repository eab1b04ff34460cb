/* What formatting by `fmt % args` and str.format (jinja_format.c) share: the layout of one value. */
#ifndef TOOLS_TMPL_JINJA_SPEC_H
#define TOOLS_TMPL_JINJA_SPEC_H

#include "tools/tmpl/jinja_int.h"

enum { JX_WIDTH_MAX = 1000000, JX_PRECISION_MAX = 1000 };

struct jx_spec {
	struct jv fill; /* one character */
	char align, sign, grouping, type;
	int alt, zero, width, precision; /* precision -1: none */
};

/* format(v, text) */
void jx_format_value(struct jinja_run *r, struct jx_text *b, struct jv v, struct jv text);
void jx_format_int(struct jinja_run *r, struct jx_text *b, const struct jx_spec *f, int64_t v);
void jx_format_float(struct jinja_run *r, struct jx_text *b, const struct jx_spec *f, double v);
/* s in the spec's width, behind `lead` (a sign, a prefix); dflt: the side when the spec names none. */
void jx_put_padded(struct jx_text *b, const struct jx_spec *f, char dflt, const char *lead,
	size_t nlead, const char *s, size_t n);
/* Written to `out`, and how many characters: the digits of |v| in a base; the sign that the spec asks for. */
size_t jx_int_digits(int64_t v, unsigned base, int upper, char out[80]);
size_t jx_sign_of(const struct jx_spec *f, int negative, char *out);
/* Digits of s from *i, which goes behind them; more than max is an error that names `what`. */
int jx_spec_number(
	struct jinja_run *r, const char *s, size_t n, size_t *i, int max, const char *what);

#endif
