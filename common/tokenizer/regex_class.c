/*
 * Classes. PCRE2 10.42 knows none within others and no &&, so that a class becomes an expression that takes
 * one character: [a[^b]] is (?:[a]|[^b]), [a&&b] is (?:(?=[a])[b]), and [^…] of such is (?!…).
 */
#include "common/tokenizer/regex.h"

#include "common/mem.h"
#include "common/tokenizer/unicode.h"

#include <string.h>

enum { CLASS_DEPTH = 32 };

#define WHITE_SPACE                                                                                \
	"\\x09-\\x0d\\x20\\x85\\xa0\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{"    \
	"205f}\\x{3000}"
/* Letters in circles and squares, which \w also takes. */
#define CIRCLED "\\x{24b6}-\\x{24e9}\\x{1f130}-\\x{1f149}\\x{1f150}-\\x{1f169}\\x{1f170}-\\x{1f189}"
/* Outside of classes it takes some numbers of Latin-1 too. */
#define LATIN_NUMBERS "\\xb2\\xb3\\xb9\\xbc-\\xbe"

/* ---- properties and shorthands -------------------------------------------------------------------- */

static const struct regex_property *find(const char *name)
{
	for (const struct regex_property *p = regex_properties; p->name; p++)
		if (!strcmp(p->name, name))
			return p;
	return NULL;
}

static void add(struct str *inside, const char *name)
{
	const struct regex_property *p = find(name);
	str_adds(inside, p->inside);
	str_adds(inside, p->more);
}

static int property(const char *name, size_t len, struct str *inside, int *negated, struct err *e)
{
	char folded[64];
	size_t n = 0;
	for (size_t i = 0; i < len && n + 1 < sizeof folded; i++)
		if (name[i] != '_' && name[i] != '-' && name[i] != ' ')
			folded[n++] =
				name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] | 0x20) : name[i];
	folded[n] = 0;
	const struct regex_property *p = find(folded);
	if (!p)
		return err_data(e, "the property '%.*s' is not implemented",
			(int)(len < 40 ? len : 40), name);
	str_adds(inside, p->inside);
	str_adds(inside, p->more);
	*negated ^= p->negated;
	return 1;
}

/* {name}, {^name} behind \p. */
static int braced(const char **p, const char *end, struct str *inside, int *negated, struct err *e)
{
	const char *close = *p < end && **p == '{' ? memchr(*p, '}', (size_t)(end - *p)) : NULL;
	if (!close)
		return err_data(e, "'\\p' without a {name}");
	const char *name = *p + 1;
	if (*name == '^') {
		*negated ^= 1;
		name++;
	}
	*p = close + 1;
	return property(name, (size_t)(close - name), inside, negated, e);
}

int regex_shorthand(const char **p, const char *end, int in_class, struct str *inside, int *negated,
	struct err *e)
{
	char c = **p;
	*negated = c >= 'A' && c <= 'Z';
	switch (c | 0x20) {
	case 's':
		str_adds(inside, WHITE_SPACE);
		break;
	case 'h':
		str_adds(inside, "0-9a-fA-F");
		break;
	case 'd':
		add(inside, "nd");
		break;
	case 'w':
		add(inside, "l");
		add(inside, "m");
		add(inside, "nd");
		add(inside, "nl");
		add(inside, "pc");
		str_adds(inside, CIRCLED);
		str_adds(inside, in_class ? "" : LATIN_NUMBERS);
		break;
	case 'p':
		++*p;
		return braced(p, end, inside, negated, e);
	default:
		return 0;
	}
	++*p;
	return 1;
}

/* ---- single characters ---------------------------------------------------------------------------- */

static int digit_of(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : 16;
}

static unsigned number(const char **p, const char *end, int base, int most)
{
	unsigned n = 0;
	for (; most > 0 && *p < end && digit_of(**p) < base; most--)
		n = n * (unsigned)base + (unsigned)digit_of(*(*p)++);
	return n;
}

