/*
 * The list of a model's merges, from its text to ids. It is read in parts, each by a task of its own, so
 * that several threads may share the work; nothing depends on how many there are.
 */
#ifndef COMMON_TOKENIZER_BPE_LIST_H
#define COMMON_TOKENIZER_BPE_LIST_H

#include "common/tokenizer/tokenizer_int.h"

enum { BPE_LIST_PARTS = 3 };
struct bpe_list {
	const struct vocab *vocab;
	size_t prefix; /* bytes of the continuing_subword_prefix */
	struct bpe_list_part {
		struct json_text items;
		struct listed_merge *v;
		size_t n;
		int rc;
		struct err err;
	} part[BPE_LIST_PARTS];
	size_t nparts;
	/* All of them, in order: a merge's place is its rank. The first part's, which the others are
	 * put behind. */
	struct listed_merge *v;
	size_t n;
};

/* text: an array; stays the caller's. Then bpe_list_read for every part below nparts, on any thread, and
 * bpe_list_join, with the error of whichever part came first. */
int bpe_list_open(struct bpe_list *l, struct json_text text, const struct vocab *vocab,
	size_t prefix, struct err *e);
void bpe_list_read(struct bpe_list *l, size_t part);
int bpe_list_join(struct bpe_list *l, struct err *e);
void bpe_list_done(struct bpe_list *l);

#endif
