/*
 * Supervised fine-tuning: cross-entropy summed over the trained tokens of the step, divided by
 * their number in the whole step (TRL 1.16, sft_trainer.py compute_loss, loss_type nll). Which
 * tokens are trained is said by the data: the completion, the assistant's spans, or all.
 */
#include "tools/train-step/loss.h"

static double eval(
	const struct loss_opts *o, const struct loss_batch *b, double *coef, struct metrics *m)
{
	(void)o;
	double n = (double)b->total.side[0], logp = 0, entropy = 0, hits = 0;
	for (size_t r = 0; r < b->n; r++) {
		struct loss_span s = b->rows[r].side[0];
		logp += loss_sum(b, s);
		if (coef)
			loss_spread(coef, s, -1 / n);
		for (size_t i = s.at; m && i < s.at + s.n; i++) {
			entropy += b->label[i].entropy;
			hits += b->label[i].hit;
		}
	}
	if (m) {
		metrics_add(m, "entropy", entropy / n);
		metrics_add(m, "mean_token_accuracy", hits / n);
	}
	return -logp / n;
}

static const struct loss_type *type(size_t i)
{
	static const struct loss_type only = {"nll", 0, 0};
	return i == 0 ? &only : NULL;
}

static const char *const options[] = {NULL};

const struct loss_def loss_sft = {
	.name = "sft",
	.type = type,
	.options = options,
	.stats = KSTAT_ENTROPY | KSTAT_HIT,
	.learning_rate = 2e-5,
	.eval = eval,
};
