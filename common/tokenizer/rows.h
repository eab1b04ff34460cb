/*
 * Who puts BOS and EOS where: one rule for every program and every loss.
 *
 * A row that a chat template made stays as the template made it. Any other row begins with BOS
 * once, when the tokenizer is one that puts BOS in front (its post-processor), and ends with EOS
 * unless it ends in a stop id already. This is TRL's rule since 0.29 for rows of plain strings,
 * except that TRL compares the text's end with the EOS string where we compare ids.
 */
#ifndef COMMON_TOKENIZER_ROWS_H
#define COMMON_TOKENIZER_ROWS_H

#include "common/err.h"
#include "common/tokenizer/tokenizer.h"

struct row_rule {
	long bos, eos;	   /* what is added; -1: nothing */
	uint32_t stop[32]; /* EOS, and eos_token_id of generation_config.json and config.json */
	size_t nstop;
};

/* dir: the model directory; a directory that holds only a tokenizer will do. */
int row_rule_load(struct row_rule *r, const struct tokenizer *t, const char *dir, struct err *e);

int row_rule_is_stop(const struct row_rule *r, uint32_t id);

/* Appends the ids of a text that begins a row. Two BOS in a row, as when a template writes one and
 * the text holds another, are an error. */
int row_rule_encode(const struct row_rule *r, struct encoder *enc, const char *text, size_t len,
	int templated, struct encoding *out, struct err *e);

/* The same for a text that begins with the one that `before` was made of, into an empty encoding of
 * ids only: what is the same whatever follows is not encoded again. */
int row_rule_encode_after(const struct row_rule *r, struct encoder *enc,
	const struct encoding *before, const char *text, size_t len, int templated,
	struct encoding *out, struct err *e);

/* Appends EOS after the last token of a row, where the rule wants it. */
void row_rule_end(const struct row_rule *r, int templated, struct encoding *enc);

#endif
