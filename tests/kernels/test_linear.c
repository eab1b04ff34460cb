/*
 * linear against double: forward, input's gradient, gradients of weight, bias and adapter; dropout;
 * every type of weight; in f32 and with operands rounded to bf16; and the order promise, byte for byte.
 */
#include "tests/kernels/ops.h"

#include "kernels/philox.h"

enum { MODULE = 5, SEED = 42, STEP = 7 };

/* One case, in double. */
struct lin {
	size_t T, N, K, R;
	double p, scale;
	const uint32_t *record, *pos;
	double *w, *x, *dy, *bias, *a, *b;
	double *y, *h, *dx, *dw, *dbias, *da, *db;
	double *wr, *xr, *dyr; /* as products see w, x and dy */
};

static double mask(const struct lin *s, size_t t, size_t k)
{
	if (s->p <= 0)
		return 1;
	uint32_t ctr[4] = {(uint32_t)(k / 4), s->pos[t], s->record[t], MODULE}, word[4];
	philox4x32(ctr, philox_key(SEED, STEP), word);
	return word[k % 4] < s->p * 0x1p32 ? 0 : 1 / (1 - s->p);
}

static void forward(struct lin *s)
{
	for (size_t t = 0; t < s->T; t++) {
		for (size_t r = 0; r < s->R; r++) {
			double sum = 0;
			for (size_t k = 0; k < s->K; k++)
				sum += mask(s, t, k) * s->x[t * s->K + k] * s->a[r * s->K + k];
			s->h[t * s->R + r] = sum;
		}
		for (size_t n = 0; n < s->N; n++) {
			double sum = s->bias ? s->bias[n] : 0;
			for (size_t k = 0; k < s->K; k++)
				sum += s->xr[t * s->K + k] * s->wr[n * s->K + k];
			for (size_t r = 0; r < s->R; r++)
				sum += s->scale * s->h[t * s->R + r] * s->b[n * s->R + r];
			s->y[t * s->N + n] = sum;
		}
	}
}

/* What the backward differentiates: sum dy y. */
static double loss(void *arg)
{
	struct lin *s = arg;
	double sum = 0;
	forward(s);
	for (size_t i = 0; i < s->T * s->N; i++)
		sum += s->dy[i] * s->y[i];
	return sum;
}

/* In bf16: rounded, to nearest and half to even; in f32 the same number. */
static double operand(double x)
{
	int e;
	if (ops_precision == KP_F32)
		return x;
	frexp(x, &e); /* x = 0.1… * 2^e: 8 bits of it */
	return ldexp(nearbyint(ldexp(x, 8 - e)), e - 8);
}

static void backward(struct lin *s)
{
	double *g = zeros(s->R);
	for (size_t t = 0; t < s->T; t++) {
		const double *dy = s->dy + t * s->N, *x = s->x + t * s->K;
		const double *dyr = s->dyr + t * s->N, *xr = s->xr + t * s->K;
		memset(g, 0, s->R * sizeof *g);
		for (size_t n = 0; n < s->N; n++) {
			s->dbias[n] += dy[n];
			for (size_t r = 0; r < s->R; r++) {
				g[r] += dyr[n] * operand(s->scale * s->b[n * s->R + r]);
				s->db[n * s->R + r] +=
					dyr[n] * operand(s->scale * s->h[t * s->R + r]);
			}
			for (size_t k = 0; k < s->K; k++) {
				s->dx[t * s->K + k] += dyr[n] * s->wr[n * s->K + k];
				s->dw[n * s->K + k] += dyr[n] * xr[k];
			}
		}
		for (size_t r = 0; r < s->R; r++)
			for (size_t k = 0; k < s->K; k++) {
				double m = mask(s, t, k);
				s->dx[t * s->K + k] +=
					m * operand(g[r]) * operand(s->a[r * s->K + k]);
				s->da[r * s->K + k] += operand(g[r]) * operand(m * x[k]);
			}
	}
	free(g);
}

