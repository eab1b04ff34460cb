/* Filters whose subject is text. */
#include "tools/tmpl/jinja_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static struct jv f_capitalize(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)c;
	return jx_case(r, jx_soft_str(r, v), CASE_CAPITAL);
}

static struct jv f_lower(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)c;
	return jx_case(r, jx_soft_str(r, v), CASE_LOWER);
}

static struct jv f_upper(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)c;
	return jx_case(r, jx_soft_str(r, v), CASE_UPPER);
}

static int parts_words(uint32_t c)
{
	return c == '-' || c == '(' || c == '{' || c == '[' || c == '<' || jx_is_space(c);
}

/* Each piece between blanks and opening brackets: its first character upper, the others lower. */
static struct jv f_title(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)c;
	struct jx_text b = {.r = r};
	v = jx_soft_str(r, v);
	for (size_t i = 0; i < v.len;) {
		size_t from = i, next = i;
		int parts = parts_words(jx_utf8_get(v.u.s, v.len, &next));
		for (size_t end = next; end < v.len; next = end)
			if (parts_words(jx_utf8_get(v.u.s, v.len, &end)) != parts)
				break;
		size_t first = from;
		jx_utf8_get(v.u.s, v.len, &first);
		struct jv head = jx_case(r, jv_str(v.u.s + from, first - from), CASE_UPPER);
		struct jv tail = jx_case(r, jv_str(v.u.s + first, next - first), CASE_LOWER);
		jx_text_add(&b, head.u.s, head.len);
		jx_text_add(&b, tail.u.s, tail.len);
		i = next;
	}
	return jx_text_end(&b);
}

static void spaces(struct jx_text *b, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		jx_text_char(b, ' ');
}

static struct jv f_center(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	v = jx_soft_str(r, v);
	int64_t width = jx_arg_int(r, c->a[0], 80), n = (int64_t)jx_utf8_len(v.u.s, v.len);
	if (width <= n)
		return v;
	int64_t margin = width - n, left = margin / 2 + (margin & width & 1);
	struct jx_text b = {.r = r};
	spaces(&b, left);
	jx_text_add(&b, v.u.s, v.len);
	spaces(&b, margin - left);
	return jx_text_end(&b);
}

static struct jv f_filesizeformat(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	static const char *const si[] = {"kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"};
	static const char *const binary[] = {
		"KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"};
	int two = jx_arg_true(r, c->a[0], 0);
	double n, base = two ? 1024 : 1000, unit = base;
	char buf[400]; /* the largest double has 309 digits */
	if (jx_is_number(v))
		n = jx_double(v);
	else if (v.type != JV_STR || jx_parse_float(v, &n))
		jx_fail(r, "could not convert a value of type %s to float", jx_type_name(v));
	if (n == 1)
		return jx_strz("1 Byte");
	if (n < base) {
		snprintf(buf, sizeof buf, "%.0f Bytes", trunc(n) + 0.0);
		return jx_str_copy(r, buf, strlen(buf));
	}
	size_t i = 0;
	for (unit = base * base; i < 7 && n >= unit; i++)
		unit *= base;
	snprintf(buf, sizeof buf, "%.1f %s", base * n / unit, (two ? binary : si)[i]);
	return jx_str_copy(r, buf, strlen(buf));
}

static struct jv f_format(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	v = jx_soft_str(r, v);
	if (c->npos && c->nkw)
		jx_fail(r, "can't handle positional and keyword arguments at the same time");
	struct jv args = c->nkw ? jx_dict(r, c->nkw) : jx_tuple(r, c->npos);
	for (size_t i = 0; i < c->nkw; i++)
		jx_dict_put(r, args, c->kw[i * 2], c->kw[i * 2 + 1]);
	for (size_t i = 0; i < c->npos; i++)
		jx_push(r, args, c->pos[i]);
	return jx_percent(r, v, args);
}

/* indent(width=4, first=False, blank=False): lines as str.splitlines has them, joined by newlines. */
static struct jv f_indent(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	struct jx_text pad = {.r = r}, b = {.r = r};
	if (v.type == JV_UNDEFINED)
		jx_fail_undefined(r, v);
	v = jx_want_str(r, v, "what is indented");
	if (c->a[0].type == JV_STR)
		jx_text_add(&pad, c->a[0].u.s, c->a[0].len);
	else
		spaces(&pad, jx_arg_int(r, c->a[0], 4));
	int first = jx_arg_true(r, c->a[1], 0), blank = jx_arg_true(r, c->a[2], 0);
	/* Jinja puts a newline behind the text first, so that a last empty line counts. */
	struct jv text = jx_str_cat(r, jx_str_copy(r, v.u.s, v.len), "\n", 1);
	struct jv lines = jx_splitlines(r, text, 0);
	for (uint32_t i = 0; i < lines.u.list->n; i++) {
		struct jv line = lines.u.list->v[i];
		if (i)
			jx_text_char(&b, '\n');
		if (i ? blank || line.len : first)
			jx_text_add(&b, pad.s, pad.len);
		jx_text_add(&b, line.u.s, line.len);
	}
	return jx_text_end(&b);
}

static struct jv f_replace(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	int64_t count = jx_given(c->a[2]) ? jx_index(r, c->a[2]) : -1;
	return jx_replace(r, jx_to_str(r, v), jx_to_str(r, c->a[0]), jx_to_str(r, c->a[1]), count);
}

static struct jv f_trim(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	struct jv chars = c->a[0];
	if (jx_given(chars))
		jx_want_str(r, chars, "the characters to trim");
	return jx_strip(jx_soft_str(r, v), jx_given(chars) ? &chars : NULL, 1, 1);
}

