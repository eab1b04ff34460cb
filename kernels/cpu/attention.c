/*
 * Softmax attention along the path of each segment. The keys of a query are the ranges of its
 * ancestors, root first, then its own up to itself; scores of one query at a time. A task is one
 * tree (a root with all its descendants) and one key/value head: no two tasks share a row of dk or
 * dv.
 */
#include "kernels/cpu/cpu_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct attn {
	struct kctx *c;
	const struct kattn *a;
	const float *q, *k, *v, *dout;
	float *out, *lse, *dq, *dk, *dv;
	size_t *root; /* [nsegs]: the tree of each segment, numbered from 0 */
	size_t trees;
};

size_t cpu_path_keys(const struct kattn *a, int i)
{
	size_t n = 0;
	for (; i >= 0; i = a->segs[i].parent)
		n += a->segs[i].nk;
	return n;
}

void cpu_path_rows(const struct kattn *a, int i, size_t p0, size_t n, size_t *row)
{
	size_t start = cpu_path_keys(a, a->segs[i].parent); /* where segment i's own keys begin */
	for (;;) {
		const struct kseg *s = &a->segs[i];
		for (size_t p = p0 > start ? p0 : start; p < p0 + n && p < start + s->nk; p++)
			row[p - p0] = s->k0 + (p - start);
		i = s->parent;
		if (i < 0)
			return;
		start -= a->segs[i].nk;
	}
}

/* Numbers the trees and sizes the workers' scratch: two floats and a row number a key of the
 * longest path. */
static int prepare(struct attn *s, struct kctx *c, const struct kattn *a)
{
	size_t longest = 0;
	s->c = c;
	s->a = a;
	if (cpu_reserve_shared(c, a->nsegs * sizeof *s->root))
		return KE_MEMORY;
	s->root = c->shared;
	for (size_t i = 0; i < a->nsegs; i++) {
		const struct kseg *seg = &a->segs[i];
		s->root[i] = seg->parent < 0 ? s->trees++ : s->root[seg->parent];
		size_t keys = cpu_path_keys(a, (int)i);
		longest = keys > longest ? keys : longest;
	}
	return cpu_reserve(c, longest * (sizeof(size_t) + 2 * sizeof(float)));
}

/* Calls fn for each query of tree i / G, in order, with the rows it sees. */
static void each_query(struct attn *s, size_t task, int worker,
	void (*fn)(struct attn *s, size_t g, size_t t, const size_t *row, size_t n, float *score))
{
	const struct kattn *a = s->a;
	size_t *row = s->c->scratch[worker];
	float *score = (float *)((char *)row + s->c->scratch_bytes / 2);
	for (size_t i = 0; i < a->nsegs; i++) {
		if (s->root[i] != task / a->kv_heads)
			continue;
		for (size_t j = 0; j < a->segs[i].nq; j++) {
			size_t n = cpu_path_keys(a, (int)i) - a->segs[i].nq + j + 1;
			cpu_path_rows(a, (int)i, 0, n, row);
			fn(s, task % a->kv_heads, a->segs[i].q0 + j, row, n, score);
		}
	}
}

static void fwd_query(struct attn *s, size_t g, size_t t, const size_t *row, size_t n, float *score)
{
	const struct kattn *a = s->a;
	size_t D = a->head_dim, share = a->heads / a->kv_heads;
	for (size_t h = g * share; h < (g + 1) * share; h++) {
		const float *q = s->q + (t * a->heads + h) * D;
		float *out = s->out + (t * a->heads + h) * D, max = -INFINITY;
		double sum = 0;
		for (size_t r = 0; r < n; r++) {
			score[r] =
				a->scale * plain_dot(q, s->k + (row[r] * a->kv_heads + g) * D, D);
			if (score[r] > max)
				max = score[r];
		}
		for (size_t r = 0; r < n; r++) {
			score[r] = expf(score[r] - max);
			sum += (double)score[r];
		}
		memset(out, 0, D * sizeof *out);
		for (size_t r = 0; r < n; r++) {
			const float *v = s->v + (row[r] * a->kv_heads + g) * D;
			float p = (float)((double)score[r] / sum);
			for (size_t d = 0; d < D; d++)
				out[d] += p * v[d];
		}
		if (s->lse)
			s->lse[t * a->heads + h] = (float)((double)max + log(sum));
	}
}

