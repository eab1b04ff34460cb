/* Named numbers averaged over a window of steps, as TRL averages them between two log lines: each
 * step adds one value a name, the mean is their sum by their count. Order is that of first
 * appearance. */
#ifndef TRAIN_METRICS_H
#define TRAIN_METRICS_H

#include <stddef.h>
#include <stdint.h>

struct metric {
	char *name;
	double sum;
	uint64_t count;
};

struct metrics {
	struct metric *v;
	size_t n, cap;
};

void metrics_add(struct metrics *m, const char *name, double value);
/* Puts a sum back, as a checkpoint kept it. */
void metrics_restore(struct metrics *m, const char *name, double sum, uint64_t count);
static inline double metric_mean(const struct metric *v)
{
	return v->sum / (double)v->count;
}
void metrics_reset(struct metrics *m);

#endif
