/* adapter_config.json: read as PEFT means it, refused where it means more, written as PEFT writes it. */
#include "common/fingerprint.h"
#include "common/io.h"
#include "common/mem.h"
#include "common/model/adapter.h"
#include "tests/tap.h"

static struct adapter_config config;
static struct err err;

/* An adapter_config.json with these members besides the least that it needs. */
static int parse(const char *members)
{
	char *text = mem_printf("{\"peft_type\": \"LORA\", \"r\": 8, \"lora_alpha\": 16, "
				"\"target_modules\": [\"q_proj\", \"mlp.up_proj\"]%s%s}",
		*members ? ", " : "", members);
	err = (struct err){0};
	int rc = adapter_parse_config(&config, text, strlen(text), &err);
	mem_free(text);
	return rc;
}

static void refused(const char *members, const char *names)
{
	int rc = parse(members);
	if (!ok(rc == -1 && err.status == STATUS_DATA && strstr(err.msg, names),
		    "refused by name: %s", members))
		diag("rc %d '%s'", rc, err.msg);
	if (!rc)
		adapter_config_done(&config);
}

static void test_targets(void)
{
	is_int(parse(""), 0, "a list of names");
	ok(adapter_targets(&config, "model.layers.0.self_attn.q_proj") &&
			adapter_targets(&config, "model.layers.0.mlp.up_proj") &&
			adapter_targets(&config, "q_proj"),
		"a name is a module's path or its end after a dot");
	ok(!adapter_targets(&config, "model.layers.0.self_attn.k_proj") &&
			!adapter_targets(&config, "model.layers.0.xq_proj") &&
			!adapter_targets(&config, "up_proj"),
		"and nothing else");
	adapter_config_done(&config);

	is_int(parse("\"target_modules\": \".*\\\\.[01]\\\\..*(q|v)_proj\""), 0, "an expression");
	ok(adapter_targets(&config, "model.layers.1.self_attn.v_proj") &&
			!adapter_targets(&config, "model.layers.2.self_attn.v_proj") &&
			!adapter_targets(&config, "model.layers.1.self_attn.v_proj.x"),
		"it matches the whole path");
	adapter_config_done(&config);

	is_int(parse("\"target_modules\": \"all-linear\""), 0, "all-linear");
	ok(config.targets.n == 7 && adapter_targets(&config, "model.layers.9.mlp.gate_proj") &&
			!adapter_targets(&config, "lm_head"),
		"is the seven projections, not the head");
	adapter_config_done(&config);
}

/* Answers of PEFT 0.21.2's check_target_module_exists. */
static void test_less(void)
{
	is_int(parse("\"exclude_modules\": [\"0.self_attn.q_proj\"]"), 0, "exclude_modules");
	ok(!adapter_targets(&config, "model.layers.0.self_attn.q_proj") &&
			!adapter_targets(&config, "x.0.self_attn.q_proj") &&
			adapter_targets(&config, "model.layers.10.self_attn.q_proj"),
		"takes modules out by a path's end after a dot");
	adapter_config_done(&config);
	is_int(parse("\"exclude_modules\": \".*layers.0.*\""), 0, "as an expression");
	ok(!adapter_targets(&config, "model.layers.0.self_attn.q_proj") &&
			adapter_targets(&config, "model.layers.1.self_attn.q_proj"),
		"by the whole path");
	adapter_config_done(&config);

	is_int(parse("\"layers_to_transform\": [1, 3]"), 0, "layers_to_transform");
	ok(adapter_targets(&config, "model.layers.1.mlp.up_proj") &&
			!adapter_targets(&config, "model.layers.2.mlp.up_proj") &&
			!adapter_targets(&config, "model.layers.13.mlp.up_proj") &&
			!adapter_targets(&config, "layers.1.mlp.up_proj") &&
			adapter_targets(&config, "q_proj"),
		"is for names that end a path; it takes the first number after a name after a dot");
	adapter_config_done(&config);
	is_int(parse("\"layers_to_transform\": 3, \"layers_pattern\": [\"h\", \"layers\"]"), 0,
		"layers_pattern");
	ok(adapter_targets(&config, "model.layers.3.mlp.up_proj") &&
			adapter_targets(&config, "layers.3.mlp.up_proj") &&
			!adapter_targets(&config, "model.blocks.3.mlp.up_proj"),
		"says after which name");
	adapter_config_done(&config);

	is_int(parse("\"modules_to_save\": [\"mlp\", \"norm\", \"embed_tokens\"]"), 0,
		"modules_to_save");
	ok(!adapter_targets(&config, "model.layers.0.mlp.up_proj") &&
			adapter_targets(&config, "model.layers.0.self_attn.q_proj"),
		"has no adapter on it, nor on what is in it");
	ok(adapter_saves(&config, "model.layers.0.mlp.up_proj") &&
			adapter_saves(&config, "model.norm") &&
			adapter_saves(&config, "model.layers.1.input_layernorm") &&
			adapter_saves(&config, "model.embed_tokens") &&
			!adapter_saves(&config, "lm_head") &&
			!adapter_saves(&config, "model.layers.0.self_attn.q_proj"),
		"is saved whole, whatever its path ends in the name, and what is in it");
	adapter_config_done(&config);
}

