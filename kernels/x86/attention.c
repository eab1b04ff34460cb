/*
 * Softmax attention by blocks of BLOCK queries and BLOCK keys of a path (Dao, "FlashAttention-2",
 * arXiv 2307.08691): scores never leave the cache. Keys are numbered along the path, whichever segments
 * they lie in, and blocks start at multiples of BLOCK: so what a query gives depends on its path alone.
 *
 * Forward: a task is one block of queries and one key/value head, with all query heads that share it.
 * Backward: a task is one tree and one key/value head: no two tasks meet in a row of dk or dv.
 */
#include "kernels/x86/gemm.h"
#include "kernels/x86/vecmath.h"
#include "kernels/x86/x86_int.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 48 };

struct attn {
	struct kctx *c;
	const struct kattn *a;
	const float *q, *k, *v, *dout;
	float *out, *lse, *dq, *dk, *dv;
	size_t share, width; /* query heads a key head; head_dim in whole vectors */
	struct place *place;
	size_t places;
};

/* Where a task starts: a block of queries (forward), or a root (backward). */
struct place {
	size_t seg, first;
};

/* Positions of a block of keys, and of them what query j of the segment sees. */
struct keys {
	size_t first, n;
	size_t own; /* position of the key that query 0 of the segment ends with */
	size_t row[BLOCK];
};

static size_t seen(const struct keys *b, size_t j)
{
	size_t end = b->own + j + 1;
	return end <= b->first ? 0 : cpu_min(end - b->first, b->n);
}

/* Rows of x (a head of k or v) one after the other, zeros to whole vectors. 1: all finite. */
static int pack(const struct attn *s, const struct keys *b, const float *x, size_t g, float *dst)
{
	size_t D = s->a->head_dim;
	vec any = v_set(0);
	for (size_t r = 0; r < b->n; r++)
		for (size_t d = 0; d < s->width; d += W) {
			const float *src = x + (b->row[r] * s->a->kv_heads + g) * D + d;
			vec v = v_load_part(src, v_first(D - d));
			any += v - v; /* NaN where v is not finite */
			v_store(dst + r * s->width + d, v);
		}
	return v_sum(any) == 0;
}

/* The same turned: [D][BLOCK]; columns beyond n are left as they are. */
static void turn(const struct attn *s, size_t n, const float *packed, float *dst)
{
	for (size_t r = 0; r < n; r += W)
		for (size_t d = 0; d < s->width; d += W) {
			vec t[W];
			for (size_t l = 0; l < W; l++)
				t[l] = r + l < n ? v_load(packed + (r + l) * s->width + d)
						 : v_set(0);
			v_transpose(t);
			for (size_t l = 0; l < W; l++)
				v_store(dst + (d + l) * BLOCK + r, t[l]);
		}
}

/* ---- forward ---- */

/* A worker's memory; the arrays beside it are sized by the heads. */
struct fwd {
	float score[BLOCK * BLOCK];
	float *keys, *turned, *values; /* [BLOCK][width], [width][BLOCK], [BLOCK][width] */
	float *out;		       /* [share][BLOCK][width], not yet divided by … */
	float *sum, *max;	       /* [share][BLOCK] */
};

static size_t fwd_floats(const struct attn *s)
{
	return BLOCK * s->width * (3 + s->share) + 2 * BLOCK * s->share;
}

static struct fwd *fwd_memory(const struct attn *s, void *scratch)
{
	struct fwd *f = scratch;
	f->keys = (float *)(f + 1);
	f->turned = f->keys + BLOCK * s->width;
	f->values = f->turned + BLOCK * s->width;
	f->out = f->values + BLOCK * s->width;
	f->sum = f->out + BLOCK * s->width * s->share;
	f->max = f->sum + BLOCK * s->share;
	return f;
}

/*
 * One row of scores, of which `n` are seen, to exp(score - max) with the running max; what is not
 * seen to 0. Row's sum and output so far are brought to the new max.
 */
static void soften(
	float *score, size_t n, float scale, float *max, float *sum, float *out, size_t width)
{
	vec top = v_set(*max);
	for (size_t c = 0; c < BLOCK; c += W) {
		vec x = v_load(score + c) * v_set(scale);
		x = v_keep(x, v_first(n > c ? n - c : 0), v_set(-INFINITY));
		v_store(score + c, x);
		top = v_max(x, top);
	}
	float now = v_greatest(top);
	vec total = v_set(0);
	for (size_t c = 0; c < BLOCK; c += W) {
		vec e = v_exp(v_load(score + c) - v_set(now));
		v_store(score + c, e);
		total += e;
	}
	vec before[1] = {v_exp(v_set(*max - now))};
	float fade;
	memcpy(&fade, before, sizeof fade);
	*sum = *sum * fade + v_sum(total);
	*max = now;
	if (fade != 1)
		for (size_t d = 0; d < width; d += W)
			v_store(out + d, v_load(out + d) * v_set(fade));
}

