/*
 * Names to slots, as Jinja2's idtracking.py does it, so that scoping is the same to the accident: what
 * is assigned anywhere in a frame (the template, a loop's body, a macro, …) is that frame's own
 * variable and starts as the outer one of that name; branches of an `if` are no frames. What no frame
 * assigns is read from the variables given to the render.
 *
 * Two passes over a frame: `see` collects the names in it (not in frames inside it), `bind_*` writes
 * slots into the tree and goes on with inner frames.
 */
#include "tools/tmpl/jinja_int.h"

#include <string.h>

enum first { FIRST_LOAD, FIRST_STORE, FIRST_BRANCH };

struct sym {
	uint32_t id, slot;
	enum first first;
	int stored, param;
};

struct fn { /* a function being compiled */
	uint32_t nslots;
};

struct frame {
	struct frame *parent; /* lexically; NULL for the template and for blocks */
	struct fn *fn;
	struct sym *v;
	size_t n, cap;
	int soft, toplevel, in_loop, in_block;
};

static struct sym *sym(struct jx_compiler *c, struct frame *f, uint32_t id, enum first first)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].id == id)
			return &f->v[i];
	if (f->n == f->cap) {
		f->cap = f->cap ? f->cap * 2 : 8;
		struct sym *v = arena_alloc(c->arena, f->cap, sizeof *v);
		if (f->n)
			memcpy(v, f->v, f->n * sizeof *v);
		f->v = v;
	}
	f->v[f->n] = (struct sym){.id = id, .first = first, .slot = UINT32_MAX};
	return &f->v[f->n++];
}

static void declare(struct jx_compiler *c, struct frame *f, uint32_t id)
{
	struct sym *s = sym(c, f, id, FIRST_STORE);
	s->stored = s->param = 1;
}

static void see_expr(struct jx_compiler *c, struct frame *f, const struct jx_node *n);

static void see_all(struct jx_compiler *c, struct frame *f, struct jx_nodes l)
{
	for (uint32_t i = 0; i < l.n; i++)
		see_expr(c, f, l.v[i]);
}

static void see_args(struct jx_compiler *c, struct frame *f, const struct jx_args *a)
{
	see_all(c, f, a->pos);
	see_all(c, f, a->kw);
	see_expr(c, f, a->star);
	see_expr(c, f, a->dstar);
}

static void see_expr(struct jx_compiler *c, struct frame *f, const struct jx_node *n)
{
	if (!n)
		return;
	switch (n->kind) {
	case E_NAME:
	case E_NSREF:
		sym(c, f, n->name.id, FIRST_LOAD);
		break;
	case E_TUPLE:
	case E_LIST:
	case E_DICT:
	case E_CONCAT:
		see_all(c, f, n->list);
		break;
	case E_ATTR:
		see_expr(c, f, n->attr.obj);
		break;
	case E_COMPARE:
		see_expr(c, f, n->cmp.first);
		see_all(c, f, n->cmp.rest);
		break;
	case E_CALL:
	case E_FILTER:
	case E_TEST:
		see_expr(c, f, n->call.obj);
		see_args(c, f, &n->call.args);
		break;
	case E_CONST:
		break;
	case E_COND:
		see_expr(c, f, n->x.b);
		see_expr(c, f, n->x.a);
		see_expr(c, f, n->x.c);
		break;
	default:
		see_expr(c, f, n->x.a);
		see_expr(c, f, n->x.b);
		see_expr(c, f, n->x.c);
	}
}

static void see_target(struct jx_compiler *c, struct frame *f, const struct jx_node *n, int branch)
{
	if (n->kind == E_NAME) {
		sym(c, f, n->name.id, branch ? FIRST_BRANCH : FIRST_STORE)->stored = 1;
	} else if (n->kind == E_TUPLE) {
		for (uint32_t i = 0; i < n->list.n; i++)
			see_target(c, f, n->list.v[i], branch);
	} else if (n->kind == E_NSREF) {
		sym(c, f, n->name.id, FIRST_LOAD);
	}
}

