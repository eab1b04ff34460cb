/*
 * For tests against transformers and PEFT: answers.safetensors as tests/oracle/model.py makes it, and
 * how far a model is from it.
 */
#ifndef TESTS_UNIT_ANSWERS_H
#define TESTS_UNIT_ANSWERS_H

#include "tests/unit/nano.h"

static struct st answers;
static char dir[100];

static const struct st_tensor *answer(const char *prefix, const char *name)
{
	char *full = mem_printf("%s%s", prefix, name);
	const struct st_tensor *t = st_find(&answers, full);
	free(full);
	return t;
}

static const char *precision = "f32";

static struct model *open_model(const char *kernels, int train, int full, const char *adapter)
{
	struct model *m;
	struct err e = {0};
	struct model_opts o = {.dir = dir,
		.kernels = kernels,
		.precision = precision,
		.threads = 1,
		.train = train,
		.full = full,
		.adapter = adapter};
	if (model_open(&m, &o, &e) < 0) {
		printf("Bail out! %s\n", e.msg);
		exit(1);
	}
	return m;
}

static uint32_t *read_ids(int i, size_t *n)
{
	char name[20];
	snprintf(name, sizeof name, "ids.%d", i);
	const struct st_tensor *t = answer("", name);
	*n = t->elements;
	return mem_dup(t->data, t->bytes);
}

/* Every logit of every position, by prefilling each prefix; relative to the largest. */
static double logits_off(struct model *m, const char *prefix)
{
	double worst = 0;
	size_t V = model_config(m)->vocab;
	float *got = mem_alloc(V, sizeof *got);
	for (int i = 0; i < 2; i++) {
		size_t n;
		uint32_t *ids = read_ids(i, &n);
		char name[20];
		snprintf(name, sizeof name, "logits.%d", i);
		const struct st_tensor *t = answer(prefix, name);
		float *want = mem_dup(t->data, t->bytes);
		double scale = 0;
		for (size_t j = 0; j < n * V; j++)
			scale = fmax(scale, fabs((double)want[j]));
		struct err e = {0};
		struct kvcache *kv = kvcache_new(m, n, 1, &e);
		for (size_t len = 1; len <= n; len++) {
			if (model_prefill(m, kv, ids, len, got, &e) < 0)
				worst = INFINITY;
			for (size_t j = 0; j < V; j++)
				worst = fmax(worst,
					fabs((double)got[j] - (double)want[(len - 1) * V + j]) /
						scale);
		}
		kvcache_free(kv);
		free(ids);
		free(want);
	}
	free(got);
	return worst;
}

/* pass: dropout, or NULL. */
static void run_backward(struct model *m, const struct nano_pass *pass)
{
	struct forest f = {0};
	struct err e = {0};
	for (int i = 0; i < 2; i++) {
		size_t n;
		uint32_t *ids = read_ids(i, &n);
		int seg = forest_segment(&f, -1, ids, n, (uint32_t)i);
		forest_label(&f, seg, 0, n, NULL);
		free(ids);
	}
	model_grads_begin(m, &e);
	nano_value(m, &f, 1, pass);
	model_grads_end(m, &e);
	forest_done(&f);
}

/* Worst gradient, relative to its tensor's largest; every tensor of the arena must have an answer.
 */
static double grads_off(struct model *m, const char *prefix, const struct nano_pass *pass)
{
	struct params *ps = model_params(m);
	double worst = 0;
	run_backward(m, pass);
	for (size_t i = 0; i < ps->n; i++) {
		const struct st_tensor *t = answer(prefix, ps->p[i].name);
		size_t n = param_len(&ps->p[i]);
		if (!t || t->elements != n)
			return INFINITY;
		const float *got = param_grad(ps, i).p;
		float *want = mem_dup(t->data, t->bytes);
		double scale = 0, off = 0;
		for (size_t j = 0; j < n; j++) {
			scale = fmax(scale, fabs((double)want[j]));
			off = fmax(off, fabs((double)got[j] - (double)want[j]));
		}
		/* A key's bias moves all scores of a query alike: its true gradient is 0. */
		worst = fmax(worst, off / fmax(scale, 1e-2));
		free(want);
	}
	return worst;
}

#endif
