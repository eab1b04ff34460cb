/* config.json as facts: what the decoder must know, whichever spelling the file uses. */
#ifndef COMMON_MODEL_CONFIG_H
#define COMMON_MODEL_CONFIG_H

#include "common/err.h"
#include "kernels/dtype.h"

#include <jansson.h>

struct model_config {
	const struct model_arch *arch; /* arch.h */
	size_t vocab, dim, layers, heads, kv_heads, head_dim, ffn;
	size_t max_positions;
	float rms_eps;
	int tied;                 /* tie_word_embeddings */
	int attention_bias, o_bias, mlp_bias;
	enum dtype dtype;         /* "dtype" or "torch_dtype"; f32 when absent */
	float *inv_freq;          /* [head_dim/2] f32, rope scaling applied (llama3, linear …) */
	float rope_mscale;        /* multiplies cos and sin; 1 unless a scaling says so */
	float init_range;         /* initializer_range */
	long bos, eos[16];        /* -1: none; eos_token_id may be a list */
	size_t neos;
};

/* From DIR/config.json, and generation_config.json's eos ids where present. What is not understood
 * (an unknown architecture, an activation, a rope type) is refused by name. */
int model_config_load(struct model_config *c, const char *dir, struct err *e);
void model_config_done(struct model_config *c);

#endif
