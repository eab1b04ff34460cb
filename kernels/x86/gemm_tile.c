/* The innermost product: a tile of C in registers, a multiply-add (of pairs: two) an element and step. */
#include "kernels/x86/gemm.h"

INLINE void tile(int pairs, size_t m, size_t nv, size_t k, const float *a, size_t ars, size_t acs,
	const float *b, size_t ldb, float *c, size_t ldc, vmask edge, int add, struct ahead next)
{
	vec sum[TILE_M][TILE_V];
#pragma GCC unroll 8
	for (size_t i = 0; i < m; i++)
#pragma GCC unroll 3
		for (size_t v = 0; v < nv; v++)
			sum[i][v] = !add	  ? v_set(0)
				    : v + 1 == nv ? v_load_part(c + i * ldc + v * W, edge)
						  : v_load(c + i * ldc + v * W);
	for (size_t p = 0; p < k; p++, b += ldb) {
		if (pairs && p % 8 == 0) {
			__builtin_prefetch(next.row + 2 * p, 0, 2);
			__builtin_prefetch(next.row + next.step + 2 * p, 0, 2);
		}
		vec row[TILE_V];
#pragma GCC unroll 3
		for (size_t v = 0; v < nv; v++)
			row[v] = v_load(b + v * W);
#pragma GCC unroll 8
		for (size_t i = 0; i < m; i++) {
			vec x = v_set(a[i * ars + p * acs]);
#pragma GCC unroll 3
			for (size_t v = 0; v < nv; v++)
				sum[i][v] = pairs ? v_dot_pairs(x, row[v], sum[i][v])
						  : v_fma(x, row[v], sum[i][v]);
		}
	}
#pragma GCC unroll 8
	for (size_t i = 0; i < m; i++)
#pragma GCC unroll 3
		for (size_t v = 0; v < nv; v++)
			if (v + 1 == nv)
				v_store_part(c + i * ldc + v * W, edge, sum[i][v]);
			else
				v_store(c + i * ldc + v * W, sum[i][v]);
}

/* All rows of A times nv vectors of B's columns, in tiles of fewer and fewer rows. */
INLINE void strip(int pairs, size_t nv, size_t m, size_t k, const float *a, size_t ars, size_t acs,
	const float *b, size_t ldb, float *c, size_t ldc, vmask edge, int add, struct ahead next)
{
	for (; m >= TILE_M; m -= TILE_M, a += TILE_M * ars, c += TILE_M * ldc)
		tile(pairs, TILE_M, nv, k, a, ars, acs, b, ldb, c, ldc, edge, add, next);
	for (; m >= 4; m -= 4, a += 4 * ars, c += 4 * ldc)
		tile(pairs, 4, nv, k, a, ars, acs, b, ldb, c, ldc, edge, add, next);
	for (; m >= 2; m -= 2, a += 2 * ars, c += 2 * ldc)
		tile(pairs, 2, nv, k, a, ars, acs, b, ldb, c, ldc, edge, add, next);
	if (m)
		tile(pairs, 1, nv, k, a, ars, acs, b, ldb, c, ldc, edge, add, next);
}

typedef void strip_fn(size_t m, size_t k, const float *a, size_t step, const float *b, size_t ldb,
	float *c, size_t ldc, vmask edge, int add, struct ahead next);

#define STRIP(name, pairs, nv, ars, acs)                                                           \
	static void name(size_t m, size_t k, const float *a, size_t step, const float *b,          \
		size_t ldb, float *c, size_t ldc, vmask edge, int add, struct ahead next)          \
	{                                                                                          \
		if (add)                                                                           \
			strip(pairs, nv, m, k, a, ars, acs, b, ldb, c, ldc, edge, 1, next);        \
		else                                                                               \
			strip(pairs, nv, m, k, a, ars, acs, b, ldb, c, ldc, edge, 0, next);        \
	}
#define STRIPS(nv)                                                                                 \
	STRIP(rows##nv, 0, nv, step, 1)                                                            \
	STRIP(cols##nv, 0, nv, 1, step)                                                            \
	STRIP(pair_rows##nv, 1, nv, step, 1)                                                       \
	STRIP(pair_cols##nv, 1, nv, 1, step)
STRIPS(1)
STRIPS(2)
#ifdef __AVX512F__
STRIPS(3)
#define EACH(name)                                                                                 \
	{                                                                                          \
		name##1, name##2, name##3                                                          \
	}
#else
#define EACH(name)                                                                                 \
	{                                                                                          \
		name##1, name##2                                                                   \
	}
#endif

/* [A by columns] */
static strip_fn *const strips[2][TILE_V] = {EACH(rows), EACH(cols)};
static strip_fn *const pair_strips[2][TILE_V] = {EACH(pair_rows), EACH(pair_cols)};

INLINE void small(strip_fn *const by[2][TILE_V], size_t m, size_t n, size_t k, const float *a,
	size_t ars, size_t acs, const float *b, size_t ldb, float *c, size_t ldc, int add,
	struct ahead next)
{
	size_t width = TILE_N;
	if (n > TILE_N && n < 2 * TILE_N) /* two equal parts, not a whole and a sliver */
		width = cpu_blocks(cpu_blocks(n, 2), W) * W;
	for (size_t j = 0; j < n; j += width) {
		size_t cols = cpu_min(width, n - j), nv = cpu_blocks(cols, W);
		by[acs != 1][nv - 1](m, k, a, acs == 1 ? ars : acs, b + j, ldb, c + j, ldc,
			v_first(cols - (nv - 1) * W), add, next);
	}
}

void gemm_small(size_t m, size_t n, size_t k, const float *a, size_t ars, size_t acs,
	const float *b, size_t ldb, float *c, size_t ldc, int add)
{
	small(strips, m, n, k, a, ars, acs, b, ldb, c, ldc, add, (struct ahead){0});
}

void gemm_small_pairs(size_t m, size_t n, size_t k, const float *a, size_t ars, size_t acs,
	const float *b, size_t ldb, float *c, size_t ldc, int add, struct ahead next)
{
	small(pair_strips, m, n, k, a, ars, acs, b, ldb, c, ldc, add, next);
}
