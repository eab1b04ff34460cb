#include "common/spool.h"

#include "common/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct spool {
	FILE *f;
	uint64_t size;
	void *map; /* or NULL */
};

int spool_open(struct spool **s, struct err *e)
{
	const char *dir = getenv("TMPDIR");
	if (!dir || !*dir)
		dir = "/tmp";
	char *path = mem_printf("%s/sluice-XXXXXX", dir);
	int fd = mkostemp(path, 0);
	if (fd >= 0)
		unlink(path);
	mem_free(path);
	FILE *f = fd >= 0 ? fdopen(fd, "w+") : NULL;
	if (!f)
		return err_sys(e, "cannot make a temporary file in '%s' (TMPDIR)", dir);
	*s = mem_zalloc(1, sizeof **s);
	(*s)->f = f;
	return 0;
}

int spool_write(struct spool *s, const void *p, size_t n, struct err *e)
{
	s->size += n;
	if (n && fwrite(p, 1, n, s->f) != n)
		return err_sys(e, "cannot write a temporary file (TMPDIR)");
	return 0;
}

uint64_t spool_size(const struct spool *s)
{
	return s->size;
}

int spool_flush(struct spool *s, struct err *e)
{
	return fflush(s->f) == 0 ? 0 : err_sys(e, "cannot write a temporary file (TMPDIR)");
}

int spool_read(const struct spool *s, uint64_t at, void *p, size_t n, struct err *e)
{
	for (size_t got = 0; got < n;) {
		ssize_t r = pread(fileno(s->f), (char *)p + got, n - got, (off_t)(at + got));
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return err_sys(e, "cannot read a temporary file");
		if (r == 0)
			return err_set(e, STATUS_SYSTEM, "a temporary file has been cut short");
		got += (size_t)r;
	}
	return 0;
}

const void *spool_map(struct spool *s, struct err *e)
{
	if (spool_flush(s, e))
		return NULL;
	if (!s->size)
		return "";
	void *p = mmap(NULL, s->size, PROT_READ, MAP_SHARED, fileno(s->f), 0);
	if (p == MAP_FAILED) {
		err_sys(e, "cannot map a temporary file (TMPDIR)");
		return NULL;
	}
	return s->map = p;
}

void *spool_room(struct spool *s, size_t n, struct err *e)
{
	n = n ? n : 1;
	int rc = posix_fallocate(fileno(s->f), 0, (off_t)n);
	if (rc) {
		errno = rc;
		err_sys(e, "no room for %zu bytes in a temporary file (TMPDIR)", n);
		return NULL;
	}
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(s->f), 0);
	if (p == MAP_FAILED) {
		err_sys(e, "cannot map a temporary file (TMPDIR)");
		return NULL;
	}
	s->size = n;
	return s->map = p;
}

/* A shared mapping loses nothing by it: the pages are the file's. */
void spool_release(struct spool *s, size_t at, size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), from = at / page * page;
	madvise((char *)s->map + from, at + n - from, MADV_DONTNEED);
}

void spool_close(struct spool *s)
{
	if (s && s->map)
		munmap(s->map, s->size);
	if (s)
		fclose(s->f);
	mem_free(s);
}