static void fwd_task(void *arg, size_t i, int worker)
{
	each_query(arg, i, worker, fwd_query);
}

int plain_attn_fwd(struct kctx *c, const struct kattn *a, struct kbuf q, struct kbuf k,
	struct kbuf v, struct kbuf out, struct kbuf lse)
{
	if (CPU_F32(q, k, v, out, lse))
		return KE_TYPE;
	struct attn s = {.q = q.p, .k = k.p, .v = v.p, .out = out.p, .lse = lse.p};
	if (prepare(&s, c, a))
		return KE_MEMORY;
	team_run(c->team, s.trees * a->kv_heads, fwd_task, &s);
	return KE_OK;
}

/* p = exp(score - lse); dv += p dout; ds = p (dout.v - dout.out); dq += ds k; dk += ds q. */
static void bwd_query(struct attn *s, size_t g, size_t t, const size_t *row, size_t n, float *score)
{
	const struct kattn *a = s->a;
	size_t D = a->head_dim, share = a->heads / a->kv_heads;
	(void)score;
	for (size_t h = g * share; h < (g + 1) * share; h++) {
		size_t at = (t * a->heads + h) * D;
		const float *q = s->q + at, *dout = s->dout + at;
		float *dq = s->dq + at, lse = s->lse[t * a->heads + h];
		float delta = plain_dot(dout, s->out + at, D);
		memset(dq, 0, D * sizeof *dq);
		for (size_t r = 0; r < n; r++) {
			size_t kv = (row[r] * a->kv_heads + g) * D;
			const float *k = s->k + kv, *v = s->v + kv;
			float *dk = s->dk + kv, *dv = s->dv + kv;
			float p = expf(a->scale * plain_dot(q, k, D) - lse);
			float ds = a->scale * p * (plain_dot(dout, v, D) - delta);
			for (size_t d = 0; d < D; d++) {
				dv[d] += p * dout[d];
				dq[d] += ds * k[d];
				dk[d] += ds * q[d];
			}
		}
	}
}

static void bwd_task(void *arg, size_t i, int worker)
{
	struct attn *s = arg;
	const struct kattn *a = s->a;
	size_t D = a->head_dim;
	for (size_t j = 0; j < a->nsegs; j++) {
		const struct kseg *seg = &a->segs[j];
		for (size_t r = 0; s->root[j] == i / a->kv_heads && r < seg->nk; r++) {
			size_t kv = ((seg->k0 + r) * a->kv_heads + i % a->kv_heads) * D;
			memset(s->dk + kv, 0, D * sizeof *s->dk);
			memset(s->dv + kv, 0, D * sizeof *s->dv);
		}
	}
	each_query(s, i, worker, bwd_query);
}

int plain_attn_bwd(struct kctx *c, const struct kattn *a, struct kbuf q, struct kbuf k,
	struct kbuf v, struct kbuf out, struct kbuf lse, struct kbuf dout, struct kbuf dq,
	struct kbuf dk, struct kbuf dv)
{
	if (CPU_F32(q, k, v, out, lse, dout, dq, dk, dv))
		return KE_TYPE;
	struct attn s = {.q = q.p,
		.k = k.p,
		.v = v.p,
		.dout = dout.p,
		.out = out.p,
		.lse = lse.p,
		.dq = dq.p,
		.dk = dk.p,
		.dv = dv.p};
	if (prepare(&s, c, a))
		return KE_MEMORY;
	team_run(c->team, s.trees * a->kv_heads, bwd_task, &s);
	return KE_OK;
}
