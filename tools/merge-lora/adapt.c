/*
 * An adapter's tensor names its module, the module its weight. Where a model ties its output head to
 * the embedding there is one weight for two uses, and an adapter on one of them concerns that one: the
 * head gets a weight of its own, a copy of the embedding, and the result is untied (peft#2018, #2777:
 * anything else changes the other use, too, or is lost).
 */
#include "tools/merge-lora/adapt.h"

#include "common/mem.h"

#include <string.h>

#define HEAD	  ADAPTER_HEAD ".weight"
#define EMBEDDING ADAPTER_EMBED ".weight"

struct context {
	struct plan *p;
	const struct wish *wish;
	const struct source *s;
	size_t nsources;
};

/* ---- targets --------------------------------------------------------------------------------- */

static int is_tied(const struct context *c)
{
	return c->wish->tied > 0 || !st_find(c->wish->base, HEAD);
}

/* The head of a tied model, made when an adapter first asks for one of its two uses. A weight that a
 * tied base holds all the same is not what the model computes with: the embedding is. */
static int untie(const struct context *c, struct err *e)
{
	struct rewrite *w = &c->p->w;
	const struct st_tensor *embedding = st_find(c->wish->base, EMBEDDING);
	const struct st_tensor *idle = st_find(c->wish->base, HEAD);
	if (c->p->untie)
		return 0;
	if (!embedding)
		return err_data(e, "the output head is tied, but there is no '%s'", EMBEDDING);
	if (idle && (idle->bytes != embedding->bytes || !st_same_shape(idle, embedding)))
		return err_data(
			e, "'%s' and '%s' are tied but differ in shape or type", HEAD, EMBEDDING);
	if (idle) {
		rewrite_find(w, HEAD)->in = embedding;
	} else {
		enum dtype dtype = rewrite_find(w, EMBEDDING)->dtype;
		struct rewrite_item *head = rewrite_add(w, embedding);
		mem_free(head->name);
		head->name = mem_strdup(HEAD);
		head->dtype = dtype;
		head->shard = c->wish->base->nfiles - 1;
	}
	c->p->untie = 1;
	return 0;
}

/* The two uses get a weight each, unless the adapter says that they stay one (ensure_weight_tying). */
static int untie_for(const struct context *c, const char *name, struct err *e)
{
	if (!is_tied(c) || (strcmp(name, HEAD) != 0 && strcmp(name, EMBEDDING) != 0))
		return 0;
	return c->s->config.tie ? 0 : untie(c, e);
}

/* NULL and *e when the base has no such tensor. Valid until the next call. */
static struct rewrite_item *target(
	const struct context *c, const char *module, const char *what, struct err *e)
{
	char *name = mem_printf("%s.%s", module, what);
	struct rewrite_item *it = NULL;
	if (untie_for(c, name, e) == 0) {
		it = rewrite_find(&c->p->w, name);
		if (!it)
			err_data(e, "the base has no '%s'", name);
	}
	mem_free(name);
	return it;
}

/* ---- deltas ---------------------------------------------------------------------------------- */

/* NULL: there is none. */
static const struct st_tensor *find(
	const struct source *s, const char *module, enum adapter_part part)
{
	char *name = adapter_name(module, part, 1);
	const struct st_tensor *t = NULL;
	for (size_t i = 0; i < s->n && !t; i++)
		if (strcmp(s->t[i].name, name) == 0)
			t = &s->t[i];
	mem_free(name);
	return t;
}

/* NULL and *e. */
static const struct st_tensor *need(
	const struct source *s, const char *module, enum adapter_part part, struct err *e)
{
	const struct st_tensor *t = find(s, module, part);
	char *name = adapter_name(module, part, 1);
	if (!t)
		err_data(e, "tensor '%s' is missing", name);
	mem_free(name);
	return t;
}

/* A tensor of an adapter must be of floats and [rows, cols]; cols 0: a vector. */
static int check_shape(const struct st_tensor *t, size_t rows, size_t cols,
	const struct rewrite_item *it, struct err *e)
{
	struct st_tensor want = {.shape = {rows, cols}, .rank = cols ? 2 : 1};
	char has[200], needs[200];
	if (!dtype_info[t->dtype].is_float)
		return err_data(e, "tensor '%s' is not of floats", t->name);
	if (st_same_shape(t, &want))
		return 0;
	st_shape_text(t, has);
	st_shape_text(&want, needs);
	return err_data(e, "tensor '%s' is %s: '%s' asks for %s", t->name, has, it->name, needs);
}

