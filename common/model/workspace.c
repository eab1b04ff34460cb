/*
 * One batch's buffers. A single function lays them out, one after the other in one allocation; run
 * without memory behind it, it counts (workspace_bytes). Buffers whose lives do not overlap lie
 * over each other: the scratch of attention's backward over that of the MLP's.
 */
#include "common/model/model_int.h"

#include "common/mem.h"

enum {
	ALIGN = 64,
	LOGITS_BYTES =
		32 << 20, /* of one chunk of labels: fits the last-level caches of 2023's CPUs … */
	CHUNK_MIN = 64,	  /* … but a product needs this many rows to run at speed */
	CHUNK_MAX = 512,
};

struct bump {
	char *base; /* NULL: counting */
	size_t used;
};

static struct kbuf take_as(struct bump *b, enum dtype t, size_t rows, size_t cols)
{
	size_t bytes = dtype_bytes(t, mem_mul(rows, cols));
	struct kbuf k = {b->base ? b->base + b->used : NULL, t};
	b->used += (bytes + ALIGN - 1) / ALIGN * ALIGN;
	return k;
}

static struct kbuf take(struct bump *b, size_t rows, size_t cols)
{
	return take_as(b, DT_F32, rows, cols);
}

/* What lies between a layer's products: computed with in place where it is kept as f32, else in the
 * scratch; nothing at all where it is neither kept nor f32. */
static struct kbuf take_made(
	const struct workspace *ws, struct bump *b, size_t rows, size_t cols, int train)
{
	if (ws->m->precision == KP_F32)
		return take(b, rows, cols);
	return train ? take_as(b, DT_BF16, rows, cols) : (struct kbuf){NULL, DT_BF16};
}

static size_t label_chunk(const struct model_config *c, size_t labels)
{
	size_t n = LOGITS_BYTES / (c->vocab * sizeof(float));
	n = n < CHUNK_MIN ? CHUNK_MIN : n > CHUNK_MAX ? CHUNK_MAX : n;
	return labels < n ? labels : n;
}

/* What a layer makes beside its input; x1 may be the input again where no backward comes. */
static void lay_made(struct workspace *ws, struct bump *b, struct saved *s, size_t T, int train)
{
	const struct model_config *c = &ws->m->config;
	size_t kv = c->kv_heads * c->head_dim;
	s->x1 = train ? take(b, T, c->dim) : s->x;
	s->q = take_made(ws, b, T, c->heads * c->head_dim, train);
	s->k = take_made(ws, b, T, kv, train);
	s->v = take_made(ws, b, T, kv, train);
	s->att = take_made(ws, b, T, c->heads * c->head_dim, train);
	s->gate = take_made(ws, b, T, c->ffn, train);
	s->up = take_made(ws, b, T, c->ffn, train);
	if (!train)
		return;
	s->rstd1 = take(b, T, 1);
	s->rstd2 = take(b, T, 1);
	s->lse = take(b, T, c->heads);
}

/* What DoRA scales of a layer's outputs, but for the last, which nothing makes again; of any layer
 * (NULL) for those that share. */
static void lay_unscaled(
	struct workspace *ws, struct bump *b, struct saved *s, const struct layer *l, size_t T)
{
	const struct model *m = ws->m;
	for (int p = 0; p < PROJ_DOWN; p++) {
		if (l ? l->proj[p].dora != NULL : m->adapter.config.dora)
			s->kept[p].u = take(b, T, m->layers[0].proj[p].out);
	}
}

/* What stays of a layer that is made again: its input, and the adapters' small products. */
static void lay_kept(
	struct workspace *ws, struct bump *b, struct saved *s, const struct layer *l, size_t T)
{
	s->x = take(b, T, ws->m->config.dim);
	for (int p = 0; p < PROJ_COUNT; p++) {
		if (l->proj[p].l.lora.r)
			s->kept[p].h = take(b, T, l->proj[p].l.lora.r);
	}
	if (l->proj[PROJ_DOWN].dora)
		s->kept[PROJ_DOWN].u = take(b, T, ws->m->config.dim);
}

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void lay_layers(struct workspace *ws, struct bump *b, size_t T, int train)
{
	const struct model *m = ws->m;
	size_t layers = m->config.layers;
	size_t first = train ? m->first_part / 2 : layers; /* the first that keeps */
	struct saved bare = {0}, shared = {0};
	if (first > 0) {
		bare.x = take(b, T, m->config.dim);
		lay_made(ws, b, &bare, T, 0);
	}
	ws->again = ws->recompute ? min_size(first + ws->recompute + 1, layers) : first;
	if (ws->again > first) {
		lay_made(ws, b, &shared, T, 1);
		lay_unscaled(ws, b, &shared, NULL, T);
	}
	for (size_t i = 0; i < layers; i++) {
		struct saved *s = &ws->layer[i];
		*s = i < first ? bare : i < ws->again ? shared : (struct saved){0};
		if (i >= first)
			lay_kept(ws, b, s, &m->layers[i], T);
		if (i >= ws->again) {
			lay_made(ws, b, s, T, 1);
			lay_unscaled(ws, b, s, &m->layers[i], T);
		}
	}
}

