/* What io.c, input.c, output.c and outdir.c share. */
#ifndef COMMON_IO_INT_H
#define COMMON_IO_INT_H

#include <stddef.h>
#include <sys/stat.h>

int io_is_input_stat(const struct stat *st);

mode_t io_creation_mode(mode_t wish); /* less the umask */

/* Where links lead, if the name exists; else the name without slashes at its end. The caller frees.
 */
char *io_resolve(const char *path);
/* A name for mkstemp or mkdtemp beside `path`. The caller frees. */
char *io_beside(const char *path);
/* The directory that `path` is in, to the disk: so that a rename lasts. */
int io_sync_parent(const char *path);

/* All n bytes, whatever write(2) takes at a time. 0 or -1 with errno. */
int io_write_all(int fd, const void *p, size_t n);

#endif
