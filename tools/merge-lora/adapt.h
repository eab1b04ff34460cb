/* What the tensors of one adapter do to a plan. */
#ifndef MERGE_LORA_ADAPT_H
#define MERGE_LORA_ADAPT_H

#include "tools/merge-lora/plan.h"

/* n: how many adapters there are. */
int adapt(struct plan *p, const struct wish *wish, const struct source *s, size_t n, struct err *e);

#endif
