#include "kernels/cpu/cpu_int.h"
#include "kernels/philox.h"

#include <string.h>

void cpu_drop(const struct kdropout *d, size_t t, size_t k0, size_t nk, const float *x, float *dst)
{
	if (!(d->p > 0)) {
		memmove(dst, x, nk * sizeof *dst);
		return;
	}
	uint64_t key = philox_key(d->seed, d->step);
	uint64_t below = (uint64_t)((double)d->p * 0x1p32); /* p 1: every word is below */
	float keep = d->p < 1 ? 1 / (1 - d->p) : 0;
	uint32_t word[4] = {0};
	for (size_t i = 0; i < nk; i++) {
		size_t k = k0 + i;
		if (i == 0 || k % 4 == 0) {
			uint32_t ctr[4] = {(uint32_t)(k / 4), d->pos[t], d->record[t], d->module};
			philox4x32(ctr, key, word);
		}
		dst[i] = word[k % 4] < below ? 0 : x[i] * keep;
	}
}
