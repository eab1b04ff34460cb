/* Between the files of the pre-tokenizers: split.c has their table, split_script.c and split_text.c some of
 * them. */
#ifndef COMMON_TOKENIZER_SPLIT_H
#define COMMON_TOKENIZER_SPLIT_H

#include "common/tokenizer/tokenizer_int.h"

typedef int split_load_fn(struct pretok *p, const json_t *v, struct err *e);
typedef int split_run_fn(
	const struct pretok *p, struct encoder *enc, struct pieces *w, struct err *e);

split_load_fn split_fixed_load, split_bytelevel_load, split_metaspace_load;
split_run_fn split_fixed, split_scripts, split_bytelevel, split_metaspace;

/* w's pieces by p->split, into w->next. */
int split_by_hand(const struct pretok *p, struct encoder *enc, struct pieces *w);

#endif
