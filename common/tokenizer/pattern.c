/*
 * Patterns of Split and Replace. tokenizer.json has them in Oniguruma's Ruby syntax; PCRE2 runs them
 * after a translation of what differs: classes (Unicode 16.0 there, 14.0 here), \s \w \h, ^ and $, (?m).
 * What means something else in PCRE2 and is not translated is refused.
 */
#include "common/tokenizer/tokenizer_int.h"

#include "common/mem.h"
#include "common/tokenizer/unicode.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

enum {
	PATTERN_LIMIT = 1 << 16,
	MATCH_LIMIT = 2 * 1000 * 1000, /* steps of one match: about a tenth of a second */
	JIT_STACK = 1 << 20,
};

struct pattern {
	char *text;
	size_t len;
	pcre2_code *code; /* NULL: a literal */
};

struct pattern_state {
	pcre2_match_context *context;
	pcre2_jit_stack *stack;
	pcre2_match_data *data;
};

/* ---- translation ------------------------------------------------------------------------------- */

static const char *const category_names[] = {"Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me",
	"Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs",
	"Zl", "Zp", "Cc", "Cf", "Cs", "Co"}; /* in the order of UTF8PROC_CATEGORY_… */

static const struct {
	const char *name;
	uint32_t from, to;
} new_scripts[] = {
	{"Han", 0x2ebf0, 0x2ee5d},
	{"Han", 0x31350, 0x323af},
	{"Hiragana", 0x1b132, 0x1b132},
	{"Katakana", 0x1b155, 0x1b155},
};

#define WHITE_SPACE                                                                                \
	"\\x09-\\x0d\\x20\\x85\\xa0\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{"    \
	"205f}\\x{3000}"
#define WORD                                                                                       \
	"\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}\\xb2\\xb3\\xb9\\xbc-\\xbe\\x{24b6}-\\x{24e9}"           \
	"\\x{1f130}-\\x{1f149}\\x{1f150}-\\x{1f169}\\x{1f170}-\\x{1f189}"

static void range(struct str *out, uint32_t from, uint32_t to)
{
	str_addf(out, from == to ? "\\x{%x}" : "\\x{%x}-\\x{%x}", from, to);
}

/* The inside of a class for \p{name}. */
static void property(struct str *out, const char *name, size_t len)
{
	str_addf(out, "\\p{%.*s}", (int)len, name);
	for (const struct uni_range *r = uni_new_categories; len <= 2 && r->to; r++)
		if (!memcmp(category_names[r->value], name, len))
			range(out, r->from, r->to);
	for (size_t i = 0; i < sizeof new_scripts / sizeof *new_scripts; i++)
		if (strlen(new_scripts[i].name) == len && !memcmp(new_scripts[i].name, name, len))
			range(out, new_scripts[i].from, new_scripts[i].to);
}

struct translation {
	const char *p, *end;
	struct str *out;
	int class; /* inside of [ ] */
};

/* A class, outside of [ ] in its own. */
static int class(struct translation *t, const char *inside, int negated, struct err *e)
{
	if (t->class && negated)
		return err_data(e, "a negated class inside of [ ] is not implemented");
	if (t->class)
		str_adds(t->out, inside);
	else
		str_addf(t->out, "[%s%s]", negated ? "^" : "", inside);
	return 0;
}

static int escape(struct translation *t, struct err *e)
{
	if (t->p + 1 == t->end)
		return err_data(e, "it ends in a backslash");
	char c = t->p[1];
	t->p += 2;
	switch (c) {
	case 's':
	case 'S':
		return class(t, WHITE_SPACE, c == 'S', e);
	case 'h':
	case 'H':
		return class(t, "0-9a-fA-F", c == 'H', e);
	case 'd':
	case 'D':
	case 'w':
	case 'W': {
		struct str in = {0};
		str_reserve(&in, 0);
		if (c == 'd' || c == 'D') {
			property(&in, "Nd", 2);
		} else {
			str_adds(&in, WORD);
			property(&in, "L", 1);
			property(&in, "M", 1);
			property(&in, "Nd", 2);
			property(&in, "Nl", 2);
		}
		int rc = class(t, in.s, c == 'D' || c == 'W', e);
		str_done(&in);
		return rc;
	}
	case 'b':
	case 'B':
		if (t->class)
			break;
		return err_data(e, "'\\%c' is not implemented", c);
	case 'p':
	case 'P': {
		int negated = c == 'P';
		const char *close = t->p < t->end && *t->p == '{'
					    ? memchr(t->p, '}', (size_t)(t->end - t->p))
					    : NULL;
		if (!close)
			return err_data(e, "'\\%c' without a {name}", c);
		const char *name = t->p + 1;
		if (*name == '^') {
			negated = !negated;
			name++;
		}
		struct str in = {0};
		property(&in, name, (size_t)(close - name));
		int rc = class(t, in.s, negated, e);
		str_done(&in);
		t->p = close + 1;
		return rc;
	}
	case 'u':
		if (t->end - t->p < 4)
			return err_data(e, "'\\u' without four digits");
		str_addf(t->out, "\\x{%.4s}", t->p);
		t->p += 4;
		return 0;
	default:
		break;
	}
	str_addc(t->out, '\\');
	str_addc(t->out, c);
	return 0;
}

/* (?flags) and (?flags: of Ruby: m lets the dot match newlines. */
static void group(struct translation *t)
{
	str_addc(t->out, *t->p++);
	if (t->end - t->p < 2 || *t->p != '?')
		return;
	const char *q = t->p + 1;
	while (q < t->end && strchr("imx-", *q))
		q++;
	if (q == t->end || (*q != ')' && *q != ':'))
		return;
	for (; t->p < q; t->p++)
		str_addc(t->out, *t->p == 'm' ? 's' : *t->p);
}

