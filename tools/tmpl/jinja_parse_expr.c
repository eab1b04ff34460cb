/* Expressions: tokens to tree, in Jinja2's order of precedence (parser.py). */
#include "tools/tmpl/jinja_int.h"

#include <string.h>

static struct jx_node *parse_or(struct jx_compiler *c);
static struct jx_node *parse_unary(struct jx_compiler *c, int with_filter);
static struct jx_node *parse_postfix(struct jx_compiler *c, struct jx_node *n);

void jx_deeper(struct jx_compiler *c)
{
	if (++c->depth > JX_PARSE_DEPTH)
		jx_syntax(
			c, jx_peek(c)->line, "nested too deeply (over %d levels)", JX_PARSE_DEPTH);
}

static void higher(struct jx_node *n, const struct jx_node *child)
{
	if (child && child->height >= n->height)
		n->height = child->height + 1;
}

static void all_higher(struct jx_node *n, struct jx_nodes l)
{
	for (uint32_t i = 0; i < l.n; i++)
		higher(n, l.v[i]);
}

/* A finished node: a chain such as a + b + c … leans left, so its height is checked, not its nesting. */
struct jx_node *jx_seal(struct jx_compiler *c, struct jx_node *n)
{
	switch (n->kind) {
	case E_TUPLE:
	case E_LIST:
	case E_DICT:
	case E_CONCAT:
		all_higher(n, n->list);
		break;
	case E_ATTR:
		higher(n, n->attr.obj);
		break;
	case E_COMPARE:
		higher(n, n->cmp.first);
		all_higher(n, n->cmp.rest);
		break;
	case E_CALL:
	case E_FILTER:
	case E_TEST:
		higher(n, n->call.obj);
		all_higher(n, n->call.args.pos);
		all_higher(n, n->call.args.kw);
		higher(n, n->call.args.star);
		higher(n, n->call.args.dstar);
		break;
	default:
		higher(n, n->x.a);
		higher(n, n->x.b);
		higher(n, n->x.c);
	}
	if (n->height > JX_EXPR_HEIGHT)
		jx_syntax(c, n->line, "too long or too deep an expression (over %d operators)",
			JX_EXPR_HEIGHT);
	return n;
}

static struct jx_node *pair(struct jx_compiler *c, enum jx_kind kind, uint32_t line,
	struct jx_node *a, struct jx_node *b)
{
	struct jx_node *n = jx_node(c, kind, line);
	n->x.a = a;
	n->x.b = b;
	return jx_seal(c, n);
}

struct jx_node *jx_parse_expr(struct jx_compiler *c, int with_cond)
{
	jx_deeper(c);
	uint32_t line = jx_peek(c)->line;
	struct jx_node *n = parse_or(c);
	while (with_cond && jx_accept_name(c, "if")) {
		struct jx_node *test = parse_or(c);
		struct jx_node *cond = pair(c, E_COND, line, n, test);
		if (jx_accept_name(c, "else"))
			cond->x.c = jx_parse_expr(c, 1);
		n = jx_seal(c, cond);
		line = jx_peek(c)->line;
	}
	c->depth--;
	return n;
}

static struct jx_node *parse_not(struct jx_compiler *c);
static struct jx_node *parse_and(struct jx_compiler *c)
{
	struct jx_node *n = parse_not(c);
	for (uint32_t line = jx_peek(c)->line; jx_accept_name(c, "and"); line = jx_peek(c)->line) {
		n = pair(c, E_AND, line, n, parse_not(c));
	}
	return n;
}

static struct jx_node *parse_or(struct jx_compiler *c)
{
	struct jx_node *n = parse_and(c);
	for (uint32_t line = jx_peek(c)->line; jx_accept_name(c, "or"); line = jx_peek(c)->line) {
		n = pair(c, E_OR, line, n, parse_and(c));
	}
	return n;
}

static struct jx_node *parse_math1(struct jx_compiler *c);

