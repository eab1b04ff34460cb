/*
 * attention over forests against double: trees with shared prompts, ancestors without queries,
 * growing key ranges, several shapes of heads; backward against finite differences; order and
 * isolation.
 */
#include "tests/kernels/ops.h"

struct att {
	struct kattn a;
	size_t nq, nk; /* rows of q and of k */
	double *q, *k, *v, *dout, *out, *lse, *dq, *dk, *dv;
};

/* Does query j of segment i see row r of the keys? */
static int sees(const struct kattn *a, size_t i, size_t j, size_t r)
{
	const struct kseg *s = &a->segs[i];
	if (r >= s->k0 && r < s->k0 + s->nk)
		return r - s->k0 <= s->nk - s->nq + j;
	for (int p = s->parent; p >= 0; p = a->segs[p].parent)
		if (r >= a->segs[p].k0 && r < a->segs[p].k0 + a->segs[p].nk)
			return 1;
	return 0;
}

static void forward(struct att *s)
{
	const struct kattn *a = &s->a;
	size_t D = a->head_dim, share = a->heads / a->kv_heads;
	double *p = zeros(s->nk);
	for (size_t i = 0; i < a->nsegs; i++)
		for (size_t j = 0; j < a->segs[i].nq; j++)
			for (size_t h = 0; h < a->heads; h++) {
				size_t at = (a->segs[i].q0 + j) * a->heads + h;
				double sum = 0, *out = s->out + at * D;
				memset(out, 0, D * sizeof *out);
				for (size_t r = 0; r < s->nk; r++) {
					const double *k = s->k + (r * a->kv_heads + h / share) * D;
					double dot = 0;
					for (size_t d = 0; d < D; d++)
						dot += s->q[at * D + d] * k[d];
					p[r] = sees(a, i, j, r) ? exp((double)a->scale * dot) : 0;
					sum += p[r];
				}
				s->lse[at] = log(sum);
				for (size_t r = 0; r < s->nk; r++)
					for (size_t d = 0; d < D; d++)
						out[d] +=
							p[r] / sum *
							s->v[(r * a->kv_heads + h / share) * D + d];
			}
	free(p);
}

static double loss(void *arg)
{
	struct att *s = arg;
	double sum = 0;
	forward(s);
	for (size_t i = 0; i < s->nq * s->a.heads * s->a.head_dim; i++)
		sum += s->dout[i] * s->out[i];
	return sum;
}

static void backward(struct att *s)
{
	const struct kattn *a = &s->a;
	size_t D = a->head_dim, share = a->heads / a->kv_heads;
	for (size_t i = 0; i < a->nsegs; i++)
		for (size_t j = 0; j < a->segs[i].nq; j++)
			for (size_t h = 0; h < a->heads; h++) {
				size_t at = (a->segs[i].q0 + j) * a->heads + h;
				double delta = 0;
				for (size_t d = 0; d < D; d++)
					delta += s->dout[at * D + d] * s->out[at * D + d];
				for (size_t r = 0; r < s->nk; r++) {
					size_t kv = (r * a->kv_heads + h / share) * D;
					double dot = 0, dp = 0;
					if (!sees(a, i, j, r))
						continue;
					for (size_t d = 0; d < D; d++) {
						dot += s->q[at * D + d] * s->k[kv + d];
						dp += s->dout[at * D + d] * s->v[kv + d];
					}
					double p = exp((double)a->scale * dot - s->lse[at]);
					double ds = (double)a->scale * p * (dp - delta);
					for (size_t d = 0; d < D; d++) {
						s->dv[kv + d] += p * s->dout[at * D + d];
						s->dq[at * D + d] += ds * s->k[kv + d];
						s->dk[kv + d] += ds * s->q[at * D + d];
					}
				}
			}
}

static double *wide(const float *f, size_t n)
{
	double *d = zeros(n);
	for (size_t i = 0; i < n; i++)
		d[i] = (double)f[i];
	return d;
}

static struct worst fwd_off, bwd_off;
static double slope_off;

