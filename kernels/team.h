/*
 * A team of threads that splits an index range in fixed blocks. Who computes a block depends on
 * nothing but (n, team size is irrelevant to the result): tasks must write disjoint places, and a
 * sum must live within one task. So results do not depend on the number of threads.
 */
#ifndef KERNELS_TEAM_H
#define KERNELS_TEAM_H

#include <stddef.h>

struct team;

/* threads >= 1, the caller counted in. Ends never fails; NULL only when no thread can be made. */
struct team *team_new(int threads);
void team_free(struct team *t);
int team_size(const struct team *t);

/* Calls fn(arg, i, worker) for every i in [0, n), each once, on any worker (0 … size-1; for scratch
 * memory); returns when all are done. Not reentrant. t may be NULL: runs on the caller. */
void team_run(struct team *t, size_t n, void (*fn)(void *arg, size_t i, int worker), void *arg);

/* CPUs that this process may use: affinity and cgroup quota; at least 1. */
int team_cpus(void);

#endif
