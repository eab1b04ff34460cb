/* SwiGLU: y = silu(gate) * up, silu(x) = x / (1 + exp(-x)). */
#include "kernels/cpu/cpu_int.h"

#include <math.h>

enum { RUN = 1 << 12 };

struct swiglu {
	const float *gate, *up, *dy;
	size_t n;
	float *y, *dgate, *dup;
};

static void fwd_block(void *arg, size_t i, int worker)
{
	const struct swiglu *s = arg;
	size_t end = cpu_min(s->n, (i + 1) * RUN);
	(void)worker;
	for (size_t j = i * RUN; j < end; j++)
		s->y[j] = s->gate[j] / (1 + expf(-s->gate[j])) * s->up[j];
}

int plain_swiglu_fwd(struct kctx *c, struct kbuf gate, struct kbuf up, size_t n, struct kbuf y)
{
	if (CPU_F32(gate, up, y))
		return KE_TYPE;
	struct swiglu s = {.gate = gate.p, .up = up.p, .n = n, .y = y.p};
	team_run(c->team, cpu_blocks(n, RUN), fwd_block, &s);
	return KE_OK;
}

static void bwd_block(void *arg, size_t i, int worker)
{
	const struct swiglu *s = arg;
	size_t end = cpu_min(s->n, (i + 1) * RUN);
	(void)worker;
	for (size_t j = i * RUN; j < end; j++) {
		float x = s->gate[j], up = s->up[j], dy = s->dy[j];
		float sig = 1 / (1 + expf(-x));
		s->dgate[j] = dy * up * sig * (1 + x * (1 - sig));
		s->dup[j] = dy * (x * sig);
	}
}

int plain_swiglu_bwd(struct kctx *c, struct kbuf gate, struct kbuf up, struct kbuf dy, size_t n,
	struct kbuf dgate, struct kbuf dup)
{
	if (CPU_F32(gate, up, dy, dgate, dup))
		return KE_TYPE;
	struct swiglu s = {
		.gate = gate.p, .up = up.p, .dy = dy.p, .n = n, .dgate = dgate.p, .dup = dup.p};
	team_run(c->team, cpu_blocks(n, RUN), bwd_block, &s);
	return KE_OK;
}
