/*
 * The linear layers as one pass uses them: kernels.h's linear, which knows LoRA; and around it what
 * PEFT has besides.
 *
 * DoRA: u = W x + s B A x is kept, y = g u + bias. With dropout PEFT drops the input of both products
 * but that of the base's own output: y = W x + bias + (g - 1) W drop(x) + g s B A drop(x). With
 * u = W drop(x) + s B A drop(x) this is y = W (x - drop(x)) + bias + g u, and back
 * dx = dy W + drop((g dy) W + s (g dy) B A - dy W).
 */
#include "common/model/model_int.h"

static const struct kbuf none;

static struct klinear linear_now(
	const struct workspace *ws, const struct projection *p, const struct rows *rows)
{
	struct klinear l = p->l;
	if (!ws->m->adapter_on)
		l.lora.r = 0;
	if (ws->m->adapter_on && p->bias_on.p) {
		l.bias = p->bias_on;
		l.dbias = p->dsum;
	}
	l.lora.drop = ws->drop;
	l.lora.drop.module = p->module;
	l.lora.drop.record = rows->record;
	l.lora.drop.pos = rows->pos;
	return l;
}

static struct kbuf from_row(struct kbuf b, size_t row, size_t width)
{
	return b.p ? kbuf_at(b, row * width) : b;
}

/* T rows of a layer with DoRA; l: with this run's dropout. */
struct run {
	struct workspace *ws;
	const struct projection *p;
	struct klinear l;
	size_t T;
	struct kbuf x, h, u;
};

static struct run run_of(struct workspace *ws, const struct projection *p, const struct rows *rows,
	const struct kept *kept, struct kbuf x, size_t at, size_t most)
{
	struct rows these = {
		rows->n - at < most ? rows->n - at : most, rows->record + at, rows->pos + at};
	return (struct run){ws, p, linear_now(ws, p, &these), these.n, from_row(x, at, p->in),
		from_row(kept->h, at, p->l.lora.r), from_row(kept->u, at, p->out)};
}

static int dora_forward(struct run *r, struct kbuf y)
{
	const struct model *m = r->ws->m;
	const struct kernels *k = m->k;
	const struct dora *d = r->p->dora;
	size_t N = r->p->out, K = r->p->in;
	struct kdropout drop = r->l.lora.drop;
	struct klinear base = {.w = r->l.w, .bias = r->l.bias};
	r->l.bias = none;
	r->l.lora.drop.p = 0;
	if (!(drop.p > 0)) {
		struct kbuf u = r->u.p ? r->u : y;
		TRY(k->linear_fwd(m->kc, &r->l, r->x, r->T, u, r->h));
		return k->scale_columns(m->kc, u, d->g, base.bias, r->T, N, y, 0);
	}
	struct kbuf dropped = r->ws->dora[0], rest = r->ws->dora[1];
	TRY(k->dropout(m->kc, &drop, r->x, r->T, K, dropped));
	TRY(k->zero(m->kc, rest.p, dtype_bytes(rest.t, r->T * K)));
	TRY(k->axpy(m->kc, 1, r->x, r->T * K, rest));
	TRY(k->axpy(m->kc, -1, dropped, r->T * K, rest));
	TRY(k->linear_fwd(m->kc, &base, rest, r->T, y, none));
	TRY(k->linear_fwd(m->kc, &r->l, dropped, r->T, r->u, r->h));
	return k->scale_columns(m->kc, r->u, d->g, none, r->T, N, y, 1);
}

/* The way back through what was dropped; du: g dy. through: dy W. */
static int dropped_backward(struct run *r, const struct kdropout *drop, struct kbuf du,
	struct kbuf through, struct kbuf dx, int accumulate)
{
	const struct model *m = r->ws->m;
	const struct kernels *k = m->k;
	size_t K = r->p->in;
	struct kbuf dropped = r->ws->dora[1], d = dx.p ? r->ws->dora[2] : none;
	TRY(k->dropout(m->kc, drop, r->x, r->T, K, dropped));
	TRY(k->linear_bwd(m->kc, &r->l, dropped, r->h, du, r->T, d, 0));
	if (!dx.p)
		return 0;
	TRY(k->axpy(m->kc, -1, through, r->T * K, d));
	TRY(k->dropout(m->kc, drop, d, r->T, K, d));
	TRY(k->axpy(m->kc, 1, through, r->T * K, d));
	if (!accumulate)
		TRY(k->zero(m->kc, dx.p, dtype_bytes(dx.t, r->T * K)));
	return k->axpy(m->kc, 1, d, r->T * K, dx);
}

static int dora_backward(struct run *r, struct kbuf dy, int keep_dy, struct kbuf dx, int accumulate)
{
	const struct model *m = r->ws->m;
	const struct kernels *k = m->k;
	const struct dora *d = r->p->dora;
	size_t N = r->p->out;
	struct kdropout drop = r->l.lora.drop;
	struct klinear base = {.w = r->l.w};
	struct kbuf through = r->ws->dora[0];
	if (r->l.dbias.p)
		TRY(k->sum_columns(m->kc, dy, none, none, r->T, N, r->l.dbias));
	TRY(k->sum_columns(m->kc, dy, r->u, d->inverse, r->T, N, d->grad));
	r->l.dbias = none;
	r->l.lora.drop.p = 0;
	if (drop.p > 0 && dx.p)
		TRY(k->linear_bwd(m->kc, &base, r->x, none, dy, r->T, through, 0));
	struct kbuf du = keep_dy ? r->ws->dora_du : dy;
	TRY(k->scale_columns(m->kc, dy, d->g, none, r->T, N, du, 0));
	if (drop.p > 0)
		return dropped_backward(r, &drop, du, through, dx, accumulate);
	return k->linear_bwd(m->kc, &r->l, r->x, r->h, du, r->T, dx, accumulate);
}

int linear_forward(struct workspace *ws, const struct projection *p, const struct rows *rows,
	struct kbuf x, struct kbuf y, const struct kept *kept)
{
	const struct model *m = ws->m;
	if (!p->dora || !m->adapter_on) {
		struct klinear l = linear_now(ws, p, rows);
		return m->k->linear_fwd(m->kc, &l, x, rows->n, y, l.lora.r ? kept->h : none);
	}
	size_t most = ws->drop.p > 0 ? DORA_ROWS : rows->n;
	for (size_t at = 0; at < rows->n; at += most) {
		struct run r = run_of(ws, p, rows, kept, x, at, most);
		TRY(dora_forward(&r, from_row(y, at, p->out)));
	}
	return 0;
}

int linear_backward(struct workspace *ws, const struct projection *p, const struct rows *rows,
	struct kbuf x, const struct kept *kept, struct kbuf dy, int keep_dy, struct kbuf dx,
	int accumulate)
{
	const struct model *m = ws->m;
	if (!p->dora) {
		struct klinear l = linear_now(ws, p, rows);
		return m->k->linear_bwd(m->kc, &l, x, kept->h, dy, rows->n, dx, accumulate);
	}
	for (size_t at = 0; at < rows->n; at += DORA_ROWS) {
		struct run r = run_of(ws, p, rows, kept, x, at, DORA_ROWS);
		TRY(dora_backward(&r, from_row(dy, at, p->out), keep_dy, from_row(dx, at, p->in),
			accumulate));
	}
	return 0;
}
