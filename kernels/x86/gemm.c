/* The blocks of a product: panels of B unpacked into the cache, and how the work is split. */
#include "kernels/x86/gemm.h"

#include "kernels/x86/x86_int.h"

#include <string.h>

/* ---- panels: [k][n rounded up to whole vectors], the rest zero ---- */

static size_t padded(size_t n)
{
	return cpu_blocks(n, W) * W;
}

/* Asks for columns k0 … of row n of b, as they lie in memory. */
static void prefetch_row(const struct kweight *b, size_t n, size_t k0, size_t nk)
{
	const char *from = (const char *)b->d.data + dtype_bytes(b->d.dtype, n * b->d.k + k0);
	size_t bytes = dtype_bytes(b->d.dtype, nk);
	for (size_t at = 0; at < bytes; at += 64)
		__builtin_prefetch(from + at);
}

/* Panels of TILE_N columns, one after the other, from whole rows of the group. */
static void pack_rows(
	const struct term *t, size_t p0, size_t k, size_t j0, size_t n, float *dst, float *row)
{
	enum { AHEAD = 8 };
	for (size_t p = 0; p < k; p++) {
		if (p + AHEAD < k)
			prefetch_row(t->b, p0 + p + AHEAD, j0, n);
		const float *src = t->b->rows(t->b, p0 + p, j0, n, row);
		if (t->drop_b) {
			FN(drop)(t->drop_b, p0 + p, j0, n, src, row);
			src = row;
		}
		for (size_t j = 0; j < n; j += TILE_N) {
			size_t cols = cpu_min(TILE_N, n - j);
			v_copy_padded(dst + j * k + p * padded(cols), src + j, cols);
		}
	}
}

/* Where rows j … j+W-1 of b, columns p0 … of k, can be read: in place or unpacked to `rows`. */
static void find_rows(const struct term *t, size_t p0, size_t k, size_t j, size_t end,
	const float *src[W], float *rows)
{
	/* Beyond the last: the last again, whose result is not kept. */
	for (size_t l = 0; l < W; l++)
		src[l] = t->b->rows(t->b, j + l < end ? j + l : end - 1, p0, k, rows + l * PANEL_K);
}

/* W rows from column p on, n <= W columns of them, turned: r[i] has column p + i. */
INLINE void turned(const float *const src[W], size_t p, size_t n, vec r[W])
{
	if (n == W) {
#pragma GCC unroll 16
		for (size_t l = 0; l < W; l++)
			r[l] = v_load(src[l] + p);
	} else {
		vmask part = v_first(n);
#pragma GCC unroll 16
		for (size_t l = 0; l < W; l++)
			r[l] = v_load_part(src[l] + p, part);
	}
	v_transpose(r);
}

static void pack_transposed(
	const struct term *t, size_t p0, size_t k, size_t j0, size_t n, float *dst, float *rows)
{
	for (size_t j = 0; j < n; j += W) {
		size_t first = j / TILE_N * TILE_N, width = padded(cpu_min(TILE_N, n - first));
		const float *src[W];
		for (size_t l = j + W; l < j + 2 * W && l < n; l++)
			prefetch_row(t->b, j0 + l, p0, k);
		find_rows(t, p0, k, j0 + j, j0 + n, src, rows);
		for (size_t p = 0; p < k; p += W) {
			size_t left = cpu_min(W, k - p);
			float *to = dst + first * k + p * width + (j - first);
			vec r[W];
			turned(src, p, left, r);
			if (left == W) {
#pragma GCC unroll 16
				for (size_t l = 0; l < W; l++)
					v_store(to + l * width, r[l]);
			} else {
				for (size_t l = 0; l < left; l++)
					v_store(to + l * width, r[l]);
			}
		}
	}
}

static void pack(
	const struct term *t, size_t p0, size_t k, size_t j0, size_t n, float *dst, float *rows)
{
	if (t->b_transposed)
		pack_transposed(t, p0, k, j0, n, dst, rows);
	else
		pack_rows(t, p0, k, j0, n, dst, rows);
	if (t->scale != 1)
		for (size_t i = 0; i < k * padded(n); i++)
			dst[i] *= t->scale;
}

/* ---- a block of C: m rows from i0, n <= GROUP columns from j0 ---- */

struct scratch {
	float panel[PANEL_K * GROUP];
	float rows[W * PANEL_K];       /* of b, unpacked */
	float product[TILE_M * GROUP]; /* a term before it is dropped */
};

/*
 * Few rows (generation): b is used once, so it is turned in registers and never becomes a panel. Same
 * chain an element.
 */
enum { THIN = 4 };

