/* --explain: the first rows as tokens, for a person to look at. */
#ifndef TOOLS_TOK_EXPLAIN_H
#define TOOLS_TOK_EXPLAIN_H

#include "tools/tok/row.h"

/* Appends the row that row_encode has just made: tokens apart by '|', trained ones in [brackets], or in
 * colour; the seam between prompt and answer is ' || '. */
int explain_row(struct str *out, struct row *r, const char *where, int colour, struct err *e);

#endif
