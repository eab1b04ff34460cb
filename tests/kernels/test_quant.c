/* bitsandbytes' own bytes (tests/oracle/quant.py): every path of this CPU gives them. */
#include "common/mem.h"
#include "common/safetensors.h"
#include "kernels/quant.h"
#include "kernels/quant_int.h"
#include "tests/tap.h"

#include <stdint.h>

static struct st golden;

static const struct st_tensor *get(const char *base, const char *what)
{
	char *name = mem_printf("%s%s", base, what);
	const struct st_tensor *t = st_find(&golden, name);
	mem_free(name);
	return t;
}

/* f32 bytes equal, NaN or not. */
static int same(const struct st_tensor *t, const void *p, size_t bytes)
{
	return t && t->bytes == bytes && memcmp(t->data, p, bytes) == 0;
}

struct tally {
	size_t cases, four, values4, nested, map8, nearest, int8, values8;
};

/* One float type's values of a tensor as bytes of it. */
static int same_values(const struct st_tensor *want, const float *got, size_t n)
{
	char *as_type = mem_alloc(n, 8);
	dtype_from_f32(want->dtype, got, as_type, n);
	int equal = same(want, as_type, dtype_bytes(want->dtype, n));
	mem_free(as_type);
	return equal;
}

static void check_nested(const char *base, const struct st_tensor *in, const char *kind,
	struct kweight_desc d, struct tally *t)
{
	char *key = mem_printf("%s%s.64.dq/", base, kind);
	size_t n = in->elements, blocks = (n + 63) / 64, groups = (blocks + 255) / 256;
	float map[256];
	float *y = mem_dup(d.absmax, blocks * sizeof *y),
	      *nested = mem_alloc(groups, sizeof *nested);
	uint8_t *codes = mem_alloc(blocks, 1);
	float *values = mem_alloc(n, sizeof *values);
	quant8_map(1, map);
	d.nested_offset = quant_mean(y, blocks);
	for (size_t i = 0; i < blocks; i++)
		y[i] -= d.nested_offset;
	quant8_encode(QUANT8_TABLE, map, y, blocks, QUANT_NESTED_BLOCK, codes, nested);
	d.absmax_q = codes;
	d.nested_absmax = nested;
	d.nested_map = map;
	d.nested_blocksize = QUANT_NESTED_BLOCK;
	quant_decode(&d, 0, n, values);
	int equal = same(get(key, "absmax8"), codes, blocks) &&
		    same(get(key, "nested_absmax"), nested, groups * sizeof *nested) &&
		    same(get(key, "offset"), &d.nested_offset, sizeof d.nested_offset) &&
		    same_values(get(key, "dequant"), values, n);
	if (!equal)
		diag("differs: %s", key);
	t->nested += !equal;
	mem_free(y);
	mem_free(nested);
	mem_free(codes);
	mem_free(values);
	mem_free(key);
}

static void check4(const char *base, const struct st_tensor *in, enum dtype q, size_t blocksize,
	struct tally *t)
{
	const char *kind = q == DT_NF4 ? "nf4" : "fp4";
	char *key = mem_printf("%s%s.%zu/", base, kind, blocksize);
	if (!get(key, "packed")) {
		mem_free(key);
		return;
	}
	size_t n = in->elements, blocks = (n + blocksize - 1) / blocksize;
	uint8_t *packed = mem_alloc((n + 1) / 2, 1);
	float *absmax = mem_alloc(blocks, sizeof *absmax), *values = mem_alloc(n, sizeof *values);
	int equal = quant4_encode(q, in->dtype, in->data, n, blocksize, packed, absmax) == 0 &&
		    same(get(key, "packed"), packed, (n + 1) / 2) &&
		    same(get(key, "absmax"), absmax, blocks * sizeof *absmax);
	if (!equal)
		diag("differs: %s", key);
	t->four += !equal;
	struct kweight_desc d = {.dtype = q,
		.n = 1,
		.k = n,
		.data = packed,
		.values = in->dtype,
		.blocksize = blocksize,
		.absmax = absmax};
	quant_decode(&d, 0, n, values);
	equal = same_values(get(key, "dequant"), values, n);
	/* The same, from a place in the middle. */
	if (n > 3) {
		float *part = mem_alloc(n, sizeof *part);
		quant_decode(&d, n / 3, n - n / 3, part);
		equal &= memcmp(part, values + n / 3, (n - n / 3) * sizeof *part) == 0;
		mem_free(part);
	}
	if (!equal)
		diag("values differ: %s", key);
	t->values4 += !equal;
	if (blocksize == 64)
		check_nested(base, in, kind, d, t);
	mem_free(packed);
	mem_free(absmax);
	mem_free(values);
	mem_free(key);
}