INLINE void thin_columns(const struct term *t, size_t m, const float *a, size_t j, size_t end,
	float *c, size_t ldc, int add, float *rows)
{
	vmask edge = v_first(end - j);
	vec sum[THIN];
#pragma GCC unroll 4
	for (size_t i = 0; i < m; i++)
		sum[i] = add ? v_load_part(c + i * ldc, edge) : v_set(0);
	for (size_t p0 = 0; p0 < t->k; p0 += PANEL_K) {
		size_t k = cpu_min(PANEL_K, t->k - p0), next = p0 + k;
		const float *src[W];
		for (size_t l = j; l < j + W && l < end && next < t->k; l++)
			prefetch_row(t->b, l, next, cpu_min(PANEL_K, t->k - next));
		find_rows(t, p0, k, j, end, src, rows);
		for (size_t p = 0; p < k; p += W) {
			size_t left = cpu_min(W, k - p);
			vec r[W];
			turned(src, p, left, r);
#pragma GCC unroll 16
			for (size_t l = 0; l < W; l++)
#pragma GCC unroll 4
				for (size_t i = 0; l < left && i < m; i++)
					sum[i] = v_fma(v_set(a[i * t->ars + p0 + p + l]),
						r[l] * v_set(t->scale), sum[i]);
		}
	}
#pragma GCC unroll 4
	for (size_t i = 0; i < m; i++)
		v_store_part(c + i * ldc, edge, sum[i]);
}

static void thin(const struct term *t, size_t m, const float *a, size_t j0, size_t n, float *c,
	size_t ldc, int add, float *rows)
{
	for (size_t j = 0; j < n; j += W)
		if (m == 1)
			thin_columns(t, 1, a, j0 + j, j0 + n, c + j, ldc, add, rows);
		else if (m == 2)
			thin_columns(t, 2, a, j0 + j, j0 + n, c + j, ldc, add, rows);
		else if (m == 3)
			thin_columns(t, 3, a, j0 + j, j0 + n, c + j, ldc, add, rows);
		else
			thin_columns(t, 4, a, j0 + j, j0 + n, c + j, ldc, add, rows);
}

static void block(struct kctx *c, const struct gemm *g, size_t i0, size_t m, size_t j0, size_t n,
	struct scratch *s)
{
	int add = g->add;
	if (g->bias)
		for (size_t i = i0; i < i0 + m; i++)
			memcpy(g->c + i * g->ldc + j0, g->bias + j0, n * sizeof(float));
	add |= g->bias != NULL;
	for (int x = 0; x < g->nterms; x++) {
		const struct term *t = &g->term[x];
		if (m <= THIN && t->b_transposed && t->acs == 1) {
			thin(t, m, t->a + i0 * t->ars, j0, n, g->c + i0 * g->ldc + j0, g->ldc, add,
				s->rows);
			add = 1;
			continue;
		}
		for (size_t p0 = 0; p0 < t->k; p0 += PANEL_K) {
			size_t k = cpu_min(PANEL_K, t->k - p0);
			pack(t, p0, k, j0, n, s->panel, s->rows);
			for (size_t i = i0; i < i0 + m; i += TILE_M) {
				size_t rows = cpu_min(TILE_M, i0 + m - i);
				for (size_t j = 0; j < n; j += TILE_N) {
					size_t cols = cpu_min(TILE_N, n - j);
					gemm_small(rows, cols, k, t->a + i * t->ars + p0 * t->acs,
						t->ars, t->acs, s->panel + j * k, padded(cols),
						t->drop_c ? s->product + j
							  : g->c + i * g->ldc + j0 + j,
						t->drop_c ? GROUP : g->ldc, !t->drop_c && add);
				}
				if (t->drop_c)
					gemm_add_dropped(
						c, g, t->drop_c, i, rows, j0, n, s->product, GROUP);
			}
			add = 1;
		}
	}
}

/* ---- the split ---- */

struct split {
	struct kctx *c;
	const struct gemm *g;
	size_t rows, cols, across; /* of a block; blocks side by side */
};

static void task(void *arg, size_t i, int worker)
{
	const struct split *s = arg;
	size_t i0 = i / s->across * s->rows, j0 = i % s->across * s->cols;
	block(s->c, s->g, i0, cpu_min(s->rows, s->g->m - i0), j0, cpu_min(s->cols, s->g->n - j0),
		s->c->scratch[worker]);
}

int gemm_run(struct kctx *c, const struct gemm *g)
{
	if (cpu_reserve(c, sizeof(struct scratch)))
		return KE_MEMORY;
	/*
	 * Blocks of all rows unpack B once; they get narrower, then lower, until there are enough
	 * for the team to finish together.
	 */
	size_t wanted = 4 * (size_t)team_size(c->team);
	struct split s = {c, g, g->m, GROUP, 0};
	while (s.cols > TILE_N && cpu_blocks(g->n, s.cols) < wanted)
		s.cols -= TILE_N;
	s.across = cpu_blocks(g->n, s.cols);
	if (team_size(c->team) > 1)
		while (s.rows > 8 * TILE_M && s.across * cpu_blocks(g->m, s.rows) < wanted)
			s.rows = cpu_blocks(cpu_blocks(s.rows, 2), TILE_M) * TILE_M;
	cpu_run(c, gemm_work(g), s.across * cpu_blocks(g->m, s.rows), task, &s);
	return KE_OK;
}
