/*
 * Checkpoints: ROOT/checkpoint-N after step N, whole or not there. One holds the adapter (or the
 * model, f32) as its readers know it, and what only this program needs: optimizer.safetensors (the
 * optimizer's states; reference log-probs computed so far), metrics.jsonl (the records written so
 * far), state.json (where the run is, and what it was started with).
 */
#ifndef TRAIN_CHECKPOINT_H
#define TRAIN_CHECKPOINT_H

#include "tools/train-step/data.h"
#include "tools/train-step/metrics.h"
#include "tools/train-step/optim.h"
#include "tools/train-step/output.h"
#include "tools/train-step/place.h"

/* Where a run is: with the data's order a function of the seed and dropout one of the step, this
 * and the numbers in files are its whole state. */
struct position {
	uint64_t step, tokens;
	struct metrics window; /* since the last record */
};

struct checkpoint {
	struct place *place;
	struct output_model model;
	struct optim *optim;
	struct data *data;
	const char *options; /* those that change results */
	struct position *at;
	struct str *log; /* metrics.jsonl */
};

/* Saves; then removes the oldest so that `keep` are left (0: all). */
int checkpoint_save(const struct checkpoint *c, uint64_t keep, struct err *e);
/* The newest checkpoint's step in root; 0: none. */
uint64_t checkpoint_newest(const char *root);
/* Takes the state of checkpoint-`step`; refuses one of another run. */
int checkpoint_load(const struct checkpoint *c, const char *root, uint64_t step, struct err *e);

#endif
