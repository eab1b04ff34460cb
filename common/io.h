/*
 * Files in and out. Input: a path or "-", gzip found by its magic. Output: standard output or a
 * file that appears whole under its name or not at all. Closing checks everything (flush, error,
 * close).
 */
#ifndef COMMON_IO_H
#define COMMON_IO_H

#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

struct input;

/* "-" is standard input; a terminal there is an error (status 2) when binary input is expected. */
int input_open(struct input **in, const char *path, int binary, struct err *e);
/* "-" or the path. */
const char *input_name(const struct input *in);
/* fn(arg) is called whenever a read is about to wait for data: the moment to pass on what is done.
 */
void input_on_pause(struct input *in, void (*fn)(void *arg), void *arg);
/* Reads up to n bytes (0 at the end, -1 error). Damage in gzip data is STATUS_DATA. */
long input_read(struct input *in, void *p, size_t n, struct err *e);
/* Makes at least n bytes available and points *p at them; returns how many there are (fewer only at
 * the end), -1 error. Valid until the next call. Memory grows with what has arrived, not with n.
 * input_skip consumes. */
long input_peek(struct input *in, size_t n, const uint8_t **p, struct err *e);
void input_skip(struct input *in, size_t n);
/* Called between two concatenated streams: gzip may begin (or end) here. */
int input_boundary(struct input *in, struct err *e);
/* One line without its newline, at most `limit` bytes (longer: STATUS_DATA). 1, 0 at the end, -1.
 */
int input_line(struct input *in, size_t limit, const char **line, size_t *len, struct err *e);
void input_close(struct input *in);

/* Marks a file or directory that this process reads as one that output must not replace. input_open
 * does it; whoever reads a file otherwise (a model directory) calls it. No such path: nothing. */
void io_note_input(const char *path);
int io_is_input(const char *path);

struct output;

/* path NULL or "-": standard output, which must not be a terminal when binary. Else a temporary
 * file beside `path`, renamed at output_commit; an existing directory or an input of this process
 * (io_is_input) is refused. What is no regular file (/dev/null, a fifo) is written in place. */
int output_open(struct output **out, const char *path, int binary, int gzip, struct err *e);
int output_write(struct output *o, const void *p, size_t n, struct err *e);
/* For a reader that waits; not fsync. Nothing under gzip, whose bytes would depend on the moment.
 */
int output_flush(struct output *o, struct err *e);
/* Flush, fsync, rename, close: after it the file is there. Frees o in any case. */
int output_commit(struct output *o, struct err *e);
void output_abandon(struct output *o); /* removes the temporary */

/* A whole text to standard output; and whether that wants colour: a terminal, and NO_COLOR not set. */
int output_print(const char *text, size_t n, struct err *e);
int output_has_colour(void);

/* A directory that appears whole or not at all: files are written in `tmp` (beside `path`), then it
 * is renamed. An existing directory is replaced only if sluice wrote it (it holds ".sluice") or
 * force; never an input of this process. */
struct outdir {
	char *path, *tmp;
	int replace, ticket;
};
int outdir_open(struct outdir *d, const char *path, int force, struct err *e);
/* Path of a file in it; the caller frees. */
char *outdir_file(const struct outdir *d, const char *name);
int outdir_commit(struct outdir *d, struct err *e); /* fsyncs files and directory */
/* Instead: every file goes into the directory `into`, which exists, over what is there of that name;
 * `last`, without which no reader takes it for complete, at the end. */
int outdir_commit_into(struct outdir *d, const char *into, const char *last, struct err *e);
void outdir_abandon(struct outdir *d);
/* Copies src/name into the directory when it exists: 1 copied, 0 not there, -1 error. */
int outdir_copy(const struct outdir *d, const char *src, const char *name, struct err *e);

/* Whole small file into memory (adds a NUL); limit bytes. The caller frees. */
char *io_read_file(const char *path, size_t limit, size_t *len, struct err *e);
/* dir + "/" + name; the caller frees. */
char *io_path(const char *dir, const char *name);
int io_exists(const char *path);

#endif
