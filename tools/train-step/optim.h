/*
 * Optimizers under transformers' names. One works on the arena of parameters (params.h) in the
 * backend's memory; its states are named arrays, in which each parameter has its place, which is all
 * that a checkpoint must know of them.
 */
#ifndef TRAIN_OPTIM_H
#define TRAIN_OPTIM_H

#include "common/err.h"
#include "common/model/params.h"
#include "common/spool.h"
#include "kernels/kernels.h"

enum { OPTIM_STATES = 9 };

struct optim_opts {
	const char *name; /* transformers' --optim */
	double beta1, beta2, epsilon, weight_decay;
	const char *args; /* --optim-args, "alpha=5,beta3=0.9999"; or NULL */
};

/* What AdEMAMix has beside AdamW's: both values, and the steps that they take to come up; 0: at once. */
struct optim_mix {
	double alpha, beta3, t_alpha, t_beta3;
};

/* One state of all parameters. */
struct optim_state {
	const char *name; /* torch's and bitsandbytes': "exp_avg", "absmax1" … */
	struct kbuf buf;
	size_t n;
	struct spool *pages; /* where buf lies when it is paged out, or NULL */
};

struct optim {
	const struct optim_def *def;
	struct optim_opts opts;
	const struct kernels *k;
	struct kctx *c;
	struct params *params;
	struct optim_mix mix;
	struct optim_state state[OPTIM_STATES]; /* those with a name */
};

/* Checks the name and the numbers (status 2) before there is a model. */
int optim_check(const struct optim_opts *o, struct err *e);
/* Whether --adam-beta1 and the like mean anything to it. */
int optim_uses(const struct optim_opts *o, const char *option);
/* Options that belong to optimizers; ends with NULL. */
extern const char *const optim_options[];
/* Whether its states may be paged out. */
int optim_is_paged(const struct optim_opts *o);
/* Bytes of state for ps; *greatest, when not NULL: the most of one parameter. */
size_t optim_bytes(const struct optim_opts *o, const struct params *ps, size_t *greatest);
/* Zeroed states for ps. out: they lie in files in TMPDIR (the backend's memory is the host's), and one
 * parameter's are in memory at a time. */
int optim_init(struct optim *o, const struct optim_opts *opts, struct params *ps, int out,
	const struct kernels *k, struct kctx *c, struct err *e);
void optim_done(struct optim *o);

/* The L2 norm of all gradients. */
int optim_norm(const struct optim *o, double *norm, struct err *e);
/* Step t (from 1) with the gradients times gscale. */
int optim_step(struct optim *o, double lr, double gscale, uint64_t t, struct err *e);

#endif
