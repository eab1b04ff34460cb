#include "tools/train-step/metrics.h"

#include "common/mem.h"

#include <string.h>

static struct metric *find(struct metrics *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->v[i].name, name) == 0)
			return &m->v[i];
	mem_grow(&m->v, &m->cap, m->n + 1, sizeof *m->v);
	m->v[m->n] = (struct metric){mem_strdup(name), 0, 0};
	return &m->v[m->n++];
}

void metrics_add(struct metrics *m, const char *name, double value)
{
	metrics_restore(m, name, value, 1);
}

void metrics_restore(struct metrics *m, const char *name, double sum, uint64_t count)
{
	struct metric *v = find(m, name);
	v->sum += sum;
	v->count += count;
}

void metrics_reset(struct metrics *m)
{
	for (size_t i = 0; i < m->n; i++)
		mem_free(m->v[i].name);
	mem_free(m->v);
	*m = (struct metrics){0};
}