static struct jx_node *parse_compare(struct jx_compiler *c)
{
	struct jx_node *first = parse_math1(c), *cmp = NULL;
	enum jx_cmp ops[64];
	for (;;) {
		struct jx_token *t = jx_peek(c);
		enum jx_cmp op;
		if (t->type == T_EQ)
			op = CMP_EQ;
		else if (t->type == T_NE)
			op = CMP_NE;
		else if (t->type == T_LT)
			op = CMP_LT;
		else if (t->type == T_LTEQ)
			op = CMP_LE;
		else if (t->type == T_GT)
			op = CMP_GT;
		else if (t->type == T_GTEQ)
			op = CMP_GE;
		else if (jx_is_name(t, "in"))
			op = CMP_IN;
		else if (jx_is_name(t, "not") && jx_is_name(t + 1, "in")) {
			op = CMP_NOTIN;
			jx_next(c);
		} else
			break;
		jx_next(c);
		if (!cmp) {
			cmp = jx_node(c, E_COMPARE, t->line);
			cmp->cmp.first = first;
		}
		if (cmp->cmp.rest.n == sizeof ops / sizeof *ops)
			jx_syntax(c, t->line, "too long a chain of comparisons");
		ops[cmp->cmp.rest.n] = op;
		jx_nodes_add(c, &cmp->cmp.rest, parse_math1(c));
	}
	if (!cmp)
		return first;
	cmp->cmp.op = arena_dup(c->arena, ops, cmp->cmp.rest.n * sizeof *ops);
	return jx_seal(c, cmp);
}

static struct jx_node *parse_not(struct jx_compiler *c)
{
	if (!jx_is_name(jx_peek(c), "not"))
		return parse_compare(c);
	jx_deeper(c);
	uint32_t line = jx_next(c)->line;
	struct jx_node *n = pair(c, E_NOT, line, parse_not(c), NULL);
	c->depth--;
	return n;
}

static struct jx_node *parse_pow(struct jx_compiler *c)
{
	struct jx_node *n = parse_unary(c, 1);
	while (jx_peek(c)->type == T_POW) {
		uint32_t line = jx_next(c)->line;
		n = pair(c, E_POW, line, n, parse_unary(c, 1));
	}
	return n;
}

static struct jx_node *parse_math2(struct jx_compiler *c)
{
	struct jx_node *n = parse_pow(c);
	for (;;) {
		enum jx_tok t = jx_peek(c)->type;
		enum jx_kind kind = t == T_MUL	      ? E_MUL
				    : t == T_DIV      ? E_DIV
				    : t == T_FLOORDIV ? E_FLOORDIV
						      : E_MOD;
		if (t != T_MUL && t != T_DIV && t != T_FLOORDIV && t != T_MOD)
			return n;
		uint32_t line = jx_next(c)->line;
		n = pair(c, kind, line, n, parse_pow(c));
	}
}

static struct jx_node *parse_concat(struct jx_compiler *c)
{
	struct jx_node *n = parse_math2(c);
	if (jx_peek(c)->type != T_TILDE)
		return n;
	struct jx_node *cat = jx_node(c, E_CONCAT, jx_peek(c)->line);
	jx_nodes_add(c, &cat->list, n);
	while (jx_peek(c)->type == T_TILDE) {
		jx_next(c);
		jx_nodes_add(c, &cat->list, parse_math2(c));
	}
	return jx_seal(c, cat);
}

static struct jx_node *parse_math1(struct jx_compiler *c)
{
	struct jx_node *n = parse_concat(c);
	while (jx_peek(c)->type == T_ADD || jx_peek(c)->type == T_SUB) {
		struct jx_token *t = jx_next(c);
		n = pair(c, t->type == T_ADD ? E_ADD : E_SUB, t->line, n, parse_concat(c));
	}
	return n;
}

