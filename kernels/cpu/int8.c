/*
 * The product of LLM.int8() (arXiv 2208.07339) as bitsandbytes 0.50.2 computes it in evaluation: rows of x
 * are quantised like rows of the weight and multiplied as integers; columns in which some row of x reaches
 * the threshold are left out of that and multiplied as floats. So a row's result depends on the rows that
 * it is computed with, alone of all operations. For agreement with the peer, not for speed.
 */
#include "kernels/cpu/cpu_int.h"
#include "kernels/quant.h"

#include <math.h>
#include <string.h>

enum { ROWS = 64, COLS = 16, LANES = 16, NARROW = 64, K_MAX = INT32_MAX / (127 * 127) };

/* 1/127^2 and 1/127 as they stand there. */
static const float per_product = 6.200124e-05f, per_value = 7.874015718698502e-3f;

struct int8 {
	struct kctx *c;
	const struct kweight *w;
	const float *x, *bias;
	float *y;
	size_t T, N, K;
	float threshold;
	uint32_t *outlier; /* [outliers]: columns */
	size_t outliers;
	uint8_t *apart; /* [K]: whether a column is one of them */
	size_t t0, nt;	/* rows at work: */
	int8_t *q;	/* [nt,K] */
	float *scale;	/* [nt] their absmax */
};

static float through_f16(float x)
{
	uint16_t h;
	dtype_from_f32(DT_F16, &x, &h, 1);
	dtype_to_f32(DT_F16, &h, &x, 1);
	return x;
}

static int is_outlier(const struct int8 *s, float x)
{
	return fabsf(through_f16(x)) >= s->threshold;
}

static void find_outliers(void *arg, size_t i, int worker)
{
	struct int8 *s = arg;
	size_t end = cpu_min(s->K, (i + 1) * NARROW);
	(void)worker;
	for (size_t k = i * NARROW; k < end; k++) {
		s->apart[k] = 0;
		for (size_t t = 0; t < s->T && !s->apart[k]; t++)
			s->apart[k] = (uint8_t)is_outlier(s, s->x[t * s->K + k]);
	}
}

/* Outliers do not count for the row's absmax, other values of their columns do. */
static void quantise_row(void *arg, size_t i, int worker)
{
	const struct int8 *s = arg;
	const float *x = s->x + (s->t0 + i) * s->K;
	int8_t *q = s->q + i * s->K;
	float *kept = s->c->scratch[worker];
	for (size_t k = 0; k < s->K; k++)
		kept[k] = is_outlier(s, x[k]) ? 0 : x[k];
	if (quant_int8_encode(DT_F32, kept, 1, s->K, q, &s->scale[i]) < 0)
		s->scale[i] = NAN;
	for (size_t j = 0; j < s->outliers; j++)
		q[s->outlier[j]] = 0;
}

static int32_t dot(const int8_t *a, const int8_t *b, size_t n)
{
	int32_t lane[LANES] = {0}, sum = 0;
	size_t i = 0;
	for (; i + LANES <= n; i += LANES)
		for (int l = 0; l < LANES; l++)
			lane[l] += a[i + l] * b[i + l];
	for (int l = 0; i < n; i++, l++)
		lane[l] += a[i] * b[i];
	for (int l = 0; l < LANES; l++)
		sum += lane[l];
	return sum;
}

static void outputs(void *arg, size_t i, int worker)
{
	const struct int8 *s = arg;
	size_t end = cpu_min(s->N, (i + 1) * COLS);
	(void)worker;
	for (size_t n = i * COLS; n < end; n++) {
		const int8_t *w = (const int8_t *)s->w->d.data + n * s->K;
		float scb;
		memcpy(&scb, (const char *)s->w->d.scb + n * sizeof scb, sizeof scb);
		for (size_t t = 0; t < s->nt; t++) {
			const float *x = s->x + (s->t0 + t) * s->K;
			float product = (float)dot(s->q + t * s->K, w, s->K);
			float y = product * (s->scale[t] * scb) * per_product;
			y += s->bias ? s->bias[n] : 0;
			for (size_t j = 0; j < s->outliers; j++) {
				size_t k = s->outlier[j];
				y += x[k] * ((float)w[k] * scb * per_value);
			}
			s->y[(s->t0 + t) * s->N + n] = y;
		}
	}
}

int cpu_int8_fwd(struct kctx *c, const struct klinear *l, const float *x, size_t T, float *y)
{
	size_t N = l->w->d.n, K = l->w->d.k;
	if (K > K_MAX)
		return KE_TYPE;
	if (cpu_reserve(c, K * sizeof(float)) ||
		cpu_reserve_shared(c, K * (sizeof(uint32_t) + 1 + ROWS) + ROWS * sizeof(float)))
		return KE_MEMORY;
	struct int8 s = {.c = c,
		.w = l->w,
		.x = x,
		.bias = l->bias.p,
		.y = y,
		.T = T,
		.N = N,
		.K = K,
		.threshold = through_f16(l->w->d.threshold),
		.scale = c->shared};
	s.outlier = (uint32_t *)(void *)(s.scale + ROWS);
	s.q = (int8_t *)(s.outlier + K);
	s.apart = (uint8_t *)s.q + ROWS * K;
	team_run(c->team, cpu_blocks(K, NARROW), find_outliers, &s);
	for (size_t k = 0; k < K; k++)
		if (s.apart[k])
			s.outlier[s.outliers++] = (uint32_t)k;
	for (s.t0 = 0; s.t0 < T; s.t0 += ROWS) {
		s.nt = cpu_min(T - s.t0, ROWS);
		team_run(c->team, s.nt, quantise_row, &s);
		team_run(c->team, cpu_blocks(N, COLS), outputs, &s);
	}
	return KE_OK;
}
