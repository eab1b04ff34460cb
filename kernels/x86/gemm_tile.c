/* The innermost product: a tile of C in registers, a multiply-add an element and step. */
#include "kernels/x86/gemm.h"

INLINE void tile(size_t m, size_t nv, size_t k, const float *a, size_t ars, size_t acs,
	const float *b, size_t ldb, float *c, size_t ldc, vmask edge, int add)
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
		vec row[TILE_V];
#pragma GCC unroll 3
		for (size_t v = 0; v < nv; v++)
			row[v] = v_load(b + v * W);
#pragma GCC unroll 8
		for (size_t i = 0; i < m; i++) {
			vec x = v_set(a[i * ars + p * acs]);
#pragma GCC unroll 3
			for (size_t v = 0; v < nv; v++)
				sum[i][v] = v_fma(x, row[v], sum[i][v]);
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
INLINE void strip(size_t nv, size_t m, size_t k, const float *a, size_t ars, size_t acs,
	const float *b, size_t ldb, float *c, size_t ldc, vmask edge, int add)
{
	for (; m >= TILE_M; m -= TILE_M, a += TILE_M * ars, c += TILE_M * ldc)
		tile(TILE_M, nv, k, a, ars, acs, b, ldb, c, ldc, edge, add);
	for (; m >= 4; m -= 4, a += 4 * ars, c += 4 * ldc)
		tile(4, nv, k, a, ars, acs, b, ldb, c, ldc, edge, add);
	for (; m >= 2; m -= 2, a += 2 * ars, c += 2 * ldc)
		tile(2, nv, k, a, ars, acs, b, ldb, c, ldc, edge, add);
	if (m)
		tile(1, nv, k, a, ars, acs, b, ldb, c, ldc, edge, add);
}

typedef void strip_fn(size_t m, size_t k, const float *a, size_t step, const float *b, size_t ldb,
	float *c, size_t ldc, vmask edge, int add);

#define STRIP(name, nv, ars, acs)                                                                  \
	static void name(size_t m, size_t k, const float *a, size_t step, const float *b,          \
		size_t ldb, float *c, size_t ldc, vmask edge, int add)                             \
	{                                                                                          \
		if (add)                                                                           \
			strip(nv, m, k, a, ars, acs, b, ldb, c, ldc, edge, 1);                     \
		else                                                                               \
			strip(nv, m, k, a, ars, acs, b, ldb, c, ldc, edge, 0);                     \
	}
STRIP(rows1, 1, step, 1)
STRIP(rows2, 2, step, 1)
STRIP(cols1, 1, 1, step)
STRIP(cols2, 2, 1, step)
#ifdef __AVX512F__
STRIP(rows3, 3, step, 1)
STRIP(cols3, 3, 1, step)
static strip_fn *const strips[2][TILE_V] = {{rows1, rows2, rows3}, {cols1, cols2, cols3}};
#else
static strip_fn *const strips[2][TILE_V] = {{rows1, rows2}, {cols1, cols2}};
#endif

void gemm_small(size_t m, size_t n, size_t k, const float *a, size_t ars, size_t acs,
	const float *b, size_t ldb, float *c, size_t ldc, int add)
{
	size_t width = TILE_N;
	if (n > TILE_N && n < 2 * TILE_N) /* two equal parts, not a whole and a sliver */
		width = cpu_blocks(cpu_blocks(n, 2), W) * W;
	for (size_t j = 0; j < n; j += width) {
		size_t cols = cpu_min(width, n - j), nv = cpu_blocks(cols, W);
		strips[acs != 1][nv - 1](m, k, a, acs == 1 ? ars : acs, b + j, ldb, c + j, ldc,
			v_first(cols - (nv - 1) * W), add);
	}
}