static int translate(const char *s, size_t len, struct str *out, struct err *e)
{
	struct translation t = {.p = s, .end = s + len, .out = out};
	while (t.p < t.end) {
		char c = *t.p;
		if (c == '\\') {
			if (escape(&t, e))
				return -1;
			continue;
		}
		if (c == '(' && !t.class) {
			group(&t);
			continue;
		}
		if (c == '[' && t.class && t.p + 1 < t.end && t.p[1] != ':')
			return err_data(e, "a class inside of a class is not implemented");
		if (c == '&' && t.class && t.p + 1 < t.end && t.p[1] == '&')
			return err_data(e, "'&&' inside of a class is not implemented");
		if (c == '[' && t.class) { /* [:name:] */
			const char *close = memmem(t.p, (size_t)(t.end - t.p), ":]", 2);
			if (!close)
				return err_data(e, "'[:' without ':]'");
			str_add(out, t.p, (size_t)(close + 2 - t.p));
			t.p = close + 2;
			continue;
		}
		if (c == '}' && !t.class && t.p + 1 < t.end && t.p[1] == '+')
			return err_data(e, "'}+' repeats in Ruby's syntax and is not implemented");
		if (c == '[') {
			t.class = 1;
			str_addc(out, *t.p++);
			if (t.p < t.end && *t.p == '^')
				str_addc(out, *t.p++);
			if (t.p < t.end && *t.p == ']')
				return err_data(e, "an empty class");
			continue;
		}
		if (c == ']')
			t.class = 0;
		str_addc(out, c);
		t.p++;
	}
	return 0;
}

/* ---- compiling and matching ---------------------------------------------------------------------- */

static int compile(struct pattern *p, struct err *e)
{
	struct str re = {0};
	str_reserve(&re, 0);
	if (translate(p->text, p->len, &re, e)) {
		str_done(&re);
		return err_prefix(e, "pattern '%.200s'", p->text);
	}
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	int code;
	PCRE2_SIZE at;
	p->code = pcre2_compile((PCRE2_SPTR)re.s, re.len, PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE,
		&code, &at, context);
	pcre2_compile_context_free(context);
	str_done(&re);
	if (!p->code) {
		PCRE2_UCHAR why[200];
		pcre2_get_error_message(code, why, sizeof why);
		return err_data(e, "pattern '%.200s': %s", p->text, (char *)why);
	}
	pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE); /* without it, it is only slower */
	return 0;
}

int pattern_new(struct pattern **out, const char *s, size_t len, int literal, struct err *e)
{
	if (len > PATTERN_LIMIT)
		return err_data(e, "a pattern of over %d bytes", PATTERN_LIMIT);
	struct pattern *p = mem_zalloc(1, sizeof *p);
	p->text = mem_strndup(s, len);
	p->len = len;
	if (!literal && compile(p, e)) {
		pattern_free(p);
		return -1;
	}
	*out = p;
	return 0;
}

int pattern_load(struct pattern **p, const json_t *v, const char *of, struct err *e)
{
	const json_t *text = v, *regex = json_object_get(v, "Regex");
	if (json_is_object(v))
		text = regex ? regex : json_object_get(v, "String");
	if (!json_is_string(text))
		return err_data(e, "'%s' is neither a String nor a Regex", of);
	return pattern_new(p, json_string_value(text), json_string_length(text), !regex, e);
}

void pattern_free(struct pattern *p)
{
	if (!p)
		return;
	pcre2_code_free(p->code);
	mem_free(p->text);
	mem_free(p);
}

const char *pattern_text(const struct pattern *p)
{
	return p->code && strlen(p->text) == p->len ? p->text : NULL;
}

struct pattern_state *pattern_state_new(void)
{
	struct pattern_state *st = mem_zalloc(1, sizeof *st);
	st->context = pcre2_match_context_create(NULL);
	st->stack = pcre2_jit_stack_create(32 * 1024, JIT_STACK, NULL);
	st->data = pcre2_match_data_create(1, NULL);
	pcre2_set_match_limit(st->context, MATCH_LIMIT);
	pcre2_jit_stack_assign(st->context, NULL, st->stack);
	return st;
}

void pattern_state_free(struct pattern_state *st)
{
	if (!st)
		return;
	pcre2_match_data_free(st->data);
	pcre2_match_context_free(st->context);
	pcre2_jit_stack_free(st->stack);
	mem_free(st);
}

int pattern_find(const struct pattern *p, struct pattern_state *st, const char *s, size_t len,
	size_t from, struct span *m, struct err *e)
{
	if (!p->code) {
		const char *at = NULL;
		if (p->len == 1 && from < len)
			at = memchr(s + from, *p->text, len - from);
		else if (p->len && from < len)
			at = memmem(s + from, len - from, p->text, p->len);
		if (!at)
			return 0;
		*m = (struct span){(uint32_t)(at - s), (uint32_t)((size_t)(at - s) + p->len)};
		return 1;
	}
	while (from < len && ((uint8_t)s[from] & 0xc0) == 0x80)
		from++;
	if (from > len)
		return 0;
	int rc = pcre2_match(
		p->code, (PCRE2_SPTR)s, len, from, PCRE2_NO_UTF_CHECK, st->data, st->context);
	if (rc == PCRE2_ERROR_NOMATCH)
		return 0;
	if (rc < 0)
		return err_data(e, "pattern '%.200s' is too costly on this text", p->text);
	PCRE2_SIZE *v = pcre2_get_ovector_pointer(st->data);
	if (v[0] > v[1])
		return err_data(e, "pattern '%.200s' ends before it begins", p->text);
	*m = (struct span){(uint32_t)v[0], (uint32_t)v[1]};
	return 1;
}
