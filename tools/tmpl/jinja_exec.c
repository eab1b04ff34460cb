/* Statements: scopes, loops, assignments, blocks, output. Macros and the loop variable: jinja_macro.c. */
#include "tools/tmpl/jinja_exec.h"

#include <string.h>

void jx_enter(struct jinja_run *r, struct jx_frame *f, const struct jx_scope *s)
{
	for (uint32_t i = 0; i < s->n; i++) {
		const struct jx_init *in = &s->v[i];
		struct jv v = {0};
		if (in->load == LOAD_CTX) {
			v = r->ctx[in->from];
		} else if (in->load == LOAD_ALIAS) {
			const struct jx_frame *k = f;
			for (uint32_t up = in->up; up; up--)
				k = k->up;
			v = k->slot[in->from];
		}
		f->slot[in->slot] = v;
	}
}

struct jx_frame *jx_frame_new(struct jinja_run *r, struct jx_frame *up, uint32_t nslots)
{
	struct jx_frame *f = jx_alloc(r, 1, sizeof *f + nslots * sizeof *f->slot);
	f->up = up;
	memset(f->slot, 0, nslots * sizeof *f->slot);
	return f;
}

static void assign_attr(
	struct jinja_run *r, struct jx_frame *f, const struct jx_node *n, struct jv v)
{
	struct jv ns = jx_load(r, f, n);
	r->line = n->line;
	if (ns.type != JV_NAMESPACE)
		jx_fail(r, "cannot assign attribute on non-namespace object");
	struct jv attr = n->name.attr;
	if (attr.len && attr.u.s[0] == '_')
		jx_fail(r,
			"chat templates cannot store underscore-prefixed attributes on a "
			"namespace, but got '%.*s'",
			(int)attr.len, attr.u.s);
	jx_dict_put(r, (struct jv){.type = JV_DICT, .u.dict = ns.u.dict}, attr, v);
}

/* Every namespace in a tuple of targets is looked at before anything is assigned. */
static void check_attrs(struct jinja_run *r, struct jx_frame *f, const struct jx_node *n)
{
	if (n->kind == E_TUPLE)
		for (uint32_t i = 0; i < n->list.n; i++)
			check_attrs(r, f, n->list.v[i]);
	if (n->kind == E_NSREF && jx_load(r, f, n).type != JV_NAMESPACE) {
		r->line = n->line;
		jx_fail(r, "cannot assign attribute on non-namespace object");
	}
}

void jx_assign(struct jinja_run *r, struct jx_frame *f, const struct jx_node *n, struct jv v)
{
	if (n->kind == E_NAME) {
		f->slot[n->name.slot] = v;
		if (n->name.export)
			r->ctx[n->name.id] = v;
		return;
	}
	if (n->kind == E_NSREF) {
		assign_attr(r, f, n, v);
		return;
	}
	r->line = n->line;
	struct jx_iter it;
	struct jv item;
	if (!jx_iterable(v))
		jx_fail(r, "cannot unpack non-iterable %s object", jx_type_name(v));
	jx_iter(r, &it, v);
	struct jv items = jx_list(r, n->list.n + 1);
	while (items.u.list->n <= n->list.n && jx_iter_next(r, &it, &item))
		jx_push(r, items, item);
	if (items.u.list->n > n->list.n)
		jx_fail(r, "too many values to unpack (expected %u)", n->list.n);
	if (items.u.list->n < n->list.n)
		jx_fail(r, "not enough values to unpack (expected %u, got %u)", n->list.n,
			items.u.list->n);
	for (uint32_t i = 0; i < n->list.n; i++)
		jx_assign(r, f, n->list.v[i], items.u.list->v[i]);
}

static void print(struct jinja_run *r, struct jx_frame *f, const struct jx_node *n)
{
	struct jv v = jx_eval(r, f, n->x.a);
	r->line = n->line;
	if (r->autoescape)
		v = jx_escape(r, v);
	if (v.type != JV_STR)
		v = jx_to_str(r, v);
	jx_emit(r, v.u.s, v.len);
}