static void test_names(void)
{
	static const struct {
		const char *name, *module;
		enum adapter_part part;
	} cases[] = {
		{"base_model.model.a.q.lora_A.weight", "a.q", ADAPTER_A},
		{"base_model.model.a.q.lora_B.weight", "a.q", ADAPTER_B},
		{"base_model.model.a.q.lora_B.bias", "a.q", ADAPTER_B_BIAS},
		{"base_model.model.a.q.lora_magnitude_vector", "a.q", ADAPTER_MAGNITUDE},
		{"base_model.model.e.lora_embedding_A", "e", ADAPTER_EMBEDDING_A},
		{"base_model.model.e.lora_embedding_B", "e", ADAPTER_EMBEDDING_B},
		{"base_model.model.e.base_layer.weight", "e", ADAPTER_COPY},
		{"base_model.model.a.q.base_layer.bias", "a.q", ADAPTER_BIAS},
		{"base_model.model.a.q.bias", "a.q", ADAPTER_BIAS},
		{"base_model.model.lm_head.weight", "lm_head", ADAPTER_WEIGHT},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *module = NULL, *back;
		enum adapter_part part = ADAPTER_A;
		ok(adapter_name_parse(cases[i].name, &module, &part) && part == cases[i].part &&
				strcmp(module, cases[i].module) == 0,
			"%s is taken apart", cases[i].name);
		back = adapter_name(module, part, strstr(cases[i].name, "base_layer.bias") != NULL);
		is_str(back, cases[i].name, "and put together");
		mem_free(module);
		mem_free(back);
	}
	char *module = NULL;
	enum adapter_part part;
	ok(!adapter_name_parse("model.lm_head.weight", &module, &part) &&
			!adapter_name_parse("base_model.model.weight", &module, &part) &&
			!adapter_name_parse("base_model.model.q.lora_C.x", &module, &part) &&
			!module,
		"other names are none of them");
}

static void test_patterns(void)
{
	is_int(parse("\"rank_pattern\": {\"q_proj\": 2, \".*1.mlp.up_proj\": 4}, "
		     "\"alpha_pattern\": {\"layers.0.self_attn.q_proj\": 6}"),
		0, "patterns");
	ok(adapter_rank(&config, "model.layers.0.self_attn.q_proj") == 2 &&
			adapter_rank(&config, "model.layers.1.mlp.up_proj") == 4 &&
			adapter_rank(&config, "model.layers.0.mlp.up_proj") == 8 &&
			adapter_rank(&config, "model.xq_proj") == 8,
		"the rank is the pattern's that matches the end of the path, or r");
	ok(adapter_scale(&config, "model.layers.0.self_attn.q_proj") == 3 &&
			adapter_scale(&config, "model.layers.1.self_attn.q_proj") == 8 &&
			adapter_scale(&config, "model.layers.0.mlp.up_proj") == 2,
		"the scale is alpha / r of the module");
	adapter_config_done(&config);
	is_int(parse("\"use_rslora\": true"), 0, "rsLoRA");
	ok(adapter_scale(&config, "q_proj") == (float)(16 / sqrt(8)), "divides by the root of r");
	adapter_config_done(&config);
}

