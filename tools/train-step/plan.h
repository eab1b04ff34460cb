/* What memory a run needs, part by part, before its first step; and how many tokens of a step are
 * computed at once so that it fits. */
#ifndef TRAIN_PLAN_H
#define TRAIN_PLAN_H

#include "common/model/model.h"
#include "tools/train-step/options.h"

struct plan {
	size_t weights, adapter, states, activations, head; /* bytes */
	size_t total;					    /* of memory */
	/* Bytes of states that lie in files; in memory is a parameter's at a time, counted above. */
	size_t paged;
	size_t tokens;	  /* of a micro-batch */
	size_t recompute; /* layers whose activations are made again (workspace_recompute) */
};

/* m may be opened with model_opts.plan. What is planned for is --max-memory, else the machine's memory. An
 * error (status 3) when it does not fit however it is cut: it says the least that would do. --plan alone
 * answers all the same. */
int plan_make(struct plan *p, struct model *m, const struct options *o, struct err *e);
/* One line a part on standard output. */
int plan_print(const struct plan *p, struct err *e);
/* One line on standard error. */
void plan_note(const struct plan *p);

#endif
