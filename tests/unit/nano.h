/*
 * For tests of the model: a scratch directory with a config.json of a few thousand parameters,
 * weights from a seed, random forests, and the value sum(coef * logp) whose gradient the backward
 * gives.
 */
#ifndef TESTS_UNIT_NANO_H
#define TESTS_UNIT_NANO_H

#include "common/mem.h"
#include "common/model/arch.h"
#include "common/model/model.h"
#include "common/rng.h"
#include "common/safetensors.h"
#include "common/str.h"
#include "tests/tap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NANO_VOCAB = 23 };

static char nano_dir[200];

__attribute__((unused)) static char *nano_path(const char *name)
{
	return mem_printf("%s/%s", nano_dir, name);
}

__attribute__((unused)) static void nano_remove(void)
{
	static const char *const names[] = {"config.json", "model.safetensors"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char *path = nano_path(names[i]);
		unlink(path);
		free(path);
	}
	rmdir(nano_dir);
}

/* A new directory with a config.json: the shape below, and `more` (", \"key\": value …") after it.
 */
__attribute__((unused)) static void nano_config(const char *arch, int tied, const char *more)
{
	if (!*nano_dir) {
		const char *tmp = getenv("TMPDIR");
		snprintf(nano_dir, sizeof nano_dir, "%s/nano-XXXXXX", tmp && *tmp ? tmp : "/tmp");
		if (!mkdtemp(nano_dir))
			exit(3);
		atexit(nano_remove);
	}
	char *path = nano_path("config.json");
	FILE *f = fopen(path, "w");
	fprintf(f,
		"{\"architectures\": [\"%s\"], \"vocab_size\": %d, \"hidden_size\": 16, "
		"\"intermediate_size\": 20, "
		"\"num_hidden_layers\": 2, \"num_attention_heads\": 4, \"num_key_value_heads\": 2, "
		"\"head_dim\": 6, "
		"\"hidden_act\": \"silu\", \"rms_norm_eps\": 1e-5, \"initializer_range\": 0.25, "
		"\"max_position_embeddings\": 64, \"tie_word_embeddings\": %s%s}\n",
		arch, NANO_VOCAB, tied ? "true" : "false", more);
	fclose(f);
	free(path);
}

__attribute__((unused)) static struct model *nano_open(const struct model_opts *more)
{
	struct model_opts o = *more;
	struct model *m;
	struct err e = {0};
	o.dir = nano_dir;
	if (!o.kernels)
		o.kernels = "plain";
	if (!o.precision)
		o.precision = "f32";
	if (!o.threads)
		o.threads = 1;
	if (model_open(&m, &o, &e) < 0) {
		printf("Bail out! %s\n", e.msg);
		exit(1);
	}
	return m;
}

/* The arena of a --full model, norms and biases moved off 1 and 0, becomes model.safetensors. */
__attribute__((unused)) static void nano_save(struct model *m)
{
	struct params *ps = model_params(m);
	struct st_tensor *t = mem_zalloc(ps->n, sizeof *t);
	struct err e = {0};
	for (size_t i = 0; i < ps->n; i++) {
		const struct param *p = &ps->p[i];
		t[i] = (struct st_tensor){.name = p->name,
			.dtype = DT_F32,
			.rank = p->cols ? 2 : 1,
			.shape = {p->rows, p->cols}};
	}
	char *path = nano_path("model.safetensors");
	struct st_writer *w;
	int rc = st_create(&w, path, t, ps->n, &e);
	for (size_t i = 0; rc == 0 && i < ps->n; i++)
		rc = st_put(
			w, i, 0, param_value(ps, i).p, param_len(&ps->p[i]) * sizeof(float), &e);
	if (rc < 0 || st_finish(w, &e) < 0) {
		printf("Bail out! %s\n", e.msg);
		exit(1);
	}
	free(path);
	free(t);
}

/* Adds scale * normal to every value of the arena whose name contains `part`. */
__attribute__((unused)) static void nano_shake(struct model *m, const char *part, double scale)
{
	struct params *ps = model_params(m);
	struct err e = {0};
	struct rng rng;
	rng_init(&rng, 7, 7);
	for (size_t i = 0; i < ps->n; i++) {
		float *v = param_value(ps, i).p;
		for (size_t j = 0; strstr(ps->p[i].name, part) && j < param_len(&ps->p[i]); j++)
			v[j] += (float)(scale * rng_normal(&rng));
	}
	model_refresh(m, &e);
}

