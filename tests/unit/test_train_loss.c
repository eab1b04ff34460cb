/* Every loss of the table: derivatives by finite differences, independence of how the step is cut,
 * and no infinity or NaN at the ends of the range. */
#include "common/mem.h"
#include "tests/tap.h"
#include "tools/train-step/loss.h"

enum { ROWS = 5, MAX = 200 };

struct step {
	struct klabel_out label[MAX];
	struct loss_row rows[ROWS];
	struct loss_batch batch;
	size_t n; /* labels */
};

static uint64_t state = 1;

static double uniform(void)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (double)(state >> 11) / 9007199254740992.0;
}

static struct loss_span span(struct step *s, size_t n)
{
	struct loss_span r = {s->n, n};
	for (size_t i = 0; i < n; i++)
		s->label[s->n++] = (struct klabel_out){
			.logp = -0.02 - 4 * uniform(),
			.entropy = (float)uniform(),
			.sumsq = -(float)uniform(),
			.mean = (float)uniform() - 0.5f,
			.hit = uniform() < 0.5,
		};
	return r;
}

/* Rows 1 and 2 have one prompt, hence the same prompt labels. */
static void make(struct step *s, const struct loss *l)
{
	*s = (struct step){0};
	int pairs = (l->needs & LOSS_PAIRS) != 0;
	for (size_t r = 0; r < ROWS; r++) {
		struct loss_row *row = &s->rows[r];
		if (l->needs & LOSS_PROMPT_LABELS)
			row->prompt = r == 2 ? s->rows[1].prompt : span(s, 2 + r);
		row->side[0] = span(s, 1 + 3 * r % 7);
		row->side[1] = span(s, pairs ? 2 + 5 * r % 6 : 0);
		for (int i = 0; i < 2; i++)
			row->ref[i] = -2.0 * (double)row->side[i].n + 3 * (uniform() - 0.5);
		s->batch.total.rows++;
		s->batch.total.prompt += row->prompt.n;
		s->batch.total.side[0] += row->side[0].n;
		s->batch.total.side[1] += row->side[1].n;
	}
	s->batch.label = s->label;
	s->batch.rows = s->rows;
	s->batch.n = ROWS;
}

static void test_differences(const struct loss *l)
{
	struct step s;
	make(&s, l);
	double coef[MAX] = {0}, worst = 0;
	loss_eval(l, &s.batch, coef, NULL);
	for (size_t i = 0; i < s.n; i++) {
		double x = s.label[i].logp, h = 1e-5;
		s.label[i].logp = x + h;
		double up = loss_eval(l, &s.batch, NULL, NULL);
		s.label[i].logp = x - h;
		double down = loss_eval(l, &s.batch, NULL, NULL);
		s.label[i].logp = x;
		worst = fmax(worst, fabs((up - down) / (2 * h) - coef[i]));
	}
	ok(worst < 1e-8, "%s %s: derivatives equal finite differences (worst %.2g)", l->def->name,
		l->opts.type, worst);
}

static void test_cut(const struct loss *l)
{
	struct step s;
	make(&s, l);
	double whole[MAX] = {0}, parts[MAX] = {0}, sum = 0;
	double loss = loss_eval(l, &s.batch, whole, NULL);
	if (l->needs & LOSS_WHOLE_STEP)
		return;
	struct loss_batch part = s.batch;
	for (part.n = 1; part.rows < s.rows + ROWS; part.rows++)
		sum += loss_eval(l, &part, parts, NULL);
	ok(memcmp(whole, parts, sizeof whole) == 0,
		"%s %s: row by row gives the same derivatives, bit for bit", l->def->name,
		l->opts.type);
	is_near(sum, loss, 1e-12 * (1 + fabs(loss)), "and the same loss");
}

