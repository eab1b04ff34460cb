/* softmax_label against double: log-probs, statistics, gradient, extremes, bytes. */
#include "tests/kernels/ops.h"

struct lab {
	size_t V;
	uint32_t target;
	double *x;
	double logp, entropy, sumsq, mean, hit;
};

static double logp(void *arg)
{
	struct lab *s = arg;
	double max = -INFINITY, sum = 0, pp = 0;
	size_t best = 0;
	for (size_t v = 0; v < s->V; v++)
		if (s->x[v] > max) {
			max = s->x[v];
			best = v;
		}
	for (size_t v = 0; v < s->V; v++)
		sum += exp(s->x[v] - max);
	s->entropy = s->mean = 0;
	for (size_t v = 0; v < s->V; v++) {
		double lp = s->x[v] - max - log(sum);
		s->entropy -= exp(lp) * lp;
		pp += exp(2 * lp);
		s->mean += s->x[v] / (double)s->V;
	}
	s->sumsq = log(pp);
	s->hit = best == s->target;
	return s->logp = s->x[s->target] - max - log(sum);
}

static void values(void)
{
	static const size_t V[] = {1, 2, 15, 16, 17, 300, 4097};
	double off = 0, off_stat = 0;
	struct worst grad = {0}, scaled = {0};
	int untouched = 1, left = 1;
	for (size_t i = 0; i < 7; i++)
		for (int size = 1; size < 60; size += 19) {
			size_t L = 5, n = V[i];
			float *x = rnd_f32(L * n, size);
			uint32_t target[5];
			double coef[5], *want = zeros(L * n), *want_c = zeros(L * n);
			struct klabel_out out[5], out2[5], none[5];
			memset(none, 0x55, sizeof none);
			for (size_t l = 0; l < L; l++) {
				target[l] = (uint32_t)(l == 0 ? n - 1 : rnd_below(n));
				coef[l] = rnd();
			}
			struct kbuf b = put(x, L * n), c = put(x, L * n), d = put(x, L * n);
			unsigned stats = KSTAT_ENTROPY | KSTAT_SUMSQ | KSTAT_MEAN | KSTAT_HIT;
			K->softmax_label(C, d, target, L, n, 0, 0, NULL, none);
			K->softmax_label(C, b, target, L, n, stats, 1, NULL, out);
			K->softmax_label(C, c, target, L, n, 0, 1, coef, out2);
			float *g = take(b, L * n), *gc = take(c, L * n), *same = take(d, L * n);
			untouched = untouched && !memcmp(same, x, L * n * 4);
			for (size_t l = 0; l < L; l++) {
				struct lab s = {n, target[l], zeros(n), 0, 0, 0, 0, 0};
				for (size_t v = 0; v < n; v++)
					s.x[v] = (double)x[l * n + v];
				logp(&s);
				double scale = fmax(1, fabs(s.logp));
				off = fmax(off, fabs(out[l].logp - s.logp) / scale);
				left = left && out[l].logp == out2[l].logp &&
				       out[l].logp == none[l].logp;
				uint32_t bits;
				memcpy(&bits, &none[l].mean, 4);
				left = left && bits == 0x55555555;
				off_stat = fmax(off_stat, fabs((double)out[l].entropy - s.entropy));
				off_stat = fmax(off_stat, fabs((double)out[l].mean - s.mean));
				off_stat = fmax(off_stat, fabs((double)out[l].hit - s.hit));
				scale = fmax(1, fabs(s.sumsq));
				off_stat = fmax(
					off_stat, fabs((double)out[l].sumsq - s.sumsq) / scale);
				for (size_t v = 0; v < n; v++) {
					/* Slopes where it is cheap, the formula elsewhere. */
					double p = exp(s.x[v] - s.x[target[l]] + s.logp);
					size_t at = l * n + v;
					want[at] = n <= 17 && size < 30 ? slope(s.x + v, logp, &s)
									: (v == target[l]) - p;
					want_c[at] = want[at] * coef[l];
				}
				free(s.x);
			}
			worse(&grad, g, want, L * n, "V %zu size %d", n, size);
			worse(&scaled, gc, want_c, L * n, "V %zu size %d", n, size);
			free(x);
			free(want);
			free(want_c);
			free(g);
			free(gc);
			free(same);
		}
	ok(off < 1e-7, "%s: logp agrees with double (%.2g)", K->name, off);
	ok(off_stat < 1e-5, "%s: entropy, sumsq, mean, hit agree with double (%.2g)", K->name,
		off_stat);
	within(&grad, 1e-6, "the gradient agrees with finite differences");
	within(&scaled, 1e-6, "the gradient times coef");
	ok(untouched, "%s: without grad the logits stay", K->name);
	ok(left, "%s: statistics not asked for stay, logp is the same with and without", K->name);
}

static void extremes(void)
{
	enum { V = 40 };
	float x[3 * V];
	for (int i = 0; i < 3 * V; i++)
		x[i] = (float)(i % V);
	x[1 * V + 3] = NAN;
	x[2 * V + 9] = INFINITY;
	uint32_t target[3] = {39, 0, 9};
	struct klabel_out out[3];
	struct kbuf b = put(x, 3 * V);
	K->softmax_label(C, b, target, 3, V, KSTAT_HIT, 1, NULL, out);
	float *g = take(b, 3 * V);
	ok(isfinite(out[0].logp) && isnan(out[1].logp) && isnan(out[2].logp),
		"%s: NaN and infinite logits give NaN, in their own label only", K->name);
	ok(isnan(g[V]) && isfinite(g[0]), "%s: so does the gradient", K->name);
	free(g);
	for (int i = 0; i < 2 * V; i++)
		x[i] = i < V ? -INFINITY : 2;
	x[0] = 1e4f;
	target[0] = target[1] = 0;
	b = put(x, 2 * V);
	K->softmax_label(C, b, target, 2, V, KSTAT_ENTROPY | KSTAT_HIT, 1, NULL, out);
	g = take(b, 2 * V);
	ok(out[0].logp == 0 && out[0].entropy == 0 && out[0].hit == 1 && g[1] == 0,
		"%s: masked (-inf) logits have probability and entropy 0", K->name);
	ok(out[1].hit == 1 && fabs(out[1].logp + log(V)) < 1e-7,
		"%s: of equal logits the first is the hit", K->name);
	target[1] = 3;
	b = put(x, 2 * V);
	K->softmax_label(C, b, target, 2, V, KSTAT_HIT, 0, NULL, out);
	ok(out[1].hit == 0, "%s: and the others are not", K->name);
	drop(b);
	free(g);
}

static void order(void)
{
	enum { L = 9, V = 1000 };
	float *x = rnd_f32(L * V, 5), *first = NULL;
	uint32_t target[L];
	struct klabel_out out[L], one[L];
	for (size_t l = 0; l < L; l++)
		target[l] = (uint32_t)rnd_below(V);
	struct kbuf b = put(x, L * V), c = put(x, L * V);
	K->softmax_label(C, b, target, L, V, 15, 1, NULL, out);
	for (size_t l = 0; l < L; l++)
		K->softmax_label(C, kbuf_at(c, l * V), target + l, 1, V, 15, 1, NULL, one + l);
	first = take(b, L * V);
	float *second = take(c, L * V);
	ok(!memcmp(first, second, L * V * 4) && !memcmp(out, one, sizeof out),
		"%s: a label's bytes do not depend on the others", K->name);
	free(first);
	free(second);
	free(x);
}

static void all(void)
{
	values();
	extremes();
	order();
}

int main(void)
{
	each_backend(2, all);
	return tap_done();
}
