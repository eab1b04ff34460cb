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

static struct kbuf new_buf(const struct model *m, size_t n)
{
	return (struct kbuf){m->k->alloc(m->kc, n * sizeof(float)), DT_F32};
}

/* Rows [at, at + n) of W, each `width` long, to the host. */
static int unpack(struct model *m, const struct measured *w, size_t at, size_t n, size_t width,
	struct kbuf rows, float *host)
{
	uint32_t *ids = mem_alloc(n, sizeof *ids);
	for (size_t i = 0; i < n; i++)
		ids[i] = (uint32_t)(at + i);
	int rc = m->k->gather(m->kc, w->w, ids, n, rows);
	if (rc == 0)
		rc = m->k->read(m->kc, host, rows.p, n * width * sizeof *host);
	mem_free(ids);
	return rc;
}

static void add_squares(
	const struct measured *w, const float *rows, size_t at, size_t n, size_t width)
{
	double *squares = w->d->squares;
	for (size_t i = 0; i < n; i++) {
		const float *row = rows + i * width;
		if (!w->columns)
			squares[at + i] = dot(row, row, width);
		for (size_t j = 0; w->columns && j < width; j++)
			squares[j] += (double)row[j] * (double)row[j];
	}
}

int dora_open(struct model *m, const struct measured *w)
{
	struct dora *d = w->d;
	size_t height = w->columns ? w->len : w->n, width = w->columns ? w->n : w->len;
	size_t most = PIECE / width ? PIECE / width : 1;
	struct kbuf rows = new_buf(m, most * width);
	float *host = mem_alloc(most * width, sizeof *host);
	d->squares = mem_zalloc(w->n, sizeof *d->squares);
	d->g = new_buf(m, w->n);
	d->inverse = new_buf(m, w->n);
	int rc = rows.p && d->g.p && d->inverse.p ? 0 : KE_MEMORY;
	for (size_t n, at = 0; rc == 0 && at < height; at += n) {
		n = height - at < most ? height - at : most;
		rc = unpack(m, w, at, n, width, rows, host);
		if (rc == 0)
			add_squares(w, host, at, n, width);
	}
	mem_free(host);
	if (rows.p)
		m->k->free(m->kc, rows.p);
	return rc;
}

/* A [r,len], B [n,r] and A's product with W as [r,n] in host memory. */
struct parts {
	float *a, *b, *wa;
};

static int fetch(struct model *m, const struct measured *w, struct parts *h)
{
	static const struct kbuf none;
	struct klinear base = {.w = w->w};
	struct kbuf wa = new_buf(m, w->r * w->n);
	int rc = wa.p ? 0 : KE_MEMORY;
	if (rc == 0)
		rc = w->columns ? m->k->linear_bwd(m->kc, &base, none, none, w->a, w->r, wa, 0)
				: m->k->linear_fwd(m->kc, &base, w->a, w->r, wa, none);
	if (rc == 0)
		rc = m->k->read(m->kc, h->wa, wa.p, w->r * w->n * sizeof *h->wa);
	if (rc == 0)
		rc = m->k->read(m->kc, h->a, w->a.p, w->r * w->len * sizeof *h->a);
	if (rc == 0)
		rc = m->k->read(m->kc, h->b, w->b.p, w->r * w->n * sizeof *h->b);
	if (wa.p)
		m->k->free(m->kc, wa.p);
	return rc;
}

/* norm[n]. */
static void norms(const struct measured *w, const struct parts *h, float *norm)
{
	size_t R = w->r;
	double s = (double)w->scale;
	double *aa = mem_alloc(mem_mul(R, R), sizeof *aa);
	for (size_t i = 0; i < R; i++)
		for (size_t j = 0; j <= i; j++)
			aa[i * R + j] = aa[j * R + i] =
				dot(h->a + i * w->len, h->a + j * w->len, w->len);
	for (size_t n = 0; n < w->n; n++) {
		const float *b = h->b + n * R;
		double sum = w->d->squares[n];
		for (size_t i = 0; i < R; i++) {
			double inner = 2 * (double)h->wa[i * w->n + n];
			for (size_t j = 0; j < R; j++)
				inner += s * aa[i * R + j] * (double)b[j];
			sum += s * (double)b[i] * inner;
		}
		norm[n] = (float)sqrt(sum > 0 ? sum : 0);
	}
	mem_free(aa);
}

static float over(float a, float b)
{
	return b != 0 ? a / b : 0; /* rows of zeros stay zeros */
}

int dora_refresh(struct model *m, const struct measured *w, int fresh)
{
	struct dora *d = w->d;
	size_t R = w->r, N = w->n, bytes = N * sizeof(float);
	struct parts h = {mem_alloc(R * w->len, sizeof(float)), mem_alloc(R * N, sizeof(float)),
		mem_alloc(R * N, sizeof(float))};
	float *norm = mem_alloc(N, sizeof *norm), *value = mem_alloc(N, sizeof *value);
	int rc = fetch(m, w, &h);
	if (rc == 0) {
		norms(w, &h, norm);
		rc = fresh ? m->k->write(m->kc, d->value.p, norm, bytes)
			   : m->k->read(m->kc, value, d->value.p, bytes);
	}
	if (fresh)
		memcpy(value, norm, bytes);
	for (size_t n = 0; n < N && rc == 0; n++) {
		float g = over(value[n], norm[n]);
		norm[n] = over(1, w->columns ? value[n] : norm[n]);
		value[n] = g;
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
