/*
 * y = x W^T + bias + scale drop(x) A^T B^T and its backward. Tiles bound what is unpacked; inside
 * a tile every element of a result has its own sum in a fixed order, whatever the tiles are.
 * In bf16 what the products multiply is rounded on its way to them, but for the adapter's in the forward.
 */
#include "kernels/cpu/cpu_int.h"

#include <string.h>

enum { ROWS = 32, COLS = 16, LANES = 16 };

float plain_dot(const float *a, const float *b, size_t n)
{
	float lane[LANES] = {0};
	size_t i = 0;
	for (; i + LANES <= n; i += LANES)
		for (int l = 0; l < LANES; l++)
			lane[l] += a[i + l] * b[i + l];
	for (int l = 0; i < n; i++, l++)
		lane[l] += a[i] * b[i];
	for (int half = LANES / 2; half; half /= 2)
		for (int l = 0; l < half; l++)
			lane[l] += lane[l + half];
	return lane[0];
}

struct linear {
	struct kctx *c;
	const struct klinear *l;
	const float *x, *dy;
	float *y, *h, *dx;
	size_t T, N, K, R;
	int accumulate;
	size_t t0, nt; /* the rows that the adapter's backward is at … */
	float *g;      /* … and their scale dy B, [nt,R] */
};

static struct linear linear_of(struct kctx *c, const struct klinear *l, size_t T)
{
	return (struct linear){
		.c = c, .l = l, .T = T, .N = l->w->d.n, .K = l->w->d.k, .R = l->lora.r};
}

/* n operands of a product: rounded to bf16 in dst (which may be src), or where they are. */
static const float *operands(const struct linear *s, const float *src, float *dst, size_t n)
{
	if (s->c->precision != KP_BF16)
		return src;
	dtype_from_f32(DT_BF16, src, dst, n);
	for (size_t i = n; i-- > 0;) {
		uint16_t h;
		memcpy(&h, (char *)dst + i * 2, 2);
		dtype_to_f32(DT_BF16, &h, dst + i, 1);
	}
	return dst;
}

/* ---- forward ---- */

static void fwd_tile(void *arg, size_t i, int worker)
{
	const struct linear *s = arg;
	size_t across = cpu_blocks(s->N, COLS);
	size_t t0 = i / across * ROWS, t1 = cpu_min(s->T, t0 + ROWS);
	size_t n0 = i % across * COLS, n1 = cpu_min(s->N, n0 + COLS);
	const float *bias = s->l->bias.p;
	float *row = s->c->scratch[worker], *in = row + s->K;
	for (size_t n = n0; n < n1; n++) {
		const float *w = s->l->w->rows(s->l->w, n, 0, s->K, row);
		w = operands(s, w, row, s->K);
		for (size_t t = t0; t < t1; t++) {
			const float *x = operands(s, s->x + t * s->K, in, s->K);
			s->y[t * s->N + n] = plain_dot(x, w, s->K) + (bias ? bias[n] : 0);
		}
	}
}

static void fwd_adapter(void *arg, size_t t, int worker)
{
	const struct linear *s = arg;
	const struct klora *lora = &s->l->lora;
	const float *a = lora->a.p, *b = lora->b.p;
	float *x = s->c->scratch[worker], *h = x + s->K, *y = s->y + t * s->N;
	cpu_drop(&lora->drop, t, 0, s->K, s->x + t * s->K, x);
	for (size_t r = 0; r < s->R; r++)
		h[r] = plain_dot(x, a + r * s->K, s->K);
	for (size_t n = 0; n < s->N; n++)
		y[n] += lora->scale * plain_dot(h, b + n * s->R, s->R);
	if (s->h)
		memcpy(s->h + t * s->R, h, s->R * sizeof *h);
}

int plain_linear_fwd(struct kctx *c, const struct klinear *l, struct kbuf x, size_t T,
	struct kbuf y, struct kbuf h)
{
	if (CPU_F32(x, y, h, l->bias, l->lora.a, l->lora.b))
		return KE_TYPE;
	struct linear s = linear_of(c, l, T);
	s.x = x.p;
	s.y = y.p;
	s.h = h.p;
	if (cpu_reserve(c, (2 * s.K + s.R) * sizeof(float)))
		return KE_MEMORY;
	if (l->w->d.threshold > 0) {
		int rc = cpu_int8_fwd(c, l, s.x, T, s.y);
		if (rc < 0)
			return rc;
	} else {
		team_run(c->team, cpu_blocks(T, ROWS) * cpu_blocks(s.N, COLS), fwd_tile, &s);
	}
	if (s.R)
		team_run(c->team, T, fwd_adapter, &s);
	return KE_OK;
}

/* ---- backward ---- */

enum { WIDE = 256, NARROW = 64 };

static void dx_tile(void *arg, size_t i, int worker)
{
	const struct linear *s = arg;
	size_t across = cpu_blocks(s->K, WIDE);
	size_t t0 = i / across * ROWS, t1 = cpu_min(s->T, t0 + ROWS);
	size_t k0 = i % across * WIDE, nk = cpu_min(s->K - k0, WIDE);
	if (!s->accumulate)
		for (size_t t = t0; t < t1; t++)
			memset(s->dx + t * s->K + k0, 0, nk * sizeof *s->dx);
	for (size_t n = 0; n < s->N; n++) {
		float *row = s->c->scratch[worker], rounded;
		const float *w = s->l->w->rows(s->l->w, n, k0, nk, row);
		w = operands(s, w, row, nk);
		for (size_t t = t0; t < t1; t++) {
			float *dx = s->dx + t * s->K + k0;
			const float *dy = operands(s, s->dy + t * s->N + n, &rounded, 1);
			for (size_t k = 0; k < nk; k++)
				dx[k] += *dy * w[k];
		}
	}
}