static enum jx_flow exec_if(struct jinja_run *r, struct jx_frame *f, const struct jx_node *n)
{
	for (uint32_t i = 0; i < n->cond.nbodies; i++)
		if (i >= n->cond.tests.n || jx_true(r, jx_eval(r, f, n->cond.tests.v[i])))
			return jx_exec(r, f, n->cond.bodies[i]);
	return FLOW_NEXT;
}

static enum jx_flow exec_set(struct jinja_run *r, struct jx_frame *f, const struct jx_node *n)
{
	if (n->set.target->kind != E_NAME)
		check_attrs(r, f, n->set.target);
	jx_assign(r, f, n->set.target, jx_eval(r, f, n->set.value));
	return FLOW_NEXT;
}

/* The filters of a set or filter block, inside out: the innermost has no object. */
static struct jv filters(
	struct jinja_run *r, struct jx_frame *f, const struct jx_node *n, struct jv text)
{
	if (!n)
		return text;
	return jx_eval_filter(r, f, n, filters(r, f, n->call.obj, text));
}

static struct jv marked(const struct jinja_run *r, struct jv text)
{
	if (r->autoescape)
		text.flags |= JF_MARKUP;
	return text;
}

static enum jx_flow exec_setblock(struct jinja_run *r, struct jx_frame *f, const struct jx_node *n)
{
	size_t mark = r->out->len, marks = r->nmarks;
	jx_enter(r, f, &n->set.scope);
	enum jx_flow flow = jx_exec(r, f, n->set.body);
	struct jv text = marked(r, jx_capture(r, mark, marks));
	if (flow == FLOW_NEXT)
		jx_assign(r, f, n->set.target, filters(r, f, n->set.value, text));
	return flow;
}

static enum jx_flow exec_filter(struct jinja_run *r, struct jx_frame *f, const struct jx_node *n)
{
	size_t mark = r->out->len, marks = r->nmarks;
	jx_enter(r, f, &n->block.scope);
	enum jx_flow flow = jx_exec(r, f, n->block.body);
	struct jv text = marked(r, jx_capture(r, mark, marks));
	if (flow != FLOW_NEXT)
		return flow;
	struct jv v = jx_to_str(r, filters(r, f, n->block.expr, text));
	jx_emit(r, v.u.s, v.len);
	return flow;
}

static enum jx_flow exec_with(struct jinja_run *r, struct jx_frame *f, const struct jx_node *n)
{
	jx_enter(r, f, &n->with.scope);
	for (uint32_t i = 0; i < n->with.targets.n; i++)
		jx_assign(r, f, n->with.targets.v[i], jx_eval(r, f, n->with.values.v[i]));
	return jx_exec(r, f, n->with.body);
}

static enum jx_flow exec_autoescape(
	struct jinja_run *r, struct jx_frame *f, const struct jx_node *n)
{
	int was = r->autoescape;
	r->autoescape = jx_true(r, jx_eval(r, f, n->block.expr));
	jx_enter(r, f, &n->block.scope);
	enum jx_flow flow = jx_exec(r, f, n->block.body);
	r->autoescape = was;
	return flow;
}

static void exec_generation(struct jinja_run *r, struct jx_frame *f, const struct jx_node *n)
{
	size_t from = r->out->len, at = r->nmarks;
	if (r->want_spans) {
		mem_grow(&r->marks, &r->cap_marks, r->nmarks + 1, sizeof *r->marks);
		r->marks[r->nmarks++] = (struct jx_mark){0};
	}
	struct jx_frame *in = jx_frame_new(r, f, n->func->nslots);
	jx_enter(r, in, &n->func->scope);
	jx_exec(r, in, n->func->body);
	if (r->want_spans)
		r->marks[at].span = (struct jinja_span){from, r->out->len};
}