int regex_char(const char **p, const char *end, unsigned *c, struct err *e)
{
	static const char names[] = "tnrfvae", values[] = "\t\n\r\f\v\a\033";
	const char *at = *p, *known;
	if (*at && (known = strchr(names, *at))) {
		*c = (unsigned)values[known - names];
		*p = at + 1;
		return 1;
	}
	size_t i = 0;
	switch (*at) {
	case 'u':
		*p = at + 1;
		*c = number(p, end, 16, 4);
		if (*p - at != 5)
			return err_data(e, "'\\u' without four digits");
		break;
	case 'x':
		*p = at + 1;
		if (*p < end && **p == '{') {
			++*p;
			*c = number(p, end, 16, 8);
			if (*p >= end || **p != '}')
				return err_data(e, "'\\x{' without '}'");
			++*p;
			break;
		}
		*c = number(p, end, 16, 2);
		if (*c >= 0x80)
			return err_data(e, "'\\x' of a byte that is not ASCII is not implemented");
		break;
	case '0':
		*c = number(p, end, 8, 3);
		if (*c >= 0x80)
			return err_data(e, "an octal byte that is not ASCII is not implemented");
		break;
	case 'c':
	case 'C':
	case 'M':
		return err_data(e, "'\\%c' is not implemented", *at);
	default:
		if ((*at >= '1' && *at <= '9') || (*at && strchr("AzZGbBRXKkgyYNO", *at)))
			return 0;
		*c = uni_next((const uint8_t *)at, &i);
		*p = at + i;
	}
	if (*c >= 0x110000 || (*c >= 0xd800 && *c < 0xe000))
		return err_data(e, "U+%04X is no character", *c);
	return 1;
}

void regex_put(struct str *out, unsigned c)
{
	if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		str_addc(out, (char)c);
	else
		str_addf(out, "\\x{%x}", c);
}

/* ---- classes -------------------------------------------------------------------------------------- */

/* What has been read of a class since '[' or '&&': single things, and whole expressions beside them. */
struct set {
	struct str inside, beside;
};

static void beside(struct set *s, const char *before, const struct str *expr, const char *after)
{
	if (s->beside.len)
		str_addc(&s->beside, '|');
	str_addf(&s->beside, "%s%s%s", before, expr->s, after);
}

/* One expression of it; s is empty then. */
static void finish(struct set *s, struct str *out)
{
	if (!s->inside.len && !s->beside.len)
		str_adds(out, "(?!)");
	else if (!s->beside.len)
		str_addf(out, "[%s]", s->inside.s);
	else if (!s->inside.len)
		str_addf(out, "(?:%s)", s->beside.s);
	else
		str_addf(out, "(?:[%s]|%s)", s->inside.s, s->beside.s);
	str_reset(&s->inside);
	str_reset(&s->beside);
}

static int class_from(
	const char **p, const char *end, int caseless, int depth, struct str *out, struct err *e);

/* [:name:] at *p, behind its '['; 0: it is none. */
static int bracket(const char **p, const char *end, struct set *s, struct err *e)
{
	const char *close = memmem(*p, (size_t)(end - *p), ":]", 2), *name = *p + 1;
	if (**p != ':' || !close || memchr(name, ']', (size_t)(close - name)))
		return 0;
	int negated = name < close && *name == '^';
	name += negated;
	struct str in = {0};
	int punct = close - name == 5 && !memcmp(name, "punct", 5);
	int rc = property(
		punct ? "[punct]" : name, punct ? 7 : (size_t)(close - name), &in, &negated, e);
	if (rc > 0 && negated)
		beside(s, "[^", &in, "]");
	else if (rc > 0)
		str_adds(&s->inside, in.s);
	str_done(&in);
	*p = close + 2;
	return rc;
}

/* A thing that begins with a backslash, *p behind it. 1: it was a character, *c. */
static int escaped(
	const char **p, const char *end, int caseless, struct set *s, unsigned *c, struct err *e)
{
	struct str in = {0};
	int negated;
	if (*p < end && **p == 'b') {
		++*p;
		*c = '\b';
		return 1;
	}
	str_reserve(&in, 0);
	const char *at = *p;
	int rc = *p == end ? err_data(e, "it ends in a backslash")
			   : regex_shorthand(p, end, 1, &in, &negated, e);
	if (rc > 0 && caseless && (*at | 0x20) == 'p' && memmem(in.s, in.len, "\\p{L", 4) &&
		!memmem(in.s, in.len, "\\p{L}", 5))
		rc = err_data(e, "letters of one case in a class without case are not implemented");
	if (rc > 0 && negated)
		beside(s, "[^", &in, "]");
	else if (rc > 0)
		str_adds(&s->inside, in.s);
	str_done(&in);
	if (rc)
		return rc < 0 ? -1 : 0;
	rc = regex_char(p, end, c, e);
	return rc ? rc : err_data(e, "'\\%c' inside of a class is not implemented", **p);
}

