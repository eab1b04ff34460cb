/*
 * One optimizer step's arithmetic without the optimizer: the forward and backward of a batch, cut
 * into micro-batches, with the loss between. Values and derivatives are those of the whole batch,
 * whatever the cut.
 */
#ifndef TRAIN_STEP_H
#define TRAIN_STEP_H

#include "common/model/model.h"
#include "tools/train-step/batch.h"
#include "tools/train-step/loss.h"
#include "tools/train-step/metrics.h"

struct stepper {
	struct model *m;
	struct workspace *ws;
	const struct loss *loss;
	size_t max_tokens, max_rows; /* of a micro-batch */
	float dropout;
	uint64_t seed;
	struct forest forest; /* the rest is scratch, reused */
	struct klabel_out *label;
	double *coef;
	size_t cap_label, cap_coef;
};
void stepper_done(struct stepper *s);

/* Loss and metrics of the batch; train: and the gradients, in the arena; step (from 0) seeds
 * dropout. */
int step_run(struct stepper *s, const struct batch *b, int train, uint64_t step, double *loss,
	struct metrics *m, struct err *e);

/* Log-probs alone: s->label of all labels of the batch, under model m with workspace ws. */
int step_logps(struct stepper *s, struct model *m, struct workspace *ws, const struct batch *b,
	struct err *e);

#endif
