/*
 * From the residual stream to log-probs of labels. Only rows that have a label are normed and meet
 * the head, a chunk at a time, so no [tokens, vocabulary] matrix exists.
 *
 * Two ways back. Where head and final norm are frozen, each label's gradient of the residual stream
 * is formed in the forward while its logits exist; it is linear in the label's coefficient, which
 * comes later: two products instead of three. Where they train, the backward forms the logits
 * again, because d(logits) itself is needed with its coefficient.
 */
#include "common/model/model_int.h"

/* Labels [at, at + n): dropout knows them by their rows. */
static struct rows label_rows(const struct workspace *ws, size_t at, size_t n)
{
	return (struct rows){n, ws->label_record + at, ws->label_pos + at};
}

/* Labels [at, at + n): their rows, normed, as logits in ws->logits. */
static int chunk_logits(struct workspace *ws, size_t at, size_t n)
{
	const struct model *m = ws->m;
	size_t d = m->config.dim;
	TRY(m->k->rows_gather(m->kc, ws->res, ws->label_row + at, n, d, ws->rows));
	struct kbuf none = {0};
	TRY(m->k->rmsnorm_fwd(m->kc, ws->rows, none, none, m->norm.g, 0, m->config.rms_eps, n, d,
		ws->rows_norm, ws->train ? ws->rows_rstd : none));
	struct rows rows = label_rows(ws, at, n);
	return linear_forward(ws, &m->head, &rows, ws->rows_norm, ws->logits, &ws->rows_kept);
}

/* d(logits) in ws->logits back to the rows of the residual stream: drows is overwritten. */
static int chunk_back(struct workspace *ws, size_t at, size_t n, struct kbuf drows)
{
	const struct model *m = ws->m;
	size_t d = m->config.dim;
	struct rows rows = label_rows(ws, at, n);
	TRY(linear_backward(ws, &m->head, &rows, ws->rows_norm, &ws->rows_kept, ws->logits, 0,
		ws->drows_norm, 0));
	TRY(m->k->zero(m->kc, drows.p, dtype_bytes(drows.t, n * d)));
	return m->k->rmsnorm_bwd(m->kc, ws->rows, m->norm.g, 0, ws->rows_rstd, ws->drows_norm, n, d,
		drows, m->norm.dg);
}

static size_t chunk_len(const struct workspace *ws, size_t at)
{
	size_t left = ws->f->nlabels - at;
	return left < ws->chunk ? left : ws->chunk;
}

int head_forward(struct workspace *ws, unsigned stats, struct klabel_out *out)
{
	const struct model *m = ws->m;
	int grad = ws->train && !m->head_trains;
	for (size_t at = 0, n; at < ws->f->nlabels; at += n) {
		n = chunk_len(ws, at);
		TRY(chunk_logits(ws, at, n));
		TRY(m->k->softmax_label(m->kc, ws->logits, ws->label_id + at, n, m->config.vocab,
			stats, grad, NULL, out + at));
		if (grad)
			TRY(chunk_back(ws, at, n, kbuf_at(ws->drows, at * m->config.dim)));
	}
	return 0;
}

int head_logits(struct workspace *ws, size_t at, size_t n, float *logits)
{
	const struct model *m = ws->m;
	size_t V = m->config.vocab;
	for (size_t end = at + n, len; at < end; at += len, logits += len * V) {
		len = end - at < ws->chunk ? end - at : ws->chunk;
		TRY(chunk_logits(ws, at, len));
		TRY(m->k->read(m->kc, logits, ws->logits.p, len * V * sizeof *logits));
	}
	return 0;
}

/* The second way: logits again, with coefficients. */
static int backward_again(struct workspace *ws, const double *coef)
{
	const struct model *m = ws->m;
	for (size_t at = 0, n; at < ws->f->nlabels; at += n) {
		n = chunk_len(ws, at);
		TRY(chunk_logits(ws, at, n));
		TRY(m->k->softmax_label(m->kc, ws->logits, ws->label_id + at, n, m->config.vocab, 0,
			1, coef + at, NULL));
		TRY(chunk_back(ws, at, n, ws->drows));
		TRY(m->k->rows_scatter(
			m->kc, ws->drows, NULL, ws->label_row + at, n, m->config.dim, ws->dx));
	}
	return 0;
}

int head_backward(struct workspace *ws, const double *coef)
{
	const struct model *m = ws->m;
	TRY(m->k->zero(m->kc, ws->dx.p, dtype_bytes(ws->dx.t, ws->f->ntok * m->config.dim)));
	if (m->head_trains)
		return backward_again(ws, coef);
	return m->k->rows_scatter(
		m->kc, ws->drows, coef, ws->label_row, ws->f->nlabels, m->config.dim, ws->dx);
}
