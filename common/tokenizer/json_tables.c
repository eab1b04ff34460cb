#include "common/tokenizer/tokenizer_int.h"

#include "common/mem.h"
#include "common/tokenizer/unicode.h"
#include "common/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A place in JSON text; `end` is where it ends. */
struct place {
	const char *p, *end;
};

static void blanks(struct place *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\n' || *c->p == '\t' || *c->p == '\r'))
		c->p++;
}

static int take(struct place *c, char want)
{
	blanks(c);
	if (c->p == c->end || *c->p != want)
		return 0;
	c->p++;
	return 1;
}

/* ---- finding the tables ------------------------------------------------------------------------ */

/* Behind the string that begins at c->p; its inside in *text, escapes as they are. */
static int skip_string(struct place *c, struct json_text *text)
{
	const char *p = c->p + 1;
	for (;;) {
		const char *q = memchr(p, '"', (size_t)(c->end - p));
		if (!q)
			return -1;
		size_t slashes = 0;
		while (q - slashes > p && q[-1 - (long)slashes] == '\\')
			slashes++;
		if (slashes % 2 == 0) {
			if (text)
				*text = (struct json_text){c->p + 1, (size_t)(q - c->p - 1)};
			c->p = q + 1;
			return 0;
		}
		p = q + 1;
	}
}

/* Behind any value, by counting brackets: the rest of the file is left to a real parser. */
static int skip_value(struct place *c)
{
	blanks(c);
	size_t depth = 0;
	do {
		if (c->p == c->end)
			return -1;
		char b = *c->p;
		if (b == '"') {
			if (skip_string(c, NULL))
				return -1;
		} else {
			depth += b == '{' || b == '[';
			if ((b == '}' || b == ']') && depth-- == 0)
				return -1;
			c->p++;
			if (!depth && b != '}' && b != ']')
				while (c->p < c->end && !strchr(",]} \n\t\r", *c->p))
					c->p++;
		}
	} while (depth);
	return 0;
}

/* The value of `key` in the object at *c (the last, as elsewhere), *c is moved behind the object. */
static int member(struct place *c, const char *key, struct json_text *value)
{
	*value = (struct json_text){0};
	if (!take(c, '{'))
		return -1;
	if (take(c, '}'))
		return 0;
	do {
		struct json_text k;
		blanks(c);
		if (c->p == c->end || *c->p != '"' || skip_string(c, &k) || !take(c, ':'))
			return -1;
		blanks(c);
		const char *from = c->p;
		if (skip_value(c))
			return -1;
		if (k.len == strlen(key) && !memcmp(k.s, key, k.len))
			*value = (struct json_text){from, (size_t)(c->p - from)};
	} while (take(c, ','));
	return take(c, '}') ? 0 : -1;
}

int json_tables_find(const char *s, size_t len, struct json_text *vocab, struct json_text *merges,
	struct str *rest, struct err *e)
{
	if (!utf8_valid(s, len))
		return err_data(e, "not valid UTF-8");
	struct place c = {s, s + len};
	struct json_text model;
	if (member(&c, "model", &model))
		return err_data(e, "not a JSON object");
	*vocab = *merges = (struct json_text){0};
	if (model.s && *model.s == '{') {
		struct place in = {model.s, model.s + model.len}, again = in;
		if (member(&in, "vocab", vocab) || member(&again, "merges", merges))
			return err_data(e, "'model' is not a JSON object");
	}
	if (vocab->s && *vocab->s != '{' && *vocab->s != '[')
		*vocab = (struct json_text){0};
	struct json_text hole[2] = {*vocab, *merges};
	if (hole[1].s && (!hole[0].s || hole[1].s < hole[0].s)) {
		hole[0] = *merges;
		hole[1] = *vocab;
	}
	const char *from = s;
	for (int i = 0; i < 2; i++)
		if (hole[i].s) {
			str_add(rest, from, (size_t)(hole[i].s - from));
			str_adds(rest, "null");
			from = hole[i].s + hole[i].len;
		}
	str_add(rest, from, (size_t)(s + len - from));
	return 0;
}

/* ---- reading them ------------------------------------------------------------------------------ */

static int hex4(const char *p, uint32_t *out)
{
	*out = 0;
	for (int i = 0; i < 4; i++) {
		char b = p[i];
		int d = b >= '0' && b <= '9'   ? b - '0'
			: b >= 'a' && b <= 'f' ? b - 'a' + 10
			: b >= 'A' && b <= 'F' ? b - 'A' + 10
					       : -1;
		if (d < 0)
			return -1;
		*out = *out << 4 | (uint32_t)d;
	}
	return 0;
}