static void see(struct jx_compiler *c, struct frame *f, struct jx_nodes body, int branch)
{
	for (uint32_t i = 0; i < body.n; i++) {
		const struct jx_node *n = body.v[i];
		switch (n->kind) {
		case S_PRINT:
			see_expr(c, f, n->x.a);
			break;
		case S_IF:
			for (uint32_t k = 0; k < n->cond.nbodies; k++) {
				if (k < n->cond.tests.n)
					see_expr(c, f, n->cond.tests.v[k]);
				see(c, f, n->cond.bodies[k], 1);
			}
			break;
		case S_FOR:
			see_expr(c, f, n->loop->iter);
			break;
		case S_SET:
			see_expr(c, f, n->set.value);
			see_target(c, f, n->set.target, branch);
			break;
		case S_SETBLOCK:
			see_target(c, f, n->set.target, branch);
			break;
		case S_FILTER:
			see_expr(c, f, n->block.expr);
			break;
		case S_MACRO:
			see_target(c, f, n->func->target, branch);
			break;
		case S_CALL:
			see_expr(c, f, n->func->call);
			break;
		case S_WITH:
			see_all(c, f, n->with.values);
			break;
		default:
			break;
		}
	}
}

/* Where `id` lies for code in frame f: 1 a slot, 0 known outside as a given variable, -1 not known. */
static int look(const struct frame *f, uint32_t id, uint32_t *slot, uint32_t *up)
{
	*up = 0;
	int known = -1;
	for (; f; f = f->parent) {
		for (size_t i = 0; i < f->n; i++) {
			if (f->v[i].id != id)
				continue;
			if (f->v[i].slot != UINT32_MAX) {
				*slot = f->v[i].slot;
				return 1;
			}
			known = 0;
		}
		if (f->parent && f->parent->fn != f->fn)
			++*up;
	}
	return known;
}

/* After `see`: slots for what the frame owns, and how they start. */
static struct jx_scope finish(struct jx_compiler *c, struct frame *f)
{
	struct jx_scope s = {arena_alloc(c->arena, f->n, sizeof *s.v), 0};
	for (size_t i = 0; i < f->n; i++) {
		struct sym *y = &f->v[i];
		if (!y->stored)
			continue;
		uint32_t slot = f->fn->nslots++;
		if (!y->param) {
			struct jx_init *in = &s.v[s.n++];
			int k = f->parent ? look(f->parent, y->id, &in->from, &in->up) : -1;
			in->slot = slot;
			if (f->parent && f->parent->fn != f->fn)
				in->up++;
			if (k == 1) {
				in->load = LOAD_ALIAS;
			} else if (k == 0 || y->first != FIRST_STORE) {
				in->load = LOAD_CTX;
				in->from = y->id;
				c->t->reads[y->id] = 1;
			} else {
				in->load = LOAD_MISSING;
			}
		}
		y->slot = slot;
	}
	return s;
}

static void bind_body(struct jx_compiler *c, struct frame *f, struct jx_nodes body);
static void bind(struct jx_compiler *c, struct frame *f, struct jx_node *n, int soft);

static void bind_name(struct jx_compiler *c, struct frame *f, struct jx_node *n)
{
	if (look(f, n->name.id, &n->name.slot, &n->name.up) != 1) {
		n->name.slot = UINT32_MAX;
		n->name.up = 0;
		c->t->reads[n->name.id] = 1;
	}
	if (n->name.store)
		n->name.export = f->toplevel && c->t->nblocks;
}

static void bind_all(struct jx_compiler *c, struct frame *f, struct jx_nodes l, int soft)
{
	for (uint32_t i = 0; i < l.n; i++)
		bind(c, f, l.v[i], soft);
}

