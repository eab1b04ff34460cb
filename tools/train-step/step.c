#include "tools/train-step/step.h"

#include "common/mem.h"

#include <math.h>
#include <string.h>

void stepper_done(struct stepper *s)
{
	forest_done(&s->forest);
	mem_free(s->label);
	mem_free(s->coef);
}

/* How a forward is run. */
struct pass {
	unsigned stats;
	int keep; /* what the backward needs */
	float dropout;
	uint64_t step;
};

static struct loss_batch whole(const struct stepper *s, const struct batch *b)
{
	return (struct loss_batch){s->label, b->loss, b->n, b->total};
}

static struct loss_batch part(const struct stepper *s, const struct batch *b, const struct cut *c)
{
	size_t row0 = b->trees[c->tree0].row0, row1 = b->trees[c->tree1 - 1].row1;
	return (struct loss_batch){s->label, b->loss + row0, row1 - row0, b->total};
}

/* Puts the row in front of the error whose log-prob is not finite. */
static int name_row(
	const struct stepper *s, const struct batch *b, const struct cut *c, struct err *e)
{
	size_t i = b->trees[c->tree0].label0;
	while (i + 1 < b->trees[c->tree1 - 1].label1 && isfinite(s->label[i].logp))
		i++;
	return err_prefix(e, "%s", batch_where(b, i));
}

static int forward(struct stepper *s, struct model *m, struct workspace *ws, const struct batch *b,
	const struct cut *c, const struct pass *p, struct err *e)
{
	batch_forest(b, c, &s->forest);
	int rc = model_forward(m, ws, &s->forest, p->stats, p->keep, p->dropout, s->seed, p->step,
		s->label + b->trees[c->tree0].label0, e);
	return rc == MODEL_NOT_FINITE ? name_row(s, b, c, e) : rc;
}

static int backward(struct stepper *s, const struct batch *b, const struct cut *c, struct err *e)
{
	return model_backward(s->m, s->ws, &s->forest, s->coef + b->trees[c->tree0].label0, e);
}

/* Every log-prob of the batch, and nothing kept. */
static int forward_all(struct stepper *s, struct model *m, struct workspace *ws,
	const struct batch *b, const struct pass *p, struct err *e)
{
	struct cut c = {0, 0};
	while (batch_cut(b, &c, s->max_tokens, s->max_rows))
		if (forward(s, m, ws, b, &c, p, e) < 0)
			return -1;
	return 0;
}

static int gradients(struct stepper *s, const struct batch *b, uint64_t step, struct err *e)
{
	int whole_step = (s->loss->needs & LOSS_WHOLE_STEP) != 0;
	struct loss_batch all = whole(s, b);
	struct pass p = {s->loss->stats, 0, s->dropout, step};
	if (whole_step) {
		if (forward_all(s, s->m, s->ws, b, &p, e) < 0)
			return -1;
		loss_eval(s->loss, &all, s->coef, NULL);
	}
	p.keep = 1;
	struct cut c = {0, 0};
	while (batch_cut(b, &c, s->max_tokens, s->max_rows)) {
		if (forward(s, s->m, s->ws, b, &c, &p, e) < 0)
			return -1;
		struct loss_batch rows = part(s, b, &c);
		if (!whole_step)
			loss_eval(s->loss, &rows, s->coef, NULL);
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
	} else if (forward_all(s, s->m, s->ws, b, &(struct pass){.stats = s->loss->stats}, e) < 0) {
		return -1;
	}
	struct loss_batch all = whole(s, b);
	*loss = loss_eval(s->loss, &all, NULL, m);
	return 0;
}

int step_logps(struct stepper *s, struct model *m, struct workspace *ws, const struct batch *b,
	struct err *e)
{
	grow(s, b);
	return forward_all(s, m, ws, b, &(struct pass){0}, e);
}
