/*
 * An adapter's tensor names its module, the module its weight. Where a model ties its output head to
 * the embedding there is one weight for two uses, and an adapter on one of them concerns that one: the
 * head gets a weight of its own, a copy of the embedding, and the result is untied (peft#2018, #2777:
 * anything else changes the other use, too, or is lost).
 */
#include "tools/merge-lora/adapt.h"

#include "common/mem.h"
#include "kernels/merge.h"

#include <string.h>

#define HEAD	  "lm_head.weight"
#define EMBEDDING "model.embed_tokens.weight"
#define PREFIX	  "base_model.model."

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
	if (idle && (idle->rank != embedding->rank || idle->bytes != embedding->bytes ||
			    memcmp(idle->shape, embedding->shape, sizeof idle->shape) != 0))
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

/* NULL and *e when the base has no such tensor. Valid until the next call. */
static struct rewrite_item *target(const struct context *c, const char *name, struct err *e)
{
	int shared = strcmp(name, HEAD) == 0 || strcmp(name, EMBEDDING) == 0;
	if (shared && is_tied(c) && untie(c, e))
		return NULL;
	struct rewrite_item *it = rewrite_find(&c->p->w, name);
	if (!it)
		err_data(e, "the base has no '%s'", name);
	return it;
}

/* ---- deltas ---------------------------------------------------------------------------------- */

static const struct st_tensor *find(const struct source *s, const char *module, const char *suffix)
{
	char *name = mem_printf(PREFIX "%s%s", module, suffix);
	const struct st_tensor *t = NULL;
	for (size_t i = 0; i < s->n && !t; i++)
		if (strcmp(s->t[i].name, name) == 0)
			t = &s->t[i];
	mem_free(name);
	return t;
}

static int missing(const char *module, const char *suffix, struct err *e)
{
	return err_data(e, "tensor '" PREFIX "%s%s' is missing", module, suffix);
}

