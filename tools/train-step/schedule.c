#include "tools/train-step/schedule.h"

#include "common/json.h"

#include <math.h>
#include <string.h>

struct schedule_def {
	const char *name;
	double (*factor)(const struct schedule *s, double k);
	struct {
		const char *name;
		double value; /* NAN: not set unless given */
	} param[SCHEDULE_PARAMS];
};

static double at_least_1(uint64_t n)
{
	return n ? (double)n : 1;
}

/* How far along the way from the warmup's end to the last step, 0 to 1 and beyond. */
static double progress(const struct schedule *s, double k)
{
	double way = (double)s->total - (double)s->warmup;
	return (k - (double)s->warmup) / fmax(1, way);
}

static double constant(const struct schedule *s, double k)
{
	(void)s, (void)k;
	return 1;
}

static double linear(const struct schedule *s, double k)
{
	double way = (double)s->total - (double)s->warmup;
	return fmax(0, ((double)s->total - k) / fmax(1, way));
}

static double cosine(const struct schedule *s, double k)
{
	return fmax(0, 0.5 * (1 + cos(M_PI * 2 * s->param[0] * progress(s, k))));
}

static double cosine_with_restarts(const struct schedule *s, double k)
{
	double p = progress(s, k);
	return p >= 1 ? 0 : fmax(0, 0.5 * (1 + cos(M_PI * fmod(s->param[0] * p, 1))));
}

static double cosine_with_min_lr(const struct schedule *s, double k)
{
	double least = s->param[0] / s->lr;
	return fmax(
		0, 0.5 * (1 + cos(M_PI * 2 * s->param[1] * progress(s, k))) * (1 - least) + least);
}

static double polynomial(const struct schedule *s, double k)
{
	double end = s->param[0];
	if (k > (double)s->total)
		return end / s->lr;
	double left = 1 - (k - (double)s->warmup) / ((double)s->total - (double)s->warmup);
	return ((s->lr - end) * pow(left, s->param[1]) + end) / s->lr;
}

static double inverse_sqrt(const struct schedule *s, double k)
{
	double scale = !isnan(s->param[0]) ? s->param[0] : s->warmup ? (double)s->warmup : 10000;
	return 1 / sqrt((k + scale - (double)s->warmup) / scale);
}

static const struct schedule_def schedules[] = {
	{"linear", linear, {{NULL, 0}}},
	{"cosine", cosine, {{"num_cycles", 0.5}}},
	{"cosine_with_restarts", cosine_with_restarts, {{"num_cycles", 1}}},
	{"cosine_with_min_lr", cosine_with_min_lr, {{"min_lr", NAN}, {"num_cycles", 0.5}}},
	{"polynomial", polynomial, {{"lr_end", 1e-7}, {"power", 1}}},
	{"constant", constant, {{NULL, 0}}},
	{"constant_with_warmup", constant, {{NULL, 0}}},
	{"inverse_sqrt", inverse_sqrt, {{"timescale", NAN}}},
};
enum { SCHEDULES = sizeof schedules / sizeof *schedules };

static int set_param(struct schedule *s, const char *key, const json_t *v, struct err *e)
{
	for (int i = 0; i < SCHEDULE_PARAMS; i++) {
		if (!s->def->param[i].name || strcmp(s->def->param[i].name, key) != 0)
			continue;
		s->param[i] = json_number_value(v);
		if (!json_is_number(v) || !isfinite(s->param[i]))
			return err_usage(e, "--lr-scheduler-kwargs: '%s' must be a number", key);
		return 0;
	}
	return err_usage(e, "--lr-scheduler-kwargs: %s has no '%s'", s->def->name, key);
}

static int set_params(struct schedule *s, const char *kwargs, struct err *e)
{
	json_t *o = json_read_bytes(kwargs, strlen(kwargs), e), *v;
	const char *key;
	int rc = 0;
	if (!json_is_object(o))
		rc = err_usage(
			e, "--lr-scheduler-kwargs must be a JSON object, as '{\"num_cycles\": 2}'");
	else
		json_object_foreach(o, key, v) if (rc == 0) rc = set_param(s, key, v, e);
	json_decref(o);
	return rc;
}

static int check(const struct schedule *s, struct err *e)
{
	if (s->def->factor == polynomial && !(s->lr > s->param[0]))
		return err_usage(e,
			"--lr-scheduler-type polynomial: lr_end %g must be below --learning-rate "
			"%g",
			s->param[0], s->lr);
	if (s->def->factor == cosine_with_min_lr && isnan(s->param[0]))
		return err_usage(e,
			"--lr-scheduler-type cosine_with_min_lr needs --lr-scheduler-kwargs "
			"'{\"min_lr\": …}'");
	if (s->def->factor == inverse_sqrt && s->param[0] <= 0)
		return err_usage(e, "--lr-scheduler-kwargs: timescale must be above 0");
	return 0;
}

int schedule_init(
	struct schedule *s, const char *name, const char *kwargs, double lr, struct err *e)
{
	*s = (struct schedule){.lr = lr};
	struct str have = {0};
	for (size_t i = 0; i < SCHEDULES; i++) {
		if (strcmp(schedules[i].name, name) == 0)
			s->def = &schedules[i];
		str_addf(&have, "%s%s", i ? ", " : "", schedules[i].name);
	}
	if (!s->def)
		err_usage(e, "there is no --lr-scheduler-type '%s' here (there is: %s)", name,
			have.s);
	str_done(&have);
	if (!s->def)
		return -1;
	for (int i = 0; i < SCHEDULE_PARAMS; i++)
		s->param[i] = s->def->param[i].value;
	if (kwargs && set_params(s, kwargs, e) < 0)
		return -1;
	return check(s, e);
}

double schedule_rate(const struct schedule *s, uint64_t k)
{
	if (k < s->warmup && strcmp(s->def->name, "constant") != 0)
		return s->lr * ((double)k / at_least_1(s->warmup));
	return s->lr * s->def->factor(s, (double)k);
}
