/* W + s B A: every instruction set gives the bytes of the definition; nothing infinite passes. */
#include "kernels/merge.h"

#include "kernels/merge_int.h"
#include "tests/tap.h"

enum { ROWS = 5, COLS = 1061, R = 7 };

static unsigned state = 1;

static float value(void)
{
	state = state * 1664525u + 1013904223u;
	return (float)(int)(state >> 8) / 8388608.0f - 1.0f;
}

static float a[2][R * COLS], packed[2][R * COLS], b[2][ROWS * R];

/* The definition, element by element. */
static float want_one(float w, size_t row, size_t col, size_t parts)
{
	static const float scale[2] = {1.5f, -0.3f};
	float sum = 0;
	for (size_t p = 0; p < parts; p++) {
		float acc = 0;
		for (size_t k = 0; k < R; k++)
			acc = fmaf(b[p][row * R + k], a[p][k * COLS + col], acc);
		sum = p ? sum + acc * scale[p] : acc * scale[p];
	}
	return parts ? w + sum : w;
}

static void check(const struct merge_ops *ops, const char *name, enum dtype tin, enum dtype tout,
	size_t parts)
{
	static unsigned char raw[ROWS * COLS * 8 + 1], got[ROWS * COLS * 8 + 1],
		want[ROWS * COLS * 8];
	unsigned char *in = raw + 1; /* as a tensor may lie in a file */
	const struct merge_part p[2] = {
		{b[0], packed[0], R, 1.5f, DT_F32}, {b[1], packed[1], R, -0.3f, DT_F32}};
	size_t from = dtype_bytes(tin, 1), to = dtype_bytes(tout, 1);
	for (size_t i = 0; i < (size_t)ROWS * COLS; i++) {
		float w = value();
		dtype_from_f32(tin, &w, in + i * from, 1);
		dtype_to_f32(tin, in + i * from, &w, 1);
		w = want_one(w, i / COLS, i % COLS, parts);
		dtype_from_f32(tout, &w, want + i * to, 1);
	}
	int rc = ops->rows(tin, in, tout, got + 1, ROWS, COLS, p, parts);
	ok(rc == 0 && memcmp(got + 1, want, ROWS * COLS * to) == 0, "%s: %s to %s, %zu adapters",
		name, dtype_info[tin].st_name, dtype_info[tout].st_name, parts);
}

/* A product that is rounded to the base's type before it is added; DoRA's norm against a sum in double. */
static void check_others(const struct merge_ops *ops, const char *name)
{
	static float got[COLS], magnitude[1] = {3};
	const struct merge_part p = {b[0], packed[0], R, 1.5f, DT_BF16};
	uint16_t w[COLS], sum[COLS];
	int right = 1;
	for (size_t i = 0; i < COLS; i++) {
		got[i] = value();
		dtype_from_f32(DT_BF16, &got[i], &w[i], 1);
	}
	ops->rows(DT_BF16, w, DT_BF16, sum, 1, COLS, &p, 1);
	for (size_t i = 0; i < COLS; i++) {
		uint16_t h;
		float delta = want_one(-0.0f, 0, i, 1), base;
		dtype_from_f32(DT_BF16, &delta, &h, 1);
		dtype_to_f32(DT_BF16, &h, &delta, 1);
		dtype_to_f32(DT_BF16, &w[i], &base, 1);
		base += delta;
		dtype_from_f32(DT_BF16, &base, &h, 1);
		right &= h == sum[i];
	}
	ok(right, "%s: a rounded product", name);
	double norm = 0;
	static float was[COLS];
	memcpy(was, got, sizeof was);
	for (size_t i = 0; i < COLS; i++)
		norm += (double)was[i] * (double)was[i];
	ops->rescale(got, 1, COLS, magnitude);
	for (size_t i = 0; i < COLS; i++)
		right &= fabs((double)got[i] - (double)was[i] * 3 / sqrt(norm)) < 1e-7;
	ok(right, "%s: rows made as long as they should be", name);
	double sums[3] = {0}, want[3] = {0};
	for (size_t i = 0; i < COLS; i++) {
		double off = (double)got[i] - (double)b[0][i % R],
		       d = (double)b[0][i % R] - (double)was[i];
		want[0] += off * off;
		want[1] += d * d;
		want[2] += ((double)got[i] - (double)was[i]) * d;
	}
	static float aim[COLS];
	for (size_t i = 0; i < COLS; i++)
		aim[i] = b[0][i % R];
	ops->compare(was, aim, got, COLS, sums);
	for (int i = 0; i < 3; i++)
		right &= fabs(sums[i] - want[i]) < 1e-9 * fabs(want[i]);
	double from_zero[3] = {0}, norm_zero = 0;
	ops->compare(NULL, aim, aim, COLS, from_zero);
	for (size_t i = 0; i < COLS; i++)
		norm_zero += (double)aim[i] * (double)aim[i];
	ok(right && from_zero[0] == 0 && fabs(from_zero[1] - norm_zero) < 1e-9 * norm_zero &&
			from_zero[2] == from_zero[1],
		"%s: what became of values", name);
}

