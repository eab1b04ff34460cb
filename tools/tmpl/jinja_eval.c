/* Expressions: tree to values. */
#include "tools/tmpl/jinja_eval.h"

#include <string.h>

static struct jv eval_item(struct jinja_run *r, struct jx_frame *f, const struct jx_node *n)
{
	struct jv obj = jx_eval(r, f, n->x.a);
	const struct jx_node *k = n->x.b;
	if (k->kind != E_SLICE) {
		struct jv key = jx_eval(r, f, k);
		r->line = n->line;
		return jx_getitem(r, obj, key);
	}
	struct jv none = jv_none();
	struct jv from = k->x.a ? jx_eval(r, f, k->x.a) : none;
	struct jv to = k->x.b ? jx_eval(r, f, k->x.b) : none;
	struct jv by = k->x.c ? jx_eval(r, f, k->x.c) : none;
	r->line = n->line;
	return jx_slice(r, obj, from, to, by);
}

/* Chained: each operand once, in order, as far as needed. */
static struct jv eval_compare(struct jinja_run *r, struct jx_frame *f, const struct jx_node *n)
{
	struct jv a = jx_eval(r, f, n->cmp.first);
	for (uint32_t i = 0; i < n->cmp.rest.n; i++) {
		struct jv b = jx_eval(r, f, n->cmp.rest.v[i]);
		r->line = n->line;
		if (!jx_compare(r, n->cmp.op[i], a, b))
			return jv_bool(0);
		a = b;
	}
	return jv_bool(1);
}

static struct jv eval_concat(struct jinja_run *r, struct jx_frame *f, const struct jx_node *n)
{
	struct jv all = jv_str("", 0);
	int markup = 0;
	struct jv *parts = r->autoescape ? jx_alloc(r, n->list.n, sizeof *parts) : NULL;
	for (uint32_t i = 0; i < n->list.n; i++) {
		struct jv v = jx_soft_str(r, jx_eval(r, f, n->list.v[i]));
		r->line = n->line;
		if (parts) {
			parts[i] = v;
			markup |= v.flags & JF_MARKUP;
			continue;
		}
		v.flags = 0;
		all = all.len ? jx_str_cat(r, all, v.u.s, v.len) : v;
	}
	for (uint32_t i = 0; parts && i < n->list.n; i++) { /* {% autoescape true %}: markup_join */
		struct jv v = markup ? jx_escape(r, parts[i]) : parts[i];
		all = jx_str_cat(r, all, v.u.s, v.len);
	}
	all.flags = markup ? JF_MARKUP : 0;
	return all;
}

static struct jv eval_list(struct jinja_run *r, struct jx_frame *f, const struct jx_node *n)
{
	struct jv l = jx_list(r, n->list.n);
	l.type = n->kind == E_TUPLE ? JV_TUPLE : JV_LIST;
	for (uint32_t i = 0; i < n->list.n; i++)
		jx_push(r, l, jx_eval(r, f, n->list.v[i]));
	return l;
}

static struct jv eval_dict(struct jinja_run *r, struct jx_frame *f, const struct jx_node *n)
{
	struct jv d = jx_dict(r, n->list.n / 2);
	for (uint32_t i = 0; i < n->list.n; i += 2) {
		struct jv key = jx_eval(r, f, n->list.v[i]);
		struct jv value = jx_eval(r, f, n->list.v[i + 1]);
		r->line = n->line;
		jx_dict_put(r, d, key, value);
	}
	return d;
}

/* Room for n values: in the call itself when there are few. */
static struct jv *room(struct jinja_run *r, struct jx_call *c, size_t n)
{
	return n <= sizeof c->buf / sizeof *c->buf ? c->buf : jx_alloc(r, n, sizeof(struct jv));
}

/* *args and **kwargs, which may bring any number. */
static void eval_dynamic(
	struct jinja_run *r, struct jx_frame *f, const struct jx_args *a, struct jx_call *c)
{
	struct jv pos = jx_list(r, a->pos.n + 8), kw = jx_list(r, a->kw.n * 2 + 8);
	for (size_t i = 0; i < c->npos; i++)
		jx_push(r, pos, c->pos[i]);
	for (size_t i = 0; i < c->nkw * 2; i++)
		jx_push(r, kw, c->kw[i]);
	if (a->star) {
		struct jx_iter it;
		struct jv v;
		jx_iter(r, &it, jx_eval(r, f, a->star));
		while (jx_iter_next(r, &it, &v))
			jx_push(r, pos, v);
	}
	if (a->dstar) {
		struct jv d = jx_eval(r, f, a->dstar);
		if (d.type != JV_DICT)
			jx_fail(r, "argument after ** must be a mapping, not %s", jx_type_name(d));
		for (uint32_t i = 0; i < d.u.dict->n; i++) {
			struct jv key = d.u.dict->e[i].key;
			if (key.type != JV_STR)
				jx_fail(r, "keywords must be strings");
			for (uint32_t k = 0; k < a->kw.n; k++)
				if (jx_equal(r, a->keys[k], key))
					jx_fail(r,
						"got multiple values for keyword argument '%.*s'",
						(int)key.len, key.u.s);
			jx_push(r, kw, key);
			jx_push(r, kw, d.u.dict->e[i].value);
		}
	}
	c->pos = pos.u.list->v;
	c->npos = pos.u.list->n;
	c->kw = kw.u.list->v;
	c->nkw = kw.u.list->n / 2;
}

