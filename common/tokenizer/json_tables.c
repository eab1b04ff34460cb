#include "common/tokenizer/json_tables.h"

#include "common/mem.h"
#include "common/scan.h"
#include "common/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A place in JSON text; `end` is where it ends. */
struct place {
	const char *p, *end;
};

static int is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static void blanks(struct place *c)
{
	while (c->p < c->end && is_blank(*c->p))
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

/* Behind the string that begins at c->p. */
static int skip_string(struct place *c)
{
	const char *p = scan_plain(c->p + 1, c->end);
	while (p < c->end && *p != '"')
		p = scan_plain(*p == '\\' && c->end - p > 1 ? p + 2 : p + 1, c->end);
	if (p == c->end)
		return -1;
	c->p = p + 1;
	return 0;
}

/* Behind any value: the rest of the file is left to a real parser. */
static int skip_value(struct place *c)
{
	struct scan_nesting n = {0};
	c->p += scan_value(&n, c->p, (size_t)(c->end - c->p));
	return n.depth || n.string ? -1 : 0;
}

/* Behind a key and its colon. */
static int take_key(struct place *c, struct json_text *key)
{
	blanks(c);
	const char *from = c->p + 1;
	if (c->p == c->end || *c->p != '"' || skip_string(c))
		return -1;
	*key = (struct json_text){from, (size_t)(c->p - 1 - from)};
	if (!take(c, ':'))
		return -1;
	blanks(c);
	return 0;
}

static int is_key(const struct json_text *k, const char *name)
{
	return k->len == strlen(name) && !memcmp(k->s, name, k->len);
}

/* The tables of the object at c->p, which *c is moved behind: of the file, or in it of its model. Of a
 * key that comes twice the last counts, as elsewhere. One with escapes may be any: it is refused. */
enum { ESCAPED = -2 };
static int find(struct place *c, int in_model, struct json_text *vocab, struct json_text *merges)
{
	if (!take(c, '{'))
		return -1;
	if (take(c, '}'))
		return 0;
	do {
		struct json_text key, none, *table;
		if (take_key(c, &key))
			return -1;
		if (memchr(key.s, '\\', key.len))
			return ESCAPED;
		if (!in_model && is_key(&key, "model")) {
			*vocab = *merges = (struct json_text){0};
			if (c->p < c->end && *c->p == '{') {
				int bad = find(c, 1, vocab, merges);
				if (bad)
					return bad;
				continue;
			}
		}
		table = !in_model		 ? &none
			: is_key(&key, "vocab")	 ? vocab
			: is_key(&key, "merges") ? merges
						 : &none;
		table->s = c->p;
		if (skip_value(c))
			return -1;
		table->len = (size_t)(c->p - table->s);
		if (!table->len)
			return -1;
	} while (take(c, ','));
	return take(c, '}') ? 0 : -1;
}

int json_tables_find(const char *s, size_t len, struct json_text *vocab, struct json_text *merges,
	struct str *rest, struct err *e)
{
	if (!utf8_valid(s, len))
		return err_data(e, "not valid UTF-8");
	struct place c = {s, s + len};
	*vocab = *merges = (struct json_text){0};
	int bad = find(&c, 0, vocab, merges);
	if (bad)
		return err_data(e, bad == ESCAPED ? "a key with escapes, beside or in 'model'"
						  : "not a JSON object");
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

/* What stands at the backslash *p, which is moved behind it, to *to. */
static int escape(const char **p, const char *end, char **to, struct err *e)
{
	static const char from[] = "\"\\/bfnrt", is[] = "\"\\/\b\f\n\r\t";
	const char *s = *p, *known;
	uint32_t c, low;
	if (end - s > 1 && s[1] && (known = strchr(from, s[1]))) {
		*(*to)++ = is[known - from];
		*p = s + 2;
		return 0;
	}
	if (end - s < 6 || s[1] != 'u' || hex4(s + 2, &c))
		return err_data(e, "a bad escape in a token");
	s += 6;
	if (c >= 0xd800 && c < 0xdc00 && end - s >= 6 && s[0] == '\\' && s[1] == 'u' &&
		!hex4(s + 2, &low) && low >= 0xdc00 && low < 0xe000) {
		c = 0x10000 + ((c & 0x3ff) << 10) + (low & 0x3ff);
		s += 6;
	}
	if (c >= 0xd800 && c < 0xe000)
		return err_data(e, "half a surrogate pair in a token");
	*to += utf8_put(c, *to);
	*p = s;
	return 0;
}

/* A table being read: where, and where its strings that have escapes are made, one behind the other. */
struct table {
	struct place at;
	char *made, *to;
};

static void table_open(struct table *t, struct json_text items)
{
	t->at = (struct place){items.s, items.s + items.len};
	/* No string is longer than it was, and scan_copy writes so much more. */
	t->made = t->to = mem_alloc(items.len + SCAN_BYTES, 1);
}

/* What is between the brackets of an array or an object. */
static int inside(struct json_text value, char open, struct json_text *items, struct err *e)
{
	struct place c = {value.s, value.s + value.len};
	if (!take(&c, open))
		return err_data(e, open == '{' ? "not an object" : "not an array");
	while (c.end > c.p && is_blank(c.end[-1]))
		c.end--;
	if (c.end == c.p || c.end[-1] != open + 2)
		return err_data(e, "no end where one should be");
	*items = (struct json_text){c.p, (size_t)(c.end - 1 - c.p)};
	return 0;
}

/* A string, which stays where it is until the table is closed. */
static int string(struct table *t, struct json_text *out, struct err *e)
{
	struct place *c = &t->at;
	blanks(c);
	if (c->p == c->end || *c->p != '"')
		return err_data(e, "a string is missing");
	const char *s = c->p + 1, *stop = scan_plain(s, c->end);
	if (stop < c->end && *stop == '"') {
		*out = (struct json_text){s, (size_t)(stop - s)};
		c->p = stop + 1;
		return 0;
	}
	out->s = t->to;
	for (; (stop = scan_copy(t->to, s, c->end)) < c->end && *stop != '"'; s = stop) {
		t->to += stop - s;
		if (*stop != '\\')
			return err_data(e, "a control character in a token");
		if (escape(&stop, c->end, &t->to, e))
			return -1;
	}
	if (stop == c->end)
		return err_data(e, "a string without an end");
	t->to += stop - s;
	out->len = (size_t)(t->to - out->s);
	c->p = stop + 1;
	return 0;
}

/* Whether there is another item behind n of them: 1 there is, 0 that was the end, -1 neither. */
static int another(struct table *t, size_t n, struct err *e)
{
	if (n && take(&t->at, ','))
		return 1;
	blanks(&t->at);
	if (t->at.p == t->at.end)
		return 0;
	return n ? err_data(e, "no comma or end where one should be") : 1;
}

static int vocab_entry(struct table *t, struct vocab *v, struct err *e)
{
	struct place *c = &t->at;
	struct json_text token;
	uint64_t id = 0;
	if (string(t, &token, e))
		return -1;
	int colon = take(c, ':');
	blanks(c);
	const char *digits = c->p;
	while (c->p < c->end && *c->p >= '0' && *c->p <= '9' && id < UINT32_MAX)
		id = id * 10 + (uint64_t)(*c->p++ - '0');
	if (!colon || c->p == digits || (*digits == '0' && c->p > digits + 1))
		return err_data(e, "the id of '%.*s' is not a number",
			(int)(token.len < 60 ? token.len : 60), token.s);
	return vocab_add(v, token.s, token.len, id, e);
}

enum { LEAST_ENTRY = 5 }; /* bytes: "":1, */

int json_tables_vocab(struct json_text text, struct vocab *v, struct err *e)
{
	struct json_text items;
	struct table t;
	size_t n = 0;
	int rc;
	if (inside(text, '{', &items, e))
		return err_prefix(e, "vocab");
	table_open(&t, items);
	vocab_reserve(v, items.len / LEAST_ENTRY + 1, items.len);
	while ((rc = another(&t, n, e)) > 0 && !(rc = vocab_entry(&t, v, e)))
		n++;
	mem_free(t.made);
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

static int scored(struct table *t, struct json_text *token, double *value, struct err *e)
{
	if (!take(&t->at, '['))
		return err_data(e, "not a token with its score");
	if (string(t, token, e))
		return -1;
	if (!take(&t->at, ','))
		return err_data(e, "not a token with its score");
	if (score(&t->at, value, e))
		return -1;
	return take(&t->at, ']') ? 0 : err_data(e, "not a token with its score");
}

int json_tables_scored(struct json_text text,
	int (*fn)(void *arg, const struct json_text *token, double score, struct err *e), void *arg,
	struct err *e)
{
	struct json_text items, token;
	struct table t;
	double value = 0;
	size_t n = 0;
	int rc;
	if (inside(text, '[', &items, e))
		return err_prefix(e, "vocab");
	table_open(&t, items);
	while ((rc = another(&t, n, e)) > 0 && !(rc = scored(&t, &token, &value, e)) &&
		!(rc = fn(arg, &token, value, e)))
		n++;
	mem_free(t.made);
	return rc ? err_prefix(e, "vocab: number %zu", n + 1) : 0;
}

/* "a b" without escapes; 0: it is not. */
static int plain_merge(struct table *t, struct json_text pair[2])
{
	const char *end = t->at.end, *s = t->at.p + 1, *space, *stop;
	if (s > end || s[-1] != '"' || (space = scan_word(s, end)) == end || *space != ' ')
		return 0;
	stop = scan_word(space + 1, end);
	if (stop == end || *stop != '"')
		return 0;
	pair[0] = (struct json_text){s, (size_t)(space - s)};
	pair[1] = (struct json_text){space + 1, (size_t)(stop - space - 1)};
	t->at.p = stop + 1;
	return 1;
}

/* The first line of merges.txt, which the library passes over wherever it comes. */
static int is_version(const struct json_text *line)
{
	static const char version[] = "#version";
	return line->len >= sizeof version - 1 && !memcmp(line->s, version, sizeof version - 1);
}

/* One merge, as "a b" or ["a", "b"]; 1: it is none. */
static int merge(struct table *t, struct json_text pair[2], struct err *e)
{
	struct json_text *a = &pair[0], *b = &pair[1];
	blanks(&t->at);
	if (plain_merge(t, pair))
		return is_version(a);
	if (take(&t->at, '[')) {
		if (string(t, a, e))
			return -1;
		if (!take(&t->at, ','))
			return err_data(e, "not a pair");
		if (string(t, b, e))
			return -1;
		return take(&t->at, ']') ? 0 : err_data(e, "not a pair");
	}
	if (string(t, a, e))
		return -1;
	if (is_version(a))
		return 1;
	const char *space = memchr(a->s, ' ', a->len);
	size_t rest = space ? a->len - (size_t)(space + 1 - a->s) : 0;
	if (!space || memchr(space + 1, ' ', rest))
		return err_data(e, "'%.*s' is not two tokens with a space between",
			(int)(a->len < 60 ? a->len : 60), a->s);
	*b = (struct json_text){space + 1, rest};
	a->len = (size_t)(space - a->s);
	return 0;
}

size_t json_tables_split(
	struct json_text array, struct json_text *parts, size_t most, struct err *e)
{
	struct json_text rest;
	size_t n = 0;
	if (inside(array, '[', &rest, e)) {
		err_prefix(e, "merges");
		return 0;
	}
	while (++n < most) {
		/* So far commas do not count, then the next one does. */
		size_t len = rest.len / (most - n + 1);
		struct scan_nesting at = {.depth = 1};
		len = scan_value(&at, rest.s, len);
		at.depth--;
		len += scan_value(&at, rest.s + len, rest.len - len);
		if (len == rest.len)
			break;
		parts[n - 1] = (struct json_text){rest.s, len};
		rest = (struct json_text){rest.s + len + 1, rest.len - len - 1};
	}
	parts[n - 1] = rest;
	return n;
}

int json_tables_merges(struct json_text items, int may_be_none,
	int (*fn)(void *arg, struct json_text (*pairs)[2], size_t n, struct err *e), void *arg,
	struct err *e)
{
	struct json_text pairs[JSON_TABLES_BATCH][2];
	struct table t;
	size_t n = 0, none = 0, k;
	int rc;
	table_open(&t, items);
	do {
		k = 0;
		while (k < JSON_TABLES_BATCH && (rc = another(&t, n + none + k, e)) > 0 &&
			(rc = merge(&t, pairs[k], e)) >= 0) {
			k += !rc;
			none += (size_t)rc;
		}
		if (k && fn(arg, pairs, k, e)) /* an earlier error, where there is one */
			rc = -1;
		n += k;
	} while (!rc && k == JSON_TABLES_BATCH);
	mem_free(t.made);
	return !rc && !n && !none && !may_be_none ? err_data(e, "a merge is missing") : rc;
}
