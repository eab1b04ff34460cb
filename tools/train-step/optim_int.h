/* Between the table of optimizers (optim_kinds.c) and what runs one (optim.c). */
#ifndef TRAIN_OPTIM_INT_H
#define TRAIN_OPTIM_INT_H

#include "tools/train-step/optim.h"

/* One array of states: how many elements a parameter has in it. */
struct optim_array {
	const char *name;
	enum dtype t;
	size_t (*len)(const struct param *p);
};

struct optim_def {
	const char *name;
	int paged;
	const char *const *options;	  /* those of optim_options that it uses, then NULL */
	const struct optim_array *arrays; /* up to OPTIM_STATES, then one without a name */
	/* Steps one parameter, whose states are s[]. */
	int (*step)(const struct optim *o, const struct koptim *w, const struct param *p,
		const struct kbuf *s);
};

/* NULL: not here. */
const struct optim_def *optim_find(const char *name);
/* optim_opts.args, checked. */
int optim_read_mix(struct optim_mix *m, const char *args, struct err *e);

#endif
