#include "common/model/params.h"

#include "common/mem.h"

enum { PARAM_GRANULE = 16 }; /* elements: every parameter begins on a cache line */

size_t params_add(struct params *ps, const char *name, size_t rows, size_t cols, int decay)
{
	mem_grow(&ps->p, &ps->cap, ps->n + 1, sizeof *ps->p);
	struct param *p = &ps->p[ps->n];
	*p = (struct param){.name = mem_strdup(name),
		.rows = rows,
		.cols = cols,
		.offset = ps->total,
		.decay = decay};
	size_t len = mem_mul(rows, cols ? cols : 1);
	ps->total += (len + PARAM_GRANULE - 1) / PARAM_GRANULE * PARAM_GRANULE;
	return ps->n++;
}

static int alloc_zeroed(
	struct params *ps, const struct kernels *k, struct kctx *c, struct kbuf *b, struct err *e)
{
	size_t bytes = mem_mul(ps->total, sizeof(float));
	*b = (struct kbuf){k->alloc(c, bytes ? bytes : 1), DT_F32};
	if (!b->p)
		return err_set(e, STATUS_SYSTEM, "no memory for the trained parameters (%zu bytes)",
			bytes);
	if (k->zero(c, b->p, bytes) < 0)
		return err_set(e, STATUS_SYSTEM, "%s", k->describe(c));
	return 0;
}

int params_alloc(
	struct params *ps, const struct kernels *k, struct kctx *c, int with_grad, struct err *e)
{
	if (alloc_zeroed(ps, k, c, &ps->value, e) < 0)
		return -1;
	return with_grad ? alloc_zeroed(ps, k, c, &ps->grad, e) : 0;
}

void params_done(struct params *ps, const struct kernels *k, struct kctx *c)
{
	if (ps->value.p)
		k->free(c, ps->value.p);
	if (ps->grad.p)
		k->free(c, ps->grad.p);
	for (size_t i = 0; i < ps->n; i++)
		mem_free(ps->p[i].name);
	mem_free(ps->p);
	*ps = (struct params){0};
}
