/* Methods of strings. What is marked safe stays so, and escapes what is put into it. */
#include "tools/tmpl/jinja_int.h"

#include <string.h>

static struct jv escaped(struct jinja_run *r, struct jv self, struct jv v)
{
	return self.flags & JF_MARKUP ? jx_escape(r, v) : v;
}

static struct jv upper(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	(void)c;
	return jx_case(r, s, CASE_UPPER);
}

static struct jv lower(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	(void)c;
	return jx_case(r, s, CASE_LOWER);
}

static struct jv title(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	(void)c;
	return jx_case(r, s, CASE_TITLE);
}

static struct jv capitalize(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	(void)c;
	return jx_case(r, s, CASE_CAPITAL);
}

static struct jv swapcase(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	(void)c;
	return jx_case(r, s, CASE_SWAP);
}

static struct jv casefold(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	(void)c;
	return jx_case(r, s, CASE_FOLD);
}

static struct jv strip_sides(
	struct jinja_run *r, struct jv s, struct jx_call *c, int left, int right)
{
	if (!jx_given(c->a[0]))
		return jx_strip(s, NULL, left, right);
	if (c->a[0].type != JV_STR)
		jx_fail(r, "strip arg must be None or str");
	jx_spend(r, (uint64_t)s.len * c->a[0].len / 64);
	return jx_strip(s, &c->a[0], left, right);
}

static struct jv strip(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	return strip_sides(r, s, c, 1, 1);
}

static struct jv lstrip(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	return strip_sides(r, s, c, 1, 0);
}

static struct jv rstrip(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	return strip_sides(r, s, c, 0, 1);
}

static struct jv split_side(struct jinja_run *r, struct jv s, struct jx_call *c, int right)
{
	if (jx_given(c->a[0]))
		jx_want_str(r, c->a[0], "the separator");
	return jx_split(
		r, s, jx_given(c->a[0]) ? &c->a[0] : NULL, jx_arg_int(r, c->a[1], -1), right);
}

static struct jv split(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	return split_side(r, s, c, 0);
}

static struct jv rsplit(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	return split_side(r, s, c, 1);
}

static struct jv splitlines(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	return jx_splitlines(r, s, jx_arg_true(r, c->a[0], 0));
}

static struct jv part(struct jv s, size_t from, size_t to)
{
	s.u.s += from;
	s.len = (uint32_t)(to - from);
	return s;
}

static struct jv three(struct jinja_run *r, struct jv a, struct jv b, struct jv c)
{
	struct jv t = jx_tuple(r, 3);
	jx_push(r, t, a);
	jx_push(r, t, b);
	jx_push(r, t, c);
	return t;
}

static struct jv partition(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	struct jv sep = jx_want_str(r, c->a[0], "the separator"), none = part(s, 0, 0);
	if (!sep.len)
		jx_fail(r, "empty separator");
	const char *p = jx_find(s.u.s, s.len, sep.u.s, sep.len);
	if (!p)
		return three(r, s, none, none);
	size_t at = (size_t)(p - s.u.s);
	return three(r, part(s, 0, at), part(s, at, at + sep.len), part(s, at + sep.len, s.len));
}

/* The last place of what in s[from, to), -1: none. */
static int64_t last_of(struct jv s, struct jv what, size_t from, size_t to)
{
	for (size_t i = to; i >= from + what.len; i--) {
		if (!what.len || memcmp(s.u.s + i - what.len, what.u.s, what.len) == 0)
			return (int64_t)(i - what.len);
		if (i == 0)
			break;
	}
	return -1;
}

static struct jv rpartition(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	struct jv sep = jx_want_str(r, c->a[0], "the separator"), none = part(s, 0, 0);
	if (!sep.len)
		jx_fail(r, "empty separator");
	jx_spend(r, s.len / 8);
	int64_t at = last_of(s, sep, 0, s.len);
	if (at < 0)
		return three(r, none, none, s);
	return three(r, part(s, 0, (size_t)at), part(s, (size_t)at, (size_t)at + sep.len),
		part(s, (size_t)at + sep.len, s.len));
}

