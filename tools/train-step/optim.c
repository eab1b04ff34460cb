#include "tools/train-step/optim.h"

#include "common/str.h"

#include <math.h>
#include <string.h>

/* ---- the table --------------------------------------------------------------------------------- */

/* Smaller parameters keep f32 states (bitsandbytes' min_8bit_size). */
enum { LEAST_8BIT = 4096 };

/* One array of states: how many elements a parameter has in it. */
struct optim_array {
	const char *name;
	enum dtype t;
	size_t (*len)(const struct param *p);
};

struct optim_def {
	const char *name;
	int paged;
	const char *const *options;	  /* those of optim_options that it uses, then NULL */
	const struct optim_array *arrays; /* up to OPTIM_STATES, then one without a name */
	/* Steps one parameter, whose states are s[]. */
	int (*step)(const struct optim *o, const struct koptim *w, const struct param *p,
		const struct kbuf *s);
};

static int in_8bit(const struct param *p)
{
	return param_len(p) >= LEAST_8BIT;
}
static size_t len_codes(const struct param *p)
{
	return in_8bit(p) ? param_len(p) : 0;
}
static size_t len_absmax(const struct param *p)
{
	return (len_codes(p) + KSTATE8_BLOCK - 1) / KSTATE8_BLOCK;
}
static size_t len_small(const struct param *p)
{
	return in_8bit(p) ? 0 : param_len(p);
}
static size_t len_rows(const struct param *p)
{
	return p->rows;
}
static size_t len_cols(const struct param *p)
{
	return p->cols;
}

static const struct optim_array none_arrays[] = {{0}};
static const struct optim_array adamw_arrays[] = {
	{"exp_avg", DT_F32, param_len}, {"exp_avg_sq", DT_F32, param_len}, {0}};
static const struct optim_array adamw8_arrays[] = {{"exp_avg", DT_F32, len_small},
	{"exp_avg_sq", DT_F32, len_small}, {"state1", DT_U8, len_codes},
	{"absmax1", DT_F32, len_absmax}, {"state2", DT_U8, len_codes},
	{"absmax2", DT_F32, len_absmax}, {0}};
static const struct optim_array lion_arrays[] = {{"exp_avg", DT_F32, param_len}, {0}};
static const struct optim_array lion8_arrays[] = {{"exp_avg", DT_F32, len_small},
	{"state1", DT_U8, len_codes}, {"absmax1", DT_F32, len_absmax}, {0}};
static const struct optim_array rmsprop_arrays[] = {{"square_avg", DT_F32, param_len}, {0}};
static const struct optim_array adafactor_arrays[] = {
	{"exp_avg_sq_row", DT_F32, len_rows}, {"exp_avg_sq_col", DT_F32, len_cols}, {0}};

static struct kbuf value_of(const struct optim *o, const struct param *p)
{
	return kbuf_at(o->params->value, p->offset);
}

static struct kbuf grad_of(const struct optim *o, const struct param *p)
{
	return kbuf_at(o->params->grad, p->offset);
}

static int adamw(
	const struct optim *o, const struct koptim *w, const struct param *p, const struct kbuf *s)
{
	return o->k->adamw(o->c, w, param_len(p), value_of(o, p), grad_of(o, p), s[0], s[1]);
}

static int adamw8(
	const struct optim *o, const struct koptim *w, const struct param *p, const struct kbuf *s)
{
	if (!in_8bit(p))
		return adamw(o, w, p, s);
	return o->k->adamw8(o->c, w, param_len(p), value_of(o, p), grad_of(o, p),
		(struct kstate8){s[2], s[3]}, (struct kstate8){s[4], s[5]});
}

static int lion(
	const struct optim *o, const struct koptim *w, const struct param *p, const struct kbuf *s)
{
	return o->k->lion(o->c, w, param_len(p), value_of(o, p), grad_of(o, p), s[0]);
}

static int lion8(
	const struct optim *o, const struct koptim *w, const struct param *p, const struct kbuf *s)
{
	if (!in_8bit(p))
		return lion(o, w, p, s);
	return o->k->lion8(
		o->c, w, param_len(p), value_of(o, p), grad_of(o, p), (struct kstate8){s[1], s[2]});
}

static int rmsprop(
	const struct optim *o, const struct koptim *w, const struct param *p, const struct kbuf *s)
{
	struct koptim torch = *w; /* transformers leaves torch's defaults */
	torch.beta2 = 0.99;
	torch.eps = 1e-8;
	return o->k->rmsprop(o->c, &torch, param_len(p), value_of(o, p), grad_of(o, p), s[0]);
}

static int sgd(
	const struct optim *o, const struct koptim *w, const struct param *p, const struct kbuf *s)
{
	(void)s;
	return o->k->sgd(o->c, w, param_len(p), value_of(o, p), grad_of(o, p));
}

static int adafactor(
	const struct optim *o, const struct koptim *w, const struct param *p, const struct kbuf *s)
{
	return o->k->adafactor(
		o->c, w, p->rows, p->cols, value_of(o, p), grad_of(o, p), s[0], s[1]);
}

const char *const optim_options[] = {"adam-beta1", "adam-beta2", "adam-epsilon", NULL};
static const char *const adam[] = {"adam-beta1", "adam-beta2", "adam-epsilon", NULL};
static const char *const betas[] = {"adam-beta1", "adam-beta2", NULL};
static const char *const none[] = {NULL};

static const struct optim_def optims[] = {
	{"adamw_torch", 0, adam, adamw_arrays, adamw},
	{"adamw_torch_fused", 0, adam, adamw_arrays, adamw},
	{"adamw_8bit", 0, adam, adamw8_arrays, adamw8},
	{"adamw_bnb_8bit", 0, adam, adamw8_arrays, adamw8},
	{"paged_adamw", 1, adam, adamw_arrays, adamw},
	{"paged_adamw_32bit", 1, adam, adamw_arrays, adamw},
	{"paged_adamw_8bit", 1, adam, adamw8_arrays, adamw8},
	{"lion_32bit", 0, betas, lion_arrays, lion},
	{"lion_8bit", 0, betas, lion8_arrays, lion8},
	{"paged_lion_32bit", 1, betas, lion_arrays, lion},
	{"paged_lion_8bit", 1, betas, lion8_arrays, lion8},
	{"rmsprop", 0, none, rmsprop_arrays, rmsprop},
	{"sgd", 0, none, none_arrays, sgd},
	{"adafactor", 0, none, adafactor_arrays, adafactor},
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

int optim_uses(const struct optim_opts *o, const char *option)
{
	const char *const *have = find(o->name)->options;
	while (*have && strcmp(*have, option) != 0)
		have++;
	return *have != NULL;
}

int optim_is_paged(const struct optim_opts *o)
{
	return find(o->name)->paged;
}

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
		for (const struct optim_array *a = find(o->name)->arrays; a->name; a++)
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
	*o = (struct optim){.def = find(opts->name), .opts = *opts, .k = k, .c = c, .params = ps};
	for (size_t i = 0; o->def->arrays[i].name; i++)
		if (make_state(o, &o->state[i], &o->def->arrays[i], out, e) < 0)
			return -1;
	return 0;
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
	size_t at[OPTIM_STATES] = {0};
	for (size_t i = 0; i < ps->n; i++) {
		w.weight_decay = ps->p[i].decay ? o->opts.weight_decay : 0;
		if (step_one(o, &w, &ps->p[i], at) < 0)
			return err_set(
				e, STATUS_SYSTEM, "the device failed in the optimizer's step");
	}
	return 0;
}
