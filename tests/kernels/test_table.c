#include "tests/kernels/ops.h"

#include "kernels/philox.h"
#include "kernels/team.h"

#include <unistd.h>

static void full_table(void)
{
	/* Everything after the three fields of data is a pointer to a function. */
	void (*entry)(void);
	int missing = 0;
	for (size_t at = offsetof(struct kernels, unavailable); at < sizeof *K;
		at += sizeof entry) {
		memcpy(&entry, (const char *)K + at, sizeof entry);
		missing += !entry;
	}
	ok(missing == 0, "%s: every entry of the table is filled", K->name);
	ok(K->version == KERNELS_VERSION, "%s: speaks this version of the table", K->name);
	ok(strstr(K->describe(C), K->name) != NULL, "%s: describes itself: %s", K->name,
		K->describe(C));

	char *p = K->alloc(C, 100), back[100];
	ok(p && (uintptr_t)p % 64 == 0, "%s: memory is aligned to 64 bytes", K->name);
	memset(back, 7, sizeof back);
	K->write(C, p, back, sizeof back);
	K->zero(C, p + 10, 10);
	memset(back, 0, sizeof back);
	K->read(C, back, p, sizeof back);
	ok(back[9] == 7 && back[10] == 0 && back[19] == 0 && back[20] == 7, "%s: write, zero, read",
		K->name);
	K->free(C, p);
}

static void selection(void)
{
	const char *why = NULL;
	const struct kernels *k = kernels_select(NULL, NULL, &why);
	ok(k && !k->unavailable(), "auto chooses kernels that can run here: %s", k ? k->name : why);
	ok(kernels_select("cpu", "auto", &why) == k, "auto by name is the same");
	ok(kernels_select("cpu", "plain", &why) == &kernels_plain, "plain is found by name");
	ok(!kernels_select("cpu", "nonsense", &why) && why, "an unknown name: %s", why);
	ok(!kernels_select("tpu", NULL, &why) && why, "an unknown device: %s", why);
}

static uint32_t f32_bits(float f)
{
	uint32_t u;
	memcpy(&u, &f, sizeof u);
	return u;
}

static void types(void)
{
	is_int(dtype_by_st_name("BF16"), DT_BF16, "BF16 is a type of safetensors");
	is_int(dtype_by_st_name("bf16"), -1, "names are exact");
	is_int(dtype_by_torch_name("torch.float16"), DT_F16, "torch.float16");
	is_int(dtype_by_torch_name("bfloat16"), DT_BF16, "bfloat16");
	is_int((long long)dtype_bytes(DT_NF4, 7), 4, "seven 4-bit elements are 4 bytes");
	is_int((long long)dtype_bytes(DT_F32, 7), 28, "seven f32 are 28 bytes");

	/* All 16-bit patterns go to f32 and come back; the compiler's own f16 is not assumed. */
	int lost16 = 0, lostb = 0, order16 = 0;
	for (uint32_t u = 0; u < 65536; u++) {
		uint16_t h = (uint16_t)u, back;
		float f;
		dtype_to_f32(DT_F16, &h, &f, 1);
		dtype_from_f32(DT_F16, &f, &back, 1);
		lost16 += isnan(f) ? (h & 0x7fff) <= 0x7c00 : back != h;
		double man = h & 1023, exp = h >> 10 & 31;
		double want = exp ? ldexp(1 + man / 1024, (int)exp - 15) : ldexp(man, -24);
		if (exp < 31)
			order16 += (double)f != (h & 0x8000 ? -want : want);
		dtype_to_f32(DT_BF16, &h, &f, 1);
		dtype_from_f32(DT_BF16, &f, &back, 1);
		lostb += isnan(f) ? (h & 0x7fff) <= 0x7f80 : back != h;
	}
	ok(lost16 == 0 && order16 == 0, "every f16 has its value and comes back");
	ok(lostb == 0, "every bf16 comes back");

	/* Halfway cases between neighbours go to the even one. */
	int wrong = 0;
	for (uint16_t h = 0; h < 0x7bff; h++) {
		float a, b;
		uint16_t next = h + 1, got;
		dtype_to_f32(DT_F16, &h, &a, 1);
		dtype_to_f32(DT_F16, &next, &b, 1);
		float mid = (a + b) / 2;
		dtype_from_f32(DT_F16, &mid, &got, 1);
		wrong += got != (h % 2 ? next : h);
		mid = nextafterf(mid, b);
		dtype_from_f32(DT_F16, &mid, &got, 1);
		wrong += got != next;
	}
	ok(wrong == 0, "f16 rounds to nearest, ties to even");
	struct {
		float f;
		uint16_t h;
	} edge[] = {{65519.99f, 0x7bff}, {65520, 0x7c00}, {-1e9f, 0xfc00}, {0x1p-25f, 0},
		{0x1.000002p-25f, 1}, {-0.0f, 0x8000}};
	for (size_t i = 0; i < sizeof edge / sizeof *edge; i++) {
		uint16_t got;
		dtype_from_f32(DT_F16, &edge[i].f, &got, 1);
		ok(got == edge[i].h, "f16 of %a is %04x", (double)edge[i].f, edge[i].h);
	}
	float f = 1 + 0x1p-8f;
	uint16_t h;
	dtype_from_f32(DT_BF16, &f, &h, 1);
	is_int(h, 0x3f80, "bf16 rounds a tie to even");
	uint32_t bits = 0x7f800001;
	memcpy(&f, &bits, 4);
	dtype_from_f32(DT_BF16, &f, &h, 1);
	ok((h & 0x7fff) > 0x7f80, "bf16: a NaN with a low payload stays NaN");
	dtype_from_f32(DT_F16, &f, &h, 1);
	ok((h & 0x7fff) > 0x7c00, "f16: the same");

	unsigned char odd[9] = {0};
	float v = -3.5f, back;
	dtype_from_f32(DT_F32, &v, odd + 1, 1);
	dtype_to_f32(DT_F32, odd + 1, &back, 1);
	ok(f32_bits(back) == f32_bits(v), "unaligned memory is fine");
	dtype_from_f32(DT_F64, &v, odd + 1, 1);
	dtype_to_f32(DT_F64, odd + 1, &back, 1);
	ok(f32_bits(back) == f32_bits(v), "f64, unaligned");
}

