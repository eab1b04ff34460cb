/* What jinja_eval.c and jinja_exec.c give each other. */
#ifndef TOOLS_TMPL_JINJA_EVAL_H
#define TOOLS_TMPL_JINJA_EVAL_H

#include "tools/tmpl/jinja_int.h"

/* A variable's value. */
static inline struct jv jx_load(
	struct jinja_run *r, const struct jx_frame *f, const struct jx_node *n)
{
	struct jv v;
	if (n->name.slot == UINT32_MAX) {
		v = r->ctx[n->name.id];
	} else {
		for (uint32_t up = n->name.up; up; up--)
			f = f->up;
		v = f->slot[n->name.slot];
	}
	if (v.type != JV_MISSING)
		return v;
	r->line = n->line;
	return jx_undefined(r, v, n->name.text);
}

struct jv jx_eval_node(struct jinja_run *r, struct jx_frame *f, const struct jx_node *n);

/* An expression's value. Most are a constant or a variable. */
static inline struct jv jx_eval(struct jinja_run *r, struct jx_frame *f, const struct jx_node *n)
{
	if (n->kind == E_CONST)
		return n->value;
	return n->kind == E_NAME ? jx_load(r, f, n) : jx_eval_node(r, f, n);
}

/* caller: the value of the keyword `caller` that a call block adds, or NULL. */
struct jv jx_eval_call(
	struct jinja_run *r, struct jx_frame *f, const struct jx_node *n, const struct jv *caller);
/* n is the filter or test, v what it is applied to. */
struct jv jx_eval_filter(
	struct jinja_run *r, struct jx_frame *f, const struct jx_node *n, struct jv v);
void jx_eval_args(struct jinja_run *r, struct jx_frame *f, const struct jx_args *a,
	struct jx_call *c, const struct jv *caller);

#endif
