/*
 * The writer: the table is known first, so every tensor has its place before any data come, and
 * threads may put their parts down side by side. The header is what the safetensors library writes
 * (compact JSON, padded with spaces to a multiple of 8).
 */
#include "common/safetensors.h"

#include "common/json.h"
#include "common/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

struct st_writer {
	int fd;
	char *path;
	size_t n;
	size_t *at; /* [n + 1] where each tensor begins in the file, and where the file ends */
	atomic_size_t got; /* bytes of data */
};

static int write_at(struct st_writer *w, const char *p, size_t n, size_t at, struct err *e)
{
	while (n) {
		ssize_t k = pwrite(w->fd, p, n, (off_t)at);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return err_sys(e, "cannot write '%s'", w->path);
		p += k;
		at += (size_t)k;
		n -= (size_t)k;
	}
	return 0;
}

static void add_entry(struct str *s, const struct st_tensor *t, size_t from, size_t to)
{
	str_addc(s, ',');
	json_write_string(s, t->name, strlen(t->name));
	str_addf(s, ":{\"dtype\":\"%s\",\"shape\":[", dtype_info[t->dtype].st_name);
	for (size_t i = 0; i < t->rank; i++)
		str_addf(s, "%s%zu", i ? "," : "", t->shape[i]);
	str_addf(s, "],\"data_offsets\":[%zu,%zu]}", from, to);
}

/* The header's text; fills w->at as offsets into the data. */
static int make_header(struct st_writer *w, const struct st_tensor *t, struct str *s, struct err *e)
{
	str_adds(s, "{\"__metadata__\":{\"format\":\"pt\"}");
	w->at[0] = 0;
	for (size_t i = 0; i < w->n; i++) {
		struct st_tensor u = t[i];
		if (st_size(&u, e))
			return -1;
		if (__builtin_add_overflow(w->at[i], u.bytes, &w->at[i + 1]))
			return err_data(e, "tensor '%s': the file would be too large", u.name);
		add_entry(s, &u, w->at[i], w->at[i + 1]);
	}
	str_addc(s, '}');
	while (s->len % 8)
		str_addc(s, ' ');
	return 0;
}

static int write_header(struct st_writer *w, const struct st_tensor *t, struct err *e)
{
	struct str s = {0};
	int rc = make_header(w, t, &s, e);
	if (!rc) {
		uint8_t len[8];
		for (int i = 0; i < 8; i++)
			len[i] = (uint8_t)((uint64_t)s.len >> 8 * i);
		for (size_t i = 0; i <= w->n; i++)
			w->at[i] += sizeof len + s.len;
		rc = write_at(w, (char *)len, sizeof len, 0, e) ||
				     write_at(w, s.s, s.len, sizeof len, e)
			     ? -1
			     : 0;
	}
	str_done(&s);
	return rc;
}

int st_create(struct st_writer **out, const char *path, const struct st_tensor *t, size_t n,
	struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return err_sys(e, "cannot create '%s'", path);
	struct st_writer *w = mem_zalloc(1, sizeof *w);
	w->fd = fd;
	w->path = mem_strdup(path);
	w->n = n;
	w->at = mem_alloc(n + 1, sizeof *w->at);
	if (write_header(w, t, e)) {
		st_abandon(w);
		return -1;
	}
	*out = w;
	return 0;
}

/* The disk begins at once, instead of when all is there and synced. Only advice. */
static void begin_writing(const struct st_writer *w, size_t at, size_t n)
{
	enum { WORTH_IT = 1 << 16 };
	if (n >= WORTH_IT)
		sync_file_range(w->fd, (off_t)at, (off_t)n, SYNC_FILE_RANGE_WRITE);
}

int st_put(struct st_writer *w, size_t i, size_t offset, const void *p, size_t n, struct err *e)
{
	size_t room = i < w->n ? w->at[i + 1] - w->at[i] : 0;
	if (offset > room || n > room - offset)
		return err_data(e, "'%s': more data than tensor %zu has room for", w->path, i);
	atomic_fetch_add(&w->got, n);
	if (write_at(w, p, n, w->at[i] + offset, e))
		return -1;
	begin_writing(w, w->at[i] + offset, n);
	return 0;
}

int st_finish(struct st_writer *w, struct err *e)
{
	size_t expected = w->at[w->n] - w->at[0];
	int rc = 0;
	if (w->got != expected)
		rc = err_data(e, "'%s': %zu bytes of data, the header says %zu", w->path, w->got,
			expected);
	if (close(w->fd) && !rc)
		rc = err_sys(e, "cannot write '%s'", w->path);
	w->fd = -1;
	st_abandon(w);
	return rc;
}

void st_abandon(struct st_writer *w)
{
	if (w->fd >= 0)
		close(w->fd);
	mem_free(w->path);
	mem_free(w->at);
	mem_free(w);
}
