/* The operations of kernels/x86/, one set of names for each instruction set. */
#ifndef KERNELS_X86_X86_INT_H
#define KERNELS_X86_X86_INT_H

#include "kernels/cpu/cpu_int.h"
#include "kernels/x86/vec.h"

int FN(weight_new)(
	struct kctx *c, const struct kweight_desc *d, unsigned uses, struct kweight **out);
int FN(linear_fwd)(struct kctx *c, const struct klinear *l, struct kbuf x, size_t T, struct kbuf y,
	struct kbuf h);
int FN(linear_bwd)(struct kctx *c, const struct klinear *l, struct kbuf x, struct kbuf h,
	struct kbuf dy, size_t T, struct kbuf dx, int accumulate);

#endif
