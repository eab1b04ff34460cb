/* rmsnorm, rope, swiglu, axpy, keeping, gathers and scatters against double and finite differences. */
#include "tests/kernels/ops.h"

static double *wide(const float *f, size_t n)
{
	double *d = zeros(n);
	for (size_t i = 0; i < n; i++)
		d[i] = (double)f[i];
	return d;
}

/* ---- rmsnorm ---- */

struct norm {
	size_t T, D;
	double offset, eps;
	double *x, *g, *dy, *y, *rstd, *dx, *dg;
};

static double norm_loss(void *arg)
{
	struct norm *s = arg;
	double sum = 0;
	for (size_t t = 0; t < s->T; t++) {
		double ss = 0;
		for (size_t k = 0; k < s->D; k++)
			ss += s->x[t * s->D + k] * s->x[t * s->D + k];
		s->rstd[t] = 1 / sqrt(ss / (double)s->D + s->eps);
		for (size_t k = 0; k < s->D; k++) {
			size_t i = t * s->D + k;
			s->y[i] = s->x[i] * s->rstd[t] * (s->g[k] + s->offset);
			sum += s->dy[i] * s->y[i];
		}
	}
	return sum;
}

static void rmsnorm(void)
{
	struct worst fwd = {0}, bwd = {0};
	int sums_wrong = 0;
	static const size_t D[] = {1, 7, 16, 100, 576, 2048};
	for (int i = 0; i < 12; i++) {
		size_t T = (size_t[]){1, 5, 40}[i % 3], n = D[i % 6], N = T * n;
		float offset = i % 2 ? 1 : 0, eps = 1e-5f;
		float *x = rnd_f32(N, 3), *g = rnd_f32(n, 1), *dy = rnd_f32(N, 1),
		      *y0 = rnd_f32(N, 1);
		float *g0 = rnd_f32(n, 1);
		struct norm s = {T, n, (double)offset, (double)eps, wide(x, N), wide(g, n),
			wide(dy, N), zeros(N), zeros(T), wide(y0, N), wide(g0, n)};
		/* The oracle's backward is its slope, everywhere when small, else at some places.
		 */
		norm_loss(&s);
		size_t some = N < 300 ? N : 20;
		size_t *at = malloc(N * sizeof *at);
		double *want = zeros(some), *want_g = zeros(n);
		float *got = malloc(some * sizeof *got), *got_g = malloc(n * sizeof *got_g);
		for (size_t j = 0; j < some; j++) {
			at[j] = some == N ? j : rnd_below(N);
			want[j] = s.dx[at[j]] + slope(s.x + at[j], norm_loss, &s);
		}
		for (size_t k = 0; k < n; k++)
			want_g[k] = k < 50 ? s.dg[k] + slope(s.g + k, norm_loss, &s) : 0;
		norm_loss(&s);

		struct kbuf bx = put(x, N), bg = put(g, n), bdy = put(dy, N), by = put(NULL, N);
		struct kbuf br = put(NULL, T), bdx = put(y0, N), bdg = put(g0, n), in = put(x, N);
		const struct kbuf none = {0};
		K->rmsnorm_fwd(C, bx, none, none, bg, offset, eps, T, n, by, br);
		K->rmsnorm_fwd(C, in, none, none, bg, offset, eps, T, n, in, none);
		/* x as a sum: the addition is f32, so the bytes of the rest are those of its
		 * result. */
		float *left = rnd_f32(N, 1), *right = rnd_f32(N, 1), *added = malloc(N * 4);
		for (size_t j = 0; j < N; j++)
			added[j] = left[j] + right[j];
		struct kbuf bl = put(left, N), bright = put(right, N), ba = put(added, N);
		struct kbuf y1 = put(NULL, N), y2 = put(NULL, N);
		K->rmsnorm_fwd(C, ba, none, none, bg, offset, eps, T, n, y1, none);
		K->rmsnorm_fwd(C, bl, bright, bl, bg, offset, eps, T, n, y2, none);
		float *f1 = take(y1, N), *f2 = take(y2, N), *sum = take(bl, N);
		sums_wrong += memcmp(f1, f2, N * 4) || memcmp(sum, added, N * 4);
		void *some_more[] = {left, right, added, f1, f2, sum};
		for (size_t j = 0; j < sizeof some_more / sizeof *some_more; j++)
			free(some_more[j]);
		drop(bright);
		drop(ba);
		K->rmsnorm_bwd(C, bx, bg, offset, br, bdy, T, n, bdx, bdg);
		float *y = take(by, N), *r = take(br, T), *dx = take(bdx, N), *dg = take(bdg, n);
		float *inplace = take(in, N);
		for (size_t j = 0; j < some; j++)
			got[j] = dx[at[j]];
		for (size_t k = 0; k < n; k++)
			got_g[k] = k < 50 ? dg[k] : 0;
		worse(&fwd, y, s.y, N, "y T %zu K %zu", T, n);
		worse(&fwd, inplace, s.y, N, "in place T %zu K %zu", T, n);
		worse(&fwd, r, s.rstd, T, "rstd T %zu K %zu", T, n);
		worse(&bwd, got, want, some, "dx T %zu K %zu", T, n);
		worse(&bwd, got_g, want_g, n, "dg T %zu K %zu", T, n);
		drop(bx);
		drop(bg);
		drop(bdy);
		void *all[] = {x, g, dy, y0, g0, s.x, s.g, s.dy, s.y, s.rstd, s.dx, s.dg, at, want,
			want_g, got, got_g, y, r, dx, dg, inplace};
		for (size_t j = 0; j < sizeof all / sizeof *all; j++)
			free(all[j]);
	}
	within(&fwd, 1e-6, "rmsnorm_fwd agrees with double");
	ok(sums_wrong == 0, "%s: rmsnorm_fwd of x + add, sum in the place of x", K->name);
	within(&bwd, 3e-6, "rmsnorm_bwd agrees with finite differences and accumulates");
}

