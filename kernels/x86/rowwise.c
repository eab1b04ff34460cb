/*
 * Element-wise operations and row norms. Sums within a row are W partial sums in double (rmsnorm,
 * sumsq), then pairwise: fixed whatever the threads.
 */
#include "kernels/x86/x86_int.h"

#include "kernels/x86/vecmath.h"

#include <math.h>

enum { RUN = 1 << 12, ROWS = 16, COLS = 256 };

/* ---- swiglu ---- */

struct swiglu {
	const float *gate, *up, *dy;
	size_t n;
	float *y, *dgate, *dup;
};

static void swiglu_fwd_block(void *arg, size_t i, int worker)
{
	const struct swiglu *s = arg;
	size_t end = cpu_min(s->n, (i + 1) * RUN);
	(void)worker;
	for (size_t j = i * RUN; j < end; j += W) {
		vmask m = v_first(end - j);
		vec x = v_load_part(s->gate + j, m);
		vec y = x / (v_set(1) + v_exp(v_set(0) - x)) * v_load_part(s->up + j, m);
		v_store_part(s->y + j, m, y);
	}
}

int FN(swiglu_fwd)(struct kctx *c, struct kbuf gate, struct kbuf up, size_t n, struct kbuf y)
{
	if (CPU_F32(gate, up, y))
		return KE_TYPE;
	struct swiglu s = {.gate = gate.p, .up = up.p, .n = n, .y = y.p};
	cpu_run(c, n * 4, cpu_blocks(n, RUN), swiglu_fwd_block, &s);
	return KE_OK;
}

static void swiglu_bwd_block(void *arg, size_t i, int worker)
{
	const struct swiglu *s = arg;
	size_t end = cpu_min(s->n, (i + 1) * RUN);
	(void)worker;
	for (size_t j = i * RUN; j < end; j += W) {
		vmask m = v_first(end - j);
		vec x = v_load_part(s->gate + j, m), up = v_load_part(s->up + j, m);
		vec dy = v_load_part(s->dy + j, m), one = v_set(1);
		vec sig = one / (one + v_exp(v_set(0) - x));
		v_store_part(s->dgate + j, m, dy * up * sig * (one + x * (one - sig)));
		v_store_part(s->dup + j, m, dy * (x * sig));
	}
}

int FN(swiglu_bwd)(struct kctx *c, struct kbuf gate, struct kbuf up, struct kbuf dy, size_t n,
	struct kbuf dgate, struct kbuf dup)
{
	if (CPU_F32(gate, up, dy, dgate, dup))
		return KE_TYPE;
	struct swiglu s = {gate.p, up.p, dy.p, n, NULL, dgate.p, dup.p};
	cpu_run(c, n * 4, cpu_blocks(n, RUN), swiglu_bwd_block, &s);
	return KE_OK;
}

/* ---- rmsnorm ---- */

struct norm {
	const float *x, *add, *g, *dy;
	float offset, eps;
	size_t T, K;
	float *sum, *y, *rstd, *dx, *dg;
};

static void norm_fwd_block(void *arg, size_t i, int worker)
{
	const struct norm *s = arg;
	size_t K = s->K, end = cpu_min(s->T, (i + 1) * ROWS);
	(void)worker;
	for (size_t t = i * ROWS; t < end; t++) {
		const float *x = s->x + t * K;
		float *y = s->y + t * K, *to = s->sum ? s->sum + t * K : y;
		vecd lo = vd_set(0), hi = vd_set(0);
		for (size_t k = 0; k < K; k += W) {
			vmask m = v_first(K - k);
			vec v = v_load_part(x + k, m);
			if (s->add) {
				v += v_load_part(s->add + t * K + k, m);
				v_store_part(to + k, m, v);
			}
			lo = vd_fma(v_lower(v), v_lower(v), lo);
			hi = vd_fma(v_upper(v), v_upper(v), hi);
		}
		if (s->add)
			x = to;
		float rstd = (float)(1 / sqrt(vd_sum(lo + hi) / (double)K + (double)s->eps));
		for (size_t k = 0; k < K; k += W) {
			vmask m = v_first(K - k);
			vec g = v_load_part(s->g + k, m) + v_set(s->offset);
			v_store_part(y + k, m, v_load_part(x + k, m) * v_set(rstd) * g);
		}
		if (s->rstd)
			s->rstd[t] = rstd;
	}
}

int FN(rmsnorm_fwd)(struct kctx *c, struct kbuf x, struct kbuf add, struct kbuf sum, struct kbuf g,
	float offset, float eps, size_t T, size_t K, struct kbuf y, struct kbuf rstd)
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
	cpu_run(c, T * K, cpu_blocks(T, ROWS), norm_fwd_block, &s);
	return KE_OK;
}

