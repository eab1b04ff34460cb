/* The optimizers: a row each, its states, its step; and the names that mean another. */
#include "tools/train-step/optim_int.h"

#include "common/str.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Smaller parameters keep f32 states (bitsandbytes' min_8bit_size). */
enum { LEAST_8BIT = 4096 };

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
static const struct optim_array ademamix_arrays[] = {{"exp_avg", DT_F32, param_len},
	{"exp_avg_slow", DT_F32, param_len}, {"exp_avg_sq", DT_F32, param_len}, {0}};
static const struct optim_array ademamix8_arrays[] = {{"exp_avg", DT_F32, len_small},
	{"exp_avg_slow", DT_F32, len_small}, {"exp_avg_sq", DT_F32, len_small},
	{"state1", DT_U8, len_codes}, {"absmax1", DT_F32, len_absmax},
	{"state1_slow", DT_U8, len_codes}, {"absmax1_slow", DT_F32, len_absmax},
	{"state2", DT_U8, len_codes}, {"absmax2", DT_F32, len_absmax}, {0}};
static const struct optim_array lion_arrays[] = {{"exp_avg", DT_F32, param_len}, {0}};
static const struct optim_array lion8_arrays[] = {{"exp_avg", DT_F32, len_small},
	{"state1", DT_U8, len_codes}, {"absmax1", DT_F32, len_absmax}, {0}};
static const struct optim_array rmsprop_arrays[] = {{"square_avg", DT_F32, param_len}, {0}};
static const struct optim_array rmsprop8_arrays[] = {{"square_avg", DT_F32, len_small},
	{"state1", DT_U8, len_codes}, {"absmax1", DT_F32, len_absmax}, {0}};
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

static int ademamix(
	const struct optim *o, const struct koptim *w, const struct param *p, const struct kbuf *s)
{
	return o->k->ademamix(
		o->c, w, param_len(p), value_of(o, p), grad_of(o, p), s[0], s[1], s[2]);
}

