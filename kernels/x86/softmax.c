/*
 * Log-probs of labels: the greatest logit, then one pass of exponentials in f32 with sums in double;
 * the exponentials stay where the gradient will be, which is then one multiplication.
 */
#include "kernels/x86/x86_int.h"

#include "kernels/x86/vecmath.h"

#include <math.h>

struct labels {
	float *logits;
	const uint32_t *target;
	size_t V;
	unsigned stats;
	int grad;
	const double *coef;
	struct klabel_out *out;
};

static float greatest(const float *x, size_t n)
{
	vec max = v_set(-INFINITY);
	size_t v = 0;
	for (; v + W <= n; v += W)
		max = v_max(v_load(x + v), max); /* a NaN is passed over; its exponential is not */
	if (v < n)
		max = v_max(v_keep(v_load_part(x + v, v_first(n - v)), v_first(n - v), max), max);
	return v_greatest(max);
}

struct sums {
	double e, x, ex, ee; /* of exp(d), x, exp(d) d, exp(2d); d = x - max */
};

/* keep: the exponentials replace the logits. all: every sum, else e alone. */
INLINE struct sums exponentials(float *x, size_t n, float max, int keep, int all)
{
	vecd sum[8];
	for (int i = 0; i < 8; i++)
		sum[i] = vd_set(0);
	for (size_t v = 0; v < n; v += W) {
		vmask m = v_first(n - v);
		vec raw = v_load_part(x + v, m), d = raw - v_set(max);
		vec e = v_keep(v_exp(d), m, v_set(0));
		sum[0] += v_lower(e);
		sum[1] += v_upper(e);
		if (all) {
			vec ed = e * v_max(v_set(-200), d); /* 0 where e is 0, not 0 * infinity */
			sum[2] += v_lower(raw);
			sum[3] += v_upper(raw);
			sum[4] += v_lower(ed);
			sum[5] += v_upper(ed);
			sum[6] += v_lower(e * e);
			sum[7] += v_upper(e * e);
		}
		if (keep)
			v_store_part(x + v, m, e);
	}
	return (struct sums){vd_sum(sum[0] + sum[1]), vd_sum(sum[2] + sum[3]),
		vd_sum(sum[4] + sum[5]), vd_sum(sum[6] + sum[7])};
}

static int is_first_greatest(const float *x, size_t target, float max)
{
	if (x[target] != max)
		return 0;
	for (size_t v = 0; v < target; v++)
		if (x[v] == max)
			return 0;
	return 1;
}

static void label(void *arg, size_t l, int worker)
{
	const struct labels *s = arg;
	float *x = s->logits + l * s->V;
	size_t target = s->target[l];
	(void)worker;

	float max = greatest(x, s->V), at_target = x[target];
	int hit = s->stats & KSTAT_HIT && is_first_greatest(x, target, max);
	int all = (s->stats & ~(unsigned)KSTAT_HIT) != 0;
	struct sums sum =
		s->grad ? all ? exponentials(x, s->V, max, 1, 1) : exponentials(x, s->V, max, 1, 0)
		: all ? exponentials(x, s->V, max, 0, 1)
			: exponentials(x, s->V, max, 0, 0);
	double log_sum = log(sum.e);
	if (s->out) {
		struct klabel_out *out = &s->out[l];
		out->logp = (double)at_target - (double)max - log_sum;
		if (s->stats & KSTAT_ENTROPY)
			out->entropy = (float)(log_sum - sum.ex / sum.e);
		if (s->stats & KSTAT_SUMSQ)
			out->sumsq = (float)(log(sum.ee) - 2 * log_sum);
		if (s->stats & KSTAT_MEAN)
			out->mean = (float)(sum.x / (double)s->V);
		if (s->stats & KSTAT_HIT)
			out->hit = (float)hit;
	}
	if (!s->grad)
		return;
	double coef = s->coef ? s->coef[l] : 1;
	float own = (float)(coef * (1 - (double)x[target] / sum.e));
	vec scale = v_set((float)(-coef / sum.e));
	for (size_t v = 0; v < s->V; v += W) {
		vmask m = v_first(s->V - v);
		v_store_part(x + v, m, v_load_part(x + v, m) * scale);
	}
	x[target] = own;
}

int FN(softmax_label)(struct kctx *c, struct kbuf logits, const uint32_t *target, size_t L,
	size_t V, unsigned stats, int grad, const double *coef, struct klabel_out *out)
{
	if (CPU_F32(logits))
		return KE_TYPE;
	struct labels s = {logits.p, target, V, stats, grad, coef, out};
	cpu_run(c, L * V * 2, L, label, &s);
	return KE_OK;
}
