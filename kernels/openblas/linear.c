/*
 * A block of C is a task: rows by columns that the shape alone decides. Weights are unpacked to f32 in
 * panels that fit the cache; f32 weights are read where they lie.
 */
#include "kernels/openblas/blas.h"

#include "kernels/cpu/gemm.h"

#include <string.h>

enum { PANEL_K = 512, COLS = 256, ROWS = 128, DROP_ROWS = 32 };

struct scratch {
	float panel[PANEL_K * COLS];
	float product[DROP_ROWS * COLS];
};

/* Part of B: rows p0 … of k (transposed: columns), columns j0 … of n; *ld: between its rows. */
static const float *unpack(const struct kctx *c, const struct term *t, size_t p0, size_t k,
	size_t j0, size_t n, float *dst, size_t *ld)
{
	size_t r0 = t->b_transposed ? j0 : p0, rows = t->b_transposed ? n : k;
	size_t c0 = t->b_transposed ? p0 : j0, cols = t->b_transposed ? k : n;
	const float *first = t->b->rows(t->b, r0, c0, cols, dst);
	*ld = t->b->d.k;
	if (first != dst && !t->drop_b)
		return first; /* in place */
	*ld = cols;
	for (size_t r = 0; r < rows; r++) {
		float *row = dst + r * cols;
		const float *src = t->b->rows(t->b, r0 + r, c0, cols, row);
		if (t->drop_b)
			c->drop(t->drop_b, r0 + r, c0, cols, src, row);
	}
	return dst;
}

static void multiply(const struct kctx *c, const struct term *t, size_t i, size_t m, size_t n,
	size_t p0, size_t k, const float *b, size_t ldb, float *dst, size_t ldc, int add)
{
	const struct blas *blas = c->own;
	int turned = t->acs != 1, tb = t->b_transposed ? BLAS_TRANSPOSED : BLAS_PLAIN;
	/* A single row may have any step; BLAS wants at least the row's length. */
	size_t lda = turned ? t->acs : t->ars > k ? t->ars : k;
	blas->sgemm(BLAS_ROW_MAJOR, turned ? BLAS_TRANSPOSED : BLAS_PLAIN, tb, (int)m, (int)n,
		(int)k, t->scale, t->a + i * t->ars + p0 * t->acs, (int)lda, b, (int)ldb,
		add ? 1 : 0, dst, (int)ldc);
}

struct split {
	struct kctx *c;
	const struct gemm *g;
	size_t rows, across; /* of a block; blocks side by side */
};

static void block(void *arg, size_t index, int worker)
{
	const struct split *s = arg;
	const struct gemm *g = s->g;
	struct scratch *mem = s->c->scratch[worker];
	size_t i0 = index / s->across * s->rows, m = cpu_min(s->rows, g->m - i0);
	size_t j0 = index % s->across * COLS, n = cpu_min(COLS, g->n - j0);
	float *dst = g->c + i0 * g->ldc + j0;
	int add = g->add || g->bias;
	for (size_t i = 0; g->bias && i < m; i++)
		memcpy(dst + i * g->ldc, g->bias + j0, n * sizeof *dst);
	for (int x = 0; x < g->nterms; x++) {
		const struct term *t = &g->term[x];
		for (size_t p0 = 0; p0 < t->k; p0 += PANEL_K) {
			size_t k = cpu_min(PANEL_K, t->k - p0), ldb;
			const float *b = unpack(s->c, t, p0, k, j0, n, mem->panel, &ldb);
			if (!t->drop_c)
				multiply(s->c, t, i0, m, n, p0, k, b, ldb, dst, g->ldc, add);
			for (size_t i = 0; t->drop_c && i < m; i += DROP_ROWS) {
				size_t rows = cpu_min(DROP_ROWS, m - i);
				multiply(s->c, t, i0 + i, rows, n, p0, k, b, ldb, mem->product,
					COLS, 0);
				gemm_add_dropped(s->c, g, t->drop_c, i0 + i, rows, j0, n,
					mem->product, COLS);
			}
			add = 1;
		}
	}
}

static int run(struct kctx *c, const struct gemm *g)
{
	if (cpu_reserve(c, sizeof(struct scratch)))
		return KE_MEMORY;
	/* All rows at once unpack B once; low blocks only where few columns would leave threads idle. */
	struct split s = {c, g, g->m, cpu_blocks(g->n, COLS)};
	if (s.across < 4)
		s.rows = ROWS;
	cpu_run(c, gemm_work(g), s.across * cpu_blocks(g->m, s.rows), block, &s);
	return KE_OK;
}

int blas_linear_fwd(struct kctx *c, const struct klinear *l, struct kbuf x, size_t T, struct kbuf y,
	struct kbuf h)
{
	return gemm_linear_fwd(c, run, l, x, T, y, h);
}

int blas_linear_bwd(struct kctx *c, const struct klinear *l, struct kbuf x, struct kbuf h,
	struct kbuf dy, size_t T, struct kbuf dx, int accumulate)
{
	return gemm_linear_bwd(c, run, l, x, h, dy, T, dx, accumulate);
}

const struct kernels kernels_openblas = {
	CPU_ENTRIES,
	PLAIN_ENTRIES,
	.name = "openblas",
	.exact_rows = 0,
	.precision = {KP_F32},
	.unavailable = blas_unavailable,
	.open = blas_open,
	.linear_fwd = blas_linear_fwd,
	.linear_bwd = blas_linear_bwd,
};
