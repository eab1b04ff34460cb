/* The smallest expressions: constants, names, what stands in brackets; and what can be assigned to. */
#include "tools/tmpl/jinja_int.h"

#include <string.h>

static struct jx_node *parse_strings(struct jx_compiler *c)
{
	struct jx_node *n = jx_node(c, E_CONST, jx_peek(c)->line);
	const struct jx_token *first = jx_peek(c);
	size_t len = 0;
	while (jx_peek(c)->type == T_STRING)
		len += jx_next(c)->v.len;
	char *text = arena_alloc(c->arena, len, 1);
	size_t at = 0;
	for (const struct jx_token *t = first; t->type == T_STRING; t++) {
		memcpy(text + at, t->v.u.s, t->v.len);
		at += t->v.len;
	}
	n->value = jv_str(text, len);
	mem_grow(&c->t->literals, &c->t->cap_literals, c->t->nliterals + 1, sizeof *c->t->literals);
	c->t->literals[c->t->nliterals++] = n->value;
	return n;
}

static struct jx_node *parse_list(struct jx_compiler *c)
{
	struct jx_node *n = jx_node(c, E_LIST, jx_next(c)->line);
	while (jx_peek(c)->type != T_RBRACKET) {
		if (n->list.n)
			jx_expect(c, T_COMMA);
		if (jx_peek(c)->type == T_RBRACKET)
			break;
		jx_nodes_add(c, &n->list, jx_parse_expr(c, 1));
	}
	jx_expect(c, T_RBRACKET);
	return jx_seal(c, n);
}

static struct jx_node *parse_dict(struct jx_compiler *c)
{
	struct jx_node *n = jx_node(c, E_DICT, jx_next(c)->line);
	while (jx_peek(c)->type != T_RBRACE) {
		if (n->list.n)
			jx_expect(c, T_COMMA);
		if (jx_peek(c)->type == T_RBRACE)
			break;
		jx_nodes_add(c, &n->list, jx_parse_expr(c, 1));
		jx_expect(c, T_COLON);
		jx_nodes_add(c, &n->list, jx_parse_expr(c, 1));
	}
	jx_expect(c, T_RBRACE);
	return jx_seal(c, n);
}

/* The constants' names: 1 and *v, or 0. */
static int constant(struct jv name, struct jv *v)
{
	if (jx_jv_is(name, "true") || jx_jv_is(name, "True"))
		*v = jv_bool(1);
	else if (jx_jv_is(name, "false") || jx_jv_is(name, "False"))
		*v = jv_bool(0);
	else if (jx_jv_is(name, "none") || jx_jv_is(name, "None"))
		*v = jv_none();
	else
		return 0;
	return 1;
}

struct jx_node *jx_parse_primary(struct jx_compiler *c, int with_namespace)
{
	struct jx_token *t = jx_peek(c);
	struct jx_node *n;
	char buf[64];
	switch (t->type) {
	case T_NAME:
		jx_next(c);
		n = jx_node(c, E_CONST, t->line);
		if (constant(t->v, &n->value))
			return n;
		n->kind = E_NAME;
		n->name.text = t->v;
		n->name.id = jx_name_id(c, t->v);
		if (with_namespace && jx_peek(c)->type == T_DOT) {
			jx_next(c);
			n->kind = E_NSREF;
			n->name.attr = jx_expect(c, T_NAME)->v;
		}
		return n;
	case T_STRING:
		return parse_strings(c);
	case T_INT:
	case T_FLOAT:
		jx_next(c);
		n = jx_node(c, E_CONST, t->line);
		n->value = t->v;
		return n;
	case T_LPAREN:
		jx_next(c);
		n = jx_parse_tuple(c, 1, "(");
		jx_expect(c, T_RPAREN);
		return n;
	case T_LBRACKET:
		return parse_list(c);
	case T_LBRACE:
		return parse_dict(c);
	default:
		jx_syntax(c, t->line, "unexpected '%s'", jx_describe(t, buf));
	}
}

/* end_name: a name that ends the tuple; "(": explicit parentheses, so that "()" is a tuple. */

static void check_target(struct jx_compiler *c, struct jx_node *n)
{
	if (n->kind == E_NAME) {
		n->name.store = 1;
	} else if (n->kind == E_TUPLE) {
		for (uint32_t i = 0; i < n->list.n; i++)
			check_target(c, n->list.v[i]);
	} else if (n->kind != E_NSREF) {
		jx_syntax(c, n->line, "can't assign to %s",
			n->kind == E_CONST  ? "'const'"
			: n->kind == E_LIST ? "'list'"
			: n->kind == E_DICT ? "'dict'"
					    : "this expression");
	}
}

struct jx_node *jx_parse_target(
	struct jx_compiler *c, int name_only, int with_namespace, const char *end_name)
{
	struct jx_node *n = jx_node(c, E_TUPLE, jx_peek(c)->line);
	jx_deeper(c);
	if (name_only) {
		struct jx_token *t = jx_expect(c, T_NAME);
		struct jv v;
		n->kind = constant(t->v, &v) ? E_CONST : E_NAME;
		n->name.text = t->v;
		n->name.id = jx_name_id(c, t->v);
	} else {
		int tuple = 0;
		for (;;) {
			if (n->list.n)
				jx_expect(c, T_COMMA);
			struct jx_token *t = jx_peek(c);
			if (t->type == T_VAR_END || t->type == T_BLOCK_END || t->type == T_RPAREN ||
				(end_name && jx_is_name(t, end_name)))
				break;
			jx_nodes_add(c, &n->list, jx_parse_primary(c, with_namespace));
			if (jx_peek(c)->type != T_COMMA)
				break;
			tuple = 1;
		}
		char buf[64];
		if (!n->list.n)
			jx_syntax(c, n->line, "expected an expression, got '%s'",
				jx_describe(jx_peek(c), buf));
		if (!tuple)
			n = n->list.v[0];
	}
	check_target(c, n);
	c->depth--;
	return n;
}
