/* Files that appear whole or not at all; gzip and its damage; what ends and what a signal leaves. */
#include "common/io.h"
#include "common/mapped.h"

#include "common/mem.h"
#include "common/sig.h"
#include "common/str.h"
#include "tests/tap.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[] = "/tmp/sluice-test-XXXXXX";

static void spill(const char *path, const void *p, size_t n)
{
	FILE *f = fopen(path, "wb");
	if (!f || fwrite(p, 1, n, f) != n || fclose(f))
		exit(1);
}

static int holds(const char *path, const char *text)
{
	struct err e;
	size_t n;
	char *s = io_read_file(path, 1 << 20, &n, &e);
	int same = s && n == strlen(text) && !memcmp(s, text, n);
	free(s);
	return same;
}

/* Names in the directory, but . and .. */
static int names_in(const char *path)
{
	DIR *d = opendir(path);
	int n = 0;
	for (struct dirent *f; d && (f = readdir(d));)
		n += strcmp(f->d_name, ".") != 0 && strcmp(f->d_name, "..") != 0;
	if (d)
		closedir(d);
	return n;
}

static mode_t mode_of(const char *path)
{
	struct stat st;
	return stat(path, &st) ? 0 : st.st_mode & 07777;
}

static void test_output(void)
{
	struct output *o;
	struct err e = {0};
	char *path = io_path(dir, "out"), *link = io_path(dir, "link");
	umask(027);
	ok(!output_open(&o, path, 1, 0, &e) && !output_write(o, "hello", 5, &e),
		"a file is written");
	ok(!io_exists(path), "under another name");
	ok(!output_commit(o, &e) && holds(path, "hello"), "and then is there");
	is_int(mode_of(path), 0640, "with the mode that umask leaves");
	chmod(path, 0604);
	output_open(&o, path, 1, 0, &e);
	output_write(o, "lost", 4, &e);
	output_abandon(o);
	ok(holds(path, "hello") && names_in(dir) == 1,
		"abandoned, nothing changes and nothing is left");
	output_open(&o, path, 1, 0, &e);
	output_write(o, "second", 6, &e);
	output_commit(o, &e);
	ok(holds(path, "second") && mode_of(path) == 0604, "replacing keeps the mode");
	if (symlink("out", link))
		exit(1);
	output_open(&o, link, 1, 0, &e);
	output_write(o, "third", 5, &e);
	output_commit(o, &e);
	struct stat st;
	ok(holds(path, "third") && !lstat(link, &st) && S_ISLNK(st.st_mode),
		"a link is followed, not replaced");
	unlink(link);
	ok(output_open(&o, dir, 1, 0, &e) && e.status == STATUS_USAGE, "a directory is refused: %s",
		e.msg);
	ok(output_open(&o, "/nonexistent/x", 1, 0, &e) && e.status == STATUS_SYSTEM,
		"no directory: %s", e.msg);

	ok(!output_open(&o, "/dev/full", 1, 0, &e), "/dev/full opens");
	ok(!output_write(o, "x", 1, &e) && output_commit(o, &e) && e.status == STATUS_SYSTEM,
		"and says so at the end: %s", e.msg);

	struct input *in;
	ok(!input_open(&in, path, 1, &e), "an input is opened");
	ok(output_open(&o, path, 1, 0, &e) && e.status == STATUS_USAGE,
		"and cannot be the output: %s", e.msg);
	input_close(in);
	char *late = io_path(dir, "late");
	spill(late, "x", 1);
	output_open(&o, late, 1, 0, &e);
	input_open(&in, late, 1, &e);
	ok(output_commit(o, &e) && holds(late, "x"), "nor when it was opened later: %s", e.msg);
	input_close(in);
	unlink(late);
	unlink(path);
	free(late), free(path), free(link);
}

/* Reads all through small peeks. */
static long drain(const char *path, struct str *out, struct err *e)
{
	struct input *in;
	const uint8_t *p;
	long n;
	str_reset(out);
	if (input_open(&in, path, 1, e))
		return -1;
	while ((n = input_peek(in, 3, &p, e)) > 0) {
		size_t take = n > 1000 ? 1000 : (size_t)n;
		str_add(out, p, take);
		input_skip(in, take);
	}
	input_close(in);
	return n < 0 ? -1 : (long)out->len;
}

