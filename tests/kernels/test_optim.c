/* sumsq and adamw against double; adamw's trajectory against torch's formulas. */
#include "tests/kernels/ops.h"

static void norm(void)
{
	static const size_t n[] = {0, 1, 7, 63, 64, 65, 1000, 100003};
	double worst = 0;
	for (size_t i = 0; i < 8; i++) {
		float *x = rnd_f32(n[i], 3);
		double want = 0, got = -1, again = -1;
		for (size_t j = 0; j < n[i]; j++)
			want += (double)x[j] * (double)x[j];
		struct kbuf b = put(x, n[i]);
		K->sumsq(C, b, n[i], &got);
		struct kctx *single;
		K->open(K, 0, 1, KP_F32, &single);
		K->sumsq(single, b, n[i], &again);
		K->close(single);
		worst = fmax(worst, fabs(got - want) / fmax(want, 1e-300));
		if (got != again)
			worst = INFINITY;
		drop(b);
		free(x);
	}
	ok(worst < 1e-13, "%s: sumsq is exact to double, whatever the threads (%.2g)", K->name,
		worst);
	float big[2] = {3e38f, NAN};
	struct kbuf b = put(big, 2);
	double got;
	K->sumsq(C, b, 1, &got);
	ok(isfinite(got), "%s: sumsq of 3e38 does not overflow", K->name);
	K->sumsq(C, b, 2, &got);
	ok(isnan(got), "%s: sumsq of NaN is NaN", K->name);
	drop(b);
}

static void adamw(void)
{
	enum { N = 5001, STEPS = 30 };
	struct koptim o = {.lr = 1e-2,
		.beta1 = 0.9,
		.beta2 = 0.95,
		.eps = 1e-8,
		.weight_decay = 0.1,
		.gscale = 0.5f};
	float *p = rnd_f32(N, 1), *zero = calloc(N, sizeof *zero);
	double *want = zeros(N), *m = zeros(N), *v = zeros(N);
	for (size_t i = 0; i < N; i++)
		want[i] = (double)p[i];
	struct kbuf bp = put(p, N), bm = put(zero, N), bv = put(zero, N);
	for (o.step = 1; o.step <= STEPS; o.step++) {
		float *g = rnd_f32(N, o.step % 7 == 0 ? 1e-6 : 1);
		g[0] = 0; /* no gradient ever: only decay */
		struct kbuf bg = put(g, N);
		K->adamw(C, &o, N, bp, bg, bm, bv);
		double c1 = 1 - pow(o.beta1, (double)o.step), c2 = 1 - pow(o.beta2, (double)o.step);
		for (size_t i = 0; i < N; i++) {
			double gi = (double)g[i] * 0.5;
			want[i] *= 1 - o.lr * o.weight_decay;
			m[i] = o.beta1 * m[i] + (1 - o.beta1) * gi;
			v[i] = o.beta2 * v[i] + (1 - o.beta2) * gi * gi;
			want[i] -= o.lr / c1 * m[i] / (sqrt(v[i]) / sqrt(c2) + o.eps);
		}
		drop(bg);
		free(g);
	}
	float *gp = take(bp, N), *gm = take(bm, N), *gv = take(bv, N);
	struct worst w = {0};
	worse(&w, gp, want, N, "p");
	worse(&w, gm, m, N, "m");
	worse(&w, gv, v, N, "v");
	within(&w, 3e-6, "adamw follows torch's AdamW for 30 steps");
	double decayed = (double)p[0] * pow(1 - o.lr * o.weight_decay, STEPS);
	ok(fabs((double)gp[0] - decayed) < 1e-6, "%s: without a gradient only the decay acts",
		K->name);
	void *all[] = {p, zero, want, m, v, gp, gm, gv};
	for (size_t j = 0; j < sizeof all / sizeof *all; j++)
		free(all[j]);
}

static void all(void)
{
	norm();
	adamw();
}

int main(void)
{
	each_backend(2, all);
	return tap_done();
}
