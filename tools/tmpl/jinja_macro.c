/* Macros and call blocks; loops and the loop variable. */
#include "tools/tmpl/jinja_exec.h"

#include <string.h>

/* ---- macros --------------------------------------------------------------------------------------- */

struct macro {
	const struct jx_func *def;
	struct jx_frame *closure;
};

struct jv jx_macro_value(struct jinja_run *r, struct jx_frame *f, const struct jx_func *def)
{
	struct macro *m = jx_alloc(r, 1, sizeof *m);
	*m = (struct macro){def, f};
	return (struct jv){.type = JV_MACRO, .u.p = m};
}

struct jv jx_macro_name(struct jv macro)
{
	return ((const struct macro *)macro.u.p)->def->name;
}

struct jv jx_macro_attr(struct jinja_run *r, struct jv macro, struct jv name)
{
	const struct jx_func *d = ((const struct macro *)macro.u.p)->def;
	if (jx_jv_is(name, "name"))
		return d->name;
	if (jx_jv_is(name, "arguments")) {
		struct jv t = jx_tuple(r, d->params.n);
		for (uint32_t i = 0; i < d->params.n; i++)
			jx_push(r, t, d->params.v[i]->name.text);
		return t;
	}
	if (jx_jv_is(name, "catch_kwargs"))
		return jv_bool(d->kwargs_slot != UINT32_MAX);
	if (jx_jv_is(name, "catch_varargs"))
		return jv_bool(d->varargs_slot != UINT32_MAX);
	if (jx_jv_is(name, "caller"))
		return jv_bool(d->caller_slot != UINT32_MAX || d->explicit_caller);
	if (jx_jv_is(name, "explicit_caller"))
		return jv_bool(d->explicit_caller);
	return (struct jv){0};
}

static int keyword_of(const struct jx_func *d, struct jv key)
{
	for (uint32_t i = 0; i < d->params.n; i++)
		if (jv_equal(d->params.v[i]->name.text, key))
			return (int)i;
	return -1;
}

static void bind_keywords(
	struct jinja_run *r, const struct jx_func *d, struct jx_frame *f, struct jx_call *c)
{
	struct jv name = d->name.type == JV_STR ? d->name : jv_str("None", 4);
	struct jv rest = d->kwargs_slot != UINT32_MAX ? jx_dict(r, 4) : (struct jv){0};
	if (d->caller_slot != UINT32_MAX)
		f->slot[d->caller_slot] = jx_undefined_hint(r, "No caller defined");
	for (size_t i = 0; i < c->nkw; i++) {
		struct jv key = c->kw[i * 2], v = c->kw[i * 2 + 1];
		int k = keyword_of(d, key);
		if (k >= 0 && (size_t)k >= c->npos) {
			f->slot[d->param_slots[k]] = v;
		} else if (d->caller_slot != UINT32_MAX && jx_jv_is(key, "caller")) {
			f->slot[d->caller_slot] = v.type == JV_NONE ? f->slot[d->caller_slot] : v;
		} else if (rest.type) {
			jx_dict_put(r, rest, key, v);
		} else if (jx_jv_is(key, "caller")) {
			jx_fail(r,
				"macro '%.*s' was invoked with two values for the special caller "
				"argument",
				(int)name.len, name.u.s);
		} else {
			jx_fail(r, "macro '%.*s' takes no keyword argument '%.*s'", (int)name.len,
				name.u.s, (int)key.len, key.u.s);
		}
	}
	if (rest.type)
		f->slot[d->kwargs_slot] = rest;
}