void jx_eval_args(struct jinja_run *r, struct jx_frame *f, const struct jx_args *a,
	struct jx_call *c, const struct jv *caller)
{
	size_t nkw = a->kw.n + (caller != NULL);
	struct jv *v = room(r, c, a->pos.n + nkw * 2);
	c->pos = v;
	c->npos = a->pos.n;
	for (uint32_t i = 0; i < a->pos.n; i++)
		v[i] = jx_eval(r, f, a->pos.v[i]);
	struct jv *kw = v + a->pos.n;
	c->kw = kw;
	c->nkw = nkw;
	for (uint32_t i = 0; i < a->kw.n; i++) {
		kw[i * 2] = a->keys[i];
		kw[i * 2 + 1] = jx_eval(r, f, a->kw.v[i]);
	}
	if (caller) {
		kw[a->kw.n * 2] = jv_str("caller", 6);
		kw[a->kw.n * 2 + 1] = *caller;
	}
	if (a->star || a->dstar)
		eval_dynamic(r, f, a, c);
}

struct jv jx_eval_call(
	struct jinja_run *r, struct jx_frame *f, const struct jx_node *n, const struct jv *caller)
{
	struct jx_call c;
	const struct jx_node *fn = n->call.obj;
	if (fn->kind == E_ATTR) { /* obj.method(…): the method need not become a value */
		struct jv obj = jx_eval(r, f, fn->attr.obj);
		int unsafe = 0;
		const struct jx_builtin *m = jx_method_find(obj, fn->attr.attr, &unsafe);
		struct jv callee = {0};
		if (!m) {
			r->line = n->line;
			callee = jx_getattr(r, obj, fn->attr.attr);
		}
		jx_eval_args(r, f, &n->call.args, &c, caller);
		r->line = n->line;
		return m ? jx_builtin_call(r, m, obj, &c) : jx_call_value(r, callee, &c);
	}
	struct jv callee = jx_eval(r, f, fn);
	jx_eval_args(r, f, &n->call.args, &c, caller);
	r->line = n->line;
	return jx_call_value(r, callee, &c);
}

struct jv jx_eval_filter(
	struct jinja_run *r, struct jx_frame *f, const struct jx_node *n, struct jv v)
{
	struct jx_call c;
	if (!n->call.fn) {
		r->line = n->line;
		jx_fail(r, "no %s named '%.*s'", n->kind == E_FILTER ? "filter" : "test",
			(int)n->call.name.len, n->call.name.u.s);
	}
	jx_eval_args(r, f, &n->call.args, &c, NULL);
	r->line = n->line;
	return jx_builtin_call(r, n->call.fn, v, &c);
}

static struct jv eval_cond(struct jinja_run *r, struct jx_frame *f, const struct jx_node *n)
{
	if (jx_true(r, jx_eval(r, f, n->x.b)))
		return jx_eval(r, f, n->x.a);
	if (n->x.c)
		return jx_eval(r, f, n->x.c);
	return jx_undefined_hint(
		r, "the inline if-expression evaluated to false and no else section was defined");
}

static struct jv eval_operation(struct jinja_run *r, struct jx_frame *f, const struct jx_node *n)
{
	struct jv a, b;
	switch (n->kind) {
	case E_ATTR:
		a = jx_eval(r, f, n->attr.obj);
		r->line = n->line;
		return jx_getattr(r, a, n->attr.attr);
	case E_ITEM:
		return eval_item(r, f, n);
	case E_COMPARE:
		return eval_compare(r, f, n);
	case E_CALL:
		return jx_eval_call(r, f, n, NULL);
	case E_FILTER:
	case E_TEST:
		return jx_eval_filter(r, f, n, jx_eval(r, f, n->call.obj));
	case E_AND:
		a = jx_eval(r, f, n->x.a);
		return jx_true(r, a) ? jx_eval(r, f, n->x.b) : a;
	case E_OR:
		a = jx_eval(r, f, n->x.a);
		return jx_true(r, a) ? a : jx_eval(r, f, n->x.b);
	case E_NOT:
		return jv_bool(!jx_true(r, jx_eval(r, f, n->x.a)));
	case E_NEG:
	case E_POS:
		a = jx_eval(r, f, n->x.a);
		r->line = n->line;
		return jx_negate(r, a, n->kind == E_NEG);
	case E_CONCAT:
		return eval_concat(r, f, n);
	case E_COND:
		return eval_cond(r, f, n);
	case E_TUPLE:
	case E_LIST:
		return eval_list(r, f, n);
	case E_DICT:
		return eval_dict(r, f, n);
	default:
		a = jx_eval(r, f, n->x.a);
		b = jx_eval(r, f, n->x.b);
		r->line = n->line;
		return jx_binary(r, n->kind, a, b);
	}
}

struct jv jx_eval_node(struct jinja_run *r, struct jx_frame *f, const struct jx_node *n)
{
	jx_spend(r, 1);
	if (++r->depth > JX_EVAL_DEPTH) {
		r->line = n->line;
		jx_fail(r, "the template recurses too deeply");
	}
	struct jv v = eval_operation(r, f, n);
	r->depth--;
	return v;
}
