/*
 * Bytes from a file or a pipe, inflated where they are gzip. One buffer of plain bytes, [at, end)
 * still unread; callers look into it (input_peek) and say what they have used (input_skip). Under
 * gzip the file's own bytes pass through `raw` first.
 */
#include "common/io.h"

#include "common/io_int.h"
#include "common/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { FIRST_BUFFER = 256 * 1024, LEAST_READ = 64 * 1024, RAW_BUFFER = 64 * 1024 };

struct input {
	char *path;
	int fd, waits; /* waits: reading may block (no regular file) */
	int fd_end;    /* the file itself has ended */
	uint8_t *buf;
	size_t at, end, cap;
	int eof;	  /* nothing comes after [at, end) */
	int gzip, member; /* inflating; within a member */
	z_stream z;
	uint8_t *raw;
	size_t raw_at, raw_end;
	void (*pause)(void *arg);
	void *pause_arg;
};

/* ---- the file ---- */

/* Bytes from the file itself: how many, 0 at the end, -1. */
static long fill(struct input *in, uint8_t *p, size_t n, struct err *e)
{
	struct pollfd pfd = {.fd = in->fd, .events = POLLIN};
	if (in->fd_end)
		return 0;
	if (in->pause && in->waits && poll(&pfd, 1, 0) == 0)
		in->pause(in->pause_arg);
	for (;;) {
		ssize_t got = read(in->fd, p, n);
		if (got >= 0) {
			in->fd_end = !got;
			return got;
		}
		if (errno != EINTR)
			return err_sys(e, "cannot read '%s'", in->path);
	}
}

static int is_gzip(const uint8_t *p, size_t n)
{
	return n >= 2 && p[0] == 0x1f && p[1] == 0x8b;
}

int input_open(struct input **out, const char *path, int binary, struct err *e)
{
	int std = !strcmp(path, "-");
	int fd = std ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st)) {
		err_sys(e, "cannot open '%s'", path);
		if (fd > STDIN_FILENO)
			close(fd);
		return -1;
	}
	int bad = 0;
	if (S_ISDIR(st.st_mode))
		bad = err_set(e, STATUS_SYSTEM, "cannot read '%s': it is a directory", path);
	else if (binary && isatty(fd))
		bad = err_usage(
			e, "standard input is a terminal: name a file, or pipe something in");
	if (bad) {
		if (!std)
			close(fd);
		return -1;
	}
	io_note_input(path);
	struct input *in = mem_zalloc(1, sizeof *in);
	in->path = mem_strdup(path);
	in->fd = fd;
	in->waits = !S_ISREG(st.st_mode);
	if (input_boundary(in, e)) {
		input_close(in);
		return -1;
	}
	*out = in;
	return 0;
}

const char *input_name(const struct input *in)
{
	return in->path;
}

void input_on_pause(struct input *in, void (*fn)(void *arg), void *arg)
{
	in->pause = fn;
	in->pause_arg = arg;
}

void input_close(struct input *in)
{
	if (!in)
		return;
	if (in->gzip)
		inflateEnd(&in->z);
	if (in->fd != STDIN_FILENO)
		close(in->fd);
	mem_free(in->raw);
	mem_free(in->buf);
	mem_free(in->path);
	mem_free(in);
}

/* ---- gzip ---- */

/* At least two raw bytes, unless the file has no more. */
static int fill_raw(struct input *in, struct err *e)
{
	while (in->raw_end - in->raw_at < 2 && !in->fd_end) {
		memmove(in->raw, in->raw + in->raw_at, in->raw_end - in->raw_at);
		in->raw_end -= in->raw_at;
		in->raw_at = 0;
		long got = fill(in, in->raw + in->raw_end, RAW_BUFFER - in->raw_end, e);
		if (got < 0)
			return -1;
		in->raw_end += (size_t)got;
	}
	return 0;
}

/* Turns to inflating: what is buffered is the file's own bytes. */
static int begin_gzip(struct input *in, struct err *e)
{
	if (!in->raw)
		in->raw = mem_alloc(RAW_BUFFER > in->cap ? RAW_BUFFER : in->cap, 1);
	in->raw_end = in->end - in->at;
	memcpy(in->raw, in->buf + in->at, in->raw_end);
	in->raw_at = 0;
	in->end = in->at;
	in->z = (z_stream){0};
	if (inflateInit2(&in->z, 16 + MAX_WBITS) != Z_OK)
		return err_set(e, STATUS_SYSTEM, "cannot start zlib");
	in->gzip = in->member = 1;
	in->eof = 0;
	return 0;
}