static void one(size_t H, size_t G, size_t D, const struct kseg *segs, size_t nsegs, double size)
{
	size_t nq = 0, nk = 0;
	for (size_t i = 0; i < nsegs; i++) {
		nq = segs[i].q0 + segs[i].nq > nq ? segs[i].q0 + segs[i].nq : nq;
		nk = segs[i].k0 + segs[i].nk > nk ? segs[i].k0 + segs[i].nk : nk;
	}
	size_t Q = nq * H * D, KV = nk * G * D;
	float *q = rnd_f32(Q, size), *k = rnd_f32(KV, size), *v = rnd_f32(KV, 1);
	float *dout = rnd_f32(Q, 1);
	struct att s = {{H, G, D, 1 / sqrtf((float)D), segs, nsegs}, nq, nk, wide(q, Q),
		wide(k, KV), wide(v, KV), wide(dout, Q), zeros(Q), zeros(nq * H), zeros(Q),
		zeros(KV), zeros(KV)};
	forward(&s);
	backward(&s);
	if (Q * nk < 60000)
		for (int i = 0; i < 3; i++) {
			size_t a = rnd_below(Q), b = rnd_below(KV);
			slope_off = fmax(slope_off, fabs(slope(s.q + a, loss, &s) - s.dq[a]));
			slope_off = fmax(slope_off, fabs(slope(s.k + b, loss, &s) - s.dk[b]));
			slope_off = fmax(slope_off, fabs(slope(s.v + b, loss, &s) - s.dv[b]));
		}
	forward(&s);

	struct kbuf bq = put(q, Q), bk = put(k, KV), bv = put(v, KV), bdout = put(dout, Q);
	struct kbuf bout = put(NULL, Q), blse = put(NULL, nq * H);
	struct kbuf bdq = put(NULL, Q), bdk = put(NULL, KV), bdv = put(NULL, KV);
	int rc = K->attn_fwd(C, &s.a, bq, bk, bv, bout, blse);
	/* In generation keys have no queries of their own: no backward there. */
	int trains = 1;
	for (size_t i = 0; i < nsegs; i++)
		trains = trains && segs[i].nq == segs[i].nk;
	if (trains)
		rc |= K->attn_bwd(C, &s.a, bq, bk, bv, bout, blse, bdout, bdq, bdk, bdv);
	if (rc)
		ok(0, "%s: attention returns %d", K->name, rc);
	float *out = take(bout, Q), *lse = take(blse, nq * H);
	float *dq = take(bdq, Q), *dk = take(bdk, KV), *dv = take(bdv, KV);
#define AT "%s H %zu G %zu D %zu segments %zu rows %zu", part, H, G, D, nsegs, nq
#define CHECK(w, what, n)                                                                          \
	do {                                                                                       \
		const char *part = #what;                                                          \
		worse(w, what, s.what, n, AT);                                                     \
	} while (0)
	CHECK(&fwd_off, out, Q);
	CHECK(&fwd_off, lse, nq * H);
	if (trains) {
		CHECK(&bwd_off, dq, Q);
		CHECK(&bwd_off, dk, KV);
		CHECK(&bwd_off, dv, KV);
	}
	drop(bq);
	drop(bk);
	drop(bv);
	drop(bdout);
	void *all[] = {q, k, v, dout, s.q, s.k, s.v, s.dout, s.out, s.lse, s.dq, s.dk, s.dv, out,
		lse, dq, dk, dv};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		free(all[i]);
}

#define LEN(a) (sizeof(a) / sizeof *(a))

static const struct kseg single[] = {{0, 1, 0, 1, -1}};
static const struct kseg row[] = {{0, 37, 0, 37, -1}};
static const struct kseg pair[] = {{0, 19, 0, 19, -1}, {19, 8, 19, 8, 0}, {27, 33, 27, 33, 0}};
static const struct kseg forest[] = {{0, 5, 0, 5, -1}, {5, 40, 5, 40, 0}, {45, 1, 45, 1, 0},
	{46, 70, 46, 70, -1}, {116, 3, 116, 3, 3}, {119, 20, 119, 20, 4}, {139, 21, 139, 21, 4},
	{160, 16, 160, 16, 0}};
