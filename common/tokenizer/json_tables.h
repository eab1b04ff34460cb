/*
 * The two big tables of a model, its vocabulary and its merges, are read from tokenizer.json's text in
 * passes of their own: as jansson objects they would cost most of the time of loading.
 */
#ifndef COMMON_TOKENIZER_JSON_TABLES_H
#define COMMON_TOKENIZER_JSON_TABLES_H

#include "common/tokenizer/vocab.h"

/* Finds model.vocab (an object or an array) and model.merges; *rest is the file with null in their
 * places. */
int json_tables_find(const char *s, size_t len, struct json_text *vocab, struct json_text *merges,
	struct str *rest, struct err *e);
int json_tables_vocab(struct json_text text, struct vocab *v, struct err *e);
/* Calls fn for every [token, score], in order. Scores are read as serde_json does, which the
 * library reads files with: digits to a whole number first, so that the last bit may not be the
 * nearest. */
int json_tables_scored(struct json_text text,
	int (*fn)(void *arg, const struct json_text *token, double score, struct err *e), void *arg,
	struct err *e);
/* An array's items, in parts of about the same length, at most so many; returns how many, 0 with an
 * error. */
size_t json_tables_split(
	struct json_text array, struct json_text *parts, size_t most, struct err *e);
/* Calls fn with the two sides of every merge, "a b" or ["a", "b"], in order, some at a time. */
enum { JSON_TABLES_BATCH = 32 };
int json_tables_merges(struct json_text items, int may_be_none,
	int (*fn)(void *arg, struct json_text (*pairs)[2], size_t n, struct err *e), void *arg,
	struct err *e);

#endif