/* The same with more of adapter_config.json: ", \"key\": value …". */
__attribute__((unused)) static struct adapter_config nano_adapter_with(
	size_t r, const char *targets, const char *more)
{
	struct adapter_config c;
	struct err e = {0};
	struct str text = {0};
	str_addf(&text,
		"{\"peft_type\": \"LORA\", \"r\": %zu, \"lora_alpha\": %zu%s, "
		"\"target_modules\": [\"",
		r, 2 * r, more);
	for (const char *p = targets; *p; p++)
		str_addf(&text, *p == ',' ? "\", \"" : "%c", *p);
	str_addf(&text, "\"]}");
	if (adapter_parse_config(&c, text.s, text.len, &e) < 0) {
		printf("Bail out! %s\n", e.msg);
		exit(1);
	}
	str_done(&text);
	return c;
}

/* A fresh adapter's configuration for a comma-separated list of targets. */
__attribute__((unused)) static struct adapter_config nano_adapter(size_t r, const char *targets)
{
	return nano_adapter_with(r, targets, "");
}

__attribute__((unused)) static void nano_ids(uint64_t stream, uint32_t *ids, size_t n)
{
	struct rng rng;
	rng_init(&rng, 99, stream);
	for (size_t i = 0; i < n; i++)
		ids[i] = (uint32_t)rng_below(&rng, NANO_VOCAB);
}

/* Appends tree number i: a pair, a row of text with a mask, three answers to one prompt, a pair
 * with an empty prompt, in turn. */
__attribute__((unused)) static void nano_tree(struct forest *f, size_t i)
{
	uint32_t ids[40];
	static const uint8_t mask[9] = {1, 0, 1, 1, 1, 0, 0, 1, 1};
	nano_ids(i, ids, 40);
	uint32_t rec = (uint32_t)i;
	int root, seg;
	switch (i % 4) {
	case 0:
		root = forest_segment(f, -1, ids, 5, rec);
		seg = forest_segment(f, root, ids + 5, 7, rec);
		forest_label(f, seg, 0, 7, NULL);
		seg = forest_segment(f, root, ids + 12, 4, rec);
		forest_label(f, seg, 0, 4, NULL);
		return;
	case 1:
		seg = forest_segment(f, -1, ids, 9, rec);
		forest_label(f, seg, 0, 9, mask);
		return;
	case 2:
		root = forest_segment(f, -1, ids, 3, rec);
		forest_label(f, root, 0, 3, NULL);
		for (int j = 0; j < 3; j++) {
			seg = forest_segment(f, root, ids + 3 + 6 * j, 6, rec);
			forest_label(f, seg, 0, 6, NULL);
		}
		return;
	default:
		root = forest_segment(f, -1, NULL, 0, rec);
		seg = forest_segment(f, root, ids, 4, rec);
		forest_label(f, seg, 0, 4, NULL);
		seg = forest_segment(f, root, ids + 4, 6, rec);
		forest_label(f, seg, 0, 6, NULL);
	}
}

/* Coefficient of label l of tree i: different for each, of both signs. */
__attribute__((unused)) static double nano_coef(size_t l)
{
	return 0.3 + sin(1.7 * (double)l);
}

struct nano_pass {
	float dropout;
	uint64_t seed, step;
};

/* sum(coef * logp) over a forest; with `train`, gradients are accumulated. */
__attribute__((unused)) static double nano_value(
	struct model *m, const struct forest *f, int train, const struct nano_pass *p)
{
	struct err e = {0};
	struct klabel_out *out = mem_zalloc(f->nlabels, sizeof *out);
	double *coef = mem_alloc(f->nlabels, sizeof *coef);
	struct workspace *ws = workspace_new(m);
	double sum = 0;
	int rc = model_forward(m, ws, f, 0, p || train, p ? p->dropout : 0, p ? p->seed : 0,
		p ? p->step : 0, out, &e);
	for (size_t l = 0; l < f->nlabels; l++) {
		coef[l] = nano_coef(l);
		sum += coef[l] * out[l].logp;
	}
	if (rc == 0 && train)
		rc = model_backward(m, ws, f, coef, &e);
	if (rc < 0) {
		printf("Bail out! %s\n", e.msg);
		exit(1);
	}
	workspace_free(ws);
	free(out);
	free(coef);
	return sum;
}

#endif
