/* An adapter_config.json of any bytes: refused, or it answers for every module, soon. */
#include "common/model/adapter.h"

#include "common/mem.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct adapter_config c;
	struct err e = {0};
	if (adapter_parse_config(&c, (const char *)data, size, &e)) {
		if (!e.status || !*e.msg)
			abort();
		return 0;
	}
	static const char *const modules[] = {"model.layers.10.self_attn.q_proj", "lm_head",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ""};
	for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
		adapter_targets(&c, modules[i]);
		if (adapter_rank(&c, modules[i]) == 0)
			abort();
		adapter_scale(&c, modules[i]);
		adapter_saves(&c, modules[i]);
	}
	char *text = adapter_config_json(&c);
	adapter_config_done(&c);
	if (adapter_parse_config(&c, text, strlen(text), &e))
		abort(); /* what was read can be written and read again */
	adapter_config_done(&c);
	mem_free(text);
	return 0;
}

FUZZ_MAIN("peft")