/* ---- rope ---- */

static void rope(void)
{
	struct worst off = {0}, back = {0};
	for (int i = 0; i < 6; i++) {
		size_t T = (size_t[]){1, 9, 50}[i % 3], H = (size_t[]){1, 3}[i % 2];
		size_t D = (size_t[]){64, 16, 6, 80, 128, 2}[i], N = T * H * D;
		float *x = rnd_f32(N, 1), inv[64], mscale = i % 2 ? 1 : 1.25f;
		uint32_t *pos = malloc(T * sizeof *pos);
		double *want = zeros(N), *x0 = wide(x, N);
		for (size_t t = 0; t < T; t++)
			pos[t] = (uint32_t)(t * 997 + (size_t)i);
		for (size_t d = 0; d < D / 2; d++)
			inv[d] = (float)pow(1e4, -2 * (double)d / (double)D);
		for (size_t t = 0; t < T; t++)
			for (size_t h = 0; h < H; h++)
				for (size_t d = 0; d < D / 2; d++) {
					/* The angle's product is f32 by contract. */
					double angle = (double)((float)pos[t] * inv[d]);
					double c = cos(angle) * (double)mscale,
					       s = sin(angle) * (double)mscale;
					size_t at = (t * H + h) * D + d;
					want[at] = x0[at] * c - x0[at + D / 2] * s;
					want[at + D / 2] = x0[at + D / 2] * c + x0[at] * s;
				}
		struct kbuf b = put(x, N);
		K->rope(C, b, T, H, D, pos, inv, mscale, 0);
		float *y = malloc(N * sizeof *y);
		K->read(C, y, b.p, N * sizeof *y);
		K->rope(C, b, T, H, D, pos, inv, 1 / mscale, 1);
		float *z = take(b, N);
		worse(&off, y, want, N, "T %zu H %zu D %zu", T, H, D);
		worse(&back, z, x0, N, "T %zu H %zu D %zu", T, H, D);
		free(x);
		free(pos);
		free(want);
		free(x0);
		free(y);
		free(z);
	}
	within(&off, 5e-7, "rope agrees with double");
	within(&back, 1e-6, "rope inverse takes it back");
}

/* ---- swiglu ---- */

static double silu_up(void *arg)
{
	double *v = arg;
	return v[2] * (v[0] / (1 + exp(-v[0])) * v[1]);
}