static double *wide(const float *f, size_t n)
{
	double *d = zeros(n);
	for (size_t i = 0; i < n; i++)
		d[i] = (double)f[i];
	return d;
}

static double *operands(double *x, size_t n)
{
	if (ops_precision == KP_F32)
		return x;
	double *d = zeros(n);
	for (size_t i = 0; i < n; i++)
		d[i] = operand(x[i]);
	return d;
}

/* The double backward is right itself: finite differences at random places. */
static double check_by_slopes(struct lin *s)
{
	struct {
		double *at, *grad;
		size_t n;
	} part[] = {{s->x, s->dx, s->T * s->K}, {s->w, s->dw, s->N * s->K},
		{s->bias, s->dbias, s->N}, {s->a, s->da, s->R * s->K}, {s->b, s->db, s->N * s->R}};
	double worst = 0;
	for (size_t i = 0; i < sizeof part / sizeof *part; i++)
		for (int n = 0; n < 4 && part[i].n && part[i].at; n++) {
			size_t j = rnd_below(part[i].n);
			double d = fabs(slope(part[i].at + j, loss, s) - part[i].grad[j]);
			worst = d > worst ? d : worst;
		}
	forward(s);
	return worst;
}

static struct worst fwd_off, bwd_off, lora_off;
static double slope_off;

static void one(size_t T, size_t N, size_t Kk, size_t R, enum dtype t, double p, int with_bias)
{
	uint32_t *record = malloc(T * sizeof *record), *pos = malloc(T * sizeof *pos);
	for (size_t i = 0; i < T; i++) {
		record[i] = (uint32_t)(i / 5 + 3);
		pos[i] = (uint32_t)(i % 5);
	}
	float *x = rnd_f32(T * Kk, 1), *wf = rnd_f32(N * Kk, 1), *dy = rnd_f32(T * N, 1);
	float *a = rnd_f32(R * Kk, 1), *b = rnd_f32(N * R, 1), *bias = rnd_f32(N, 1);
	/* The weight as a file has it: its own type, at an odd address for all but f32. */
	size_t bytes = dtype_bytes(t, N * Kk);
	char *file = malloc(bytes + 64), *disk = file + (t == DT_F32 ? 0 : 1);
	dtype_from_f32(t, wf, disk, N * Kk);
	dtype_to_f32(t, disk, wf, N * Kk);
	struct lin s = {T, N, Kk, R, p, 0.75, record, pos, wide(wf, N * Kk), wide(x, T * Kk),
		wide(dy, T * N), with_bias ? wide(bias, N) : NULL, wide(a, R * Kk), wide(b, N * R),
		zeros(T * N), zeros(T * R), zeros(T * Kk), zeros(N * Kk), zeros(N), zeros(R * Kk),
		zeros(N * R), NULL, NULL, NULL};
	s.wr = operands(s.w, N * Kk);
	s.xr = operands(s.x, T * Kk);
	s.dyr = operands(s.dy, T * N);
	/* Gradients are added to what is there; so is dx when asked. */
	float *dx0 = rnd_f32(T * Kk, 1), *dw0 = rnd_f32(N * Kk, 1), *da0 = rnd_f32(R * Kk, 1);
	int accumulate = T % 2;
	forward(&s);
	backward(&s);
	if (ops_precision == KP_F32 && T * N * Kk < 40000)
		slope_off = fmax(slope_off, check_by_slopes(&s));
	for (size_t i = 0; accumulate && i < T * Kk; i++)
		s.dx[i] += (double)dx0[i];
	for (size_t i = 0; i < N * Kk; i++)
		s.dw[i] += (double)dw0[i];
	for (size_t i = 0; i < R * Kk; i++)
		s.da[i] += (double)da0[i];

	struct kweight *w;
	struct kweight_desc d = {.dtype = t, .n = N, .k = Kk, .data = disk};
	K->weight_new(C, &d, KUSE_FWD | KUSE_BWD, &w);
	float *zn = calloc(N * R + N + 1, sizeof *zn);
	struct klinear l = {.w = w,
		.bias = with_bias ? put(bias, N) : (struct kbuf){0},
		.dw = put(dw0, N * Kk),
		.dbias = put(zn, N)};
	if (R)
		l.lora = (struct klora){R, 0.75f, put(a, R * Kk), put(b, N * R), put(da0, R * Kk),
			put(zn, N * R), {(float)p, SEED, STEP, MODULE, record, pos}};
	struct kbuf bx = put(x, T * Kk), by = put(NULL, T * N), bh = put(NULL, T * R);
	struct kbuf bdy = put(dy, T * N), bdx = put(accumulate ? dx0 : NULL, T * Kk);
	int rc = K->linear_fwd(C, &l, bx, T, by, bh);
	rc |= K->linear_bwd(C, &l, bx, bh, bdy, T, bdx, accumulate);
	if (rc)
		ok(0, "%s: linear returns %d", K->name, rc);

	float *y = take(by, T * N), *h = take(bh, T * R), *dx = take(bdx, T * Kk);
	float *dw = take(l.dw, N * Kk), *dbias = take(l.dbias, N);
#define AT "%s T %zu N %zu K %zu R %zu %s p %g", part, T, N, Kk, R, dtype_info[t].st_name, p
#define CHECK(w, what, n)                                                                          \
	do {                                                                                       \
		const char *part = #what;                                                          \
		worse(w, what, s.what, n, AT);                                                     \
	} while (0)
	CHECK(&fwd_off, y, T * N);
	CHECK(R ? &lora_off : &bwd_off, dx, T * Kk);
	CHECK(&bwd_off, dw, N * Kk);
	CHECK(&bwd_off, dbias, N);
	if (R) {
		float *da = take(l.lora.da, R * Kk), *db = take(l.lora.db, N * R);
		CHECK(&fwd_off, h, T * R);
		CHECK(&lora_off, da, R * Kk);
		CHECK(&lora_off, db, N * R);
		free(da);
		free(db);
		drop(l.lora.a);
		drop(l.lora.b);
	}
	if (with_bias)
		drop(l.bias);
	drop(bx);
	drop(bdy);
	K->weight_free(C, w);
	void *all[] = {record, pos, x, wf, dy, a, b, bias, file, s.w, s.x, s.dy, s.bias, s.a, s.b,
		s.y, s.h, s.dx, s.dw, s.dbias, s.da, s.db, dx0, dw0, da0, zn, y, h, dx, dw, dbias};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		free(all[i]);
	if (ops_precision != KP_F32) {
		free(s.wr);
		free(s.xr);
		free(s.dyr);
	}
}

