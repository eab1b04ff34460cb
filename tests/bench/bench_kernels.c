/*
 * Rates of the operations on this machine, each backend that can run here:
 *   bench_kernels [-c] [-j THREADS] [-k KERNELS] [-p PRECISION] [-t TOKENS] [GROUP …]
 * -c: time on the CPU, not on the wall: for a busy machine, with -j 1.
 * Without -k: all but the plain ones; without -p: in the best precision of each. Groups: linear, lora, full, attention,
 * head, rows. A figure is the best of many calls; `share` is of the roof of its precision, measured at the
 * start (multiply-adds in registers, all threads).
 */
#include "kernels/kernels.h"
#include "kernels/quant.h"
#include "kernels/team.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct kernels *K;
static struct kctx *C;
static int threads;
static clockid_t timer = CLOCK_MONOTONIC;
static enum kprecision precision;
static double roofs[KP_BF16 + 1];
static size_t tokens;

static double now(void)
{
	struct timespec t;
	clock_gettime(timer, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Least seconds of one call of fn: of single calls, so that a busy machine disturbs few of them. */
static double best(void (*fn)(void *), void *arg)
{
	double least = 1e30, start = now();
	fn(arg);
	for (int i = 0; i < 5 || (now() - start < 0.4 && i < 2000); i++) {
		double t0 = now();
		fn(arg);
		double t = now() - t0;
		least = t < least ? t : least;
	}
	return least;
}

static struct kbuf buf(size_t n)
{
	float *p = malloc((n + 1) * sizeof *p);
	unsigned s = 1;
	for (size_t i = 0; i < n; i++) {
		s = s * 1664525 + 1013904223;
		p[i] = (float)(int)s * 0x1p-31f;
	}
	struct kbuf b = {K->alloc(C, n * sizeof *p), DT_F32};
	K->write(C, b.p, p, n * sizeof *p);
	free(p);
	return b;
}

static void rate(const char *what, double flop, double seconds)
{
	printf("%-9s %-46s %9.3f ms %8.1f GF/s", K->name, what, seconds * 1e3,
		flop / seconds * 1e-9);
	if (roofs[precision] > 0)
		printf("  share %3.0f%%", 100 * flop / seconds / roofs[precision]);
	putchar('\n');
	fflush(stdout);
}

/* ---- roof: independent multiply-adds in registers, every thread ---- */

enum { ROOF_STEPS = 400000 };

#ifdef __x86_64__
#include <immintrin.h>
__attribute__((target("avx512f"))) static void burn512(void *arg, size_t i, int worker)
{
	__m512 s[12], x = _mm512_set1_ps(0.999f), y = _mm512_set1_ps(1e-3f);
	(void)i;
	(void)worker;
	for (int j = 0; j < 12; j++)
		s[j] = x;
	for (int n = 0; n < ROOF_STEPS; n++)
#pragma GCC unroll 12
		for (int j = 0; j < 12; j++)
			s[j] = _mm512_fmadd_ps(s[j], x, y);
	for (int j = 1; j < 12; j++)
		s[0] = _mm512_add_ps(s[0], s[j]);
	*(volatile float *)arg = _mm512_cvtss_f32(s[0]);
}

__attribute__((target("avx512f,avx512bf16"))) static void burn_bf16(void *arg, size_t i, int worker)
{
	__m512 s[12];
	__m512bh x = (__m512bh)_mm512_set1_epi32(0x3f803f00),
		 y = (__m512bh)_mm512_set1_epi32(0x3a803b00);
	(void)i;
	(void)worker;
	for (int j = 0; j < 12; j++)
		s[j] = _mm512_setzero_ps();
	for (int n = 0; n < ROOF_STEPS; n++)
#pragma GCC unroll 12
		for (int j = 0; j < 12; j++)
			s[j] = _mm512_dpbf16_ps(s[j], x, y);
	for (int j = 1; j < 12; j++)
		s[0] = _mm512_add_ps(s[0], s[j]);
	*(volatile float *)arg = _mm512_cvtss_f32(s[0]);
}

__attribute__((target("avx2,fma"))) static void burn256(void *arg, size_t i, int worker)
{
	__m256 s[12], x = _mm256_set1_ps(0.999f), y = _mm256_set1_ps(1e-3f);
	(void)i;
	(void)worker;
	for (int j = 0; j < 12; j++)
		s[j] = x;
	for (int n = 0; n < ROOF_STEPS; n++)
#pragma GCC unroll 12
		for (int j = 0; j < 12; j++)
			s[j] = _mm256_fmadd_ps(s[j], x, y);
	for (int j = 1; j < 12; j++)
		s[0] = _mm256_add_ps(s[0], s[j]);
	*(volatile float *)arg = _mm256_cvtss_f32(s[0]);
}

static double rate_of(void (*burn)(void *, size_t, int), int flop_a_step)
{
	struct team *t = team_new(threads);
	float sink;
	double least = 1e30;
	for (int i = 0; i < 50; i++) {
		double t0 = now();
		team_run(t, (size_t)team_size(t), burn, &sink);
		double s = now() - t0;
		least = s < least ? s : least;
	}
	double flop = 12.0 * ROOF_STEPS * flop_a_step * team_size(t);
	team_free(t);
	return flop / least;
}

static void bench_roof(void)
{
	int wide = __builtin_cpu_supports("avx512f");
	roofs[KP_F32] = wide ? rate_of(burn512, 32) : rate_of(burn256, 16);
	if (__builtin_cpu_supports("avx512bf16"))
		roofs[KP_BF16] = rate_of(burn_bf16, 64);
	printf("roof: %.0f GF/s f32, %.0f bf16 on %d threads\n", roofs[KP_F32] * 1e-9,
		roofs[KP_BF16] * 1e-9, threads);
}
#else
static void bench_roof(void)
{
}
#endif

/* ---- linear ---- */

struct lin {
	struct klinear l;
	struct kbuf x, y, h, dy, dx;
	size_t T;
};

static void lin_fwd(void *p)
{
	struct lin *s = p;
	K->linear_fwd(C, &s->l, s->x, s->T, s->y, s->h);
}

static void lin_bwd(void *p)
{
	struct lin *s = p;
	K->linear_bwd(C, &s->l, s->x, s->h, s->dy, s->T, s->dx, 1);
}

static const char *type_name(enum dtype t)
{
	return t == DT_NF4 ? "NF4" : t == DT_INT8 ? "INT8" : dtype_info[t].st_name;
}

static void linear(size_t T, size_t N, size_t D, size_t R, enum dtype t, int full)
{
	char *disk = malloc(dtype_bytes(t, N * D) + 1);
	struct kbuf w = buf(N * D);
	float *f = malloc(N * D * sizeof *f);
	K->read(C, f, w.p, N * D * sizeof *f);
	float *absmax = malloc(N * D / 64 * sizeof *absmax);
	if (t == DT_NF4)
		quant4_encode(t, DT_F32, f, N * D, 64, (uint8_t *)disk, absmax);
	else if (t == DT_INT8)
		quant_int8_encode(DT_F32, f, N, D, (int8_t *)disk, absmax);
	else
		dtype_from_f32(t, f, disk, N * D);
	free(f);
	K->free(C, w.p);
	struct kweight_desc d = {.dtype = t,
		.n = N,
		.k = D,
		.data = disk,
		.values = DT_F32,
		.blocksize = 64,
		.absmax = absmax,
		.scb = absmax};
	struct lin s = {
		.x = buf(T * D), .y = buf(T * N), .dy = buf(T * N), .dx = buf(T * D), .T = T};
	struct kweight *kw;
	K->weight_new(C, &d, KUSE_FWD | KUSE_BWD, &kw);
	s.l.w = kw;
	s.h = buf(T * R);
	if (R)
		s.l.lora = (struct klora){.r = R,
			.scale = 2,
			.a = buf(R * D),
			.b = buf(N * R),
			.da = buf(R * D),
			.db = buf(N * R)};
	if (full)
		s.l.dw = buf(N * D);
	char what[96];
	double flop = 2.0 * (double)T * (double)N * (double)D;
	double lora = 2.0 * (double)T * (double)R * (double)(N + D);
	snprintf(what, sizeof what, "fwd T %zu  %zu->%zu %s r %zu", T, D, N, type_name(t), R);
	rate(what, flop + lora, best(lin_fwd, &s));
	snprintf(what, sizeof what, "bwd T %zu  %zu->%zu %s r %zu%s", T, D, N, type_name(t), R,
		full ? " full" : "");
	rate(what, flop * (full ? 2 : 1) + 2 * lora, best(lin_bwd, &s));
	struct kbuf *all[] = {&s.x, &s.y, &s.dy, &s.dx, &s.h, &s.l.dw, &s.l.lora.a, &s.l.lora.b,
		&s.l.lora.da, &s.l.lora.db};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		K->free(C, all[i]->p);
	K->weight_free(C, kw);
	free(disk);
	free(absmax);
}

static void bench_linear(void)
{
	static const size_t T[] = {256, 600, 2048};
	for (int i = 0; i < 3; i++) {
		if (tokens && T[i] != tokens)
			continue;
		linear(T[i], 1536, 576, 0, DT_BF16, 0);
		linear(T[i], 1536, 576, 0, DT_NF4, 0);
		linear(T[i], 1536, 576, 0, DT_INT8, 0);
		linear(T[i], 576, 1536, 0, DT_BF16, 0);
		linear(T[i], 192, 576, 0, DT_BF16, 0);
		linear(T[i], 576, 576, 0, DT_F32, 0);
		linear(T[i], 8192, 2048, 0, DT_BF16, 0);
		linear(T[i], 2048, 8192, 0, DT_BF16, 0);
	}
	linear(1, 1536, 576, 0, DT_BF16, 0);
	linear(1, 8192, 2048, 0, DT_BF16, 0);
	linear(8, 8192, 2048, 0, DT_BF16, 0);
	linear(64, 1536, 576, 0, DT_BF16, 0);
	linear(256, 49152, 576, 0, DT_BF16, 0);
}

static void bench_lora(void)
{
	linear(600, 1536, 576, 16, DT_BF16, 0);
	linear(600, 576, 1536, 16, DT_BF16, 0);
	linear(600, 192, 576, 16, DT_BF16, 0);
	linear(2048, 8192, 2048, 16, DT_BF16, 0);
}

static void bench_full(void)
{
	linear(600, 1536, 576, 0, DT_F32, 1);
	linear(600, 288, 288, 0, DT_F32, 1);
	linear(2048, 8192, 2048, 0, DT_F32, 1);
}

/* ---- attention ---- */

struct att {
	struct kattn a;
	struct kbuf q, k, v, out, lse, dout, dq, dk, dv;
};

static void att_fwd(void *p)
{
	struct att *s = p;
	K->attn_fwd(C, &s->a, s->q, s->k, s->v, s->out, s->lse);
}

static void att_bwd(void *p)
{
	struct att *s = p;
	K->attn_bwd(C, &s->a, s->q, s->k, s->v, s->out, s->lse, s->dout, s->dq, s->dk, s->dv);
}

static void attention(
	const char *name, size_t H, size_t G, size_t D, const struct kseg *segs, size_t n)
{
	size_t T = 0;
	double seen = 0;
	for (size_t i = 0; i < n; i++) {
		T += segs[i].nq;
		for (int p = segs[i].parent; p >= 0; p = segs[p].parent)
			seen += (double)segs[i].nq * (double)segs[p].nk;
		seen += (double)segs[i].nq * (double)(segs[i].nk + 1) / 2;
	}
	struct att s = {.a = {H, G, D, 0.125f, segs, n},
		.q = buf(T * H * D),
		.k = buf(T * G * D),
		.v = buf(T * G * D),
		.out = buf(T * H * D),
		.lse = buf(T * H),
		.dout = buf(T * H * D),
		.dq = buf(T * H * D),
		.dk = buf(T * G * D),
		.dv = buf(T * G * D)};
	char what[96];
	double flop = 4 * seen * (double)(H * D);
	snprintf(what, sizeof what, "attn fwd %s T %zu H %zu G %zu D %zu", name, T, H, G, D);
	rate(what, flop, best(att_fwd, &s));
	snprintf(what, sizeof what, "attn bwd %s T %zu H %zu G %zu D %zu", name, T, H, G, D);
	rate(what, flop * 2.5, best(att_bwd, &s));
	struct kbuf *all[] = {&s.q, &s.k, &s.v, &s.out, &s.lse, &s.dout, &s.dq, &s.dk, &s.dv};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		K->free(C, all[i]->p);
}

static void bench_attention(void)
{
	static const struct kseg row[] = {{0, 600, 0, 600, -1}};
	static const struct kseg pair[] = {
		{0, 120, 0, 120, -1}, {120, 240, 120, 240, 0}, {360, 240, 360, 240, 0}};
	static const struct kseg lengthy[] = {{0, 2048, 0, 2048, -1}};
	struct kseg many[24];
	for (int i = 0; i < 24; i++) {
		static const size_t len[3] = {40, 20, 25};
		size_t at = (size_t)(i / 3 * 85) + (i % 3 == 0 ? 0 : i % 3 == 1 ? 40 : 60);
		many[i] = (struct kseg){at, len[i % 3], at, len[i % 3], i % 3 ? i / 3 * 3 : -1};
	}
	attention("row", 9, 3, 64, row, 1);
	attention("pair", 9, 3, 64, pair, 3);
	attention("8 pairs", 9, 3, 64, many, 24);
	attention("row", 32, 8, 64, lengthy, 1);
	attention("row", 6, 6, 48, row, 1);
}

/* ---- element-wise ---- */

struct elem {
	struct kbuf a, b, c, d, e;
	size_t T, D;
	uint32_t *ids;
	float *freq;
	struct klabel_out *out;
	unsigned stats;
	int grad;
};

static void bytes(const char *what, double n, double seconds)
{
	printf("%-9s %-46s %9.3f ms %8.2f Gelem/s\n", K->name, what, seconds * 1e3,
		n / seconds * 1e-9);
	fflush(stdout);
}

static void run_label(void *p)
{
	struct elem *s = p;
	K->softmax_label(C, s->a, s->ids, s->T, s->D, s->stats, s->grad, NULL, s->out);
}
static void run_norm(void *p)
{
	struct elem *s = p;
	K->rmsnorm_fwd(C, s->a, (struct kbuf){0}, (struct kbuf){0}, s->b, 0, 1e-5f, s->T, s->D,
		s->c, s->e);
}
static void run_norm_bwd(void *p)
{
	struct elem *s = p;
	K->rmsnorm_bwd(C, s->a, s->b, 0, s->e, s->d, s->T, s->D, s->c, (struct kbuf){0});
}
static void run_swiglu(void *p)
{
	struct elem *s = p;
	K->swiglu_fwd(C, s->a, s->d, s->T * s->D, s->c);
}
static void run_swiglu_bwd(void *p)
{
	struct elem *s = p;
	K->swiglu_bwd(C, s->a, s->d, s->d, s->T * s->D, s->c, s->c);
}
static void run_rope(void *p)
{
	struct elem *s = p;
	K->rope(C, s->a, s->T, s->D / 64, 64, s->ids, s->freq, 1, 0);
}
static void run_axpy(void *p)
{
	struct elem *s = p;
	K->axpy(C, 1, s->a, s->T * s->D, s->c);
}
static void run_adamw(void *p)
{
	struct elem *s = p;
	struct koptim o = {.lr = 1e-5,
		.beta1 = 0.9,
		.beta2 = 0.999,
		.eps = 1e-8,
		.weight_decay = 0.01,
		.step = 10,
		.gscale = 1};
	K->adamw(C, &o, s->T * s->D, s->a, s->d, s->c, s->c);
}
static void run_sumsq(void *p)
{
	struct elem *s = p;
	double x;
	K->sumsq(C, s->a, s->T * s->D, &x);
}

static struct elem elem(size_t T, size_t D)
{
	struct elem s = {buf(T * D), buf(D), buf(T * D), buf(T * D), buf(T), T, D,
		calloc(T, sizeof(uint32_t)), calloc(D, sizeof(float)), calloc(T, sizeof *s.out), 0,
		0};
	for (size_t t = 0; t < T; t++)
		s.ids[t] = (uint32_t)(t % D);
	for (size_t d = 0; d < D; d++)
		s.freq[d] = 1 / (1 + (float)d);
	return s;
}

static void elem_free(struct elem *s)
{
	K->free(C, s->a.p);
	K->free(C, s->b.p);
	K->free(C, s->c.p);
	K->free(C, s->d.p);
	K->free(C, s->e.p);
	free(s->ids);
	free(s->freq);
	free(s->out);
}

static void bench_head(void)
{
	struct elem s = elem(128, 49152);
	double n = 128.0 * 49152;
	bytes("softmax_label L 128 V 49152", n, best(run_label, &s));
	s.stats = KSTAT_ENTROPY | KSTAT_HIT;
	bytes("softmax_label with entropy and hit", n, best(run_label, &s));
	s.grad = 1;
	bytes("softmax_label with gradient (and entropy)", n, best(run_label, &s));
	elem_free(&s);
}

static void bench_rows(void)
{
	struct elem s = elem(600, 576), wide = elem(600, 1536);
	double n = 600.0 * 576, m = 600.0 * 1536;
	bytes("rmsnorm_fwd T 600 K 576", n, best(run_norm, &s));
	bytes("rmsnorm_bwd", n, best(run_norm_bwd, &s));
	bytes("rope T 600 heads 9 D 64", n, best(run_rope, &s));
	bytes("swiglu_fwd T 600 K 1536", m, best(run_swiglu, &wide));
	bytes("swiglu_bwd", m, best(run_swiglu_bwd, &wide));
	bytes("axpy", m, best(run_axpy, &wide));
	bytes("adamw", m, best(run_adamw, &wide));
	bytes("sumsq", m, best(run_sumsq, &wide));
	elem_free(&s);
	elem_free(&wide);
}

static const struct {
	const char *name;
	void (*run)(void);
} groups[] = {{"linear", bench_linear}, {"lora", bench_lora}, {"full", bench_full},
	{"attention", bench_attention}, {"head", bench_head}, {"rows", bench_rows}};

int main(int argc, char **argv)
{
	const char *only = NULL, *word = NULL;
	threads = team_cpus();
	for (int o; (o = getopt(argc, argv, "cj:k:p:t:")) != -1;)
		if (o == 'c')
			timer = CLOCK_PROCESS_CPUTIME_ID;
		else if (o == 'j')
			threads = (int)strtol(optarg, NULL, 10);
		else if (o == 'k')
			only = optarg;
		else if (o == 'p')
			word = optarg;
		else if (o == 't')
			tokens = strtoul(optarg, NULL, 10);
		else
			return 2;
	bench_roof();
	for (int i = 0; kernels_all[i]; i++) {
		K = kernels_all[i];
		const char *why;
		int wanted_kernels = only ? strcmp(only, K->name) == 0 : K != &kernels_plain;
		if (!wanted_kernels || kernels_select("cpu", K->name, &why) != K)
			continue;
		precision = kernels_precision(K, word);
		if (!precision)
			continue;
		if (K->open(K, 0, threads, precision, &C) != KE_OK)
			return 1;
		printf("# %s\n", K->describe(C));
		for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
			int wanted = optind == argc;
			for (int a = optind; a < argc; a++)
				wanted |= strcmp(argv[a], groups[g].name) == 0;
			if (wanted)
				groups[g].run();
		}
		K->close(C);
	}
	return 0;
}
