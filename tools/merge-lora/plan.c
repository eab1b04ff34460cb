/*
 * An adapter's tensor names its module, the module its weight. The output head of a model that ties
 * it to the embedding has no weight: an adapter on it makes it one, a copy of the embedding plus
 * the delta, and the result is untied (peft#2018, #2777: anything else changes the embedding or is
 * lost).
 */
#include "tools/merge-lora/plan.h"

#include "common/mem.h"
#include "kernels/merge.h"

#include <stdlib.h>
#include <string.h>

#define HEAD	  "lm_head.weight"
#define EMBEDDING "model.embed_tokens.weight"

static int ends_with(const char *s, const char *end, size_t *stem)
{
	size_t n = strlen(s), m = strlen(end);
	*stem = n - m;
	return n > m && strcmp(s + n - m, end) == 0;
}

/* ---- the result's table ---------------------------------------------------------------------- */

/* The base's tensors as they lie: shard after shard, by place in each. */
static int by_place(const void *a, const void *b)
{
	const struct st_tensor *x = *(const struct st_tensor *const *)a;
	const struct st_tensor *y = *(const struct st_tensor *const *)b;
	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (x->data != y->data)
		return x->data < y->data ? -1 : 1;
	return x->bytes < y->bytes ? -1 : x->bytes > y->bytes;
}

static int add_target(struct plan *p, const struct st_tensor *in, const char *name, size_t file,
	int dtype, struct err *e)
{
	struct st_tensor *out = &p->out[p->n];
	*out = *in;
	out->name = mem_strdup(name);
	out->file = file;
	out->data = NULL;
	p->targets[p->n++] = (struct target){.in = in};
	if (dtype >= 0 && dtype_info[in->dtype].is_float)
		out->dtype = (enum dtype)dtype;
	return st_size(out, e);
}

static int make_table(struct plan *p, const struct st *base, int dtype, struct err *e)
{
	const struct st_tensor **order = mem_alloc(base->n, sizeof *order);
	for (size_t i = 0; i < base->n; i++)
		order[i] = &base->t[i];
	qsort(order, base->n, sizeof *order, by_place);
	p->out = mem_zalloc(base->n + 1, sizeof *p->out); /* one more: the untied head */
	p->targets = mem_zalloc(base->n + 1, sizeof *p->targets);
	p->shards = base->nfiles;
	int rc = 0;
	for (size_t i = 0; i < base->n && !rc; i++)
		rc = add_target(p, order[i], order[i]->name, order[i]->file, dtype, e);
	mem_free(order);
	return rc;
}

static struct target *find_target(struct plan *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->out[i].name, name) == 0)
			return &p->targets[i];
	return NULL;
}

/* The head of a tied model, made when an adapter first asks for it. A weight that a tied base holds
 * all the same is not what the model computes with: the embedding is. */
static struct target *untied_head(struct plan *p, const struct st *base, int dtype, struct err *e)
{
	const struct st_tensor *embedding = st_find(base, EMBEDDING);
	struct target *head = find_target(p, HEAD);
	if (!embedding) {
		err_data(e, "the output head is tied, but there is no '%s'", EMBEDDING);
		return NULL;
	}
	if (!head) {
		if (add_target(p, embedding, HEAD, p->shards - 1, dtype, e))
			return NULL;
		head = &p->targets[p->n - 1];
	}
	if (head->in->rank != embedding->rank || head->in->bytes != embedding->bytes ||
		memcmp(head->in->shape, embedding->shape, sizeof head->in->shape) != 0) {
		err_data(e, "'%s' and '%s' are tied but differ in shape or type", HEAD, EMBEDDING);
		return NULL;
	}
	head->in = embedding;
	p->untie = 1;
	return head;
}

/* ---- what adapters add ----------------------------------------------------------------------- */

static int check_shapes(const struct delta *d, const struct target *t, size_t r, struct err *e)
{
	char shape[200], base[200];
	const struct st_tensor *in = t->in;
	if (!dtype_info[in->dtype].is_float || in->rank != 2)
		return err_data(e, "tensor '%s' is not a matrix of floats", in->name);
	st_shape_text(in, base);
	st_shape_text(d->a, shape);
	if (d->a->rank != 2 || d->a->shape[0] != r || d->a->shape[1] != in->shape[1])
		return err_data(e, "tensor '%s' is %s: '%s' is %s and the rank %zu", d->a->name,
			shape, in->name, base, r);
	st_shape_text(d->b, shape);
	if (d->b->rank != 2 || d->b->shape[0] != in->shape[0] || d->b->shape[1] != r)
		return err_data(e, "tensor '%s' is %s: '%s' is %s and the rank %zu", d->b->name,
			shape, in->name, base, r);
	if (!dtype_info[d->a->dtype].is_float || !dtype_info[d->b->dtype].is_float)
		return err_data(e, "tensor '%s' is not of floats", d->a->name);
	return 0;
}

static const struct st_tensor *source_find(const struct source *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->t[i].name, name) == 0)
			return &s->t[i];
	return NULL;
}

struct context {
	struct plan *p;
	const struct st *base;
	int tied, dtype;
	const struct source *s;
};

