/* Learning-rate schedules under transformers' names (5.23, optimization.py): a factor on the base
 * rate for each optimizer step, from 0. With warmup the first step's factor is 0, as there. */
#ifndef TRAIN_SCHEDULE_H
#define TRAIN_SCHEDULE_H

#include "common/err.h"

#include <stdint.h>

enum { SCHEDULE_PARAMS = 2 };

struct schedule {
	const struct schedule_def *def;
	uint64_t warmup, total; /* steps */
	double lr;
	double param[SCHEDULE_PARAMS]; /* --lr-scheduler-kwargs, in the order of the definition */
};

/* kwargs: a JSON object of numbers, or NULL. Unknown names and keys are errors (status 2). */
int schedule_init(
	struct schedule *s, const char *name, const char *kwargs, double lr, struct err *e);
/* The rate of the step after k steps. */
double schedule_rate(const struct schedule *s, uint64_t k);

#endif
