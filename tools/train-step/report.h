/*
 * What a run says of itself: one record a logged step on the `train` stream (nothing a clock made),
 * progress on standard error, seconds in the --timing file. The records so far are kept as JSON
 * lines for checkpoints, so that a resumed run's stream is the whole one.
 */
#ifndef TRAIN_REPORT_H
#define TRAIN_REPORT_H

#include "common/stream.h"
#include "tools/train-step/metrics.h"

#include <stdio.h>

struct report {
	struct stream_writer *w;
	struct str log; /* JSON lines */
	FILE *timing;
	uint64_t total_steps;
	double started, said,
		lapped; /* seconds: the run's start, the last progress line, the last lap */
	uint64_t first_step, said_tokens, lap_tokens, first_tokens;
};

/* A record of numbers in the making; report_put frees it. */
json_t *report_new(uint64_t step, double epoch);
void report_number(json_t *o, const char *name, double v);
void report_count(json_t *o, const char *name, uint64_t v);
/* Writes it to the stream and the log. */
int report_put(struct report *r, json_t *o, struct err *e);
/* Writes records of an earlier log again. */
int report_replay(struct report *r, const char *lines, size_t len, struct err *e);

/* timing: path or NULL. From here on the clock runs. */
int report_start(struct report *r, const char *timing, uint64_t step, uint64_t total,
	uint64_t tokens, struct err *e);
/* After a logged step: a timing line, and now and then one on standard error. */
int report_progress(
	struct report *r, uint64_t step, double epoch, double loss, uint64_t tokens, struct err *e);
int report_end(struct report *r, uint64_t step, uint64_t tokens, struct err *e);
void report_done(struct report *r);

#endif