static void bind_call(struct jx_compiler *c, struct frame *f, struct jx_node *n, int soft)
{
	if (n->kind != E_CALL && !n->call.fn && !soft) /* in an if it may fail when it is reached */
		jx_syntax(c, n->line, "no %s named '%.*s'", n->kind == E_FILTER ? "filter" : "test",
			(int)n->call.name.len, n->call.name.u.s);
	bind(c, f, n->call.obj, soft);
	bind_all(c, f, n->call.args.pos, soft);
	bind_all(c, f, n->call.args.kw, soft);
	bind(c, f, n->call.args.star, soft);
	bind(c, f, n->call.args.dstar, soft);
}

static void bind(struct jx_compiler *c, struct frame *f, struct jx_node *n, int soft)
{
	if (!n)
		return;
	switch (n->kind) {
	case E_NAME:
	case E_NSREF:
		bind_name(c, f, n);
		break;
	case E_TUPLE:
	case E_LIST:
	case E_DICT:
	case E_CONCAT:
		bind_all(c, f, n->list, soft);
		break;
	case E_ATTR:
		bind(c, f, n->attr.obj, soft);
		break;
	case E_COMPARE:
		bind(c, f, n->cmp.first, soft);
		bind_all(c, f, n->cmp.rest, soft);
		break;
	case E_CALL:
	case E_FILTER:
	case E_TEST:
		bind_call(c, f, n, soft);
		break;
	case E_CONST:
		break;
	case E_COND:
		soft = 1;
		/* fall through */
	default:
		bind(c, f, n->x.a, soft);
		bind(c, f, n->x.b, soft);
		bind(c, f, n->x.c, soft);
	}
}

static int has_scoped_block(const struct jinja *t)
{
	for (uint32_t i = 0; i < t->nblocks; i++)
		if (t->blocks[i]->scoped)
			return 1;
	return 0;
}

static void no_loop_target(struct jx_compiler *c, const struct jx_node *n)
{
	if (n->kind == E_NAME && jx_jv_is(n->name.text, "loop"))
		jx_syntax(c, n->line, "can't assign to special loop variable in for-loop target");
	if (n->kind == E_TUPLE)
		for (uint32_t i = 0; i < n->list.n; i++)
			no_loop_target(c, n->list.v[i]);
}

/* {% set loop = … %} anywhere inside a loop is refused too. */
static void no_loop_stores(struct jx_compiler *c, struct jx_nodes body)
{
	for (uint32_t i = 0; i < body.n; i++) {
		const struct jx_node *n = body.v[i];
		if (n->kind == S_SET || n->kind == S_SETBLOCK) {
			no_loop_target(c, n->set.target);
			no_loop_stores(c, n->set.body);
		} else if (n->kind == S_IF) {
			for (uint32_t k = 0; k < n->cond.nbodies; k++)
				no_loop_stores(c, n->cond.bodies[k]);
		}
	}
}

static struct frame inner(struct frame *parent, struct fn *fn)
{
	return (struct frame){.parent = parent,
		.fn = fn ? fn : parent->fn,
		.in_loop = parent->in_loop,
		.in_block = parent->in_block};
}

static void see_params(struct jx_compiler *c, struct frame *f, const struct jx_node *target)
{
	if (target->kind == E_NAME) {
		declare(c, f, target->name.id);
	} else if (target->kind == E_TUPLE) {
		for (uint32_t i = 0; i < target->list.n; i++)
			see_params(c, f, target->list.v[i]);
	}
}

