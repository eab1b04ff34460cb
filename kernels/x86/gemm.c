/* The blocks of a product: panels of B unpacked into the cache, and how the work is split. */
#include "kernels/x86/gemm.h"

#include "kernels/x86/x86_int.h"

#include <string.h>

/* ---- panels: [k][n rounded up to whole vectors], the rest zero ---- */

static size_t padded(size_t n)
{
	return cpu_blocks(n, W) * W;
}

/* A term's length in cells: f32, or pairs of bf16. What follows counts cells along the sum. */
static size_t cells(const struct term *t)
{
	return t->bf16 ? cpu_blocks(t->k, 2) : t->k;
}

/* Asks for columns k0 … of row n of b, as they lie in memory. */
static void prefetch_row(const struct kweight *b, size_t n, size_t k0, size_t nk)
{
	const char *from = (const char *)b->d.data + dtype_bytes(b->d.dtype, n * b->d.k + k0);
	size_t bytes = dtype_bytes(b->d.dtype, nk);
	for (size_t at = 0; at < bytes; at += 64)
		__builtin_prefetch(from + at);
}

/* Columns of b that are cells p0 … of k in its row n, prefetched; and the cells, in place or in dst. */
static void prefetch_cells(const struct term *t, size_t n, size_t p0, size_t k)
{
	size_t size = t->bf16 ? 2 : 1;
	prefetch_row(t->b, n, p0 * size, cpu_min(k * size, t->k - p0 * size));
}

