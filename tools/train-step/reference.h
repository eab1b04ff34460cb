/*
 * The reference of DPO and its relatives: the policy as it starts (cli.md), unless --ref-adapter
 * says otherwise. Rows that bring cached log-probs never need it; the others are computed once, the
 * first time they are seen, and kept.
 */
#ifndef TRAIN_REFERENCE_H
#define TRAIN_REFERENCE_H

#include "common/model/model.h"
#include "tools/train-step/batch.h"
#include "tools/train-step/data.h"
#include "tools/train-step/step.h"

struct reference {
	enum {
		REF_BARE,    /* the policy's model with its adapter off */
		REF_INITIAL, /* with the adapter's first values put back */
		REF_OTHER,   /* a model of its own: another adapter, or the frozen weights of --full
			      */
	} how;
	struct model *policy, *other;
	struct workspace *ws;
	float *initial, *trained; /* [params total], REF_INITIAL */
	const struct model_opts *opts;
	const char *adapter; /* of REF_OTHER, or NULL */
	char fingerprint[MODEL_NAME_LEN];
};

/* choice: --ref-adapter or NULL. policy as opened, before its first step; opts: how it was opened.
 */
int reference_init(struct reference *r, struct model *policy, const struct model_opts *opts,
	const char *choice, struct err *e);
/* A line that names it, for standard error; the caller frees. */
char *reference_describe(const struct reference *r);
/* Fills d->ref and b->loss[].ref of the batch's rows that have none yet. */
int reference_fill(
	struct reference *r, struct stepper *s, struct data *d, struct batch *b, struct err *e);
void reference_done(struct reference *r);

#endif
