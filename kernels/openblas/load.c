/*
 * Loading OpenBLAS with the right kernels. It chooses them when it is loaded, by a list of CPUs that it
 * knows; Debian 12's (0.3.21) takes a newer CPU for an old one and runs at half speed. So the choice
 * is made here, by what the CPU can do, unless the user has made it (OPENBLAS_CORETYPE).
 */
#include "kernels/openblas/blas.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CORETYPE "OPENBLAS_CORETYPE"
#define THREADS	 "OPENBLAS_NUM_THREADS"

static const char *core_type(void)
{
#ifdef __x86_64__
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
		return "SkylakeX";
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		return "Haswell";
#endif
	return NULL; /* its own detection */
}

struct library {
	sgemm_fn *sgemm;
	void (*set_threads)(int);
	char *(*core_name)(void);
};

/* Our team is the threads; what the environment says to OpenBLAS is for this load alone. */
static void *load(void)
{
	const char *core = getenv(CORETYPE) ? NULL : core_type();
	int threads = !getenv(THREADS);
	if (core)
		setenv(CORETYPE, core, 1);
	if (threads)
		setenv(THREADS, "1", 1);
	void *so = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (core)
		unsetenv(CORETYPE);
	if (threads)
		unsetenv(THREADS);
	return so;
}

static void find(void *so, const char *name, void *fn)
{
	void *symbol = dlsym(so, name);
	memcpy(fn, &symbol, sizeof symbol);
}

/* A product of odd sizes against double: the chosen kernels must be right on this CPU. */
static int multiplies(sgemm_fn *sgemm)
{
	enum { M = 19, N = 37, K = 70 };
	float a[M * K], b[N * K], c[M * N];
	for (int i = 0; i < M * K; i++)
		a[i] = (float)(i * 7 % 13 - 6) / 8;
	for (int i = 0; i < N * K; i++)
		b[i] = (float)(i * 5 % 11 - 5) / 4;
	sgemm(BLAS_ROW_MAJOR, BLAS_PLAIN, BLAS_TRANSPOSED, M, N, K, 1, a, K, b, K, 0, c, N);
	for (int i = 0; i < M; i++)
		for (int j = 0; j < N; j++) {
			double sum = 0;
			for (int k = 0; k < K; k++)
				sum += (double)a[i * K + k] * (double)b[j * K + k];
			if (!(fabs((double)c[i * N + j] - sum) < 1e-4))
				return 0;
		}
	return 1;
}

/* NULL and *lib, or what is wrong. */
static const char *library(struct library *lib)
{
	void *so = load();
	if (!so)
		return "OpenBLAS (libopenblas.so.0) is not installed";
	find(so, "cblas_sgemm", &lib->sgemm);
	find(so, "openblas_set_num_threads", &lib->set_threads);
	find(so, "openblas_get_corename", &lib->core_name);
	if (!lib->sgemm || !lib->set_threads || !lib->core_name)
		return "libopenblas.so.0 lacks cblas_sgemm or its settings";
	lib->set_threads(1);
	if (!multiplies(lib->sgemm))
		return "OpenBLAS gives wrong products on this CPU; try another " CORETYPE;
	return NULL;
}

const char *blas_unavailable(void)
{
	struct library lib;
	return library(&lib);
}

int blas_open(const struct kernels *self, int device, int threads, enum kprecision precision,
	struct kctx **out)
{
	struct library lib;
	if (library(&lib))
		return KE_DEVICE;
	int rc = cpu_open(self, device, threads, precision, out);
	if (rc)
		return rc;
	struct blas *blas = malloc(sizeof *blas);
	if (!blas) {
		cpu_close(*out);
		return KE_MEMORY;
	}
	blas->sgemm = lib.sgemm;
	(*out)->own = blas;
	size_t used = strlen((*out)->text);
	snprintf((*out)->text + used, sizeof(*out)->text - used, ", core type %s", lib.core_name());
	return KE_OK;
}
