#include "tools/train-step/step.h"

#include "common/mem.h"

#include <string.h>

void stepper_done(struct stepper *s)
{
	forest_done(&s->forest);
	mem_free(s->label);
	mem_free(s->coef);
}

static struct loss_batch whole(const struct stepper *s, const struct batch *b)
{
	return (struct loss_batch){s->label, b->loss, b->n, b->total};
}

static struct loss_batch part(const struct stepper *s, const struct batch *b, const struct cut *c)
{
	size_t row0 = b->trees[c->tree0].row0, row1 = b->trees[c->tree1 - 1].row1;
	return (struct loss_batch){s->label, b->loss + row0, row1 - row0, b->total};
}

static int forward(struct stepper *s, const struct batch *b, const struct cut *c, unsigned stats,
	int keep, float dropout, uint64_t step, struct err *e)
{
	batch_forest(b, c, &s->forest);
	return model_forward(s->m, s->ws, &s->forest, stats, keep, dropout, s->seed, step,
		s->label + b->trees[c->tree0].label0, e);
}

static int backward(struct stepper *s, const struct batch *b, const struct cut *c, struct err *e)
{
	return model_backward(s->m, s->ws, &s->forest, s->coef + b->trees[c->tree0].label0, e);
}

/* Every log-prob of the step: what a loss that looks at the whole step must have first. */
static int forward_all(struct stepper *s, const struct batch *b, unsigned stats, float dropout,
	uint64_t step, struct err *e)
{
	struct cut c = {0, 0};
	while (batch_cut(b, &c, s->max_tokens, s->max_rows))
		if (forward(s, b, &c, stats, 0, dropout, step, e) < 0)
			return -1;
	return 0;
}

static int gradients(struct stepper *s, const struct batch *b, uint64_t step, struct err *e)
{
	int first_pass = (s->loss->needs & LOSS_WHOLE_STEP) != 0;
	struct loss_batch all = whole(s, b);
	if (first_pass) {
		if (forward_all(s, b, s->loss->stats, s->dropout, step, e) < 0)
			return -1;
		s->loss->eval(s->opts, &all, s->coef, NULL);
	}
	struct cut c = {0, 0};
	while (batch_cut(b, &c, s->max_tokens, s->max_rows)) {
		if (forward(s, b, &c, s->loss->stats, 1, s->dropout, step, e) < 0)
			return -1;
		struct loss_batch rows = part(s, b, &c);
		if (!first_pass)
			s->loss->eval(s->opts, &rows, s->coef, NULL);
		if (backward(s, b, &c, e) < 0)
			return -1;
	}
	return 0;
}

static void grow(struct stepper *s, const struct batch *b)
{
	mem_grow(&s->label, &s->cap_label, b->nlabels, sizeof *s->label);
	mem_grow(&s->coef, &s->cap_coef, b->nlabels, sizeof *s->coef);
	memset(s->coef, 0, b->nlabels * sizeof *s->coef);
	memset(s->label, 0, b->nlabels * sizeof *s->label);
}

int step_run(struct stepper *s, const struct batch *b, int train, uint64_t step, double *loss,
	struct metrics *m, struct err *e)
{
	grow(s, b);
	if (train) {
		if (model_grads_begin(s->m, e) < 0 || gradients(s, b, step, e) < 0 ||
			model_grads_end(s->m, e) < 0)
			return -1;
	} else if (forward_all(s, b, s->loss->stats, 0, step, e) < 0) {
		return -1;
	}
	struct loss_batch all = whole(s, b);
	*loss = s->loss->eval(s->opts, &all, NULL, m);
	return 0;
}

int step_logps(struct stepper *s, struct model *m, struct workspace *ws, const struct batch *b,
	struct err *e)
{
	struct cut c = {0, 0};
	grow(s, b);
	while (batch_cut(b, &c, s->max_tokens, s->max_rows)) {
		batch_forest(b, &c, &s->forest);
		if (model_forward(m, ws, &s->forest, 0, 0, 0, 0, 0,
			    s->label + b->trees[c.tree0].label0, e) < 0)
			return -1;
	}
	return 0;
}