static void check8(const char *base, const struct st_tensor *in, int is_signed, struct tally *t)
{
	char *key = mem_printf("%s%s/", base, is_signed ? "s8" : "u8");
	if (!get(key, "codes")) {
		mem_free(key);
		return;
	}
	size_t n = in->elements, blocks = (n + 255) / 256;
	float map[256], *x = mem_alloc(n, sizeof *x), *absmax = mem_alloc(blocks, sizeof *absmax);
	uint8_t *codes = mem_alloc(n, 1);
	dtype_to_f32(in->dtype, in->data, x, n);
	for (size_t i = 0; i < n && !is_signed; i++)
		x[i] = fabsf(x[i]);
	quant8_map(is_signed, map);
	quant8_encode(QUANT8_TABLE, map, x, n, 256, codes, absmax);
	int equal = same(get(key, "codes"), codes, n) &&
		    same(get(key, "absmax"), absmax, blocks * sizeof *absmax);
	if (!equal)
		diag("differs: %s", key);
	t->map8 += !equal;
	/* The nearest, but for ties (even here, the lower there), for blocks of zeros (0 here) and for
	 * what has no reciprocal. */
	quant8_encode(QUANT8_EXACT, map, x, n, 256, codes, absmax);
	const uint8_t *exact = get(key, "exact")->data;
	for (size_t i = 0; i < n; i++) {
		float most = absmax[i / 256], v = x[i] * (1 / most);
		if (codes[i] == exact[i] || (most == 0 && codes[i] == 0) || most < 1e-38f)
			continue;
		int tie = codes[i] == exact[i] + 1 && codes[i] % 2 == 0 &&
			  v == (map[exact[i]] + map[codes[i]]) * 0.5f;
		t->nearest += !tie;
	}
	mem_free(x);
	mem_free(absmax);
	mem_free(codes);
	mem_free(key);
}

static void check_int8(const char *base, const struct st_tensor *in, struct tally *t)
{
	const struct st_tensor *q = get(base, "int8/q"), *scb = get(base, "int8/scb");
	if (!q)
		return;
	size_t rows = in->shape[0], cols = in->shape[1], n = rows * cols;
	int8_t *codes = mem_alloc(n, 1);
	float *most = mem_alloc(rows, sizeof *most), *values = mem_alloc(n, sizeof *values);
	int equal = quant_int8_encode(in->dtype, in->data, rows, cols, codes, most) == 0 &&
		    same(q, codes, n) && same(scb, most, rows * sizeof *most);
	if (!equal)
		diag("differs: %sint8", base);
	t->int8 += !equal;
	struct kweight_desc d = {
		.dtype = DT_INT8, .n = rows, .k = cols, .data = codes, .scb = most};
	quant_decode(&d, 0, n, values);
	t->values8 += !same_values(get(base, "int8/dequant"), values, n);
	mem_free(codes);
	mem_free(most);
	mem_free(values);
}

static void check_case(const struct st_tensor *in, struct tally *t)
{
	static const size_t sizes[] = {32, 64, 4096};
	char *base = mem_strndup(in->name, strlen(in->name) - strlen("input"));
	for (size_t i = 0; i < 3; i++) {
		check4(base, in, DT_NF4, sizes[i], t);
		check4(base, in, DT_FP4, sizes[i], t);
	}
	check8(base, in, 0, t);
	check8(base, in, 1, t);
	check_int8(base, in, t);
	t->cases++;
	mem_free(base);
}

static void check_maps(void)
{
	float map[256];
	quant8_map(1, map);
	ok(same(get("", "map_signed"), map, sizeof map),
		"the signed map of 8 bits is bitsandbytes'");
	quant8_map(0, map);
	ok(same(get("", "map_unsigned"), map, sizeof map), "so is the unsigned one");
	ok(same(get("", "quant_map_nf4"), quant4_map(DT_NF4), 64), "the map of NF4");
	ok(same(get("", "quant_map_fp4"), quant4_map(DT_FP4), 64), "the map of FP4");
}

static void check_not_finite(void)
{
	static const float bad[] = {NAN, INFINITY, -INFINITY};
	size_t accepted = 0;
	for (int i = 0; i < 3; i++) {
		float x[130] = {[129] = bad[i]}, absmax[3], scb[1];
		uint8_t packed[65];
		int8_t q[130];
		accepted += quant4_encode(DT_NF4, DT_F32, x, 130, 64, packed, absmax) == 0;
		accepted += quant4_absmax(DT_F32, x, 130, 64, absmax) == 0;
		accepted += quant_int8_encode(DT_F32, x, 1, 130, q, scb) == 0;
	}
	is_int((long long)accepted, 0, "NaN and infinities are not taken");
	float large[2] = {70000, 1}, scb[1];
	int8_t q[2];
	ok(quant_int8_encode(DT_F32, large, 1, 2, q, scb), "nor, for int8, what f16 cannot hold");
}

