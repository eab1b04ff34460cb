/*
 * The bytes of a Parquet file, read anywhere: the file itself, or, where the input cannot seek (a pipe) or
 * is compressed as a whole, a copy in TMPDIR. Never mapped: a file that is cut while it is read is an error.
 */
#ifndef TOOLS_TMPL_PARQUET_FILE_H
#define TOOLS_TMPL_PARQUET_FILE_H

#include "common/io.h"

struct pq_file {
	int fd;		     /* or -1 */
	struct spool *spool; /* or NULL */
	uint64_t size;
};

/* in: not read yet; its first bytes are the magic. It may be closed afterwards. */
int pq_file_open(struct pq_file *f, struct input *in, struct err *e);
/* All n bytes at `at`, which the caller knows to be within the size. */
int pq_file_read(const struct pq_file *f, uint64_t at, void *p, size_t n, struct err *e);
void pq_file_close(struct pq_file *f);

#endif