/* Inflated bytes, 0 at the end, -1. Members follow each other; what follows the last and is no
 * member is given out as it is, for the reader to judge. */
static long inflate_some(struct input *in, uint8_t *p, size_t n, struct err *e)
{
	for (;;) {
		if (fill_raw(in, e))
			return -1;
		size_t have = in->raw_end - in->raw_at;
		if (!in->member) {
			if (!have)
				return 0;
			if (!is_gzip(in->raw + in->raw_at, have)) {
				size_t take = have < n ? have : n;
				memcpy(p, in->raw + in->raw_at, take);
				in->raw_at += take;
				return (long)take;
			}
			inflateReset(&in->z);
			in->member = 1;
		}
		if (!have)
			return err_data(e, "%s: the gzip data is cut short", in->path);
		in->z.next_in = in->raw + in->raw_at;
		in->z.avail_in = (unsigned)have;
		in->z.next_out = p;
		in->z.avail_out = n < UINT32_MAX ? (unsigned)n : UINT32_MAX;
		unsigned room = in->z.avail_out;
		int r = inflate(&in->z, Z_NO_FLUSH);
		in->raw_at = in->raw_end - in->z.avail_in;
		if (r == Z_STREAM_END)
			in->member = 0;
		else if (r != Z_OK && r != Z_BUF_ERROR)
			return err_data(e, "%s: the gzip data is damaged (%s)", in->path,
				in->z.msg ? in->z.msg : "no reason given");
		if (in->z.avail_out < room)
			return (long)(room - in->z.avail_out);
	}
}

/* ---- the buffer ---- */

/* More bytes behind `end`. 0 or -1; in->eof when there are none. */
static int more(struct input *in, struct err *e)
{
	if (in->cap - in->end < LEAST_READ) {
		size_t have = in->end - in->at;
		if (in->at >= have && in->at > 0) { /* moving costs no more than what was used */
			memmove(in->buf, in->buf + in->at, have);
			in->at = 0;
			in->end = have;
		}
		if (in->cap - in->end < LEAST_READ)
			mem_grow(&in->buf, &in->cap, in->cap ? 2 * in->cap : FIRST_BUFFER, 1);
	}
	long got = in->gzip ? inflate_some(in, in->buf + in->end, in->cap - in->end, e)
			    : fill(in, in->buf + in->end, in->cap - in->end, e);
	if (got < 0)
		return -1;
	in->end += (size_t)got;
	in->eof = !got;
	return 0;
}

int input_boundary(struct input *in, struct err *e)
{
	const uint8_t *p;
	if (in->gzip)
		return 0; /* inflate_some finds the next member itself */
	long n = input_peek(in, 2, &p, e);
	if (n < 0)
		return -1;
	return is_gzip(p, (size_t)n) ? begin_gzip(in, e) : 0;
}

long input_peek(struct input *in, size_t n, const uint8_t **p, struct err *e)
{
	while (in->end - in->at < n && !in->eof)
		if (more(in, e))
			return -1;
	*p = in->buf + in->at;
	return (long)(in->end - in->at);
}

void input_skip(struct input *in, size_t n)
{
	in->at += n;
	if (in->at == in->end)
		in->at = in->end = 0;
}

long input_read(struct input *in, void *p, size_t n, struct err *e)
{
	const uint8_t *from;
	long have = n ? input_peek(in, 1, &from, e) : 0;
	if (have <= 0)
		return have;
	if ((size_t)have < n)
		n = (size_t)have;
	memcpy(p, from, n);
	input_skip(in, n);
	return (long)n;
}

int input_line(struct input *in, size_t limit, const char **line, size_t *len, struct err *e)
{
	size_t seen = 0;
	for (;;) {
		const uint8_t *p;
		long have = input_peek(in, seen + 1, &p, e);
		if (have < 0)
			return -1;
		const uint8_t *nl =
			(size_t)have > seen ? memchr(p + seen, '\n', (size_t)have - seen) : NULL;
		size_t n = nl ? (size_t)(nl - p) : (size_t)have;
		if (n > limit)
			return err_data(e, "a line of more than %zu bytes", limit);
		if (nl || (in->eof && n)) {
			*line = (const char *)p;
			*len = n;
			in->at += n + (nl != NULL);
			return 1;
		}
		if (in->eof)
			return 0;
		seen = n;
	}
}
