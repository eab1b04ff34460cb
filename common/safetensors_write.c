/*
 * The writer: the header first, since the table is known, then the data as they come. The header is
 * what the safetensors library writes (compact JSON, padded with spaces to a multiple of 8).
 */
#include "common/safetensors.h"

#include "common/json.h"
#include "common/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER = 1 << 20 };

struct st_writer {
	int fd;
	char *path;
	size_t expected, got; /* bytes of data */
	size_t used;
	char buffer[BUFFER]; /* small pieces are gathered; big ones go straight to the file */
};

static int write_all(struct st_writer *w, const char *p, size_t n, struct err *e)
{
	while (n) {
		ssize_t k = write(w->fd, p, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return err_sys(e, "cannot write '%s'", w->path);
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

static int flush(struct st_writer *w, struct err *e)
{
	size_t n = w->used;
	w->used = 0;
	return write_all(w, w->buffer, n, e);
}

static int put(struct st_writer *w, const void *p, size_t n, struct err *e)
{
	if (n > BUFFER - w->used && flush(w, e))
		return -1;
	if (n > BUFFER)
		return write_all(w, p, n, e);
	memcpy(w->buffer + w->used, p, n);
	w->used += n;
	return 0;
}

static int write_header(struct st_writer *w, const struct st_tensor *t, size_t n, struct err *e)
{
	struct str s = {0};
	str_adds(&s, "{\"__metadata__\":{\"format\":\"pt\"}");
	size_t at = 0;
	int rc = 0;
	for (size_t i = 0; i < n && !rc; i++) {
		struct st_tensor u = t[i];
		rc = st_size(&u, e);
		if (!rc && __builtin_add_overflow(at, u.bytes, &w->expected))
			rc = err_data(e, "tensor '%s': the file would be too large", u.name);
		str_addc(&s, ',');
		json_write_string(&s, u.name, strlen(u.name));
		str_addf(&s, ":{\"dtype\":\"%s\",\"shape\":[", dtype_info[u.dtype].st_name);
		for (size_t k = 0; k < u.rank; k++)
			str_addf(&s, "%s%zu", k ? "," : "", u.shape[k]);
		str_addf(&s, "],\"data_offsets\":[%zu,%zu]}", at, w->expected);
		at = w->expected;
	}
	str_addc(&s, '}');
	while (s.len % 8)
		str_addc(&s, ' ');
	uint8_t len[8];
	for (int i = 0; i < 8; i++)
		len[i] = (uint8_t)((uint64_t)s.len >> 8 * i);
	if (!rc && (put(w, len, sizeof len, e) || put(w, s.s, s.len, e)))
		rc = -1;
	str_done(&s);
	return rc;
}

int st_create(struct st_writer **out, const char *path, const struct st_tensor *t, size_t n,
	struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return err_sys(e, "cannot create '%s'", path);
	struct st_writer *w = mem_alloc(1, sizeof *w);
	w->fd = fd;
	w->path = mem_strdup(path);
	w->expected = w->got = w->used = 0;
	if (write_header(w, t, n, e)) {
		st_abandon(w);
		return -1;
	}
	*out = w;
	return 0;
}

int st_put(struct st_writer *w, const void *p, size_t n, struct err *e)
{
	if (n > w->expected - w->got)
		return err_data(e, "'%s': more data than the header says", w->path);
	w->got += n;
	return put(w, p, n, e);
}

int st_finish(struct st_writer *w, struct err *e)
{
	int rc = 0;
	if (w->got != w->expected)
		rc = err_data(e, "'%s': %zu bytes of data, the header says %zu", w->path, w->got,
			w->expected);
	else if (flush(w, e))
		rc = -1;
	if (close(w->fd) && !rc)
		rc = err_sys(e, "cannot write '%s'", w->path);
	mem_free(w->path);
	mem_free(w);
	return rc;
}

void st_abandon(struct st_writer *w)
{
	close(w->fd);
	mem_free(w->path);
	mem_free(w);
}
