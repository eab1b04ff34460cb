/* A directory that appears whole: filled under a temporary name beside it, then exchanged. */
#include "common/io.h"

#include "common/io_int.h"
#include "common/mem.h"
#include "common/sig.h"
#include "common/version.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The file by which a directory of ours is known again. */
static const char marker[] = ".sluice";

static int is_empty(const char *path)
{
	DIR *d = opendir(path);
	int n = 0;
	for (struct dirent *f; d && (f = readdir(d));)
		n += strcmp(f->d_name, ".") != 0 && strcmp(f->d_name, "..") != 0;
	if (d)
		closedir(d);
	return d && !n;
}

/* Whether what is at d->path may go. */
static int may_replace(struct outdir *d, int force, struct err *e)
{
	struct stat st;
	if (lstat(d->path, &st))
		return errno == ENOENT ? 0 : err_sys(e, "cannot look at '%s'", d->path);
	if (!S_ISDIR(st.st_mode))
		return err_usage(e, "'%s' is not a directory, and one is to be written", d->path);
	if (io_is_input_stat(&st))
		return err_usage(e, "'%s' is an input and cannot be the output too", d->path);
	char *mark = io_path(d->path, marker);
	int ours = io_exists(mark) || is_empty(d->path);
	mem_free(mark);
	if (!ours && !force)
		return err_usage(e,
			"'%s' exists and was not written by sluice: '--force' replaces it",
			d->path);
	d->replace = 1;
	return 0;
}

static int write_marker(const struct outdir *d, struct err *e)
{
	static const char text[] = "written by sluice " SLUICE_VERSION "\n";
	char *path = outdir_file(d, marker);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	int bad = fd < 0 || io_write_all(fd, text, sizeof text - 1)
			  ? err_sys(e, "cannot write '%s'", path)
			  : 0;
	if (fd >= 0)
		close(fd);
	mem_free(path);
	return bad;
}

/* Whether the working directory is d->path or in it: what is replaced under one's feet is lost. */
static int holds_cwd(const char *path)
{
	char *cwd = realpath(".", NULL);
	size_t n = strlen(path);
	int holds = cwd && !strncmp(cwd, path, n) && (!cwd[n] || cwd[n] == '/' || n == 1);
	mem_free(cwd);
	return holds;
}

int outdir_open(struct outdir *d, const char *path, int force, struct err *e)
{
	*d = (struct outdir){.path = io_resolve(path)};
	int bad = holds_cwd(d->path)
			  ? err_usage(e, "'%s' holds the working directory: name another", path)
			  : may_replace(d, force, e);
	if (!bad) {
		char *tmp = io_beside(d->path);
		if (mkdtemp(tmp)) {
			d->tmp = tmp;
			d->ticket = sig_remove_at_end(tmp);
			if (chmod(tmp, io_creation_mode(0777)))
				bad = err_sys(e, "cannot set the mode of '%s'", tmp);
		} else {
			bad = err_sys(e, "cannot create '%s'", d->path);
			mem_free(tmp);
		}
	}
	if (!bad)
		bad = write_marker(d, e);
	if (bad)
		outdir_abandon(d);
	return bad;
}

char *outdir_file(const struct outdir *d, const char *name)
{
	return io_path(d->tmp, name);
}

void outdir_abandon(struct outdir *d)
{
	if (d->tmp)
		sig_remove(d->ticket);
	mem_free(d->tmp);
	mem_free(d->path);
	*d = (struct outdir){0};
}

/* Every file of the directory, and the directory, to the disk. */
static int sync_all(const char *dir, struct err *e)
{
	DIR *d = opendir(dir);
	int bad = d ? 0 : err_sys(e, "cannot read '%s'", dir);
	for (struct dirent *f; !bad && (f = readdir(d));) {
		char *path = io_path(dir, f->d_name);
		struct stat st;
		if (!strcmp(f->d_name, ".") || !strcmp(f->d_name, "..") || lstat(path, &st)) {
			/* itself, or gone */
		} else if (S_ISDIR(st.st_mode)) {
			bad = sync_all(path, e);
		} else if (S_ISREG(st.st_mode)) {
			int fd = open(path, O_RDONLY | O_CLOEXEC);
			if (fd < 0 || fsync(fd))
				bad = err_sys(e, "cannot write '%s'", path);
			if (fd >= 0)
				close(fd);
		}
		mem_free(path);
	}
	if (!bad && fsync(dirfd(d)) && errno != EINVAL)
		bad = err_sys(e, "cannot write '%s'", dir);
	if (d)
		closedir(d);
	return bad;
}