/* The end of a range, *p behind its '-'; a shorthand or another class there makes the '-' a character. */
static int range_end(const char **p, const char *end, unsigned *c, struct err *e)
{
	const char *at = *p;
	size_t i = 0;
	if (at == end || *at == ']' || *at == '[' || (*at == '&' && at + 1 < end && at[1] == '&'))
		return 0;
	if (*at != '\\') {
		*c = uni_next((const uint8_t *)at, &i);
		*p = at + i;
		return 1;
	}
	at++;
	if (at == end || (*at && strchr("sShHdDwWpP", *at)))
		return 0;
	int rc = regex_char(&at, end, c, e);
	if (rc > 0)
		*p = at;
	return rc;
}

/* A character or a range that begins with it. */
static int range(const char **p, const char *end, struct set *s, unsigned c, struct err *e)
{
	unsigned last = c;
	if (*p < end && **p == '-') {
		const char *at = *p + 1;
		int rc = range_end(&at, end, &last, e);
		if (rc < 0)
			return -1;
		if (rc)
			*p = at;
		if (last < c)
			return err_data(e, "a range in a class goes backwards");
	}
	regex_put(&s->inside, c);
	if (last != c) {
		str_addc(&s->inside, '-');
		regex_put(&s->inside, last);
	}
	return 0;
}

/* The things of a class up to its ']', which *p stands behind then. */
static int items(const char **p, const char *end, int caseless, int depth, struct set *s,
	struct str *all, struct err *e)
{
	while (*p < end && **p != ']') {
		unsigned c;
		size_t i = 0;
		int rc = 1;
		if (s->inside.len + s->beside.len + all->len > REGEX_LIMIT)
			return err_data(e, "it becomes larger than %d bytes", REGEX_LIMIT);
		if (**p == '[') {
			++*p;
			if (*p < end && (rc = bracket(p, end, s, e)) != 0) {
				if (rc < 0)
					return -1;
				continue;
			}
			struct str inner = {0};
			rc = class_from(p, end, caseless, depth + 1, &inner, e);
			if (!rc)
				beside(s, "", &inner, "");
			str_done(&inner);
			if (rc)
				return -1;
			continue;
		}
		if (**p == '&' && *p + 1 < end && (*p)[1] == '&') {
			if (caseless) /* it does before case is forgotten */
				return err_data(e, "&& in a class without case is not implemented");
			*p += 2;
			str_adds(all, "(?=");
			finish(s, all);
			str_addc(all, ')');
			continue;
		}
		if (**p == '\\') {
			++*p;
			rc = escaped(p, end, caseless, s, &c, e);
		} else {
			c = uni_next((const uint8_t *)*p, &i);
			*p += i;
		}
		if (rc < 0 || (rc > 0 && range(p, end, s, c, e)))
			return -1;
	}
	if (*p == end)
		return err_data(e, "a class without its end");
	++*p;
	return 0;
}

static int class_from(
	const char **p, const char *end, int caseless, int depth, struct str *out, struct err *e)
{
	if (depth > CLASS_DEPTH)
		return err_data(e, "classes within classes deeper than %d", CLASS_DEPTH);
	if (depth && caseless) /* what case does to "not" differs */
		return err_data(e, "a class within a class without case is not implemented");
	int negated = *p < end && **p == '^';
	*p += negated;
	if (*p < end && **p == ']')
		return err_data(e, "an empty class");
	struct set s = {{0}, {0}};
	struct str all = {0};
	str_reserve(&s.inside, 0);
	str_reserve(&s.beside, 0);
	str_reserve(&all, 0);
	int rc = items(p, end, caseless, depth, &s, &all, e);
	if (!rc && negated && !all.len && !s.beside.len) {
		str_addf(out, "[^%s]", s.inside.s);
	} else if (!rc) {
		finish(&s, &all);
		if (negated)
			str_addf(out, "(?:(?!%s)(?s:.))", all.s);
		else
			str_addf(out, "(?:%s)", all.s);
	}
	str_done(&s.inside);
	str_done(&s.beside);
	str_done(&all);
	return rc;
}

int regex_class(const char **p, const char *end, int caseless, struct str *out, struct err *e)
{
	return class_from(p, end, caseless, 0, out, e);
}
