/*
 * What a merge did to the function: log-probs of rows under the base with its adapter on, as it was
 * trained, and under the merged model, and how far apart the two distributions are at every label.
 * Computed in f32.
 */
#ifndef MERGE_LORA_PROBE_H
#define MERGE_LORA_PROBE_H

#include "common/err.h"

#include <stdint.h>

enum probe_row {
	PROBE_CHOSEN, /* summed log-probs of the sides … */
	PROBE_REJECTED,
	PROBE_COMPLETION,
	PROBE_ACCURACY, /* chosen likelier than rejected (pipelines/accuracy.sh's) */
	PROBE_KL,	/* of the merged from the adapter's distribution, in nats, a label each */
	PROBE_ROWS
};
extern const char *const probe_row_name[PROBE_ROWS];

struct probe_sum {
	uint64_t n;
	double adapter, merged; /* sums … */
	double apart, worst;	/* … and of the magnitudes of the differences; KL: of itself */
};

struct probe {
	const char *base, *adapter, *merged; /* directories */
	const char *rows;		     /* a tokens stream, or JSON lines */
	int threads, ignore_mismatch;
	struct probe_sum sum[PROBE_ROWS];
};

int probe_run(struct probe *p, struct err *e);

#endif