static void test_refusals(void)
{
	refused("\"target_parameters\": [\"x\"]", "target_parameters");
	refused("\"use_qalora\": true", "use_qalora");
	refused("\"bias\": \"some\"", "'bias' is not one of none, all, lora_only");
	refused("\"use_dora\": 1", "use_dora");
	refused("\"use_dora\": true, \"lora_bias\": true", "lora_bias");
	refused("\"modules_to_save\": \"lm_head\"", "modules_to_save");
	refused("\"modules_to_save\": [\"(\"]", "modules_to_save: bad pattern '('");
	refused("\"exclude_modules\": [1]", "exclude_modules");
	refused("\"layers_to_transform\": [1.5]", "layers_to_transform");
	refused("\"layers_pattern\": \"layers\"", "layers_to_transform");
	refused("\"target_modules\": \"q_proj\", \"layers_to_transform\": 1",
		"layers_to_transform");
	refused("\"init_lora_weights\": \"pissa_niter_4\"", "pissa_niter_4");
	refused("\"peft_type\": \"LOHA\"", "LOHA");
	refused("\"r\": 0", "'r'");
	refused("\"r\": 100000", "'r'");
	refused("\"r\": 8.0", "'r'");
	refused("\"lora_alpha\": \"16\"", "lora_alpha");
	refused("\"lora_dropout\": 1", "lora_dropout");
	refused("\"target_modules\": []", "target_modules");
	refused("\"target_modules\": null", "target_modules");
	refused("\"target_modules\": [7]", "target_modules");
	refused("\"target_modules\": \"(\"", "target_modules: bad pattern '('");
	refused("\"rank_pattern\": {\"q\": 0}", "rank_pattern");
	refused("\"alpha_pattern\": {\"*\": 2}", "alpha_pattern: bad pattern '*'");
	is_int(parse("\"use_dora\": false, \"bias\": \"none\", \"modules_to_save\": null, "
		     "\"layers_pattern\": \"\", \"eva_config\": {\"rho\": 2}, \"later\": 1, "
		     "\"init_lora_weights\": \"gaussian\""),
		0,
		"features that are off, beginnings that are over and unknown keys are no matter");
	adapter_config_done(&config);
}

static void test_writing(void)
{
	is_int(parse("\"r\": 4, \"lora_alpha\": 8.5, \"lora_dropout\": 0.05, \"use_rslora\": true, "
		     "\"base_model_name_or_path\": \"a/b\", \"target_modules\": [\"q_proj\"], "
		     "\"bias\": \"none\", \"peft_version\": \"0.9\", \"later\": 1"),
		0, "a few fields");
	char *got = adapter_config_json(&config);
	char *want =
		io_read_file("tests/golden/merge/adapter_config.json", 1 << 20, &(size_t){0}, &err);
	is_str(got, want, "adapter_config.json is PEFT's, byte for byte");
	mem_free(got);
	mem_free(want);
	adapter_config_done(&config);

	parse("\"rank_pattern\": {\"q_proj\": 2}, \"alpha_pattern\": {\"q_proj\": 1.5}, "
	      "\"target_modules\": \"x.*\"");
	got = adapter_config_json(&config);
	ok(strstr(got, "\"target_modules\": \"x.*\"") && strstr(got, "\"q_proj\": 2\n") &&
			strstr(got, "\"q_proj\": 1.5\n") && strstr(got, "\"lora_alpha\": 16,"),
		"what was read is written again");
	mem_free(got);
	adapter_config_done(&config);
}

static void test_real(void)
{
	static const struct {
		const char *name;
		size_t r;
		float scale;
	} real[] = {{"llama-3.2-1b-r8", 8, 4}, {"qwen2.5-0.5b-instruct-r8-qv", 8, 2},
		{"tinyllama-1.1b-chat-r4-keywords", 4, 2}};
	for (size_t i = 0; i < 3; i++) {
		if (!tap_data()) {
			tap_skip(real[i].name, "no SLUICE_TEST_DATA");
			continue;
		}
		char *dir = mem_printf("%s/adapters/%s", tap_data(), real[i].name);
		char print[FINGERPRINT_LEN];
		ok(!adapter_read_config(&config, dir, &err) && config.r == real[i].r &&
				config.targets.n == 2 &&
				adapter_scale(&config, "q_proj") == real[i].scale &&
				!fingerprint_adapter(dir, print, &err) && strlen(print) == 32,
			"%s is read", real[i].name);
		adapter_config_done(&config);
		mem_free(dir);
	}
}

int main(void)
{
	test_targets();
	test_less();
	test_names();
	test_patterns();
	test_refusals();
	test_writing();
	test_real();
	return tap_done();
}