/* The loops of every instruction set against the plain ones. */
static size_t paths_that_differ(const struct quant_ops *o)
{
	const struct quant_ops *p = &quant_ops_plain;
	size_t bad = 0;
	float x[333], a[333], b[333], bounds[15], ma, mb;
	uint8_t ca[333], cb[333], pa[166], pb[166];
	uint16_t half[333];
	for (int i = 0; i < 333; i++)
		x[i] = sinf((float)i * 1.7f) * expf(sinf((float)i) * 8);
	for (int i = 0; i < 15; i++)
		bounds[i] = ((float)i - 7) / 8;
	for (size_t n = 0; n <= 332; n++) {
		for (enum dtype t = DT_F32; t <= DT_BF16; t++) {
			dtype_from_f32(t, x, t == DT_F32 ? (void *)a : half, n);
			memset(b, 0, sizeof b);
			float f[333] = {0};
			const void *src = t == DT_F32 ? (void *)a : half;
			p->load(t, src, f, n, &ma);
			o->load(t, src, b, n, &mb);
			bad += memcmp(f, b, n * sizeof *f) != 0 || memcmp(&ma, &mb, sizeof ma) != 0;
			memcpy(a, x, sizeof x);
			memcpy(b, x, sizeof x);
			p->round(t, a, n);
			o->round(t, b, n);
			bad += memcmp(a, b, n * sizeof *a) != 0;
		}
		for (int divide = 0; divide < 2; divide++) {
			p->bins(bounds, x, n, 0.37f, divide, ca);
			o->bins(bounds, x, n, 0.37f, divide, cb);
			bad += memcmp(ca, cb, n) != 0;
		}
		p->pack(ca, n / 2, pa);
		o->pack(ca, n / 2, pb);
		bad += memcmp(pa, pb, n / 2) != 0;
		p->scaled(x, n, 0.0425f, (int8_t *)ca);
		o->scaled(x, n, 0.0425f, (int8_t *)cb);
		bad += memcmp(ca, cb, n) != 0;
		size_t from = n % 5, len = n - from > n ? 0 : n - from;
		p->values4(quant4_map(DT_NF4), ca, from, len, 0.7f, a);
		o->values4(quant4_map(DT_NF4), ca, from, len, 0.7f, b);
		bad += memcmp(a, b, len * sizeof *a) != 0;
		p->values8((int8_t *)ca, n, 0.7f, a);
		o->values8((int8_t *)ca, n, 0.7f, b);
		bad += memcmp(a, b, n * sizeof *a) != 0;
	}
	return bad;
}

static void check_paths(void)
{
#ifdef __x86_64__
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c"))
		is_int((long long)paths_that_differ(&quant_ops_avx2), 0,
			"AVX2 gives the plain bytes");
	else
		tap_skip("AVX2", "this CPU has none");
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
		__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq"))
		is_int((long long)paths_that_differ(&quant_ops_avx512), 0,
			"AVX-512 gives the plain bytes");
	else
		tap_skip("AVX-512", "this CPU has none");
#endif
}

int main(void)
{
	struct err e;
	struct tally t = {0};
	if (st_open_file(&golden, "tests/golden/quant/blocks.safetensors", &e)) {
		ok(0, "the golden file opens: %s", e.msg);
		return tap_done();
	}
	check_maps();
	for (size_t i = 0; i < golden.n; i++) {
		size_t n = strlen(golden.t[i].name);
		if (n > 6 && strcmp(golden.t[i].name + n - 6, "/input") == 0)
			check_case(&golden.t[i], &t);
	}
	ok(t.cases > 40, "%zu tensors: sizes, types, zeros, denormals, ties", t.cases);
	is_int((long long)t.four, 0, "codes and absmax of NF4 and FP4 are bitsandbytes'");
	is_int((long long)t.values4, 0, "so are the values, from any place on");
	is_int((long long)t.nested, 0, "double quantisation, offsets included (the table's codes)");
	is_int((long long)t.map8, 0, "codes of 8 bits by the table are its CPU library's");
	is_int((long long)t.nearest, 0, "exact codes are the nearest, the even one half-way");
	is_int((long long)t.int8, 0, "int8 codes and SCB");
	is_int((long long)t.values8, 0, "values of int8");
	check_not_finite();
	check_paths();
	st_close(&golden);
	return tap_done();
}
