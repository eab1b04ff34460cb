/*
 * The rows of one optimizer step as trees: a prompt with the completions of all its rows; rows of
 * text are trees of their own. Trees stand in the order of their first rows. A step is cut into
 * micro-batches between trees, never within one, and labels are numbered through the step, so that
 * what is computed does not depend on the cut.
 */
#ifndef TRAIN_BATCH_H
#define TRAIN_BATCH_H

#include "common/model/forest.h"
#include "tools/train-step/data.h"
#include "tools/train-step/loss.h"

struct tree {
	size_t row0, row1;     /* its rows */
	size_t label0, label1; /* its labels */
	size_t ntok;
};

struct batch {
	struct row *rows; /* rows of a tree stand together */
	struct loss_row *loss;
	size_t n, cap;
	struct tree *trees;
	size_t ntrees, cap_trees;
	struct loss_totals total;
	size_t nlabels;
	uint64_t tokens; /* of all sequences: a prompt counts with each side */
};

/* Loads rows idx[n] of d; needs: LOSS_ bits. */
int batch_load(struct batch *b, const struct data *d, const uint32_t *idx, size_t n, unsigned needs,
	struct err *e);
void batch_done(struct batch *b);

/* Trees [tree0, tree1) of a batch: a micro-batch. */
struct cut {
	size_t tree0, tree1;
};
/* The next micro-batch (begin with {0, 0}): as many trees as keep within both limits, at least one.
 * 0 when there is none left. */
int batch_cut(const struct batch *b, struct cut *c, size_t max_tokens, size_t max_rows);
/* Its segments and labels; label i of the forest is label trees[tree0].label0 + i of the step. */
void batch_forest(const struct batch *b, const struct cut *c, struct forest *f);
/* The row that a label of the step belongs to, for messages. */
const char *batch_where(const struct batch *b, size_t label);

#endif
