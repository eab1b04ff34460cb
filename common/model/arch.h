/* An architecture is a row of facts, not a copy of the decoder. */
#ifndef COMMON_MODEL_ARCH_H
#define COMMON_MODEL_ARCH_H

#include <stddef.h>

/* The projections of a layer that can be trained and quantised, in the order of the params arena.
 */
enum proj { PROJ_Q, PROJ_K, PROJ_V, PROJ_O, PROJ_GATE, PROJ_UP, PROJ_DOWN, PROJ_COUNT };
extern const char *const proj_name[PROJ_COUNT]; /* "self_attn.q_proj" … without ".weight" */

/* Values are transformers 5's defaults for what config.json leaves out. */
struct model_arch {
	const char *name;	/* config.json "architectures"[0]: "LlamaForCausalLM" */
	const char *model_type; /* "llama" */
	int qkv_bias;		/* Qwen2: q, k, v have a bias though config.json does not say so */
	size_t window;		/* Mistral: sliding_window where the key is absent; 0: none */
};
extern const struct model_arch model_archs[]; /* ends with name NULL */

#endif
