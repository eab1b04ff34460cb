/*
 * Texts word by word. Of many tokenizers it can be proved, from their parts and tables, that a text cut
 * in front of its blanks gives the same ids and places part by part: SentencePiece's BPE where no merge
 * reaches across ▁, and everything that drops blanks before the model. A word that came before is then
 * known by its bytes as they stand in the text, whatever normalising, splitting and model would make of
 * it; one that did not goes their way by itself.
 */
#ifndef COMMON_TOKENIZER_WORDS_H
#define COMMON_TOKENIZER_WORDS_H

#include "common/tokenizer/tokenizer_int.h"

/* Where it is proved; NULL: nowhere. Needs all of t. */
struct words *words_find(const struct tokenizer *t);

/* What words became: one thread's. */
struct word_memo *word_memo_new(void);
void word_memo_free(struct word_memo *m);

/* Appends the ids of a text between added tokens. */
int words_encode(struct encoder *enc, const struct ntext *t, struct encoding *out, struct err *e);

#endif
