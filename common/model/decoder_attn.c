/*
 * The attention half of a layer: x1 = x + O(attention(rope(Q n), rope(K n), V n)), n = norm(x). The
 * addition of what the part before left pending rides on the norm. Source: Llama 2 (Touvron et al.
 * 2023) as transformers 5.23 computes it.
 */
#include "common/model/model_int.h"

#include <math.h>

static struct kattn attention_over(const struct model *m, const struct kseg *segs, size_t nsegs)
{
	const struct model_config *c = &m->config;
	return (struct kattn){.heads = c->heads,
		.kv_heads = c->kv_heads,
		.head_dim = c->head_dim,
		.scale = (float)(1 / sqrt((double)c->head_dim)),
		.segs = segs,
		.nsegs = nsegs};
}

static int rope_rotate(const struct model *m, struct kbuf q, struct kbuf k, size_t T,
	const uint32_t *pos, int inverse)
{
	const struct model_config *c = &m->config;
	TRY(m->k->rope(
		m->kc, q, T, c->heads, c->head_dim, pos, c->inv_freq, c->rope_mscale, inverse));
	return m->k->rope(
		m->kc, k, T, c->kv_heads, c->head_dim, pos, c->inv_freq, c->rope_mscale, inverse);
}

/* Moves this pass's keys and values behind those of the tokens before; *k, *v: all of them. */
static int join_cache(struct workspace *ws, size_t layer, struct kbuf *k, struct kbuf *v)
{
	const struct model *m = ws->m;
	const struct cache *cache = ws->cache;
	size_t width = m->config.kv_heads * m->config.head_dim;
	for (size_t i = 0; i < ws->f->nsegs; i++) {
		const struct kseg *s = &ws->f->segs[i];
		if (!s->nq)
			continue;
		size_t at = (s->k0 + s->nk - s->nq) * width;
		const size_t *rows = cache->self + s->q0;
		TRY(m->k->rows_gather(m->kc, *k, rows, s->nq, width, kbuf_at(cache->k[layer], at)));
		TRY(m->k->rows_gather(m->kc, *v, rows, s->nq, width, kbuf_at(cache->v[layer], at)));
	}
	*k = cache->k[layer];
	*v = cache->v[layer];
	return 0;
}

/* What attention computes with. */
struct worked {
	struct kbuf q, k, v, att;
	size_t width, kv_width; /* of a row of q and att, of k and v */
};

static struct worked at_attention(const struct workspace *ws, const struct saved *s)
{
	const struct model_config *c = &ws->m->config;
	return (struct worked){at_work(s->q, ws->q), at_work(s->k, ws->k), at_work(s->v, ws->v),
		at_work(s->att, ws->att), c->heads * c->head_dim, c->kv_heads * c->head_dim};
}

int attn_forward(struct workspace *ws, size_t layer)
{
	const struct model *m = ws->m;
	const struct kernels *k = m->k;
	const struct layer *l = &m->layers[layer];
	struct saved *s = &ws->layer[layer];
	size_t T = ws->f->ntok;

	TRY(k->rmsnorm_fwd(m->kc, ws->res, ws->pend, s->x, l->attn_norm.g, 0, m->config.rms_eps, T,
		m->config.dim, ws->norm, s->rstd1));
	struct worked w = at_attention(ws, s);
	struct kbuf qkv[] = {w.q, w.k, w.v};
	struct rows rows = token_rows(ws);
	for (int p = PROJ_Q; p <= PROJ_V; p++)
		TRY(linear_forward(ws, &l->proj[p], &rows, ws->norm, qkv[p - PROJ_Q], &s->kept[p]));
	TRY(rope_rotate(m, w.q, w.k, T, ws->f->pos, 0));
	TRY(k->keep(m->kc, w.q, T * w.width, s->q));
	TRY(k->keep(m->kc, w.k, T * w.kv_width, s->k));
	TRY(k->keep(m->kc, w.v, T * w.kv_width, s->v));
	struct kbuf keys = w.k, values = w.v;
	if (ws->cache)
		TRY(join_cache(ws, layer, &keys, &values));
	struct kattn a = attention_over(m, ws->f->segs, ws->f->nsegs);
	TRY(k->attn_fwd(m->kc, &a, w.q, keys, values, w.att, s->lse));
	TRY(k->keep(m->kc, w.att, T * w.width, s->att));
	TRY(linear_forward(ws, &l->proj[PROJ_O], &rows, w.att, ws->add, &s->kept[PROJ_O]));
	ws->res = s->x;
	ws->pend = ws->add;
	return 0;
}

int attn_backward(struct workspace *ws, size_t layer, int dx)
{
	const struct model *m = ws->m;
	const struct kernels *k = m->k;
	const struct layer *l = &m->layers[layer];
	const struct model_config *c = &m->config;
	struct saved *s = &ws->layer[layer];
	size_t T = ws->f->ntok;

	struct worked w = at_attention(ws, s);
	TRY(k->restore(m->kc, s->q, T * w.width, w.q));
	TRY(k->restore(m->kc, s->k, T * w.kv_width, w.k));
	TRY(k->restore(m->kc, s->v, T * w.kv_width, w.v));
	TRY(k->restore(m->kc, s->att, T * w.width, w.att));
	struct rows rows = token_rows(ws);
	TRY(linear_backward(
		ws, &l->proj[PROJ_O], &rows, w.att, &s->kept[PROJ_O], ws->dx, 1, ws->datt, 0));
	struct kattn a = attention_over(m, ws->f->segs, ws->f->nsegs);
	TRY(k->attn_bwd(m->kc, &a, w.q, w.k, w.v, w.att, s->lse, ws->datt, ws->dq, ws->dk, ws->dv));
	TRY(rope_rotate(m, ws->dq, ws->dk, T, ws->f->pos, 1));

	struct kbuf none = {0};
	struct kbuf dqkv[] = {ws->dq, ws->dk, ws->dv};
	if (linear_trains(&l->proj[PROJ_Q]) || linear_trains(&l->proj[PROJ_K]) ||
		linear_trains(&l->proj[PROJ_V]))
		TRY(k->rmsnorm_fwd(m->kc, s->x, none, none, l->attn_norm.g, 0, c->rms_eps, T,
			c->dim, ws->norm, none));
	for (int p = PROJ_Q; p <= PROJ_V; p++) {
		if (dx || linear_trains(&l->proj[p]))
			TRY(linear_backward(ws, &l->proj[p], &rows, ws->norm, &s->kept[p], dqkv[p],
				0, dx ? ws->dnorm : none, p != PROJ_Q));
	}
	if (!dx)
		return 0;
	return k->rmsnorm_bwd(m->kc, s->x, l->attn_norm.g, 0, s->rstd1, ws->dnorm, T, c->dim,
		ws->dx, l->attn_norm.dg);
}
