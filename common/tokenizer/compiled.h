/*
 * The big tables of a tokenizer, as they lie in memory, in a file of the user's cache that is
 * mapped: opening a tokenizer then parses only what is small. $XDG_CACHE_HOME/sluice or
 * ~/.cache/sluice, a file for each tokenizer, named by its fingerprint; it appears whole, and may
 * be deleted at any time.
 *
 * Nothing in it is believed before its checksum is found right, it says of itself that it is of
 * this format and for these bytes, and all that points somewhere has been seen to point into it; a
 * file that belongs to somebody else, or that others may write, is left alone. Where there is none
 * to use, none is written, or there is no such directory, the tokenizer is parsed as without it.
 */
#ifndef COMMON_TOKENIZER_COMPILED_H
#define COMMON_TOKENIZER_COMPILED_H

#include "common/fingerprint.h"
#include "common/tokenizer/tokenizer_int.h"

/* Below this size of tokenizer.json parsing is quick enough. */
enum { COMPILED_LEAST = 256 * 1024 };

/* Fills tables and rest of the tokenizer with that fingerprint. 1 done, 0 there is none to use. */
int compiled_open(struct tokenizer *t);
/* For the next time, if it can be. */
void compiled_save(struct tokenizer *t);
/* The tables of `from`, which stays as long as t does. */
void compiled_share(struct tokenizer *t, struct tokenizer *from);
/* Lets go of tables that are not t's own. */
void compiled_close(struct tokenizer *t);

/* What is in the file, piece by piece; and read from bytes that stay the caller's and outlive t's tables.
 * put returns -1 to end it. */
int compiled_write(struct tokenizer *t, int (*put)(void *arg, const void *p, size_t n), void *arg);
int compiled_read(struct tokenizer *t, const void *p, size_t len);

#endif
