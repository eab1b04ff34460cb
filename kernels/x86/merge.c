/* merge_int.h for one instruction set. */
#include "kernels/merge_int.h"

#define PASTE(name, isa)  name##_##isa
#define EXPAND(name, isa) PASTE(name, isa)
#define FN(name)	  EXPAND(name, ISA)

static int add_rows(enum dtype tin, const void *in, enum dtype tout, void *out, size_t n,
	size_t cols, const struct merge_part *parts, size_t nparts)
{
	return merge_rows_body(tin, in, tout, out, n, cols, parts, nparts);
}

static int all_finite(enum dtype t, const void *p, size_t n)
{
	return merge_finite_body(t, p, n);
}

static void rescale(float *w, size_t rows, size_t cols, const float *magnitude)
{
	merge_rescale_body(w, rows, cols, magnitude);
}

static void compare(const float *base, const float *want, const float *is, size_t n, double sums[3])
{
	merge_compare_body(base, want, is, n, sums);
}

const struct merge_ops FN(merge_ops) = {add_rows, all_finite, rescale, compare};
