#include "common/tokenizer/regex.h"

#include "common/mem.h"
#include "common/tokenizer/unicode.h"

#include <string.h>

enum { GROUP_DEPTH = 100 };

/* A group that is open, as it began. */
struct group {
	size_t atom;	      /* in out: where it began */
	int caseless, spaced; /* (?i) and (?x) outside of it */
	int pending;	      /* (?i) and the like that stand in it and close with it */
};

struct translation {
	const char *p, *end;
	struct str *out;
	size_t atom;   /* where the last thing that may be repeated began; SIZE_MAX: none did */
	unsigned last; /* the last literal character, when caseless */
	int caseless, spaced;
	struct group open[GROUP_DEPTH];
	size_t depth;
};

/* Characters that Oniguruma also matches with several others, whatever their case; PCRE2 does not. */
static int check_fold(struct translation *t, unsigned c, struct err *e)
{
	static const char *const pairs[] = {"ss", "ff", "fi", "fl", "st"};
	unsigned low = c >= 'A' && c <= 'Z' ? c | 0x20 : c;
	utf8proc_int32_t folded[4];
	int bound = 0;
	if (!t->caseless)
		return 0;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (t->last == (unsigned)pairs[i][0] && low == (unsigned)pairs[i][1])
			return err_data(e, "'%s' without case is not implemented", pairs[i]);
	if (c >= 0x80 && utf8proc_decompose_char(
				 (utf8proc_int32_t)c, folded, 4, UTF8PROC_CASEFOLD, &bound) > 1)
		return err_data(e, "U+%04X without case is not implemented", c);
	t->last = low;
	return 0;
}

static int literal(struct translation *t, unsigned c, struct err *e)
{
	t->atom = t->out->len;
	if (check_fold(t, c, e))
		return -1;
	regex_put(t->out, c);
	return 0;
}

/* \b and \B by Oniguruma's \w. */
static int boundary(struct translation *t, int is_not, struct err *e)
{
	struct str in = {0};
	int negated;
	const char *w = "w";
	str_reserve(&in, 0);
	if (regex_shorthand(&w, w + 1, 0, &in, &negated, e) > 0)
		str_addf(t->out, "(?:(?<=[%s])(?%s[%s])|(?<![%s])(?%s[%s]))", in.s,
			is_not ? "=" : "!", in.s, in.s, is_not ? "!" : "=", in.s);
	str_done(&in);
	return 0;
}

static int escape(struct translation *t, struct err *e)
{
	if (++t->p == t->end)
		return err_data(e, "it ends in a backslash");
	struct str in = {0};
	int negated;
	unsigned c;
	size_t at = t->out->len;
	str_reserve(&in, 0);
	int rc = regex_shorthand(&t->p, t->end, 0, &in, &negated, e);
	if (rc > 0) {
		str_addf(t->out, "[%s%s]", negated ? "^" : "", in.s);
		t->last = 0;
		t->atom = at;
	}
	str_done(&in);
	if (rc)
		return rc < 0 ? -1 : 0;
	rc = regex_char(&t->p, t->end, &c, e);
	if (rc)
		return rc < 0 ? -1 : literal(t, c, e);
	c = (uint8_t)*t->p++;
	t->last = 0;
	t->atom = at;
	if (c == 'b' || c == 'B')
		return boundary(t, c == 'B', e);
	if (!strchr("AzZR123456789", (int)c))
		return err_data(e, "'\\%c' is not implemented", (int)c);
	str_addf(t->out, "\\%c", (int)c);
	return 0;
}

/* ---- groups --------------------------------------------------------------------------------------- */

static int push(struct translation *t, struct err *e)
{
	if (t->depth == GROUP_DEPTH)
		return err_data(e, "groups deeper than %d", GROUP_DEPTH);
	t->open[t->depth++] =
		(struct group){.atom = t->out->len, .caseless = t->caseless, .spaced = t->spaced};
	t->last = 0;
	t->atom = SIZE_MAX;
	return 0;
}

/* (?flags) and (?flags: of Ruby, p behind the '?'. m lets the dot match newlines. What (?flags) alone changes it
 * changes up to the end of its group, and what is alternative there belongs to it. */
static int flags(struct translation *t, const char *q, struct err *e)
{
	int on = 1, caseless = t->caseless, spaced = t->spaced;
	struct str text = {0};
	str_adds(&text, "(?");
	for (; q < t->end && strchr("imx-", *q); q++) {
		str_addc(&text, *q == 'm' ? 's' : *q);
		on = *q == '-' ? 0 : on;
		caseless = *q == 'i' ? on : caseless;
		spaced = *q == 'x' ? on : spaced;
	}
	int alone = q < t->end && *q == ')', rc = 0;
	if (q == t->end || (!alone && *q != ':'))
		rc = err_data(e, "'(?%.1s' is not implemented", q < t->end ? q : "");
	else if (!alone)
		rc = push(t, e);
	else if (t->depth)
		t->open[t->depth - 1].pending++;
	if (!rc) {
		str_addf(t->out, "%s:", text.s);
		t->caseless = caseless;
		t->spaced = spaced;
		t->atom = SIZE_MAX;
		t->p = q + 1;
	}
	str_done(&text);
	return rc;
}