/* Generation: a shared prompt whose queries are past, two samples that grow, rows in odd places. */
static const struct kseg growing[] = {{0, 0, 10, 30, -1}, {0, 1, 60, 7, 0}, {1, 2, 45, 9, 0}};
static const struct kseg longer[] = {
	{0, 300, 0, 300, -1}, {300, 90, 300, 90, 0}, {390, 110, 390, 110, 0}};

static void shapes(void)
{
	static const struct {
		size_t H, G, D;
	} heads[] = {{1, 1, 8}, {3, 1, 64}, {4, 2, 32}, {8, 4, 6}, {2, 2, 80}, {2, 1, 128}};
	memset(&fwd_off, 0, sizeof fwd_off);
	memset(&bwd_off, 0, sizeof bwd_off);
	slope_off = 0;
	for (size_t i = 0; i < LEN(heads); i++) {
		size_t H = heads[i].H, G = heads[i].G, D = heads[i].D;
		one(H, G, D, single, LEN(single), 1);
		one(H, G, D, row, LEN(row), 2);
		one(H, G, D, pair, LEN(pair), 1);
		one(H, G, D, forest, LEN(forest), 1);
		one(H, G, D, growing, LEN(growing), 1);
	}
	one(3, 1, 64, longer, LEN(longer), 1);
	within(&fwd_off, 5e-6, "attn_fwd agrees with double over forests and heads");
	within(&bwd_off, 1e-5, "attn_bwd agrees with double: dq, dk, dv");
	ok(slope_off < 1e-6, "the double backward agrees with finite differences (%.2g)",
		slope_off);
	memset(&fwd_off, 0, sizeof fwd_off);
	one(2, 1, 64, pair, LEN(pair), 8);
	within(&fwd_off, 2e-5, "attn_fwd is stable where scores are large");
}

/* The forest's trees in one call, by `threads`; or each tree in a call of its own. */
static void run(int threads, int apart, float *res[5])
{
	enum { H = 6, G = 2, D = 32, ROWS = 500 };
	struct kctx *outer = C;
	K->open(K, 0, threads, KP_F32, &C);
	ops_state = 5;
	size_t Q = (size_t)ROWS * H * D, KV = (size_t)ROWS * G * D;
	float *q = rnd_f32(Q, 1), *k = rnd_f32(KV, 1), *v = rnd_f32(KV, 1), *g = rnd_f32(Q, 1);
	struct kbuf bq = put(q, Q), bk = put(k, KV), bv = put(v, KV), bg = put(g, Q);
	struct kbuf out = put(NULL, Q), lse = put(NULL, (size_t)ROWS * H);
	struct kbuf dq = put(NULL, Q), dk = put(NULL, KV), dv = put(NULL, KV);
	static const struct kseg trees[] = {{0, 100, 0, 100, -1}, {100, 60, 100, 60, 0},
		{160, 41, 160, 41, 0}, {201, 199, 201, 199, -1}, {400, 100, 400, 100, 3}};
	for (int i = 0; i < (apart ? 2 : 1); i++) {
		struct kseg own[3];
		size_t n = apart ? (i ? 2 : 3) : 5;
		struct kattn a = {H, G, D, 0.17f, trees, n};
		if (apart) {
			memcpy(own, trees + (i ? 3 : 0), n * sizeof *own);
			for (size_t j = 0; j < n; j++)
				own[j].parent -= i && own[j].parent >= 0 ? 3 : 0;
			a.segs = own;
		}
		K->attn_fwd(C, &a, bq, bk, bv, out, lse);
		K->attn_bwd(C, &a, bq, bk, bv, out, lse, bg, dq, dk, dv);
	}
	res[0] = take(out, Q);
	res[1] = take(dq, Q);
	res[2] = take(dk, KV);
	res[3] = take(dv, KV);
	res[4] = take(lse, (size_t)ROWS * H);
	drop(bq);
	drop(bk);
	drop(bv);
	drop(bg);
	free(q);
	free(k);
	free(v);
	free(g);
	K->close(C);
	C = outer;
}

static int same(float *a[5], float *b[5])
{
	static const size_t n[5] = {
		500 * 6 * 32, 500 * 6 * 32, 500 * 2 * 32, 500 * 2 * 32, 500 * 6};
	int equal = 1;
	for (int i = 0; i < 5; i++) {
		equal = equal && !memcmp(a[i], b[i], n[i] * sizeof(float));
		free(b[i]);
	}
	return equal;
}

