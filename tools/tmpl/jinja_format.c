/*
 * Formatting as Python does it: `fmt % args` and str.format with its mini-language (sandboxed: fields
 * are looked up by Jinja's rules).
 */
#include "tools/tmpl/jinja_int.h"

#include "common/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH_MAX = 1000000, PRECISION_MAX = 1000 };

struct spec {
	struct jv fill; /* one character */
	char align, sign, grouping, type;
	int alt, zero, width, precision; /* precision -1: none */
};

static void pad(struct jx_text *b, struct jv fill, size_t n)
{
	while (n--)
		jx_text_add(b, fill.u.s, fill.len);
}

/* `sign` and prefix stay in front of the padding when align is '='. */
static void put_padded(struct jx_text *b, const struct spec *f, char dflt, const char *lead,
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

static size_t sign_of(const struct spec *f, int negative, char *out)
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
	const struct spec *f, const char *digits, size_t n, size_t lead, char *out, size_t size)
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

static size_t int_digits(int64_t v, unsigned base, int upper, char out[80])
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
static size_t float_digits(const struct spec *f, double v, char out[PRECISION_MAX + 400])
{
	size_t size = PRECISION_MAX + 400, n;
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
		char e[PRECISION_MAX + 400];
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

static void format_float(struct jinja_run *r, struct jx_text *b, const struct spec *f, double v)
{
	char digits[PRECISION_MAX + 400], grouped[2 * (PRECISION_MAX + 400)], sign = 0;
	(void)r;
	size_t n = float_digits(f, v, digits), lead = sign_of(f, signbit(v) && !isnan(v), &sign);
	const char *s = digits;
	if (f->grouping && !isinf(v) && !isnan(v)) {
		n = group(f, digits, n, lead, grouped, sizeof grouped);
		s = grouped;
	}
	put_padded(b, f, '>', &sign, lead, s, n);
}

static void format_int(struct jinja_run *r, struct jx_text *b, const struct spec *f, int64_t v)
{
	char digits[80], grouped[400], lead[4];
	if (f->type && strchr("eEfFgG%", f->type)) {
		format_float(r, b, f, (double)v);
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
		put_padded(b, f, '<', "", 0, c, jx_utf8_put((uint32_t)v, c));
		return;
	}
	unsigned base = f->type == 'x' || f->type == 'X' ? 16
			: f->type == 'o'		 ? 8
			: f->type == 'b'		 ? 2
							 : 10;
	if (f->grouping == ',' && base != 10)
		jx_fail(r, "Cannot specify ',' with '%c'", f->type);
	size_t n = int_digits(v, base, f->type == 'X', digits), nlead = sign_of(f, v < 0, lead);
	if (f->alt && base != 10) {
		lead[nlead++] = '0';
		lead[nlead++] = f->type;
	}
	const char *s = digits;
	if (f->grouping) {
		n = group(f, digits, n, nlead, grouped, sizeof grouped);
		s = grouped;
	}
	put_padded(b, f, '>', lead, nlead, s, n);
}

static int read_number(
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
static struct spec parse_spec(struct jinja_run *r, struct jv v)
{
	struct spec f = {.fill = jv_str(" ", 1), .precision = -1};
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
	f.width = read_number(r, s, n, &i, WIDTH_MAX, "width");
	if (i < n && (s[i] == ',' || s[i] == '_'))
		f.grouping = s[i++];
	if (i < n && s[i] == '.') {
		size_t from = ++i;
		f.precision = read_number(r, s, n, &i, WIDTH_MAX, "precision");
		if (i == from)
			jx_fail(r, "Format specifier missing precision");
	}
	if (i < n)
		f.type = s[i++];
	if (i != n)
		jx_fail(r, "Invalid format specifier");
	return f;
}

static void format_str(struct jinja_run *r, struct jx_text *b, struct spec *f, struct jv v)
{
	if (f->type && f->type != 's')
		jx_fail(r, "Unknown format code '%c' for object of type 'str'", f->type);
	if (f->sign || f->alt || f->grouping || (f->align == '=' && !f->zero))
		jx_fail(r, "a sign, '#', ',' or '=' is not allowed in the format of a string");
	if (f->align == '=')
		f->align = '<';
	if (f->precision >= 0)
		v.len = (uint32_t)jx_utf8_at(v.u.s, v.len, (size_t)f->precision);
	put_padded(b, f, '<', "", 0, v.u.s, v.len);
}

/* format(v, spec) */
static void format_value(struct jinja_run *r, struct jx_text *b, struct jv v, struct jv text)
{
	if (!text.len) {
		jx_str_to(r, b, v);
		return;
	}
	if (v.type != JV_STR && !jx_is_number(v))
		jx_fail(r, "unsupported format string passed to %s.__format__", jx_type_name(v));
	struct spec f = parse_spec(r, text);
	if (v.type != JV_STR && f.precision > PRECISION_MAX)
		jx_fail(r, "a precision over %d is too much", PRECISION_MAX);
	if (v.type == JV_STR) {
		format_str(r, b, &f, v);
	} else if (v.type == JV_FLOAT) {
		if (f.type && !strchr("eEfFgGn%", f.type))
			jx_fail(r, "Unknown format code '%c' for object of type 'float'", f.type);
		format_float(r, b, &f, v.u.f);
	} else {
		if (f.type && !strchr("bcdoxXneEfFgG%", f.type))
			jx_fail(r, "Unknown format code '%c' for object of type 'int'", f.type);
		format_int(r, b, &f, v.u.i);
	}
}

/* ---- str.format ----------------------------------------------------------------------------------- */

struct fields {
	struct jinja_run *r;
	const struct jv *pos;
	size_t npos;
	struct jv kw;
	int64_t next; /* of {}; -1 once a number was given */
	int markup;
};

static struct jv field_value(struct fields *f, const char *s, size_t n)
{
	size_t i = 0;
	struct jv key, v;
	while (i < n && s[i] != '.' && s[i] != '[')
		i++;
	if (i == 0) {
		if (f->next < 0)
			jx_fail(f->r, "cannot switch from manual field specification to automatic "
				      "field numbering");
		key = jv_int(f->next++);
	} else if (jx_parse_int(jv_str(s, i), 10, &key.u.i) == 0 && s[0] >= '0' && s[0] <= '9') {
		if (f->next > 0)
			jx_fail(f->r, "cannot switch from automatic field numbering to manual "
				      "field specification");
		f->next = -1;
		key = jv_int(key.u.i);
	} else {
		key = jv_str(s, i);
	}
	if (key.type == JV_INT) {
		if (key.u.i < 0 || (size_t)key.u.i >= f->npos)
			jx_fail(f->r,
				"Replacement index %lld out of range for positional args tuple",
				(long long)key.u.i);
		v = f->pos[key.u.i];
	} else {
		const struct jv *p = f->kw.type == JV_DICT ? jx_dict_find(f->r, f->kw, key) : NULL;
		if (!p)
			jx_fail(f->r, "KeyError: '%.*s'", (int)key.len, key.u.s);
		v = *p;
	}
	while (i < n) {
		size_t from = i + 1, to = from;
		if (s[i] == '.') {
			while (to < n && s[to] != '.' && s[to] != '[')
				to++;
			if (to == from)
				jx_fail(f->r, "Empty attribute in format string");
			v = jx_getattr(f->r, v, jv_str(s + from, to - from));
			i = to;
		} else {
			while (to < n && s[to] != ']')
				to++;
			if (s[i] != '[' || to == n || to == from)
				jx_fail(f->r, "Missing ']' in format string");
			int64_t k;
			struct jv sub = jv_str(s + from, to - from);
			int whole =
				s[from] >= '0' && s[from] <= '9' && jx_parse_int(sub, 10, &k) == 0;
			v = jx_getitem(f->r, v, whole ? jv_int(k) : sub);
			i = to + 1;
		}
	}
	return v;
}

static void expand(struct fields *f, struct jx_text *b, const char *s, size_t n, int depth);

/* One {field!conversion:spec}; s is what stands between the braces. */
static void put_field(struct fields *f, struct jx_text *b, const char *s, size_t n, int depth)
{
	size_t end = 0;
	for (int in = 0; end < n && (in || (s[end] != '!' && s[end] != ':')); end++) {
		if (s[end] == '[')
			in = 1;
		else if (s[end] == ']')
			in = 0;
		else if (s[end] == '{')
			jx_fail(f->r, "unexpected '{' in field name");
	}
	struct jv v = field_value(f, s, end), spec = jv_str("", 0);
	if (end < n && s[end] == '!') {
		char conv = end + 1 < n ? s[end + 1] : 0;
		if (end + 2 < n && s[end + 2] != ':')
			jx_fail(f->r, "expected ':' after conversion specifier");
		struct jx_text t = {.r = f->r};
		if (conv == 's')
			v = jx_to_str(f->r, v);
		else if (conv == 'r')
			jx_repr_to(f->r, &t, v), v = jx_text_end(&t);
		else
			jx_fail(f->r, "Unknown conversion specifier '%c'", conv ? conv : ' ');
		end += 2;
	}
	if (end < n) {
		struct jx_text t = {.r = f->r};
		if (depth > 1)
			jx_fail(f->r, "Max string recursion exceeded");
		expand(f, &t, s + end + 1, n - end - 1, depth + 1);
		spec = jx_text_end(&t);
	}
	if (!f->markup) {
		format_value(f->r, b, v, spec);
		return;
	}
	struct jx_text t = {.r = f->r};
	int safe = v.type == JV_STR && (v.flags & JF_MARKUP);
	if (safe && spec.len)
		jx_fail(f->r, "Unsupported format specification for Markup.");
	format_value(f->r, &t, v, spec);
	v = jx_text_end(&t);
	v.flags = safe ? JF_MARKUP : 0;
	v = jx_escape(f->r, v);
	jx_text_add(b, v.u.s, v.len);
}

static void expand(struct fields *f, struct jx_text *b, const char *s, size_t n, int depth)
{
	for (size_t i = 0; i < n;) {
		char c = s[i];
		if (c != '{' && c != '}') {
			size_t from = i;
			while (i < n && s[i] != '{' && s[i] != '}')
				i++;
			jx_text_add(b, s + from, i - from);
			continue;
		}
		if (i + 1 < n && s[i + 1] == c) {
			jx_text_char(b, c);
			i += 2;
			continue;
		}
		if (c == '}')
			jx_fail(f->r, "Single '}' encountered in format string");
		size_t from = ++i;
		int open = 1;
		for (; i < n; i++) {
			open += (s[i] == '{') - (s[i] == '}');
			if (!open)
				break;
		}
		if (i == n)
			jx_fail(f->r, from == n ? "Single '{' encountered in format string"
						: "expected '}' before end of string");
		put_field(f, b, s + from, i - from, depth);
		i++;
	}
}

struct jv jx_format(
	struct jinja_run *r, struct jv fmt, const struct jv *pos, size_t npos, struct jv kw)
{
	struct fields f = {
		.r = r, .pos = pos, .npos = npos, .kw = kw, .markup = fmt.flags & JF_MARKUP};
	struct jx_text b = {.r = r};
	expand(&f, &b, fmt.u.s, fmt.len, 0);
	struct jv v = jx_text_end(&b);
	v.flags = fmt.flags;
	return v;
}

/* ---- fmt % args ------------------------------------------------------------------------------------ */

struct percent {
	struct jinja_run *r;
	struct jv args;
	size_t at; /* next of a tuple; one value is a tuple of one */
	int markup;
};

static struct jv next_arg(struct percent *p)
{
	if (p->args.type == JV_TUPLE) {
		if (p->at >= p->args.u.list->n)
			jx_fail(p->r, "not enough arguments for format string");
		return p->args.u.list->v[p->at++];
	}
	if (p->at++)
		jx_fail(p->r, "not enough arguments for format string");
	return p->args;
}

static struct jv as_text(struct percent *p, struct jv v, char conv)
{
	if (conv == 's') {
		v = p->markup ? jx_escape(p->r, v) : jx_to_str(p->r, v);
	} else {
		struct jx_text b = {.r = p->r};
		jx_repr_to(p->r, &b, v);
		v = jx_text_end(&b);
		if (p->markup)
			v = jx_escape(p->r, v);
	}
	return v;
}

static void percent_int(struct percent *p, struct jx_text *b, struct spec *f, struct jv v)
{
	char digits[PRECISION_MAX + 80], lead[4], raw[80];
	struct jinja_run *r = p->r;
	if (v.type == JV_UNDEFINED)
		jx_fail_undefined(r, v);
	if (!jx_is_number(v) || (v.type == JV_FLOAT && f->type != 'd'))
		jx_fail(r, "%%%c format: %s is required, not %s", f->type,
			f->type == 'd' ? "a real number" : "an integer", jx_type_name(v));
	if (v.type == JV_FLOAT && !(fabs(v.u.f) < 9.2e18))
		jx_fail(r, "an integer beyond 64 bits");
	int64_t i = v.type == JV_FLOAT ? (int64_t)v.u.f : v.u.i;
	unsigned base = f->type == 'x' || f->type == 'X' ? 16 : f->type == 'o' ? 8 : 10;
	size_t m = int_digits(i, base, f->type == 'X', raw), n = 0, nlead = sign_of(f, i < 0, lead);
	if (f->alt && base != 10) {
		lead[nlead++] = '0';
		lead[nlead++] = f->type;
	}
	for (int k = (int)m; k < f->precision; k++)
		digits[n++] = '0';
	memcpy(digits + n, raw, m);
	put_padded(b, f, '>', lead, nlead, digits, n + m);
}

static void percent_float(struct percent *p, struct jx_text *b, struct spec *f, struct jv v)
{
	if (v.type == JV_UNDEFINED)
		jx_fail_undefined(p->r, v);
	if (!jx_is_number(v))
		jx_fail(p->r, "must be real number, not %s", jx_type_name(v));
	format_float(p->r, b, f, jx_double(v));
}

static void percent_char(struct percent *p, struct jx_text *b, struct spec *f, struct jv v)
{
	char c[4];
	if (v.type == JV_STR && jx_utf8_len(v.u.s, v.len) == 1) {
		put_padded(b, f, '>', "", 0, v.u.s, v.len);
		return;
	}
	if ((v.type != JV_INT && v.type != JV_BOOL) || v.u.i < 0 || v.u.i > 0x10ffff ||
		(v.u.i >= 0xd800 && v.u.i < 0xe000))
		jx_fail(p->r, "%%c requires int or char");
	put_padded(b, f, '>', "", 0, c, jx_utf8_put((uint32_t)v.u.i, c));
}

static int star_or_number(
	struct percent *p, const char *s, size_t n, size_t *i, int max, const char *what)
{
	if (*i >= n || s[*i] != '*')
		return read_number(p->r, s, n, i, max, what);
	++*i;
	struct jv v = next_arg(p);
	if (v.type != JV_INT && v.type != JV_BOOL)
		jx_fail(p->r, "* wants int");
	if (v.u.i > max || v.u.i < -max)
		jx_fail(p->r, "a %s over %d is too much", what, max);
	return (int)v.u.i;
}

/* One conversion; *i is after the percent sign. */
static void convert(struct percent *p, struct jx_text *b, const char *s, size_t n, size_t *i)
{
	struct spec f = {.fill = jv_str(" ", 1), .precision = -1};
	struct jv v = {0};
	if (*i < n && s[*i] == '(') {
		size_t from = ++*i;
		int open = 1;
		for (; *i < n; ++*i) {
			open += (s[*i] == '(') - (s[*i] == ')');
			if (!open)
				break;
		}
		if (*i >= n)
			jx_fail(p->r, "incomplete format key");
		if (p->args.type != JV_DICT)
			jx_fail(p->r, "format requires a mapping");
		const struct jv *found = jx_dict_find(p->r, p->args, jv_str(s + from, *i - from));
		if (!found)
			jx_fail(p->r, "KeyError: '%.*s'", (int)(*i - from), s + from);
		v = *found;
		++*i;
		p->at = 1;
	}
	for (; *i < n && s[*i] && strchr("-+ #0", s[*i]); ++*i) {
		if (s[*i] == '-')
			f.align = '<';
		else if (s[*i] == '0')
			f.zero = 1;
		else if (s[*i] == '#')
			f.alt = 1;
		else if (f.sign != '+')
			f.sign = s[*i];
	}
	f.width = star_or_number(p, s, n, i, WIDTH_MAX, "width");
	if (f.width < 0) {
		f.width = -f.width;
		f.align = '<';
	}
	if (*i < n && s[*i] == '.') {
		++*i;
		f.precision = star_or_number(p, s, n, i, WIDTH_MAX, "precision");
		if (f.precision < 0)
			f.precision = 0;
	}
	while (*i < n && (s[*i] == 'h' || s[*i] == 'l' || s[*i] == 'L'))
		++*i;
	if (*i >= n)
		jx_fail(p->r, "incomplete format");
	f.type = s[(*i)++];
	if (f.type == '%') {
		jx_text_char(b, '%');
		return;
	}
	if (v.type == JV_MISSING)
		v = next_arg(p);
	if (f.type == 's' || f.type == 'r' || f.type == 'a') {
		v = as_text(p, v, f.type);
		if (f.precision >= 0)
			v.len = (uint32_t)jx_utf8_at(v.u.s, v.len, (size_t)f.precision);
		put_padded(b, &f, '>', "", 0, v.u.s, v.len);
		return;
	}
	if (f.precision > PRECISION_MAX)
		jx_fail(p->r, "a precision over %d is too much", PRECISION_MAX);
	if (f.zero && f.align != '<' && f.type != 'c') {
		f.fill = jv_str("0", 1);
		f.align = '=';
	}
	if (f.type == 'i' || f.type == 'u')
		f.type = 'd';
	if (strchr("doxX", f.type))
		percent_int(p, b, &f, v);
	else if (strchr("eEfFgG", f.type))
		percent_float(p, b, &f, v);
	else if (f.type == 'c')
		percent_char(p, b, &f, v);
	else
		jx_fail(p->r, "unsupported format character '%c'", f.type);
}

struct jv jx_percent(struct jinja_run *r, struct jv fmt, struct jv args)
{
	struct percent p = {.r = r, .args = args, .markup = fmt.flags & JF_MARKUP};
	struct jx_text b = {.r = r};
	const char *s = fmt.u.s;
	for (size_t i = 0; i < fmt.len;) {
		size_t from = i;
		while (i < fmt.len && s[i] != '%')
			i++;
		jx_text_add(&b, s + from, i - from);
		if (i < fmt.len) {
			i++;
			convert(&p, &b, s, fmt.len, &i);
		}
	}
	int mapping = args.type == JV_DICT || args.type == JV_LIST || args.type == JV_UNDEFINED ||
		      args.type == JV_RANGE;
	if (args.type == JV_TUPLE ? p.at < args.u.list->n : !p.at && !mapping)
		jx_fail(r, "not all arguments converted during string formatting");
	struct jv v = jx_text_end(&b);
	v.flags = fmt.flags;
	return v;
}