static int unescape(const char *p, size_t len, struct str *out, struct err *e)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	for (size_t i = 0; i < len;) {
		const char *q = memchr(p + i, '\\', len - i);
		size_t plain = q ? (size_t)(q - p) - i : len - i;
		str_add(out, p + i, plain);
		i += plain;
		if (i == len)
			break;
		const char *known;
		uint32_t c, low;
		if (i + 1 < len && p[i + 1] && (known = strchr(from, p[i + 1]))) {
			str_addc(out, to[known - from]);
			i += 2;
			continue;
		}
		if (i + 6 > len || p[i + 1] != 'u' || hex4(p + i + 2, &c))
			return err_data(e, "a bad escape in a token");
		i += 6;
		if (c >= 0xd800 && c < 0xdc00 && i + 6 <= len && p[i] == '\\' && p[i + 1] == 'u' &&
			!hex4(p + i + 2, &low) && low >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((c & 0x3ff) << 10) + (low & 0x3ff);
			i += 6;
		}
		if (c >= 0xd800 && c < 0xe000)
			return err_data(e, "half a surrogate pair in a token");
		char bytes[4];
		str_add(out, bytes, utf8_put(c, bytes));
	}
	return 0;
}

/* A string, which lies in the file or, where it has escapes, in `made`. */
static int string(struct place *c, struct json_text *out, struct str *made, struct err *e)
{
	blanks(c);
	if (c->p == c->end || *c->p != '"')
		return err_data(e, "a string is missing");
	const char *p = c->p + 1, *end = c->end;
	while (p < end && *p != '"' && *p != '\\' && (uint8_t)*p >= 0x20)
		p++;
	if (p < end && *p == '"') {
		*out = (struct json_text){c->p + 1, (size_t)(p - c->p - 1)};
		c->p = p + 1;
		return 0;
	}
	struct json_text raw;
	if (skip_string(c, &raw))
		return err_data(e, "a string is missing");
	for (size_t i = 0; i < raw.len; i++)
		if ((uint8_t)raw.s[i] < 0x20)
			return err_data(e, "a control character in a token");
	str_reset(made);
	str_reserve(made, 0);
	if (unescape(raw.s, raw.len, made, e))
		return -1;
	*out = (struct json_text){made->s, made->len};
	return 0;
}

int json_tables_vocab(struct json_text text, struct vocab *v, struct err *e)
{
	struct place c = {text.s, text.s + text.len};
	struct str made = {0};
	struct json_text token;
	int rc = -1;
	if (!take(&c, '{')) {
		err_data(e, "'vocab' is not an object");
		goto out;
	}
	if (take(&c, '}')) {
		rc = 0;
		goto out;
	}
	do {
		if (string(&c, &token, &made, e))
			goto out;
		int colon = take(&c, ':');
		blanks(&c);
		const char *digits = c.p;
		uint64_t id = 0;
		while (c.p < c.end && *c.p >= '0' && *c.p <= '9' && id < UINT32_MAX)
			id = id * 10 + (uint64_t)(*c.p++ - '0');
		if (!colon || c.p == digits) {
			err_data(e, "the id of '%.*s' is not a number",
				(int)(token.len < 60 ? token.len : 60), token.s);
			goto out;
		}
		if (vocab_add(v, token.s, token.len, id, e))
			goto out;
	} while (take(&c, ','));
	rc = take(&c, '}') ? 0 : err_data(e, "'vocab' has no end where one should be");
out:
	str_done(&made);
	return rc ? err_prefix(e, "vocab") : 0;
}

/* The digits at c->p go to *whole, as many as fit; returns how many there were, and in *left those that
 * did not fit. */
static size_t digits(struct place *c, uint64_t *whole, size_t *left)
{
	size_t n = 0;
	*left = 0;
	for (; c->p < c->end && *c->p >= '0' && *c->p <= '9'; c->p++, n++) {
		uint64_t d = (uint64_t)(*c->p - '0');
		if (*left || *whole > (UINT64_MAX - d) / 10)
			++*left;
		else
			*whole = *whole * 10 + d;
	}
	return n;
}