/* Arguments start and end (a[1], a[2]) as byte offsets; 0 when the range is empty beyond repair. */
static int byte_range(struct jinja_run *r, struct jv s, struct jx_call *c, size_t *from, size_t *to)
{
	int64_t n = jx_len(r, s);
	int64_t a = jx_given(c->a[1]) ? jx_index(r, c->a[1]) : 0,
		b = jx_given(c->a[2]) ? jx_index(r, c->a[2]) : n;
	if (a < 0)
		a = a + n < 0 ? 0 : a + n;
	if (b < 0)
		b = b + n < 0 ? 0 : b + n;
	if (b > n)
		b = n;
	if (a > b)
		return 0;
	*from = jx_utf8_at(s.u.s, s.len, (size_t)a);
	*to = jx_utf8_at(s.u.s, s.len, (size_t)b);
	return 1;
}

static int64_t place(struct jinja_run *r, struct jv s, struct jx_call *c, int last)
{
	struct jv what = jx_want_str(r, c->a[0], "the substring");
	size_t from, to;
	if (!byte_range(r, s, c, &from, &to))
		return -1;
	int64_t at = -1;
	if (last) {
		jx_spend(r, s.len / 8);
		at = last_of(s, what, from, to);
	} else {
		const char *p = jx_find(s.u.s + from, to - from, what.u.s, what.len);
		at = p ? p - s.u.s : -1;
	}
	return at < 0 ? -1 : (int64_t)jx_utf8_len(s.u.s, (size_t)at);
}

static struct jv find(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	return jv_int(place(r, s, c, 0));
}

static struct jv rfind(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	return jv_int(place(r, s, c, 1));
}

static struct jv found(struct jinja_run *r, int64_t at)
{
	if (at < 0)
		jx_fail(r, "substring not found");
	return jv_int(at);
}

static struct jv index_of(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	return found(r, place(r, s, c, 0));
}

static struct jv rindex_of(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	return found(r, place(r, s, c, 1));
}

static struct jv count(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	struct jv what = jx_want_str(r, c->a[0], "the substring");
	size_t from, to;
	int64_t n = 0;
	if (!byte_range(r, s, c, &from, &to))
		return jv_int(0);
	if (!what.len)
		return jv_int((int64_t)jx_utf8_len(s.u.s + from, to - from) + 1);
	for (const char *p; (p = jx_find(s.u.s + from, to - from, what.u.s, what.len)); n++)
		from = (size_t)(p - s.u.s) + what.len;
	return jv_int(n);
}

static int has_end(struct jinja_run *r, struct jv s, struct jv what, struct jx_call *c, int end)
{
	size_t from, to;
	jx_want_str(r, what, end ? "the argument of endswith" : "the argument of startswith");
	if (!byte_range(r, s, c, &from, &to) || to - from < what.len)
		return 0;
	return memcmp(s.u.s + (end ? to - what.len : from), what.u.s, what.len) == 0;
}

static struct jv ends(struct jinja_run *r, struct jv s, struct jx_call *c, int end)
{
	if (c->a[0].type != JV_TUPLE)
		return jv_bool(has_end(r, s, c->a[0], c, end));
	for (uint32_t i = 0; i < c->a[0].u.list->n; i++)
		if (has_end(r, s, c->a[0].u.list->v[i], c, end))
			return jv_bool(1);
	return jv_bool(0);
}

static struct jv startswith(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	return ends(r, s, c, 0);
}

static struct jv endswith(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	return ends(r, s, c, 1);
}

static struct jv replace(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	struct jv old = jx_want_str(r, c->a[0], "replace() argument 1");
	if (!(s.flags & JF_MARKUP))
		jx_want_str(r, c->a[1], "replace() argument 2");
	return jx_replace(r, s, old, escaped(r, s, c->a[1]), jx_arg_int(r, c->a[2], -1));
}

static struct jv join(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	struct jx_iter it;
	struct jx_text b = {.r = r};
	struct jv v;
	jx_iter(r, &it, c->a[0]);
	for (int i = 0; jx_iter_next(r, &it, &v); i++) {
		if (i)
			jx_text_add(&b, s.u.s, s.len);
		if (s.flags & JF_MARKUP)
			v = jx_escape(r, v);
		else if (v.type != JV_STR)
			jx_fail(r, "sequence item %d: expected str instance, %s found", i,
				jx_type_name(v));
		jx_text_add(&b, v.u.s, v.len);
	}
	struct jv out = jx_text_end(&b);
	out.flags = s.flags;
	return out;
}

static struct jv format(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	struct jv kw = jx_dict(r, c->nkw);
	for (size_t i = 0; i < c->nkw; i++)
		jx_dict_put(r, kw, c->kw[i * 2], c->kw[i * 2 + 1]);
	return jx_format(r, s, c->pos, c->npos, kw);
}

