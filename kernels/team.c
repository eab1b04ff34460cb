/*
 * Workers wait for a new generation number: a short spin first (a training step has hundreds of
 * runs, microseconds apart), then asleep on a condition. Blocks are drawn from one counter.
 */
#include "kernels/team.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SPIN = 4000
}; /* about 20 us on a 3.7 GHz core: longer than the gap between two operations */

struct worker {
	struct team *team;
	pthread_t thread;
	int id;
};

struct team {
	int size;
	pthread_mutex_t lock;
	pthread_cond_t start, done;
	atomic_uint generation;
	atomic_int pending; /* workers that have not finished this generation */
	atomic_int quit;
	atomic_size_t next;
	size_t n;
	void (*fn)(void *, size_t, int);
	void *arg;
	struct worker workers[];
};

static void pause_cpu(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#endif
}

static void draw_blocks(struct team *t, int id)
{
	size_t i;
	while ((i = atomic_fetch_add(&t->next, 1)) < t->n)
		t->fn(t->arg, i, id);
}

static void *work(void *p)
{
	struct worker *w = p;
	struct team *t = w->team;
	for (unsigned seen = 0;;) {
		for (int i = 0; i < SPIN && atomic_load(&t->generation) == seen; i++)
			pause_cpu();
		if (atomic_load(&t->generation) == seen) {
			pthread_mutex_lock(&t->lock);
			while (atomic_load(&t->generation) == seen)
				pthread_cond_wait(&t->start, &t->lock);
			pthread_mutex_unlock(&t->lock);
		}
		seen++;
		if (atomic_load(&t->quit))
			return NULL;
		draw_blocks(t, w->id);
		if (atomic_fetch_sub(&t->pending, 1) == 1) {
			pthread_mutex_lock(&t->lock);
			pthread_cond_signal(&t->done);
			pthread_mutex_unlock(&t->lock);
		}
	}
}

static void next_generation(struct team *t)
{
	pthread_mutex_lock(&t->lock);
	atomic_fetch_add(&t->generation, 1);
	pthread_cond_broadcast(&t->start);
	pthread_mutex_unlock(&t->lock);
}

struct team *team_new(int threads)
{
	if (threads < 1)
		threads = 1;
	struct team *t = calloc(1, sizeof *t + (size_t)threads * sizeof *t->workers);
	if (!t)
		return NULL;
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->start, NULL);
	pthread_cond_init(&t->done, NULL);
	for (t->size = 1; t->size < threads; t->size++) {
		struct worker *w = &t->workers[t->size];
		w->team = t;
		w->id = t->size;
		if (pthread_create(&w->thread, NULL, work, w) != 0)
			break; /* fewer threads, same results */
	}
	return t;
}

void team_free(struct team *t)
{
	if (!t)
		return;
	atomic_store(&t->quit, 1);
	next_generation(t);
	for (int i = 1; i < t->size; i++)
		pthread_join(t->workers[i].thread, NULL);
	pthread_cond_destroy(&t->done);
	pthread_cond_destroy(&t->start);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

int team_size(const struct team *t)
{
	return t ? t->size : 1;
}

void team_run(struct team *t, size_t n, void (*fn)(void *arg, size_t i, int worker), void *arg)
{
	if (!t || t->size == 1 || n <= 1) {
		for (size_t i = 0; i < n; i++)
			fn(arg, i, 0);
		return;
	}
	t->n = n;
	t->fn = fn;
	t->arg = arg;
	atomic_store(&t->next, 0);
	atomic_store(&t->pending, t->size - 1);
	next_generation(t);
	draw_blocks(t, 0);
	for (int i = 0; i < SPIN && atomic_load(&t->pending); i++)
		pause_cpu();
	if (atomic_load(&t->pending)) {
		pthread_mutex_lock(&t->lock);
		while (atomic_load(&t->pending))
			pthread_cond_wait(&t->done, &t->lock);
		pthread_mutex_unlock(&t->lock);
	}
}

/* The quota in CPUs that one cgroup directory sets, rounded up; 0: none. */
static long cgroup_quota(const char *dir)
{
	char path[4200], text[64];
	snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", dir);
	FILE *f = fopen(path, "r");
	if (!f)
		return 0;
	char *got = fgets(text, sizeof text, f);
	fclose(f);
	if (!got)
		return 0;
	char *end;
	long quota = strtol(text, &end, 10); /* "max 100000": no number, no limit */
	long period = strtol(end, NULL, 10);
	return end != text && quota > 0 && period > 0 ? (quota + period - 1) / period : 0;
}

int team_cpus(void)
{
	cpu_set_t set;
	long cpus = 1;
	if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
		cpus = CPU_COUNT(&set);

	char line[4096], dir[4096] = "";
	FILE *f = fopen("/proc/self/cgroup", "r");
	if (f) {
		while (fgets(line, sizeof line, f))
			if (strncmp(line, "0::/", 4) == 0) {
				line[strcspn(line, "\n")] = 0;
				snprintf(dir, sizeof dir, "%s", line + 3);
			}
		fclose(f);
	}
	for (;;) { /* a parent's quota binds as well */
		long quota = cgroup_quota(dir);
		if (quota && quota < cpus)
			cpus = quota;
		char *slash = strrchr(dir, '/');
		if (!slash)
			break;
		*slash = 0;
	}
	return (int)cpus;
}