static void bind_for(struct jx_compiler *c, struct frame *f, struct jx_node *n)
{
	struct jx_for *l = n->loop;
	no_loop_target(c, l->target);
	no_loop_stores(c, l->body);
	l->extended = l->recursive || jx_body_reads(l->body, "loop") || has_scoped_block(c->t);
	bind(c, f, l->iter, f->soft);
	struct fn fn = {0};
	struct frame in = inner(f, l->recursive ? &fn : NULL);
	in.in_loop = 1;
	uint32_t loop_id = jx_name_id(c, jv_str("loop", 4));
	if (l->extended)
		declare(c, &in, loop_id);
	see_params(c, &in, l->target);
	see(c, &in, l->body, 0);
	l->scope = finish(c, &in);
	uint32_t up;
	if (l->extended)
		look(&in, loop_id, &l->loop_slot, &up);
	bind(c, &in, l->target, 0);
	if (l->test) {
		struct frame test = inner(f, l->recursive ? &fn : NULL);
		see_params(c, &test, l->test_target);
		see_expr(c, &test, l->test);
		l->test_scope = finish(c, &test);
		bind(c, &test, l->test_target, 0);
		bind(c, &test, l->test, 0);
	}
	bind_body(c, &in, l->body);
	if (l->orelse.n) {
		struct frame other = inner(f, l->recursive ? &fn : NULL);
		other.in_loop = l->recursive ? 0 : f->in_loop;
		see(c, &other, l->orelse, 0);
		l->else_scope = finish(c, &other);
		bind_body(c, &other, l->orelse);
	}
	l->nslots = fn.nslots;
}

static void bind_func(struct jx_compiler *c, struct frame *f, struct jx_func *m)
{
	struct fn fn = {0};
	struct frame in = inner(f, &fn);
	in.in_loop = 0;
	for (uint32_t i = 0; i < m->params.n; i++) {
		declare(c, &in, m->params.v[i]->name.id);
		if (jx_jv_is(m->params.v[i]->name.text, "caller")) {
			m->explicit_caller = 1;
			if (i + m->defaults.n < m->params.n)
				jx_syntax(c, m->params.v[i]->line,
					"the special \"caller\" argument must be omitted or be "
					"given a default");
		}
	}
	static const char *const special[] = {"caller", "kwargs", "varargs"};
	uint32_t *slots[] = {&m->caller_slot, &m->kwargs_slot, &m->varargs_slot}, ids[3], up;
	int used[3];
	for (int i = 0; i < 3; i++) {
		ids[i] = jx_name_id(c, jx_strz(special[i]));
		int is_param = 0;
		for (uint32_t k = 0; k < m->params.n; k++)
			is_param |= jx_jv_is(m->params.v[k]->name.text, special[i]);
		used[i] = !is_param && jx_body_reads(m->body, special[i]);
		if (used[i])
			declare(c, &in, ids[i]);
	}
	see_all(c, &in, m->defaults);
	see(c, &in, m->body, 0);
	m->scope = finish(c, &in);
	for (int i = 0; i < 3; i++)
		if (used[i])
			look(&in, ids[i], slots[i], &up);
	m->param_slots = arena_alloc(c->arena, m->params.n, sizeof *m->param_slots);
	for (uint32_t i = 0; i < m->params.n; i++)
		look(&in, m->params.v[i]->name.id, &m->param_slots[i], &up);
	bind_all(c, &in, m->defaults, 0);
	bind_body(c, &in, m->body);
	m->nslots = fn.nslots;
}

/* A block is a function of its own: it sees the given variables and what the template has assigned at
 * its top; a scoped one also what the frames around it have assigned. */
static void bind_block(struct jx_compiler *c, struct frame *f, struct jx_func *b)
{
	struct fn fn = {0};
	struct frame in = {.fn = &fn, .in_block = 1};
	see(c, &in, b->body, 0);
	b->scope = finish(c, &in);
	bind_body(c, &in, b->body);
	b->nslots = fn.nslots;
	if (!b->scoped)
		return;
	size_t n = 0;
	for (struct frame *k = f; k; k = k->parent)
		n += k->n;
	b->seen_ids = arena_alloc(c->arena, n, sizeof *b->seen_ids);
	b->seen_slots = arena_alloc(c->arena, n, sizeof *b->seen_slots);
	b->seen_up = arena_alloc(c->arena, n, sizeof *b->seen_up);
	for (struct frame *k = f; k; k = k->parent)
		for (size_t i = 0; i < k->n; i++) {
			uint32_t slot, up;
			if (!k->v[i].stored || look(f, k->v[i].id, &slot, &up) != 1)
				continue;
			b->seen_ids[b->nseen] = k->v[i].id;
			b->seen_slots[b->nseen] = slot;
			b->seen_up[b->nseen++] = up;
		}
}

