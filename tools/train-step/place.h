/*
 * A directory that results are put in while the run goes on: checkpoints, and at the end the files
 * proper. What was there before (of an older run) stays until the first thing of this run is whole.
 */
#ifndef TRAIN_PLACE_H
#define TRAIN_PLACE_H

#include "common/err.h"
#include "common/io.h"

struct place {
	char *root;
	struct outdir fresh; /* in use until settled */
	int settled;	     /* root holds something of this run */
};

/* Writes files into the directory. */
typedef int place_fill(const struct outdir *d, void *arg, struct err *e);

/* go_on: root holds a checkpoint that this run goes on from, and stays. Refuses now what could not
 * be replaced at the end. */
int place_open(struct place *p, const char *root, int force, int go_on, struct err *e);
/* A directory root/name that appears whole. */
int place_add(struct place *p, const char *name, place_fill *fill, void *arg, struct err *e);
/* The files proper of root; `last` is the one without which no reader takes it for complete. */
int place_finish(struct place *p, const char *last, place_fill *fill, void *arg, struct err *e);
void place_done(struct place *p);

#endif
