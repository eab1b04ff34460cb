/*
 * What becomes of every tensor: decided and checked before the first byte is written, because the
 * header of a safetensors file comes first and holds every length (for double quantisation even that
 * of a number's text, for which all weights are read once more).
 */
#ifndef QUANT_PLAN_H
#define QUANT_PLAN_H

#include "common/bnb.h"
#include "kernels/quant.h"
#include "kernels/team.h"
#include "tools/quant/pick.h"

struct settings {
	enum dtype type; /* DT_NF4, DT_FP4, DT_INT8 */
	size_t blocksize;
	int nested;
	enum dtype storage; /* of 4-bit codes */
	enum quant8_rule rule;
	int dtype; /* every float becomes this first; -1: keeps its own */
};

/* The tensors that a weight becomes; of int8: the weight, SCB, its format. */
enum part {
	PART_WEIGHT,
	PART_ABSMAX,
	PART_MAP,
	PART_STATE,
	PART_NESTED_ABSMAX,
	PART_NESTED_MAP,
	PART_COUNT
};

enum action { COPY, ENCODE4, ENCODE8, DECODE };

struct item {
	enum action action;
	const struct st_tensor *in;
	enum dtype dtype;	 /* of the floats: before quantising, or as the result */
	struct bnb_weight *from; /* DECODE */
	float offset;		 /* nested */
	char *state;		 /* JSON, a NUL behind */
	size_t out[PART_COUNT];	 /* indices in plan.out */
};

struct plan {
	struct settings set;
	struct item *items;
	size_t n;
	struct st_tensor *out; /* the result's table, in the order of its shards */
	size_t nout, shards;
	size_t quantised; /* items that change their form */
};

/* Elements that one task encodes: whole blocks, and whole groups of their statistics. */
size_t plan_unit(const struct settings *set);

int plan_encode(struct plan *p, const struct settings *set, const struct st *base,
	const struct pick *pick, struct team *team, struct err *e);
/* Back to floats: 4 bits to set->dtype, else what they were; int8 to set->dtype, else `model`. */
int plan_decode(struct plan *p, const struct settings *set, const struct st *base, int model,
	struct err *e);
void plan_done(struct plan *p);

#endif
