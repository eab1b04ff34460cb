/* Formatting as Python does it: str.format (sandboxed: fields are looked up by Jinja's rules), fmt % args. */
#include "tools/tmpl/jinja_spec.h"
#include "common/utf8.h"

#include <math.h>
#include <string.h>

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
		jx_format_value(f->r, b, v, spec);
		return;
	}
	struct jx_text t = {.r = f->r};
	int safe = v.type == JV_STR && (v.flags & JF_MARKUP);
	if (safe && spec.len)
		jx_fail(f->r, "Unsupported format specification for Markup.");
	jx_format_value(f->r, &t, v, spec);
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

static void percent_int(struct percent *p, struct jx_text *b, struct jx_spec *f, struct jv v)
{
	char digits[JX_PRECISION_MAX + 80], lead[4], raw[80];
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
	size_t m = jx_int_digits(i, base, f->type == 'X', raw), n = 0,
	       nlead = jx_sign_of(f, i < 0, lead);
	if (f->alt && base != 10) {
		lead[nlead++] = '0';
		lead[nlead++] = f->type;
	}
	for (int k = (int)m; k < f->precision; k++)
		digits[n++] = '0';
	memcpy(digits + n, raw, m);
	jx_put_padded(b, f, '>', lead, nlead, digits, n + m);
}

static void percent_float(struct percent *p, struct jx_text *b, struct jx_spec *f, struct jv v)
{
	if (v.type == JV_UNDEFINED)
		jx_fail_undefined(p->r, v);
	if (!jx_is_number(v))
		jx_fail(p->r, "must be real number, not %s", jx_type_name(v));
	jx_format_float(p->r, b, f, jx_double(v));
}

static void percent_char(struct percent *p, struct jx_text *b, struct jx_spec *f, struct jv v)
{
	char c[4];
	if (v.type == JV_STR && jx_utf8_len(v.u.s, v.len) == 1) {
		jx_put_padded(b, f, '>', "", 0, v.u.s, v.len);
		return;
	}
	if ((v.type != JV_INT && v.type != JV_BOOL) || v.u.i < 0 || v.u.i > 0x10ffff ||
		(v.u.i >= 0xd800 && v.u.i < 0xe000))
		jx_fail(p->r, "%%c requires int or char");
	jx_put_padded(b, f, '>', "", 0, c, utf8_put((uint32_t)v.u.i, c));
}

static int star_or_number(
	struct percent *p, const char *s, size_t n, size_t *i, int max, const char *what)
{
	if (*i >= n || s[*i] != '*')
		return jx_spec_number(p->r, s, n, i, max, what);
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
	struct jx_spec f = {.fill = jv_str(" ", 1), .precision = -1};
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
	f.width = star_or_number(p, s, n, i, JX_WIDTH_MAX, "width");
	if (f.width < 0) {
		f.width = -f.width;
		f.align = '<';
	}
	if (*i < n && s[*i] == '.') {
		++*i;
		f.precision = star_or_number(p, s, n, i, JX_WIDTH_MAX, "precision");
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
		jx_put_padded(b, &f, '>', "", 0, v.u.s, v.len);
		return;
	}
	if (f.precision > JX_PRECISION_MAX)
		jx_fail(p->r, "a precision over %d is too much", JX_PRECISION_MAX);
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
