/* What jinja_eval.c and jinja_exec.c give each other. */
#ifndef TOOLS_TMPL_JINJA_EVAL_H
#define TOOLS_TMPL_JINJA_EVAL_H

#include "tools/tmpl/jinja_int.h"

struct jv jx_eval(struct jinja_run *r, struct jx_frame *f, const struct jx_node *n);
struct jv jx_load(struct jinja_run *r, const struct jx_frame *f, const struct jx_node *n);
/* caller: the value of the keyword `caller` that a call block adds, or NULL. */
struct jv jx_eval_call(
	struct jinja_run *r, struct jx_frame *f, const struct jx_node *n, const struct jv *caller);
/* n is the filter or test, v what it is applied to. */
struct jv jx_eval_filter(
	struct jinja_run *r, struct jx_frame *f, const struct jx_node *n, struct jv v);
void jx_eval_args(struct jinja_run *r, struct jx_frame *f, const struct jx_args *a,
	struct jx_call *c, const struct jv *caller);

#endif