static void swiglu(void)
{
	enum { N = 5003 };
	float *gate = rnd_f32(N, 12), *up = rnd_f32(N, 2), *dy = rnd_f32(N, 1);
	gate[0] = 0;
	gate[1] = -100;
	gate[2] = 100;
	gate[3] = -88.5f;
	double *y = zeros(N), *dg = zeros(N), *du = zeros(N);
	for (int i = 0; i < N; i++) {
		double v[3] = {(double)gate[i], (double)up[i], 1};
		y[i] = silu_up(v);
		v[2] = (double)dy[i];
		dg[i] = slope(&v[0], silu_up, v);
		du[i] = slope(&v[1], silu_up, v);
	}
	struct kbuf bg = put(gate, N), bu = put(up, N), bd = put(dy, N), by = put(NULL, N);
	struct kbuf bdg = put(NULL, N);
	K->swiglu_fwd(C, bg, bu, N, by);
	K->swiglu_bwd(C, bg, bu, bd, N, bdg, bd); /* dup in dy's place */
	K->swiglu_bwd(C, bg, bu, bd, 0, bg, bu);  /* n = 0 */
	float *gy = take(by, N), *gdg = take(bdg, N), *gdu = take(bd, N);
	struct worst f = {0}, b = {0};
	worse(&f, gy, y, N, "y");
	worse(&b, gdg, dg, N, "dgate");
	worse(&b, gdu, du, N, "dup");
	within(&f, 3e-7, "swiglu_fwd agrees with double");
	within(&b, 1e-6, "swiglu_bwd agrees with finite differences, dup in dy's place");

	struct kbuf bd2 = put(dy, N);
	K->swiglu_bwd(C, bg, bu, bd2, N, bg, bu);
	float *pg = take(bg, N), *pu = take(bu, N);
	ok(!memcmp(pg, gdg, N * 4) && !memcmp(pu, gdu, N * 4),
		"%s: swiglu_bwd in the place of gate and up", K->name);
	gate[4] = NAN;
	up[5] = INFINITY;
	gate[6] = -INFINITY;
	bg = put(gate, N);
	bu = put(up, N);
	by = put(NULL, N);
	K->swiglu_fwd(C, bg, bu, N, by);
	float *ny = take(by, N);
	ok(isnan(ny[4]) && isinf(ny[5]) && isnan(ny[6]) && isfinite(ny[7]),
		"%s: swiglu passes NaN and infinity on", K->name);
	drop(bg);
	drop(bu);
	drop(bd2);
	void *all[] = {gate, up, dy, y, dg, du, gy, gdg, gdu, pg, pu, ny};
	for (size_t j = 0; j < sizeof all / sizeof *all; j++)
		free(all[j]);
}

/* With up 1 and gate below 0 the result is nearly gate exp(gate): every element on its own. */
static void exponential(void)
{
	enum { N = 20000 };
	float *gate = malloc(N * sizeof *gate), *one = malloc(N * sizeof *one);
	for (int i = 0; i < N; i++) {
		gate[i] = -85 + 170 * (float)i / N;
		one[i] = 1;
	}
	struct kbuf bg = put(gate, N), bu = put(one, N), by = put(NULL, N);
	K->swiglu_fwd(C, bg, bu, N, by);
	float *y = take(by, N);
	double worst = 0;
	for (int i = 0; i < N; i++) {
		double x = (double)gate[i], want = x / (1 + exp(-x));
		if (want != 0)
			worst = fmax(worst, fabs((double)y[i] - want) / fabs(want));
	}
	/* exp to 1.5 units in the last place, one addition and one division. */
	ok(worst < 2.5e-7, "%s: silu is right to the last places from -85 to 85 (%.2g)", K->name,
		worst);
	drop(bg);
	drop(bu);
	free(gate);
	free(one);
	free(y);
}

/* ---- rows ---- */

