/*
 * Direct preference optimisation (Rafailov et al. 2023, eq. 7): with c and r the log-ratios of
 * policy to reference of the chosen and the rejected completion, a pair costs f(beta, c, r); the
 * step's loss is the mean over its pairs (TRL 1.16, dpo_trainer.py). A variant is a row of
 * `variants`.
 */
#include "tools/train-step/loss.h"

#include <string.h>

/* A pair's cost and its derivatives with respect to both log-ratios. */
struct cost {
	double value, dc, dr;
};

/* -(1-e) log sigmoid(x) - e log sigmoid(-x), x = beta (c - r). With label smoothing e this is cDPO
 * (Mitchell 2023), as TRL had it up to 0.28; TRL 1.16 ignores label_smoothing here. */
static struct cost sigmoid(const struct loss_opts *o, double c, double r)
{
	double e = o->label_smoothing, x = o->beta * (c - r);
	double dx = e * loss_sigmoid(x) - (1 - e) * loss_sigmoid(-x);
	return (struct cost){
		.value = -(1 - e) * loss_log_sigmoid(x) - e * loss_log_sigmoid(-x),
		.dc = o->beta * dx,
		.dr = -o->beta * dx,
	};
}

static const struct variant {
	struct loss_type type;
	struct cost (*cost)(const struct loss_opts *o, double c, double r);
} variants[] = {
	{{"sigmoid", 0, 0}, sigmoid},
};

static const struct loss_type *type(size_t i)
{
	return i < sizeof variants / sizeof *variants ? &variants[i].type : NULL;
}

static const char *const options[] = {"beta", "label-smoothing", NULL};

static const struct variant *find(const char *type)
{
	const struct variant *v = variants;
	while (strcmp(v->type.name, type) != 0)
		v++; /* loss_choose has found it */
	return v;
}

/* Token statistics as TRL has them: entropy over both sides, accuracy over the chosen one. */
static void report_tokens(const struct loss_batch *b, struct metrics *m)
{
	double entropy = 0, hits = 0, logits[2] = {0}, n[2] = {0};
	for (size_t r = 0; r < b->n; r++)
		for (int side = 0; side < 2; side++) {
			struct loss_span s = b->rows[r].side[side];
			n[side] += (double)s.n;
			for (size_t i = s.at; i < s.at + s.n; i++) {
				entropy += b->label[i].entropy;
				logits[side] += b->label[i].mean;
				if (side == 0)
					hits += b->label[i].hit;
			}
		}
	metrics_add(m, "logits/chosen", logits[0] / n[0]);
	metrics_add(m, "logits/rejected", logits[1] / n[1]);
	metrics_add(m, "entropy", entropy / (n[0] + n[1]));
	metrics_add(m, "mean_token_accuracy", hits / n[0]);
}

static double eval(
	const struct loss_opts *o, const struct loss_batch *b, double *coef, struct metrics *m)
{
	const struct variant *v = find(o->type);
	double pairs = (double)b->total.rows, loss = 0;
	struct loss_rewards rewards = {0};
	for (size_t i = 0; i < b->n; i++) {
		const struct loss_row *row = &b->rows[i];
		double logp[2] = {loss_sum(b, row->side[0]), loss_sum(b, row->side[1])};
		double ratio[2] = {logp[0] - row->ref[0], logp[1] - row->ref[1]};
		struct cost cost = v->cost(o, ratio[0], ratio[1]);
		loss += cost.value;
		if (coef) {
			loss_spread(coef, row->side[0], cost.dc / pairs);
			loss_spread(coef, row->side[1], cost.dr / pairs);
		}
		double reward[2] = {o->beta * ratio[0], o->beta * ratio[1]};
		loss_rewards_add(&rewards, reward, logp);
	}
	if (m) {
		loss_rewards_report(&rewards, b->n, m);
		report_tokens(b, m);
	}
	return loss / pairs;
}

const struct loss_def loss_dpo = {
	.name = "dpo",
	.type = type,
	.options = options,
	.needs = LOSS_PAIRS | LOSS_REFERENCE,
	.stats = KSTAT_ENTROPY | KSTAT_MEAN | KSTAT_HIT,
	.learning_rate = 1e-6,
	.eval = eval,
};
