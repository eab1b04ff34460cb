/* What adapters need beside linear (kernels.h): columns scaled and summed, dropout by itself, an
 * embedding's A. A sum over rows is split by columns: each task walks all rows in order. */
#include "kernels/cpu/cpu_int.h"

enum { ROWS = 16, COLS = 64 };

struct scale {
	const float *x, *g, *bias;
	float *y;
	size_t T, N;
	int accumulate;
};

static void scale_rows(void *arg, size_t i, int worker)
{
	const struct scale *s = arg;
	size_t end = cpu_min(s->T, (i + 1) * ROWS);
	(void)worker;
	for (size_t t = i * ROWS; t < end; t++) {
		const float *x = s->x + t * s->N;
		float *y = s->y + t * s->N;
		for (size_t n = 0; n < s->N; n++) {
			float from = s->accumulate ? y[n] : s->bias ? s->bias[n] : 0;
			y[n] = from + s->g[n] * x[n];
		}
	}
}

int plain_scale_columns(struct kctx *c, struct kbuf x, struct kbuf g, struct kbuf bias, size_t T,
	size_t N, struct kbuf y, int accumulate)
{
	if (CPU_F32(x, g, bias, y))
		return KE_TYPE;
	struct scale s = {x.p, g.p, bias.p, y.p, T, N, accumulate};
	cpu_run(c, T * N, cpu_blocks(T, ROWS), scale_rows, &s);
	return KE_OK;
}

struct sum {
	const float *a, *b, *s;
	float *out;
	size_t T, N;
};

static void sum_block(void *arg, size_t i, int worker)
{
	const struct sum *s = arg;
	size_t end = cpu_min(s->N, (i + 1) * COLS);
	(void)worker;
	for (size_t t = 0; t < s->T; t++) {
		const float *a = s->a + t * s->N, *b = s->b ? s->b + t * s->N : NULL;
		for (size_t n = i * COLS; n < end; n++)
			s->out[n] += a[n] * (b ? b[n] : 1) * (s->s ? s->s[n] : 1);
	}
}

int plain_sum_columns(struct kctx *c, struct kbuf a, struct kbuf b, struct kbuf scale, size_t T,
	size_t N, struct kbuf out)
{
	if (CPU_F32(a, b, scale, out))
		return KE_TYPE;
	struct sum s = {a.p, b.p, scale.p, out.p, T, N};
	cpu_run(c, T * N, cpu_blocks(N, COLS), sum_block, &s);
	return KE_OK;
}

struct drop {
	struct kctx *c;
	const struct kdropout *drop;
	const float *x;
	float *y;
	size_t K;
};

static void drop_row(void *arg, size_t t, int worker)
{
	const struct drop *s = arg;
	(void)worker;
	s->c->drop(s->drop, t, 0, s->K, s->x + t * s->K, s->y + t * s->K);
}

int plain_dropout(struct kctx *c, const struct kdropout *drop, struct kbuf x, size_t T, size_t K,
	struct kbuf y)
{
	if (CPU_F32(x, y))
		return KE_TYPE;
	struct drop s = {c, drop, x.p, y.p, K};
	cpu_run(c, T * K * 4, T, drop_row, &s);
	return KE_OK;
}

int plain_gather_columns(struct kctx *c, struct kbuf a, const uint32_t *ids, size_t T, size_t R,
	size_t V, float scale, struct kbuf out)
{
	(void)c;
	if (CPU_F32(a, out))
		return KE_TYPE;
	const float *from = a.p;
	float *to = out.p;
	for (size_t t = 0; t < T; t++)
		for (size_t r = 0; r < R; r++)
			to[t * R + r] = scale * from[r * V + ids[t]];
	return KE_OK;
}

int plain_scatter_columns(struct kctx *c, struct kbuf dout, const uint32_t *ids, size_t T, size_t R,
	size_t V, float scale, struct kbuf da)
{
	(void)c;
	if (CPU_F32(dout, da))
		return KE_TYPE;
	const float *from = dout.p;
	float *to = da.p;
	for (size_t t = 0; t < T; t++)
		for (size_t r = 0; r < R; r++)
			to[r * V + ids[t]] += scale * from[t * R + r];
	return KE_OK;
}
