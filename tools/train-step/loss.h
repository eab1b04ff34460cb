/*
 * Losses: functions of the log-probs of labelled tokens, in double, on the host. A loss never sees
 * logits, a model or a device, so each can be tested by finite differences alone. Adding one is a
 * file and a row of loss_table.
 *
 * The step is one flat array of labels; a row (a pair, or one sequence) names ranges of it. Ranges
 * of prompt labels may be shared by rows with one prompt, so derivatives are added, never stored.
 *
 * eval() is called on the rows of each micro-batch for the derivatives, and once over the whole
 * step for the value and the metrics. Means divide by the totals of the whole step, which are known
 * before the first forward: that is why values do not depend on how the work was cut. A loss that
 * must see all log-probs before its first derivative says LOSS_WHOLE_STEP: the trainer then runs
 * two passes.
 */
#ifndef TRAIN_LOSS_H
#define TRAIN_LOSS_H

#include "common/err.h"
#include "kernels/kernels.h"
#include "tools/train-step/metrics.h"

#include <stddef.h>

/* What a loss asks of the data and the trainer. */
enum {
	LOSS_PAIRS = 1,		/* rows have a chosen and a rejected side */
	LOSS_REFERENCE = 2,	/* summed log-probs under the reference are in loss_row.ref */
	LOSS_PROMPT_LABELS = 4, /* tokens of the prompt are labels too */
	LOSS_WHOLE_STEP = 8,	/* derivatives need every log-prob of the step */
};

struct loss_span {
	size_t at, n; /* labels [at, at + n) of the step */
};

struct loss_row {
	struct loss_span prompt; /* n 0 unless LOSS_PROMPT_LABELS */
	struct loss_span
		side[2]; /* the completion or the chosen; the rejected (n 0 without pairs) */
	double ref[2];
};

/* Sums over the rows of the whole step (a shared prompt counts once a row). */
struct loss_totals {
	size_t rows, prompt, side[2];
};

struct loss_batch {
	const struct klabel_out *label; /* of the whole step */
	const struct loss_row *rows;	/* those to look at: a micro-batch's, or all */
	size_t n;
	struct loss_totals total;
};

/* Settings under TRL's names. */
struct loss_opts {
	const char *type; /* NULL: the loss's first */
	double beta, label_smoothing;
};

/* A value of --loss-type; what it asks for beyond its loss. */
struct loss_type {
	const char *name;
	unsigned needs, stats;
};

struct loss_def {
	const char *name;
	const struct loss_type *(*type)(size_t i); /* the default first; NULL after the last */
	const char *const *options; /* those of loss_options that it uses, then NULL */
	unsigned needs;		    /* LOSS_ bits */
	unsigned stats;		    /* KSTAT_ bits that its metrics or weights use */
	double learning_rate;	    /* the peer's default */
	/*
	 * Returns the rows' share of the step's loss. coef (one a label of the step), when not NULL, gets
	 * d(loss)/d(log-prob) added. m, when not NULL, gets the loss's metrics (b holds all rows then).
	 */
	double (*eval)(const struct loss_opts *o, const struct loss_batch *b, double *coef,
		struct metrics *m);
};
extern const struct loss_def loss_sft, loss_dpo, loss_orpo;
extern const struct loss_def *const loss_table[]; /* ends with NULL */
/* Options that belong to losses: given for one that does not use it, each is an error. */
extern const char *const loss_options[]; /* ends with NULL */

int loss_uses(const struct loss_def *l, const char *option);

/* A loss as chosen: needs and stats are the loss's and its type's together. */
struct loss {
	const struct loss_def *def;
	struct loss_opts opts;
	unsigned needs, stats;
};
/* By --loss, with l->opts as given: checks them, fills in the rest. Errors (status 2) list what there
 * is. */
int loss_choose(struct loss *l, const char *name, struct err *e);
static inline double loss_eval(
	const struct loss *l, const struct loss_batch *b, double *coef, struct metrics *m)
{
	return l->def->eval(&l->opts, b, coef, m);
}

/* ---- what several losses share (loss.c) ---- */

double loss_log_sigmoid(double x);
double loss_sigmoid(double x);
/* Sum of the log-probs of a range, first to last. */
double loss_sum(const struct loss_batch *b, struct loss_span s);
/* Adds d to the derivative of every label of a range. */
void loss_spread(double *coef, struct loss_span s, double d);
/* rewards/chosen, rewards/rejected, rewards/accuracies, rewards/margins, logps/chosen,
 * logps/rejected: sums over the batch's rows, made means by the number of rows. */
struct loss_rewards {
	double chosen, rejected, accuracies, logps[2];
};
void loss_rewards_add(struct loss_rewards *w, const double reward[2], const double logp[2]);
void loss_rewards_report(const struct loss_rewards *w, size_t rows, struct metrics *m);

#endif
