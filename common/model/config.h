/* config.json as facts: what the decoder must know, whichever spelling the file uses. */
#ifndef COMMON_MODEL_CONFIG_H
#define COMMON_MODEL_CONFIG_H

#include "common/bnb.h"
#include "common/err.h"
#include "kernels/dtype.h"

#include <jansson.h>

struct model_config {
	const struct model_arch *arch; /* arch.h */
	size_t vocab, dim, layers, heads, kv_heads, head_dim, ffn;
	size_t max_positions;
	size_t window; /* sliding attention window: longer sequences are refused; 0: none */
	float rms_eps;
	int tied; /* tie_word_embeddings */
	int qkv_bias, o_bias, mlp_bias;
	enum dtype dtype; /* "dtype" or "torch_dtype"; f32 when absent */
	int quantised;	  /* the linear layers, as … */
	struct bnb_config quant;
	float *inv_freq;   /* [head_dim/2] f32, rope scaling applied (llama3, linear …) */
	float rope_mscale; /* multiplies cos and sin; 1 unless a scaling says so */
	float init_range;  /* initializer_range */
};

/* From DIR/config.json. What is not understood (an unknown architecture, an activation, a rope type)
 * is refused by name. Which ids stop is common/tokenizer/rows.h's. */
int model_config_load(struct model_config *c, const char *dir, struct err *e);
void model_config_done(struct model_config *c);

/* Shape [out, in] of a layer's projection (enum proj). */
void model_config_proj(const struct model_config *c, int proj, size_t *out, size_t *in);

/* rope.c: fills inv_freq and rope_mscale from rope_parameters, or rope_theta and rope_scaling. */
int rope_init(struct model_config *c, const json_t *config, struct err *e);

#endif