static void rows(void)
{
	enum { V = 50, D = 37, T = 23 };
	static const enum dtype types[] = {DT_F32, DT_BF16, DT_F16, DT_F64};
	float *w = rnd_f32(V * D, 1), *dout = rnd_f32(T * D, 1);
	uint32_t ids[T];
	size_t where[T];
	double s[T];
	for (size_t t = 0; t < T; t++) {
		ids[t] = (uint32_t)(t % 5 == 4 ? 7 : rnd_below(V));
		where[t] = ids[t];
		s[t] = rnd();
	}
	char *disk = malloc(V * D * 8 + 1);
	for (size_t i = 0; i < 4; i++) {
		float *back = malloc(V * D * sizeof *back);
		dtype_from_f32(types[i], w, disk + 1, V * D);
		dtype_to_f32(types[i], disk + 1, back, V * D);
		struct kweight_desc d = {.dtype = types[i], .n = V, .k = D, .data = disk + 1};
		struct kweight *kw;
		K->weight_new(C, &d, KUSE_GATHER, &kw);
		struct kbuf b = put(NULL, T * D);
		K->gather(C, kw, ids, T, b);
		float *got = take(b, T * D);
		int wrong = 0;
		for (size_t t = 0; t < T; t++)
			wrong += memcmp(got + t * D, back + ids[t] * D, D * sizeof *got) != 0;
		ok(wrong == 0, "%s: gather of %s rows is exact", K->name,
			dtype_info[types[i]].st_name);
		K->weight_free(C, kw);
		free(got);
		free(back);
	}
	/* Row after row in f32: the bytes are known. */
	float *sum = malloc(V * D * 4), *scaled = malloc(V * D * 4);
	memcpy(sum, w, V * D * 4);
	memcpy(scaled, w, V * D * 4);
	for (size_t t = 0; t < T; t++)
		for (size_t k = 0; k < D; k++) {
			sum[ids[t] * D + k] += dout[t * D + k];
			double v = (double)(float)s[t] * (double)dout[t * D + k];
			scaled[ids[t] * D + k] = (float)(v + (double)scaled[ids[t] * D + k]);
		}
	struct kbuf bd = put(dout, T * D), dw = put(w, V * D), dx = put(w, V * D);
	K->gather_bwd(C, ids, T, D, bd, dw);
	K->rows_scatter(C, bd, s, where, T, D, dx);
	float *gsum = take(dw, V * D), *gscaled = take(dx, V * D);
	ok(!memcmp(gsum, sum, V * D * 4), "%s: gather_bwd adds row after row", K->name);
	double *want = wide(scaled, V * D);
	ok(off_by(gscaled, want, V * D) < 2e-7, "%s: rows_scatter adds scaled rows", K->name);
	struct kbuf src = put(w, V * D), out = put(NULL, T * D);
	K->rows_gather(C, src, where, T, D, out);
	float *rows_got = take(out, T * D);
	int wrong = 0;
	for (size_t t = 0; t < T; t++)
		wrong += memcmp(rows_got + t * D, w + where[t] * D, D * 4) != 0;
	ok(wrong == 0, "%s: rows_gather", K->name);

	enum { N = 40001 };
	float *x = rnd_f32(N, 1), *y = rnd_f32(N, 1);
	double *axpy = zeros(N);
	for (size_t i = 0; i < N; i++)
		axpy[i] = (double)y[i] + 0.3 * (double)x[i];
	struct kbuf bx = put(x, N), by = put(y, N);
	K->axpy(C, 0.3f, bx, N, by);
	float *ya = take(by, N);
	ok(off_by(ya, axpy, N) < 2e-7, "%s: axpy", K->name);
	drop(bx);
	drop(src);
	drop(bd);
	void *all[] = {w, dout, disk, sum, scaled, gsum, gscaled, want, rows_got, x, y, axpy, ya};
	for (size_t j = 0; j < sizeof all / sizeof *all; j++)
		free(all[j]);
}

/* What is kept in bf16 is the nearest, x becomes that, and it comes back; f32 stays as it is. */
static void keeping(void)
{
	static const size_t sizes[] = {1, 15, 16, 37, 5000, 9001};
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		size_t n = sizes[i];
		float *x = rnd_f32(n, 1), *want = malloc(n * sizeof *want);
		uint16_t *half = malloc(n * sizeof *half), *got = malloc(n * sizeof *got);
		x[n / 2] = -NAN;
		x[0] = 1.00390625f; /* half-way: to even, 1 */
		dtype_from_f32(DT_BF16, x, half, n);
		dtype_to_f32(DT_BF16, half, want, n);
		struct kbuf bx = put(x, n), only = put(x, n), back = put(NULL, n);
		struct kbuf full = put(x, n), same = put(NULL, n);
		struct kbuf kept = {K->alloc(C, n * sizeof *half), DT_BF16};
		int rc = K->keep(C, bx, n, kept);
		rc |= K->restore(C, kept, n, back);
		rc |= K->keep(C, only, n, (struct kbuf){NULL, DT_BF16});
		rc |= K->keep(C, full, n, full);
		rc |= K->keep(C, full, n, same);
		K->read(C, got, kept.p, n * sizeof *got);
		float *f[] = {
			take(bx, n), take(back, n), take(only, n), take(full, n), take(same, n)};
		int good = rc == 0 && memcmp(got, half, n * sizeof *half) == 0;
		for (int j = 0; j < 5; j++) {
			good &= memcmp(f[j], j < 3 ? want : x, n * sizeof *want) == 0;
			free(f[j]);
		}
		ok(good, "%s: %zu numbers are kept", K->name, n);
		K->free(C, kept.p);
		free(x);
		free(want);
		free(half);
		free(got);
	}
}

static void all(void)
{
	rmsnorm();
	rope();
	swiglu();
	exponential();
	rows();
	keeping();
}

int main(void)
{
	each_backend(2, all);
	return tap_done();
}