/* A [r, in] or [r, tokens]: the rank is what the config says. */
static int check_a(const struct context *c, const struct st_tensor *a, const char *module,
	size_t cols, const struct rewrite_item *it, size_t *r, struct err *e)
{
	*r = adapter_rank(&c->s->config, module);
	if (a->rank == 2 && a->shape[0] != *r)
		return err_data(e, "tensor '%s' has %zu rows: the adapter's config says rank %zu",
			a->name, a->shape[0], *r);
	return check_shape(a, *r, cols, it, e);
}

static int is_matrix(const struct rewrite_item *it, size_t *out, size_t *in, struct err *e)
{
	if (!it->from && (!dtype_info[it->in->dtype].is_float || it->in->rank != 2))
		return err_data(e, "tensor '%s' is not a matrix of floats", it->name);
	*out = it->from ? it->from->d.n : it->in->shape[0];
	*in = it->from ? it->from->d.k : it->in->shape[1];
	return 0;
}

static float scale(const struct context *c, const char *module)
{
	return (float)(c->s->weight * (double)adapter_scale(&c->s->config, module));
}

/* DoRA is no sum: it cannot be mixed. */
static int find_magnitude(
	const struct context *c, const char *module, struct delta *d, struct err *e)
{
	if (!c->s->config.dora)
		return 0;
	d->magnitude = need(c->s, module, ADAPTER_MAGNITUDE, e);
	if (!d->magnitude)
		return -1;
	return c->nsources == 1 && c->s->weight == 1
		       ? 0
		       : err_data(e, "a DoRA adapter is merged alone, and with weight 1");
}

static int add_linear(
	const struct context *c, const struct st_tensor *a, const char *module, struct err *e)
{
	struct delta d = {.a = a, .b = need(c->s, module, ADAPTER_B, e), .scale = scale(c, module)};
	struct rewrite_item *it = d.b ? target(c, module, "weight", e) : NULL;
	size_t r, out, in;
	if (!it || find_magnitude(c, module, &d, e) || is_matrix(it, &out, &in, e) ||
		check_a(c, a, module, in, it, &r, e) || check_shape(d.b, out, r, it, e) ||
		(d.magnitude && check_shape(d.magnitude, out, 0, it, e)))
		return -1;
	rewrite_delta(it, &d);
	return 0;
}

static int add_embedding(
	const struct context *c, const struct st_tensor *a, const char *module, struct err *e)
{
	struct delta d = {.a = a,
		.b = need(c->s, module, ADAPTER_EMBEDDING_B, e),
		.scale = scale(c, module),
		.embedding = 1};
	if (c->s->config.dora)
		return err_data(e, "'%s': DoRA on an embedding is not merged", module);
	struct rewrite_item *it = d.b ? target(c, module, "weight", e) : NULL;
	size_t r, tokens, width;
	if (!it || is_matrix(it, &tokens, &width, e) || check_a(c, a, module, tokens, it, &r, e) ||
		check_shape(d.b, width, r, it, e))
		return -1;
	rewrite_delta(it, &d);
	return 0;
}

/* Added to a bias that is there. */
static int add_bias(
	const struct context *c, const struct st_tensor *b, const char *module, struct err *e)
{
	struct rewrite_item *it =
		need(c->s, module, ADAPTER_A, e) ? target(c, module, "bias", e) : NULL;
	if (!it)
		return err_prefix(e, "tensor '%s'", b->name);
	if (!dtype_info[it->in->dtype].is_float || it->in->rank != 1)
		return err_data(e, "tensor '%s' is not a vector of floats", it->name);
	if (check_shape(b, it->in->shape[0], 0, it, e))
		return -1;
	rewrite_delta(it, &(struct delta){.b = b, .scale = scale(c, module)});
	return 0;
}

/* ---- whole tensors --------------------------------------------------------------------------- */

/* What the base has there: of a tied head what the model computes with. */
static const struct st_tensor *base_tensor(
	const struct context *c, const struct st_tensor *t, const char *name, struct err *e)
{
	int tied_head = strcmp(name, HEAD) == 0 && is_tied(c);
	const struct st_tensor *in = st_find(c->wish->base, tied_head ? EMBEDDING : name);
	if (!in || !st_same_shape(t, in) || !dtype_info[t->dtype].is_float ||
		!dtype_info[in->dtype].is_float) {
		err_data(e, "tensor '%s' fits nothing in the base", t->name);
		return NULL;
	}
	return in;
}