static void shapes(void)
{
	static const size_t T[] = {1, 2, 7, 16, 33, 70}, N[] = {1, 8, 17, 48, 130},
			    D[] = {1, 3, 16, 64, 200}, R[] = {0, 1, 4, 16};
	static const enum dtype types[] = {DT_F32, DT_BF16, DT_F16, DT_F64};
	memset(&fwd_off, 0, sizeof fwd_off);
	memset(&bwd_off, 0, sizeof bwd_off);
	memset(&lora_off, 0, sizeof lora_off);
	slope_off = 0;
	int i = 0;
	for (size_t t = 0; t < 6; t++)
		for (size_t n = 0; n < 5; n++)
			for (size_t k = 0; k < 5; k++, i++)
				one(T[t], N[n], D[k], R[i % 4], types[i / 4 % 4],
					i % 3 == 1 ? 0.3 : 0, i % 2);
	one(9, 50, 1100, 8, DT_BF16, 0.1, 1);
	one(300, 40, 70, 16, DT_F32, 0, 0);
	one(5, 1500, 24, 8, DT_F16, 0, 1);
	one(3, 5, 6, 2, DT_F32, 1, 0);
	within(&fwd_off, 1e-5, "linear_fwd agrees with double over shapes, types, adapters");
	within(&bwd_off, 1e-5, "linear_bwd agrees with double: dx, dw, dbias");
	/* In bf16 dy B and h, sums in f32 here, now and then round the other way. */
	within(&lora_off, ops_precision == KP_F32 ? 1e-5 : 2e-3,
		"linear_bwd with an adapter agrees with double: dx, da, db");
	if (ops_precision == KP_F32)
		ok(slope_off < 1e-6, "the double backward agrees with finite differences (%.2g)",
			slope_off);
}

