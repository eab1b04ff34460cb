/* Strings as sequences of code points in UTF-8: finding, cutting, splitting. */
#include "tools/tmpl/jinja_int.h"

#include <string.h>

size_t jx_utf8_len(const char *s, size_t n)
{
	size_t count = 0;
	for (size_t i = 0; i < n; i++)
		count += ((unsigned char)s[i] & 0xc0) != 0x80;
	return count;
}

size_t jx_utf8_at(const char *s, size_t n, size_t i)
{
	size_t at = 0;
	while (i && at < n) {
		at++;
		while (at < n && ((unsigned char)s[at] & 0xc0) == 0x80)
			at++;
		i--;
	}
	return at;
}

uint32_t jx_utf8_get(const char *s, size_t n, size_t *i)
{
	const unsigned char *p = (const unsigned char *)s + *i;
	size_t left = n - *i;
	if (p[0] < 0x80 || left < 2) {
		++*i;
		return p[0];
	}
	if (p[0] < 0xe0) {
		*i += 2;
		return (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3fu);
	}
	if (p[0] < 0xf0 && left >= 3) {
		*i += 3;
		return (uint32_t)(p[0] & 0xf) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3fu);
	}
	if (left >= 4) {
		*i += 4;
		return (uint32_t)(p[0] & 7) << 18 | (uint32_t)(p[1] & 0x3f) << 12 |
		       (uint32_t)(p[2] & 0x3f) << 6 | (p[3] & 0x3fu);
	}
	++*i;
	return p[0];
}

const char *jx_find(const char *hay, size_t n, const char *needle, size_t m)
{
	return m && n ? memmem(hay, n, needle, m) : m ? NULL : hay;
}

/* The start of the character that ends at `end`. */
static size_t back(const char *s, size_t end)
{
	do
		end--;
	while (end > 0 && ((unsigned char)s[end] & 0xc0) == 0x80);
	return end;
}

static int in_set(const struct jv *chars, const char *c, size_t n)
{
	size_t i = 0;
	if (!chars)
		return jx_is_space(jx_utf8_get(c, n, &i));
	for (size_t k = 0; k < chars->len;) {
		size_t from = k;
		jx_utf8_get(chars->u.s, chars->len, &k);
		if (k - from == n && memcmp(chars->u.s + from, c, n) == 0)
			return 1;
	}
	return 0;
}

struct jv jx_strip(struct jv s, const struct jv *chars, int left, int right)
{
	size_t from = 0, to = s.len;
	while (left && from < to) {
		size_t i = from;
		jx_utf8_get(s.u.s, to, &i);
		if (!in_set(chars, s.u.s + from, i - from))
			break;
		from = i;
	}
	while (right && to > from) {
		size_t i = back(s.u.s, to);
		if (!in_set(chars, s.u.s + i, to - i))
			break;
		to = i;
	}
	s.u.s += from;
	s.len = (uint32_t)(to - from);
	return s;
}

struct jv jx_replace(struct jinja_run *r, struct jv s, struct jv old, struct jv new, int64_t count)
{
	struct jx_text b = {.r = r};
	size_t at = 0;
	if (count < 0)
		count = INT64_MAX;
	jx_spend(r, s.len / 16);
	while (count > 0 && at <= s.len) {
		size_t hit;
		if (old.len) {
			const char *p = jx_find(s.u.s + at, s.len - at, old.u.s, old.len);
			if (!p)
				break;
			hit = (size_t)(p - s.u.s);
		} else {
			hit = at; /* between all characters, and at both ends */
		}
		jx_text_add(&b, s.u.s + at, hit - at);
		jx_text_add(&b, new.u.s, new.len);
		count--;
		at = hit + old.len;
		if (!old.len) {
			if (at == s.len) {
				at = s.len + 1;
				break;
			}
			size_t i = at;
			jx_utf8_get(s.u.s, s.len, &i);
			jx_text_add(&b, s.u.s + at, i - at);
			at = i;
		}
		jx_spend(r, 1);
	}
	if (at == 0)
		return s;
	if (at < s.len)
		jx_text_add(&b, s.u.s + at, s.len - at);
	struct jv v = jx_text_end(&b);
	v.flags = s.flags;
	return v;
}

