#include "tools/tmpl/value.h"

#include "common/io.h"
#include "common/mp.h"
#include "common/scan.h"
#include "common/utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

struct parser {
	const char *text, *at, *end;
	struct arena *arena;
	char *room; /* for strings with escapes: what is still to come of the text fits in it */
	unsigned depth, count;
	const char *wrong; /* what, at `at` */
};

static int bad(struct parser *p, const char *what)
{
	p->wrong = what;
	return -1;
}

static void skip_blanks(struct parser *p)
{
	while (p->at < p->end &&
		(*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r'))
		p->at++;
}

/* The next byte that is no blank, not consumed; 0 at the end (a NUL is nothing that JSON begins with). */
static char peek(struct parser *p)
{
	skip_blanks(p);
	return p->at < p->end ? *p->at : 0;
}

static int word(struct parser *p, const char *name, struct jv v, struct jv *out)
{
	size_t n = strlen(name);
	if ((size_t)(p->end - p->at) < n || memcmp(p->at, name, n))
		return bad(p, "not a value");
	p->at += n;
	*out = v;
	return 0;
}

/* ---- strings ---- */

/* Four hexadecimal digits; -1. */
static long hex4(const char *s, const char *end)
{
	long c = 0;
	if (end - s < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = s[i] >= '0' && s[i] <= '9'	 ? s[i] - '0'
			    : s[i] >= 'a' && s[i] <= 'f' ? s[i] - 'a' + 10
			    : s[i] >= 'A' && s[i] <= 'F' ? s[i] - 'A' + 10
							 : -1;
		if (digit < 0)
			return -1;
		c = c << 4 | digit;
	}
	return c;
}

/* \uXXXX, or two of them that are one character; p->at is behind the u. */
static char *unicode(struct parser *p, char *to)
{
	long c = hex4(p->at, p->end), low;
	if (c < 0)
		return bad(p, "\\u without four hexadecimal digits"), NULL;
	p->at += 4;
	if (c < 0xd800 || c > 0xdfff)
		return to + utf8_put((uint32_t)c, to);
	int two = c < 0xdc00 && p->end - p->at >= 6 && p->at[0] == '\\' && p->at[1] == 'u';
	low = two ? hex4(p->at + 2, p->end) : -1;
	if (low < 0xdc00 || low > 0xdfff)
		return bad(p, "half of a surrogate pair"), NULL;
	p->at += 6;
	return to +
	       utf8_put(0x10000 + ((uint32_t)(c - 0xd800) << 10) + (uint32_t)(low - 0xdc00), to);
}

/* What a backslash begins. p->at is at it. Where the text goes on, or NULL. */
static char *escape(struct parser *p, char *to)
{
	static const char plain[256] = {['"'] = '"',
		['\\'] = '\\',
		['/'] = '/',
		['b'] = '\b',
		['f'] = '\f',
		['n'] = '\n',
		['r'] = '\r',
		['t'] = '\t'};
	if (p->end - p->at < 2)
		return bad(p, "a string that does not end"), NULL;
	unsigned char c = (unsigned char)p->at[1];
	if (c == 'u') {
		p->at += 2;
		return unicode(p, to);
	}
	if (!plain[c])
		return bad(p, "an escape that JSON does not have"), NULL;
	p->at += 2;
	*to++ = plain[c];
	return to;
}

/* A string that is not plain to its end, p->at: copied, each escape as what it means. */
static int escaped(struct parser *p, const char *from, struct jv *out)
{
	if (!p->room) /* scan_copy writes whole vectors */
		p->room = arena_alloc(p->arena, (size_t)(p->end - from) + SCAN_BYTES, 1);
	char *to = p->room;
	memcpy(to, from, (size_t)(p->at - from));
	to += p->at - from;
	while (p->at < p->end && *p->at != '"') {
		if (*p->at != '\\')
			return bad(p, "a control character in a string");
		to = escape(p, to);
		if (!to)
			return -1;
		const char *next = scan_copy(to, p->at, p->end);
		to += next - p->at;
		p->at = next;
	}
	if (p->at == p->end)
		return bad(p, "a string that does not end");
	p->at++;
	*out = jv_str(p->room, (size_t)(to - p->room));
	p->room = to;
	return 0;
}

static int string(struct parser *p, struct jv *out)
{
	const char *from = ++p->at;
	p->at = scan_plain(from, p->end);
	if (p->at == p->end || *p->at != '"')
		return escaped(p, from, out);
	*out = jv_str(from, (size_t)(p->at++ - from));
	return 0;
}

/* ---- numbers ---- */

static const char *skip_digits(const char *s, const char *end)
{
	while (s < end && *s >= '0' && *s <= '9')
		s++;
	return s;
}

static int integer(struct parser *p, const char *digits, int negative, struct jv *out)
{
	uint64_t n = 0, limit = (uint64_t)INT64_MAX + (uint64_t)negative;
	for (; digits < p->at; digits++) {
		uint64_t digit = (uint64_t)(*digits - '0');
		if (n > (limit - digit) / 10)
			return bad(p, "an integer of more than 64 bits");
		n = n * 10 + digit;
	}
	*out = jv_int(negative ? (int64_t)(0 - n) : (int64_t)n);
	return 0;
}

/* Exact where both the digits and the power of ten are doubles; else the library's own. */
static int real(struct parser *p, const char *from, struct jv *out)
{
	static const double tens[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
		1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
	uint64_t digits = 0;
	int power = 0, seen_point = 0, n = 0;
	const char *s = from + (*from == '-');
	for (; n <= 15 && s < p->at && *s != 'e' && *s != 'E'; s++) {
		if (*s == '.') {
			seen_point = 1;
			continue;
		}
		digits = digits * 10 + (uint64_t)(*s - '0');
		n += digits != 0;
		power -= seen_point;
	}
	if (n <= 15 && power >= -22 && s == p->at) {
		double v = (double)digits / tens[-power];
		*out = jv_float(*from == '-' ? -v : v);
		return 0;
	}
	char *text = arena_strndup(p->arena, from, (size_t)(p->at - from));
	*out = jv_float(strtod(text, NULL));
	return isinf(out->u.f) ? bad(p, "a number beyond what a double holds") : 0;
}

static int number(struct parser *p, struct jv *out)
{
	const char *from = p->at, *digits = from + (*from == '-'), *s = skip_digits(digits, p->end);
	int whole = 1;
	if (s == digits)
		return bad(p, "not a value");
	if (*digits == '0' && s > digits + 1)
		return bad(p, "a number that begins with 0");
	if (s < p->end && *s == '.') {
		const char *point = s;
		whole = 0;
		s = skip_digits(point + 1, p->end);
		if (s == point + 1)
			return bad(p, "a number without digits behind its point");
	}
	if (s < p->end && (*s == 'e' || *s == 'E')) {
		const char *power = s + 1;
		whole = 0;
		power += power < p->end && (*power == '+' || *power == '-');
		s = skip_digits(power, p->end);
		if (s == power)
			return bad(p, "a number without an exponent");
	}
	p->at = s;
	return whole ? integer(p, digits, *from == '-', out) : real(p, from, out);
}

/* ---- values ---- */

static int value(struct parser *p, struct jv *out);

static int list(struct parser *p, struct jv *out)
{
	struct jv item;
	*out = jv_list(p->arena, 2);
	p->at++;
	if (peek(p) == ']') {
		p->at++;
		return 0;
	}
	for (;;) {
		if (value(p, &item) < 0)
			return -1;
		jv_list_add(p->arena, *out, item);
		char c = peek(p);
		if (c != ',' && c != ']')
			return bad(p, "',' or ']' expected");
		p->at++;
		if (c == ']')
			return 0;
	}
}

static int object(struct parser *p, struct jv *out)
{
	struct jv key, item;
	*out = jv_dict(p->arena, 4);
	p->at++;
	if (peek(p) == '}') {
		p->at++;
		return 0;
	}
	for (;;) {
		if (peek(p) != '"')
			return bad(p, "a key in quotes expected");
		if (string(p, &key) < 0)
			return -1;
		if (peek(p) != ':')
			return bad(p, "':' expected");
		p->at++;
		if (value(p, &item) < 0)
			return -1;
		jv_dict_set(p->arena, *out, key, item);
		char c = peek(p);
		if (c != ',' && c != '}')
			return bad(p, "',' or '}' expected");
		p->at++;
		if (c == '}')
			return 0;
	}
}

static int nested(struct parser *p, struct jv *out)
{
	if (p->depth == VALUE_DEPTH)
		return bad(p, "lists and objects nested more than 100 deep");
	p->depth++;
	int rc = *p->at == '[' ? list(p, out) : object(p, out);
	p->depth--;
	return rc;
}

static int value(struct parser *p, struct jv *out)
{
	if (p->count++ == VALUE_COUNT)
		return bad(p, "more than 4194304 values");
	switch (peek(p)) {
	case '"':
		return string(p, out);
	case '{':
	case '[':
		return nested(p, out);
	case 't':
		return word(p, "true", jv_bool(1), out);
	case 'f':
		return word(p, "false", jv_bool(0), out);
	case 'n':
		return word(p, "null", jv_none(), out);
	default:
		return p->at < p->end ? number(p, out)
				      : bad(p, "a value expected, and none follows");
	}
}

/* Where p->at is, for a person: the line of a text of several, else the character. */
static int say_where(const struct parser *p, struct err *e)
{
	const char *nl = memchr(p->text, '\n', (size_t)(p->end - p->text));
	int several = nl && nl + 1 < p->end;
	size_t n = 1;
	for (const char *s = p->text; s < p->at; s++)
		n += several ? *s == '\n' : (*s & 0xc0) != 0x80;
	return err_data(e, "%s %zu: bad JSON: %s", several ? "line" : "column", n, p->wrong);
}

int value_parse(struct jv *out, struct arena *a, const char *text, size_t len, struct err *e)
{
	struct parser p = {.text = text, .at = text, .end = text + len, .arena = a};
	int rc = value(&p, out);
	if (rc == 0 && (skip_blanks(&p), p.at < p.end))
		rc = bad(&p, "something follows the value");
	return rc < 0 ? say_where(&p, e) : 0;
}

int value_read_file(struct jv *out, struct arena *a, const char *path, struct err *e)
{
	enum { FILE_MAX = 64 << 20 };
	size_t len;
	char *s = io_read_file(path, FILE_MAX, &len, e);
	if (!s)
		return -1;
	size_t bom = len >= 3 && !memcmp(s, "\xef\xbb\xbf", 3) ? 3 : 0;
	char *text = arena_dup(a, s + bom, len - bom);
	mem_free(s);
	int rc = utf8_valid(text, len - bom) ? value_parse(out, a, text, len - bom, e)
					     : err_data(e, "is not valid UTF-8");
	return rc < 0 ? err_prefix(e, "%s", path) : 0;
}

/* ---- changing ---- */

struct jv value_slice(struct arena *a, struct jv list, size_t from, size_t to)
{
	struct jv out = jv_list(a, to - from);
	for (size_t i = from; i < to; i++)
		jv_list_add(a, out, jv_list_at(list, i));
	return out;
}

struct jv value_copy(struct arena *a, struct jv dict)
{
	struct jv key, item, out = jv_dict(a, jv_dict_len(dict) + 2);
	for (size_t i = 0; i < jv_dict_len(dict); i++) {
		jv_dict_at(dict, i, &key, &item);
		jv_dict_set(a, out, key, item);
	}
	return out;
}

/* ---- writing ---- */

static int pack(msgpack_packer *pk, struct jv v, int depth)
{
	struct jv key, item;
	if (depth > MP_MAX_DEPTH && (v.type == JV_LIST || v.type == JV_DICT))
		return -1;
	switch (v.type) {
	case JV_BOOL:
		(v.u.i ? msgpack_pack_true : msgpack_pack_false)(pk);
		break;
	case JV_INT:
		msgpack_pack_int64(pk, v.u.i);
		break;
	case JV_FLOAT:
		msgpack_pack_double(pk, v.u.f);
		break;
	case JV_STR:
		msgpack_pack_str_with_body(pk, v.u.s, v.len);
		break;
	case JV_LIST:
		msgpack_pack_array(pk, jv_list_len(v));
		for (size_t i = 0; i < jv_list_len(v); i++)
			if (pack(pk, jv_list_at(v, i), depth + 1))
				return -1;
		break;
	case JV_DICT:
		msgpack_pack_map(pk, jv_dict_len(v));
		for (size_t i = 0; i < jv_dict_len(v); i++) {
			jv_dict_at(v, i, &key, &item);
			msgpack_pack_str_with_body(pk, key.u.s, key.len);
			if (pack(pk, item, depth + 1))
				return -1;
		}
		break;
	default:
		msgpack_pack_nil(pk);
	}
	return 0;
}

int value_set(struct record *r, const char *key, struct jv v, struct err *e)
{
	if (v.type == JV_STR) {
		record_set_str(r, key, v.u.s, v.len);
		return 0;
	}
	struct str bytes = {0};
	msgpack_packer pk;
	mp_pack_into(&pk, &bytes);
	int rc = pack(&pk, v, 2); /* the record's own map is the first level */
	if (rc < 0)
		err_data(e, "field '%s' is nested more than %d deep", key, MP_MAX_DEPTH);
	else
		record_set_raw(r, key, (const uint8_t *)bytes.s, bytes.len);
	str_done(&bytes);
	return rc;
}
