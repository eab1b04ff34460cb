/* Rotary positions (Su et al., arXiv 2104.09864), in the half-split layout of transformers. */
#include "kernels/cpu/cpu_int.h"

#include <math.h>

enum { ROWS = 16 };

struct rope {
	float *x;
	size_t T, heads, D;
	const uint32_t *pos;
	const float *inv_freq;
	float mscale, sign;
};

static void rope_block(void *arg, size_t b, int worker)
{
	const struct rope *s = arg;
	size_t half = s->D / 2, end = cpu_min(s->T, (b + 1) * ROWS);
	(void)worker;
	for (size_t t = b * ROWS; t < end; t++)
		for (size_t i = 0; i < half; i++) {
			float angle = (float)s->pos[t] * s->inv_freq[i];
			float cosine = cosf(angle) * s->mscale;
			float sine = sinf(angle) * s->mscale * s->sign;
			float *x = s->x + t * s->heads * s->D + i;
			for (size_t h = 0; h < s->heads; h++, x += s->D) {
				float re = x[0], im = x[half];
				x[0] = re * cosine - im * sine;
				x[half] = im * cosine + re * sine;
			}
		}
}

int plain_rope(struct kctx *c, struct kbuf x, size_t T, size_t heads, size_t D, const uint32_t *pos,
	const float *inv_freq, float mscale, int inverse)
{
	if (CPU_F32(x))
		return KE_TYPE;
	struct rope s = {x.p, T, heads, D, pos, inv_freq, mscale, inverse ? -1.0f : 1.0f};
	team_run(c->team, cpu_blocks(T, ROWS), rope_block, &s);
	return KE_OK;
}