static void norm_dx_block(void *arg, size_t i, int worker)
{
	const struct norm *s = arg;
	size_t K = s->K, end = cpu_min(s->T, (i + 1) * ROWS);
	(void)worker;
	for (size_t t = i * ROWS; t < end; t++) {
		const float *x = s->x + t * K, *dy = s->dy + t * K;
		vec rstd = v_set(s->rstd[t]), offset = v_set(s->offset);
		vecd lo = vd_set(0), hi = vd_set(0);
		for (size_t k = 0; k < K; k += W) {
			vmask m = v_first(K - k);
			vec a = v_load_part(dy + k, m) * (v_load_part(s->g + k, m) + offset);
			vec n = v_load_part(x + k, m) * rstd;
			lo = vd_fma(v_lower(a), v_lower(n), lo);
			hi = vd_fma(v_upper(a), v_upper(n), hi);
		}
		vec mean = v_set((float)(vd_sum(lo + hi) / (double)K));
		for (size_t k = 0; k < K; k += W) {
			vmask m = v_first(K - k);
			vec a = v_load_part(dy + k, m) * (v_load_part(s->g + k, m) + offset);
			vec n = v_load_part(x + k, m) * rstd;
			vec dx = v_load_part(s->dx + t * K + k, m);
			v_store_part(s->dx + t * K + k, m, dx + rstd * (a - n * mean));
		}
	}
}

/* A sum over rows: columns are split, rows go by in order. */
static void norm_dg_block(void *arg, size_t i, int worker)
{
	const struct norm *s = arg;
	size_t end = cpu_min(s->K, (i + 1) * COLS);
	(void)worker;
	for (size_t t = 0; t < s->T; t++)
		for (size_t k = i * COLS; k < end; k += W) {
			vmask m = v_first(end - k);
			vec n = v_load_part(s->x + t * s->K + k, m) * v_set(s->rstd[t]);
			vec dy = v_load_part(s->dy + t * s->K + k, m);
			v_store_part(s->dg + k, m, v_load_part(s->dg + k, m) + dy * n);
		}
}

int FN(rmsnorm_bwd)(struct kctx *c, struct kbuf x, struct kbuf g, float offset, struct kbuf rstd,
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
	cpu_run(c, T * K, cpu_blocks(T, ROWS), norm_dx_block, &s);
	if (dg.p)
		cpu_run(c, T * K, cpu_blocks(K, COLS), norm_dg_block, &s);
	return KE_OK;
}

/* ---- rope ---- */

enum { ANGLES = 256 }; /* sines kept at a time: D up to 512 in one piece */

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
	float sine[ANGLES], cosine[ANGLES];
	(void)worker;
	for (size_t t = b * ROWS; t < end; t++)
		for (size_t i0 = 0; i0 < half; i0 += ANGLES) {
			size_t n = cpu_min(ANGLES, half - i0);
			for (size_t i = 0; i < n; i += W) {
				vec freq = v_load_part(s->inv_freq + i0 + i, v_first(n - i)), si,
				    co;
				v_sincos(v_set((float)s->pos[t]) * freq, &si, &co);
				v_store(sine + i, si * v_set(s->mscale) * v_set(s->sign));
				v_store(cosine + i, co * v_set(s->mscale));
			}
			for (size_t h = 0; h < s->heads; h++) {
				float *x = s->x + (t * s->heads + h) * s->D + i0;
				for (size_t i = 0; i < n; i += W) {
					vmask m = v_first(n - i);
					vec re = v_load_part(x + i, m),
					    im = v_load_part(x + half + i, m);
					vec si = v_load(sine + i), co = v_load(cosine + i);
					v_store_part(x + i, m, re * co - im * si);
					v_store_part(x + half + i, m, im * co + re * si);
				}
			}
		}
}

int FN(rope)(struct kctx *c, struct kbuf x, size_t T, size_t heads, size_t D, const uint32_t *pos,
	const float *inv_freq, float mscale, int inverse)
{
	if (CPU_F32(x))
		return KE_TYPE;
	struct rope s = {x.p, T, heads, D, pos, inv_freq, mscale, inverse ? -1.0f : 1.0f};
	cpu_run(c, T * heads * D, cpu_blocks(T, ROWS), rope_block, &s);
	return KE_OK;
}

/* ---- long arrays ---- */

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
	for (size_t j = i * RUN; j < end; j += W) {
		vmask m = v_first(end - j);
		vec x = v_load_part(s->x + j, m);
		v_store_part(s->y + j, m, v_load_part(s->y + j, m) + v_set(s->a) * x);
	}
}

int FN(axpy)(struct kctx *c, float a, struct kbuf x, size_t n, struct kbuf y)
{
	if (CPU_F32(x, y))
		return KE_TYPE;
	struct axpy s = {a, x.p, n, y.p};
	cpu_run(c, n, cpu_blocks(n, RUN), axpy_block, &s);
	return KE_OK;
}

enum { PARTS = 64 };

struct sumsq {
	const float *x;
	size_t n;
	double part[PARTS];
};

static void sumsq_block(void *arg, size_t i, int worker)
{
	struct sumsq *s = arg;
	size_t per = s->n / PARTS, end = i == PARTS - 1 ? s->n : (i + 1) * per;
	vecd lo = vd_set(0), hi = vd_set(0);
	(void)worker;
	for (size_t j = i * per; j < end; j += W) {
		vec x = v_load_part(s->x + j, v_first(end - j));
		lo = vd_fma(v_lower(x), v_lower(x), lo);
		hi = vd_fma(v_upper(x), v_upper(x), hi);
	}
	s->part[i] = vd_sum(lo + hi);
}

int FN(sumsq)(struct kctx *c, struct kbuf x, size_t n, double *out)
{
	if (CPU_F32(x))
		return KE_TYPE;
	struct sumsq s = {.x = x.p, .n = n};
	cpu_run(c, n, PARTS, sumsq_block, &s);
	*out = 0;
	for (int i = 0; i < PARTS; i++)
		*out += s.part[i];
	return KE_OK;
}