static void lay_head(struct workspace *ws, struct bump *b, size_t L, int train)
{
	const struct model *m = ws->m;
	const struct model_config *c = &m->config;
	size_t n = ws->chunk = label_chunk(c, L);
	ws->rows_kept = (struct kept){0};
	ws->rows = take(b, n, c->dim);
	ws->rows_norm = take(b, n, c->dim);
	ws->logits = take(b, n, c->vocab);
	if (!train)
		return;
	ws->rows_rstd = take(b, n, 1);
	if (m->head.l.lora.r)
		ws->rows_kept.h = take(b, n, m->head.l.lora.r);
	if (m->head.dora)
		ws->rows_kept.u = take(b, n, c->vocab);
	ws->drows_norm = take(b, n, c->dim);
	ws->drows = take(b, m->head_trains ? n : L, c->dim);
}

static void lay_dora(struct workspace *ws, struct bump *b)
{
	const struct model_config *c = &ws->m->config;
	size_t q = c->heads * c->head_dim, wide = q > c->ffn ? q : c->ffn;
	if (!ws->m->adapter.config.dora)
		return;
	for (int i = 0; i < 3; i++)
		ws->dora[i] = take(b, DORA_ROWS, wide > c->dim ? wide : c->dim);
	ws->dora_du = take(b, DORA_ROWS, c->dim);
}

static void lay_scratch(struct workspace *ws, struct bump *b, size_t T, int train)
{
	const struct model_config *c = &ws->m->config;
	ws->norm = take(b, T, c->dim);
	ws->add = take(b, T, c->dim);
	ws->embed_h = take(b, T, ws->m->embed_lora.r);
	if (train) {
		ws->embed_dh = take(b, T, ws->m->embed_lora.r);
		lay_dora(ws, b);
		ws->dx = take(b, T, c->dim);
		ws->dnorm = take(b, T, c->dim);
	}
	int bf16 = ws->m->precision == KP_BF16;
	size_t mark = b->used, all = c->heads * c->head_dim, kv = c->kv_heads * c->head_dim;
	ws->act = take(b, T, c->ffn);
	if (train)
		ws->dact = take(b, T, c->ffn);
	if (bf16) {
		ws->gate = take(b, T, c->ffn);
		ws->up = take(b, T, c->ffn);
	}
	size_t mlp_end = b->used;
	b->used = mark;
	if (train) {
		ws->datt = take(b, T, all);
		ws->dq = take(b, T, all);
		ws->dk = take(b, T, kv);
		ws->dv = take(b, T, kv);
	}
	if (bf16) {
		ws->q = take(b, T, all);
		ws->k = take(b, T, kv);
		ws->v = take(b, T, kv);
		ws->att = take(b, T, all);
	}
	if (b->used < mlp_end)
		b->used = mlp_end;
}

/* Returns the bytes; *head: those that the labels cost. */
static size_t lay_out(struct workspace *ws, char *base, size_t T, size_t L, int train, size_t *head)
{
	struct bump b = {base, 0};
	lay_layers(ws, &b, T, train);
	lay_scratch(ws, &b, T, train);
	size_t before = b.used;
	lay_head(ws, &b, L, train);
	*head = b.used - before;
	return b.used;
}

struct workspace *workspace_new(struct model *m)
{
	struct workspace *ws = mem_zalloc(1, sizeof *ws);
	ws->m = m;
	ws->layer = mem_zalloc(m->config.layers, sizeof *ws->layer);
	return ws;
}

void workspace_free(struct workspace *ws)
{
	if (!ws)
		return;
	if (ws->base)
		ws->m->k->free(ws->m->kc, ws->base);
	mem_free(ws->layer);
	mem_free(ws->label_row);
	mem_free(ws->label_id);
	mem_free(ws->label_record);
	mem_free(ws->label_pos);
	mem_free(ws);
}

void workspace_recompute(struct workspace *ws, size_t layers)
{
	ws->recompute = layers;
}

size_t workspace_bytes(
	struct model *m, size_t ntok, size_t nlabels, int train, size_t recompute, size_t *head)
{
	struct workspace *ws = workspace_new(m);
	workspace_recompute(ws, recompute);
	size_t bytes = lay_out(ws, NULL, ntok, nlabels, train, head);
	workspace_free(ws);
	return bytes;
}

int workspace_fit(struct workspace *ws, size_t ntok, size_t nlabels, int train, struct err *e)
{
	const struct model *m = ws->m;
	size_t head;
	size_t need = lay_out(ws, NULL, ntok, nlabels, train, &head);
	if (need > ws->cap) {
		if (ws->base)
			m->k->free(m->kc, ws->base);
		ws->cap = 0;
		ws->base = m->k->alloc(m->kc, need);
		if (!ws->base)
			return err_set(e, STATUS_SYSTEM,
				"no memory for a batch of %zu tokens (%zu bytes)", ntok, need);
		ws->cap = need;
	}
	lay_out(ws, ws->base, ntok, nlabels, train, &head);
	return 0;
}
