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
	size_t tokens; /* of a micro-batch of several trees */
};

/* m may be opened with model_opts.plan. The same settings give the same plan, whatever machine, but for a
 * paged optimizer's states: they go out where the machine's memory or --max-memory is too small. An error
 * (status 3) when it does not fit into --max-memory. */
int plan_make(struct plan *p, struct model *m, const struct options *o, struct err *e);
/* One line a part on standard output. */
int plan_print(const struct plan *p, struct err *e);
/* One line on standard error. */
void plan_note(const struct plan *p);

#endif
