/*
 * The models: from a piece of text to ids. A table (model.c): a row is the type's name in tokenizer.json
 * and its functions. BPE, which most models are, has a way of its own through tokenizer.c (bpe.c).
 */
#ifndef COMMON_TOKENIZER_MODEL_H
#define COMMON_TOKENIZER_MODEL_H

#include "common/tokenizer/tokenizer_int.h"

/* "model": its options, and its tables as they stand in the file. */
struct model_json {
	const json_t *options;
	struct json_text vocab, merges;
};

struct model_kind {
	const char *type;
	/* Fills t->vocab (indexed) and what the model needs beside it, in t->model_data. */
	int (*load)(struct tokenizer *t, const struct model_json *m, struct err *e);
	/* Appends the ids of one piece, which is not empty, with encoding_put. NULL: BPE. */
	int (*encode)(const struct tokenizer *t, struct encoder *enc, const struct ntext *text,
		struct span piece, struct encoding *out, struct err *e);
	void (*done)(void *data); /* NULL: mem_free */
};

int model_load(struct tokenizer *t, const struct model_json *m, struct err *e);
void model_done(struct tokenizer *t);

/* The id of an unknown token that has to be there: -1 and an error where it is not. */
long model_unknown(const struct tokenizer *t, const char *token, struct err *e);

int unigram_load(struct tokenizer *t, const struct model_json *m, struct err *e);
int unigram_encode(const struct tokenizer *t, struct encoder *enc, const struct ntext *text,
	struct span piece, struct encoding *out, struct err *e);
void unigram_done(void *data);

int wordpiece_load(struct tokenizer *t, const struct model_json *m, struct err *e);
int wordpiece_encode(const struct tokenizer *t, struct encoder *enc, const struct ntext *text,
	struct span piece, struct encoding *out, struct err *e);
void wordpiece_done(void *data);

#endif
