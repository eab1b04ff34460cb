#include "kernels/merge.h"

#include "kernels/merge_int.h"

static int rows_plain(enum dtype tin, const void *in, enum dtype tout, void *out, size_t rows,
	size_t cols, const struct merge_part *parts, size_t nparts)
{
	return merge_rows_body(tin, in, tout, out, rows, cols, parts, nparts);
}

static int finite_plain(enum dtype t, const void *p, size_t n)
{
	return merge_finite_body(t, p, n);
}

static void rescale_plain(float *w, size_t rows, size_t cols, const float *magnitude)
{
	merge_rescale_body(w, rows, cols, magnitude);
}

static void compare_plain(
	const float *base, const float *want, const float *is, size_t n, double sums[3])
{
	merge_compare_body(base, want, is, n, sums);
}

const struct merge_ops merge_ops_plain = {rows_plain, finite_plain, rescale_plain, compare_plain};

static const struct merge_ops *ops(void)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
		return &merge_ops_avx512;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		return &merge_ops_avx2;
#endif
	return &merge_ops_plain;
}

void merge_pack(const float *a, size_t r, size_t cols, float *packed)
{
	for (size_t col = 0; col < cols; col += MERGE_LINE) {
		size_t n = cols - col < MERGE_LINE ? cols - col : MERGE_LINE;
		for (size_t k = 0; k < r; k++, packed += n)
			memcpy(packed, a + k * cols + col, n * sizeof *a);
	}
}

int merge_rows(enum dtype tin, const void *in, enum dtype tout, void *out, size_t rows, size_t cols,
	const struct merge_part *parts, size_t nparts)
{
	return ops()->rows(tin, in, tout, out, rows, cols, parts, nparts);
}

int merge_finite(enum dtype t, const void *p, size_t n)
{
	return ops()->finite(t, p, n);
}

void merge_rescale(float *w, size_t rows, size_t cols, const float *magnitude)
{
	ops()->rescale(w, rows, cols, magnitude);
}

void merge_compare(const float *base, const float *want, const float *is, size_t n, double sums[3])
{
	ops()->compare(base, want, is, n, sums);
}
