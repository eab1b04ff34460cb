/*
 * The decoder over a forest: embedding, layers, head, and the same way back. What a layer does is
 * in decoder_attn.c and decoder_mlp.c, the head in head.c.
 */
#include "common/model/model_int.h"

#include "common/mem.h"

#include <math.h>

static int check_forest(const struct model *m, const struct forest *f, struct err *e)
{
	const struct model_config *c = &m->config;
	for (size_t i = 0; i < f->ntok; i++) {
		if (f->ids[i] >= c->vocab)
			return err_data(e, "token id %u is beyond the model's vocabulary of %zu",
				f->ids[i], c->vocab);
	}
	for (size_t i = 0; c->window && i < f->ntok; i++) {
		if (f->pos[i] >= c->window)
			return err_data(e,
				"a sequence is longer than the model's sliding window of %zu "
				"tokens, beyond which "
				"attention is not supported: use tok --max-length %zu",
				c->window, c->window);
	}
	return 0;
}

static void read_labels(struct workspace *ws, const struct forest *f)
{
	mem_grow(&ws->label_row, &ws->label_cap, f->nlabels, sizeof *ws->label_row);
	ws->label_id = mem_resize(ws->label_id, ws->label_cap, sizeof *ws->label_id);
	ws->label_record = mem_resize(ws->label_record, ws->label_cap, sizeof *ws->label_record);
	ws->label_pos = mem_resize(ws->label_pos, ws->label_cap, sizeof *ws->label_pos);
	for (size_t i = 0; i < f->nlabels; i++) {
		size_t row = f->labels[i].row;
		ws->label_row[i] = row;
		ws->label_id[i] = f->labels[i].target;
		ws->label_record[i] = f->record[row];
		ws->label_pos[i] = f->pos[row];
	}
}

/* Checks and lays out a batch. */
static int begin(struct workspace *ws, const struct forest *f, int train, struct kdropout drop,
	struct err *e)
{
	if (check_forest(ws->m, f, e) < 0 || workspace_fit(ws, f->ntok, f->nlabels, train, e) < 0)
		return -1;
	ws->f = f;
	ws->train = train;
	ws->drop = drop;
	ws->drop.record = f->record;
	ws->drop.pos = f->pos;
	read_labels(ws, f);
	return 0;
}

/* From ids to the residual stream after the last layer, in ws->res. */
static int trunk(struct workspace *ws)
{
	const struct model *m = ws->m;
	const struct forest *f = ws->f;
	ws->res = ws->layer[0].x;
	ws->pend = (struct kbuf){0};
	TRY(embed_forward(ws, ws->res));
	for (size_t i = 0; i < m->config.layers; i++) {
		TRY(attn_forward(ws, i));
		TRY(mlp_forward(ws, i));
	}
	TRY(m->k->axpy(m->kc, 1, ws->res, f->ntok * m->config.dim, ws->pend));
	ws->res = ws->pend;
	return 0;
}

static int backward(struct workspace *ws, const double *coef)
{
	struct model *m = ws->m;
	TRY(head_backward(ws, coef));
	for (size_t i = m->config.layers; i-- > 0;) {
		const struct layer *l = &m->layers[i];
		if (i + 1 < ws->again && 2 * i + 1 >= m->first_part)
			TRY(layer_again(ws, i));
		if (2 * i + 1 >= m->first_part)
			TRY(mlp_backward(ws, i,
				2 * i + 1 > m->first_part || m->embed_trains || l->mlp_norm.dg.p));
		if (2 * i >= m->first_part)
			TRY(attn_backward(ws, i,
				2 * i > m->first_part || m->embed_trains || l->attn_norm.dg.p));
	}
	return m->embed_trains ? embed_backward(ws) : 0;
}

int model_forward(struct model *m, struct workspace *ws, const struct forest *f, unsigned stats,
	int train, float dropout_p, uint64_t seed, uint64_t step, struct klabel_out *out,
	struct err *e)
{
	if (f->nlabels == 0)
		return 0;
	struct kdropout drop = {.p = train ? dropout_p : 0, .seed = seed, .step = step};
	if (begin(ws, f, train, drop, e) < 0)
		return -1;
	int rc = trunk(ws);
	if (rc == 0)
		rc = head_forward(ws, stats, out);
	if (rc < 0)
		return model_kerr(m, rc, e);
	for (size_t i = 0; i < f->nlabels; i++) {
		if (!isfinite(out[i].logp))
			return model_not_finite(m, e);
	}
	return 0;
}

int model_backward(struct model *m, struct workspace *ws, const struct forest *f,
	const double *coef, struct err *e)
{
	if (f->nlabels == 0)
		return 0;
	int rc = backward(ws, coef);
	return rc < 0 ? model_kerr(m, rc, e) : 0;
}

int model_logits_begin(struct workspace *ws, const struct forest *f, struct err *e)
{
	if (begin(ws, f, 0, (struct kdropout){0}, e) < 0)
		return -1;
	int rc = trunk(ws);
	return rc < 0 ? model_kerr(ws->m, rc, e) : 0;
}

int model_logits(struct workspace *ws, size_t at, size_t n, float *logits, struct err *e)
{
	int rc = head_logits(ws, at, n, logits);
	if (rc < 0)
		return model_kerr(ws->m, rc, e);
	for (size_t i = 0; i < n * ws->m->config.vocab; i++)
		if (!isfinite(logits[i]))
			return model_not_finite(ws->m, e);
	return 0;
}
