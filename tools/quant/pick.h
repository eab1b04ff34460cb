/* Which weights are quantised: the linear layers, less those that are named. */
#ifndef QUANT_PICK_H
#define QUANT_PICK_H

#include "common/safetensors.h"

struct pick;

/* names: "A,B", as transformers' llm_int8_skip_modules; NULL: what transformers leaves out itself. */
int pick_new(struct pick **p, const char *names, struct err *e);
void pick_free(struct pick *p); /* NULL: nothing */

/* 1: quantise it, 0: not; -1: it cannot be told. */
int pick_weight(const struct pick *p, const struct st_tensor *t, struct err *e);

#endif
