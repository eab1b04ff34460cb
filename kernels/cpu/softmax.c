/* Log-probs of labels and their statistics, one row of logits a label, sums in double. */
#include "kernels/cpu/cpu_int.h"

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

static void label(void *arg, size_t l, int worker)
{
	const struct labels *s = arg;
	float *x = s->logits + l * s->V;
	uint32_t target = s->target[l];
	struct klabel_out unwanted, *out = s->out ? &s->out[l] : &unwanted;
	(void)worker;

	size_t best = 0;
	for (size_t v = 1; v < s->V; v++)
		if (x[v] > x[best])
			best = v;
	double max = x[best], sum = 0, sum_x = 0, sum_px = 0, sum_pp = 0;
	for (size_t v = 0; v < s->V; v++) {
		double d = (double)x[v] - max, p = exp(d);
		sum += p;
		sum_x += (double)x[v];
		sum_px += p > 0 ? p * d : p; /* p log p is 0 where p is */
		sum_pp += p * p;
	}
	double log_sum = log(sum);
	out->logp = (double)x[target] - max - log_sum;
	if (s->stats & KSTAT_ENTROPY)
		out->entropy = (float)(log_sum - sum_px / sum);
	if (s->stats & KSTAT_SUMSQ)
		out->sumsq = (float)(log(sum_pp) - 2 * log_sum);
	if (s->stats & KSTAT_MEAN)
		out->mean = (float)(sum_x / (double)s->V);
	if (s->stats & KSTAT_HIT)
		out->hit = best == target;
	if (!s->grad)
		return;
	double coef = s->coef ? s->coef[l] : 1;
	for (size_t v = 0; v < s->V; v++) {
		double p = exp((double)x[v] - max) / sum;
		x[v] = (float)(coef * ((v == target) - p));
	}
}

int plain_softmax_label(struct kctx *c, struct kbuf logits, const uint32_t *target, size_t L,
	size_t V, unsigned stats, int grad, const double *coef, struct klabel_out *out)
{
	if (CPU_F32(logits))
		return KE_TYPE;
	struct labels s = {logits.p, target, V, stats, grad, coef, out};
	team_run(c->team, L, label, &s);
	return KE_OK;
}
