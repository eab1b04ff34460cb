/*
 * Scoring: records are collected until they fill a batch, then one forward gives all their
 * log-probs. Records in a row that have the same prompt share it. What leaves is what came, in
 * order, with the sums added (or, when verifying, compared with what was there).
 */
#ifndef REFSCORE_SCORE_H
#define REFSCORE_SCORE_H

#include "common/example.h"
#include "common/model/model.h"
#include "common/stream.h"

struct pending {
	struct record rec;
	struct example ex;
	size_t nlabels[2]; /* of each side, one after the other in the batch */
};

struct scorer {
	struct model *m;
	struct stream_writer *w;
	const char *prefix; /* of the fields: "ref" */
	int per_token;
	uint64_t verify; /* so many records are compared instead; then nothing is added at all */
	int verifying;
	size_t max_tokens; /* of a batch; a record that has more goes alone */

	struct workspace *ws;
	struct forest f;
	struct pending *v;
	size_t n, cap;
	int root; /* segment of the last record's prompt, -1: none */
	struct klabel_out *out;
	size_t out_cap;
	uint64_t records, tokens; /* done; tokens as computed */
	double worst;		  /* difference seen while verifying */
};

/* Adds a copy of rec, running the batch first when it is full. 0; STREAM_BAD: rec cannot be used and
 * *e says why; -1: the stage must stop. */
int score_add(struct scorer *s, const struct record *rec, struct err *e);
/* Runs and writes what has been collected. */
int score_flush(struct scorer *s, struct err *e);
void scorer_done(struct scorer *s);

#endif
