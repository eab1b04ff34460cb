/* config.json: spellings, defaults, what is refused, and rotary frequencies as transformers has them. */
#include "common/json.h"
#include "tests/unit/nano.h"

static int load(struct model_config *c, struct err *e)
{
	*e = (struct err){0};
	return model_config_load(c, nano_dir, e);
}

static void refused(const char *arch, const char *more, const char *words)
{
	struct model_config c;
	struct err e;
	nano_config(arch, 0, more);
	int rc = load(&c, &e);
	ok(rc < 0 && e.status == STATUS_DATA && strstr(e.msg, words), "refused: %s", words);
	if (rc == 0)
		model_config_done(&c);
	else if (!strstr(e.msg, words))
		diag("said '%s'", e.msg);
}

static void facts(void)
{
	struct model_config c;
	struct err e;
	nano_config("Qwen2ForCausalLM", 1,
		", \"torch_dtype\": \"bfloat16\", \"bos_token_id\": null, \"eos_token_id\": [2, "
		"5], "
		"\"sliding_window\": 8, \"use_sliding_window\": false");
	ok(load(&c, &e) == 0, "a Qwen2 configuration loads: %s", e.msg);
	ok(c.dtype == DT_BF16 && c.tied && c.qkv_bias && !c.o_bias && c.window == 0,
		"old dtype, tying, implied biases, a window that is not used");
	model_config_done(&c);

	nano_config("MistralForCausalLM", 0, ", \"dtype\": \"float16\"");
	ok(load(&c, &e) == 0 && c.window == 4096 && c.dtype == DT_F16,
		"Mistral's window is 4096 where none is given");
	model_config_done(&c);
	nano_config("MistralForCausalLM", 0, ", \"sliding_window\": null");
	ok(load(&c, &e) == 0 && c.window == 0, "a null window is none");
	model_config_done(&c);
}

static void frequencies(void)
{
	struct err e = {0};
	json_t *cases = json_read_file("tests/golden/model/rope.json", &e);
	is_int((long long)json_array_size(cases), 6,
		"there are six configurations with frequencies");
	for (size_t i = 0; i < json_array_size(cases); i++) {
		json_t *want = json_object_get(json_array_get(cases, i), "inv_freq_bits");
		json_t *config = json_object_get(json_array_get(cases, i), "config");
		struct model_config c = {.head_dim = (size_t)json_integer_value(
						 json_object_get(config, "head_dim"))};
		double worst = 0;
		int rc = rope_init(&c, config, &e);
		for (size_t k = 0; rc == 0 && k < json_array_size(want); k++) {
			int32_t bits = (int32_t)json_integer_value(json_array_get(want, k));
			float f;
			memcpy(&f, &bits, sizeof f);
			worst = fmax(worst, fabs((double)c.inv_freq[k] / (double)f - 1));
		}
		/* One unit in the last place: torch's vectorised pow is not correctly rounded. */
		ok(rc == 0 && json_array_size(want) == c.head_dim / 2 && worst < 1.2e-7,
			"frequencies of configuration %zu are transformers' to the last place", i);
		diag("off by %.2g", worst);
		model_config_done(&c);
	}
	json_decref(cases);
}

static void files(void)
{
	static const float nan_value = NAN;
	struct err e = {0};
	struct model *m;
	nano_config("LlamaForCausalLM", 0, "");
	struct model *full = nano_open(&(struct model_opts){.full = 1, .train = 1});
	nano_save(full);
	struct model_opts o = {.dir = nano_dir, .kernels = "plain", .threads = 1};

	ok(model_open(&m,
		   &(struct model_opts){.dir = nano_dir, .precision = "f16", .kernels = "plain"},
		   &e) < 0 &&
			e.status == STATUS_USAGE,
		"an unknown precision is refused: %s", e.msg);
	ok(model_open(&m, &(struct model_opts){.dir = nano_dir, .kernels = "nonesuch"}, &e) < 0 &&
			e.status == STATUS_SYSTEM,
		"unknown kernels are refused: %s", e.msg);
	nano_config("LlamaForCausalLM", 0, ", \"attention_bias\": true");
	ok(model_open(&m, &o, &e) < 0 && strstr(e.msg, "self_attn.q_proj.bias' is missing"),
		"a missing tensor is named: %s", e.msg);

	/* NaN in one weight: found when an output is not finite, and named. */
	nano_config("LlamaForCausalLM", 0, "");
	struct params *ps = model_params(full);
	for (size_t i = 0; i < ps->n; i++) {
		if (strcmp(ps->p[i].name, "model.layers.1.mlp.up_proj.weight") == 0)
			memcpy(param_value(ps, i).p, &nan_value, sizeof nan_value);
	}
	nano_save(full);
	model_close(full);
	int opened = model_open(&m, &o, &e);
	struct forest f = {0};
	struct klabel_out out[100];
	nano_tree(&f, 0);
	struct workspace *ws = opened == 0 ? workspace_new(m) : NULL;
	ok(opened == 0 && model_forward(m, ws, &f, 0, 0, 0, 0, 0, out, &e) == MODEL_NOT_FINITE &&
			strstr(e.msg, "model.layers.1.mlp.up_proj.weight"),
		"a NaN is named: %s", e.msg);
	forest_done(&f);
	workspace_free(ws);
	model_close(m);
}

int main(void)
{
	facts();
	refused("GPTNeoXForCausalLM", "", "GPTNeoXForCausalLM");
	refused("LlamaForCausalLM", ", \"hidden_act\": \"gelu\"", "'gelu'");
	refused("LlamaForCausalLM", ", \"rope_scaling\": {\"rope_type\": \"yarn\", \"factor\": 2}",
		"'yarn'");
	refused("LlamaForCausalLM", ", \"rope_scaling\": {\"type\": \"linear\"}", "'factor'");
	refused("LlamaForCausalLM", ", \"num_key_value_heads\": 3", "not a multiple");
	refused("LlamaForCausalLM", ", \"head_dim\": 7", "'head_dim'");
	refused("LlamaForCausalLM", ", \"hidden_size\": 99999999999", "'hidden_size'");
	refused("LlamaForCausalLM", ", \"vocab_size\": -1", "'vocab_size'");
	refused("LlamaForCausalLM", ", \"num_hidden_layers\": \"2\"", "'num_hidden_layers'");
	refused("LlamaForCausalLM", ", \"dtype\": \"int8\"", "'dtype'");
	refused("LlamaForCausalLM", ", \"rms_norm_eps\": -1", "'rms_norm_eps'");
	refused("LlamaForCausalLM", ", \"quantization_config\": {\"quant_method\": \"gptq\"}",
		"quantised by 'gptq'");
	frequencies();
	files();
	return tap_done();
}
