/* Calling: built-in functions with Python's rules for arguments, and whatever value is called. */
#include "tools/tmpl/jinja_int.h"

#include <string.h>

const struct jx_builtin *jx_builtin_find(const struct jx_builtin *table, struct jv name)
{
	for (; name.len && table->name; table++) /* most differ in the first letter */
		if (*table->name == *name.u.s && jx_jv_is(name, table->name))
			return table;
	return NULL;
}

/* The next word of a row's params: its length, 0 at the end. */
static size_t next_param(const char **p, const char **word, int *optional)
{
	while (**p == ' ')
		++*p;
	*optional = **p == '?';
	if (*optional)
		++*p;
	*word = *p;
	while (**p && **p != ' ')
		++*p;
	return (size_t)(*p - *word);
}

static void bind_args(struct jinja_run *r, const struct jx_builtin *b, struct jx_call *c)
{
	const char *p = b->params, *word;
	int by_name = *p != '/', optional;
	size_t n = 0, len, taken = 0;
	if (!by_name)
		p++;
	for (; (len = next_param(&p, &word, &optional)); n++) {
		c->a[n] = n < c->npos ? c->pos[n] : (struct jv){0};
		for (size_t k = 0; k < c->nkw && by_name; k++) {
			struct jv key = c->kw[k * 2];
			if (key.len != len || memcmp(key.u.s, word, len) != 0)
				continue;
			if (n < c->npos)
				jx_fail(r, "%s() got multiple values for argument '%.*s'", b->name,
					(int)len, word);
			c->a[n] = c->kw[k * 2 + 1];
			taken++;
		}
		if (c->a[n].type == JV_MISSING && !optional)
			jx_fail(r, "%s() missing a required argument: '%.*s'", b->name, (int)len,
				word);
	}
	if (c->npos > n)
		jx_fail(r, "%s() takes at most %zu arguments (%zu given)", b->name, n, c->npos);
	if (taken < c->nkw) {
		for (size_t k = 0; k < c->nkw; k++) {
			p = b->params + !by_name;
			int known = 0;
			while (by_name && (len = next_param(&p, &word, &optional)))
				known |= c->kw[k * 2].len == len &&
					 memcmp(c->kw[k * 2].u.s, word, len) == 0;
			if (!known)
				jx_fail(r, "%s() got an unexpected keyword argument '%.*s'",
					b->name, (int)c->kw[k * 2].len, c->kw[k * 2].u.s);
		}
	}
}

struct jv jx_builtin_call(
	struct jinja_run *r, const struct jx_builtin *b, struct jv self, struct jx_call *c)
{
	if (b->params)
		bind_args(r, b, c);
	if (self.type == JV_STR) /* most walk over it once */
		jx_spend(r, self.len / 4);
	return b->fn(r, self, c);
}

void jx_args_from(struct jx_call *to, const struct jx_call *from, size_t skip)
{
	to->pos = from->pos + skip;
	to->npos = from->npos - skip;
	to->kw = from->kw;
	to->nkw = from->nkw;
}

struct bound {
	const struct jx_builtin *method;
	struct jv self;
};

struct jv jx_bind_method(struct jinja_run *r, const struct jx_builtin *m, struct jv self)
{
	struct bound *b = jx_alloc(r, 1, sizeof *b);
	*b = (struct bound){m, self};
	return (struct jv){.type = JV_METHOD, .u.p = b};
}

struct jv jx_call_value(struct jinja_run *r, struct jv fn, struct jx_call *c)
{
	switch (fn.type) {
	case JV_METHOD: {
		const struct bound *b = fn.u.p;
		return jx_builtin_call(r, b->method, b->self, c);
	}
	case JV_GLOBAL:
		return jx_builtin_call(r, fn.u.p, (struct jv){0}, c);
	case JV_MACRO:
		return jx_call_macro(r, fn, c);
	case JV_LOOP:
		return jx_call_loop(r, fn, c);
	case JV_BLOCK:
		return jx_call_block(r, fn);
	case JV_JOINER: {
		struct jx_joiner *j = fn.u.p;
		if (j->used)
			return j->sep;
		j->used = 1;
		return jv_str("", 0);
	}
	case JV_UNDEFINED:
		jx_fail_undefined(r, fn);
	default:
		jx_fail(r, "'%s' object is not callable", jx_type_name(fn));
	}
}

/* ---- what functions do with their arguments -------------------------------------------------------- */

int jx_given(struct jv v)
{
	return v.type != JV_MISSING && v.type != JV_NONE;
}

int64_t jx_arg_int(struct jinja_run *r, struct jv v, int64_t otherwise)
{
	return v.type == JV_MISSING ? otherwise : jx_index(r, v);
}

int jx_arg_true(struct jinja_run *r, struct jv v, int otherwise)
{
	return v.type == JV_MISSING ? otherwise : jx_true(r, v);
}

struct jv jx_want_str(struct jinja_run *r, struct jv v, const char *what)
{
	if (v.type == JV_UNDEFINED && !((const struct jx_undef *)v.u.p)->hint)
		jx_fail(r, "%s must be a string, not Undefined", what);
	if (v.type != JV_STR)
		jx_fail(r, "%s must be a string, not %s", what, jx_type_name(v));
	return v;
}

struct jv jx_get_path(struct jinja_run *r, struct jv item, struct jv attr)
{
	if (!jx_given(attr))
		return item;
	if (attr.type != JV_STR)
		return jx_getitem(r, item, attr);
	for (size_t from = 0;;) {
		size_t to = from;
		int digits = 1;
		for (; to < attr.len && attr.u.s[to] != '.'; to++)
			digits &= attr.u.s[to] >= '0' && attr.u.s[to] <= '9';
		struct jv key = jv_str(attr.u.s + from, to - from);
		int64_t i;
		if (digits && to > from && jx_parse_int(key, 10, &i) == 0)
			key = jv_int(i);
		item = jx_getitem(r, item, key);
		if (to == attr.len)
			return item;
		from = to + 1;
	}
}