/* Puts the new directory in the old one's place in one step where the file system can; the old one
 * is then under the temporary name and goes as a temporary. */
static int exchange(const char *tmp, const char *path)
{
	if (renameat2(AT_FDCWD, tmp, AT_FDCWD, path, RENAME_EXCHANGE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	char *old = mem_printf("%s.old", tmp);
	int bad = rename(path, old) || rename(tmp, path) || rename(old, tmp);
	mem_free(old);
	return bad ? -1 : 0;
}

int outdir_commit(struct outdir *d, struct err *e)
{
	int bad = sync_all(d->tmp, e);
	if (!bad && io_is_input(d->path))
		bad = err_usage(e, "'%s' is an input and cannot be the output too", d->path);
	if (!bad && (d->replace ? exchange(d->tmp, d->path) : rename(d->tmp, d->path)))
		bad = err_sys(e, "cannot rename to '%s'", d->path);
	if (!bad && !d->replace) {
		sig_keep(d->ticket);
		mem_free(d->tmp);
		d->tmp = NULL;
	}
	if (!bad && io_sync_parent(d->path))
		bad = err_sys(e, "cannot sync the directory of '%s'", d->path);
	outdir_abandon(d);
	return bad;
}

static int move_up(const struct outdir *d, const char *into, const char *name, struct err *e)
{
	char *from = outdir_file(d, name), *to = io_path(into, name);
	sig_remove(sig_remove_at_end(to));
	int rc = rename(from, to) ? err_sys(e, "cannot rename to '%s'", to) : 0;
	mem_free(from);
	mem_free(to);
	return rc;
}

int outdir_commit_into(struct outdir *d, const char *into, const char *last, struct err *e)
{
	int bad = sync_all(d->tmp, e);
	DIR *dir = opendir(d->tmp);
	if (!bad && !dir)
		bad = err_sys(e, "cannot read '%s'", d->tmp);
	for (struct dirent *f; !bad && (f = readdir(dir));)
		if (f->d_name[0] != '.' && strcmp(f->d_name, last) != 0)
			bad = move_up(d, into, f->d_name, e);
	if (dir)
		closedir(dir);
	if (!bad)
		bad = move_up(d, into, last, e);
	if (!bad && io_sync_parent(d->path))
		bad = err_sys(e, "cannot sync '%s'", into);
	outdir_abandon(d);
	return bad;
}

int outdir_copy(const struct outdir *d, const char *src, const char *name, struct err *e)
{
	char *from = io_path(src, name), *to = outdir_file(d, name);
	int in = open(from, O_RDONLY | O_CLOEXEC), out = -1, r = 1;
	if (in < 0) {
		r = errno == ENOENT ? 0 : err_sys(e, "cannot open '%s'", from);
	} else {
		out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
		if (out < 0)
			r = err_sys(e, "cannot create '%s'", to);
	}
	enum { PIECE = 1 << 16 };
	char *buf = mem_alloc(PIECE, 1);
	while (r == 1) {
		ssize_t n = read(in, buf, PIECE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			r = err_sys(e, "cannot read '%s'", from);
		else if (io_write_all(out, buf, (size_t)n))
			r = err_sys(e, "cannot write '%s'", to);
		if (n <= 0)
			break;
	}
	if (out >= 0 && close(out) && r == 1)
		r = err_sys(e, "cannot write '%s'", to);
	if (in >= 0)
		close(in);
	mem_free(buf);
	mem_free(from);
	mem_free(to);
	return r;
}
