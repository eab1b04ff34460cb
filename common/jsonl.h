/*
 * JSON values one after the other: lines, or values over several lines as jq prints them. A value begins
 * with `{` at the beginning of a line, so that a broken one spoils no other.
 */
#ifndef COMMON_JSONL_H
#define COMMON_JSONL_H

#include "common/io.h"
#include "common/str.h"

struct jsonl {
	struct input *in;
	size_t limit;	/* bytes of one value */
	uint64_t line;	/* that the value began in, from 1 */
	uint64_t lines; /* read so far */
	struct str text;
};

/* Zero-initialise, set in and limit. The text of the next value, not parsed: 1, 0 at the end, -1.
 * Valid until the next call. */
int jsonl_next(struct jsonl *j, const char **text, size_t *len, struct err *e);
void jsonl_done(struct jsonl *j); /* not the input */

#endif
