/* A LoRA adapter: what PEFT's adapter_config.json says, its tensors in a params arena, and where
 * each attaches. */
#ifndef COMMON_MODEL_ADAPTER_H
#define COMMON_MODEL_ADAPTER_H

#include "common/err.h"
#include "common/model/config.h"
#include "common/model/params.h"

/* A row of rank_pattern or alpha_pattern: a regular expression over the end of a module's path. */
struct adapter_pattern {
	char *key;
	double value;
	void *re; /* compiled */
};

/* What a LoRA adapter is, without its tensors. All memory is its own; zero: nothing set. */
struct adapter_config {
	size_t r;
	double alpha, dropout;
	int rslora;
	char **targets; /* names as in target_modules; "all-linear" is expanded */
	size_t ntargets;
	char *target_regex; /* target_modules as one expression (then no targets), or NULL */
	void *target_re;    /* compiled */
	struct adapter_pattern *ranks, *alphas; /* rank_pattern, alpha_pattern */
	size_t nranks, nalphas;
	char *base; /* base_model_name_or_path, or NULL */
};

/* One attachment: layer < layers with a PROJ_ index, or layer == layers for the head. */
struct lora_site {
	size_t layer;
	int proj;    /* enum proj; PROJ_COUNT: lm_head */
	size_t a, b; /* indices into params */
	size_t in, out, r;
	float scale; /* alpha/r, or alpha/sqrt(r) */
};

struct adapter {
	struct adapter_config config;
	struct lora_site *sites;
	size_t nsites;
};

void adapter_config_done(struct adapter_config *c);
/* Targets of a fresh adapter: "all-linear", or names with commas between them. */
void adapter_set_targets(struct adapter_config *c, const char *list);

/* PEFT 0.21's rules for a module's path ("model.layers.0.self_attn.q_proj"): whether target_modules
 * selects it (a list: the path or its end after a dot; a string: the whole path matches), its rank,
 * and its alpha/r or alpha/sqrt(r), the first pattern that matches holding. */
int adapter_targets(const struct adapter_config *c, const char *module);
size_t adapter_rank(const struct adapter_config *c, const char *module);
float adapter_scale(const struct adapter_config *c, const char *module);

/* Sites and params rows for a model's shape, in canonical order (layer, then enum proj, A before
 * B, head last). No match at all is an error that lists what there is. */
int adapter_plan(
	struct adapter *a, const struct model_config *mc, struct params *ps, struct err *e);
/* A: kaiming_uniform(a = sqrt 5) = U(-1/sqrt(in), 1/sqrt(in)) from the seed; B: 0. After
 * params_alloc. */
int adapter_init(const struct adapter *a, struct params *ps, const struct kernels *k,
	struct kctx *c, uint64_t seed, struct err *e);
void adapter_done(struct adapter *a);

/* PEFT directories. read_config + plan + params_alloc + read_tensors open one; r, alpha, targets,
 * patterns come from the file; what is not supported (DoRA, …) is refused by name. */
int adapter_read_config(struct adapter_config *c, const char *dir, struct err *e);
/* The same from the text of an adapter_config.json. */
int adapter_parse_config(struct adapter_config *c, const char *text, size_t len, struct err *e);
/* Every tensor of the file must be one of the plan's, and the other way round. */
int adapter_read_tensors(const struct adapter *a, struct params *ps, const struct kernels *k,
	struct kctx *c, const char *dir, struct err *e);
/* adapter_config.json's text as PEFT 0.21.2 writes it (indent 2, sorted keys); the caller frees. */
char *adapter_config_json(const struct adapter_config *c);

#endif