static struct jv format_map(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	return jx_format(r, s, NULL, 0, c->a[0]);
}

/* One character to fill with. */
static struct jv fill_of(struct jinja_run *r, struct jv s, struct jv v)
{
	if (v.type == JV_MISSING)
		return jv_str(" ", 1);
	v = escaped(r, s, jx_want_str(r, v, "the fill character"));
	if (jx_utf8_len(v.u.s, v.len) != 1)
		jx_fail(r, "The fill character must be exactly one character long");
	return v;
}

static struct jv padded(
	struct jinja_run *r, struct jv s, struct jv fill, int64_t left, int64_t right)
{
	struct jx_text b = {.r = r};
	if (left <= 0 && right <= 0)
		return s;
	for (int64_t i = 0; i < left; i++)
		jx_text_add(&b, fill.u.s, fill.len);
	jx_text_add(&b, s.u.s, s.len);
	for (int64_t i = 0; i < right; i++)
		jx_text_add(&b, fill.u.s, fill.len);
	struct jv v = jx_text_end(&b);
	v.flags = s.flags;
	return v;
}

static struct jv ljust(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	int64_t room = jx_index(r, c->a[0]) - jx_len(r, s);
	return padded(r, s, fill_of(r, s, c->a[1]), 0, room);
}

static struct jv rjust(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	int64_t room = jx_index(r, c->a[0]) - jx_len(r, s);
	return padded(r, s, fill_of(r, s, c->a[1]), room, 0);
}

static struct jv center(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	int64_t width = jx_index(r, c->a[0]), room = width - jx_len(r, s);
	struct jv fill = fill_of(r, s, c->a[1]);
	int64_t left = room > 0 ? room / 2 + (room & width & 1) : 0;
	return padded(r, s, fill, left, room - left);
}

static struct jv zfill(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	int64_t room = jx_index(r, c->a[0]) - jx_len(r, s);
	size_t sign = s.len && (*s.u.s == '-' || *s.u.s == '+');
	if (room <= 0)
		return s;
	struct jx_text b = {.r = r};
	jx_text_add(&b, s.u.s, sign);
	for (int64_t i = 0; i < room; i++)
		jx_text_char(&b, '0');
	jx_text_add(&b, s.u.s + sign, s.len - sign);
	struct jv v = jx_text_end(&b);
	v.flags = s.flags;
	return v;
}

static struct jv expandtabs(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	int64_t size = jx_arg_int(r, c->a[0], 8), column = 0;
	struct jx_text b = {.r = r};
	for (size_t i = 0; i < s.len;) {
		size_t from = i;
		uint32_t ch = jx_utf8_get(s.u.s, s.len, &i);
		if (ch == '\t') {
			int64_t n = size > 0 ? size - column % size : 0;
			for (int64_t k = 0; k < n; k++)
				jx_text_char(&b, ' ');
			column += n;
			continue;
		}
		jx_text_add(&b, s.u.s + from, i - from);
		column = ch == '\n' || ch == '\r' ? 0 : column + 1;
	}
	struct jv v = jx_text_end(&b);
	v.flags = s.flags;
	return v;
}

static struct jv removeprefix(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	struct jv p = jx_want_str(r, c->a[0], "the prefix");
	return s.len >= p.len && memcmp(s.u.s, p.u.s, p.len) == 0 ? part(s, p.len, s.len) : s;
}

static struct jv removesuffix(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	struct jv p = jx_want_str(r, c->a[0], "the suffix");
	int has = p.len && s.len >= p.len && memcmp(s.u.s + s.len - p.len, p.u.s, p.len) == 0;
	return has ? part(s, 0, s.len - p.len) : s;
}

/* All characters are of a class, and there are some. */
static struct jv all(struct jv s, int (*is)(uint32_t c), int empty)
{
	for (size_t i = 0; i < s.len;)
		if (!is(jx_utf8_get(s.u.s, s.len, &i)))
			return jv_bool(0);
	return jv_bool(s.len || empty);
}

static int is_alnum(uint32_t c)
{
	return jx_is_alpha(c) || jx_is_numeric(c);
}

static int is_ascii_char(uint32_t c)
{
	return c < 0x80;
}

static struct jv isalnum_(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	(void)r, (void)c;
	return all(s, is_alnum, 0);
}

