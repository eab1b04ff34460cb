/* Rows of the embedding, g (E[id] + s B A[:, id]) with an adapter (g 1 without DoRA; PEFT drops nothing
 * there), and back. */
#include "common/model/model_int.h"

static const struct kbuf none;

/* s A[:, ids]: its scale makes B's gradient and the way back right at once. */
static int columns(struct workspace *ws)
{
	const struct model *m = ws->m;
	const struct embed_lora *l = &m->embed_lora;
	return m->k->gather_columns(
		m->kc, l->a, ws->f->ids, ws->f->ntok, l->r, m->config.vocab, l->scale, ws->embed_h);
}

int embed_forward(struct workspace *ws, struct kbuf out)
{
	const struct model *m = ws->m;
	size_t T = ws->f->ntok;
	TRY(m->k->gather(m->kc, m->embed, ws->f->ids, T, out));
	if (!m->embed_lora.r || !m->adapter_on)
		return 0;
	TRY(columns(ws));
	TRY(m->k->linear_fwd(m->kc, &m->embed_lora.b, ws->embed_h, T, ws->norm, none));
	TRY(m->k->axpy(m->kc, 1, ws->norm, T * m->config.dim, out));
	const struct dora *d = m->embed_lora.dora;
	return d ? m->k->scale_columns(m->kc, out, d->g, none, T, m->config.dim, out, 0) : 0;
}

int embed_backward(struct workspace *ws)
{
	const struct model *m = ws->m;
	const struct embed_lora *l = &m->embed_lora;
	const struct forest *f = ws->f;
	if (m->dembed.p)
		TRY(m->k->gather_bwd(m->kc, f->ids, f->ntok, m->config.dim, ws->dx, m->dembed));
	if (!l->r)
		return 0;
	TRY(columns(ws));
	size_t d = m->config.dim;
	if (l->dora) {
		TRY(m->k->sum_columns(m->kc, ws->dx, ws->layer[0].x, l->dora->inverse, f->ntok, d,
			l->dora->grad));
		TRY(m->k->scale_columns(m->kc, ws->dx, l->dora->g, none, f->ntok, d, ws->dx, 0));
	}
	TRY(m->k->linear_bwd(m->kc, &l->b, ws->embed_h, none, ws->dx, f->ntok, ws->embed_dh, 0));
	return m->k->scatter_columns(
		m->kc, ws->embed_dh, f->ids, f->ntok, l->r, m->config.vocab, l->scale, l->da);
}
