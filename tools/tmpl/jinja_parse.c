/* Statements: tokens to tree (parser.py), and jinja_compile. Every limit on the source is here. */
#include "tools/tmpl/jinja_int.h"

#include "common/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct jx_nodes parse_until(struct jx_compiler *c, const char *const *ends);

void jx_syntax(struct jx_compiler *c, uint32_t line, const char *fmt, ...)
{
	char what[900];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	err_data(c->e, "line %u: %s", (unsigned)line, what);
	longjmp(c->failed, 1);
}

struct jx_node *jx_node(struct jx_compiler *c, enum jx_kind kind, uint32_t line)
{
	struct jx_node *n = arena_alloc(c->arena, 1, sizeof *n);
	memset(n, 0, sizeof *n);
	n->kind = kind;
	n->line = line;
	return n;
}

void jx_nodes_add(struct jx_compiler *c, struct jx_nodes *l, struct jx_node *n)
{
	if ((l->n & (l->n - 1)) == 0) { /* full: 0, 1, 2, 4, 8 … */
		struct jx_node **v = arena_alloc(c->arena, l->n ? (size_t)l->n * 2 : 1, sizeof *v);
		if (l->n)
			memcpy(v, l->v, l->n * sizeof *v);
		l->v = v;
	}
	l->v[l->n++] = n;
}

struct jx_token *jx_peek(struct jx_compiler *c)
{
	return &c->tok[c->at];
}

struct jx_token *jx_next(struct jx_compiler *c)
{
	struct jx_token *t = &c->tok[c->at];
	if (t->type != T_EOF)
		c->at++;
	return t;
}

int jx_is_name(const struct jx_token *t, const char *name)
{
	return t->type == T_NAME && jx_jv_is(t->v, name);
}

int jx_accept_name(struct jx_compiler *c, const char *name)
{
	if (!jx_is_name(jx_peek(c), name))
		return 0;
	jx_next(c);
	return 1;
}

static const char *type_name(enum jx_tok type)
{
	static const char *const names[] = {
		[T_EOF] = "end of template",
		[T_DATA] = "template data / text",
		[T_VAR_BEGIN] = "begin of print statement",
		[T_VAR_END] = "end of print statement",
		[T_BLOCK_BEGIN] = "begin of statement block",
		[T_BLOCK_END] = "end of statement block",
		[T_NAME] = "name",
		[T_STRING] = "string",
		[T_INT] = "integer",
		[T_FLOAT] = "float",
		[T_ADD] = "+",
		[T_ASSIGN] = "=",
		[T_COLON] = ":",
		[T_COMMA] = ",",
		[T_DIV] = "/",
		[T_DOT] = ".",
		[T_EQ] = "==",
		[T_FLOORDIV] = "//",
		[T_GT] = ">",
		[T_GTEQ] = ">=",
		[T_LBRACE] = "{",
		[T_LBRACKET] = "[",
		[T_LPAREN] = "(",
		[T_LT] = "<",
		[T_LTEQ] = "<=",
		[T_MOD] = "%",
		[T_MUL] = "*",
		[T_NE] = "!=",
		[T_PIPE] = "|",
		[T_POW] = "**",
		[T_RBRACE] = "}",
		[T_RBRACKET] = "]",
		[T_RPAREN] = ")",
		[T_SEMICOLON] = ";",
		[T_SUB] = "-",
		[T_TILDE] = "~",
	};
	return names[type];
}

const char *jx_describe(const struct jx_token *t, char buf[64])
{
	if (t->type != T_NAME)
		return type_name(t->type);
	snprintf(buf, 64, "%.*s", (int)(t->v.len < 60 ? t->v.len : 60), t->v.u.s);
	return buf;
}

struct jx_token *jx_expect(struct jx_compiler *c, enum jx_tok type)
{
	struct jx_token *t = jx_next(c);
	char buf[64];
	if (t->type == T_EOF && type != T_EOF)
		jx_syntax(c, t->line, "unexpected end of template, expected '%s'", type_name(type));
	if (t->type != type)
		jx_syntax(c, t->line, "expected token '%s', got '%s'", type_name(type),
			jx_describe(t, buf));
	return t;
}

static void expect_name(struct jx_compiler *c, const char *name)
{
	char buf[64];
	if (!jx_accept_name(c, name))
		jx_syntax(c, jx_peek(c)->line, "expected token '%s', got '%s'", name,
			jx_describe(jx_peek(c), buf));
}

