/*
 * What transformers (5.23) makes of a tokenizer's directory. Its classes do not all follow tokenizer.json: some
 * build a tokenizer of their own from the vocabulary, and all add tokens that the other files name.
 */
#ifndef COMMON_TOKENIZER_CLASSES_H
#define COMMON_TOKENIZER_CLASSES_H

#include "common/err.h"

#include <jansson.h>

/* The small files beside tokenizer.json; NULL: not there. */
struct configs {
	json_t *tokenizer; /* tokenizer_config.json */
	json_t *special;   /* special_tokens_map.json */
	json_t *model;	   /* config.json */
	json_t *added;	   /* added_tokens.json: tokens with their ids */
};
int configs_open(struct configs *c, const char *dir, struct err *e);
void configs_close(struct configs *c);

/*
 * Changes root, a tokenizer.json (without its tables, which stay as they are), to what transformers would
 * build, all but its post-processor. from_file: root is one; else there is only a vocabulary, and the class
 * makes all the rest. first: the token with id 0, by which a vocabulary is recognised when nothing names
 * its class; or NULL.
 */
struct build {
	const struct configs *c;
	const struct class *class; /* NULL: the one that follows tokenizer.json */
	json_t *names;		   /* its special tokens, when nothing else names them */
	int from_file;
};
int classes_apply(struct build *b, json_t *root, const struct configs *c, int from_file,
	const char *first, struct err *e);
/* What it takes a key as "bos_token" to be, in a tokenizer with its tokens; -1: none. */
struct tokenizer;
long classes_token(const struct build *b, const struct tokenizer *t, const char *key);
/* The post-processor, which wants the ids of tokens. */
int classes_post(const struct build *b, json_t *root, const struct tokenizer *t, struct err *e);
void classes_done(struct build *b);

/* The class that would make ids otherwise than root says, NULL: none that is known. */
const char *classes_differ(const json_t *root, const struct configs *c);

#endif