static void fwd_keys(const struct attn *s, struct fwd *f, const struct keys *b, size_t seg,
	size_t first, size_t nq, size_t g)
{
	const struct kattn *a = s->a;
	size_t D = a->head_dim, width = s->width;
	pack(s, b, s->k, g, f->keys);
	turn(s, b->n, f->keys, f->turned);
	int finite = pack(s, b, s->v, g, f->values);
	for (size_t h = 0; h < s->share; h++) {
		const float *q =
			s->q + ((a->segs[seg].q0 + first) * a->heads + g * s->share + h) * D;
		float *out = f->out + h * BLOCK * width;
		gemm_small(nq, BLOCK, D, q, a->heads * D, 1, f->turned, BLOCK, f->score, BLOCK, 0);
		for (size_t j = 0; j < nq; j++)
			soften(f->score + j * BLOCK, seen(b, first + j), a->scale,
				f->max + h * BLOCK + j, f->sum + h * BLOCK + j, out + j * width,
				width);
		if (finite)
			gemm_small(nq, width, b->n, f->score, BLOCK, 1, f->values, width, out,
				width, 1);
		/* 0 times a NaN that a query does not see would reach it. */
		for (size_t j = 0; !finite && j < nq; j++)
			gemm_small(1, width, seen(b, first + j), f->score + j * BLOCK, BLOCK, 1,
				f->values, width, out + j * width, width, 1);
	}
}

static void fwd_task(void *arg, size_t i, int worker)
{
	const struct attn *s = arg;
	const struct kattn *a = s->a;
	/* Later blocks see more keys: they go first, so that the team ends together. */
	const struct place *at = &s->place[s->places - 1 - i / a->kv_heads];
	const struct kseg *seg = &a->segs[at->seg];
	size_t g = i % a->kv_heads, width = s->width, nq = cpu_min(BLOCK, seg->nq - at->first);
	struct fwd *f = fwd_memory(s, s->c->scratch[worker]);
	memset(f->out, 0, BLOCK * width * s->share * sizeof *f->out);
	for (size_t j = 0; j < BLOCK * s->share; j++) {
		f->sum[j] = 0;
		f->max[j] = -INFINITY;
	}
	struct keys b = {.own = cpu_path_keys(a, (int)at->seg) - seg->nq};
	size_t end = b.own + at->first + nq;
	for (b.first = 0; b.first < end; b.first += BLOCK) {
		b.n = cpu_min(BLOCK, end - b.first);
		cpu_path_rows(a, (int)at->seg, b.first, b.n, b.row);
		fwd_keys(s, f, &b, at->seg, at->first, nq, g);
	}
	for (size_t h = 0; h < s->share; h++)
		for (size_t j = 0; j < nq; j++) {
			size_t row = (seg->q0 + at->first + j) * a->heads + g * s->share + h;
			const float *out = f->out + (h * BLOCK + j) * width;
			float sum = f->sum[h * BLOCK + j];
			for (size_t d = 0; d < a->head_dim; d += W)
				v_store_part(s->out + row * a->head_dim + d,
					v_first(a->head_dim - d), v_load(out + d) / v_set(sum));
			if (s->lse)
				s->lse[row] = f->max[h * BLOCK + j] + logf(sum);
		}
}

static struct attn attn_of(struct kctx *c, const struct kattn *a)
{
	return (struct attn){.c = c,
		.a = a,
		.share = a->heads / a->kv_heads,
		.width = cpu_blocks(a->head_dim, W) * W};
}

/* For cpu_run: two products of all pairs of query and key. */
static size_t work(const struct kattn *a)
{
	size_t pairs = 0;
	for (size_t i = 0; i < a->nsegs; i++)
		pairs += a->segs[i].nq * cpu_path_keys(a, (int)i);
	return pairs * a->heads * a->head_dim / 8;
}

