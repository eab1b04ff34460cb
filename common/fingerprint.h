/*
 * Fingerprints: 32 hex digits of XXH3-128 that name a tokenizer, a template, a model, an adapter. Not
 * for security; they catch mistakes. A model's costs milliseconds: config.json, the tensor table
 * (names, types, shapes) and sampled bytes of every tensor.
 */
#ifndef COMMON_FINGERPRINT_H
#define COMMON_FINGERPRINT_H

#include "common/err.h"

#include <jansson.h>
#include <stddef.h>

enum { FINGERPRINT_LEN = 33 }; /* with the NUL */

struct fingerprint;
struct fingerprint *fingerprint_new(void);
void fingerprint_add(struct fingerprint *f, const void *p, size_t n);
void fingerprint_end(struct fingerprint *f, char out[FINGERPRINT_LEN]); /* frees f */

/* full: every byte of every tensor instead of samples. */
int fingerprint_model(const char *dir, int full, char out[FINGERPRINT_LEN], struct err *e);
int fingerprint_adapter(const char *dir, char out[FINGERPRINT_LEN], struct err *e);
/* What tokenizer.json says and tokenizer_config.json (NULL: there is none) of special tokens; or
 * vocab.json and merges.txt. */
void fingerprint_tokenizer_file(
	const void *p, size_t len, const json_t *config, char out[FINGERPRINT_LEN]);
void fingerprint_tokenizer_tables(const void *vocab, size_t nvocab, const void *merges,
	size_t nmerges, char out[FINGERPRINT_LEN]);
/* tokenizer.json and the facts of tokenizer_config.json that change ids; without it, vocab.json and
 * merges.txt. */
int fingerprint_tokenizer(const char *dir, char out[FINGERPRINT_LEN], struct err *e);
/* The same, but a directory without them gives the empty string and no error. */
int fingerprint_tokenizer_if_any(const char *dir, char out[FINGERPRINT_LEN], struct err *e);
/* Of a tokenizer's: that of the ids which transformers would make with it (tok --compat). */
void fingerprint_compat(char print[FINGERPRINT_LEN]);
/* The same where that is what `theirs` (may be NULL) is: ids mean the same tokens in both. */
void fingerprint_either(char print[FINGERPRINT_LEN], const char *theirs);

#endif