static int open_group(struct translation *t, struct err *e)
{
	static const char *const known[] = {"(?:", "(?=", "(?!", "(?>", "(?<=", "(?<!"};
	size_t left = (size_t)(t->end - t->p);
	if (left > 1 && t->p[1] == '*')
		return err_data(e, "'(*' is not implemented");
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		size_t n = strlen(known[i]);
		if (left < n || memcmp(t->p, known[i], n) != 0)
			continue;
		if (push(t, e))
			return -1;
		str_add(t->out, t->p, n);
		t->p += n;
		return 0;
	}
	if (left > 2 && t->p[1] == '?' && t->p[2] == '#') {
		const char *close = memchr(t->p, ')', left);
		t->p = close ? close + 1 : t->end;
		return close ? 0 : err_data(e, "a comment without its end");
	}
	if (left > 1 && t->p[1] == '?')
		return flags(t, t->p + 2, e);
	if (push(t, e))
		return -1;
	str_addc(t->out, *t->p++);
	return 0;
}

static int close_group(struct translation *t, struct err *e)
{
	if (!t->depth)
		return err_data(e, "a ')' without its '('");
	struct group *g = &t->open[--t->depth];
	for (int i = 0; i < g->pending; i++)
		str_addc(t->out, ')');
	str_addc(t->out, ')');
	t->atom = g->atom;
	t->caseless = g->caseless;
	t->spaced = g->spaced;
	t->last = 0;
	t->p++;
	return 0;
}

/* ---- repeating ------------------------------------------------------------------------------------ */

/* {n}, {n,}, {,m}, {n,m} at p; returns behind it, NULL: it is none, and stands for itself. */
static const char *interval(const char *p, const char *end, int *fixed)
{
	const char *q = p + 1, *from = q;
	while (q < end && *q >= '0' && *q <= '9')
		q++;
	size_t low = (size_t)(q - from), high = 0;
	*fixed = q < end && *q == '}';
	if (q < end && *q == ',') {
		from = ++q;
		while (q < end && *q >= '0' && *q <= '9')
			q++;
		high = (size_t)(q - from);
	}
	return q < end && *q == '}' && low + high > 0 ? q + 1 : NULL;
}

/* The last thing becomes a group, so that what follows repeats all of it. */
static void wrap(struct translation *t)
{
	struct str was = {0};
	str_add(&was, t->out->s + t->atom, t->out->len - t->atom);
	str_cut(t->out, t->atom);
	str_addf(t->out, "(?:%s)", was.s);
	str_done(&was);
}

/* One repeat at p. Behind an interval + repeats it again, and ? makes a fixed one optional: only * + ? have lazy and
 * possessive forms besides. */
static int repeat(struct translation *t, const char *behind, int fixed, struct err *e)
{
	if (t->atom == SIZE_MAX)
		return err_data(e, "a repeat of nothing");
	int is_interval = *t->p == '{';
	if (is_interval && t->p[1] == ',')
		str_addf(t->out, "{0%.*s", (int)(behind - t->p - 1), t->p + 1);
	else
		str_add(t->out, t->p, (size_t)(behind - t->p));
	t->p = behind;
	if (t->p < t->end && (*t->p == '?' ? !fixed : *t->p == '+' && !is_interval))
		str_addc(t->out, *t->p++);
	if (t->p < t->end && strchr("*+?{", *t->p))
		wrap(t);
	t->last = 0;
	return 0;
}

/* ---- all ------------------------------------------------------------------------------------------ */

static int one(struct translation *t, struct err *e)
{
	const char *behind;
	size_t i = 0;
	int fixed = 0;
	switch (*t->p) {
	case '\\':
		return escape(t, e);
	case '(':
		return open_group(t, e);
	case ')':
		return close_group(t, e);
	case '[':
		t->atom = t->out->len;
		t->last = 0;
		t->p++;
		return regex_class(&t->p, t->end, t->caseless, t->out, e);
	case '*':
	case '+':
	case '?':
		return repeat(t, t->p + 1, 0, e);
	case '{':
		behind = interval(t->p, t->end, &fixed);
		if (behind)
			return repeat(t, behind, fixed, e);
		break;
	case '|':
	case '^':
	case '$':
		t->atom = SIZE_MAX;
		t->last = 0;
		str_addc(t->out, *t->p++);
		return 0;
	case '.':
		t->atom = t->out->len;
		t->last = 0;
		str_addc(t->out, *t->p++);
		return 0;
	case ' ':
	case '\t':
	case '\n':
	case '\r':
	case '\f':
	case '\v':
		if (!t->spaced)
			break;
		t->p++;
		return 0;
	case '#':
		if (!t->spaced)
			break;
		behind = memchr(t->p, '\n', (size_t)(t->end - t->p));
		t->p = behind ? behind + 1 : t->end;
		return 0;
	default:
		break;
	}
	unsigned c = uni_next((const uint8_t *)t->p, &i);
	t->p += i;
	return literal(t, c, e);
}

int regex_translate(const char *s, size_t len, struct str *out, struct err *e)
{
	struct translation t = {.p = s, .end = s + len, .out = out, .atom = SIZE_MAX};
	str_reserve(out, 0);
	/* The outermost group is not written, but (?i) may stand in it. */
	t.open[t.depth++] = (struct group){0};
	while (t.p < t.end) {
		if (t.depth == 1 && *t.p == ')')
			return err_data(e, "a ')' without its '('");
		if (one(&t, e))
			return -1;
		if (out->len > REGEX_LIMIT)
			return err_data(e, "it becomes larger than %d bytes", REGEX_LIMIT);
	}
	if (t.depth > 1)
		return err_data(e, "a '(' without its ')'");
	for (int i = 0; i < t.open[0].pending; i++)
		str_addc(out, ')');
	return 0;
}
