/* Whether the tokenizer knows what the template writes. */
#ifndef TOOLS_TMPL_TOKENS_H
#define TOOLS_TMPL_TOKENS_H

#include "common/str.h"
#include "tools/tmpl/jinja.h"

/* Appends, blank between them, the special tokens (<|…|>) in the template's own text that
 * dir/tokenizer.json does not hold as added tokens. Looks at the file's bytes; loads no tokenizer. */
void tokens_unknown(struct str *out, const struct jinja *t, const char *dir);

#endif
