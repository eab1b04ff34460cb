/*
 * For tests of operations: every backend that can run here, with memory of its own, random inputs
 * that are the same everywhere, and comparison with formulas in double.
 */
#ifndef TESTS_KERNELS_OPS_H
#define TESTS_KERNELS_OPS_H

#include "kernels/kernels.h"
#include "tests/tap.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const struct kernels *K;		       /* the backend under test … */
static struct kctx *C;			       /* … its context … */
static enum kprecision ops_precision = KP_F32; /* … and precision */

static uint64_t ops_state = 1;

/* Uniform in [-1, 1). */
__attribute__((unused)) static double rnd(void)
{
	ops_state = ops_state * 6364136223846793005u + 1442695040888963407u;
	return (double)(int64_t)ops_state * 0x1p-63;
}

__attribute__((unused)) static size_t rnd_below(size_t n)
{
	return (size_t)((rnd() + 1) / 2 * (double)n) % n;
}

__attribute__((unused)) static float *rnd_f32(size_t n, double scale)
{
	float *p = malloc((n + 1) * sizeof *p);
	for (size_t i = 0; i < n; i++)
		p[i] = (float)(rnd() * scale);
	return p;
}

__attribute__((unused)) static double *zeros(size_t n)
{
	return calloc(n + 1, sizeof(double));
}

/* A buffer of the backend with n f32 from host (NULL: NaN, so that what is not written shows). */
__attribute__((unused)) static struct kbuf put(const float *host, size_t n)
{
	struct kbuf b = {K->alloc(C, n * sizeof(float)), DT_F32};
	float *nan = NULL;
	if (!host) {
		nan = malloc((n + 1) * sizeof *nan);
		for (size_t i = 0; i < n; i++)
			nan[i] = NAN;
	}
	if (n)
		K->write(C, b.p, host ? host : nan, n * sizeof(float));
	free(nan);
	return b;
}

/* Copies n f32 to new host memory and frees the buffer. */
__attribute__((unused)) static float *take(struct kbuf b, size_t n)
{
	float *p = malloc((n + 1) * sizeof *p);
	K->read(C, p, b.p, n * sizeof *p);
	K->free(C, b.p);
	return p;
}

__attribute__((unused)) static void drop(struct kbuf b)
{
	K->free(C, b.p);
}

/* Greatest |got - want| over the scale of want: its greatest element, or 0.1 where all of it cancels
 * (inputs are about 1). NaN: infinite. */
__attribute__((unused)) static double off_by(const float *got, const double *want, size_t n)
{
	double worst = 0, scale = 0.1;
	for (size_t i = 0; i < n; i++)
		if (fabs(want[i]) > scale)
			scale = fabs(want[i]);
	for (size_t i = 0; i < n; i++) {
		double d = fabs((double)got[i] - want[i]) / scale;
		if (!(d <= worst))
			worst = isnan(d) ? INFINITY : d;
	}
	return worst;
}

/* Keeps the worst of several comparisons, for one line of output. */
struct worst {
	double off;
	char where[96];
};

__attribute__((unused, format(printf, 5, 6))) static void worse(
	struct worst *w, const float *got, const double *want, size_t n, const char *fmt, ...)
{
	double off = off_by(got, want, n);
	if (!(off > w->off))
		return;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(w->where, sizeof w->where, fmt, ap);
	va_end(ap);
	w->off = off;
}

__attribute__((unused)) static void within(const struct worst *w, double tol, const char *claim)
{
	if (!ok(w->off <= tol, "%s: %s", K->name, claim) || getenv("VERBOSE"))
		diag("worst %.3g of %.3g at %s", w->off, tol, w->where);
}

/* d(loss)/d(*at) by central differences. */
__attribute__((unused)) static double slope(double *at, double (*loss)(void *), void *arg)
{
	double x = *at, step = 1e-4 * (fabs(x) > 1 ? fabs(x) : 1);
	*at = x + step;
	double up = loss(arg);
	*at = x - step;
	double down = loss(arg);
	*at = x;
	return (up - down) / (2 * step);
}

static int has_precision(const struct kernels *k, enum kprecision p)
{
	return kernels_precision(k, kernels_precision_name(p)) == p;
}

/* Opens each backend that can run here and has precision ops_precision, and calls fn. */
__attribute__((unused)) static void each_backend(int threads, void (*fn)(void))
{
	for (int i = 0; kernels_all[i]; i++) {
		if (!has_precision(kernels_all[i], ops_precision))
			continue;
		K = kernels_all[i];
		const char *no = K->unavailable();
		if (no) {
			tap_skip(K->name, no);
			continue;
		}
		if (!ok(K->open(K, 0, threads, ops_precision, &C) == KE_OK, "%s opens in %s",
			    K->name, kernels_precision_name(ops_precision)))
			continue;
		ops_state = 1;
		fn();
		K->close(C);
	}
}

#endif