static void test_extremes(const struct loss *l)
{
	static const double ends[] = {0, -1e-30, -1, -1000, -1e6};
	enum { ENDS = sizeof ends / sizeof *ends };
	int finite = 1;
	for (size_t a = 0; a < ENDS; a++)
		for (size_t b = 0; b < ENDS; b++) {
			struct step s;
			make(&s, l);
			for (size_t r = 0; r < ROWS; r++)
				for (int side = 0; side < 2; side++)
					for (size_t i = 0; i < s.rows[r].side[side].n; i++)
						s.label[s.rows[r].side[side].at + i].logp =
							ends[side ? b : a];
			double coef[MAX] = {0};
			struct metrics m = {0};
			finite &= isfinite(loss_eval(l, &s.batch, coef, &m)) != 0;
			for (size_t i = 0; i < s.n; i++)
				finite &= isfinite(coef[i]) != 0;
			for (size_t i = 0; i < m.n; i++)
				finite &= isfinite(metric_mean(&m.v[i])) != 0;
			metrics_reset(&m);
		}
	ok(finite, "%s %s: loss, derivatives and metrics stay finite from 0 to -1e6", l->def->name,
		l->opts.type);
}

/* Values computed by hand from the papers' formulas. */
static void test_values(void)
{
	struct klabel_out label[] = {{.logp = -1}, {.logp = -2}, {.logp = -4}, {.logp = -0.5}};
	struct loss_row row = {.prompt = {3, 1}, .side = {{0, 2}, {2, 1}}, .ref = {-3.5, -3}};
	struct loss_batch b = {label, &row, 1, {.rows = 1, .prompt = 1, .side = {2, 1}}};
	struct loss_opts o = {.type = "sigmoid", .beta = 0.1, .label_smoothing = 0};
	/* ratios 0.5 and -1: x = 0.15 */
	is_near(loss_dpo.eval(&o, &b, NULL, NULL), log(1 + exp(-0.15)), 1e-15, "dpo of a pair");
	o.label_smoothing = 0.2;
	is_near(loss_dpo.eval(&o, &b, NULL, NULL),
		0.8 * log(1 + exp(-0.15)) + 0.2 * log(1 + exp(0.15)), 1e-15,
		"label smoothing makes it cDPO");
	is_near(loss_sft.eval(&o, &b, NULL, NULL), 1.5, 1e-15, "sft is the token mean");
	double odds = (-1.5 - log(1 - exp(-1.5))) - (-4 - log(1 - exp(-4)));
	is_near(loss_orpo.eval(&o, &b, NULL, NULL), 3.5 / 3 + 0.1 * log(1 + exp(-odds)), 1e-15,
		"orpo is NLL with the prompt, less beta times the log-sigmoid of the log odds "
		"ratio");
}

static void test_refusals(void)
{
	struct err e = {0};
	struct loss l = {.opts = {.beta = 0.1}};
	ok(loss_choose(&l, "ppo", &e) < 0 && e.status == STATUS_USAGE && strstr(e.msg, "dpo"),
		"an unknown loss is refused with the list of known ones");
	l.opts.type = "nonsense";
	ok(loss_choose(&l, "dpo", &e) < 0 && strstr(e.msg, "nonsense") && strstr(e.msg, "sigmoid"),
		"so is an unknown type");
	l.opts = (struct loss_opts){.beta = 0};
	ok(loss_choose(&l, "dpo", &e) < 0, "beta 0 is refused");
	l.opts = (struct loss_opts){.beta = 0.1, .label_smoothing = NAN};
	ok(loss_choose(&l, "dpo", &e) < 0, "label smoothing that is no number is refused");
}

int main(void)
{
	static const double smoothing[] = {0, 0.1};
	for (const struct loss_def *const *d = loss_table; *d; d++)
		for (size_t t = 0; (*d)->type(t); t++)
			for (int i = 0; i < 1 + loss_uses(*d, "label-smoothing"); i++) {
				struct loss l = {.opts = {(*d)->type(t)->name, 0.3, smoothing[i]}};
				struct err e = {0};
				ok(loss_choose(&l, (*d)->name, &e) == 0, "%s %s is a loss",
					(*d)->name, l.opts.type);
				test_differences(&l);
				test_cut(&l);
				test_extremes(&l);
			}
	test_values();
	test_refusals();
	return tap_done();
}
