/*
 * Bytes to standard output or to a file that appears whole: written under a temporary name in the
 * same directory, then renamed. Everything is checked, down to close().
 */
#include "common/io.h"

#include "common/io_int.h"
#include "common/mem.h"
#include "common/sig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

/* On token ids level 1 gives 6% more bytes than level 6, in a tenth of the time. */
enum { BUFFER = 256 * 1024, GZIP_LEVEL = 1 };

struct output {
	char *path; /* as messages name it */
	char *tmp;  /* NULL: written in place */
	char *final;
	int fd, ticket;
	int gzip;
	z_stream z;
	uint8_t *buf, *zbuf;
	size_t n;
};

/* ---- files ---- */

static int open_stdout(struct output *o, int binary, struct err *e)
{
	struct stat st;
	o->path = mem_strdup("standard output");
	if (binary && isatty(STDOUT_FILENO))
		return err_usage(e,
			"standard output is a terminal: binary data go to a file or a pipe "
			"('-o FILE', '| mpcat' to look)");
	/* A copy, so that close() can be checked while descriptor 1 stays taken. */
	o->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (o->fd < 0 || fstat(o->fd, &st))
		return err_sys(e, "cannot write to standard output");
	if (S_ISREG(st.st_mode) && io_is_input_stat(&st))
		return err_usage(e, "standard output is one of the input files");
	return 0;
}

static int open_file(struct output *o, const char *path, int binary, struct err *e)
{
	struct stat st;
	o->path = mem_printf("'%s'", path);
	int exists = stat(path, &st) == 0;
	if (exists && S_ISDIR(st.st_mode))
		return err_usage(e, "'%s' is a directory, a file is to be written", path);
	if (exists && io_is_input_stat(&st))
		return err_usage(e, "'%s' is an input and cannot be the output too", path);
	if (exists && !S_ISREG(st.st_mode)) {
		o->fd = open(path, O_WRONLY | O_CLOEXEC);
		if (o->fd < 0)
			return err_sys(e, "cannot open '%s'", path);
		if (binary && isatty(o->fd))
			return err_usage(
				e, "'%s' is a terminal: binary data go to a file or a pipe", path);
		return 0;
	}
	o->final = io_resolve(path);
	o->tmp = io_beside(o->final);
	o->fd = mkostemp(o->tmp, O_CLOEXEC);
	if (o->fd < 0) {
		mem_free(o->tmp);
		o->tmp = NULL;
		return err_sys(e, "cannot create '%s'", path);
	}
	o->ticket = sig_remove_at_end(o->tmp);
	if (fchmod(o->fd, exists ? st.st_mode & 07777 : io_creation_mode(0666)))
		return err_sys(e, "cannot set the mode of '%s'", path);
	return 0;
}

int output_open(struct output **out, const char *path, int binary, int gzip, struct err *e)
{
	struct output *o = mem_zalloc(1, sizeof *o);
	o->fd = -1;
	int bad = path && strcmp(path, "-") != 0 ? open_file(o, path, binary || gzip, e)
						 : open_stdout(o, binary || gzip, e);
	/* The default header has no time and no name in it: same bytes every time. */
	if (!bad && gzip) {
		if (deflateInit2(&o->z, GZIP_LEVEL, Z_DEFLATED, 16 + MAX_WBITS, 9,
			    Z_DEFAULT_STRATEGY) == Z_OK)
			o->gzip = 1;
		else
			bad = err_set(e, STATUS_SYSTEM, "cannot start zlib");
	}
	if (bad) {
		output_abandon(o);
		return -1;
	}
	o->buf = mem_alloc(BUFFER, 1);
	if (gzip)
		o->zbuf = mem_alloc(BUFFER, 1);
	*out = o;
	return 0;
}

static int write_fd(struct output *o, const void *p, size_t n, struct err *e)
{
	return io_write_all(o->fd, p, n) ? err_sys(e, "cannot write to %s", o->path) : 0;
}

static int deflate_all(struct output *o, const uint8_t *p, size_t n, int flush, struct err *e)
{
	o->z.next_in = (uint8_t *)(uintptr_t)p;
	do {
		size_t part = n < (1u << 30) ? n : 1u << 30;
		o->z.avail_in = (unsigned)part;
		n -= part;
		do {
			o->z.next_out = o->zbuf;
			o->z.avail_out = BUFFER;
			deflate(&o->z, n ? Z_NO_FLUSH : flush);
			if (write_fd(o, o->zbuf, BUFFER - o->z.avail_out, e))
				return -1;
		} while (!o->z.avail_out);
	} while (n);
	return 0;
}

static int pass(struct output *o, const void *p, size_t n, struct err *e)
{
	return o->gzip ? deflate_all(o, p, n, Z_NO_FLUSH, e) : write_fd(o, p, n, e);
}

static int drain(struct output *o, struct err *e)
{
	size_t n = o->n;
	o->n = 0;
	return n ? pass(o, o->buf, n, e) : 0;
}

int output_write(struct output *o, const void *p, size_t n, struct err *e)
{
	if (n > BUFFER - o->n && drain(o, e))
		return -1;
	if (n > BUFFER / 2)
		return drain(o, e) || pass(o, p, n, e) ? -1 : 0;
	if (n) /* p may be NULL then */
		memcpy(o->buf + o->n, p, n);
	o->n += n;
	return 0;
}

int output_flush(struct output *o, struct err *e)
{
	return o->gzip ? 0 : drain(o, e);
}

static void output_free(struct output *o)
{
	if (o->gzip)
		deflateEnd(&o->z);
	mem_free(o->path);
	mem_free(o->tmp);
	mem_free(o->final);
	mem_free(o->buf);
	mem_free(o->zbuf);
	mem_free(o);
}

void output_abandon(struct output *o)
{
	if (!o)
		return;
	if (o->fd >= 0)
		close(o->fd);
	if (o->tmp)
		sig_remove(o->ticket);
	output_free(o);
}

/* Rename, with the last look at what is there: inputs may have been opened since. */
static int publish(struct output *o, struct err *e)
{
	if (io_is_input(o->final))
		return err_usage(e, "%s is an input and cannot be the output too", o->path);
	if (rename(o->tmp, o->final))
		return err_sys(e, "cannot rename to %s", o->path);
	sig_keep(o->ticket);
	mem_free(o->tmp);
	o->tmp = NULL;
	return io_sync_parent(o->final) ? err_sys(e, "cannot sync the directory of %s", o->path)
					: 0;
}

int output_commit(struct output *o, struct err *e)
{
	int bad = drain(o, e);
	if (!bad && o->gzip)
		bad = deflate_all(o, NULL, 0, Z_FINISH, e);
	if (!bad && o->tmp && fsync(o->fd))
		bad = err_sys(e, "cannot write to %s", o->path);
	if (close(o->fd) && !bad)
		bad = err_sys(e, "cannot write to %s", o->path);
	o->fd = -1;
	if (!bad && o->tmp)
		bad = publish(o, e);
	output_abandon(o);
	return bad ? -1 : 0;
}

int output_print(const char *text, size_t n, struct err *e)
{
	struct output *o;
	if (output_open(&o, NULL, 0, 0, e) < 0)
		return -1;
	if (n && output_write(o, text, n, e) < 0) {
		output_abandon(o);
		return -1;
	}
	return output_commit(o, e);
}

int output_has_colour(void)
{
	const char *no_colour = getenv("NO_COLOR");
	return isatty(STDOUT_FILENO) && !(no_colour && *no_colour);
}