struct jv jx_call_macro(struct jinja_run *r, struct jv macro, struct jx_call *c)
{
	const struct macro *m = macro.u.p;
	const struct jx_func *d = m->def;
	if (++r->calls > JX_CALL_DEPTH)
		jx_fail(r, "macros call each other too deeply (over %d levels)", JX_CALL_DEPTH);
	struct jx_frame *f = jx_frame_new(r, m->closure, d->nslots);
	jx_enter(r, f, &d->scope);
	for (size_t i = 0; i < c->npos && i < d->params.n; i++)
		f->slot[d->param_slots[i]] = c->pos[i];
	bind_keywords(r, d, f, c);
	if (d->varargs_slot != UINT32_MAX) {
		struct jv rest = jx_tuple(r, c->npos > d->params.n ? c->npos - d->params.n : 0);
		for (size_t i = d->params.n; i < c->npos; i++)
			jx_push(r, rest, c->pos[i]);
		f->slot[d->varargs_slot] = rest;
	} else if (c->npos > d->params.n) {
		struct jv name = d->name.type == JV_STR ? d->name : jv_str("None", 4);
		jx_fail(r, "macro '%.*s' takes not more than %u argument(s)", (int)name.len,
			name.u.s, d->params.n);
	}
	for (uint32_t i = 0; i < d->params.n; i++) {
		struct jv *slot = &f->slot[d->param_slots[i]];
		if (slot->type != JV_MISSING)
			continue;
		uint32_t from = d->params.n - d->defaults.n;
		*slot = i >= from ? jx_eval(r, f, d->defaults.v[i - from])
				  : jx_undefined(r, (struct jv){0}, d->params.v[i]->name.text);
	}
	size_t mark = r->out->len, marks = r->nmarks;
	jx_exec(r, f, d->body);
	struct jv text = jx_capture(r, mark, marks);
	if (r->autoescape)
		text.flags |= JF_MARKUP;
	r->calls--;
	return text;
}

void jx_exec_call(struct jinja_run *r, struct jx_frame *f, const struct jx_node *n)
{
	struct jv caller = jx_macro_value(r, f, n->func);
	struct jv v = jx_to_str(r, jx_eval_call(r, f, n->func->call, &caller));
	jx_emit(r, v.u.s, v.len);
}

/* ---- loops ---------------------------------------------------------------------------------------- */

struct loop {
	struct jx_iter it;
	const struct jx_for *l;
	struct jx_frame *frame;		  /* where the loop's variables lie */
	struct jv before, current, after; /* after: looked at ahead of time, JV_MISSING when not */
	int64_t index0, length;		  /* length -1: not known yet */
	int64_t depth0;
	int passed;	   /* what is left of `it` has passed the test */
	struct jv changed; /* last arguments of loop.changed */
};

/* The next item that passes the loop's own `if`. */
static int pull(struct jinja_run *r, struct loop *p, struct jv *out)
{
	const struct jx_for *l = p->l;
	while (jx_iter_next(r, &p->it, out)) {
		if (!l->test || p->passed)
			return 1;
		jx_enter(r, p->frame, &l->test_scope);
		jx_assign(r, p->frame, l->test_target, *out);
		if (jx_true(r, jx_eval(r, p->frame, l->test)))
			return 1;
	}
	return 0;
}

static int advance(struct jinja_run *r, struct loop *p)
{
	struct jv v = p->after;
	p->after = (struct jv){0};
	if (v.type == JV_MISSING && !pull(r, p, &v))
		return 0;
	p->index0++;
	p->before = p->current;
	p->current = v;
	return 1;
}

static int ahead(struct jinja_run *r, struct loop *p)
{
	if (p->after.type == JV_MISSING && !pull(r, p, &p->after))
		p->after = (struct jv){0};
	return p->after.type != JV_MISSING;
}

int64_t jx_loop_index(struct jv loop)
{
	return ((const struct loop *)loop.u.p)->index0 + 1;
}

/* Without a known length the rest is taken now, as Jinja does. */
int64_t jx_loop_length(struct jinja_run *r, struct jv loop)
{
	struct loop *p = loop.u.p;
	if (p->length >= 0)
		return p->length;
	struct jv rest = jx_list(r, 8), v;
	while (pull(r, p, &v))
		jx_push(r, rest, v);
	p->length = (int64_t)rest.u.list->n + p->index0 + 1 + (p->after.type != JV_MISSING);
	p->passed = 1;
	jx_iter(r, &p->it, rest);
	return p->length;
}

static enum jx_flow run_loop(struct jinja_run *r, struct jx_frame *f, const struct jx_for *l,
	struct jv items, int64_t depth0)
{
	struct loop *p = jx_alloc(r, 1, sizeof *p);
	*p = (struct loop){.l = l, .frame = f, .index0 = -1, .length = -1, .depth0 = depth0};
	jx_iter(r, &p->it, items);
	if (!l->test && items.type != JV_ITER)
		p->length = items.type == JV_UNDEFINED ? 0 : jx_len(r, items);
	struct jv self = {.type = JV_LOOP, .u.p = p};
	int finished = 0; /* Jinja runs `else` unless some round has reached the body's end */
	while (advance(r, p)) {
		if (l->extended)
			f->slot[l->loop_slot] = self;
		jx_assign(r, f, l->target, p->current);
		jx_enter(r, f, &l->scope);
		enum jx_flow flow = jx_exec(r, f, l->body);
		if (flow == FLOW_BREAK)
			break;
		finished |= flow == FLOW_NEXT;
	}
	if (finished || !l->orelse.n)
		return FLOW_NEXT;
	jx_enter(r, f, &l->else_scope);
	return jx_exec(r, f, l->orelse);
}

