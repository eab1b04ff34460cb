#include "tools/train-step/optim_int.h"

#include <math.h>

/* ---- memory ------------------------------------------------------------------------------------ */

/* Elements of a parameter in an array; each begins on a cache line. */
static size_t place(const struct optim_array *a, const struct param *p)
{
	size_t granule = 64 / dtype_bytes(a->t, 1);
	return (a->len(p) + granule - 1) / granule * granule;
}

static size_t length(const struct optim_array *a, const struct params *ps)
{
	size_t n = 0;
	for (size_t i = 0; i < ps->n; i++)
		n += place(a, &ps->p[i]);
	return n;
}

size_t optim_bytes(const struct optim_opts *o, const struct params *ps, size_t *greatest)
{
	size_t total = 0, most = 0;
	for (size_t i = 0; i < ps->n; i++) {
		size_t bytes = 0;
		for (const struct optim_array *a = optim_find(o->name)->arrays; a->name; a++)
			bytes += dtype_bytes(a->t, place(a, &ps->p[i]));
		total += bytes;
		most = bytes > most ? bytes : most;
	}
	if (greatest)
		*greatest = most;
	return total;
}

static int make_state(
	struct optim *o, struct optim_state *s, const struct optim_array *a, int out, struct err *e)
{
	*s = (struct optim_state){a->name, {NULL, a->t}, length(a, o->params), NULL};
	size_t bytes = dtype_bytes(a->t, s->n);
	if (out) {
		if (spool_open(&s->pages, e) < 0)
			return -1;
		s->buf.p = spool_room(s->pages, bytes, e);
		return s->buf.p ? 0 : -1;
	}
	s->buf.p = o->k->alloc(o->c, bytes);
	if (!s->buf.p || o->k->zero(o->c, s->buf.p, bytes) < 0)
		return err_set(e, STATUS_SYSTEM, "no memory for the optimizer's states (%zu bytes)",
			bytes);
	return 0;
}

int optim_init(struct optim *o, const struct optim_opts *opts, struct params *ps, int out,
	const struct kernels *k, struct kctx *c, struct err *e)
{
	*o = (struct optim){
		.def = optim_find(opts->name), .opts = *opts, .k = k, .c = c, .params = ps};
	for (size_t i = 0; o->def->arrays[i].name; i++)
		if (make_state(o, &o->state[i], &o->def->arrays[i], out, e) < 0)
			return -1;
	return optim_read_mix(&o->mix, opts->args, e);
}

void optim_done(struct optim *o)
{
	for (int i = 0; i < OPTIM_STATES; i++)
		if (o->state[i].pages)
			spool_close(o->state[i].pages);
		else if (o->state[i].buf.p)
			o->k->free(o->c, o->state[i].buf.p);
	*o = (struct optim){0};
}

/* ---- a step ------------------------------------------------------------------------------------ */

int optim_norm(const struct optim *o, double *norm, struct err *e)
{
	double sum;
	if (o->k->sumsq(o->c, o->params->grad, o->params->total, &sum) < 0)
		return err_set(e, STATUS_SYSTEM, "the device failed while summing the gradients");
	*norm = sqrt(sum);
	return 0;
}

/* The states of p are at[] elements into their arrays: steps it and moves at[] on. */
static int step_one(
	struct optim *o, const struct koptim *w, const struct param *p, size_t at[OPTIM_STATES])
{
	const struct optim_array *a = o->def->arrays;
	struct kbuf s[OPTIM_STATES] = {0};
	for (size_t i = 0; a[i].name; i++)
		s[i] = kbuf_at(o->state[i].buf, at[i]);
	int rc = o->def->step(o, w, p, s);
	for (size_t i = 0; a[i].name; i++) {
		size_t n = place(&a[i], p);
		if (o->state[i].pages)
			spool_release(o->state[i].pages, dtype_bytes(a[i].t, at[i]),
				dtype_bytes(a[i].t, n));
		at[i] += n;
	}
	return rc;
}

/* The slow mean's weight rises by steps, its half-life too (arXiv 2409.03137, §3). */
static void mix_at(const struct optim *o, uint64_t t, struct koptim *w)
{
	const struct optim_mix *m = &o->mix;
	w->alpha = m->alpha;
	w->beta3 = m->beta3;
	if (m->t_alpha > 0)
		w->alpha = fmin((double)t * m->alpha / m->t_alpha, m->alpha);
	if (m->t_beta3 > 0) {
		double from = log(o->opts.beta1), to = log(m->beta3), at = (double)t / m->t_beta3;
		w->beta3 = fmin(exp(from * to / ((1 - at) * to + at * from)), m->beta3);
	}
}

int optim_step(struct optim *o, double lr, double gscale, uint64_t t, struct err *e)
{
	const struct params *ps = o->params;
	struct koptim w = {
		.lr = lr,
		.beta1 = o->opts.beta1,
		.beta2 = o->opts.beta2,
		.eps = o->opts.epsilon,
		.step = t,
		.gscale = (float)gscale,
	};
	mix_at(o, t, &w);
	size_t at[OPTIM_STATES] = {0};
	for (size_t i = 0; i < ps->n; i++) {
		w.weight_decay = ps->p[i].decay ? o->opts.weight_decay : 0;
		if (step_one(o, &w, &ps->p[i], at) < 0)
			return err_set(
				e, STATUS_SYSTEM, "the device failed in the optimizer's step");
	}
	return 0;
}
