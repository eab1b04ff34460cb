/* The optimizer's arithmetic: norm of the gradient and torch's AdamW (torch.optim.AdamW, 2.x). */
#include "kernels/cpu/cpu_int.h"

#include <math.h>

enum { PARTS = 64, RUN = 1 << 12 };

struct sumsq {
	const float *x;
	size_t n;
	double part[PARTS];
};

static void sumsq_block(void *arg, size_t i, int worker)
{
	struct sumsq *s = arg;
	size_t per = s->n / PARTS, j = i * per, end = i == PARTS - 1 ? s->n : j + per;
	double lane[8] = {0};
	(void)worker;
	for (; j + 8 <= end; j += 8)
		for (int l = 0; l < 8; l++)
			lane[l] += (double)s->x[j + l] * (double)s->x[j + l];
	for (int l = 0; j < end; j++, l++)
		lane[l] += (double)s->x[j] * (double)s->x[j];
	s->part[i] = ((lane[0] + lane[4]) + (lane[1] + lane[5])) +
		     ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

int plain_sumsq(struct kctx *c, struct kbuf x, size_t n, double *out)
{
	if (CPU_F32(x))
		return KE_TYPE;
	struct sumsq s = {.x = x.p, .n = n};
	team_run(c->team, PARTS, sumsq_block, &s);
	*out = 0;
	for (int i = 0; i < PARTS; i++)
		*out += s.part[i];
	return KE_OK;
}

struct adamw {
	const struct koptim *o;
	size_t n;
	float *p, *m, *v;
	const float *g;
};

static void adamw_block(void *arg, size_t i, int worker)
{
	const struct adamw *s = arg;
	const struct koptim *o = s->o;
	size_t end = cpu_min(s->n, (i + 1) * RUN);
	float decay = (float)(1 - o->lr * o->weight_decay);
	float w1 = (float)(1 - o->beta1), b2 = (float)o->beta2, w2 = (float)(1 - o->beta2);
	float rate = (float)(-o->lr / (1 - pow(o->beta1, (double)o->step)));
	float root = (float)sqrt(1 - pow(o->beta2, (double)o->step)), eps = (float)o->eps;
	(void)worker;
	for (size_t j = i * RUN; j < end; j++) {
		float g = s->g[j] * o->gscale;
		float m = s->m[j] + w1 * (g - s->m[j]);
		float v = s->v[j] * b2 + w2 * g * g;
		s->m[j] = m;
		s->v[j] = v;
		s->p[j] = s->p[j] * decay + rate * (m / (sqrtf(v) / root + eps));
	}
}

int plain_adamw(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p, struct kbuf g,
	struct kbuf m, struct kbuf v)
{
	if (CPU_F32(p, g, m, v))
		return KE_TYPE;
	struct adamw s = {.o = o, .n = n, .p = p.p, .m = m.p, .v = v.p, .g = g.p};
	team_run(c->team, cpu_blocks(n, RUN), adamw_block, &s);
	return KE_OK;
}