static struct jv f_truncate(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	struct jv end =
		c->a[2].type == JV_MISSING ? jv_str("...", 3) : jx_want_str(r, c->a[2], "the end");
	int64_t length = jx_arg_int(r, c->a[0], 255),
		leeway = jx_given(c->a[3]) ? jx_index(r, c->a[3]) : 5;
	int64_t nend = (int64_t)jx_utf8_len(end.u.s, end.len);
	if (length < nend)
		jx_fail(r, "expected length >= %lld, got %lld", (long long)nend, (long long)length);
	if (leeway < 0)
		jx_fail(r, "expected leeway >= 0, got %lld", (long long)leeway);
	int64_t n = jx_len(r, v);
	if (n < 0)
		jx_fail(r, "object of type '%s' has no len()", jx_type_name(v));
	if (n <= length + leeway)
		return v;
	jx_want_str(r, v, "what is truncated");
	size_t keep = jx_utf8_at(v.u.s, v.len, (size_t)(length - nend));
	for (size_t i = keep; !jx_arg_true(r, c->a[1], 0) && i-- > 0;) {
		if (v.u.s[i] == ' ') {
			keep = i;
			break;
		}
	}
	return jx_str_cat(r, jx_str_copy(r, v.u.s, keep), end.u.s, end.len);
}

static struct jv f_wordcount(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)c;
	v = jx_soft_str(r, v);
	int64_t n = 0;
	int inside = 0;
	for (size_t i = 0; i < v.len;) {
		int word = jx_is_word(jx_utf8_get(v.u.s, v.len, &i));
		n += word && !inside;
		inside = word;
	}
	return jv_int(n);
}

static void quote(struct jx_text *b, struct jv s, int query)
{
	static const char hex[] = "0123456789ABCDEF", plain[] = "_.-~";
	for (size_t i = 0; i < s.len; i++) {
		unsigned char ch = (unsigned char)s.u.s[i];
		int keep = (ch >= '0' && ch <= '9') || ((ch | 32) >= 'a' && (ch | 32) <= 'z') ||
			   (ch && strchr(plain, ch)) || (ch == '/' && !query);
		if (keep) {
			jx_text_char(b, (char)ch);
		} else if (ch == ' ' && query) {
			jx_text_char(b, '+');
		} else {
			char e[3] = {'%', hex[ch >> 4], hex[ch & 15]};
			jx_text_add(b, e, 3);
		}
	}
}

/* A string is quoted as a path; a mapping or pairs make a query. */
static struct jv f_urlencode(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)c;
	struct jx_text b = {.r = r};
	struct jx_iter it;
	struct jv item;
	if (v.type == JV_STR || !jx_iterable(v)) {
		quote(&b, jx_to_str(r, v), 0);
		return jx_text_end(&b);
	}
	if (v.type == JV_DICT)
		v = (struct jv){.type = JV_VIEW, .aux = VIEW_ITEMS, .u.dict = v.u.dict};
	jx_iter(r, &it, v);
	for (int i = 0; jx_iter_next(r, &it, &item); i++) {
		struct jv pair = jx_to_list(r, item);
		if (pair.u.list->n != 2)
			jx_fail(r, "urlencode wants pairs");
		if (i)
			jx_text_char(&b, '&');
		quote(&b, jx_to_str(r, pair.u.list->v[0]), 1);
		jx_text_char(&b, '=');
		quote(&b, jx_to_str(r, pair.u.list->v[1]), 1);
	}
	return jx_text_end(&b);
}

static struct jv f_xmlattr(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	struct jx_text b = {.r = r};
	if (v.type != JV_DICT)
		jx_fail(r, "'%s' object has no attribute 'items'", jx_type_name(v));
	int space = jx_arg_true(r, c->a[0], 1);
	for (uint32_t i = 0; i < v.u.dict->n; i++) {
		struct jv key = jx_to_str(r, v.u.dict->e[i].key), value = v.u.dict->e[i].value;
		if (value.type == JV_NONE || value.type == JV_UNDEFINED)
			continue;
		for (size_t k = 0; k < key.len; k++)
			if (jx_is_space((unsigned char)key.u.s[k]) || strchr("/>=", key.u.s[k]))
				jx_fail(r, "invalid character in attribute name: '%.*s'",
					(int)key.len, key.u.s);
		if (b.len || space)
			jx_text_char(&b, ' ');
		key = jx_escape(r, key);
		value = jx_escape(r, value);
		jx_text_add(&b, key.u.s, key.len);
		jx_text_add(&b, "=\"", 2);
		jx_text_add(&b, value.u.s, value.len);
		jx_text_char(&b, '"');
	}
	struct jv out = jx_text_end(&b);
	out.flags = r->autoescape ? JF_MARKUP : 0;
	return out;
}

const struct jx_builtin jx_filters_text[] = {
	{"capitalize", f_capitalize, ""},
	{"center", f_center, "?width"},
	{"filesizeformat", f_filesizeformat, "?binary"},
	{"format", f_format, NULL},
	{"indent", f_indent, "?width ?first ?blank"},
	{"lower", f_lower, ""},
	{"replace", f_replace, "old new ?count"},
	{"title", f_title, ""},
	{"trim", f_trim, "?chars"},
	{"truncate", f_truncate, "?length ?killwords ?end ?leeway"},
	{"upper", f_upper, ""},
	{"urlencode", f_urlencode, ""},
	{"wordcount", f_wordcount, ""},
	{"xmlattr", f_xmlattr, "?autospace"},
	{0},
};
