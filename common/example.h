/*
 * A `tokens` record as what a model reads: a prompt and one or two continuations of it. A row of
 * text is one continuation without a prompt, with a mask. Checked, so that it can go into a forest
 * as it is.
 */
#ifndef COMMON_EXAMPLE_H
#define COMMON_EXAMPLE_H

#include "common/record.h"

struct example_side {
	const char *name; /* "chosen", "rejected", "completion": as in ref_chosen_logps */
	const uint32_t *ids;
	size_t n;
	const uint8_t *mask; /* [n] which of the ids are labels; NULL: all */
};

struct example {
	const uint32_t *prompt;
	size_t nprompt;
	struct example_side side[2];
	int nsides; /* 2 for a pair; chosen_ids without rejected_ids is one side */
};

/*
 * vocab: ids are below it. Memory belongs to the record. Fails (STATUS_DATA, "file:record: …") on a
 * missing or wrong field, an id beyond the vocabulary, an empty continuation, or one of whose
 * tokens none can be predicted (the first token of a sequence never is).
 */
int example_read(struct record *rec, size_t vocab, struct example *ex, struct err *e);

#endif
