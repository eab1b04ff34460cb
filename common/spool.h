/* Bytes kept in a file without a name in TMPDIR: written once from front to back, then read anywhere;
 * or memory that need not stay in memory. */
#ifndef COMMON_SPOOL_H
#define COMMON_SPOOL_H

#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

struct spool;

int spool_open(struct spool **s, struct err *e);
int spool_write(struct spool *s, const void *p, size_t n, struct err *e);
uint64_t spool_size(const struct spool *s);
/* Ends the writing, before the first read. */
int spool_flush(struct spool *s, struct err *e);
int spool_read(const struct spool *s, uint64_t at, void *p, size_t n, struct err *e);
/* Instead of reading: all of it in memory, until spool_close. */
const void *spool_map(struct spool *s, struct err *e);
/* Instead of writing: n bytes of zeros to work in, until spool_close. Disk is taken for all of them now
 * (a full one is an error). */
void *spool_room(struct spool *s, size_t n, struct err *e);
/* Bytes [at, at + n) of it are not needed for a while: they leave memory, and come back when used. */
void spool_release(struct spool *s, size_t at, size_t n);
void spool_close(struct spool *s); /* NULL: nothing */

#endif
