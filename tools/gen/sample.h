/*
 * From logits to the next token: transformers' processors in its order (5.23, generation/
 * logits_process.py): repetition penalty, temperature, top-k, top-p, min-p, then a draw.
 */
#ifndef GEN_SAMPLE_H
#define GEN_SAMPLE_H

#include "common/rng.h"

#include <stddef.h>
#include <stdint.h>

struct sampling {
	double temperature; /* 0: greedy */
	size_t top_k;	    /* 0: all */
	double top_p;	    /* 1: all */
	double min_p;	    /* 0: all */
	double penalty;	    /* 1: none */
};

struct sampler {
	struct sampling how;
	size_t vocab;
	double *p;	 /* [vocab] scores, then probabilities */
	uint32_t *order; /* [vocab] by falling score */
	uint8_t *seen;	 /* [vocab] */
};

void sampler_init(struct sampler *s, const struct sampling *how, size_t vocab);
void sampler_done(struct sampler *s);

/* The token that follows `ids`, the whole sequence so far. Greedy takes the first greatest score and
 * nothing from rng. */
uint32_t sampler_next(
	struct sampler *s, const float *logits, const uint32_t *ids, size_t n, struct rng *rng);

/* The first half of it: s->p becomes the probabilities that a draw is made from (greedy: the scores). */
void sampler_weigh(struct sampler *s, const float *logits, const uint32_t *ids, size_t n);

#endif