static int ademamix8(
	const struct optim *o, const struct koptim *w, const struct param *p, const struct kbuf *s)
{
	if (!in_8bit(p))
		return ademamix(o, w, p, s);
	return o->k->ademamix8(o->c, w, param_len(p), value_of(o, p), grad_of(o, p),
		(struct kstate8){s[3], s[4]}, (struct kstate8){s[5], s[6]},
		(struct kstate8){s[7], s[8]});
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

/* transformers leaves torch's and bitsandbytes' defaults, which are the same. */
static struct koptim rmsprop_settings(const struct koptim *w)
{
	struct koptim theirs = *w;
	theirs.beta2 = 0.99;
	theirs.eps = 1e-8;
	return theirs;
}

static int rmsprop(
	const struct optim *o, const struct koptim *w, const struct param *p, const struct kbuf *s)
{
	struct koptim r = rmsprop_settings(w);
	return o->k->rmsprop(o->c, &r, param_len(p), value_of(o, p), grad_of(o, p), s[0]);
}

static int rmsprop8(
	const struct optim *o, const struct koptim *w, const struct param *p, const struct kbuf *s)
{
	struct koptim r = rmsprop_settings(w);
	if (!in_8bit(p))
		return rmsprop(o, w, p, s);
	return o->k->rmsprop8(o->c, &r, param_len(p), value_of(o, p), grad_of(o, p),
		(struct kstate8){s[1], s[2]});
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

const char *const optim_options[] = {
	"adam-beta1", "adam-beta2", "adam-epsilon", "optim-args", NULL};
static const char *const adam[] = {"adam-beta1", "adam-beta2", "adam-epsilon", NULL};
static const char *const *const mix = optim_options;
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
	{"ademamix", 0, mix, ademamix_arrays, ademamix},
	{"ademamix_8bit", 0, mix, ademamix8_arrays, ademamix8},
	{"paged_ademamix_32bit", 1, mix, ademamix_arrays, ademamix},
	{"paged_ademamix_8bit", 1, mix, ademamix8_arrays, ademamix8},
	{"lion_32bit", 0, betas, lion_arrays, lion},
	{"lion_8bit", 0, betas, lion8_arrays, lion8},
	{"paged_lion_32bit", 1, betas, lion_arrays, lion},
	{"paged_lion_8bit", 1, betas, lion8_arrays, lion8},
	{"rmsprop", 0, none, rmsprop_arrays, rmsprop},
	{"rmsprop_bnb", 0, none, rmsprop_arrays, rmsprop},
	{"rmsprop_bnb_32bit", 0, none, rmsprop_arrays, rmsprop},
	{"rmsprop_bnb_8bit", 0, none, rmsprop8_arrays, rmsprop8},
	{"sgd", 0, none, none_arrays, sgd},
	{"adafactor", 0, none, adafactor_arrays, adafactor},
};
enum { OPTIMS = sizeof optims / sizeof *optims };

/* Names of transformers, old and new, for what is here under another, or what comes nearest. */
static const struct {
	const char *name, *here;
} elsewhere[] = {
	{"adamw_hf", "adamw_torch"},
	{"adamw_apex_fused", "adamw_torch"},
	{"adamw_torch_xla", "adamw_torch"},
	{"adamw_torch_npu_fused", "adamw_torch"},
	{"adamw_anyprecision", "adamw_torch"},
	{"adamw_torch_8bit", "adamw_8bit"},
	{"adamw_torch_4bit", "adamw_8bit"},
	{"adagrad", "rmsprop"},
	{"stable_adamw", "adamw_torch"},
	{"schedule_free_adamw", "adamw_torch"},
	{"schedule_free_radam", "adamw_torch"},
	{"schedule_free_sgd", "sgd"},
	{"grokadamw", "ademamix"},
	{"lomo", "paged_adamw_8bit"},
	{"adalomo", "adafactor"},
	{"apollo_adamw", "adafactor"},
	{"apollo_adamw_layerwise", "adafactor"},
	{"galore_adamw", "paged_adamw_8bit"},
	{"galore_adamw_8bit", "paged_adamw_8bit"},
	{"galore_adafactor", "adafactor"},
	{"galore_adamw_layerwise", "paged_adamw_8bit"},
	{"galore_adamw_8bit_layerwise", "paged_adamw_8bit"},
	{"galore_adafactor_layerwise", "adafactor"},
};

const struct optim_def *optim_find(const char *name)
{
	for (size_t i = 0; i < OPTIMS; i++)
		if (strcmp(optims[i].name, name) == 0)
			return &optims[i];
	return NULL;
}

static int unknown(const char *name, struct err *e)
{
	for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
		if (strcmp(elsewhere[i].name, name) == 0)
			return err_usage(e, "--optim '%s' is not implemented: use %s", name,
				elsewhere[i].here);
	struct str have = {0};
	for (size_t i = 0; i < OPTIMS; i++)
		str_addf(&have, "%s%s", i ? ", " : "", optims[i].name);
	err_usage(e, "there is no --optim '%s' here (there is: %s)", name, have.s);
	str_done(&have);
	return -1;
}

/* --optim-args as transformers splits it: KEY=VALUE,KEY=VALUE. */
int optim_read_mix(struct optim_mix *m, const char *args, struct err *e)
{
	const struct {
		const char *key;
		double *to, least, below;
	} keys[] = {{"alpha", &m->alpha, 0, INFINITY}, {"beta3", &m->beta3, 0, 1},
		{"t_alpha", &m->t_alpha, 0, INFINITY}, {"t_beta3", &m->t_beta3, 0, INFINITY}};
	*m = (struct optim_mix){.alpha = 5, .beta3 = 0.9999};
	for (const char *at = args; at && *at;) {
		size_t key = strcspn(at, "=,"), i = 0;
		char *end = NULL;
		while (i < 4 && (strlen(keys[i].key) != key || memcmp(keys[i].key, at, key) != 0))
			i++;
		if (i == 4)
			return err_usage(e,
				"--optim-args has alpha, beta3, t_alpha and t_beta3, not '%.*s'",
				(int)key, at);
		const char *number = at + key + (at[key] == '=');
		double v = strtod(number, &end);
		if (end == number || (*end && *end != ',') ||
			!(v >= keys[i].least && v < keys[i].below))
			return err_usage(e, "--optim-args: '%.*s' is not a %s",
				(int)strcspn(at, ","), at, keys[i].key);
		*keys[i].to = v;
		at = *end ? end + 1 : end;
	}
	return 0;
}

int optim_check(const struct optim_opts *o, struct err *e)
{
	struct optim_mix m;
	if (!optim_find(o->name))
		return unknown(o->name, e);
	if (!(o->beta1 >= 0 && o->beta1 < 1) || !(o->beta2 >= 0 && o->beta2 < 1))
		return err_usage(e, "--adam-beta1 and --adam-beta2 must be between 0 and 1");
	if (!(o->epsilon >= 0) || !(o->weight_decay >= 0))
		return err_usage(e, "--adam-epsilon and --weight-decay must not be negative");
	return optim_read_mix(&m, o->args, e);
}

int optim_uses(const struct optim_opts *o, const char *option)
{
	const char *const *have = optim_find(o->name)->options;
	while (*have && strcmp(*have, option) != 0)
		have++;
	return *have != NULL;
}

int optim_is_paged(const struct optim_opts *o)
{
	return optim_find(o->name)->paged;
}
