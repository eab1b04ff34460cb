/* Activations put away in bf16 and taken back. */
#include "kernels/x86/x86_int.h"

#include <string.h>

enum { RUN = 1 << 12 };

struct keep {
	float *x;
	size_t n;
	char *kept; /* NULL: rounding only */
};

static void keep_block(void *arg, size_t i, int worker)
{
	const struct keep *s = arg;
	size_t at = i * RUN, end = cpu_min(s->n, at + RUN);
	uint16_t rounded[W];
	(void)worker;
	for (; at + W <= end; at += W) {
		void *to = s->kept ? s->kept + at * 2 : (char *)rounded;
		v_store_bf16(to, v_load(s->x + at));
		v_store(s->x + at, v_load_bf16(to));
	}
	dtype_from_f32(DT_BF16, s->x + at, rounded, end - at);
	dtype_to_f32(DT_BF16, rounded, s->x + at, end - at);
	if (s->kept)
		memcpy(s->kept + at * 2, rounded, (end - at) * 2);
}

static void restore_block(void *arg, size_t i, int worker)
{
	const struct keep *s = arg;
	size_t at = i * RUN, end = cpu_min(s->n, at + RUN);
	(void)worker;
	for (; at + W <= end; at += W)
		v_store(s->x + at, v_load_bf16(s->kept + at * 2));
	dtype_to_f32(DT_BF16, s->kept + at * 2, s->x + at, end - at);
}

int FN(keep)(struct kctx *c, struct kbuf x, size_t n, struct kbuf kept)
{
	struct keep s = {x.p, n, kept.p};
	if (kept.t != DT_BF16 || x.t != DT_F32)
		return plain_keep(c, x, n, kept);
	cpu_run(c, n, cpu_blocks(n, RUN), keep_block, &s);
	return KE_OK;
}

int FN(restore)(struct kctx *c, struct kbuf kept, size_t n, struct kbuf x)
{
	struct keep s = {x.p, n, kept.p};
	if (kept.t != DT_BF16 || x.t != DT_F32)
		return plain_restore(c, kept, n, x);
	cpu_run(c, n, cpu_blocks(n, RUN), restore_block, &s);
	return KE_OK;
}