static void parse_args(struct jx_compiler *c, struct jx_args *a)
{
	uint32_t line = jx_expect(c, T_LPAREN)->line;
	for (int comma = 0; jx_peek(c)->type != T_RPAREN; comma = 1) {
		if (comma) {
			jx_expect(c, T_COMMA);
			if (jx_peek(c)->type == T_RPAREN)
				break;
		}
		struct jx_token *t = jx_peek(c);
		int keyword = t->type == T_NAME && t[1].type == T_ASSIGN;
		if (a->dstar || (a->star && (t->type == T_MUL || (!keyword && t->type != T_POW))) ||
			(a->kw.n && !keyword && t->type != T_MUL && t->type != T_POW))
			jx_syntax(c, line, "invalid syntax for function call expression");
		if (t->type == T_MUL) {
			jx_next(c);
			a->star = jx_parse_expr(c, 1);
		} else if (t->type == T_POW) {
			jx_next(c);
			a->dstar = jx_parse_expr(c, 1);
		} else if (keyword) {
			jx_next(c);
			jx_next(c);
			for (uint32_t i = 0; i < a->kw.n; i++)
				if (jv_equal(a->keys[i], t->v))
					jx_syntax(c, line, "keyword argument repeated: %.*s",
						(int)t->v.len, t->v.u.s);
			struct jv *grown = arena_alloc(c->arena, a->kw.n + 1, sizeof *grown);
			if (a->kw.n)
				memcpy(grown, a->keys, a->kw.n * sizeof *grown);
			grown[a->kw.n] = t->v;
			a->keys = grown;
			if (a->kw.n > 250)
				jx_syntax(c, line, "too many keyword arguments");
			jx_nodes_add(c, &a->kw, jx_parse_expr(c, 1));
		} else {
			jx_nodes_add(c, &a->pos, jx_parse_expr(c, 1));
		}
	}
	jx_expect(c, T_RPAREN);
}

static struct jv dotted_name(struct jx_compiler *c)
{
	struct jv name = jx_expect(c, T_NAME)->v;
	while (jx_peek(c)->type == T_DOT) {
		jx_next(c);
		struct jv more = jx_expect(c, T_NAME)->v;
		char *s = arena_alloc(c->arena, (size_t)name.len + more.len + 1, 1);
		memcpy(s, name.u.s, name.len);
		s[name.len] = '.';
		memcpy(s + name.len + 1, more.u.s, more.len);
		name = jv_str(s, (size_t)name.len + more.len + 1);
	}
	return name;
}

struct jx_node *jx_parse_filters(struct jx_compiler *c, struct jx_node *obj, int inline_first)
{
	while (jx_peek(c)->type == T_PIPE || inline_first) {
		if (!inline_first)
			jx_next(c);
		inline_first = 0;
		struct jx_node *n = jx_node(c, E_FILTER, jx_peek(c)->line);
		n->call.name = dotted_name(c);
		n->call.fn = jx_filter_find(n->call.name);
		if (jx_peek(c)->type == T_LPAREN)
			parse_args(c, &n->call.args);
		n->call.obj = obj;
		obj = jx_seal(c, n);
	}
	return obj;
}

static struct jx_node *parse_test(struct jx_compiler *c, struct jx_node *obj)
{
	uint32_t line = jx_next(c)->line; /* is */
	int negated = jx_accept_name(c, "not");
	struct jx_node *n = jx_node(c, E_TEST, line);
	n->call.obj = obj;
	n->call.name = dotted_name(c);
	n->call.fn = jx_builtin_find(jx_tests, n->call.name);
	struct jx_token *t = jx_peek(c);
	if (t->type == T_LPAREN) {
		parse_args(c, &n->call.args);
	} else if ((t->type == T_NAME && !jx_is_name(t, "else") && !jx_is_name(t, "or") &&
			   !jx_is_name(t, "and")) ||
		   t->type == T_STRING || t->type == T_INT || t->type == T_FLOAT ||
		   t->type == T_LBRACKET || t->type == T_LBRACE) {
		if (jx_is_name(t, "is"))
			jx_syntax(c, t->line, "you cannot chain multiple tests with is");
		jx_nodes_add(c, &n->call.args.pos, parse_postfix(c, jx_parse_primary(c, 0)));
	}
	jx_seal(c, n);
	return negated ? pair(c, E_NOT, line, n, NULL) : n;
}

static struct jx_node *parse_subscribed(struct jx_compiler *c)
{
	struct jx_node *from = NULL, *to = NULL, *by = NULL;
	uint32_t line = jx_peek(c)->line;
	if (jx_peek(c)->type != T_COLON) {
		from = jx_parse_expr(c, 1);
		if (jx_peek(c)->type != T_COLON)
			return from;
	}
	jx_next(c);
	enum jx_tok t = jx_peek(c)->type;
	if (t != T_COLON && t != T_RBRACKET && t != T_COMMA)
		to = jx_parse_expr(c, 1);
	if (jx_peek(c)->type == T_COLON) {
		jx_next(c);
		t = jx_peek(c)->type;
		if (t != T_RBRACKET && t != T_COMMA)
			by = jx_parse_expr(c, 1);
	}
	struct jx_node *n = pair(c, E_SLICE, line, from, to);
	n->x.c = by;
	return jx_seal(c, n);
}

