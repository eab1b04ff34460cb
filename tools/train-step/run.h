/* A training run from its first to its last step. */
#ifndef TRAIN_RUN_H
#define TRAIN_RUN_H

#include "common/model/model.h"
#include "tools/train-step/batch.h"
#include "tools/train-step/checkpoint.h"
#include "tools/train-step/data.h"
#include "tools/train-step/optim.h"
#include "tools/train-step/options.h"
#include "tools/train-step/place.h"
#include "tools/train-step/reference.h"
#include "tools/train-step/report.h"
#include "tools/train-step/schedule.h"
#include "tools/train-step/step.h"

struct run {
	const struct options *o;
	struct model_opts model_opts;
	struct model *m;
	struct stepper stepper;
	struct reference reference;
	struct optim optim;
	struct schedule schedule;
	struct data data, eval;
	struct batch batch;
	uint32_t *order;      /* of the rows in epoch `order_of` */
	uint64_t order_of;    /* UINT64_MAX: none yet */
	uint64_t epoch_steps; /* steps an epoch */
	struct position at;
	struct place checkpoints,
		output;	    /* root NULL: nowhere; checkpoints too where both are one */
	struct place *keep; /* where checkpoints go, or NULL */
	struct report report;
	char *options; /* those that change results */
};

/* Everything up to the first step: model, data, outputs, and the last checkpoint with --resume. */
int run_open(struct run *r, const struct options *o, char *const *paths, size_t n, struct err *e);
/* What a checkpoint of the run is made of; log: its records (to save, or filled by loading). */
struct checkpoint run_checkpoint(struct run *r, struct str *log);
/* All steps. 1: a signal came; what could be saved is. */
int run_train(struct run *r, struct err *e);
/* What was trained, to standard output and to -o. */
int run_finish(struct run *r, struct err *e);
void run_close(struct run *r);

#endif