/* The target of a module; NULL and *e when the base has none. */
static struct target *module_target(const struct context *c, const char *module, struct err *e)
{
	char *name = mem_printf("%s.weight", module);
	int tied_head = strcmp(name, HEAD) == 0 && (c->tied > 0 || !st_find(c->base, HEAD));
	struct target *t =
		tied_head ? untied_head(c->p, c->base, c->dtype, e) : find_target(c->p, name);
	if (!t && !tied_head)
		err_data(e, "the base has no '%s'", name);
	mem_free(name);
	return t;
}

/* `a` is "….MODULE.lora_A.weight", its partner lora_B. */
static int add_delta(
	const struct context *c, const struct st_tensor *a, const char *module, struct err *e)
{
	char *partner = mem_printf("base_model.model.%s.lora_B.weight", module);
	struct delta d = {.a = a, .b = source_find(c->s, partner)};
	int rc = d.b ? 0 : err_data(e, "tensor '%s' is missing", partner);
	mem_free(partner);
	struct target *t = rc ? NULL : module_target(c, module, e);
	if (!t)
		return -1;
	if (check_shapes(&d, t, adapter_rank(&c->s->config, module), e))
		return -1;
	d.scale = (float)(c->s->weight * (double)adapter_scale(&c->s->config, module));
	t->deltas = mem_resize(t->deltas, t->n + 1, sizeof *t->deltas);
	t->deltas[t->n++] = d;
	return 0;
}

/* PEFT saves the embedding with an adapter on the head. It must be the base's own: compared as the
 * base's type. */
static int check_copy(
	const struct context *c, const struct st_tensor *t, const char *name, struct err *e)
{
	const struct st_tensor *in = st_find(c->base, name);
	if (!in && strcmp(name, HEAD) == 0)
		in = st_find(c->base, EMBEDDING);
	if (!in)
		return err_data(e, "tensor '%s' fits nothing in the base", t->name);
	if (t->rank != in->rank || memcmp(t->shape, in->shape, t->rank * sizeof *t->shape) != 0 ||
		!dtype_info[t->dtype].is_float || !dtype_info[in->dtype].is_float)
		return err_data(e, "tensor '%s' has another shape than the base's", t->name);
	enum { PIECE = 1 << 16 };
	char *as_base = mem_alloc(PIECE, dtype_bytes(in->dtype, 1));
	int same = 1;
	for (size_t i = 0; i < t->elements && same; i += PIECE) {
		size_t n = t->elements - i < PIECE ? t->elements - i : PIECE;
		const char *from = (const char *)t->data + dtype_bytes(t->dtype, i);
		const char *to = (const char *)in->data + dtype_bytes(in->dtype, i);
		same = merge_rows(t->dtype, from, in->dtype, as_base, 1, n, NULL, 0) == 0 &&
		       memcmp(as_base, to, dtype_bytes(in->dtype, n)) == 0;
	}
	mem_free(as_base);
	return same ? 0
		    : err_data(e,
			      "tensor '%s' is not the base's '%s': whole trained modules are not "
			      "merged",
			      t->name, in->name);
}

static int add_tensor(const struct context *c, const struct st_tensor *t, struct err *e)
{
	static const char prefix[] = "base_model.model.";
	size_t stem;
	if (strncmp(t->name, prefix, sizeof prefix - 1) != 0)
		return err_data(e, "tensor '%s' is not PEFT's", t->name);
	const char *rest = t->name + sizeof prefix - 1;
	char *module = NULL;
	int rc;
	if (ends_with(rest, ".lora_A.weight", &stem)) {
		module = mem_strndup(rest, stem);
		rc = add_delta(c, t, module, e);
	} else if (ends_with(rest, ".lora_B.weight", &stem)) {
		module = mem_printf("%s%.*s.lora_A.weight", prefix, (int)stem, rest);
		rc = source_find(c->s, module) ? 0 : err_data(e, "tensor '%s' is missing", module);
	} else if (ends_with(rest, ".base_layer.weight", &stem)) {
		module = mem_printf("%.*s.weight", (int)stem, rest);
		rc = check_copy(c, t, module, e);
	} else if (ends_with(rest, ".weight", &stem)) {
		rc = check_copy(c, t, rest, e);
	} else {
		rc = err_data(e, "tensor '%s' is of a kind that is not merged", t->name);
	}
	mem_free(module);
	return rc;
}

int plan_make(struct plan *p, const struct st *base, int tied, int dtype, const struct source *s,
	size_t nsources, struct err *e)
{
	*p = (struct plan){0};
	int rc = make_table(p, base, dtype, e);
	for (size_t i = 0; i < nsources && !rc; i++) {
		struct context c = {p, base, tied, dtype, &s[i]};
		for (size_t j = 0; j < s[i].n && !rc; j++)
			if ((rc = add_tensor(&c, &s[i].t[j], e)))
				err_prefix(e, "%s", s[i].name);
		if (!rc && !s[i].n)
			rc = err_data(e, "%s: the adapter has no tensors", s[i].name);
	}
	if (rc)
		plan_done(p);
	return rc;
}

void plan_done(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		mem_free(p->out[i].name);
		mem_free(p->targets[i].deltas);
	}
	mem_free(p->out);
	mem_free(p->targets);
	*p = (struct plan){0};
}