static void order(void)
{
	float *whole[5], *again[5];
	run(2, 0, whole);
	run(1, 0, again);
	ok(same(whole, again), "%s: attention's bytes do not depend on threads (1)", K->name);
	run(3, 0, again);
	ok(same(whole, again), "%s: attention's bytes do not depend on threads (3)", K->name);
	run(2, 1, again);
	ok(same(whole, again), "%s: attention's bytes are the same tree by tree", K->name);
	for (int i = 0; i < 5; i++)
		free(whole[i]);
}

/* A query's bytes depend on its path alone: a branch beside a shared prompt is a row of its own. */
static void paths(void)
{
	enum { H = 3, G = 1, D = 32, P = 61, B1 = 30, B2 = 77, ALONE = P + B2 };
	static const struct kseg shared[] = {
		{0, P, 0, P, -1}, {P, B1, P, B1, 0}, {P + B1, B2, P + B1, B2, 0}};
	static const struct kseg alone[] = {{0, ALONE, 0, ALONE, -1}};
	size_t Q = (P + B1 + B2) * H * D, KV = (P + B1 + B2) * G * D;
	float *q = rnd_f32(Q, 1), *k = rnd_f32(KV, 1), *v = rnd_f32(KV, 1);
	struct kattn a = {H, G, D, 0.2f, shared, LEN(shared)}, b = {H, G, D, 0.2f, alone, 1};
	struct kbuf bq = put(q, Q), bk = put(k, KV), bv = put(v, KV), out = put(NULL, Q);
	K->attn_fwd(C, &a, bq, bk, bv, out, (struct kbuf){0});
	float *together = take(out, Q);
	/* Take the first branch out. */
	memmove(q + P * H * D, q + (P + B1) * H * D, B2 * H * D * sizeof *q);
	memmove(k + P * G * D, k + (P + B1) * G * D, B2 * G * D * sizeof *k);
	memmove(v + P * G * D, v + (P + B1) * G * D, B2 * G * D * sizeof *v);
	struct kbuf cq = put(q, Q), ck = put(k, KV), cv = put(v, KV), cout = put(NULL, Q);
	K->attn_fwd(C, &b, cq, ck, cv, cout, (struct kbuf){0});
	float *apart = take(cout, Q);
	ok(!memcmp(together, apart, P * H * D * sizeof *q) &&
			!memcmp(together + (P + B1) * H * D, apart + P * H * D,
				B2 * H * D * sizeof *q),
		"%s: attention beside a shared prompt has the bytes of a sequence alone", K->name);
	struct kbuf bufs[] = {bq, bk, bv, cq, ck, cv};
	for (size_t i = 0; i < LEN(bufs); i++)
		drop(bufs[i]);
	free(q);
	free(k);
	free(v);
	free(together);
	free(apart);
}

/* A NaN in one branch stays in its branch; in the prompt it reaches all. */
static void not_finite(void)
{
	enum { H = 2, G = 1, D = 16, N = 60 };
	for (int where = 0; where < 2; where++) {
		float *q = rnd_f32(N * H * D, 1), *k = rnd_f32(N * G * D, 1);
		k[(where ? 3 : 22) * D] = NAN;
		struct kattn a = {H, G, D, 0.25f, pair, LEN(pair)};
		struct kbuf bq = put(q, N * H * D), bk = put(k, N * D), out = put(q, N * H * D);
		K->attn_fwd(C, &a, bq, bk, bk, out, (struct kbuf){0});
		float *o = take(out, N * H * D);
		int wrong = 0;
		for (size_t t = 0; t < N; t++)
			wrong += isnan(o[t * H * D + 1]) != (where ? t >= 3 : t >= 22 && t < 27);
		ok(wrong == 0, "%s: a NaN key reaches its own queries and no other (%s)", K->name,
			where ? "prompt" : "branch");
		drop(bq);
		drop(bk);
		free(q);
		free(k);
		free(o);
	}
}

static void all(void)
{
	shapes();
	order();
	paths();
	not_finite();
}

int main(void)
{
	each_backend(2, all);
	return tap_done();
}
