#include "common/json.h"

#include "common/io.h"
#include "common/mem.h"
#include "common/scan.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON_FILE_LIMIT ((size_t)1 << 30)

/* ---- reading ---- */

json_t *json_read_bytes(const char *s, size_t len, struct err *e)
{
	json_error_t je;
	json_t *v = json_loadb(s, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &je);
	if (v)
		return v;
	/* For one line the column says where, for a text of several the line does. */
	const char *nl = memchr(s, '\n', len);
	int several = nl && nl + 1 < s + len;
	err_data(e, "%s %d: bad JSON: %s", several ? "line" : "column",
		several ? je.line : je.column, je.text);
	return NULL;
}

/* The text with integers of more than 18 digits made reals ("….0"). */
static char *widen_integers(const char *s, size_t len, size_t *out_len)
{
	enum { DIGITS = 18 };
	struct str out = {0};
	int in_string = 0;
	for (size_t i = 0; i < len;) {
		size_t n = 1;
		if (in_string && s[i] == '\\' && i + 1 < len)
			n = 2;
		else if (s[i] == '"')
			in_string = !in_string;
		else if (!in_string && s[i] >= '0' && s[i] <= '9')
			while (i + n < len && strchr("0123456789.eE+-", s[i + n]) && s[i + n])
				n++;
		str_add(&out, s + i, n);
		if (n > DIGITS && strspn(s + i, "0123456789") >= n)
			str_adds(&out, ".0");
		i += n;
	}
	*out_len = out.len;
	return str_take(&out);
}

/* tokenizer_config.json may say "model_max_length": 1000000000000000019884624838656. */
static json_t *read_widened(const char *s, size_t len, struct err *e)
{
	json_error_t je;
	json_t *v = json_loadb(s, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &je);
	if (v)
		return v;
	if (json_error_code(&je) != json_error_numeric_overflow)
		return json_read_bytes(s, len, e);
	char *text = widen_integers(s, len, &len);
	v = json_read_bytes(text, len, e);
	mem_free(text);
	return v;
}

json_t *json_read_file(const char *path, struct err *e)
{
	size_t len;
	char *s = io_read_file(path, JSON_FILE_LIMIT, &len, e);
	if (!s)
		return NULL;
	/* Windows editors put a byte order mark in front; JSON has none. */
	size_t bom = len >= 3 && !memcmp(s, "\xef\xbb\xbf", 3) ? 3 : 0;
	json_t *v = read_widened(s + bom, len - bom, e);
	if (!v)
		err_prefix(e, "%s", path);
	mem_free(s);
	return v;
}

/* ---- numbers ---- */

/*
 * The shortest digits that read back as v, in C's %e form; the closest to v among those.
 * Up to DBL_DIG digits survive decimal -> double -> decimal, so whatever shorter form exists is
 * what
 * %.15g leaves after its zeros; subnormal numbers have fewer and are tried from one digit up.
 */
static void shortest(double v, char out[40])
{
	for (int digits = v < DBL_MIN ? 1 : DBL_DIG; digits < 17; digits++) {
		snprintf(out, 40, "%.*e", digits - 1, v);
		if (strtod(out, NULL) == v)
			return;
		/* A power of two has its neighbour below at half the distance of the one above: the
		 * 16 digits that read back may be the next ones up. They do not carry: 10^k has one
		 * digit and would have been found. */
		int exponent;
		if (digits == 16 && frexp(v, &exponent) == 0.5 && out[16] != '9') {
			out[16]++;
			if (strtod(out, NULL) == v)
				return;
		}
	}
	snprintf(out, 40, "%.16e", v);
}