/* A recursive loop is a function: its text comes back. */
static struct jv run_recursive(struct jinja_run *r, struct jx_frame *up, const struct jx_for *l,
	struct jv items, int64_t depth0)
{
	if (++r->calls > JX_CALL_DEPTH)
		jx_fail(r, "the loop recurses too deeply (over %d levels)", JX_CALL_DEPTH);
	size_t mark = r->out->len, marks = r->nmarks;
	run_loop(r, jx_frame_new(r, up, l->nslots), l, items, depth0);
	struct jv text = jx_capture(r, mark, marks);
	if (r->autoescape)
		text.flags |= JF_MARKUP;
	r->calls--;
	return text;
}

struct jv jx_call_loop(struct jinja_run *r, struct jv loop, struct jx_call *c)
{
	const struct loop *p = loop.u.p;
	if (!p->l->recursive)
		jx_fail(r, "The loop must have the 'recursive' marker to be called recursively");
	if (c->npos != 1 || c->nkw)
		jx_fail(r, "a recursive loop is called with one argument");
	return run_recursive(r, p->frame->up, p->l, c->pos[0], p->depth0 + 1);
}

enum jx_flow jx_exec_for(struct jinja_run *r, struct jx_frame *f, const struct jx_node *n)
{
	const struct jx_for *l = n->loop;
	struct jv items = jx_eval(r, f, l->iter);
	r->line = n->line;
	if (!l->recursive)
		return run_loop(r, f, l, items, 0);
	struct jv text = run_recursive(r, f, l, items, 0);
	jx_emit(r, text.u.s, text.len);
	return FLOW_NEXT;
}

static struct jv loop_cycle(struct jinja_run *r, struct jv self, struct jx_call *c)
{
	const struct loop *p = self.u.p;
	if (!c->npos)
		jx_fail(r, "no items for cycling given");
	return c->pos[(uint64_t)p->index0 % c->npos];
}

static struct jv loop_changed(struct jinja_run *r, struct jv self, struct jx_call *c)
{
	struct loop *p = self.u.p;
	struct jv now = jx_tuple(r, c->npos);
	for (size_t i = 0; i < c->npos; i++)
		jx_push(r, now, c->pos[i]);
	if (p->changed.type && jx_equal(r, p->changed, now))
		return jv_bool(0);
	p->changed = now;
	return jv_bool(1);
}

static const struct jx_builtin loop_methods[] = {
	{"cycle", loop_cycle, NULL},
	{"changed", loop_changed, NULL},
	{0},
};

struct jv jx_loop_attr(struct jinja_run *r, struct jv loop, struct jv name)
{
	struct loop *p = loop.u.p;
	if (jx_jv_is(name, "index"))
		return jv_int(p->index0 + 1);
	if (jx_jv_is(name, "index0"))
		return jv_int(p->index0);
	if (jx_jv_is(name, "first"))
		return jv_bool(p->index0 == 0);
	if (jx_jv_is(name, "last"))
		return jv_bool(!ahead(r, p));
	if (jx_jv_is(name, "length"))
		return jv_int(jx_loop_length(r, loop));
	if (jx_jv_is(name, "revindex"))
		return jv_int(jx_loop_length(r, loop) - p->index0);
	if (jx_jv_is(name, "revindex0"))
		return jv_int(jx_loop_length(r, loop) - p->index0 - 1);
	if (jx_jv_is(name, "previtem"))
		return p->index0 == 0 ? jx_undefined_hint(r, "there is no previous item")
				      : p->before;
	if (jx_jv_is(name, "nextitem"))
		return ahead(r, p) ? p->after : jx_undefined_hint(r, "there is no next item");
	if (jx_jv_is(name, "depth"))
		return jv_int(p->depth0 + 1);
	if (jx_jv_is(name, "depth0"))
		return jv_int(p->depth0);
	const struct jx_builtin *m = jx_builtin_find(loop_methods, name);
	return m ? jx_bind_method(r, m, loop) : (struct jv){0};
}