/* A tensor of an adapter must be of floats and [rows, cols]; cols 0: a vector. */
static int check_shape(const struct st_tensor *t, size_t rows, size_t cols,
	const struct rewrite_item *it, struct err *e)
{
	struct st_tensor want = {.shape = {rows, cols}, .rank = cols ? 2 : 1};
	char has[200], needs[200];
	if (!dtype_info[t->dtype].is_float)
		return err_data(e, "tensor '%s' is not of floats", t->name);
	if (t->rank == want.rank && memcmp(t->shape, want.shape, t->rank * sizeof *t->shape) == 0)
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
static int check_dora(const struct context *c, const struct delta *d, struct err *e)
{
	if (!d->magnitude || (c->nsources == 1 && c->s->weight == 1))
		return 0;
	return err_data(e, "tensor '%s': a DoRA adapter is merged alone, and with weight 1",
		d->magnitude->name);
}

/* M.lora_A.weight [r, in], M.lora_B.weight [out, r], M.lora_magnitude_vector [out]. */
static int add_linear(
	const struct context *c, const struct st_tensor *a, const char *module, struct err *e)
{
	struct delta d = {.a = a,
		.b = find(c->s, module, ".lora_B.weight"),
		.scale = scale(c, module),
		.magnitude = find(c->s, module, ".lora_magnitude_vector")};
	char *name = mem_printf("%s.weight", module);
	size_t r, out, in;
	struct rewrite_item *it = NULL;
	if (!d.b)
		missing(module, ".lora_B.weight", e);
	else
		it = target(c, name, e);
	mem_free(name);
	if (!it || is_matrix(it, &out, &in, e) || check_a(c, a, module, in, it, &r, e) ||
		check_shape(d.b, out, r, it, e) ||
		(d.magnitude && check_shape(d.magnitude, out, 0, it, e)) || check_dora(c, &d, e))
		return -1;
	rewrite_delta(it, &d);
	return 0;
}

/* M.lora_embedding_A [r, tokens], M.lora_embedding_B [width, r]. */
static int add_embedding(
	const struct context *c, const struct st_tensor *a, const char *module, struct err *e)
{
	struct delta d = {.a = a,
		.b = find(c->s, module, ".lora_embedding_B"),
		.scale = scale(c, module),
		.embedding = 1};
	if (find(c->s, module, ".lora_magnitude_vector"))
		return err_data(e, "'%s': DoRA on an embedding is not merged", module);
	char *name = mem_printf("%s.weight", module);
	size_t r, tokens, width;
	struct rewrite_item *it = NULL;
	if (!d.b)
		missing(module, ".lora_embedding_B", e);
	else
		it = target(c, name, e);
	mem_free(name);
	if (!it || is_matrix(it, &tokens, &width, e) || check_a(c, a, module, tokens, it, &r, e) ||
		check_shape(d.b, width, r, it, e))
		return -1;
	rewrite_delta(it, &d);
	return 0;
}

/* M.lora_B.bias [out]: added to a bias that is there. */
static int add_bias(
	const struct context *c, const struct st_tensor *b, const char *module, struct err *e)
{
	if (!find(c->s, module, ".lora_A.weight"))
		return missing(module, ".lora_A.weight", e);
	char *name = mem_printf("%s.bias", module);
	struct rewrite_item *it = target(c, name, e);
	mem_free(name);
	if (!it)
		return err_prefix(e, "lora_bias needs a bias to be added to");
	if (!dtype_info[it->in->dtype].is_float || it->in->rank != 1)
		return err_data(e, "tensor '%s' is not a vector of floats", it->name);
	if (check_shape(b, it->in->shape[0], 0, it, e))
		return -1;
	rewrite_delta(it, &(struct delta){.b = b, .scale = scale(c, module)});
	return 0;
}

/* The partner was taken with A. */
static int has_a(
	const struct context *c, const struct st_tensor *t, const char *module, struct err *e)
{
	(void)t;
	return find(c->s, module, ".lora_A.weight") ? 0 : missing(module, ".lora_A.weight", e);
}

static int has_embedding_a(
	const struct context *c, const struct st_tensor *t, const char *module, struct err *e)
{
	(void)t;
	return find(c->s, module, ".lora_embedding_A") ? 0
						       : missing(module, ".lora_embedding_A", e);
}

/* ---- whole tensors --------------------------------------------------------------------------- */

/* Whether t says what the base says, compared as the base's type. */
static int same_values(const struct st_tensor *t, const struct st_tensor *in)
{
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
	return same;
}

/* modules_to_save, trained biases, and embeddings that PEFT saves beside adapters on them: they take
 * the base's place, where they differ. */
static int replace(
	const struct context *c, const struct st_tensor *t, const char *name, struct err *e)
{
	int tied_head = strcmp(name, HEAD) == 0 && is_tied(c);
	const struct st_tensor *in = st_find(c->wish->base, tied_head ? EMBEDDING : name);
	if (!in)
		return err_data(e, "tensor '%s' fits nothing in the base", t->name);
	if (t->rank != in->rank || memcmp(t->shape, in->shape, t->rank * sizeof *t->shape) != 0 ||
		!dtype_info[t->dtype].is_float || !dtype_info[in->dtype].is_float)
		return err_data(
			e, "tensor '%s' has another shape or type than the base's", t->name);
	if (same_values(t, in))
		return 0;
	if (c->nsources > 1 || c->s->weight != 1)
		return err_data(e,
			"tensor '%s' is a whole trained tensor: such an adapter is merged alone, "
			"and with weight 1",
			t->name);
	struct rewrite_item *it = target(c, name, e);
	if (!it)
		return -1;
	it->in = t;
	return 0;
}

/* ---- a tensor of an adapter ------------------------------------------------------------------ */

static const struct {
	const char *suffix;
	int (*take)(const struct context *c, const struct st_tensor *t, const char *module,
		struct err *e);
} kinds[] = {
	{".lora_A.weight", add_linear},
	{".lora_B.weight", has_a},
	{".lora_B.bias", add_bias},
	{".lora_magnitude_vector", has_a},
	{".lora_embedding_A", add_embedding},
	{".lora_embedding_B", has_embedding_a},
};

static int ends_with(const char *s, const char *end, size_t *stem)
{
	size_t n = strlen(s), m = strlen(end);
	*stem = n - m;
	return n > m && strcmp(s + n - m, end) == 0;
}

/* A whole tensor's name in the base: without what a wrapper put into it. */
static char *plain_name(const char *name)
{
	static const char wrapper[] = ".base_layer.";
	const char *at = strstr(name, wrapper);
	return at ? mem_printf("%.*s.%s", (int)(at - name), name, at + sizeof wrapper - 1)
		  : mem_strdup(name);
}

static int take(const struct context *c, const struct st_tensor *t, struct err *e)
{
	if (strncmp(t->name, PREFIX, strlen(PREFIX)) != 0)
		return err_data(e, "tensor '%s' is not PEFT's", t->name);
	const char *rest = t->name + strlen(PREFIX);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		size_t stem;
		if (!ends_with(rest, kinds[i].suffix, &stem))
			continue;
		char *module = mem_strndup(rest, stem);
		int rc = kinds[i].take(c, t, module, e);
		mem_free(module);
		return rc;
	}
	if (strstr(rest, ".lora_"))
		return err_data(e, "tensor '%s' is of a kind that is not merged", t->name);
	char *name = plain_name(rest);
	int rc = replace(c, t, name, e);
	mem_free(name);
	return rc;
}

int adapt(struct plan *p, const struct wish *wish, const struct source *s, size_t n, struct err *e)
{
	struct context c = {p, wish, s, n};
	if (!s->n)
		return err_data(e, "the adapter has no tensors");
	for (size_t i = 0; i < s->n; i++)
		if (take(&c, &s->t[i], e))
			return -1;
	return 0;
}
