/*
 * A file read as memory. Another program may shorten it meanwhile, and a read beyond its new end is
 * then SIGBUS: here that ends the program with status 3 and the file's name, temporary files removed.
 */
#ifndef COMMON_MAPPED_H
#define COMMON_MAPPED_H

#include "common/err.h"

#include <stddef.h>

struct mapped {
	const void *p; /* NULL when the file is empty */
	size_t len;
};

/* A regular file, read only. Errors are STATUS_SYSTEM and name it. */
int mapped_open(struct mapped *m, const char *path, struct err *e);
/* All of it is going to be read: brought in at once, instead of with a fault every few pages. */
void mapped_want_all(const struct mapped *m);
void mapped_close(struct mapped *m);

#endif
