#include "tools/tmpl/parquet_file.h"

#include "common/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int copy(struct pq_file *f, struct input *in, struct err *e)
{
	const uint8_t *p;
	long n;
	if (spool_open(&f->spool, e) < 0)
		return -1;
	while ((n = input_peek(in, 1, &p, e)) > 0) {
		if (spool_write(f->spool, p, (size_t)n, e) < 0)
			return -1;
		input_skip(in, (size_t)n);
	}
	f->size = spool_size(f->spool);
	return n < 0 ? -1 : spool_flush(f->spool, e);
}

int pq_file_open(struct pq_file *f, struct input *in, struct err *e)
{
	const char *path = input_name(in);
	struct stat st;
	char magic[3];
	*f = (struct pq_file){.fd = -1};
	if (strcmp(path, "-")) /* opened again: a pipe must not make it wait */
		f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (f->fd >= 0 && !fstat(f->fd, &st) && S_ISREG(st.st_mode) &&
		pread(f->fd, magic, 3, 0) == 3 && !memcmp(magic, "PAR", 3)) {
		f->size = (uint64_t)st.st_size;
		return 0;
	}
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	if (copy(f, in, e) == 0)
		return 0;
	pq_file_close(f);
	return -1;
}

int pq_file_read(const struct pq_file *f, uint64_t at, void *p, size_t n, struct err *e)
{
	if (f->spool)
		return spool_read(f->spool, at, p, n, e);
	for (size_t got = 0; got < n;) {
		ssize_t r = pread(f->fd, (char *)p + got, n - got, (off_t)(at + got));
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return err_sys(e, "cannot read the file");
		if (r == 0)
			return err_data(e, "the file has been cut short while it was read");
		got += (size_t)r;
	}
	return 0;
}

void pq_file_close(struct pq_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	spool_close(f->spool);
	*f = (struct pq_file){.fd = -1};
}
