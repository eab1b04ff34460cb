#include "common/sig.h"

#include "common/die.h"
#include "common/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { TEMPORARIES = 64, TREE_DEPTH = 8 };

static _Atomic(char *) temporary[TEMPORARIES];
static volatile sig_atomic_t stop_signal, stop_installed;
static int installed;

/* ---- removal, by async-signal-safe calls only ---- */

struct dirent64_raw { /* what getdents64 gives; libc's readdir may allocate */
	uint64_t ino, off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

static void remove_tree(int at, const char *path, int depth)
{
	if (unlinkat(at, path, 0) == 0 || depth == TREE_DEPTH ||
		(errno != EISDIR && errno != EPERM))
		return;
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	_Alignas(8) char buf[2048];
	long n;
	while ((n = syscall(SYS_getdents64, fd, buf, sizeof buf)) > 0)
		for (long i = 0; i < n;) {
			struct dirent64_raw *d = (struct dirent64_raw *)(void *)(buf + i);
			if (strcmp(d->name, ".") != 0 && strcmp(d->name, "..") != 0)
				remove_tree(fd, d->name, depth + 1);
			i += d->reclen;
		}
	close(fd);
	unlinkat(at, path, AT_REMOVEDIR);
}

void sig_remove_all(void)
{
	for (int i = 0; i < TEMPORARIES; i++) {
		char *path = atomic_exchange(&temporary[i], NULL);
		if (path)
			remove_tree(AT_FDCWD, path, 0);
	}
}

/* ---- signals ---- */

static void end_by(int signo)
{
	int saved = errno;
	sig_remove_all();
	errno = saved;
	signal(signo, SIG_DFL);
	raise(signo); /* delivered when the handler returns, or at once */
}

static void on_signal(int signo)
{
	if (stop_installed && !stop_signal && signo != SIGHUP)
		stop_signal = signo;
	else
		end_by(signo);
}

static void install(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	if (installed)
		return;
	installed = 1;
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART}, old;
		sigemptyset(&sa.sa_mask);
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &sa, NULL);
	}
	die_at_exit(sig_remove_all);
}

void sig_stop_install(void)
{
	install();
	stop_installed = 1;
}

int sig_stop_requested(void)
{
	return stop_signal;
}

void sig_end_by(int signo)
{
	end_by(signo);
	_exit(128 + signo); /* the signal is blocked, or ignored */
}

/* ---- registry ---- */

int sig_remove_at_end(const char *path)
{
	install();
	char *copy = mem_strdup(path);
	for (int i = 0; i < TEMPORARIES; i++) {
		char *none = NULL;
		if (atomic_compare_exchange_strong(&temporary[i], &none, copy))
			return i;
	}
	die(STATUS_SYSTEM, "more than %d temporary files at a time", TEMPORARIES);
}

void sig_keep(int ticket)
{
	mem_free(atomic_exchange(&temporary[ticket], NULL));
}

void sig_remove(int ticket)
{
	char *path = atomic_exchange(&temporary[ticket], NULL);
	if (path)
		remove_tree(AT_FDCWD, path, 0);
	mem_free(path);
}
