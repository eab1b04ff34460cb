/* Doing what the plan says, tensor by tensor: units computed by a team of threads and put where they
 * belong, in a directory or in a stream. */
#ifndef QUANT_WORK_H
#define QUANT_WORK_H

#include "common/modeldir.h"
#include "common/stream.h"
#include "tools/quant/plan.h"

/* Where results go: one of the two. */
struct sink {
	struct weights_writer *dir;
	struct stream_writer *stream;
};

/* What quantising did to a weight. */
struct loss {
	double error, norm; /* sums of squares: of the differences, of the weight */
	double worst;	    /* the greatest relative error of a block (int8: a row) … */
	size_t at;	    /* … and which */
};

/* losses: one an item, filled for those that are quantised; NULL: not wanted. Memory held: a piece of a
 * tensor and its statistics. */
int work_run(const struct plan *p, struct sink *sink, struct team *team, struct loss *losses,
	struct err *e);

#endif
