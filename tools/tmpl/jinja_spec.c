/* Python's format mini-language: format(v, spec) of numbers and strings. */
#include "tools/tmpl/jinja_spec.h"

#include "common/json.h"
#include "common/utf8.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void pad(struct jx_text *b, struct jv fill, size_t n)
{
	while (n--)
		jx_text_add(b, fill.u.s, fill.len);
}

/* `sign` and prefix stay in front of the padding when align is '='. */
void jx_put_padded(struct jx_text *b, const struct jx_spec *f, char dflt, const char *lead,
	size_t nlead, const char *s, size_t n)
{
	size_t have = nlead + jx_utf8_len(s, n);
	size_t fill = have < (size_t)f->width ? (size_t)f->width - have : 0;
	char align = f->align ? f->align : dflt;
	size_t left = align == '<' ? 0 : align == '^' ? fill / 2 : fill;
	if (align != '=')
		pad(b, f->fill, left);
	jx_text_add(b, lead, nlead);
	if (align == '=')
		pad(b, f->fill, left);
	jx_text_add(b, s, n);
	pad(b, f->fill, fill - left);
}

size_t jx_sign_of(const struct jx_spec *f, int negative, char *out)
{
	if (negative)
		*out = '-';
	else if (f->sign == '+' || f->sign == ' ')
		*out = f->sign;
	else
		return 0;
	return 1;
}

/* Separators into the whole part of `digits`; zero padding counts with them. */
static size_t group(
	const struct jx_spec *f, const char *digits, size_t n, size_t lead, char *out, size_t size)
{
	size_t whole = 0,
	       every = f->type == 'x' || f->type == 'X' || f->type == 'o' || f->type == 'b' ? 4 : 3,
	       m = 0;
	while (whole < n && ((digits[whole] >= '0' && digits[whole] <= '9') || (every == 4)))
		whole++;
	size_t zeros = 0;
	if (f->align == '=' && f->fill.len == 1 && *f->fill.u.s == '0')
		while (lead + (n - whole) + (whole + zeros) + (whole + zeros - 1) / every <
				(size_t)f->width &&
			zeros + n + 8 < size / 2)
			zeros++;
	for (size_t i = 0; i < whole + zeros && m + 2 < size; i++) {
		size_t left = whole + zeros - i;
		if (i && left % every == 0)
			out[m++] = f->grouping;
		out[m++] = i < zeros ? '0' : digits[i - zeros];
	}
	for (size_t i = whole; i < n && m + 1 < size; i++)
		out[m++] = digits[i];
	return m;
}

size_t jx_int_digits(int64_t v, unsigned base, int upper, char out[80])
{
	uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;
	char buf[80];
	size_t n = 0;
	do {
		unsigned d = (unsigned)(u % base);
		buf[n++] = (char)(d < 10 ? '0' + d : (upper ? 'A' : 'a') + d - 10);
		u /= base;
	} while (u);
	for (size_t i = 0; i < n; i++)
		out[i] = buf[n - 1 - i];
	return n;
}

/* Digits of |v| for the type; 0 precision as C has it. */
static size_t float_digits(const struct jx_spec *f, double v, char out[JX_PRECISION_MAX + 400])
{
	size_t size = JX_PRECISION_MAX + 400, n;
	char type = f->type;
	v = fabs(v);
	if (isinf(v) || isnan(v)) {
		int upper = type == 'E' || type == 'F' || type == 'G';
		return (size_t)snprintf(out, size, "%s%s",
			isinf(v) ? (upper ? "INF" : "inf") : (upper ? "NAN" : "nan"),
			type == '%' ? "%" : "");
	}
	if (type == '%')
		return (size_t)snprintf(out, size, f->alt ? "%#.*f%%" : "%.*f%%",
			f->precision < 0 ? 6 : f->precision, v * 100);
	if (type == 0 && f->precision < 0)
		return json_repr_double(v, out);
	if (type ==
		0) { /* like g, but never without a digit after the point, and e from the precision on */
		int p = f->precision ? f->precision : 1;
		char e[JX_PRECISION_MAX + 400];
		snprintf(e, sizeof e, "%.*e", p - 1, v);
		int exp = 0;
		sscanf(strchr(e, 'e') + 1, "%d", &exp);
		n = (size_t)snprintf(out, size, "%.*g", p, v);
		if (exp >= p - 1 &&
			exp < p) { /* p digits before the point: Python turns to e one earlier */
			n = (size_t)snprintf(out, size, "%s", e);
			char *x = strchr(out, 'e'), *z = x;
			if (strchr(out, '.')) {
				while (z > out && z[-1] == '0')
					z--;
				if (z > out && z[-1] == '.')
					z--;
				memmove(z, x, strlen(x) + 1);
			}
			return strlen(out);
		}
		if (!strpbrk(out, ".e"))
			n = (size_t)snprintf(out + n, size - n, ".0") + n;
		return n;
	}
	char c[8] = {'%', 0};
	snprintf(c + 1, sizeof c - 1, "%s.*%c", f->alt ? "#" : "", type == 'n' ? 'g' : type);
	return (size_t)snprintf(out, size, c, f->precision < 0 ? 6 : f->precision, v);
}

void jx_format_float(struct jinja_run *r, struct jx_text *b, const struct jx_spec *f, double v)
{
	char digits[JX_PRECISION_MAX + 400], grouped[2 * (JX_PRECISION_MAX + 400)], sign = 0;
	(void)r;
	size_t n = float_digits(f, v, digits), lead = jx_sign_of(f, signbit(v) && !isnan(v), &sign);
	const char *s = digits;
	if (f->grouping && !isinf(v) && !isnan(v)) {
		n = group(f, digits, n, lead, grouped, sizeof grouped);
		s = grouped;
	}
	jx_put_padded(b, f, '>', &sign, lead, s, n);
}

