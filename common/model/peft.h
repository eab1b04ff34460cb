/*
 * PEFT's adapter_config.json: what it says, which modules it means, and how the tensors beside it are
 * named. Behaviour and names are PEFT 0.21.2's; what would make the adapter another function than the
 * ones here is refused by name.
 */
#ifndef COMMON_MODEL_PEFT_H
#define COMMON_MODEL_PEFT_H

#include "common/err.h"

#include <jansson.h>
#include <stddef.h>

/* Which biases of the base train: none, all, or those of adapted modules. */
enum adapter_bias { ADAPTER_BIAS_NONE, ADAPTER_BIAS_ALL, ADAPTER_BIAS_LORA_ONLY };

/* init_lora_weights: true, "gaussian", false, or one that only a file can have begun with. */
enum adapter_init {
	ADAPTER_INIT_DEFAULT,
	ADAPTER_INIT_GAUSSIAN,
	ADAPTER_INIT_RANDOM,
	ADAPTER_INIT_OTHER
};

/* The two modules that a model may tie. */
#define ADAPTER_HEAD  "lm_head"
#define ADAPTER_EMBED "model.embed_tokens"

/* Modules chosen by names (a path or its end after a dot), or by one expression over the whole path. */
struct adapter_names {
	const char **v;
	size_t n;
	void *re; /* the expression, compiled; or NULL */
};

/* A row of a table of regular expressions, each with what is to it. */
struct adapter_pattern {
	double value;
	void *re; /* compiled */
};
struct adapter_patterns {
	struct adapter_pattern *v;
	size_t n;
};

/* What a LoRA adapter is, without its tensors. Zero: nothing set. */
struct adapter_config {
	json_t *json;	  /* every field as PEFT writes it; the strings below are its own */
	const char *base; /* base_model_name_or_path, or NULL */
	size_t r;
	double alpha, dropout;
	int rslora, dora, lora_bias;
	int tie; /* ensure_weight_tying */
	enum adapter_bias bias;
	enum adapter_init init;
	struct adapter_names targets, exclude; /* target_modules, exclude_modules */
	struct adapter_names save;	       /* modules_to_save: ends of paths, dot or not */
	struct adapter_patterns kept;	       /* the same as what no adapter is put on */
	struct adapter_patterns layers;	       /* how a path tells its layer; n 0: all layers … */
	const json_t *layer; /* … else layers_to_transform: a number or numbers */
	struct adapter_patterns ranks, alphas; /* rank_pattern, alpha_pattern */
};

/* From a directory; from the text of an adapter_config.json; from its object, which stays the
 * caller's. Fields left out have PEFT's defaults. */
int adapter_read_config(struct adapter_config *c, const char *dir, struct err *e);
int adapter_parse_config(struct adapter_config *c, const char *text, size_t len, struct err *e);
int adapter_config_from(struct adapter_config *c, json_t *o, struct err *e);
/* For a model whose embedding is its head: as ensure_weight_tying has it, modules_to_save names the
 * embedding where it named either. */
int adapter_config_tie(struct adapter_config *c, struct err *e);
void adapter_config_done(struct adapter_config *c);
/* adapter_config.json's text (indent 2, sorted keys); the caller frees. */
char *adapter_config_json(const struct adapter_config *c);

/*
 * The rules for a module's path ("model.layers.0.self_attn.q_proj"): whether an adapter is put on it;
 * its rank, and its alpha/r or alpha/sqrt(r), the first pattern that matches holding; whether it, or
 * one around it, is trained whole (modules_to_save).
 */
int adapter_targets(const struct adapter_config *c, const char *module);
size_t adapter_rank(const struct adapter_config *c, const char *module);
float adapter_scale(const struct adapter_config *c, const char *module);
int adapter_saves(const struct adapter_config *c, const char *module);

/* What a tensor of adapter_model.safetensors is to its module. */
enum adapter_part {
	ADAPTER_A,	     /* lora_A.weight [r, in] */
	ADAPTER_B,	     /* lora_B.weight [out, r] */
	ADAPTER_B_BIAS,	     /* lora_B.bias [out]: scale times it is added to the output */
	ADAPTER_MAGNITUDE,   /* lora_magnitude_vector [out] (of an embedding [in]): DoRA */
	ADAPTER_EMBEDDING_A, /* lora_embedding_A [r, vocabulary] */
	ADAPTER_EMBEDDING_B, /* lora_embedding_B [dim, r] */
	ADAPTER_COPY,	     /* base_layer.weight: the base's own, saved along */
	ADAPTER_WEIGHT,	     /* weight: instead of the base's (modules_to_save) */
	ADAPTER_BIAS,	     /* bias, or base_layer.bias: instead of the base's */
};
/* Takes a name apart; *module is the caller's to free. 0: it is none of these. */
int adapter_name_parse(const char *name, char **module, enum adapter_part *part);
/* The other way round; adapted: the module has an adapter (its own bias is its base_layer's). The
 * caller frees. */
char *adapter_name(const char *module, enum adapter_part part, int adapted);

#endif
