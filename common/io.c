/* Paths, small files, and which files are inputs. Streams of bytes are in input.c and output.c. */
#include "common/io.h"

#include "common/io_int.h"
#include "common/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* By name, not by inode: those of files that are gone are given to new ones. */
static char **inputs;
static size_t ninputs, inputs_cap;

void io_note_input(const char *path)
{
	mem_grow(&inputs, &inputs_cap, ninputs + 1, sizeof *inputs);
	inputs[ninputs++] = mem_strdup(path);
}

int io_is_input_stat(const struct stat *st)
{
	struct stat in;
	if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
		return 0;
	for (size_t i = 0; i < ninputs; i++) {
		int gone = strcmp(inputs[i], "-") ? stat(inputs[i], &in) : fstat(STDIN_FILENO, &in);
		if (!gone && in.st_dev == st->st_dev && in.st_ino == st->st_ino)
			return 1;
	}
	return 0;
}

int io_is_input(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && io_is_input_stat(&st);
}

mode_t io_creation_mode(mode_t wish)
{
	mode_t mask = umask(0);
	umask(mask);
	return wish & ~mask;
}

char *io_resolve(const char *path)
{
	char *real = realpath(path, NULL);
	if (real)
		return real;
	size_t n = strlen(path);
	while (n > 1 && path[n - 1] == '/')
		n--;
	return mem_strndup(path, n);
}

char *io_beside(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t dir = slash ? (size_t)(slash - path) + 1 : 0;
	return mem_printf("%.*s.%s.XXXXXX", (int)dir, path, path + dir);
}

int io_sync_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? mem_strndup(path, (size_t)(slash - path) + (slash == path))
			  : mem_strdup(".");
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mem_free(dir);
	if (fd < 0)
		return -1;
	int r = fsync(fd) && errno != EINVAL ? -1 : 0; /* some file systems cannot */
	close(fd);
	return r;
}

int io_write_all(int fd, const void *p, size_t n)
{
	const char *s = p;
	while (n) {
		ssize_t w = write(fd, s, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -1;
		s += w;
		n -= (size_t)w;
	}
	return 0;
}

char *io_read_file(const char *path, size_t limit, size_t *len, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		err_sys(e, "cannot open '%s'", path);
		return NULL;
	}
	char *s = NULL;
	size_t cap = 0, n = 0;
	for (;;) {
		mem_grow(&s, &cap, n + 16384, 1);
		ssize_t got = read(fd, s + n, cap - n - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			err_sys(e, "cannot read '%s'", path);
			break;
		}
		n += (size_t)got;
		if (n > limit) {
			err_data(e, "%s: larger than %zu bytes", path, limit);
			break;
		}
		if (!got) {
			close(fd);
			s[n] = 0;
			*len = n;
			return s;
		}
	}
	close(fd);
	mem_free(s);
	return NULL;
}

char *io_path(const char *dir, const char *name)
{
	return mem_printf("%s/%s", dir, name);
}

int io_exists(const char *path)
{
	return access(path, F_OK) == 0;
}