static void test_gzip(void)
{
	struct output *o;
	struct err e = {0};
	struct str text = {0}, got = {0}, twice = {0};
	char *path = io_path(dir, "z");
	uint32_t x = 1;
	for (int i = 0; i < 300000; i++) {
		x = x * 1664525 + 1013904223;
		str_addc(&text, (char)('a' + (x >> 24) % 20));
	}
	output_open(&o, path, 1, 1, &e);
	output_write(o, text.s, 10, &e);
	output_flush(o, &e);
	output_write(o, text.s + 10, text.len - 10, &e);
	ok(!output_commit(o, &e), "gzip is written");
	ok(drain(path, &got, &e) == (long)text.len && !memcmp(got.s, text.s, text.len), "and read");
	size_t n;
	char *z = io_read_file(path, 1 << 24, &n, &e);
	ok(n < text.len, "it is smaller");
	str_add(&twice, z, n), str_add(&twice, z, n);
	spill(path, twice.s, twice.len);
	ok(drain(path, &got, &e) == 2 * (long)text.len, "members follow each other");

	int unnoticed = 0, tried = 0;
	for (size_t cut = 2; cut < n; cut += cut < 40 ? 1 : n / 50, tried++) {
		spill(path, z, cut);
		unnoticed += drain(path, &got, &e) != -1 || e.status != STATUS_DATA;
	}
	is_int(unnoticed, 0, "cut short it is an error");
	unnoticed = 0;
	for (size_t at = 10; at < n; at += n / 37) {
		z[at] ^= 0x20;
		spill(path, z, n);
		unnoticed += drain(path, &got, &e) != -1 || e.status != STATUS_DATA;
		z[at] ^= 0x20;
	}
	is_int(unnoticed, 0, "damaged it is an error");
	free(z), unlink(path), free(path);
	str_done(&text), str_done(&got), str_done(&twice);
}

static void test_lines(void)
{
	struct input *in;
	struct err e = {0};
	char *path = io_path(dir, "lines");
	struct str text = {0};
	const char *line;
	size_t n;
	str_adds(&text, "one\n\n");
	for (int i = 0; i < 700000; i++)
		str_addc(&text, 'x');
	str_adds(&text, "\nlast");
	spill(path, text.s, text.len);
	input_open(&in, path, 0, &e);
	ok(input_line(in, 1 << 20, &line, &n, &e) == 1 && n == 3, "a line");
	ok(input_line(in, 1 << 20, &line, &n, &e) == 1 && n == 0, "an empty line");
	ok(input_line(in, 1 << 20, &line, &n, &e) == 1 && n == 700000,
		"a line longer than the buffer");
	ok(input_line(in, 1 << 20, &line, &n, &e) == 1 && n == 4, "a last line without newline");
	ok(input_line(in, 1 << 20, &line, &n, &e) == 0, "the end");
	input_close(in);
	input_open(&in, path, 0, &e);
	input_line(in, 1000, &line, &n, &e), input_line(in, 1000, &line, &n, &e);
	ok(input_line(in, 1000, &line, &n, &e) == -1 && e.status == STATUS_DATA,
		"a line over the limit: %s", e.msg);
	input_close(in);
	ok(input_open(&in, "/nonexistent", 0, &e) == -1 && e.status == STATUS_SYSTEM, "no file: %s",
		e.msg);
	ok(input_open(&in, dir, 0, &e) == -1 && e.status == STATUS_SYSTEM, "a directory: %s",
		e.msg);
	unlink(path), free(path);
	str_done(&text);
}

static void put_file(const struct outdir *d, const char *name, const char *text)
{
	char *path = outdir_file(d, name);
	spill(path, text, strlen(text));
	free(path);
}

