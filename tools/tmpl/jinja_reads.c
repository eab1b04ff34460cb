/*
 * Whether a body reads a name, as Jinja2's dependency finders ask it: frames inside are looked through too, and
 * what the body itself has assigned before is not a read. Loops and macros ask for the names that are made only
 * where they are used (loop, caller, varargs, kwargs).
 */
#include "tools/tmpl/jinja_int.h"

static int reads_expr(const struct jx_node *n, const char *name, int *hidden);

static int reads_all(struct jx_nodes l, const char *name, int *hidden)
{
	for (uint32_t i = 0; i < l.n; i++)
		if (reads_expr(l.v[i], name, hidden))
			return 1;
	return 0;
}

static int reads_args(const struct jx_args *a, const char *name, int *hidden)
{
	return reads_all(a->pos, name, hidden) || reads_all(a->kw, name, hidden) ||
	       reads_expr(a->star, name, hidden) || reads_expr(a->dstar, name, hidden);
}

static int reads_func(const struct jx_func *fn, const char *name, int *hidden)
{
	return reads_expr(fn->call, name, hidden) || reads_all(fn->params, name, hidden) ||
	       reads_all(fn->defaults, name, hidden) || reads_all(fn->body, name, hidden);
}

static int reads_expr(const struct jx_node *n, const char *name, int *hidden)
{
	if (!n)
		return 0;
	switch (n->kind) {
	case E_NAME:
		if (!jx_jv_is(n->name.text, name))
			return 0;
		if (n->name.store)
			*hidden = 1;
		return !n->name.store && !*hidden;
	case E_NSREF:
	case E_CONST:
	case S_DATA:
	case S_BREAK:
	case S_CONTINUE:
	case S_BLOCK:
		return 0;
	case E_TUPLE:
	case E_LIST:
	case E_DICT:
	case E_CONCAT:
		return reads_all(n->list, name, hidden);
	case E_ATTR:
		return reads_expr(n->attr.obj, name, hidden);
	case E_COMPARE:
		return reads_expr(n->cmp.first, name, hidden) ||
		       reads_all(n->cmp.rest, name, hidden);
	case E_CALL:
	case E_FILTER:
	case E_TEST:
		return reads_expr(n->call.obj, name, hidden) ||
		       reads_args(&n->call.args, name, hidden);
	case S_IF:
		for (uint32_t i = 0; i < n->cond.nbodies; i++) {
			if (i < n->cond.tests.n && reads_expr(n->cond.tests.v[i], name, hidden))
				return 1;
			if (reads_all(n->cond.bodies[i], name, hidden))
				return 1;
		}
		return 0;
	case S_FOR:
		return reads_expr(n->loop->target, name, hidden) ||
		       reads_expr(n->loop->iter, name, hidden) ||
		       reads_all(n->loop->body, name, hidden) ||
		       reads_all(n->loop->orelse, name, hidden) ||
		       reads_expr(n->loop->test, name, hidden);
	case S_SET:
	case S_SETBLOCK:
		return reads_expr(n->set.target, name, hidden) ||
		       reads_expr(n->set.value, name, hidden) ||
		       reads_all(n->set.body, name, hidden);
	case S_FILTER:
	case S_AUTOESCAPE:
		return reads_all(n->block.body, name, hidden) ||
		       reads_expr(n->block.expr, name, hidden);
	case S_WITH:
		return reads_all(n->with.targets, name, hidden) ||
		       reads_all(n->with.values, name, hidden) ||
		       reads_all(n->with.body, name, hidden);
	case S_MACRO:
	case S_CALL:
	case S_GENERATION:
		return reads_func(n->func, name, hidden);
	default:
		return reads_expr(n->x.a, name, hidden) || reads_expr(n->x.b, name, hidden) ||
		       reads_expr(n->x.c, name, hidden);
	}
}

int jx_body_reads(struct jx_nodes body, const char *name)
{
	int hidden = 0;
	return reads_all(body, name, &hidden);
}
