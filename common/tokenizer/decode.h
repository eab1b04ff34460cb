/* Between the files of the decoders: decode.c has their table, decode_words.c those of models of words. */
#ifndef COMMON_TOKENIZER_DECODE_H
#define COMMON_TOKENIZER_DECODE_H

#include "common/tokenizer/tokenizer_int.h"

typedef int decode_load_fn(struct decoder *d, const json_t *v, struct err *e);
typedef int decode_run_fn(const struct decoder *d, struct encoder *enc,
	const struct pieces_text *in, struct pieces_text *out, struct err *e);

/* The i-th token of a list. */
const char *pieces_text_at(const struct pieces_text *l, size_t i, size_t *len);

decode_load_fn decode_wordpiece_load, decode_bpe_load, decode_ctc_load;
decode_run_fn decode_wordpiece, decode_bpe, decode_ctc;

#endif
