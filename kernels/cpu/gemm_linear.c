/*
 * linear as products (gemm.h). The adapter is one more term of the base product, so y and dx are
 * written once; its gradients never form anything of the size of W. Rows go by in chunks, which
 * bounds the scratch and changes no byte.
 */
#include "kernels/cpu/gemm.h"

enum { CHUNK = 1024 }; /* rows; of h (when the caller keeps none) and of scale dy B */

static const float *view_rows(const struct kweight *w, size_t n, size_t k0, size_t nk, float *dst)
{
	(void)nk;
	(void)dst;
	return (const float *)w->d.data + n * w->d.k + k0;
}

struct kweight gemm_view(const struct kctx *c, const float *p, size_t rows, size_t cols)
{
	return (struct kweight){
		{.dtype = DT_F32, .n = rows, .k = cols, .data = p},
		.rows = view_rows,
		.rows_bf16 = c->rows_bf16,
	};
}

size_t gemm_work(const struct gemm *g)
{
	size_t k = 0;
	for (int i = 0; i < g->nterms; i++)
		k += g->term[i].k;
	return g->m * g->n * k / 16;
}

void gemm_add_dropped(struct kctx *c, const struct gemm *g, const struct kdropout *drop, size_t i,
	size_t m, size_t j, size_t n, float *product, size_t ld)
{
	for (size_t r = 0; r < m; r++) {
		float *src = product + r * ld, *dst = g->c + (i + r) * g->ldc + j;
		c->drop(drop, i + r, j, n, src, src);
		for (size_t x = 0; x < n; x++)
			dst[x] += src[x];
	}
}

static struct kdropout drop_from(const struct kdropout *d, size_t t)
{
	struct kdropout from = *d;
	if (from.p > 0) {
		from.record += t;
		from.pos += t;
	}
	return from;
}

int gemm_linear_fwd(struct kctx *c, gemm_fn *run, const struct klinear *l, struct kbuf x, size_t T,
	struct kbuf y, struct kbuf h)
{
	const struct klora *lora = &l->lora;
	if (CPU_F32(x, y, h, l->bias, lora->a, lora->b))
		return KE_TYPE;
	size_t N = l->w->d.n, K = l->w->d.k, R = lora->r;
	struct kweight a = gemm_view(c, lora->a.p, R, K), b = gemm_view(c, lora->b.p, N, R);
	int dropping = R && lora->drop.p > 0, bf16 = c->precision == KP_BF16;
	if (l->w->d.threshold > 0) /* the exception has no speed to lose */
		return plain_linear_fwd(c, l, x, T, y, h);
	size_t chunk = dropping || (R && !h.p) ? CHUNK : T;
	if (cpu_reserve_shared(
		    c, (dropping ? CHUNK * K : 0) * sizeof(float) + CHUNK * R * sizeof(float)))
		return KE_MEMORY;
	float *hs = c->shared, *dropped = hs + CHUNK * R;
	for (size_t t = 0; t < T; t += chunk) {
		size_t nt = cpu_min(chunk, T - t);
		const float *in = (const float *)x.p + t * K;
		if (R && h.p)
			hs = (float *)h.p + t * R;
		struct gemm gy = {nt, N, (float *)y.p + t * N, N, 0, l->bias.p,
			{{K, in, K, 1, l->w, 1, 1, NULL, NULL, bf16},
				{R, hs, R, 1, &b, 1, lora->scale, NULL, NULL, 0}},
			R ? 2 : 1};
		if (dropping) {
			struct kdropout drop = drop_from(&lora->drop, t);
			plain_dropout(c, &drop, (struct kbuf){(void *)(uintptr_t)in, DT_F32}, nt, K,
				(struct kbuf){dropped, DT_F32});
			in = dropped;
		}
		struct gemm gh = {
			nt, R, hs, R, 0, NULL, {{K, in, K, 1, &a, 1, 1, NULL, NULL, 0}}, 1};
		if ((R && run(c, &gh)) || run(c, &gy))
			return KE_MEMORY;
	}
	return KE_OK;
}

int gemm_linear_bwd(struct kctx *c, gemm_fn *run, const struct klinear *l, struct kbuf x,
	struct kbuf h, struct kbuf dy, size_t T, struct kbuf dx, int accumulate)
{
	const struct klora *lora = &l->lora;
	if (CPU_F32(x, h, dy, dx, l->dw, l->dbias, lora->a, lora->b, lora->da, lora->db))
		return KE_TYPE;
	size_t N = l->w->d.n, K = l->w->d.k, R = lora->r;
	struct kweight a = gemm_view(c, lora->a.p, R, K), b = gemm_view(c, lora->b.p, N, R);
	size_t chunk = R ? CHUNK : T;
	int bf16 = c->precision == KP_BF16;
	if (cpu_reserve_shared(c, CHUNK * R * sizeof(float)))
		return KE_MEMORY;
	float *g = c->shared; /* scale dy B */
	for (size_t t = 0; t < T; t += chunk) {
		size_t nt = cpu_min(chunk, T - t);
		const float *out = (const float *)dy.p + t * N, *in = (const float *)x.p + t * K;
		struct kdropout drop = drop_from(&lora->drop, t);
		const struct kdropout *dropping = R && drop.p > 0 ? &drop : NULL;
		struct kweight vx = gemm_view(c, in, nt, K);
		struct kweight vh = gemm_view(c, R ? (const float *)h.p + t * R : NULL, nt, R);
		int rc = 0;
		struct gemm gg = {nt, R, g, R, 0, NULL,
			{{N, out, N, 1, &b, 0, lora->scale, NULL, NULL, bf16}}, 1};
		if (R && (dx.p || lora->da.p))
			rc |= run(c, &gg);
		struct gemm gdx = {nt, K, (float *)dx.p + t * K, K, accumulate, NULL,
			{{N, out, N, 1, l->w, 0, 1, NULL, NULL, bf16},
				{R, g, R, 1, &a, 0, 1, NULL, dropping, bf16}},
			R ? 2 : 1};
		if (dx.p)
			rc |= run(c, &gdx);
		struct gemm gdw = {N, K, l->dw.p, K, 1, NULL,
			{{nt, out, 1, N, &vx, 0, 1, NULL, NULL, bf16}}, 1};
		if (l->dw.p)
			rc |= run(c, &gdw);
		struct gemm gda = {R, K, lora->da.p, K, 1, NULL,
			{{nt, g, 1, R, &vx, 0, 1, dropping, NULL, bf16}}, 1};
		if (R && lora->da.p)
			rc |= run(c, &gda);
		struct gemm gdb = {N, R, lora->db.p, R, 1, NULL,
			{{nt, out, 1, N, &vh, 0, lora->scale, NULL, NULL, bf16}}, 1};
		if (R && lora->db.p)
			rc |= run(c, &gdb);
		if (rc)
			return KE_MEMORY;
	}
	const struct kbuf none = {0};
	return l->dbias.p ? plain_sum_columns(c, dy, none, none, T, N, l->dbias) : KE_OK;
}
