/*
 * tokenizer.json, exactly as the tokenizers library has it: ids, offsets, decoding. What a file
 * asks for and this does not implement is refused by name when it is loaded, never ignored.
 */
#ifndef COMMON_TOKENIZER_TOKENIZER_H
#define COMMON_TOKENIZER_TOKENIZER_H

#include "common/err.h"
#include "common/str.h"

#include <stddef.h>
#include <stdint.h>

struct tokenizer; /* immutable after loading: may be shared by threads */

/* DIR/tokenizer.json and what tokenizer_config.json says of special tokens. Without that file,
 * vocab.json and merges.txt, and what transformers makes of them. */
int tokenizer_load(struct tokenizer **t, const char *dir, struct err *e);
/* What transformers 5 makes of DIR, where its class builds something else than tokenizer.json says.
 * with: what tokenizer_load made of it (or NULL), whose tables are shared where they are the same. */
int tokenizer_load_compat(
	struct tokenizer **t, const char *dir, struct tokenizer *with, struct err *e);
/* The class of transformers that may give other ids than t, which tokenizer_load made; NULL: none.
 */
const char *tokenizer_class(const struct tokenizer *t);
/* Of the files that were read, as fingerprint_tokenizer has it; the same for both ways. */
const char *tokenizer_fingerprint(const struct tokenizer *t);
/* In any order. */
void tokenizer_free(struct tokenizer *t);

struct encoding {
	uint32_t *ids;
	uint32_t (*offsets)[2]; /* [from, to) in bytes of the input text; 0,0 for added specials */
	size_t n, cap;
	int ids_only; /* set before the first use: offsets are not made, and stay NULL */
	/* Of the last text encoded: whatever would follow it, its first so many bytes are these
	 * first ids. (It ends with an added token, behind which encoding begins anew.) */
	size_t settled_bytes, settled_ids;
};
/* Appends one, and takes one out. */
void encoding_add(struct encoding *enc, uint32_t id, uint32_t from, uint32_t to);
void encoding_drop(struct encoding *enc, size_t at);
void encoding_reserve(struct encoding *enc, size_t more); /* room for `more` ids */
void encoding_reset(struct encoding *enc);
void encoding_done(struct encoding *enc);

/* Scratch memory and caches of one thread. */
struct encoder;
struct encoder *encoder_new(const struct tokenizer *t);
void encoder_free(struct encoder *e);

/* Appends the ids of valid UTF-8 text. add_special: the post-processor's template (BOS, EOS …), the
 * library's encode(add_special_tokens=…). */
int tokenizer_encode(struct encoder *e, const char *text, size_t len, int add_special,
	struct encoding *out, struct err *err);
/* The same for a text that begins with the one whose ids are `before`, in which nothing was added:
 * what is settled is taken from there. out is empty, and of ids only. */
int tokenizer_encode_after(struct encoder *e, const struct encoding *before, const char *text,
	size_t len, struct encoding *out, struct err *err);
/* Appends the text; skip_special as the library's skip_special_tokens. */
int tokenizer_decode(struct encoder *e, const uint32_t *ids, size_t n, int skip_special,
	struct str *out, struct err *err);

size_t tokenizer_vocab_size(const struct tokenizer *t); /* added tokens counted in */
/* -1: not one token. Looks at added tokens first, then the model's vocabulary. */
long tokenizer_id(const struct tokenizer *t, const char *token, size_t len);
const char *tokenizer_token(const struct tokenizer *t, uint32_t id, size_t *len); /* NULL: none */
int tokenizer_is_special(const struct tokenizer *t, uint32_t id);

/* BOS: what the post-processor adds in front, else tokenizer_config's bos_token; -1: none.
 * adds_bos/adds_eos: the post-processor does. */
long tokenizer_bos(const struct tokenizer *t);
long tokenizer_eos(const struct tokenizer *t);
int tokenizer_adds_bos(const struct tokenizer *t);
int tokenizer_adds_eos(const struct tokenizer *t);

#endif
