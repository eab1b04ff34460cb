#include "tools/train-step/loss.h"

#include "common/str.h"

#include <math.h>
#include <string.h>

const struct loss_def *const loss_table[] = {&loss_sft, &loss_dpo, &loss_orpo, NULL};
const char *const loss_options[] = {"beta", "label-smoothing", NULL};

int loss_uses(const struct loss_def *l, const char *option)
{
	for (const char *const *o = l->options; *o; o++)
		if (strcmp(*o, option) == 0)
			return 1;
	return 0;
}

static int find(struct loss *l, const char *name, struct err *e)
{
	struct str have = {0};
	l->def = NULL;
	for (const struct loss_def *const *d = loss_table; *d; d++) {
		if (strcmp((*d)->name, name) == 0)
			l->def = *d;
		str_addf(&have, "%s%s", have.len ? ", " : "", (*d)->name);
	}
	if (!l->def)
		err_usage(e, "there is no loss '%s' here (there is: %s)", name, have.s);
	str_done(&have);
	return l->def ? 0 : -1;
}

static int find_type(struct loss *l, struct err *e)
{
	const struct loss_type *t, *found = NULL;
	struct str have = {0};
	if (!l->opts.type)
		l->opts.type = l->def->type(0)->name;
	for (size_t i = 0; (t = l->def->type(i)); i++) {
		if (strcmp(t->name, l->opts.type) == 0)
			found = t;
		str_addf(&have, "%s%s", i ? ", " : "", t->name);
	}
	if (!found)
		err_usage(e, "there is no --loss-type '%s' for --loss %s here (there is: %s)",
			l->opts.type, l->def->name, have.s);
	else {
		l->needs = l->def->needs | found->needs;
		l->stats = l->def->stats | found->stats;
	}
	str_done(&have);
	return found ? 0 : -1;
}

int loss_choose(struct loss *l, const char *name, struct err *e)
{
	const struct loss_opts *o = &l->opts;
	if (find(l, name, e) < 0 || find_type(l, e) < 0)
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