int FN(attn_fwd)(struct kctx *c, const struct kattn *a, struct kbuf q, struct kbuf k, struct kbuf v,
	struct kbuf out, struct kbuf lse)
{
	if (CPU_F32(q, k, v, out, lse))
		return KE_TYPE;
	struct attn s = attn_of(c, a);
	s.q = q.p;
	s.k = k.p;
	s.v = v.p;
	s.out = out.p;
	s.lse = lse.p;
	for (size_t i = 0; i < a->nsegs; i++)
		s.places += cpu_blocks(a->segs[i].nq, BLOCK);
	if (cpu_reserve_shared(c, s.places * sizeof *s.place) ||
		cpu_reserve(c, sizeof(struct fwd) + fwd_floats(&s) * sizeof(float)))
		return KE_MEMORY;
	s.place = c->shared;
	for (size_t i = 0, n = 0; i < a->nsegs; i++)
		for (size_t first = 0; first < a->segs[i].nq; first += BLOCK)
			s.place[n++] = (struct place){i, first};
	cpu_run(c, work(a), s.places * a->kv_heads, fwd_task, &s);
	return KE_OK;
}

/* ---- backward: p = exp(score - lse), dv += p^T dout, ds = p (dout v^T - dout.out),
 *      dq += ds k, dk += ds^T q ---- */

struct bwd {
	float p[BLOCK * BLOCK], ds[BLOCK * BLOCK];
	float *keys, *values;	    /* [BLOCK][width] */
	float *turned_k, *turned_v; /* [width][BLOCK] */
	float *q, *dout, *dq;	    /* [BLOCK][width]; q and dout of one head, dq of each */
	float *dk, *dv;		    /* [BLOCK][width] */
};

enum { BWD_ARRAYS = 8 }; /* beside dq, which there is for each head of the group */

static struct bwd *bwd_memory(const struct attn *s, void *scratch)
{
	struct bwd *f = scratch;
	float **array[] = {&f->keys, &f->values, &f->turned_k, &f->turned_v, &f->q, &f->dout,
		&f->dk, &f->dv, &f->dq};
	float *next = (float *)(f + 1);
	for (size_t i = 0; i < sizeof array / sizeof *array; i++, next += BLOCK * s->width)
		*array[i] = next;
	return f;
}

/* n rows of one head of x (ld apart) one after the other; and back, added or not. */
static void gather(const struct attn *s, const float *x, size_t ld, size_t n, float *dst)
{
	for (size_t r = 0; r < n; r++)
		v_copy_padded(dst + r * s->width, x + r * ld, s->a->head_dim);
}

static void put_rows(
	const struct attn *s, const struct keys *b, const float *src, size_t g, float *x)
{
	size_t D = s->a->head_dim;
	for (size_t r = 0; r < b->n; r++)
		v_copy(x + (b->row[r] * s->a->kv_heads + g) * D, src + r * s->width, D);
}

static void bwd_keys(const struct attn *s, struct bwd *f, const struct keys *b, size_t seg,
	size_t first, size_t nq, size_t g)
{
	const struct kattn *a = s->a;
	size_t D = a->head_dim, width = s->width, ld = a->heads * D;
	pack(s, b, s->k, g, f->keys);
	pack(s, b, s->v, g, f->values);
	turn(s, b->n, f->keys, f->turned_k);
	turn(s, b->n, f->values, f->turned_v);
	pack(s, b, s->dk, g, f->dk);
	pack(s, b, s->dv, g, f->dv);
	for (size_t h = 0; h < s->share; h++) {
		size_t row = (a->segs[seg].q0 + first) * a->heads + g * s->share + h;
		const float *q = s->q + row * D, *dout = s->dout + row * D, *out = s->out + row * D;
		gemm_small(nq, BLOCK, D, q, ld, 1, f->turned_k, BLOCK, f->p, BLOCK, 0);
		gemm_small(nq, BLOCK, D, dout, ld, 1, f->turned_v, BLOCK, f->ds, BLOCK, 0);
		for (size_t j = 0; j < nq; j++) {
			vec lse = v_set(s->lse[row + j * a->heads]), scale = v_set(a->scale),
			    sum = v_set(0);
			for (size_t d = 0; d < D; d += W) {
				vmask m = v_first(D - d);
				sum += v_load_part(dout + j * ld + d, m) *
				       v_load_part(out + j * ld + d, m);
			}
			vec delta = v_set(v_sum(sum));
			size_t n = seen(b, first + j);
			for (size_t c = 0; c < BLOCK; c += W) {
				float *p = f->p + j * BLOCK + c, *ds = f->ds + j * BLOCK + c;
				vmask m = v_first(n > c ? n - c : 0);
				vec e = v_keep(v_exp(v_load(p) * scale - lse), m, v_set(0));
				v_store(p, e);
				v_store(ds, v_keep(scale * e * (v_load(ds) - delta), m, v_set(0)));
			}
		}
		gather(s, q, ld, nq, f->q);
		gather(s, dout, ld, nq, f->dout);
		gemm_small(b->n, width, nq, f->p, 1, BLOCK, f->dout, width, f->dv, width, 1);
		gemm_small(b->n, width, nq, f->ds, 1, BLOCK, f->q, width, f->dk, width, 1);
		gemm_small(nq, width, b->n, f->ds, BLOCK, 1, f->keys, width,
			f->dq + h * BLOCK * width, width, 1);
	}
	put_rows(s, b, f->dk, g, s->dk);
	put_rows(s, b, f->dv, g, s->dv);
}