/* ---- statements ----------------------------------------------------------------------------------- */

static struct jx_nodes body_until(struct jx_compiler *c, const char *const *ends)
{
	if (jx_peek(c)->type == T_COLON)
		jx_next(c);
	jx_expect(c, T_BLOCK_END);
	struct jx_nodes body = parse_until(c, ends);
	struct jx_token *t = jx_peek(c);
	if (t->type == T_EOF)
		jx_syntax(c, t->line, "unexpected end of template; looking for '%s'", ends[0]);
	return body;
}

/* The body and its one end tag. */
static struct jx_nodes body_to(struct jx_compiler *c, const char *end)
{
	struct jx_nodes body = body_until(c, (const char *const[]){end, NULL});
	jx_next(c);
	return body;
}

static struct jx_node *parse_set(struct jx_compiler *c, uint32_t line)
{
	struct jx_node *n = jx_node(c, S_SET, line);
	n->set.target = jx_parse_target(c, 0, 1, NULL);
	if (jx_peek(c)->type == T_ASSIGN) {
		jx_next(c);
		n->set.value = jx_parse_tuple(c, 1, NULL);
		return n;
	}
	n->kind = S_SETBLOCK;
	n->set.value = jx_parse_filters(c, NULL, 0);
	n->set.body = body_to(c, "endset");
	return n;
}

static struct jx_node *parse_for(struct jx_compiler *c, uint32_t line)
{
	struct jx_node *n = jx_node(c, S_FOR, line);
	struct jx_for *f = n->loop = arena_alloc(c->arena, 1, sizeof *f);
	memset(f, 0, sizeof *f);
	size_t target_at = c->at;
	f->target = jx_parse_target(c, 0, 0, "in");
	size_t after = c->at;
	c->at = target_at;
	f->test_target = jx_parse_target(c, 0, 0, "in");
	c->at = after;
	expect_name(c, "in");
	f->iter = jx_parse_tuple(c, 0, "recursive");
	if (jx_accept_name(c, "if"))
		f->test = jx_parse_expr(c, 1);
	f->recursive = jx_accept_name(c, "recursive");
	f->body = body_until(c, (const char *const[]){"endfor", "else", NULL});
	if (jx_is_name(jx_next(c), "else"))
		f->orelse = body_to(c, "endfor");
	return n;
}

static struct jx_node *parse_if(struct jx_compiler *c, uint32_t line)
{
	struct jx_node *n = jx_node(c, S_IF, line);
	size_t cap = 0;
	struct jx_nodes *bodies = NULL;
	for (int test = 1;;) {
		if (test)
			jx_nodes_add(c, &n->cond.tests, jx_parse_tuple(c, 0, NULL));
		struct jx_nodes body =
			test ? body_until(c, (const char *const[]){"elif", "else", "endif", NULL})
			     : body_until(c, (const char *const[]){"endif", NULL});
		if (n->cond.nbodies == cap) {
			cap = cap ? cap * 2 : 4;
			bodies = arena_alloc(c->arena, cap, sizeof *bodies);
			if (n->cond.nbodies)
				memcpy(bodies, n->cond.bodies, n->cond.nbodies * sizeof *bodies);
			n->cond.bodies = bodies;
		}
		bodies[n->cond.nbodies++] = body;
		struct jx_token *t = jx_next(c);
		if (jx_is_name(t, "endif"))
			return n;
		test = jx_is_name(t, "elif");
	}
}

static struct jx_func *new_func(struct jx_compiler *c)
{
	struct jx_func *f = arena_alloc(c->arena, 1, sizeof *f);
	memset(f, 0, sizeof *f);
	f->caller_slot = f->kwargs_slot = f->varargs_slot = UINT32_MAX;
	return f;
}

