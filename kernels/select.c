/* The list of backends and the choice among them. */
#include "kernels/kernels.h"

#include <string.h>

#ifdef __x86_64__
extern const struct kernels kernels_avx512bf16, kernels_avx512, kernels_avx2;
extern const struct kernels kernels_openblas_avx512, kernels_openblas_avx2;
#endif
extern const struct kernels kernels_openblas;

const struct kernels *const kernels_all[] = {
#ifdef __x86_64__
	&kernels_avx512bf16,
	&kernels_avx512,
	&kernels_avx2,
	&kernels_openblas_avx512,
	&kernels_openblas_avx2,
#endif
	&kernels_openblas,
	&kernels_plain,
	NULL,
};

const struct kernels *kernels_select(const char *device, const char *name, const char **why)
{
	if (device && strncmp(device, "cuda", 4) == 0 && (!device[4] || device[4] == ':')) {
		*why = "this build has no CUDA kernels";
		return NULL;
	}
	if (device && strcmp(device, "auto") != 0 && strcmp(device, "cpu") != 0) {
		*why = "no such device (auto, cpu, cuda or cuda:N)";
		return NULL;
	}
	int any = !name || strcmp(name, "auto") == 0;
#ifdef __x86_64__
	*why = "no such kernels (auto, avx512bf16, avx512, avx2, openblas or plain)";
#else
	*why = "no such kernels (auto, openblas or plain)";
#endif
	for (int i = 0; kernels_all[i]; i++) {
		if (!any && strcmp(name, kernels_all[i]->name) != 0)
			continue;
		const char *no = kernels_all[i]->unavailable();
		if (!no)
			return kernels_all[i];
		*why = no;
	}
	return NULL;
}

static const char *const precision_names[] = {[KP_F32] = "f32", [KP_BF16] = "bf16"};

enum kprecision kernels_precision(const struct kernels *k, const char *word)
{
	for (int i = 0; k->precision[i]; i++)
		if (!word || !strcmp(word, "auto") ||
			!strcmp(word, precision_names[k->precision[i]]))
			return k->precision[i];
	return KP_NONE;
}

const char *kernels_precision_name(enum kprecision p)
{
	return precision_names[p];
}