static void bind_statement(struct jx_compiler *c, struct frame *f, struct jx_node *n)
{
	struct frame in;
	switch (n->kind) {
	case S_PRINT:
		bind(c, f, n->x.a, f->soft);
		break;
	case S_IF: {
		int soft = f->soft;
		f->soft = 1;
		for (uint32_t i = 0; i < n->cond.nbodies; i++) {
			if (i < n->cond.tests.n)
				bind(c, f, n->cond.tests.v[i], 1);
			bind_body(c, f, n->cond.bodies[i]);
		}
		f->soft = soft;
		break;
	}
	case S_FOR:
		bind_for(c, f, n);
		break;
	case S_SET:
		bind(c, f, n->set.value, f->soft);
		bind(c, f, n->set.target, f->soft);
		break;
	case S_SETBLOCK:
		in = inner(f, NULL);
		see(c, &in, n->set.body, 0);
		n->set.scope = finish(c, &in);
		bind_body(c, &in, n->set.body);
		bind(c, &in, n->set.value, 0);
		bind(c, f, n->set.target, f->soft);
		break;
	case S_FILTER:
		in = inner(f, NULL);
		see(c, &in, n->block.body, 0);
		see_expr(c, &in, n->block.expr);
		n->block.scope = finish(c, &in);
		bind_body(c, &in, n->block.body);
		bind(c, &in, n->block.expr, 0);
		break;
	case S_AUTOESCAPE:
		bind(c, f, n->block.expr, f->soft);
		in = inner(f, NULL);
		see(c, &in, n->block.body, 0);
		n->block.scope = finish(c, &in);
		bind_body(c, &in, n->block.body);
		break;
	case S_WITH:
		bind_all(c, f, n->with.values, f->soft);
		in = inner(f, NULL);
		for (uint32_t i = 0; i < n->with.targets.n; i++)
			see_params(c, &in, n->with.targets.v[i]);
		see(c, &in, n->with.body, 0);
		n->with.scope = finish(c, &in);
		bind_all(c, &in, n->with.targets, 0);
		bind_body(c, &in, n->with.body);
		break;
	case S_MACRO:
		bind_func(c, f, n->func);
		bind(c, f, n->func->target, f->soft);
		break;
	case S_CALL:
		bind(c, f, n->func->call, f->soft);
		bind_func(c, f, n->func);
		break;
	case S_GENERATION:
		bind_func(c, f, n->func);
		break;
	case S_BLOCK:
		bind_block(c, f, n->func);
		break;
	case S_BREAK:
	case S_CONTINUE:
		if (!f->in_loop)
			jx_syntax(c, n->line, "'%s' outside loop",
				n->kind == S_BREAK ? "break" : "continue");
		break;
	default:
		break;
	}
}

static void bind_body(struct jx_compiler *c, struct frame *f, struct jx_nodes body)
{
	for (uint32_t i = 0; i < body.n; i++)
		bind_statement(c, f, body.v[i]);
}

void jx_resolve(struct jx_compiler *c)
{
	/* Names that only this pass brings in. */
	static const char *const special[] = {"loop", "caller", "kwargs", "varargs"};
	for (size_t i = 0; i < sizeof special / sizeof *special; i++)
		jx_name_id(c, jx_strz(special[i]));
	c->t->reads = mem_zalloc(c->t->nnames, sizeof *c->t->reads);
	struct fn fn = {0};
	struct frame root = {.fn = &fn, .toplevel = 1};
	see(c, &root, c->t->root.body, 0);
	c->t->root.scope = finish(c, &root);
	bind_body(c, &root, c->t->root.body);
	c->t->root.nslots = fn.nslots;
}
