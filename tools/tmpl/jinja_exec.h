/* What jinja_exec.c and jinja_macro.c give each other. */
#ifndef TOOLS_TMPL_JINJA_EXEC_H
#define TOOLS_TMPL_JINJA_EXEC_H

#include "tools/tmpl/jinja_eval.h"

enum jx_flow { FLOW_NEXT, FLOW_BREAK, FLOW_CONTINUE };

enum jx_flow jx_exec(struct jinja_run *r, struct jx_frame *f, struct jx_nodes body);
void jx_enter(struct jinja_run *r, struct jx_frame *f, const struct jx_scope *s);
struct jx_frame *jx_frame_new(struct jinja_run *r, struct jx_frame *up, uint32_t nslots);
void jx_assign(struct jinja_run *r, struct jx_frame *f, const struct jx_node *target, struct jv v);

enum jx_flow jx_exec_for(struct jinja_run *r, struct jx_frame *f, const struct jx_node *n);
void jx_exec_call(struct jinja_run *r, struct jx_frame *f, const struct jx_node *n);
struct jv jx_macro_value(struct jinja_run *r, struct jx_frame *f, const struct jx_func *def);

#endif
