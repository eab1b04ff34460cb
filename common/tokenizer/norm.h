/* Between the files of the normalizers: norm.c has their table, norm_form.c, norm_bert.c and norm_spm.c those
 * that take more than a few lines. */
#ifndef COMMON_TOKENIZER_NORM_H
#define COMMON_TOKENIZER_NORM_H

#include "common/tokenizer/tokenizer_int.h"

/* Appends a normalizer to t's; valid until the next. */
struct norm *norm_add(struct tokenizer *t, const struct norm_kind *kind);

typedef int norm_run_fn(const struct norm *n, struct encoder *enc, const struct ntext *in,
	struct nbuf *out, struct err *e);

/* The characters that are not `gone`; those that are `blank` (NULL: none) as spaces. */
int norm_filter(const struct ntext *in, struct nbuf *out, int (*gone)(uint32_t c),
	int (*blank)(uint32_t c));

/* A text being made of another by steps of the library's: each writes a character and says whether it is
 * one more (change > 0: it stands where the one before does), or takes the place of the next one of the
 * source and of -change after it. */
struct transform {
	const struct ntext *in;
	struct nbuf *out;
	size_t next; /* byte of the source */
};
void transform_put(struct transform *w, uint32_t c, long change);

norm_run_fn norm_nfc, norm_nfd, norm_nfkc, norm_nfkd;
norm_run_fn norm_lowercase, norm_strip_accents;

/* BertNormalizer is up to five steps, which it appends. */
int norm_bert_load(struct tokenizer *t, const json_t *v, struct err *e);

/* Whether it is a Replace of single spaces. */
int norm_replaces_space(const struct norm *n);

norm_run_fn norm_nmt, norm_precompiled;
int norm_precompiled_load(struct norm *n, const json_t *v, struct err *e);
struct charsmap;
void charsmap_free(struct charsmap *m);
/* Whether the text may begin with what becomes nothing. */
int charsmap_drops(const struct charsmap *m, const char *s, size_t len);

#endif