static void check_finite(const struct merge_ops *ops, const char *name)
{
	static const enum dtype types[] = {DT_F32, DT_F16, DT_BF16, DT_F64};
	static const float bad[] = {INFINITY, -INFINITY, NAN};
	int right = 1;
	for (size_t t = 0; t < 4; t++)
		for (size_t i = 0; i < 67; i++) {
			float v[67];
			unsigned char raw[67 * 8];
			for (size_t k = 0; k < 67; k++)
				v[k] = k % 2 ? 65504.0f : -0.0f;
			dtype_from_f32(types[t], v, raw, 67);
			right &= ops->finite(types[t], raw, 67) == 1;
			v[i] = bad[i % 3];
			dtype_from_f32(types[t], v, raw, 67);
			right &= ops->finite(types[t], raw, 67) == 0;
		}
	ok(right, "%s: one infinity or NaN is found wherever it is, and the largest is none", name);
	const float big = 1e6f, nan = NAN;
	uint16_t h;
	float f;
	ok(ops->rows(DT_F32, &big, DT_F16, &h, 1, 1, NULL, 0) == -1, "%s: too large for f16", name);
	ok(ops->rows(DT_F32, &nan, DT_F32, &f, 1, 1, NULL, 0) == -1 &&
			ops->rows(DT_F32, &nan, DT_BF16, &h, 1, 1, NULL, 0) == -1,
		"%s: NaN", name);
}

/* Every f16 that is finite, and f32 around what they round at, as dtype.h has them. */
static void check_halves(const struct merge_ops *ops, const char *name)
{
	enum { N = 31 * 1024 };
	static uint16_t halves[N], back[N];
	static float f[N], got[N], near[N];
	for (size_t i = 0; i < N; i++)
		halves[i] = (uint16_t)(i | (i % 3 == 0 ? 0x8000 : 0));
	dtype_to_f32(DT_F16, halves, f, N);
	int rc = ops->rows(DT_F16, halves, DT_F32, got, 1, N, NULL, 0);
	int right = rc == 0 && memcmp(got, f, sizeof f) == 0;
	for (size_t i = 0; i + 1 < N; i++) {
		near[i] = f[i] + (fabsf(f[i + 1]) - fabsf(f[i])) / 2 * (f[i] < 0 ? -1 : 1);
		near[i] = i % 2 ? near[i] : nextafterf(near[i], i % 4 ? 1e9f : -1e9f);
	}
	dtype_from_f32(DT_F16, near, halves, N);
	rc = ops->rows(DT_F32, near, DT_F16, back, 1, N, NULL, 0);
	ok(right && rc == 0 && memcmp(back, halves, sizeof back) == 0,
		"%s: every half, and every rounding to one", name);
}

static void check_all(const struct merge_ops *ops, const char *name)
{
	check(ops, name, DT_F32, DT_F32, 1);
	check(ops, name, DT_BF16, DT_BF16, 1);
	check(ops, name, DT_F16, DT_F16, 1);
	check(ops, name, DT_F32, DT_BF16, 2);
	check(ops, name, DT_BF16, DT_F32, 2);
	check(ops, name, DT_F64, DT_F16, 0);
	check_others(ops, name);
	check_halves(ops, name);
	check_finite(ops, name);
}

int main(void)
{
	for (size_t p = 0; p < 2; p++) {
		for (size_t i = 0; i < R * COLS; i++)
			a[p][i] = value();
		for (size_t i = 0; i < ROWS * R; i++)
			b[p][i] = value();
		merge_pack(a[p], R, COLS, packed[p]);
	}
	check_all(&(struct merge_ops){merge_rows, merge_finite, merge_rescale, merge_compare},
		"what this CPU chooses");
	check_all(&merge_ops_plain, "plain");
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		check_all(&merge_ops_avx2, "avx2");
	else
		tap_skip("avx2", "this CPU has none");
	return tap_done();
}
