/* The JSON of a quantised weight of any bytes: refused, or every value can be read. */
#include "common/bnb.h"

#include "common/mem.h"
#include "kernels/quant.h"
#include "tests/fuzz/fuzz.h"

enum { CODES = 2048, BLOCKS = 64 };

static struct st_tensor tensor(const char *name, enum dtype t, size_t n, const void *data)
{
	return (struct st_tensor){.name = (char *)name,
		.dtype = t,
		.rank = 1,
		.shape = {n},
		.elements = n,
		.bytes = dtype_bytes(t, n),
		.data = data};
}

static void read_all(const struct st *s)
{
	struct bnb_weight *w;
	struct err e = {0};
	int rc = bnb_open(&w, s, "m.weight", &e);
	if (rc < 0 && (!e.status || !*e.msg))
		abort();
	if (rc <= 0)
		return;
	size_t n = w->d.n * w->d.k;
	float *values = mem_alloc(n, sizeof *values);
	quant_decode(&w->d, 0, n, values);
	quant_decode(&w->d, n - 1, 1, values);
	mem_free(values);
	bnb_free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* On the heap, so that a step beyond an end is seen. */
	uint8_t *codes = mem_zalloc(CODES, 1), *absmax = mem_zalloc(BLOCKS, sizeof(float));
	float *one = mem_zalloc(1, sizeof *one), *map = mem_zalloc(256, sizeof *map);
	uint8_t *text = mem_dup(data, size);
	for (int nested = 0; nested < 2; nested++) {
		struct st_tensor t[] = {/* by name */
			tensor("m.weight", DT_U8, CODES, codes),
			tensor("m.weight.absmax", nested ? DT_U8 : DT_F32, BLOCKS, absmax),
			tensor("m.weight.nested_absmax", DT_F32, 1, one),
			tensor("m.weight.nested_quant_map", DT_F32, 256, map),
			tensor("m.weight.quant_map", DT_F32, 16, quant4_map(DT_NF4)),
			tensor("m.weight.quant_state.bitsandbytes__nf4", DT_U8, size, text)};
		if (!nested)
			t[2].name = (char *)"m.weight.nested_absmay";
		struct st s = {.t = t, .n = sizeof t / sizeof *t};
		read_all(&s);
	}
	mem_free(codes);
	mem_free(absmax);
	mem_free(one);
	mem_free(map);
	mem_free(text);
	return 0;
}

FUZZ_MAIN("bnb")
