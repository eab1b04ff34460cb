/*
 * Optimizers under the peers' names. One works on the whole arena of parameters (params.h) in the
 * backend's memory; its states are named arrays, which is all that a checkpoint must know of them.
 */
#ifndef TRAIN_OPTIM_H
#define TRAIN_OPTIM_H

#include "common/err.h"
#include "common/model/params.h"
#include "kernels/kernels.h"

enum { OPTIM_STATES = 2 };

struct optim_opts {
	const char *name; /* transformers' --optim */
	double beta1, beta2, epsilon, weight_decay;
};

/* One state: n elements beside the arena's. */
struct optim_state {
	const char *name; /* torch's: "exp_avg" … */
	struct kbuf buf;
	size_t n;
};

struct optim {
	const struct optim_def *def;
	struct optim_opts opts;
	const struct kernels *k;
	struct kctx *c;
	struct params *params;
	struct optim_state state[OPTIM_STATES];
};

/* Checks the name and the numbers (status 2) before there is a model. */
int optim_check(const struct optim_opts *o, struct err *e);
/* Bytes of state for n parameters. */
size_t optim_bytes(const struct optim_opts *o, size_t n);
/* Zeroed states for ps. */
int optim_init(struct optim *o, const struct optim_opts *opts, struct params *ps,
	const struct kernels *k, struct kctx *c, struct err *e);
void optim_done(struct optim *o);

/* The L2 norm of all gradients. */
int optim_norm(const struct optim *o, double *norm, struct err *e);
/* Step t (from 1) with the gradients times gscale. */
int optim_step(struct optim *o, double lr, double gscale, uint64_t t, struct err *e);

#endif
