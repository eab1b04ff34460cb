/* A LoRA adapter on a model's shape: where it attaches, and its tensors in a params arena. What
 * PEFT's config says is peft.h's. */
#ifndef COMMON_MODEL_ADAPTER_H
#define COMMON_MODEL_ADAPTER_H

#include "common/err.h"
#include "common/model/arch.h"
#include "common/model/config.h"
#include "common/model/params.h"
#include "common/model/peft.h"

#include <stdint.h>

/* A module that has an adapter. */
enum { SITE_HEAD = PROJ_COUNT, SITE_EMBED };
struct lora_site {
	int place;    /* enum proj, or one of the above … */
	size_t layer; /* … and of a projection its layer */
	size_t in, out, r;
	float scale;	      /* alpha/r, or alpha/sqrt(r) */
	size_t a, b;	      /* indices into params … */
	long bias, magnitude; /* … or -1: lora_B.bias, lora_magnitude_vector */
};

struct adapter {
	struct adapter_config config;
	struct lora_site *sites;
	size_t nsites;
	/* Embedding and head are one tensor in the base, and two once this adapter is on. */
	int unties;
	/* Or they stay one and it trains (ensure_weight_tying): its row of params, which the file has
	 * under the head's name, too; else -1. */
	long tied;
};

/* Whether a tensor of the base ("lm_head.weight") trains beside an adapter: as modules_to_save and
 * bias have it. *name: what it is called in the adapter's file; the caller frees. */
int adapter_trains(const struct adapter_config *c, const char *tensor, char **name);

/* Sites and params rows for a model's shape, in canonical order (embedding, layers by enum proj, head;
 * A before B). No match at all is an error that lists what there is. */
int adapter_plan(
	struct adapter *a, const struct model_config *mc, struct params *ps, struct err *e);
/* A fresh adapter's values by init_lora_weights, from the seed: A U(-1/sqrt(in), 1/sqrt(in)) and B 0,
 * or A normal(0, 1/r), or both uniform; of an embedding A 0 and B normal(0, 1). After params_alloc.
 * Magnitudes are the model's affair. */
int adapter_init(const struct adapter *a, struct params *ps, const struct kernels *k,
	struct kctx *c, uint64_t seed, struct err *e);
void adapter_done(struct adapter *a);

#endif
