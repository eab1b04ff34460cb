/* What adapters need beside linear: each against its formula in double; dropout's mask is linear's. */
#include "tests/kernels/ops.h"

enum { T = 611, N = 83, V = 50, R = 5 }; /* enough work for several threads */

/* y = g x + bias, where it lies, and added to what is there. */
static void scaled(void)
{
	struct worst fresh = {0}, added = {0};
	float *x = rnd_f32(T * N, 1), *g = rnd_f32(N, 1), *bias = rnd_f32(N, 1),
	      *y = rnd_f32(T * N, 1);
	double *want = zeros(T * N), *more = zeros(T * N);
	for (size_t i = 0; i < T * N; i++) {
		want[i] = (double)g[i % N] * (double)x[i] + (double)bias[i % N];
		more[i] = (double)g[i % N] * (double)x[i] + (double)y[i];
	}
	struct kbuf none = {0}, dx = put(x, T * N), dg = put(g, N), db = put(bias, N),
		    dy = put(y, T * N);
	K->scale_columns(C, dx, dg, none, T, N, dy, 1);
	K->scale_columns(C, dx, dg, db, T, N, dx, 0);
	float *got = take(dx, T * N), *got_more = take(dy, T * N);
	worse(&fresh, got, want, T * N, "in place");
	worse(&added, got_more, more, T * N, "added");
	within(&fresh, 1e-6, "columns scaled, with a bias, where they lie");
	within(&added, 1e-6, "columns scaled, added to what is there");
	drop(dg);
	drop(db);
	free(x);
	free(g);
	free(bias);
	free(y);
	free(want);
	free(more);
	free(got);
	free(got_more);
}

/* Sums over rows go on from what is there: two halves are the whole, byte for byte. */
static void summed(void)
{
	struct worst all = {0}, alone = {0};
	float *a = rnd_f32(T * N, 1), *b = rnd_f32(T * N, 1), *s = rnd_f32(N, 1),
	      *from = rnd_f32(N, 1);
	double *want = zeros(N), *sums = zeros(N);
	for (size_t n = 0; n < N; n++)
		want[n] = sums[n] = (double)from[n];
	for (size_t i = 0; i < T * N; i++) {
		want[i % N] += (double)a[i] * (double)b[i] * (double)s[i % N];
		sums[i % N] += (double)a[i];
	}
	struct kbuf none = {0}, da = put(a, T * N), db = put(b, T * N), ds = put(s, N),
		    one = put(from, N), two = put(from, N), bare = put(from, N);
	K->sum_columns(C, da, db, ds, T, N, one);
	K->sum_columns(C, da, db, ds, T / 3, N, two);
	K->sum_columns(C, kbuf_at(da, T / 3 * N), kbuf_at(db, T / 3 * N), ds, T - T / 3, N, two);
	K->sum_columns(C, da, none, none, T, N, bare);
	float *got = take(one, N), *halves = take(two, N), *got_sums = take(bare, N);
	worse(&all, got, want, N, "of products");
	worse(&alone, got_sums, sums, N, "alone");
	within(&all, 1e-5, "columns summed, products scaled");
	within(&alone, 1e-5, "columns summed alone");
	ok(memcmp(got, halves, N * sizeof *got) == 0, "%s: in two parts, the same bytes", K->name);
	drop(da);
	drop(db);
	drop(ds);
	free(a);
	free(b);
	free(s);
	free(from);
	free(want);
	free(sums);
	free(got);
	free(halves);
	free(got_sums);
}

/* dropout by itself before a linear layer's A gives the h of one that drops. */
static void dropped(void)
{
	uint32_t record[T], pos[T];
	for (uint32_t t = 0; t < T; t++) {
		record[t] = t / 9;
		pos[t] = t % 9;
	}
	struct kdropout drop_ = {0.3f, 7, 3, 5, record, pos};
	float *x = rnd_f32(T * N, 1), *a = rnd_f32(R * N, 1), *b = rnd_f32(V * R, 1),
	      *w = rnd_f32(V * N, 1);
	struct kweight_desc d = {.dtype = DT_F32, .n = V, .k = N, .data = w};
	struct klinear l = {.lora = {.r = R, .scale = 1, .a = put(a, R * N), .b = put(b, V * R)}};
	struct kweight *handle;
	K->weight_new(C, &d, KUSE_FWD, &handle);
	l.w = handle;
	struct kbuf dx = put(x, T * N), y = put(NULL, T * V), h = put(NULL, T * R),
		    h2 = put(NULL, T * R);
	l.lora.drop = drop_;
	K->linear_fwd(C, &l, dx, T, y, h);
	K->dropout(C, &drop_, dx, T, N, dx);
	l.lora.drop.p = 0;
	K->linear_fwd(C, &l, dx, T, y, h2);
	float *one = take(h, T * R), *two = take(h2, T * R), *gone = take(dx, T * N);
	size_t zero = 0;
	for (size_t i = 0; i < T * N; i++)
		zero += gone[i] == 0;
	ok(memcmp(one, two, T * R * sizeof *one) == 0, "%s: dropout's mask is that of linear",
		K->name);
	ok(fabs((double)zero / (T * N) - 0.3) < 0.01, "%s: and drops its share", K->name);
	drop(y);
	drop(l.lora.a);
	drop(l.lora.b);
	K->weight_free(C, handle);
	free(x);
	free(a);
	free(b);
	free(w);
	free(one);
	free(two);
	free(gone);
}

static void embedded(void)
{
	struct worst fwd = {0}, bwd = {0};
	uint32_t ids[T];
	float *a = rnd_f32(R * V, 1), *dout = rnd_f32(T * R, 1), *from = rnd_f32(R * V, 1);
	double *want = zeros(T * R), *grad = zeros(R * V);
	for (size_t i = 0; i < R * V; i++)
		grad[i] = (double)from[i];
	for (size_t t = 0; t < T; t++) {
		ids[t] = (uint32_t)rnd_below(V);
		for (size_t r = 0; r < R; r++) {
			want[t * R + r] = 1.5 * (double)a[r * V + ids[t]];
			grad[r * V + ids[t]] += 1.5 * (double)dout[t * R + r];
		}
	}
	struct kbuf da = put(a, R * V), out = put(NULL, T * R), d = put(dout, T * R),
		    g = put(from, R * V);
	K->gather_columns(C, da, ids, T, R, V, 1.5f, out);
	K->scatter_columns(C, d, ids, T, R, V, 1.5f, g);
	float *got = take(out, T * R), *got_grad = take(g, R * V);
	worse(&fwd, got, want, T * R, "gather");
	worse(&bwd, got_grad, grad, R * V, "scatter");
	within(&fwd, 1e-6, "columns gathered by ids");
	within(&bwd, 1e-5, "and gradients scattered to them, ids repeating");
	drop(da);
	drop(d);
	free(a);
	free(dout);
	free(from);
	free(want);
	free(grad);
	free(got);
	free(got_grad);
}

static void all(void)
{
	scaled();
	summed();
	dropped();
	embedded();
}

int main(void)
{
	each_backend(1, all);
	each_backend(3, all);
	return tap_done();
}