static void bwd_queries(const struct attn *s, struct bwd *f, size_t seg, size_t first, size_t g)
{
	const struct kattn *a = s->a;
	size_t D = a->head_dim, nq = cpu_min(BLOCK, a->segs[seg].nq - first);
	memset(f->dq, 0, BLOCK * s->width * s->share * sizeof *f->dq);
	struct keys b = {.own = cpu_path_keys(a, (int)seg) - a->segs[seg].nq};
	size_t end = b.own + first + nq;
	for (b.first = 0; b.first < end; b.first += BLOCK) {
		b.n = cpu_min(BLOCK, end - b.first);
		cpu_path_rows(a, (int)seg, b.first, b.n, b.row);
		bwd_keys(s, f, &b, seg, first, nq, g);
	}
	for (size_t h = 0; h < s->share; h++)
		for (size_t j = 0; j < nq; j++) {
			size_t row = (a->segs[seg].q0 + first + j) * a->heads + g * s->share + h;
			v_copy(s->dq + row * D, f->dq + (h * BLOCK + j) * s->width, D);
		}
}

static int in_tree(const struct kattn *a, size_t i, size_t root)
{
	int at = (int)i;
	while (a->segs[at].parent >= 0)
		at = a->segs[at].parent;
	return (size_t)at == root;
}

static void bwd_task(void *arg, size_t i, int worker)
{
	const struct attn *s = arg;
	const struct kattn *a = s->a;
	size_t root = s->place[i / a->kv_heads].seg, g = i % a->kv_heads, D = a->head_dim;
	struct bwd *f = bwd_memory(s, s->c->scratch[worker]);
	for (size_t j = root; j < a->nsegs; j++) {
		const struct kseg *seg = &a->segs[j];
		if (!in_tree(a, j, root))
			continue;
		for (size_t r = seg->k0; r < seg->k0 + seg->nk; r++) {
			memset(s->dk + (r * a->kv_heads + g) * D, 0, D * sizeof *s->dk);
			memset(s->dv + (r * a->kv_heads + g) * D, 0, D * sizeof *s->dv);
		}
		for (size_t first = 0; first < seg->nq; first += BLOCK)
			bwd_queries(s, f, j, first, g);
	}
}

int FN(attn_bwd)(struct kctx *c, const struct kattn *a, struct kbuf q, struct kbuf k, struct kbuf v,
	struct kbuf out, struct kbuf lse, struct kbuf dout, struct kbuf dq, struct kbuf dk,
	struct kbuf dv)
{
	if (CPU_F32(q, k, v, out, lse, dout, dq, dk, dv))
		return KE_TYPE;
	struct attn s = attn_of(c, a);
	s.q = q.p;
	s.k = k.p;
	s.v = v.p;
	s.out = out.p;
	s.lse = lse.p;
	s.dout = dout.p;
	s.dq = dq.p;
	s.dk = dk.p;
	s.dv = dv.p;
	size_t floats = BLOCK * s.width * (BWD_ARRAYS + s.share);
	if (cpu_reserve_shared(c, a->nsegs * sizeof *s.place) ||
		cpu_reserve(c, sizeof(struct bwd) + floats * sizeof(float)))
		return KE_MEMORY;
	s.place = c->shared;
	for (size_t i = 0; i < a->nsegs; i++)
		if (a->segs[i].parent < 0)
			s.place[s.places++] = (struct place){i, 0};
	cpu_run(c, work(a), s.places * a->kv_heads, bwd_task, &s);
	return KE_OK;
}
