/* --explain: how rows were read and what was made of them, for a person to look at. */
#ifndef TOOLS_TMPL_EXPLAIN_H
#define TOOLS_TMPL_EXPLAIN_H

#include "tools/tmpl/make.h"

/* Appends a row's shape and its texts, control characters visible, spans in [brackets] or colour. */
void explain_row(
	struct str *out, const struct maker *m, const char *where, struct record *made, int colour);

#endif
