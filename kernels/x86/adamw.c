/* torch's AdamW (torch.optim.AdamW, 2.x), rounding for rounding as the plain one has it. */
#include "kernels/x86/x86_int.h"

#include <math.h>

enum { RUN = 1 << 12 };

struct adamw {
	size_t n;
	float *p, *m, *v;
	const float *g;
	float gscale, decay, w1, b2, w2, rate, root, eps;
};

static void adamw_block(void *arg, size_t i, int worker)
{
	const struct adamw *s = arg;
	size_t end = cpu_min(s->n, (i + 1) * RUN);
	(void)worker;
	for (size_t j = i * RUN; j < end; j += W) {
		vmask part = v_first(end - j);
		vec g = v_load_part(s->g + j, part) * v_set(s->gscale);
		vec m = v_load_part(s->m + j, part), v = v_load_part(s->v + j, part);
		m += v_set(s->w1) * (g - m);
		v = v * v_set(s->b2) + v_set(s->w2) * g * g;
		vec step = m / (v_sqrt(v) / v_set(s->root) + v_set(s->eps));
		vec p = v_load_part(s->p + j, part) * v_set(s->decay);
		v_store_part(s->m + j, part, m);
		v_store_part(s->v + j, part, v);
		v_store_part(s->p + j, part, p + v_set(s->rate) * step);
	}
}

int FN(adamw)(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p, struct kbuf g,
	struct kbuf m, struct kbuf v)
{
	if (CPU_F32(p, g, m, v))
		return KE_TYPE;
	struct adamw s = {.n = n,
		.p = p.p,
		.m = m.p,
		.v = v.p,
		.g = g.p,
		.gscale = o->gscale,
		.decay = (float)(1 - o->lr * o->weight_decay),
		.w1 = (float)(1 - o->beta1),
		.b2 = (float)o->beta2,
		.w2 = (float)(1 - o->beta2),
		.rate = (float)(-o->lr / (1 - pow(o->beta1, (double)o->step))),
		.root = (float)sqrt(1 - pow(o->beta2, (double)o->step)),
		.eps = (float)o->eps};
	cpu_run(c, n * 2, cpu_blocks(n, RUN), adamw_block, &s);
	return KE_OK;
}