static void add_piece(struct jinja_run *r, struct jv list, struct jv s, size_t from, size_t to)
{
	s.u.s += from;
	s.len = (uint32_t)(to - from);
	jx_push(r, list, s);
}

static void flip(struct jv list)
{
	struct jv_list *l = list.u.list;
	for (uint32_t i = 0; i < l->n / 2; i++) {
		struct jv t = l->v[i];
		l->v[i] = l->v[l->n - 1 - i];
		l->v[l->n - 1 - i] = t;
	}
}

/* At runs of white space; pieces are never empty. */
static void split_space(struct jinja_run *r, struct jv out, struct jv s, int64_t max)
{
	size_t at = 0;
	for (;; max--) {
		struct jv rest = s;
		rest.u.s += at;
		rest.len = (uint32_t)(s.len - at);
		rest = jx_strip(rest, NULL, 1, 0);
		at = (size_t)(rest.u.s - s.u.s);
		if (at == s.len)
			return;
		size_t end = at;
		while (end < s.len) {
			size_t i = end;
			if (max != 0 && jx_is_space(jx_utf8_get(s.u.s, s.len, &i)))
				break;
			end = max != 0 ? i : s.len;
		}
		add_piece(r, out, s, at, end);
		at = end;
	}
}

static void rsplit_space(struct jinja_run *r, struct jv out, struct jv s, int64_t max)
{
	size_t to = s.len;
	for (;; max--) {
		struct jv rest = s;
		rest.len = (uint32_t)to;
		to = jx_strip(rest, NULL, 0, 1).len;
		if (!to)
			return;
		size_t from = to;
		while (from > 0) {
			size_t i = back(s.u.s, from), j = i;
			if (max != 0 && jx_is_space(jx_utf8_get(s.u.s, s.len, &j)))
				break;
			from = max != 0 ? i : 0;
		}
		add_piece(r, out, s, from, to);
		to = from;
	}
}

struct jv jx_split(struct jinja_run *r, struct jv s, const struct jv *sep, int64_t max, int right)
{
	struct jv out = jx_list(r, 4);
	jx_spend(r, s.len / 16);
	if (sep && !sep->len)
		jx_fail(r, "empty separator");
	if (!sep) {
		if (right)
			rsplit_space(r, out, s, max);
		else
			split_space(r, out, s, max);
	} else if (!right) {
		size_t at = 0;
		const char *p;
		for (; max != 0 && (p = jx_find(s.u.s + at, s.len - at, sep->u.s, sep->len));
			max--) {
			add_piece(r, out, s, at, (size_t)(p - s.u.s));
			at = (size_t)(p - s.u.s) + sep->len;
		}
		add_piece(r, out, s, at, s.len);
	} else {
		size_t to = s.len;
		for (size_t i = to; max != 0 && i >= sep->len && i <= to;) {
			if (memcmp(s.u.s + i - sep->len, sep->u.s, sep->len) == 0) {
				add_piece(r, out, s, i, to);
				to = i = i - sep->len;
				max--;
			} else if (i-- == 0) {
				break;
			}
		}
		add_piece(r, out, s, 0, to);
	}
	if (right)
		flip(out);
	return out;
}

/* \n, \r, \r\n and what else Python takes for the end of a line. */
static int is_line_end(uint32_t c)
{
	return (c >= 10 && c <= 13) || (c >= 0x1c && c <= 0x1e) || c == 0x85 || c == 0x2028 ||
	       c == 0x2029;
}

struct jv jx_splitlines(struct jinja_run *r, struct jv s, int keep)
{
	struct jv out = jx_list(r, 4);
	jx_spend(r, s.len / 16);
	for (size_t i = 0, from = 0; i < s.len;) {
		size_t at = i;
		uint32_t c = jx_utf8_get(s.u.s, s.len, &i);
		if (!is_line_end(c)) {
			if (i == s.len)
				add_piece(r, out, s, from, i);
			continue;
		}
		if (c == '\r' && i < s.len && s.u.s[i] == '\n')
			i++;
		add_piece(r, out, s, from, keep ? i : at);
		from = i;
	}
	return out;
}
