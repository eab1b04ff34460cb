/*
 * What becomes of every tensor of the base: the whole merge, decided and checked before the first
 * byte is written.
 */
#ifndef MERGE_LORA_PLAN_H
#define MERGE_LORA_PLAN_H

#include "common/rewrite.h"
#include "tools/merge-lora/sources.h"

/* The base, and in which form the result is wanted. */
struct wish {
	const struct st *base;
	int tied;	/* config.json's tie_word_embeddings, -1 when it does not say */
	int base_dtype; /* its dtype, or -1 */
	int dtype; /* of every float tensor, and of what was quantised; -1: each keeps its own */
	int quantised;	       /* config.json says that it is */
	int requantise;	       /* what was quantised is quantised again … */
	enum quant8_rule rule; /* … nested scales by this rule */
};

struct plan {
	struct rewrite w;
	int untie; /* the result has an output head of its own, the base had not */
};

/* The base's items, and whether the wish can be had: before an adapter is waited for. */
int plan_base(struct plan *p, const struct wish *wish, struct err *e);
/* What adapters do to them. rewrite_plan then gives the items their places. */
int plan_adapters(struct plan *p, const struct wish *wish, const struct source *s, size_t nsources,
	struct err *e);
void plan_done(struct plan *p);

#endif