static void run_block(struct jinja_run *r, const struct jx_func *b)
{
	if (++r->calls > JX_CALL_DEPTH)
		jx_fail(r, "blocks call each other too deeply");
	struct jx_frame *in = jx_frame_new(r, NULL, b->nslots);
	jx_enter(r, in, &b->scope);
	jx_exec(r, in, b->body);
	r->calls--;
}

static void exec_block(struct jinja_run *r, struct jx_frame *f, const struct jx_node *n)
{
	const struct jx_func *b = n->func;
	if (b->required)
		jx_fail(r, "required block '%.*s' not found", (int)b->name.len, b->name.u.s);
	struct jv *was = b->nseen ? jx_alloc(r, b->nseen, sizeof *was) : NULL;
	for (uint32_t i = 0; i < b->nseen; i++) { /* scoped: what the frames around it hold */
		const struct jx_frame *k = f;
		for (uint32_t up = b->seen_up[i]; up; up--)
			k = k->up;
		was[i] = r->ctx[b->seen_ids[i]];
		if (k->slot[b->seen_slots[i]].type != JV_MISSING)
			r->ctx[b->seen_ids[i]] = k->slot[b->seen_slots[i]];
	}
	run_block(r, b);
	for (uint32_t i = b->nseen; i-- > 0;)
		r->ctx[b->seen_ids[i]] = was[i];
}

struct jv jx_call_block(struct jinja_run *r, struct jv block)
{
	size_t mark = r->out->len, marks = r->nmarks;
	run_block(r, block.u.p);
	return jx_capture(r, mark, marks);
}

struct jv jx_block_named(struct jinja_run *r, struct jv name)
{
	for (uint32_t i = 0; i < r->t->nblocks; i++)
		if (jx_equal(r, r->t->blocks[i]->name, name))
			return (struct jv){.type = JV_BLOCK, .u.p = r->t->blocks[i]};
	return (struct jv){0};
}

static enum jx_flow exec_one(struct jinja_run *r, struct jx_frame *f, const struct jx_node *n)
{
	r->line = n->line;
	switch (n->kind) {
	case S_DATA:
		jx_emit(r, n->value.u.s, n->value.len);
		return FLOW_NEXT;
	case S_PRINT:
		print(r, f, n);
		return FLOW_NEXT;
	case S_IF:
		return exec_if(r, f, n);
	case S_FOR:
		return jx_exec_for(r, f, n);
	case S_SET:
		return exec_set(r, f, n);
	case S_SETBLOCK:
		return exec_setblock(r, f, n);
	case S_FILTER:
		return exec_filter(r, f, n);
	case S_WITH:
		return exec_with(r, f, n);
	case S_AUTOESCAPE:
		return exec_autoescape(r, f, n);
	case S_MACRO:
		jx_assign(r, f, n->func->target, jx_macro_value(r, f, n->func));
		return FLOW_NEXT;
	case S_CALL:
		jx_exec_call(r, f, n);
		return FLOW_NEXT;
	case S_GENERATION:
		exec_generation(r, f, n);
		return FLOW_NEXT;
	case S_BLOCK:
		exec_block(r, f, n);
		return FLOW_NEXT;
	case S_BREAK:
		return FLOW_BREAK;
	default: /* S_CONTINUE */
		return FLOW_CONTINUE;
	}
}

enum jx_flow jx_exec(struct jinja_run *r, struct jx_frame *f, struct jx_nodes body)
{
	if (++r->depth > JX_EVAL_DEPTH)
		jx_fail(r, "the template recurses too deeply");
	enum jx_flow flow = FLOW_NEXT;
	for (uint32_t i = 0; i < body.n && flow == FLOW_NEXT; i++) {
		jx_spend(r, 1);
		flow = exec_one(r, f, body.v[i]);
	}
	r->depth--;
	return flow;
}

void jx_run_root(struct jinja_run *r)
{
	struct jx_frame *f = jx_frame_new(r, NULL, r->t->root.nslots);
	jx_enter(r, f, &r->t->root.scope);
	jx_exec(r, f, r->t->root.body);
}
