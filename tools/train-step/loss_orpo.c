/*
 * Odds-ratio preference optimisation (Hong et al. 2024, eq. 6-7). With a_c and a_r the mean
 * log-prob of a completion token: loss = NLL - beta * mean(log sigmoid(log odds ratio)), NLL the
 * token mean over the step of the chosen rows, prompt included (TRL 1.16, orpo_trainer.py; the
 * authors' code too).
 */
#include "tools/train-step/loss.h"

#include <math.h>

/* A mean log-prob of 0 (a completion that is certain) has infinite odds; this is the nearest to it
 * that is taken, so that no value and no derivative is ever infinite. */
static const double certain = -1e-12;

/* log(a's odds) = a - log(1 - e^a), and its derivative 1 / (1 - e^a). The logarithm by the branch
 * that keeps its digits (Maechler 2012, log1mexp). */
static double log_odds(double a, double *d)
{
	a = fmin(a, certain);
	*d = -1 / expm1(a);
	return a - (a < -M_LN2 ? log1p(-exp(a)) : log(-expm1(a)));
}

static double eval(
	const struct loss_opts *o, const struct loss_batch *b, double *coef, struct metrics *m)
{
	double pairs = (double)b->total.rows, tokens = (double)(b->total.prompt + b->total.side[0]);
	double nll = 0, ratios = 0, odds = 0;
	struct loss_rewards rewards = {0};
	for (size_t i = 0; i < b->n; i++) {
		const struct loss_row *row = &b->rows[i];
		double sum = loss_sum(b, row->side[0]), nc = (double)row->side[0].n,
		       nr = (double)row->side[1].n;
		double a[2] = {sum / nc, loss_sum(b, row->side[1]) / nr};
		double dc, dr, x = log_odds(a[0], &dc);
		x -= log_odds(a[1], &dr);
		nll -= loss_sum(b, row->prompt) + sum;
		ratios += loss_log_sigmoid(x);
		odds += x;
		if (coef) {
			double dx = -o->beta * loss_sigmoid(-x) / pairs;
			loss_spread(coef, row->prompt, -1 / tokens);
			loss_spread(coef, row->side[0], -1 / tokens + dx * dc / nc);
			loss_spread(coef, row->side[1], -dx * dr / nr);
		}
		double reward[2] = {o->beta * a[0], o->beta * a[1]};
		loss_rewards_add(&rewards, reward, a);
	}
	if (m) {
		loss_rewards_report(&rewards, b->n, m);
		metrics_add(m, "nll_loss", nll / tokens);
		metrics_add(m, "log_odds_ratio", ratios / pairs);
		metrics_add(m, "log_odds_chosen", odds / pairs);
	}
	return nll / tokens - o->beta * ratios / pairs;
}

static const struct loss_type *type(size_t i)
{
	static const struct loss_type only = {"odds_ratio", 0, 0};
	return i == 0 ? &only : NULL;
}

static const char *const options[] = {"beta", NULL};

const struct loss_def loss_orpo = {
	.name = "orpo",
	.type = type,
	.options = options,
	.needs = LOSS_PAIRS | LOSS_PROMPT_LABELS,
	.learning_rate = 1e-6,
	.eval = eval,
};
