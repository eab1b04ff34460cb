#include "tools/train-step/loss.h"

#include "common/str.h"

#include <math.h>
#include <string.h>

const struct loss_def *const loss_table[] = {&loss_sft, &loss_dpo, &loss_orpo, NULL};
const char *const loss_options[] = {"beta", "label-smoothing", NULL};

const struct loss_def *loss_find(const char *name, struct err *e)
{
	struct str have = {0};
	for (const struct loss_def *const *l = loss_table; *l; l++) {
		if (strcmp((*l)->name, name) == 0) {
			str_done(&have);
			return *l;
		}
		str_addf(&have, "%s%s", have.len ? ", " : "", (*l)->name);
	}
	err_usage(e, "there is no loss '%s' here (there is: %s)", name, have.s);
	str_done(&have);
	return NULL;
}

int loss_uses(const struct loss_def *l, const char *option)
{
	for (const char *const *o = l->options; *o; o++)
		if (strcmp(*o, option) == 0)
			return 1;
	return 0;
}

static int check_type(const struct loss_def *l, struct loss_opts *o, struct err *e)
{
	if (!o->type)
		o->type = l->types[0];
	struct str have = {0};
	int found = 0;
	for (const char *const *t = l->types; *t; t++) {
		found |= strcmp(*t, o->type) == 0;
		str_addf(&have, "%s%s", have.len ? ", " : "", *t);
	}
	if (!found)
		err_usage(e, "there is no --loss-type '%s' for --loss %s here (there is: %s)",
			o->type, l->name, have.s);
	str_done(&have);
	return found ? 0 : -1;
}

int loss_check(const struct loss_def *l, struct loss_opts *o, struct err *e)
{
	if (check_type(l, o, e) < 0)
		return -1;
	if (!(o->beta > 0) || !isfinite(o->beta))
		return err_usage(e, "--beta must be above 0");
	if (!(o->label_smoothing >= 0 && o->label_smoothing <= 0.5))
		return err_usage(e, "--label-smoothing must be between 0 and 0.5");
	return 0;
}

double loss_log_sigmoid(double x)
{
	return x < 0 ? x - log1p(exp(x)) : -log1p(exp(-x));
}

double loss_sigmoid(double x)
{
	return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}

double loss_sum(const struct loss_batch *b, struct loss_span s)
{
	double sum = 0;
	for (size_t i = 0; i < s.n; i++)
		sum += b->label[s.at + i].logp;
	return sum;
}

void loss_spread(double *coef, struct loss_span s, double d)
{
	for (size_t i = 0; i < s.n; i++)
		coef[s.at + i] += d;
}

void loss_rewards_add(struct loss_rewards *w, const double reward[2], const double logp[2])
{
	w->chosen += reward[0];
	w->rejected += reward[1];
	w->accuracies += reward[0] > reward[1];
	w->logps[0] += logp[0];
	w->logps[1] += logp[1];
}

void loss_rewards_report(const struct loss_rewards *w, size_t rows, struct metrics *m)
{
	double n = (double)rows;
	metrics_add(m, "rewards/chosen", w->chosen / n);
	metrics_add(m, "rewards/rejected", w->rejected / n);
	metrics_add(m, "rewards/accuracies", w->accuracies / n);
	metrics_add(m, "rewards/margins", (w->chosen - w->rejected) / n);
	metrics_add(m, "logps/chosen", w->logps[0] / n);
	metrics_add(m, "logps/rejected", w->logps[1] / n);
}
