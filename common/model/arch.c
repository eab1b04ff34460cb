#include "common/model/arch.h"

#include <stddef.h>

const char *const proj_name[PROJ_COUNT] = {
	[PROJ_Q] = "self_attn.q_proj",
	[PROJ_K] = "self_attn.k_proj",
	[PROJ_V] = "self_attn.v_proj",
	[PROJ_O] = "self_attn.o_proj",
	[PROJ_GATE] = "mlp.gate_proj",
	[PROJ_UP] = "mlp.up_proj",
	[PROJ_DOWN] = "mlp.down_proj",
};

const struct model_arch model_archs[] = {
	{.name = "LlamaForCausalLM", .model_type = "llama"},
	{.name = "MistralForCausalLM", .model_type = "mistral", .window = 4096},
	{.name = "Qwen2ForCausalLM", .model_type = "qwen2", .qkv_bias = 1},
	{0},
};
