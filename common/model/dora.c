/*
 * DoRA's norms without W + s B A: |w_n + s b_n A|^2 = |w_n|^2 + 2 s b_n (A w_n) + s^2 b_n (A A^T) b_n.
 * The first is taken once, W A^T is the ordinary product over A's few rows, the rest is small and in
 * double. So a quantised W is never there whole.
 */
#include "common/model/model_int.h"

#include "common/mem.h"

#include <math.h>
#include <string.h>

enum { PIECE = 1 << 20 }; /* elements of W unpacked at a time, when its rows are measured */

static double dot(const float *a, const float *b, size_t n)
{
	double lane[4] = {0};
	size_t i = 0;
	for (; i + 4 <= n; i += 4)
		for (int l = 0; l < 4; l++)
			lane[l] += (double)a[i + l] * (double)b[i + l];
	for (; i < n; i++)
		lane[0] += (double)a[i] * (double)b[i];
	return (lane[0] + lane[1]) + (lane[2] + lane[3]);
}

/* Rows [at, at + n) of W to `rows`; their squares. */
static int measure(
	struct model *m, struct projection *p, size_t at, size_t n, struct kbuf rows, float *host)
{
	uint32_t *ids = mem_alloc(n, sizeof *ids);
	for (size_t i = 0; i < n; i++)
		ids[i] = (uint32_t)(at + i);
	int rc = m->k->gather(m->kc, p->l.w, ids, n, rows);
	if (rc == 0)
		rc = m->k->read(m->kc, host, rows.p, n * p->in * sizeof *host);
	for (size_t i = 0; rc == 0 && i < n; i++)
		p->dora->squares[at + i] = dot(host + i * p->in, host + i * p->in, p->in);
	mem_free(ids);
	return rc;
}

static struct kbuf new_buf(const struct model *m, size_t n)
{
	return (struct kbuf){m->k->alloc(m->kc, n * sizeof(float)), DT_F32};
}

int dora_open(struct model *m, struct projection *p)
{
	struct dora *d = p->dora;
	size_t most = PIECE / p->in ? PIECE / p->in : 1;
	struct kbuf rows = new_buf(m, most * p->in);
	float *host = mem_alloc(most * p->in, sizeof *host);
	d->squares = mem_alloc(p->out, sizeof *d->squares);
	d->g = new_buf(m, p->out);
	d->inverse = new_buf(m, p->out);
	int rc = rows.p && d->g.p && d->inverse.p ? 0 : KE_MEMORY;
	for (size_t n, at = 0; rc == 0 && at < p->out; at += n) {
		n = p->out - at < most ? p->out - at : most;
		rc = measure(m, p, at, n, rows, host);
	}
	mem_free(host);
	if (rows.p)
		m->k->free(m->kc, rows.p);
	return rc;
}

/* A [R,K], B [N,R] and W A^T as [R,N] in host memory. */
struct parts {
	float *a, *b, *wa;
};

static int fetch(struct model *m, const struct projection *p, struct parts *h)
{
	size_t R = p->l.lora.r;
	struct klinear base = {.w = p->l.w};
	struct kbuf wa = new_buf(m, R * p->out);
	int rc = wa.p ? 0 : KE_MEMORY;
	if (rc == 0)
		rc = m->k->linear_fwd(m->kc, &base, p->l.lora.a, R, wa, (struct kbuf){0});
	if (rc == 0)
		rc = m->k->read(m->kc, h->wa, wa.p, R * p->out * sizeof *h->wa);
	if (rc == 0)
		rc = m->k->read(m->kc, h->a, p->l.lora.a.p, R * p->in * sizeof *h->a);
	if (rc == 0)
		rc = m->k->read(m->kc, h->b, p->l.lora.b.p, R * p->out * sizeof *h->b);
	if (wa.p)
		m->k->free(m->kc, wa.p);
	return rc;
}

/* norm[N]. A row whose norm is 0 has none. */
static void norms(const struct projection *p, const struct parts *h, float *norm)
{
	size_t R = p->l.lora.r, N = p->out;
	double s = (double)p->l.lora.scale;
	double *aa = mem_alloc(mem_mul(R, R), sizeof *aa);
	for (size_t i = 0; i < R; i++)
		for (size_t j = 0; j <= i; j++)
			aa[i * R + j] = aa[j * R + i] =
				dot(h->a + i * p->in, h->a + j * p->in, p->in);
	for (size_t n = 0; n < N; n++) {
		const float *b = h->b + n * R;
		double sum = p->dora->squares[n];
		for (size_t i = 0; i < R; i++) {
			double inner = 2 * (double)h->wa[i * N + n];
			for (size_t j = 0; j < R; j++)
				inner += s * aa[i * R + j] * (double)b[j];
			sum += s * (double)b[i] * inner;
		}
		norm[n] = (float)sqrt(sum > 0 ? sum : 0);
	}
	mem_free(aa);
}

int dora_refresh(struct model *m, struct projection *p, int fresh)
{
	struct dora *d = p->dora;
	size_t R = p->l.lora.r, N = p->out, bytes = N * sizeof(float);
	struct parts h = {mem_alloc(R * p->in, sizeof(float)), mem_alloc(R * N, sizeof(float)),
		mem_alloc(R * N, sizeof(float))};
	float *norm = mem_alloc(N, sizeof *norm), *value = mem_alloc(N, sizeof *value);
	int rc = fetch(m, p, &h);
	if (rc == 0) {
		norms(p, &h, norm);
		rc = fresh ? m->k->write(m->kc, d->value.p, norm, bytes)
			   : m->k->read(m->kc, value, d->value.p, bytes);
	}
	if (fresh)
		memcpy(value, norm, bytes);
	for (size_t n = 0; n < N && rc == 0; n++) {
		value[n] = norm[n] > 0 ? value[n] / norm[n] : 0;
		norm[n] = norm[n] > 0 ? 1 / norm[n] : 0;
	}
	if (rc == 0)
		rc = m->k->write(m->kc, d->g.p, value, bytes);
	if (rc == 0)
		rc = m->k->write(m->kc, d->inverse.p, norm, bytes);
	mem_free(h.a);
	mem_free(h.b);
	mem_free(h.wa);
	mem_free(norm);
	mem_free(value);
	return rc;
}

void dora_free(struct model *m, struct dora *d)
{
	if (d && d->g.p)
		m->k->free(m->kc, d->g.p);
	if (d && d->inverse.p)
		m->k->free(m->kc, d->inverse.p);
	if (d)
		mem_free(d->squares);
	mem_free(d);
}
