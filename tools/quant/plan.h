/* Which tensors are quantised, and which become floats again. */
#ifndef QUANT_PLAN_H
#define QUANT_PLAN_H

#include "common/rewrite.h"
#include "tools/quant/pick.h"

/* dtype: every float becomes this first; -1: keeps its own. */
int plan_encode(struct rewrite *w, const struct quant_form *form, int dtype, const struct st *base,
	const struct pick *pick, struct err *e);
/* Back to floats: 4 bits to dtype, else what they were; int8 to dtype, else `model`. */
int plan_decode(struct rewrite *w, int dtype, const struct st *base, int model, struct err *e);

#endif