void jx_format_int(struct jinja_run *r, struct jx_text *b, const struct jx_spec *f, int64_t v)
{
	char digits[80], grouped[400], lead[4];
	if (f->type && strchr("eEfFgG%", f->type)) {
		jx_format_float(r, b, f, (double)v);
		return;
	}
	if (f->precision >= 0)
		jx_fail(r, "Precision not allowed in integer format specifier");
	if (f->type == 'c') {
		char c[4];
		if (f->sign || f->alt || f->grouping || v < 0 || v > 0x10ffff ||
			(v >= 0xd800 && v < 0xe000))
			jx_fail(r,
				"the format 'c' takes the number of a character, without a sign");
		jx_put_padded(b, f, '<', "", 0, c, utf8_put((uint32_t)v, c));
		return;
	}
	unsigned base = f->type == 'x' || f->type == 'X' ? 16
			: f->type == 'o'		 ? 8
			: f->type == 'b'		 ? 2
							 : 10;
	if (f->grouping == ',' && base != 10)
		jx_fail(r, "Cannot specify ',' with '%c'", f->type);
	size_t n = jx_int_digits(v, base, f->type == 'X', digits),
	       nlead = jx_sign_of(f, v < 0, lead);
	if (f->alt && base != 10) {
		lead[nlead++] = '0';
		lead[nlead++] = f->type;
	}
	const char *s = digits;
	if (f->grouping) {
		n = group(f, digits, n, nlead, grouped, sizeof grouped);
		s = grouped;
	}
	jx_put_padded(b, f, '>', lead, nlead, s, n);
}

int jx_spec_number(
	struct jinja_run *r, const char *s, size_t n, size_t *i, int max, const char *what)
{
	int v = 0;
	while (*i < n && s[*i] >= '0' && s[*i] <= '9') {
		v = v * 10 + (s[(*i)++] - '0');
		if (v > max)
			jx_fail(r, "a %s over %d is too much", what, max);
	}
	return v;
}

/* [[fill]align][sign][z][#][0][width][grouping][.precision][type] */
static struct jx_spec parse_spec(struct jinja_run *r, struct jv v)
{
	struct jx_spec f = {.fill = jv_str(" ", 1), .precision = -1};
	const char *s = v.u.s;
	size_t n = v.len, i = 0, first = 0;
	if (n)
		jx_utf8_get(s, n, &first);
	if (first && first < n && strchr("<>=^", s[first])) {
		f.fill = jv_str(s, first);
		f.align = s[first];
		i = first + 1;
	} else if (n && strchr("<>=^", s[0])) {
		f.align = s[0];
		i = 1;
	}
	if (i < n && (s[i] == '+' || s[i] == '-' || s[i] == ' '))
		f.sign = s[i++];
	if (i < n && s[i] == '#') {
		f.alt = 1;
		i++;
	}
	if (i < n && s[i] == '0') {
		f.zero = 1;
		if (f.fill.len == 1 && *f.fill.u.s == ' ' &&
			!(first && first < n && strchr("<>=^", s[first])))
			f.fill = jv_str("0", 1);
		if (!f.align)
			f.align = '='; /* of text: the caller's business */
		i++;
	}
	f.width = jx_spec_number(r, s, n, &i, JX_WIDTH_MAX, "width");
	if (i < n && (s[i] == ',' || s[i] == '_'))
		f.grouping = s[i++];
	if (i < n && s[i] == '.') {
		size_t from = ++i;
		f.precision = jx_spec_number(r, s, n, &i, JX_WIDTH_MAX, "precision");
		if (i == from)
			jx_fail(r, "Format specifier missing precision");
	}
	if (i < n)
		f.type = s[i++];
	if (i != n)
		jx_fail(r, "Invalid format specifier");
	return f;
}

static void format_str(struct jinja_run *r, struct jx_text *b, struct jx_spec *f, struct jv v)
{
	if (f->type && f->type != 's')
		jx_fail(r, "Unknown format code '%c' for object of type 'str'", f->type);
	if (f->sign || f->alt || f->grouping || (f->align == '=' && !f->zero))
		jx_fail(r, "a sign, '#', ',' or '=' is not allowed in the format of a string");
	if (f->align == '=')
		f->align = '<';
	if (f->precision >= 0)
		v.len = (uint32_t)jx_utf8_at(v.u.s, v.len, (size_t)f->precision);
	jx_put_padded(b, f, '<', "", 0, v.u.s, v.len);
}

/* format(v, spec) */
void jx_format_value(struct jinja_run *r, struct jx_text *b, struct jv v, struct jv text)
{
	if (!text.len) {
		jx_str_to(r, b, v);
		return;
	}
	if (v.type != JV_STR && !jx_is_number(v))
		jx_fail(r, "unsupported format string passed to %s.__format__", jx_type_name(v));
	struct jx_spec f = parse_spec(r, text);
	if (v.type != JV_STR && f.precision > JX_PRECISION_MAX)
		jx_fail(r, "a precision over %d is too much", JX_PRECISION_MAX);
	if (v.type == JV_STR) {
		format_str(r, b, &f, v);
	} else if (v.type == JV_FLOAT) {
		if (f.type && !strchr("eEfFgGn%", f.type))
			jx_fail(r, "Unknown format code '%c' for object of type 'float'", f.type);
		jx_format_float(r, b, &f, v.u.f);
	} else {
		if (f.type && !strchr("bcdoxXneEfFgG%", f.type))
			jx_fail(r, "Unknown format code '%c' for object of type 'int'", f.type);
		jx_format_int(r, b, &f, v.u.i);
	}
}
