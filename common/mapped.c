/* The files mapped are kept in a list that the signal's handler can walk: entries are whole before they
 * are published, used again, and never freed. */
#include "common/mapped.h"

#include "common/die.h"
#include "common/mem.h"
#include "common/sig.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FREE, TAKEN }; /* values of `from` that are no address */

struct entry {
	_Atomic(uintptr_t) from;
	size_t len;
	char *path;
	struct entry *next;
};
static _Atomic(struct entry *) entries;

/* ---- SIGBUS ---- */

static void put(const char *s)
{
	if (write(STDERR_FILENO, s, strlen(s)) < 0)
		return;
}

static void on_bus(int signo, siginfo_t *info, void *context)
{
	(void)context;
	uintptr_t at = (uintptr_t)info->si_addr;
	for (struct entry *f = atomic_load(&entries); f; f = f->next) {
		uintptr_t from = atomic_load(&f->from);
		if (from <= TAKEN || at < from || at - from >= f->len)
			continue;
		put(die_program());
		put(": ");
		put(f->path);
		put(": cut short, or unreadable, while it was read\n");
		sig_remove_all();
		_exit(STATUS_SYSTEM);
	}
	signal(signo, SIG_DFL); /* not ours: happens again, and ends the program */
}

static void watch_bus(void)
{
	struct sigaction sa = {.sa_sigaction = on_bus, .sa_flags = SA_SIGINFO};
	sigemptyset(&sa.sa_mask);
	sigaction(SIGBUS, &sa, NULL);
}

/* A free entry, TAKEN; NULL: none. */
static struct entry *take_free(void)
{
	for (struct entry *f = atomic_load(&entries); f; f = f->next) {
		uintptr_t is = FREE;
		if (atomic_compare_exchange_strong(&f->from, &is, TAKEN))
			return f;
	}
	return NULL;
}

static void add(struct entry *f)
{
	f->next = atomic_load(&entries);
	if (!f->next)
		watch_bus();
	while (!atomic_compare_exchange_weak(&entries, &f->next, f))
		;
}

static void note(const struct mapped *m, const char *path)
{
	struct entry *f = take_free(), *old = f;
	if (!f)
		f = mem_zalloc(1, sizeof *f);
	mem_free(f->path);
	f->path = mem_strdup(path);
	f->len = m->len;
	atomic_store(&f->from, (uintptr_t)m->p);
	if (!old)
		add(f);
}

/* ---- files ---- */

static int map(struct mapped *m, int fd, const char *path, struct err *e)
{
	struct stat st;
	*m = (struct mapped){0};
	if (fstat(fd, &st))
		return err_sys(e, "cannot read '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, STATUS_SYSTEM, "'%s' is not a regular file", path);
	if (st.st_size == 0)
		return 0;
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return err_sys(e, "cannot map '%s'", path);
	*m = (struct mapped){p, (size_t)st.st_size};
	note(m, path);
	return 0;
}

int mapped_open(struct mapped *m, const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "cannot open '%s'", path);
	int rc = map(m, fd, path, e);
	close(fd);
	return rc;
}

void mapped_want_all(const struct mapped *m)
{
	/* Linux 5.14; elsewhere they come one by one. */
	if (m->p)
		madvise((void *)(uintptr_t)m->p, m->len, MADV_POPULATE_READ);
}

void mapped_close(struct mapped *m)
{
	for (struct entry *f = m->p ? atomic_load(&entries) : NULL; f; f = f->next)
		if (atomic_load(&f->from) == (uintptr_t)m->p)
			atomic_store(&f->from, FREE);
	if (m->p)
		munmap((void *)(uintptr_t)m->p, m->len);
	*m = (struct mapped){0};
}