size_t json_repr_double(double v, char out[40])
{
	char *to = out;
	if (isnan(v)) {
		memcpy(out, "nan", 4);
		return 3;
	}
	if (signbit(v))
		*to++ = '-';
	v = fabs(v);
	if (isinf(v)) {
		memcpy(to, "inf", 4);
		return (size_t)(to - out) + 3;
	}
	if (v < 1e15 && v == (double)(int64_t)v)
		return (size_t)(to - out) + (size_t)snprintf(to, 30, "%lld.0", (long long)v);

	char text[40], digits[20];
	shortest(v, text);
	size_t n = 0;
	char *p = text;
	for (; *p != 'e'; p++)
		if (*p != '.')
			digits[n++] = *p;
	int exponent = (int)strtol(p + 1, NULL, 10);
	while (n > 1 && digits[n - 1] == '0')
		n--;

	/* repr() takes the exponent form outside 1e-4 … 1e16. */
	if (exponent < -4 || exponent >= 16) {
		*to++ = digits[0];
		if (n > 1) {
			*to++ = '.';
			memcpy(to, digits + 1, n - 1);
			to += n - 1;
		}
		to += snprintf(to, 8, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
		return (size_t)(to - out);
	}
	if (exponent < 0) {
		*to++ = '0';
		*to++ = '.';
		for (int i = -1; i > exponent; i--)
			*to++ = '0';
		memcpy(to, digits, n);
		to += n;
	} else {
		for (int i = 0; i <= exponent || (size_t)i < n; i++) {
			if (i == exponent + 1)
				*to++ = '.';
			*to++ = (size_t)i < n ? digits[i] : '0';
		}
		if (n <= (size_t)exponent + 1) {
			*to++ = '.';
			*to++ = '0';
		}
	}
	*to = 0;
	return (size_t)(to - out);
}

/* ---- writing ---- */

/* How a value is laid out: json.dumps' arguments. */
struct style {
	const char *comma, *colon;
	int ascii, indent, sorted;
};

static void unit_escape(struct str *out, unsigned u)
{
	str_addf(out, "\\u%04x", u);
}

/* The character of a (valid) UTF-8 sequence, and past it. */
static unsigned decode(const unsigned char **p)
{
	const unsigned char *s = *p;
	if (s[0] < 0xe0) {
		*p += 2;
		return (s[0] & 31u) << 6 | (s[1] & 63u);
	}
	if (s[0] < 0xf0) {
		*p += 3;
		return (s[0] & 15u) << 12 | (s[1] & 63u) << 6 | (s[2] & 63u);
	}
	*p += 4;
	return (s[0] & 7u) << 18 | (s[1] & 63u) << 12 | (s[2] & 63u) << 6 | (s[3] & 63u);
}

/* As scan_copy, of ASCII. */
static const char *copy_ascii(char *to, const char *s, const char *end)
{
	while (s < end && scan_is_plain((unsigned char)*s) && (unsigned char)*s < 0x7f)
		*to++ = *s++;
	return s;
}

/* What stands for the character at *p, and past it. */
static void escape(struct str *out, const char **p)
{
	static const char names[] = "\"\"\\\\\nn\rr\tt\bb\ff";
	const unsigned char *s = (const unsigned char *)*p;
	unsigned c = *s;
	if (c >= 0x80) {
		c = decode(&s);
		*p = (const char *)s;
		if (c >= 0x10000) {
			unit_escape(out, 0xd7c0 + (c >> 10));
			c = 0xdc00 + (c & 0x3ff);
		}
		unit_escape(out, c);
		return;
	}
	++*p;
	const char *name = names;
	while (*name && *name != (char)c)
		name += 2;
	if (!c || !*name) {
		unit_escape(out, c);
		return;
	}
	char two[] = {'\\', name[1]};
	str_add(out, two, 2);
}

static void quote(struct str *out, const char *p, size_t len, int ascii)
{
	const char *end = p + len, *next;
	str_addc(out, '"');
	for (;;) {
		str_reserve(out, (size_t)(end - p) + SCAN_BYTES);
		next = ascii ? copy_ascii(out->s + out->len, p, end)
			     : scan_copy(out->s + out->len, p, end);
		out->len += (size_t)(next - p);
		p = next;
		if (p == end)
			break;
		escape(out, &p);
	}
	str_addc(out, '"');
}

static void newline(struct str *out, const struct style *st, int level)
{
	if (!st->indent)
		return;
	str_addc(out, '\n');
	for (int i = 0; i < level * st->indent; i++)
		str_addc(out, ' ');
}

static void write_value(struct str *out, const json_t *v, const struct style *st, int level);

static int by_key(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void write_member(struct str *out, const char *key, size_t len, const json_t *v,
	const struct style *st, int level, int first)
{
	if (!first)
		str_adds(out, st->comma);
	newline(out, st, level);
	quote(out, key, len, st->ascii);
	str_adds(out, st->colon);
	write_value(out, v, st, level);
}

static void write_object(struct str *out, const json_t *v, const struct style *st, int level)
{
	json_t *object = (json_t *)(uintptr_t)v, *item;
	size_t n = json_object_size(v), i = 0, len;
	const char *key;
	if (!n) {
		str_adds(out, "{}");
		return;
	}
	str_addc(out, '{');
	if (st->sorted) {
		const char **keys = mem_alloc(n, sizeof *keys);
		json_object_foreach(object, key, item) keys[i++] = key;
		qsort(keys, n, sizeof *keys, by_key);
		for (i = 0; i < n; i++)
			write_member(out, keys[i], strlen(keys[i]), json_object_get(v, keys[i]), st,
				level + 1, !i);
		mem_free(keys);
	} else {
		json_object_keylen_foreach(object, key, len, item)
			write_member(out, key, len, item, st, level + 1, !i++);
	}
	newline(out, st, level);
	str_addc(out, '}');
}

static void write_array(struct str *out, const json_t *v, const struct style *st, int level)
{
	size_t n = json_array_size(v);
	if (!n) {
		str_adds(out, "[]");
		return;
	}
	str_addc(out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			str_adds(out, st->comma);
		newline(out, st, level + 1);
		write_value(out, json_array_get(v, i), st, level + 1);
	}
	newline(out, st, level);
	str_addc(out, ']');
}

/* Depth is bounded by jansson's own limit for what it parses (2048). */
static void write_value(struct str *out, const json_t *v, const struct style *st, int level)
{
	char number[40];
	switch (json_typeof(v)) {
	case JSON_NULL:
		str_adds(out, "null");
		break;
	case JSON_TRUE:
		str_adds(out, "true");
		break;
	case JSON_FALSE:
		str_adds(out, "false");
		break;
	case JSON_INTEGER:
		str_addf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
		break;
	case JSON_REAL:
		str_add(out, number, json_repr_double(json_real_value(v), number));
		break;
	case JSON_STRING:
		quote(out, json_string_value(v), json_string_length(v), st->ascii);
		break;
	case JSON_ARRAY:
		write_array(out, v, st, level);
		break;
	case JSON_OBJECT:
		write_object(out, v, st, level);
		break;
	}
}

void json_write(struct str *out, const json_t *v, int spaced)
{
	struct style st = {.comma = spaced ? ", " : ",", .colon = spaced ? ": " : ":"};
	write_value(out, v, &st, 0);
}

void json_write_string(struct str *out, const char *s, size_t len)
{
	quote(out, s, len, 0);
}

void json_write_pretty(struct str *out, const json_t *v, int sorted)
{
	struct style st = {.comma = ",", .colon = ": ", .ascii = 1, .indent = 2, .sorted = sorted};
	write_value(out, v, &st, 0);
}