static const float *row_cells(const struct term *t, size_t n, size_t p0, size_t k, float *dst)
{
	if (!t->bf16)
		return t->b->rows(t->b, n, p0, k, dst);
	size_t len = cpu_min(2 * k, t->k - 2 * p0);
	const void *row = t->b->rows_bf16(t->b, n, 2 * p0, len, dst);
	if (len == 2 * k)
		return row;
	if (row != dst) /* the last one's other half is 0 */
		memcpy(dst, row, len * 2);
	memset((char *)dst + len * 2, 0, 2);
	return dst;
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

/* n columns of two rows to cells, zeros to whole vectors. */
static void pair_rows(const char *first, const char *second, size_t n, float *dst)
{
	size_t j = 0;
	for (; j + W <= n; j += W)
		v_store(dst + j, v_pair_bf16(first + j * 2, second + j * 2));
	if (j == n)
		return;
	uint16_t a[W] = {0}, b[W] = {0};
	memcpy(a, first + j * 2, (n - j) * 2);
	memcpy(b, second + j * 2, (n - j) * 2);
	v_store(dst + j, v_pair_bf16(a, b));
}

/* n columns from j0 of row r of b, as the term has them. dst: GROUP cells. */
static const char *row_bf16(const struct term *t, size_t r, size_t j0, size_t n, float *dst)
{
	if (!t->drop_b && t->scale == 1)
		return t->b->rows_bf16(t->b, r, j0, n, dst);
	float values[GROUP];
	const float *src = t->b->rows(t->b, r, j0, n, values);
	if (t->drop_b) {
		FN(drop)(t->drop_b, r, j0, n, src, values);
		src = values;
	}
	for (size_t j = 0; j < n; j += W)
		v_store_bf16((char *)dst + j * 2,
			v_load_part(src + j, v_first(n - j)) * v_set(t->scale));
	return (const char *)dst;
}

static void pack_row_pairs(
	const struct term *t, size_t p0, size_t k, size_t j0, size_t n, float *dst, float *rows)
{
	enum { AHEAD = 8 };
	static const uint16_t none[GROUP];
	for (size_t p = 0; p < k; p++) {
		size_t at = 2 * (p0 + p);
		for (size_t r = at + AHEAD; r < at + AHEAD + 2 && r < t->k; r++)
			prefetch_row(t->b, r, j0, n);
		const char *low = row_bf16(t, at, j0, n, rows);
		const char *high = (const char *)none;
		if (at + 1 < t->k)
			high = row_bf16(t, at + 1, j0, n, rows + GROUP);
		if (t->acs != 1) { /* A by columns: see gemm.h */
			const char *first = low;
			low = high;
			high = first;
		}
		for (size_t j = 0; j < n; j += TILE_N) {
			size_t cols = cpu_min(TILE_N, n - j);
			pair_rows(low + j * 2, high + j * 2, cols, dst + j * k + p * padded(cols));
		}
	}
}

/* Where rows j … j+W-1 of b, cells p0 … of k, can be read: in place or unpacked to `rows`. */
static void find_rows(const struct term *t, size_t p0, size_t k, size_t j, size_t end,
	const float *src[W], float *rows)
{
	/* Beyond the last: the last again, whose result is not kept. */
	for (size_t l = 0; l < W; l++)
		src[l] = row_cells(t, j + l < end ? j + l : end - 1, p0, k, rows + l * PANEL_K);
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
			prefetch_cells(t, j0 + l, p0, k);
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
	else if (t->bf16)
		pack_row_pairs(t, p0, k, j0, n, dst, rows);
	else
		pack_rows(t, p0, k, j0, n, dst, rows);
	if (t->scale != 1 && !t->bf16)
		for (size_t i = 0; i < k * padded(n); i++)
			dst[i] *= t->scale;
}

/* ---- A in cells: m <= TILE_M rows from i, [m][PANEL_K], or by columns [k][TILE_M] ---- */

static void pack_a_rows(const struct term *t, size_t i, size_t m, size_t p0, size_t k, float *dst)
{
	size_t len = cpu_min(2 * k, t->k - 2 * p0);
	for (size_t r = 0; r < m; r++) {
		const float *src = t->a + (i + r) * t->ars + 2 * p0;
		char *to = (char *)(dst + r * PANEL_K);
		size_t p = 0;
		for (; p + W <= len; p += W)
			v_store_bf16(to + p * 2, v_load(src + p));
		if (p < len) /* into what the next panel's row begins with, or beyond the last */
			v_store_bf16(to + p * 2, v_load_part(src + p, v_first(len - p)));
	}
}

static void pack_a_columns(
	const struct term *t, size_t i, size_t m, size_t p0, size_t k, float *dst)
{
	vmask part = v_first(m);
	for (size_t p = 0; p < k; p++) {
		const float *src = t->a + i + 2 * (p0 + p) * t->acs;
		vec first = v_load_part(src, part), second = v_set(0);
		if (2 * (p0 + p) + 1 < t->k)
			second = v_load_part(src + t->acs, part);
		v_store_part(dst + p * TILE_M, part, v_pair_rounded(second, first));
	}
}

/* ---- a block of C: m rows from i0, n <= GROUP columns from j0 ---- */

struct scratch {
	float panel[PANEL_K * GROUP];
	float a[TILE_M * PANEL_K + W]; /* of a term in bf16 */
	float rows[W * PANEL_K];       /* of b, unpacked */
	float product[TILE_M * GROUP]; /* a term before it is dropped */
};

/*
 * Few rows (generation): b is used once, so it is turned in registers and never becomes a panel. Same
 * chain an element.
 */
enum { THIN = 4 };

INLINE void thin_columns(int pairs, const struct term *t, size_t i0, size_t m, size_t j, size_t end,
	float *c, size_t ldc, int add, struct scratch *s)
{
	vmask edge = v_first(end - j);
	vec sum[THIN];
#pragma GCC unroll 4
	for (size_t i = 0; i < m; i++)
		sum[i] = add ? v_load_part(c + i * ldc, edge) : v_set(0);
	for (size_t p0 = 0, length = cells(t); p0 < length; p0 += PANEL_K) {
		size_t k = cpu_min(PANEL_K, length - p0), next = p0 + k;
		const float *src[W], *a = t->a + i0 * t->ars + p0;
		size_t ars = t->ars;
		for (size_t l = j; l < j + W && l < end && next < length; l++)
			prefetch_cells(t, l, next, cpu_min(PANEL_K, length - next));
		find_rows(t, p0, k, j, end, src, s->rows);
		if (pairs) {
			pack_a_rows(t, i0, m, p0, k, s->a);
			a = s->a;
			ars = PANEL_K;
		}
		for (size_t p = 0; p < k; p += W) {
			size_t left = cpu_min(W, k - p);
			vec r[W];
			turned(src, p, left, r);
#pragma GCC unroll 16
			for (size_t l = 0; l < W; l++)
#pragma GCC unroll 4
				for (size_t i = 0; l < left && i < m; i++) {
					vec x = v_set(a[i * ars + p + l]);
					sum[i] = pairs ? v_dot_pairs(x, r[l], sum[i])
						       : v_fma(x, r[l] * v_set(t->scale), sum[i]);
				}
		}
	}
#pragma GCC unroll 4
	for (size_t i = 0; i < m; i++)
		v_store_part(c + i * ldc, edge, sum[i]);
}

INLINE void thin_group(int pairs, const struct term *t, size_t i0, size_t m, size_t j0, size_t n,
	float *c, size_t ldc, int add, struct scratch *s)
{
	for (size_t j = 0; j < n; j += W)
		if (m == 1)
			thin_columns(pairs, t, i0, 1, j0 + j, j0 + n, c + j, ldc, add, s);
		else if (m == 2)
			thin_columns(pairs, t, i0, 2, j0 + j, j0 + n, c + j, ldc, add, s);
		else if (m == 3)
			thin_columns(pairs, t, i0, 3, j0 + j, j0 + n, c + j, ldc, add, s);
		else
			thin_columns(pairs, t, i0, 4, j0 + j, j0 + n, c + j, ldc, add, s);
}

static void thin(const struct term *t, size_t i0, size_t m, size_t j0, size_t n, float *c,
	size_t ldc, int add, struct scratch *s)
{
	if (t->bf16)
		thin_group(1, t, i0, m, j0, n, c, ldc, add, s);
	else
		thin_group(0, t, i0, m, j0, n, c, ldc, add, s);
}

/* Rows i … below `end`, TILE_M at most, times the panel: cells p0 … of k, n columns. */
static void strip(const struct term *t, size_t i, size_t end, size_t p0, size_t k, size_t n,
	float *c, size_t ldc, int add, struct scratch *s)
{
	size_t m = cpu_min(TILE_M, end - i);
	int by_columns = t->acs != 1;
	if (t->bf16 && by_columns)
		pack_a_columns(t, i, m, p0, k, s->a);
	else if (t->bf16)
		pack_a_rows(t, i, m, p0, k, s->a);
	/* Two rows of the next strip a tile; by columns they are mostly in the lines of this one. */
	struct ahead next = {s->a, 0};
	if (end - i >= 2 * TILE_M && !by_columns)
		next = (struct ahead){t->a + (i + TILE_M) * t->ars + 2 * p0, t->ars};
	for (size_t j = 0; j < n; j += TILE_N) {
		size_t cols = cpu_min(TILE_N, n - j), ldb = padded(cols);
		const float *b = s->panel + j * k;
		if (t->bf16)
			gemm_small_pairs(m, cols, k, s->a, by_columns ? 1 : PANEL_K,
				by_columns ? TILE_M : 1, b, ldb, c + j, ldc, add, next);
		else
			gemm_small(m, cols, k, t->a + i * t->ars + p0 * t->acs, t->ars, t->acs, b,
				ldb, c + j, ldc, add);
		next.row += 2 * next.step;
	}
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
			thin(t, i0, m, j0, n, g->c + i0 * g->ldc + j0, g->ldc, add, s);
			add = 1;
			continue;
		}
		for (size_t p0 = 0, length = cells(t); p0 < length; p0 += PANEL_K) {
			size_t k = cpu_min(PANEL_K, length - p0);
			pack(t, p0, k, j0, n, s->panel, s->rows);
			for (size_t i = i0; i < i0 + m; i += TILE_M) {
				size_t rows = cpu_min(TILE_M, i0 + m - i);
				if (!t->drop_c) {
					strip(t, i, i0 + m, p0, k, n, g->c + i * g->ldc + j0,
						g->ldc, add, s);
					continue;
				}
				strip(t, i, i0 + m, p0, k, n, s->product, GROUP, 0, s);
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