/* ---- the order promise ---- */

struct run {
	float *y, *h, *dx, *dw, *da, *db;
};

enum { BIG_T = 150, BIG_N = 70, BIG_K = 90, BIG_R = 8 };

/* Forward and backward in pieces of `cut` rows. */
static struct run run_cut(size_t cut, int threads)
{
	enum { T = BIG_T, N = BIG_N, D = BIG_K, R = BIG_R };
	struct kctx *outer = C;
	K->open(K, 0, threads, ops_precision, &C);
	ops_state = 99;
	float *x = rnd_f32(T * D, 1), *w = rnd_f32(N * D, 1), *dy = rnd_f32(T * N, 1);
	float *a = rnd_f32(R * D, 1), *b = rnd_f32(N * R, 1), *zero = calloc(N * D, sizeof *zero);
	uint32_t *id = malloc(T * sizeof *id);
	for (uint32_t t = 0; t < T; t++)
		id[t] = t;
	struct kweight *kw;
	struct kweight_desc d = {.dtype = DT_F32, .n = N, .k = D, .data = w};
	K->weight_new(C, &d, KUSE_FWD | KUSE_BWD, &kw);
	struct klinear l = {.w = kw,
		.dw = put(zero, N * D),
		.lora = {R, 2, put(a, R * D), put(b, N * R), put(zero, R * D), put(zero, N * R)}};
	struct kbuf bx = put(x, T * D), by = put(NULL, T * N), bh = put(NULL, T * R);
	struct kbuf bdy = put(dy, T * N), bdx = put(NULL, T * D);
	for (size_t t = 0; t < T; t += cut) {
		size_t n = t + cut < T ? cut : T - t;
		struct klinear piece = l;
		piece.lora.drop = (struct kdropout){0.25f, SEED, STEP, MODULE, id + t, id + t};
		struct kbuf px = kbuf_at(bx, t * D), ph = kbuf_at(bh, t * R);
		K->linear_fwd(C, &piece, px, n, kbuf_at(by, t * N), ph);
		K->linear_bwd(C, &piece, px, ph, kbuf_at(bdy, t * N), n, kbuf_at(bdx, t * D), 0);
	}
	struct run r = {take(by, T * N), take(bh, T * R), take(bdx, T * D), take(l.dw, N * D),
		take(l.lora.da, R * D), take(l.lora.db, N * R)};
	drop(bx);
	drop(bdy);
	drop(l.lora.a);
	drop(l.lora.b);
	K->weight_free(C, kw);
	K->close(C);
	C = outer;
	free(x);
	free(w);
	free(dy);
	free(a);
	free(b);
	free(zero);
	free(id);
	return r;
}

static int same(const struct run *a, const struct run *b)
{
	enum { T = BIG_T, N = BIG_N, D = BIG_K, R = BIG_R };
	return !memcmp(a->y, b->y, T * N * 4) && !memcmp(a->h, b->h, T * R * 4) &&
	       !memcmp(a->dx, b->dx, T * D * 4) && !memcmp(a->dw, b->dw, N * D * 4) &&
	       !memcmp(a->da, b->da, R * D * 4) && !memcmp(a->db, b->db, N * R * 4);
}

/* Greatest difference between two runs, over the scale of each part. */
static double apart(const struct run *a, const struct run *b)
{
	enum { T = BIG_T, N = BIG_N, D = BIG_K, R = BIG_R };
	const struct {
		const float *a, *b;
		size_t n;
	} part[] = {{a->y, b->y, T * N}, {a->h, b->h, T * R}, {a->dx, b->dx, T * D},
		{a->dw, b->dw, N * D}, {a->da, b->da, R * D}, {a->db, b->db, N * R}};
	double worst = 0;
	for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
		double *want = wide(part[i].a, part[i].n);
		worst = fmax(worst, off_by(part[i].b, want, part[i].n));
		free(want);
	}
	return worst;
}

