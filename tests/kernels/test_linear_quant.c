/*
 * A quantised weight gives, in every backend, the bytes that its values as f32 give: forward, backward
 * and rows, whatever the number of rows and the precision, with blocks that cross rows.
 */
#include "kernels/quant.h"
#include "tests/kernels/ops.h"

enum { T = 9, MOST = 4096 * 40 };

static float values[MOST], absmax[MOST];
static uint8_t codes[MOST], absmax_q[MOST];
static float nested[8], map[256];

static struct kweight_desc quantise(
	enum dtype q, size_t n, size_t k, size_t blocksize, int is_nested)
{
	static float w[MOST];
	for (size_t i = 0; i < n * k; i++)
		w[i] = (float)rnd();
	struct kweight_desc d = {.dtype = q,
		.n = n,
		.k = k,
		.data = codes,
		.values = DT_F32,
		.blocksize = blocksize,
		.absmax = absmax,
		.scb = absmax};
	if (q == DT_INT8) {
		quant_int8_encode(DT_F32, w, n, k, (int8_t *)codes, absmax);
	} else {
		size_t blocks = (n * k + blocksize - 1) / blocksize;
		quant4_encode(q, DT_F32, w, n * k, blocksize, codes, absmax);
		if (is_nested) {
			quant8_map(1, map);
			d.nested_offset = quant_mean(absmax, blocks);
			for (size_t i = 0; i < blocks; i++)
				absmax[i] -= d.nested_offset;
			quant8_encode(QUANT8_EXACT, map, absmax, blocks, 256, absmax_q, nested);
			d.absmax_q = absmax_q;
			d.nested_absmax = nested;
			d.nested_map = map;
			d.nested_blocksize = 256;
		}
	}
	quant_decode(&d, 0, n * k, values);
	return d;
}

struct result {
	float *y, *dx, *rows;
};

static struct result compute(
	const struct kweight_desc *d, const float *x, const float *dy, size_t rows)
{
	static const uint32_t ids[] = {3, 0, 3};
	struct kweight *w;
	struct klinear l = {0};
	struct kbuf bx = put(x, rows * d->k), bdy = put(dy, rows * d->n);
	struct kbuf by = put(NULL, rows * d->n), bdx = put(NULL, rows * d->k),
		    br = put(NULL, 3 * d->k);
	K->weight_new(C, d, KUSE_FWD | KUSE_BWD | KUSE_GATHER, &w);
	l.w = w;
	K->linear_fwd(C, &l, bx, rows, by, (struct kbuf){0});
	K->linear_bwd(C, &l, bx, (struct kbuf){0}, bdy, rows, bdx, 0);
	K->gather(C, w, ids, 3, br);
	K->weight_free(C, w);
	drop(bx);
	drop(bdy);
	return (struct result){take(by, rows * d->n), take(bdx, rows * d->k), take(br, 3 * d->k)};
}

static void check(
	enum dtype q, const char *name, size_t n, size_t k, size_t blocksize, int is_nested)
{
	struct kweight_desc d = quantise(q, n, k, blocksize, is_nested);
	struct kweight_desc f = {.dtype = DT_F32, .n = n, .k = k, .data = values};
	float *x = rnd_f32(T * k, 1), *dy = rnd_f32(T * n, 1);
	int equal = 1;
	for (size_t rows = 1; rows <= T; rows += 4) {
		struct result a = compute(&d, x, dy, rows), b = compute(&f, x, dy, rows);
		equal &= memcmp(a.y, b.y, rows * n * sizeof *x) == 0 &&
			 memcmp(a.dx, b.dx, rows * k * sizeof *x) == 0 &&
			 memcmp(a.rows, b.rows, 3 * k * sizeof *x) == 0;
		free(a.y);
		free(a.dx);
		free(a.rows);
		free(b.y);
		free(b.dx);
		free(b.rows);
	}
	ok(equal, "%s: %s%s [%zu, %zu] by %zu is its values", K->name, name,
		is_nested ? ", nested" : "", n, k, blocksize);
	free(x);
	free(dy);
}

static void all(void)
{
	check(DT_NF4, "NF4", 70, 576, 64, 0);
	check(DT_NF4, "NF4", 70, 576, 64, 1);
	check(DT_NF4, "NF4", 33, 37, 64, 1);
	check(DT_FP4, "FP4", 50, 300, 32, 0);
	check(DT_FP4, "FP4", 19, 515, 4096, 1);
	check(DT_INT8, "int8", 70, 576, 64, 0);
	check(DT_INT8, "int8", 33, 37, 64, 0);
}

int main(void)
{
	for (ops_precision = KP_F32; ops_precision <= KP_BF16; ops_precision++)
		each_backend(2, all);
	return tap_done();
}
