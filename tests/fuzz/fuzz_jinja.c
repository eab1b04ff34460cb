/* The Jinja engine on hostile templates: compiled, and rendered over a conversation. */
#include "tests/fuzz/fuzz.h"
#include "tools/tmpl/chat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = {0};
	struct jinja *t;
	if (jinja_compile(&t, (const char *)data, size, &e) < 0)
		return 0;
	struct source s = {.special = json_pack("{s:s}", "bos_token", "<s>")};
	struct chat_template templ = {.source = &s, .plain = t, .tools = t};
	struct chat *c = chat_new(&templ);
	static const char rows[] =
		"[{\"role\": \"user\", \"content\": \"Gr\xc3\xbc\xc3\x9f \\n\"}, "
		"{\"role\": \"assistant\", \"content\": [7, null, {\"a\": 1.5}]}]";
	struct arena arena = {0};
	struct jv messages, none = {.type = JV_MISSING};
	if (value_parse(&messages, &arena, rows, sizeof rows - 1, &e) < 0)
		abort();
	struct str out = {0};
	struct jinja_spans spans = {0};
	chat_render(c, messages, none, NULL, CHAT_PROMPT, &out, &spans, &e);
	str_done(&out);
	mem_free(spans.v);
	arena_done(&arena);
	chat_free(c);
	chat_template_done(&templ);
	json_decref(s.special);
	return 0;
}

FUZZ_MAIN("jinja")
