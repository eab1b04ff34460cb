#include "tools/train-step/optim.h"

#include "common/str.h"

#include <math.h>
#include <string.h>

struct optim_def {
	const char *name;
	const char *state[OPTIM_STATES];
	/* Steps elements [from, from + n) of the arena, which decay alike. */
	int (*step)(struct optim *o, const struct kadamw *w, size_t from, size_t n);
};

/* torch's AdamW: decoupled decay first, then the moments, then the step (Loshchilov and Hutter
 * 2019). */
static int adamw(struct optim *o, const struct kadamw *w, size_t from, size_t n)
{
	return o->k->adamw(o->c, w, n, kbuf_at(o->params->value, from),
		kbuf_at(o->params->grad, from), kbuf_at(o->state[0].buf, from),
		kbuf_at(o->state[1].buf, from));
}

static const struct optim_def optims[] = {
	{"adamw_torch", {"exp_avg", "exp_avg_sq"}, adamw},
	{"adamw_torch_fused", {"exp_avg", "exp_avg_sq"}, adamw},
};
enum { OPTIMS = sizeof optims / sizeof *optims };

static const struct optim_def *find(const char *name)
{
	for (size_t i = 0; i < OPTIMS; i++)
		if (strcmp(optims[i].name, name) == 0)
			return &optims[i];
	return NULL;
}

int optim_check(const struct optim_opts *o, struct err *e)
{
	if (!find(o->name)) {
		struct str have = {0};
		for (size_t i = 0; i < OPTIMS; i++)
			str_addf(&have, "%s%s", i ? ", " : "", optims[i].name);
		err_usage(e, "there is no --optim '%s' here (there is: %s)", o->name, have.s);
		str_done(&have);
		return -1;
	}
	if (!(o->beta1 >= 0 && o->beta1 < 1) || !(o->beta2 >= 0 && o->beta2 < 1))
		return err_usage(e, "--adam-beta1 and --adam-beta2 must be between 0 and 1");
	if (!(o->epsilon >= 0) || !(o->weight_decay >= 0))
		return err_usage(e, "--adam-epsilon and --weight-decay must not be negative");
	return 0;
}

size_t optim_bytes(const struct optim_opts *o, size_t n)
{
	const struct optim_def *def = find(o->name);
	size_t states = 0;
	while (states < OPTIM_STATES && def->state[states])
		states++;
	return states * dtype_bytes(DT_F32, n);
}

int optim_init(struct optim *o, const struct optim_opts *opts, struct params *ps,
	const struct kernels *k, struct kctx *c, struct err *e)
{
	*o = (struct optim){.def = find(opts->name), .opts = *opts, .k = k, .c = c, .params = ps};
	size_t bytes = dtype_bytes(DT_F32, ps->total);
	for (int i = 0; i < OPTIM_STATES && o->def->state[i]; i++) {
		struct optim_state *s = &o->state[i];
		*s = (struct optim_state){
			o->def->state[i], {k->alloc(c, bytes), DT_F32}, ps->total};
		if (!s->buf.p || k->zero(c, s->buf.p, bytes) < 0)
			return err_set(e, STATUS_SYSTEM,
				"no memory for the optimizer's states (%zu bytes)", bytes);
	}
	return 0;
}

void optim_done(struct optim *o)
{
	for (int i = 0; i < OPTIM_STATES; i++)
		if (o->state[i].buf.p)
			o->k->free(o->c, o->state[i].buf.p);
	*o = (struct optim){0};
}

int optim_norm(const struct optim *o, double *norm, struct err *e)
{
	double sum;
	if (o->k->sumsq(o->c, o->params->grad, o->params->total, &sum) < 0)
		return err_set(e, STATUS_SYSTEM, "the device failed while summing the gradients");
	*norm = sqrt(sum);
	return 0;
}

int optim_step(struct optim *o, double lr, double gscale, uint64_t t, struct err *e)
{
	const struct params *ps = o->params;
	struct kadamw w = {
		.lr = lr,
		.beta1 = o->opts.beta1,
		.beta2 = o->opts.beta2,
		.eps = o->opts.epsilon,
		.step = t,
		.gscale = (float)gscale,
	};
	for (size_t i = 0, next; i < ps->n; i = next) {
		next = i + 1;
		while (next < ps->n && ps->p[next].decay == ps->p[i].decay)
			next++;
		size_t from = ps->p[i].offset, to = next < ps->n ? ps->p[next].offset : ps->total;
		w.weight_decay = ps->p[i].decay ? o->opts.weight_decay : 0;
		if (o->def->step(o, &w, from, to - from) < 0)
			return err_set(
				e, STATUS_SYSTEM, "the device failed in the optimizer's step");
	}
	return 0;
}