static struct jx_node *parse_subscript(struct jx_compiler *c, struct jx_node *obj)
{
	struct jx_token *t = jx_next(c);
	if (t->type == T_DOT) {
		struct jx_token *a = jx_next(c);
		if (a->type == T_NAME) {
			struct jx_node *n = jx_node(c, E_ATTR, t->line);
			n->attr.obj = obj;
			n->attr.attr = a->v;
			return jx_seal(c, n);
		}
		if (a->type != T_INT)
			jx_syntax(c, a->line, "expected name or number");
		struct jx_node *k = jx_node(c, E_CONST, a->line);
		k->value = a->v;
		return pair(c, E_ITEM, t->line, obj, k);
	}
	struct jx_node *args = jx_node(c, E_TUPLE, t->line);
	while (jx_peek(c)->type != T_RBRACKET) {
		if (args->list.n)
			jx_expect(c, T_COMMA);
		jx_nodes_add(c, &args->list, parse_subscribed(c));
	}
	jx_expect(c, T_RBRACKET);
	if (args->list.n != 1) {
		jx_seal(c, args);
		for (uint32_t i = 0; i < args->list.n; i++)
			if (args->list.v[i]->kind == E_SLICE)
				jx_syntax(c, t->line,
					"a slice inside a tuple of subscripts is not supported");
	}
	return pair(c, E_ITEM, t->line, obj, args->list.n == 1 ? args->list.v[0] : args);
}

static struct jx_node *parse_call(struct jx_compiler *c, struct jx_node *fn)
{
	struct jx_node *n = jx_node(c, E_CALL, jx_peek(c)->line);
	n->call.obj = fn;
	parse_args(c, &n->call.args);
	return jx_seal(c, n);
}

static struct jx_node *parse_postfix(struct jx_compiler *c, struct jx_node *n)
{
	for (;;) {
		enum jx_tok t = jx_peek(c)->type;
		if (t == T_DOT || t == T_LBRACKET)
			n = parse_subscript(c, n);
		else if (t == T_LPAREN)
			n = parse_call(c, n);
		else
			return n;
	}
}

static struct jx_node *parse_unary(struct jx_compiler *c, int with_filter)
{
	jx_deeper(c);
	struct jx_token *t = jx_peek(c);
	struct jx_node *n;
	if (t->type == T_SUB || t->type == T_ADD) {
		jx_next(c);
		n = pair(c, t->type == T_SUB ? E_NEG : E_POS, t->line, parse_unary(c, 0), NULL);
	} else {
		n = jx_parse_primary(c, 0);
	}
	n = parse_postfix(c, n);
	while (with_filter) {
		t = jx_peek(c);
		if (t->type == T_PIPE)
			n = jx_parse_filters(c, n, 0);
		else if (jx_is_name(t, "is"))
			n = parse_test(c, n);
		else if (t->type == T_LPAREN)
			n = parse_call(c, n);
		else
			break;
	}
	c->depth--;
	return n;
}

struct jx_node *jx_parse_tuple(struct jx_compiler *c, int with_cond, const char *end_name)
{
	struct jx_node *n = jx_node(c, E_TUPLE, jx_peek(c)->line);
	int explicit = end_name && *end_name == '(';
	for (;;) {
		if (n->list.n)
			jx_expect(c, T_COMMA);
		struct jx_token *t = jx_peek(c);
		if (t->type == T_VAR_END || t->type == T_BLOCK_END || t->type == T_RPAREN ||
			(end_name && jx_is_name(t, end_name)))
			break;
		jx_nodes_add(c, &n->list, jx_parse_expr(c, with_cond));
		if (jx_peek(c)->type != T_COMMA) {
			return n->list.n == 1 ? n->list.v[0] : jx_seal(c, n);
		}
	}
	char buf[64];
	if (!n->list.n && !explicit)
		jx_syntax(c, jx_peek(c)->line, "expected an expression, got '%s'",
			jx_describe(jx_peek(c), buf));
	return jx_seal(c, n);
}
