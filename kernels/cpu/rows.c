/* Moving rows: embedding and its gradient, gathers and scatters of hidden rows, keeping, y += a x. */
#include "kernels/cpu/cpu_int.h"

#include <string.h>

enum { ROWS = 16, COLS = 256, RUN = 1 << 14 };

struct gather {
	const struct kweight *w;
	const uint32_t *ids;
	size_t T;
	float *out;
};

static void gather_block(void *arg, size_t i, int worker)
{
	const struct gather *g = arg;
	size_t K = g->w->d.k, end = cpu_min(g->T, (i + 1) * ROWS);
	(void)worker;
	for (size_t t = i * ROWS; t < end; t++) {
		float *dst = g->out + t * K;
		const float *row = g->w->rows(g->w, g->ids[t], 0, K, dst);
		if (row != dst)
			memcpy(dst, row, K * sizeof *dst);
	}
}

int plain_gather(
	struct kctx *c, const struct kweight *w, const uint32_t *ids, size_t T, struct kbuf out)
{
	if (CPU_F32(out))
		return KE_TYPE;
	struct gather g = {w, ids, T, out.p};
	cpu_run(c, T * w->d.k, cpu_blocks(T, ROWS), gather_block, &g);
	return KE_OK;
}

/* A sum over rows is split by columns: each task walks all rows in order. */
struct scatter {
	const float *src;
	const double *scale; /* NULL: 1 */
	const uint32_t *ids; /* either these … */
	const size_t *rows;  /* … or these name the destination */
	size_t n, K;
	float *dst;
};

static void scatter_block(void *arg, size_t i, int worker)
{
	const struct scatter *s = arg;
	size_t k0 = i * COLS, nk = cpu_min(s->K - k0, COLS);
	(void)worker;
	for (size_t r = 0; r < s->n; r++) {
		const float *src = s->src + r * s->K + k0;
		float *dst = s->dst + (s->ids ? s->ids[r] : s->rows[r]) * s->K + k0;
		float scale = s->scale ? (float)s->scale[r] : 1;
		for (size_t k = 0; k < nk; k++)
			dst[k] += scale * src[k];
	}
}

int plain_gather_bwd(
	struct kctx *c, const uint32_t *ids, size_t T, size_t K, struct kbuf dout, struct kbuf dw)
{
	if (CPU_F32(dout, dw))
		return KE_TYPE;
	struct scatter s = {.src = dout.p, .ids = ids, .n = T, .K = K, .dst = dw.p};
	cpu_run(c, T * K, cpu_blocks(K, COLS), scatter_block, &s);
	return KE_OK;
}

int plain_rows_gather(
	struct kctx *c, struct kbuf x, const size_t *rows, size_t L, size_t K, struct kbuf out)
{
	(void)c;
	if (CPU_F32(x, out))
		return KE_TYPE;
	for (size_t i = 0; i < L; i++)
		memcpy((float *)out.p + i * K, (const float *)x.p + rows[i] * K, K * sizeof(float));
	return KE_OK;
}

int plain_rows_scatter(struct kctx *c, struct kbuf dout, const double *scale, const size_t *rows,
	size_t L, size_t K, struct kbuf dx)
{
	if (CPU_F32(dout, dx))
		return KE_TYPE;
	struct scatter s = {
		.src = dout.p, .scale = scale, .rows = rows, .n = L, .K = K, .dst = dx.p};
	cpu_run(c, L * K, cpu_blocks(K, COLS), scatter_block, &s);
	return KE_OK;
}

struct keep {
	float *x;
	size_t n;
	struct kbuf kept;
};

static void keep_block(void *arg, size_t i, int worker)
{
	const struct keep *s = arg;
	size_t from = i * RUN, n = cpu_min(s->n - from, RUN);
	uint16_t rounded[RUN];
	void *to = s->kept.p ? kbuf_at(s->kept, from).p : rounded;
	(void)worker;
	dtype_from_f32(DT_BF16, s->x + from, to, n);
	dtype_to_f32(DT_BF16, to, s->x + from, n);
}

static void restore_block(void *arg, size_t i, int worker)
{
	const struct keep *s = arg;
	size_t from = i * RUN, n = cpu_min(s->n - from, RUN);
	(void)worker;
	dtype_to_f32(DT_BF16, kbuf_at(s->kept, from).p, s->x + from, n);
}

int plain_keep(struct kctx *c, struct kbuf x, size_t n, struct kbuf kept)
{
	struct keep s = {x.p, n, kept};
	if (CPU_F32(x) || (kept.t != DT_F32 && kept.t != DT_BF16))
		return KE_TYPE;
	if (kept.t == DT_BF16)
		cpu_run(c, n, cpu_blocks(n, RUN), keep_block, &s);
	else if (kept.p && kept.p != x.p)
		memcpy(kept.p, x.p, n * sizeof(float));
	return KE_OK;
}

int plain_restore(struct kctx *c, struct kbuf kept, size_t n, struct kbuf x)
{
	struct keep s = {x.p, n, kept};
	if (CPU_F32(x) || (kept.t != DT_F32 && kept.t != DT_BF16))
		return KE_TYPE;
	if (kept.t == DT_BF16)
		cpu_run(c, n, cpu_blocks(n, RUN), restore_block, &s);
	else if (kept.p != x.p)
		memcpy(x.p, kept.p, n * sizeof(float));
	return KE_OK;
}

struct axpy {
	float a;
	const float *x;
	size_t n;
	float *y;
};

static void axpy_block(void *arg, size_t i, int worker)
{
	const struct axpy *s = arg;
	size_t end = cpu_min(s->n, (i + 1) * RUN);
	(void)worker;
	for (size_t j = i * RUN; j < end; j++)
		s->y[j] += s->a * s->x[j];
}

int plain_axpy(struct kctx *c, float a, struct kbuf x, size_t n, struct kbuf y)
{
	if (CPU_F32(x, y))
		return KE_TYPE;
	struct axpy s = {a, x.p, n, y.p};
	cpu_run(c, n, cpu_blocks(n, RUN), axpy_block, &s);
	return KE_OK;
}