static void count(void *arg, size_t i, int worker)
{
	int *hits = arg;
	hits[i]++;
	(void)worker;
}

static void teams(void)
{
	ok(team_cpus() >= 1, "%d CPUs", team_cpus());
	int hits[1000], wrong = 0;
	for (int threads = 1; threads <= 5; threads++) {
		struct team *t = team_new(threads);
		wrong += team_size(t) != threads;
		for (size_t n = 0; n <= 1000; n += n < 10 ? 1 : 99) {
			memset(hits, 0, sizeof hits);
			team_run(t, n, count, hits);
			for (size_t i = 0; i < 1000; i++)
				wrong += hits[i] != (i < n);
		}
		for (int i = 0; i < 300; i++)
			team_run(t, 8, count, hits);
		team_free(t);
	}
	ok(wrong == 0, "each block runs once, whatever the team");
	memset(hits, 0, sizeof hits);
	team_run(NULL, 3, count, hits);
	ok(hits[0] + hits[1] + hits[2] == 3, "no team: the caller does it");
}

static void philox(void)
{
	/* Known answers of Random123's kat_vectors for philox4x32-10. */
	uint32_t zero[4] = {0}, ones[4] = {~0u, ~0u, ~0u, ~0u}, out[4];
	philox4x32(zero, 0, out);
	ok(out[0] == 0x6627e8d5 && out[1] == 0xe169c58d && out[2] == 0xbc57ac4c &&
			out[3] == 0x9b00dbd8,
		"philox4x32-10 of zeros");
	philox4x32(ones, ~(uint64_t)0, out);
	ok(out[0] == 0x408f276d && out[1] == 0x41c83b0e && out[2] == 0xa20bc7c6 &&
			out[3] == 0x6d5451fd,
		"philox4x32-10 of ones");
	uint32_t pi[4] = {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344};
	philox4x32(pi, 0x299f31d0a4093822u, out);
	ok(out[0] == 0xd16cfe09 && out[1] == 0x94fdcceb && out[2] == 0x5001e420 &&
			out[3] == 0x24126ea1,
		"philox4x32-10 of pi's digits");
}

/* The core type that OpenBLAS takes in a process of its own, which is this program with "core". */
static void core_with(const char *environment, char *text, size_t size)
{
	char self[4096], command[5000];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	self[n > 0 ? n : 0] = 0;
	snprintf(command, sizeof command, "%s '%s' core", environment, self);
	FILE *f = popen(command, "r");
	if (!f || !fgets(text, (int)size, f))
		text[0] = 0;
	if (f)
		pclose(f);
}

static void core_types(void)
{
	const char *why, *claim = "OpenBLAS's core type";
	if (!kernels_select("cpu", "openblas", &why)) {
		tap_skip(claim, why);
		return;
	}
	char text[200];
#ifdef __x86_64__
	if (kernels_select("cpu", "avx512", &why)) {
		core_with("env -u OPENBLAS_CORETYPE", text, sizeof text);
		ok(strstr(text, "SkylakeX") != NULL, "%s is chosen by AVX-512: %s", claim, text);
	}
	if (kernels_select("cpu", "avx2", &why)) {
		core_with("env OPENBLAS_CORETYPE=Haswell", text, sizeof text);
		ok(strstr(text, "Haswell") != NULL, "%s is the user's where it is set: %s", claim,
			text);
	}
#endif
	core_with("env OPENBLAS_NUM_THREADS=1", text, sizeof text);
	ok(strstr(text, "core type") != NULL, "%s is said: %s", claim, text);
}

static int print_core(void)
{
	const char *why;
	K = kernels_select("cpu", "openblas", &why);
	if (!K || K->open(K, 0, 1, KP_F32, &C) != KE_OK)
		return 1;
	printf("%s", K->describe(C));
	K->close(C);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "core") == 0)
		return print_core();
	core_types();
	types();
	teams();
	philox();
	selection();
	each_backend(2, full_table);
	return tap_done();
}