static void test_outdir(void)
{
	struct outdir d;
	struct err e = {0};
	char *path = io_path(dir, "model"), *a = io_path(path, "a"),
	     *slash = mem_printf("%s/", path);
	umask(022);
	ok(!outdir_open(&d, slash, 0, &e), "a directory is begun");
	put_file(&d, "a", "1");
	ok(!io_exists(path), "under another name");
	ok(!outdir_commit(&d, &e) && holds(a, "1") && mode_of(path) == 0755, "and then is there");
	outdir_open(&d, path, 0, &e);
	put_file(&d, "b", "2");
	outdir_abandon(&d);
	ok(holds(a, "1") && names_in(dir) == 1, "abandoned, the old one stays and nothing else");
	outdir_open(&d, path, 0, &e);
	put_file(&d, "b", "2");
	ok(!outdir_commit(&d, &e) && !io_exists(a) && names_in(dir) == 1 && names_in(path) == 2,
		"it is replaced whole");
	char *mark = io_path(path, ".sluice");
	unlink(mark);
	ok(outdir_open(&d, path, 0, &e) && e.status == STATUS_USAGE,
		"what sluice did not write stays: %s", e.msg);
	ok(!outdir_open(&d, path, 1, &e) && !outdir_commit(&d, &e), "unless forced");
	io_note_input(path);
	ok(outdir_open(&d, path, 1, &e) && e.status == STATUS_USAGE, "an input never goes: %s",
		e.msg);
	ok(outdir_open(&d, "/", 1, &e) && outdir_open(&d, ".", 1, &e), "nor where one stands: %s",
		e.msg);
	unlink(mark), rmdir(path);
	free(path), free(a), free(mark), free(slash);
	path = io_path(dir, "empty");
	mkdir(path, 0700);
	ok(!outdir_open(&d, path, 0, &e), "an empty directory may be replaced");
	outdir_abandon(&d);
	rmdir(path), free(path);
}

/* A child begins a file and a directory, says so, and waits to be ended. */
static int ended_by(int signo, int stop_first)
{
	int ready[2];
	if (pipe(ready))
		exit(1);
	fflush(stdout);
	pid_t pid = fork();
	if (!pid) {
		alarm(60); /* not for ever, should the test be ended from outside */
		struct output *o;
		struct outdir d;
		struct err e;
		char *file = io_path(dir, "f"), *model = io_path(dir, "d");
		if (stop_first)
			sig_stop_install();
		output_open(&o, file, 1, 0, &e);
		outdir_open(&d, model, 0, &e);
		put_file(&d, "weights", "w");
		char *sub = outdir_file(&d, "sub");
		mkdir(sub, 0700);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		while (stop_first && !sig_stop_requested())
			usleep(1000);
		if (stop_first && write(ready[1], "y", 1) == 1)
			sig_end_by(sig_stop_requested());
		for (;;)
			pause();
	}
	char c;
	int status, left;
	if (read(ready[0], &c, 1) != 1)
		exit(1);
	left = names_in(dir);
	kill(pid, signo);
	if (stop_first && (read(ready[0], &c, 1) != 1 || c != 'y'))
		exit(1);
	waitpid(pid, &status, 0);
	close(ready[0]), close(ready[1]);
	return left == 2 && names_in(dir) == 0 && WIFSIGNALED(status) && WTERMSIG(status) == signo;
}

/* A child maps a file, has it cut short, and reads on. */
static void test_mapped(void)
{
	struct mapped m;
	struct err e = {0};
	char *path = io_path(dir, "mapped"), said[200] = "";
	int fds[2], status;
	FILE *f = fopen(path, "w");
	for (int i = 0; i < 100000; i++)
		putc('x', f);
	fclose(f);
	ok(!mapped_open(&m, path, &e) && m.len == 100000 && ((const char *)m.p)[99999] == 'x',
		"a file as memory");
	mapped_close(&m);
	ok(mapped_open(&m, dir, &e) && strstr(e.msg, "not a regular file"),
		"a directory is refused");
	if (pipe(fds))
		exit(1);
	fflush(stdout);
	pid_t pid = fork();
	if (!pid) {
		dup2(fds[1], STDERR_FILENO);
		if (mapped_open(&m, path, &e) || truncate(path, 10))
			_exit(9);
		_exit(((const volatile char *)m.p)[99999] == 'x');
	}
	waitpid(pid, &status, 0);
	if (read(fds[0], said, sizeof said - 1) < 0)
		exit(1);
	close(fds[0]), close(fds[1]);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == STATUS_SYSTEM,
		"one that is cut short meanwhile ends the program with status 3");
	ok(strstr(said, "mapped: cut short") != NULL, "and is named");
	unlink(path), free(path);
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	/* What nohup and jobs in the background ignore would stay ignored. */
	signal(SIGINT, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	test_output();
	test_gzip();
	test_lines();
	test_outdir();
	test_mapped();
	is_int(names_in(dir), 0, "nothing is left behind");
	ok(ended_by(SIGINT, 0) && ended_by(SIGTERM, 0) && ended_by(SIGHUP, 0),
		"a signal removes what was begun, and ends it");
	ok(ended_by(SIGTERM, 1), "or is noted first, and then ends it");
	rmdir(dir);
	return tap_done();
}
