/* What the files about PEFT's configuration share: Python's expressions, of which the patterns in
 * use are PCRE2's too. */
#ifndef COMMON_MODEL_PEFT_INT_H
#define COMMON_MODEL_PEFT_INT_H

#include "common/model/peft.h"

/* The three in a row, compiled; NULL and *e, naming `pattern`, when it is a bad one. */
void *peft_compile(const char *before, const char *pattern, const char *after, struct err *e);
void peft_free(void *re);

#endif