static void dw_rows(void *arg, size_t i, int worker)
{
	const struct linear *s = arg;
	float *dw = s->l->dw.p, *dbias = s->l->dbias.p, rounded;
	size_t end = cpu_min(s->N, (i + 1) * COLS);
	for (size_t t = 0; t < s->T; t++) {
		const float *x = s->x + t * s->K;
		if (dw)
			x = operands(s, x, s->c->scratch[worker], s->K);
		for (size_t n = i * COLS; n < end; n++) {
			const float *dy = s->dy + t * s->N + n;
			if (dbias)
				dbias[n] += *dy;
			dy = operands(s, dy, &rounded, 1);
			for (size_t k = 0; dw && k < s->K; k++)
				dw[n * s->K + k] += *dy * x[k];
		}
	}
}

static float operand(const struct linear *s, float v)
{
	float rounded;
	return *operands(s, &v, &rounded, 1);
}

static void adapter_row(void *arg, size_t i, int worker)
{
	const struct linear *s = arg;
	const struct klora *lora = &s->l->lora;
	const float *a = lora->a.p, *b = lora->b.p, *dy = s->dy + (s->t0 + i) * s->N;
	float *g = s->g + i * s->R, *da = s->c->scratch[worker];
	memset(g, 0, s->R * sizeof *g);
	for (size_t n = 0; n < s->N; n++) {
		float d = operand(s, dy[n]);
		for (size_t r = 0; r < s->R; r++)
			g[r] += d * operand(s, lora->scale * b[n * s->R + r]);
	}
	for (size_t r = 0; r < s->R; r++)
		g[r] = operand(s, g[r]); /* as all that follows takes it */
	if (!s->dx)
		return;
	memset(da, 0, s->K * sizeof *da);
	for (size_t r = 0; r < s->R; r++)
		for (size_t k = 0; k < s->K; k++)
			da[k] += g[r] * operand(s, a[r * s->K + k]);
	cpu_drop(&lora->drop, s->t0 + i, 0, s->K, da, da);
	float *dx = s->dx + (s->t0 + i) * s->K;
	for (size_t k = 0; k < s->K; k++)
		dx[k] += da[k];
}

static void da_columns(void *arg, size_t i, int worker)
{
	const struct linear *s = arg;
	float *x = s->c->scratch[worker], *da = s->l->lora.da.p;
	size_t k0 = i * NARROW, nk = cpu_min(s->K - k0, NARROW);
	for (size_t j = 0; j < s->nt; j++) {
		size_t t = s->t0 + j;
		cpu_drop(&s->l->lora.drop, t, k0, nk, s->x + t * s->K + k0, x);
		operands(s, x, x, nk);
		for (size_t r = 0; r < s->R; r++)
			for (size_t k = 0; k < nk; k++)
				da[r * s->K + k0 + k] += s->g[j * s->R + r] * x[k];
	}
}

static void db_rows(void *arg, size_t i, int worker)
{
	const struct linear *s = arg;
	float *db = s->l->lora.db.p;
	size_t end = cpu_min(s->N, (i + 1) * COLS);
	(void)worker;
	for (size_t j = 0; j < s->nt; j++) {
		const float *dy = s->dy + (s->t0 + j) * s->N, *h = s->h + (s->t0 + j) * s->R;
		for (size_t n = i * COLS; n < end; n++) {
			float d = operand(s, dy[n]);
			for (size_t r = 0; r < s->R; r++)
				db[n * s->R + r] += d * operand(s, s->l->lora.scale * h[r]);
		}
	}
}

int plain_linear_bwd(struct kctx *c, const struct klinear *l, struct kbuf x, struct kbuf h,
	struct kbuf dy, size_t T, struct kbuf dx, int accumulate)
{
	const struct klora *lora = &l->lora;
	if (CPU_F32(x, h, dy, dx, l->dw, l->dbias, lora->a, lora->b, lora->da, lora->db))
		return KE_TYPE;
	struct linear s = linear_of(c, l, T);
	s.x = x.p;
	s.h = h.p;
	s.dy = dy.p;
	s.dx = dx.p;
	s.accumulate = accumulate;
	if (cpu_reserve(c, (s.K + WIDE) * sizeof(float)) ||
		cpu_reserve_shared(c, ROWS * s.R * sizeof(float)))
		return KE_MEMORY;
	if (dx.p)
		team_run(c->team, cpu_blocks(T, ROWS) * cpu_blocks(s.K, WIDE), dx_tile, &s);
	if (l->dw.p || l->dbias.p)
		team_run(c->team, cpu_blocks(s.N, COLS), dw_rows, &s);
	s.g = c->shared;
	for (s.t0 = 0; s.R && s.t0 < T; s.t0 += ROWS) {
		s.nt = cpu_min(T - s.t0, ROWS);
		team_run(c->team, s.nt, adapter_row, &s);
		if (lora->da.p)
			team_run(c->team, cpu_blocks(s.K, NARROW), da_columns, &s);
		if (lora->db.p)
			team_run(c->team, cpu_blocks(s.N, COLS), db_rows, &s);
	}
	return KE_OK;
}
