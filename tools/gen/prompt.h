/* The prompt of a record as ids, whatever shape the record has. */
#ifndef GEN_PROMPT_H
#define GEN_PROMPT_H

#include "common/model/config.h"
#include "common/record.h"
#include "common/tokenizer/rows.h"

struct prompt {
	struct encoder *enc;
	const struct row_rule *rule;
	const struct model_config *config;
	size_t max_new;	 /* tokens that will follow */
	const char *dir; /* the model's, for messages */
	struct encoding ids;
};

/*
 * prompt_ids as they are; of input_ids what stands before the first trained token; `prompt` encoded as
 * tok would. The ids are valid until the next call or the record's end. Fails (STATUS_DATA,
 * "file:record: …") on what cannot be a prompt.
 */
int prompt_read(
	struct prompt *p, struct record *rec, const uint32_t **ids, size_t *n, struct err *e);
void prompt_done(struct prompt *p);

#endif