static double power_of_ten(unsigned n)
{
	static const double exact[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
		1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
	if (n < sizeof exact / sizeof *exact)
		return exact[n];
	char text[16];
	snprintf(text, sizeof text, "1e%u", n);
	return strtod(text, NULL);
}

/* Times a power of ten, in steps that a double can hold. */
static double scale(double f, long exponent)
{
	for (; exponent < -308 && f != 0; exponent += 308)
		f /= 1e308;
	if (f == 0)
		return 0;
	return exponent < 0 ? f / power_of_ten((unsigned)-exponent)
			    : f * power_of_ten((unsigned)exponent);
}

static int score(struct place *c, double *out, struct err *e)
{
	enum { EXPONENT_MAX = 100000 };
	blanks(c);
	int minus = c->p < c->end && *c->p == '-';
	c->p += minus;
	uint64_t whole = 0, power = 0;
	size_t left, dropped;
	if (!digits(c, &whole, &left))
		return err_data(e, "a score is not a number");
	long exponent = (long)left;
	if (c->p < c->end && *c->p == '.') {
		c->p++;
		size_t n = digits(c, &whole, &dropped);
		exponent -= (long)(n - dropped);
		if (!n)
			return err_data(e, "a score is not a number");
	}
	if (c->p < c->end && (*c->p == 'e' || *c->p == 'E')) {
		c->p++;
		int down = c->p < c->end && *c->p == '-';
		c->p += down || (c->p < c->end && *c->p == '+');
		if (!digits(c, &power, &dropped))
			return err_data(e, "a score is not a number");
		long p = power > EXPONENT_MAX || dropped ? EXPONENT_MAX : (long)power;
		exponent += down ? -p : p;
	}
	*out = exponent > 308 && whole ? INFINITY : scale((double)whole, exponent);
	if (isinf(*out))
		return err_data(e, "a score is out of range");
	if (minus)
		*out = -*out;
	return 0;
}

static int scored(
	struct place *c, struct json_text *token, struct str *made, double *value, struct err *e)
{
	if (!take(c, '['))
		return err_data(e, "not a token with its score");
	if (string(c, token, made, e))
		return -1;
	if (!take(c, ','))
		return err_data(e, "not a token with its score");
	if (score(c, value, e))
		return -1;
	return take(c, ']') ? 0 : err_data(e, "not a token with its score");
}

int json_tables_scored(struct json_text text,
	int (*fn)(void *arg, const struct json_text *token, double score, struct err *e), void *arg,
	struct err *e)
{
	struct place c = {text.s, text.s + text.len};
	struct json_text token;
	struct str made = {0};
	double value = 0;
	size_t n = 0;
	int rc = take(&c, '[') ? 0 : err_data(e, "not an array");
	if (!rc && take(&c, ']'))
		goto out;
	for (; !rc; n++) {
		rc = scored(&c, &token, &made, &value, e) || fn(arg, &token, value, e) ? -1 : 0;
		if (!rc && !take(&c, ','))
			break;
	}
	if (!rc && !take(&c, ']'))
		rc = err_data(e, "no end where one should be");
out:
	str_done(&made);
	return rc ? err_prefix(e, "vocab: number %zu", n + 1) : 0;
}

/* One merge, as "a b" or ["a", "b"]. */
static int merge(struct place *c, struct json_text *a, struct json_text *b, struct str made[2],
	struct err *e)
{
	if (take(c, '[')) {
		if (string(c, a, &made[0], e))
			return -1;
		if (!take(c, ','))
			return err_data(e, "not a pair");
		if (string(c, b, &made[1], e))
			return -1;
		return take(c, ']') ? 0 : err_data(e, "not a pair");
	}
	if (string(c, a, &made[0], e))
		return -1;
	const char *space = memchr(a->s, ' ', a->len);
	size_t rest = space ? a->len - (size_t)(space + 1 - a->s) : 0;
	if (!space || memchr(space + 1, ' ', rest))
		return err_data(e, "'%.*s' is not two tokens with a space between",
			(int)(a->len < 60 ? a->len : 60), a->s);
	*b = (struct json_text){space + 1, rest};
	a->len = (size_t)(space - a->s);
	return 0;
}

int json_tables_merges(struct json_text text,
	int (*fn)(void *arg, const struct json_text *a, const struct json_text *b, struct err *e),
	void *arg, struct err *e)
{
	struct place c = {text.s, text.s + text.len};
	struct json_text a, b;
	struct str made[2] = {{0}};
	size_t n = 0;
	int rc = -1;
	if (!take(&c, '[')) {
		err_data(e, "not an array");
		goto out;
	}
	if (take(&c, ']')) {
		rc = 0;
		goto out;
	}
	do {
		if (merge(&c, &a, &b, made, e) || fn(arg, &a, &b, e))
			goto out;
		n++;
	} while (take(&c, ','));
	rc = take(&c, ']') ? 0 : err_data(e, "no end where one should be");
out:
	str_done(&made[0]);
	str_done(&made[1]);
	return rc ? err_prefix(e, "merges: number %zu", n + 1) : 0;
}
