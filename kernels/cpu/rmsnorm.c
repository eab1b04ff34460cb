/*
 * y = s rstd (g + offset), s = x or x + add. Backward, with x for s: with n = x rstd and a = dy (g
 * + offset): dx = rstd (a - n mean(a n)), dg = sum over rows of dy n.
 */
#include "kernels/cpu/cpu_int.h"

#include <math.h>

enum { ROWS = 16, COLS = 64 };

struct norm {
	const float *x, *add, *g, *dy;
	float offset, eps;
	size_t T, K;
	float *sum, *y, *rstd, *dx, *dg;
};

static void fwd_block(void *arg, size_t i, int worker)
{
	const struct norm *s = arg;
	size_t K = s->K, end = cpu_min(s->T, (i + 1) * ROWS);
	(void)worker;
	for (size_t t = i * ROWS; t < end; t++) {
		const float *x = s->x + t * K;
		float *y = s->y + t * K;
		if (s->add) {
			float *to = s->sum ? s->sum + t * K : y;
			for (size_t k = 0; k < K; k++)
				to[k] = x[k] + s->add[t * K + k];
			x = to;
		}
		double sum = 0;
		for (size_t k = 0; k < K; k++)
			sum += (double)x[k] * (double)x[k];
		float rstd = (float)(1 / sqrt(sum / (double)K + (double)s->eps));
		for (size_t k = 0; k < K; k++)
			y[k] = x[k] * rstd * (s->g[k] + s->offset);
		if (s->rstd)
			s->rstd[t] = rstd;
	}
}

int plain_rmsnorm_fwd(struct kctx *c, struct kbuf x, struct kbuf add, struct kbuf sum,
	struct kbuf g, float offset, float eps, size_t T, size_t K, struct kbuf y, struct kbuf rstd)
{
	if (CPU_F32(x, add, sum, g, y, rstd))
		return KE_TYPE;
	struct norm s = {.x = x.p,
		.add = add.p,
		.sum = sum.p,
		.g = g.p,
		.offset = offset,
		.eps = eps,
		.T = T,
		.K = K,
		.y = y.p,
		.rstd = rstd.p};
	team_run(c->team, cpu_blocks(T, ROWS), fwd_block, &s);
	return KE_OK;
}

static void dx_block(void *arg, size_t i, int worker)
{
	const struct norm *s = arg;
	size_t K = s->K, end = cpu_min(s->T, (i + 1) * ROWS);
	(void)worker;
	for (size_t t = i * ROWS; t < end; t++) {
		const float *x = s->x + t * K, *dy = s->dy + t * K;
		float *dx = s->dx + t * K, rstd = s->rstd[t];
		double sum = 0;
		for (size_t k = 0; k < K; k++)
			sum += (double)(dy[k] * (s->g[k] + s->offset)) * (double)(x[k] * rstd);
		float mean = (float)(sum / (double)K);
		for (size_t k = 0; k < K; k++)
			dx[k] += rstd * (dy[k] * (s->g[k] + s->offset) - x[k] * rstd * mean);
	}
}

static void dg_block(void *arg, size_t i, int worker)
{
	const struct norm *s = arg;
	size_t end = cpu_min(s->K, (i + 1) * COLS);
	(void)worker;
	for (size_t t = 0; t < s->T; t++)
		for (size_t k = i * COLS; k < end; k++)
			s->dg[k] += s->dy[t * s->K + k] * (s->x[t * s->K + k] * s->rstd[t]);
}

int plain_rmsnorm_bwd(struct kctx *c, struct kbuf x, struct kbuf g, float offset, struct kbuf rstd,
	struct kbuf dy, size_t T, size_t K, struct kbuf dx, struct kbuf dg)
{
	if (CPU_F32(x, g, rstd, dy, dx, dg))
		return KE_TYPE;
	struct norm s = {.x = x.p,
		.g = g.p,
		.dy = dy.p,
		.offset = offset,
		.T = T,
		.K = K,
		.rstd = rstd.p,
		.dx = dx.p,
		.dg = dg.p};
	team_run(c->team, cpu_blocks(T, ROWS), dx_block, &s);
	if (dg.p)
		team_run(c->team, cpu_blocks(K, COLS), dg_block, &s);
	return KE_OK;
}