static void parse_signature(struct jx_compiler *c, struct jx_func *f)
{
	jx_expect(c, T_LPAREN);
	while (jx_peek(c)->type != T_RPAREN) {
		if (f->params.n)
			jx_expect(c, T_COMMA);
		struct jx_node *p = jx_parse_target(c, 1, 0, NULL);
		for (uint32_t i = 0; i < f->params.n; i++)
			if (f->params.v[i]->name.id == p->name.id)
				jx_syntax(c, p->line, "duplicate argument '%.*s'",
					(int)p->name.text.len, p->name.text.u.s);
		if (jx_peek(c)->type == T_ASSIGN) {
			jx_next(c);
			jx_nodes_add(c, &f->defaults, jx_parse_expr(c, 1));
		} else if (f->defaults.n) {
			jx_syntax(c, p->line, "non-default argument follows default argument");
		}
		jx_nodes_add(c, &f->params, p);
		if (f->params.n > 250)
			jx_syntax(c, p->line, "too many parameters");
	}
	jx_next(c);
}

static struct jx_node *parse_macro(struct jx_compiler *c, uint32_t line)
{
	struct jx_node *n = jx_node(c, S_MACRO, line);
	n->func = new_func(c);
	n->func->target = jx_parse_target(c, 1, 0, NULL);
	n->func->name = n->func->target->name.text;
	parse_signature(c, n->func);
	n->func->body = body_to(c, "endmacro");
	return n;
}

static struct jx_node *parse_call_block(struct jx_compiler *c, uint32_t line)
{
	struct jx_node *n = jx_node(c, S_CALL, line);
	n->func = new_func(c);
	n->func->name = jv_none();
	if (jx_peek(c)->type == T_LPAREN)
		parse_signature(c, n->func);
	n->func->call = jx_parse_expr(c, 1);
	if (n->func->call->kind != E_CALL)
		jx_syntax(c, line, "expected call");
	n->func->body = body_to(c, "endcall");
	return n;
}

static struct jx_node *parse_filter_block(struct jx_compiler *c, uint32_t line)
{
	struct jx_node *n = jx_node(c, S_FILTER, line);
	n->block.expr = jx_parse_filters(c, NULL, 1);
	n->block.body = body_to(c, "endfilter");
	return n;
}

static struct jx_node *parse_generation(struct jx_compiler *c, uint32_t line)
{
	struct jx_node *n = jx_node(c, S_GENERATION, line);
	n->func = new_func(c);
	n->func->body = body_to(c, "endgeneration");
	c->t->has_generation = 1;
	return n;
}

static void set_params(struct jx_compiler *c, struct jx_node *n)
{
	if (n->kind == E_NSREF)
		jx_syntax(c, n->line, "can't assign to this expression");
}

static struct jx_node *parse_with(struct jx_compiler *c, uint32_t line)
{
	struct jx_node *n = jx_node(c, S_WITH, line);
	while (jx_peek(c)->type != T_BLOCK_END) {
		if (n->with.targets.n)
			jx_expect(c, T_COMMA);
		struct jx_node *target = jx_parse_target(c, 0, 0, NULL);
		set_params(c, target);
		jx_nodes_add(c, &n->with.targets, target);
		jx_expect(c, T_ASSIGN);
		jx_nodes_add(c, &n->with.values, jx_parse_expr(c, 1));
		if (jx_peek(c)->type == T_EOF)
			break;
	}
	n->with.body = body_to(c, "endwith");
	return n;
}

static struct jx_node *parse_autoescape(struct jx_compiler *c, uint32_t line)
{
	struct jx_node *n = jx_node(c, S_AUTOESCAPE, line);
	n->block.expr = jx_parse_expr(c, 1);
	n->block.body = body_to(c, "endautoescape");
	return n;
}

static int blank_only(struct jx_nodes body)
{
	for (uint32_t i = 0; i < body.n; i++) {
		if (body.v[i]->kind != S_DATA)
			return 0;
		struct jv d = body.v[i]->value;
		for (size_t k = 0; k < d.len;)
			if (!jx_is_space(jx_utf8_get(d.u.s, d.len, &k)))
				return 0;
	}
	return 1;
}

