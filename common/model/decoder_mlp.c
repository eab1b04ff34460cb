/*
 * The MLP half of a layer: x2 = x1 + D(silu(G n) * (U n)), n = norm(x1). The backward makes n and
 * silu(g) * u again instead of keeping them, and writes the gradients of g and u over g and u at work.
 */
#include "common/model/model_int.h"

/* x1, gate and up: what the backward needs. */
static int gate_up(struct workspace *ws, size_t layer)
{
	const struct model *m = ws->m;
	const struct kernels *k = m->k;
	const struct layer *l = &m->layers[layer];
	struct saved *s = &ws->layer[layer];
	size_t T = ws->f->ntok;

	TRY(k->rmsnorm_fwd(m->kc, ws->res, ws->pend, s->x1, l->mlp_norm.g, 0, m->config.rms_eps, T,
		m->config.dim, ws->norm, s->rstd2));
	struct rows rows = token_rows(ws);
	struct kbuf gate = at_work(s->gate, ws->gate), up = at_work(s->up, ws->up);
	TRY(linear_forward(ws, &l->proj[PROJ_GATE], &rows, ws->norm, gate, &s->kept[PROJ_GATE]));
	TRY(linear_forward(ws, &l->proj[PROJ_UP], &rows, ws->norm, up, &s->kept[PROJ_UP]));
	TRY(k->keep(m->kc, gate, rows.n * m->config.ffn, s->gate));
	return k->keep(m->kc, up, rows.n * m->config.ffn, s->up);
}

int mlp_forward(struct workspace *ws, size_t layer)
{
	const struct model *m = ws->m;
	const struct kernels *k = m->k;
	struct saved *s = &ws->layer[layer];

	TRY(gate_up(ws, layer));
	struct rows rows = token_rows(ws);
	struct kbuf gate = at_work(s->gate, ws->gate), up = at_work(s->up, ws->up);
	TRY(k->swiglu_fwd(m->kc, gate, up, rows.n * m->config.ffn, ws->act));
	TRY(linear_forward(ws, &m->layers[layer].proj[PROJ_DOWN], &rows, ws->act, ws->add,
		&s->kept[PROJ_DOWN]));
	ws->res = s->x1;
	ws->pend = ws->add;
	return 0;
}

int layer_again(struct workspace *ws, size_t layer)
{
	ws->res = ws->layer[layer].x;
	ws->pend = (struct kbuf){0};
	TRY(attn_forward(ws, layer));
	return gate_up(ws, layer);
}

int mlp_backward(struct workspace *ws, size_t layer, int dx)
{
	const struct model *m = ws->m;
	const struct kernels *k = m->k;
	const struct layer *l = &m->layers[layer];
	const struct model_config *c = &m->config;
	struct saved *s = &ws->layer[layer];
	size_t T = ws->f->ntok;
	size_t n = T * c->ffn;
	struct kbuf none = {0};

	const struct projection *gate = &l->proj[PROJ_GATE], *up = &l->proj[PROJ_UP],
				*down = &l->proj[PROJ_DOWN];
	struct rows rows = token_rows(ws);
	struct kbuf g = at_work(s->gate, ws->gate), u = at_work(s->up, ws->up);
	TRY(k->restore(m->kc, s->gate, n, g));
	TRY(k->restore(m->kc, s->up, n, u));
	if (linear_trains(down))
		TRY(k->swiglu_fwd(m->kc, g, u, n, ws->act));
	TRY(linear_backward(ws, down, &rows, ws->act, &s->kept[PROJ_DOWN], ws->dx, 1, ws->dact, 0));
	TRY(k->swiglu_bwd(m->kc, g, u, ws->dact, n, g, u));

	int trains_gate = linear_trains(gate);
	int trains_up = linear_trains(up);
	if (trains_gate || trains_up)
		TRY(k->rmsnorm_fwd(m->kc, s->x1, none, none, l->mlp_norm.g, 0, c->rms_eps, T,
			c->dim, ws->norm, none));
	struct kbuf dnorm = dx ? ws->dnorm : none;
	if (dx || trains_gate)
		TRY(linear_backward(
			ws, gate, &rows, ws->norm, &s->kept[PROJ_GATE], g, 0, dnorm, 0));
	if (dx || trains_up)
		TRY(linear_backward(ws, up, &rows, ws->norm, &s->kept[PROJ_UP], u, 0, dnorm, 1));
	if (!dx)
		return 0;
	return k->rmsnorm_bwd(m->kc, s->x1, l->mlp_norm.g, 0, s->rstd2, ws->dnorm, T, c->dim,
		ws->dx, l->mlp_norm.dg);
}