static struct jv isalpha_(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	(void)r, (void)c;
	return all(s, jx_is_alpha, 0);
}

static struct jv isascii_(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	(void)r, (void)c;
	return all(s, is_ascii_char, 1);
}

static struct jv isdecimal(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	(void)r, (void)c;
	return all(s, jx_is_decimal, 0);
}

static struct jv isdigit_(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	(void)r, (void)c;
	return all(s, jx_is_digit, 0);
}

static struct jv isnumeric(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	(void)r, (void)c;
	return all(s, jx_is_numeric, 0);
}

static struct jv isspace_(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	(void)r, (void)c;
	return all(s, jx_is_space, 0);
}

static struct jv isprintable(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	(void)r, (void)c;
	return all(s, jx_is_printable, 1);
}

static struct jv isidentifier(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	(void)r, (void)c;
	for (size_t i = 0; i < s.len;) {
		int first = i == 0;
		if (!jx_is_ident(jx_utf8_get(s.u.s, s.len, &i), first))
			return jv_bool(0);
	}
	return jv_bool(s.len != 0);
}

int jx_is_case(struct jv s, int up)
{
	int cased = 0;
	for (size_t i = 0; i < s.len;) {
		uint32_t c = jx_utf8_get(s.u.s, s.len, &i);
		int u = jx_is_upper(c), l = jx_is_lower(c);
		if (jx_is_title(c) || (up ? l : u))
			return 0;
		cased |= u || l;
	}
	return cased;
}

static struct jv isupper_(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	(void)r, (void)c;
	return jv_bool(jx_is_case(s, 1));
}

static struct jv islower_(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	(void)r, (void)c;
	return jv_bool(jx_is_case(s, 0));
}

static struct jv istitle(struct jinja_run *r, struct jv s, struct jx_call *c)
{
	(void)r, (void)c;
	int cased = 0, before = 0;
	for (size_t i = 0; i < s.len;) {
		uint32_t ch = jx_utf8_get(s.u.s, s.len, &i);
		int u = jx_is_upper(ch) || jx_is_title(ch), l = jx_is_lower(ch);
		if ((u && before) || (l && !before))
			return jv_bool(0);
		before = u || l;
		cased |= before;
	}
	return jv_bool(cased);
}

const struct jx_builtin jx_str_methods[] = {
	{"strip", strip, "/?chars"},
	{"split", split, "?sep ?maxsplit"},
	{"startswith", startswith, "/prefix ?start ?end"},
	{"endswith", endswith, "/suffix ?start ?end"},
	{"lstrip", lstrip, "/?chars"},
	{"rstrip", rstrip, "/?chars"},
	{"replace", replace, "/old new ?count"},
	{"upper", upper, "/"},
	{"lower", lower, "/"},
	{"title", title, "/"},
	{"capitalize", capitalize, "/"},
	{"join", join, "/iterable"},
	{"format", format, NULL},
	{"find", find, "/sub ?start ?end"},
	{"rfind", rfind, "/sub ?start ?end"},
	{"index", index_of, "/sub ?start ?end"},
	{"rindex", rindex_of, "/sub ?start ?end"},
	{"count", count, "/sub ?start ?end"},
	{"rsplit", rsplit, "?sep ?maxsplit"},
	{"splitlines", splitlines, "?keepends"},
	{"partition", partition, "/sep"},
	{"rpartition", rpartition, "/sep"},
	{"removeprefix", removeprefix, "/prefix"},
	{"removesuffix", removesuffix, "/suffix"},
	{"swapcase", swapcase, "/"},
	{"casefold", casefold, "/"},
	{"format_map", format_map, "/mapping"},
	{"ljust", ljust, "/width ?fillchar"},
	{"rjust", rjust, "/width ?fillchar"},
	{"center", center, "/width ?fillchar"},
	{"zfill", zfill, "/width"},
	{"expandtabs", expandtabs, "?tabsize"},
	{"isalnum", isalnum_, "/"},
	{"isalpha", isalpha_, "/"},
	{"isascii", isascii_, "/"},
	{"isdecimal", isdecimal, "/"},
	{"isdigit", isdigit_, "/"},
	{"isnumeric", isnumeric, "/"},
	{"isspace", isspace_, "/"},
	{"isprintable", isprintable, "/"},
	{"isidentifier", isidentifier, "/"},
	{"isupper", isupper_, "/"},
	{"islower", islower_, "/"},
	{"istitle", istitle, "/"},
	{0},
};
