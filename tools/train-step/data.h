/*
 * The rows to train on. Training must know how many there are and read them in any order, several
 * times, so the input (a pipe or files, streams or JSON lines) is copied once into an unlinked file
 * in TMPDIR; in memory stays an offset a row, and its reference log-probs where the loss needs
 * them. Rows are checked here, before the first step.
 */
#ifndef TRAIN_DATA_H
#define TRAIN_DATA_H

#include "common/err.h"
#include "common/fingerprint.h"
#include "common/spool.h"
#include "common/stream.h"

#include <stddef.h>
#include <stdint.h>

/* What the rows must be. */
struct data_rules {
	unsigned needs;	       /* LOSS_ bits (loss.h) */
	size_t vocab;	       /* ids are below */
	size_t max_length;     /* tokens of a sequence, prompt counted in; 0: no limit */
	const char *tokenizer; /* fingerprints of what the run uses; NULL: not known */
	const char *reference;
	int ignore_mismatch, skip_bad;
	const char *rejects; /* file, or NULL */
	uint64_t shard_i, shard_n;
};

struct data {
	struct spool *spool;
	uint64_t *at; /* [n + 1] offsets */
	size_t n, cap;
	double (*ref)[2]; /* [n] with LOSS_REFERENCE, NAN where not known yet; else NULL */
	size_t ref_cap;
	struct header header;		   /* the first input's */
	char fingerprint[FINGERPRINT_LEN]; /* of the rows */
	uint64_t skipped;
};

/* Reads all rows. Bad ones are errors "file:record: …" or, with skip_bad, counted. */
int data_load(struct data *d, char *const *paths, size_t n, const struct data_rules *rules,
	struct err *e);
void data_done(struct data *d);

/* A row in memory: a prompt and one or two continuations. A row of text has no prompt, and a mask
 * says which of its tokens are trained. */
struct row {
	uint32_t index; /* in the data */
	const uint32_t *prompt, *side[2];
	size_t nprompt, nside[2];
	const uint8_t *mask; /* of side[0]; NULL: all */
	const char *where;   /* "file:record" */
	uint32_t *words;     /* all of the above lies here; reused */
	size_t cap;
};
int data_row(const struct data *d, size_t i, struct row *row, struct err *e);
void row_done(struct row *row);

#endif