static void run_free(struct run *r)
{
	free(r->y);
	free(r->h);
	free(r->dx);
	free(r->dw);
	free(r->da);
	free(r->db);
}

static void order(void)
{
	struct run whole = run_cut(BIG_T, 2), again = run_cut(BIG_T, 2);
	ok(same(&whole, &again), "%s: linear gives the same bytes every time", K->name);
	run_free(&again);
	for (int threads = 1; threads <= 3; threads += 2) {
		again = run_cut(BIG_T, threads);
		ok(same(&whole, &again), "%s: linear's bytes do not depend on threads (%d)",
			K->name, threads);
		run_free(&again);
	}
	static const size_t cuts[] = {1, 7, 16, 50, 64};
	for (size_t i = 0; i < 5; i++) {
		again = run_cut(cuts[i], 2);
		double off = apart(&whole, &again);
		if (K->exact_rows)
			ok(same(&whole, &again),
				"%s: linear's bytes are the same in pieces of %zu rows", K->name,
				cuts[i]);
		else
			ok(off <= 2e-6,
				"%s: in pieces of %zu rows linear differs by rounding (%.2g)",
				K->name, cuts[i], off);
		run_free(&again);
	}
	run_free(&whole);
}

/* NaN and infinity reach every row that has them and no other. */
static void not_finite(void)
{
	enum { T = 3, N = 40, D = 48 };
	float *x = rnd_f32(T * D, 1), *w = rnd_f32(N * D, 1);
	x[D + 5] = NAN;
	w[7 * D + 1] = INFINITY;
	struct kweight *kw;
	struct kweight_desc d = {.dtype = DT_F32, .n = N, .k = D, .data = w};
	K->weight_new(C, &d, KUSE_FWD, &kw);
	struct klinear l = {.w = kw};
	struct kbuf bx = put(x, T * D), by = put(NULL, T * N);
	K->linear_fwd(C, &l, bx, T, by, (struct kbuf){0});
	float *y = take(by, T * N);
	int wrong = 0;
	for (size_t t = 0; t < T; t++)
		for (size_t n = 0; n < N; n++)
			wrong += t == 1	  ? !isnan(y[t * N + n])
				 : n == 7 ? !isinf(y[t * N + n])
					  : !isfinite(y[t * N + n]);
	ok(wrong == 0, "%s: NaN and infinity propagate, and only where they belong", K->name);
	drop(bx);
	K->weight_free(C, kw);
	d.dtype = DT_I64;
	ok(K->weight_new(C, &d, KUSE_FWD, &kw) == KE_TYPE, "%s: a type it lacks is refused",
		K->name);
	free(x);
	free(w);
	free(y);
}

static void all(void)
{
	shapes();
	order();
	not_finite();
}

/* The chain of multiply-adds is the same whatever the vectors and the instructions. */
static void widths(void)
{
	static const char *const names[] = {"avx2", "avx512", "avx512bf16"};
	const char *why, *word = kernels_precision_name(ops_precision);
	struct run first = {0};
	for (size_t i = 0; i < 3; i++) {
		K = kernels_select("cpu", names[i], &why);
		if (!K) {
			tap_skip("products have the same bytes", why);
			continue;
		}
		struct run r = run_cut(BIG_T, 2);
		if (!first.y) {
			first = r;
			continue;
		}
		ok(same(&first, &r), "%s: products in %s have the bytes of narrower ones", names[i],
			word);
		run_free(&r);
	}
	run_free(&first);
}

int main(void)
{
	for (ops_precision = KP_F32; ops_precision <= KP_BF16; ops_precision++) {
		each_backend(2, all);
		widths();
	}
	return tap_done();
}
