/*
 * Patterns of Split and Replace: tokenizer.json has them in Oniguruma's Ruby syntax, regex.c says them to
 * PCRE2, which runs them.
 */
#include "common/tokenizer/tokenizer_int.h"

#include "common/mem.h"
#include "common/tokenizer/regex.h"

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

/* ---- compiling and matching ---------------------------------------------------------------------- */

static int compile(struct pattern *p, struct err *e)
{
	struct str re = {0};
	str_reserve(&re, 0);
	if (regex_translate(p->text, p->len, &re, e)) {
		str_done(&re);
		return err_prefix(e, "pattern '%.200s'", p->text);
	}
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	int code;
	PCRE2_SIZE at;
	/* PCRE2 10.42's JIT overlooks matches of "(?>[^x].+?)y" when it looks ahead for where one may start. */
	uint32_t careful = memmem(re.s, re.len, "(?>", 3) ? PCRE2_NO_START_OPTIMIZE : 0;
	p->code = pcre2_compile((PCRE2_SPTR)re.s, re.len,
		PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | careful, &code, &at, context);
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
	/* Nothing is a pattern that matches everywhere. */
	if ((!literal || !len) && compile(p, e)) {
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

int pattern_is_space(const struct pattern *p)
{
	return p && !p->code && p->len == 1 && *p->text == ' ';
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

int pattern_next(const struct pattern *p, struct pattern_state *st, const char *s, size_t len,
	struct pattern_cursor *c, struct span *m, struct err *e)
{
	int rc = 0;
	while (len && c->at <= len && (rc = pattern_find(p, st, s, len, c->at, m, e)) > 0) {
		if (m->from < m->to || !c->any || m->to != c->last) {
			c->at = c->last = m->to;
			c->any = 1;
			return 1;
		}
		c->at++; /* pattern_find goes on to the next character */
		rc = 0;
	}
	return rc;
}