/* A trained copy (modules_to_save, bias) takes the place of the base's. PEFT saves embeddings along
 * that are no such copies: they must be the base's own. */
static int replace(const struct context *c, const struct st_tensor *t, const char *module,
	const char *what, int trained, struct err *e)
{
	char *name = mem_printf("%s.%s", module, what);
	const struct st_tensor *in = base_tensor(c, t, name, e);
	int again = c->s->config.tie && is_tied(c) && strcmp(name, HEAD) == 0;
	mem_free(name);
	if (!in)
		return -1;
	if (st_same_values(t, in))
		return 0;
	if (again)
		in = need(c->s, ADAPTER_EMBED, ADAPTER_WEIGHT, e);
	if (again)
		return in && st_same_values(t, in)
			       ? 0
			       : err_data(e, "tensor '%s' is tied, but not the embedding", t->name);
	if (!trained)
		return err_data(e, "tensor '%s' is not the base's: the adapter is of another model",
			t->name);
	if (c->nsources > 1 || c->s->weight != 1)
		return err_data(e,
			"tensor '%s' is a whole trained tensor: such an adapter is merged alone, "
			"and with weight 1",
			t->name);
	struct rewrite_item *it = target(c, module, what, e);
	if (!it)
		return -1;
	it->in = t;
	it->in_memory = !c->s->st.n;
	return 0;
}

/* ---- a tensor of an adapter ------------------------------------------------------------------ */

static int take_part(const struct context *c, const struct st_tensor *t, const char *module,
	enum adapter_part part, struct err *e)
{
	switch (part) {
	case ADAPTER_A:
		return add_linear(c, t, module, e);
	case ADAPTER_EMBEDDING_A:
		return add_embedding(c, t, module, e);
	case ADAPTER_B: /* taken with A, which must be there */
		return need(c->s, module, ADAPTER_A, e) ? 0 : -1;
	case ADAPTER_EMBEDDING_B:
		return need(c->s, module, ADAPTER_EMBEDDING_A, e) ? 0 : -1;
	case ADAPTER_MAGNITUDE:
		return c->s->config.dora
			       ? 0
			       : err_data(e, "tensor '%s' is DoRA's, but 'use_dora' is not set",
					 t->name);
	case ADAPTER_B_BIAS:
		return add_bias(c, t, module, e);
	case ADAPTER_COPY:
		return replace(c, t, module, "weight", 0, e);
	case ADAPTER_WEIGHT:
		return replace(c, t, module, "weight", adapter_saves(&c->s->config, module), e);
	case ADAPTER_BIAS:
		return replace(c, t, module, "bias",
			c->s->config.bias != ADAPTER_BIAS_NONE ||
				adapter_saves(&c->s->config, module),
			e);
	}
	return err_data(e, "tensor '%s' is of a kind that is not merged", t->name);
}

static int take(const struct context *c, const struct st_tensor *t, struct err *e)
{
	char *module;
	enum adapter_part part;
	if (!adapter_name_parse(t->name, &module, &part))
		return err_data(e, "tensor '%s' is of a kind that is not merged", t->name);
	int rc = take_part(c, t, module, part, e);
	mem_free(module);
	return rc;
}

/* PEFT trains two adapters on one tensor twice a step then; nobody can mean that. */
static int check_tie(const struct context *c, struct err *e)
{
	const struct adapter_config *config = &c->s->config;
	if (config->tie && is_tied(c) &&
		(adapter_targets(config, ADAPTER_HEAD) || adapter_targets(config, ADAPTER_EMBED)))
		return err_data(e,
			"'ensure_weight_tying' is not supported for an adapter on the embedding or "
			"the head, only with 'modules_to_save'");
	return 0;
}

int adapt(struct plan *p, const struct wish *wish, const struct source *s, size_t n, struct err *e)
{
	struct context c = {p, wish, s, n};
	if (!s->n)
		return err_data(e, "the adapter has no tensors");
	if (check_tie(&c, e))
		return -1;
	for (size_t i = 0; i < s->n; i++)
		if (take(&c, &s->t[i], e))
			return -1;
	return 0;
}