static struct jx_node *parse_block(struct jx_compiler *c, uint32_t line)
{
	struct jx_node *n = jx_node(c, S_BLOCK, line);
	struct jx_func *f = n->func = new_func(c);
	f->name = jx_expect(c, T_NAME)->v;
	f->scoped = jx_accept_name(c, "scoped");
	f->required = jx_accept_name(c, "required");
	if (jx_peek(c)->type == T_SUB)
		jx_syntax(
			c, line, "block names may not contain hyphens, use an underscore instead");
	f->body = body_to(c, "endblock");
	if (f->required && !blank_only(f->body))
		jx_syntax(c, line, "required blocks can only contain comments or whitespace");
	if (jx_peek(c)->type == T_NAME && jv_equal(jx_peek(c)->v, f->name))
		jx_next(c);
	for (uint32_t i = 0; i < c->t->nblocks; i++)
		if (jv_equal(c->t->blocks[i]->name, f->name))
			jx_syntax(c, line, "block '%.*s' defined twice", (int)f->name.len,
				f->name.u.s);
	if (c->t->nblocks == 1000)
		jx_syntax(c, line, "too many blocks");
	mem_grow(&c->t->blocks, &c->cap_blocks, c->t->nblocks + 1, sizeof *c->t->blocks);
	c->t->blocks[c->t->nblocks++] = f;
	return n;
}

static struct jx_node *parse_print(struct jx_compiler *c, uint32_t line)
{
	struct jx_node *n = jx_node(c, S_PRINT, line);
	struct jx_node *cat = jx_node(c, E_CONCAT, line);
	while (jx_peek(c)->type != T_BLOCK_END) {
		if (cat->list.n)
			jx_expect(c, T_COMMA);
		jx_nodes_add(c, &cat->list, jx_parse_expr(c, 1));
	}
	n->x.a = cat;
	return n;
}

static struct jx_node *parse_break(struct jx_compiler *c, uint32_t line)
{
	return jx_node(c, S_BREAK, line);
}

static struct jx_node *parse_continue(struct jx_compiler *c, uint32_t line)
{
	return jx_node(c, S_CONTINUE, line);
}

static struct jx_node *parse_loading(struct jx_compiler *c, uint32_t line)
{
	jx_syntax(c, line,
		"include, import and extends load other templates: a chat template has none to "
		"load");
}

static const struct statement {
	const char *tag;
	struct jx_node *(*parse)(struct jx_compiler *c, uint32_t line);
} statements[] = {
	{"if", parse_if},
	{"set", parse_set},
	{"for", parse_for},
	{"macro", parse_macro},
	{"generation", parse_generation},
	{"filter", parse_filter_block},
	{"call", parse_call_block},
	{"with", parse_with},
	{"block", parse_block},
	{"print", parse_print},
	{"break", parse_break},
	{"continue", parse_continue},
	{"autoescape", parse_autoescape},
	{"include", parse_loading},
	{"import", parse_loading},
	{"from", parse_loading},
	{"extends", parse_loading},
};

static struct jx_node *parse_statement(struct jx_compiler *c)
{
	struct jx_token *t = jx_next(c);
	if (t->type != T_NAME)
		jx_syntax(c, t->line, "tag name expected");
	for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
		if (jx_jv_is(t->v, statements[i].tag))
			return statements[i].parse(c, t->line);
	char buf[64];
	jx_syntax(c, t->line, "encountered unknown tag '%s'", jx_describe(t, buf));
}

static struct jx_nodes parse_until(struct jx_compiler *c, const char *const *ends)
{
	struct jx_nodes body = {0};
	jx_deeper(c);
	for (;;) {
		struct jx_token *t = jx_peek(c);
		if (t->type == T_EOF)
			break;
		jx_next(c);
		if (t->type == T_DATA) {
			struct jx_node *n = jx_node(c, S_DATA, t->line);
			n->value = t->v;
			jx_nodes_add(c, &body, n);
			mem_grow(&c->t->literals, &c->t->cap_literals, c->t->nliterals + 1,
				sizeof *c->t->literals);
			c->t->literals[c->t->nliterals++] = t->v;
		} else if (t->type == T_VAR_BEGIN) {
			struct jx_node *n = jx_node(c, S_PRINT, t->line);
			n->x.a = jx_parse_tuple(c, 1, NULL);
			jx_expect(c, T_VAR_END);
			jx_nodes_add(c, &body, n);
		} else { /* a tag */
			for (size_t i = 0; ends && ends[i]; i++)
				if (jx_is_name(jx_peek(c), ends[i]))
					goto out;
			jx_nodes_add(c, &body, parse_statement(c));
			jx_expect(c, T_BLOCK_END);
		}
	}
out:
	c->depth--;
	return body;
}

void jx_parse(struct jx_compiler *c)
{
	c->t->root.caller_slot = c->t->root.kwargs_slot = c->t->root.varargs_slot = UINT32_MAX;
	c->t->root.body = parse_until(c, NULL);
}
