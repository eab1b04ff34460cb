/*
 * What becomes of every tensor of the base: the whole merge, decided and checked before the first
 * byte is written.
 */
#ifndef MERGE_LORA_PLAN_H
#define MERGE_LORA_PLAN_H

#include "tools/merge-lora/sources.h"

struct delta {
	const struct st_tensor *a, *b; /* [r, in], [out, r] */
	float scale;
};

struct target {
	const struct st_tensor *in; /* the base's */
	struct delta *deltas;
	size_t n;
};

struct plan {
	struct st_tensor *out;	/* [n] the result's table, shards in order; names are the plan's */
	struct target *targets; /* [n] */
	size_t n, shards;
	int untie; /* the result has an output head of its own, the base had not */
};

/* dtype: of every float tensor, -1: each keeps its own. tied: config.json's tie_word_embeddings, -1
 * when it does not say. The base must have floats only where an adapter reaches. */
int plan_make(struct plan *p, const struct st *base, int tied, int dtype, const struct source *s,
	size_t nsources, struct err *e);
void plan_done(struct plan *p);

#endif
