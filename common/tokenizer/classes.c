#include "common/tokenizer/classes.h"

#include "common/io.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/tokenizer/tokenizer.h"

#include <stdlib.h>
#include <string.h>

/* ---- the files ------------------------------------------------------------------------------------ */

static int open_one(json_t **out, const char *dir, const char *name, struct err *e)
{
	char *path = io_path(dir, name);
	*out = NULL;
	int rc = io_exists(path) && !(*out = json_read_file(path, e)) ? -1 : 0;
	mem_free(path);
	return rc;
}

int configs_open(struct configs *c, const char *dir, struct err *e)
{
	*c = (struct configs){0};
	if (!open_one(&c->tokenizer, dir, "tokenizer_config.json", e) &&
		!open_one(&c->special, dir, "special_tokens_map.json", e) &&
		!open_one(&c->model, dir, "config.json", e))
		return 0;
	configs_close(c);
	return -1;
}

void configs_close(struct configs *c)
{
	json_decref(c->tokenizer);
	json_decref(c->special);
	json_decref(c->model);
}

/* ---- the classes ---------------------------------------------------------------------------------- */

#define JSON(...) #__VA_ARGS__

/* A class that builds its own: its parts as in tokenizer.json, and its names of special tokens. */
struct class
{
	const char *name, *parts, *names;
	const char
		*first; /* the first token of the vocabularies that it is for; NULL: not telling */
	int prefix_space; /* its default of add_prefix_space */
	int post_anew;	  /* the file's post-processor is not taken over */
};
/* clang-format off */
#define BYTE_BPE \
	"\"model\": " JSON({"type": "BPE"}) ", \"decoder\": " JSON({"type": "ByteLevel"})
#define BYTELEVEL JSON({"type": "ByteLevel", "add_prefix_space": false, "use_regex": true})
#define SPM_DECODERS JSON({"type": "Sequence", "decoders": [ \
	{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]})
#define ROBERTA_NAMES "\"bos_token\": \"<s>\", \"eos_token\": \"</s>\", \"sep_token\": \"</s>\", " \
	"\"cls_token\": \"<s>\", \"unk_token\": \"<unk>\", \"pad_token\": \"<pad>\", "
static const struct class classes[] = {
	{"LlamaTokenizer",
		"{\"model\": " JSON({"type": "BPE", "fuse_unk": true, "byte_fallback": true})
		", \"pre_tokenizer\": " JSON({"type": "Metaspace", "replacement": "▁", "split": false})
		", \"decoder\": " SPM_DECODERS "}",
		JSON({"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}), NULL, 1, 0},
	{"GPT2Tokenizer",
		"{" BYTE_BPE ", \"pre_tokenizer\": " BYTELEVEL "}",
		JSON({"unk_token": "<|endoftext|>", "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>"}),
		"!", 0, 0},
	{"GPTNeoXTokenizer",
		"{" BYTE_BPE ", \"normalizer\": " JSON({"type": "NFC"}) ", \"pre_tokenizer\": " BYTELEVEL "}",
		JSON({"unk_token": "<|endoftext|>", "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>",
			"pad_token": "<|padding|>"}), NULL, 0, 1},
	{"Qwen2Tokenizer",
		"{" BYTE_BPE ", \"normalizer\": " JSON({"type": "NFC"}) ", \"pre_tokenizer\": "
		JSON({"type": "Sequence", "pretokenizers": [
			{"type": "Split", "behavior": "Isolated", "invert": false, "pattern": {"Regex":
			"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"}},
			{"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]}) "}",
		JSON({"unk_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}),
		NULL, 0, 0},
	{"GemmaTokenizer",
		"{\"model\": " JSON({"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true})
		", \"normalizer\": " JSON({"type": "Replace", "pattern": {"String": " "}, "content": "▁"})
		", \"pre_tokenizer\": " JSON({"type": "Split", "pattern": {"String": " "},
			"behavior": "MergedWithPrevious", "invert": false})
		", \"decoder\": " SPM_DECODERS "}",
		JSON({"unk_token": "<unk>", "bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>",
			"mask_token": "<mask>"}), NULL, 0, 0},
	{"BlenderbotTokenizer",
		"{" BYTE_BPE ", \"pre_tokenizer\": " BYTELEVEL "}",
		"{" ROBERTA_NAMES "\"mask_token\": " JSON({"content": "<mask>", "lstrip": true}) "}",
		"<pad>", 1, 0},
	{"RobertaTokenizer",
		"{" BYTE_BPE ", \"pre_tokenizer\": " BYTELEVEL
		", \"post_processor\": " JSON({"type": "RobertaProcessing", "trim_offsets": true}) "}",
		"{" ROBERTA_NAMES "\"mask_token\": \"<mask>\"}", "<s>", 0, 1},
	{0},
};
/* clang-format on */

/* Classes that build their own and are not among those above. */
static const char *const others[] = {"AlbertTokenizer", "BarthezTokenizer", "BertTokenizer",
	"BigBirdTokenizer", "CamembertTokenizer", "CLIPTokenizer", "CodeLlamaTokenizer",
	"CodeGenTokenizer", "CohereTokenizer", "DebertaTokenizer", "DebertaV2Tokenizer",
	"EsmcTokenizer", "FunnelTokenizer", "HerbertTokenizer", "LasrTokenizer",
	"LayoutLMv2Tokenizer", "LayoutLMv3Tokenizer", "LayoutXLMTokenizer", "LukeTokenizer",
	"MBartTokenizer", "MBart50Tokenizer", "MLukeTokenizer", "MPNetTokenizer", "NllbTokenizer",
	"NougatTokenizer", "OpenAIGPTTokenizer", "PegasusTokenizer", "Qwen3_5Tokenizer",
	"ReformerTokenizer", "RemBertTokenizer", "SeamlessM4TTokenizer", "Siglip2Tokenizer",
	"SplinterTokenizer", "T5Tokenizer", "UdopTokenizer", "WhisperTokenizer", "XGLMTokenizer",
	"XLMRobertaTokenizer", "XLNetTokenizer", NULL};

/* Model types with the class that is registered for them (AutoTokenizer's table, those of decoders); NULL:
 * tokenizer.json as it is. wrong: tokenizer_config.json is not believed where it names another class. */
static const struct {
	const char *type, *class;
	int wrong;
} registered[] = {
	{"gpt2", "GPT2Tokenizer", 0},
	{"gptj", "GPT2Tokenizer", 0},
	{"gpt_neo", "GPT2Tokenizer", 0},
	{"codegen", "GPT2Tokenizer", 0},
	{"dbrx", "GPT2Tokenizer", 0},
	{"jais2", "GPT2Tokenizer", 0},
	{"opt", "GPT2Tokenizer", 0},
	{"phi", "GPT2Tokenizer", 0},
	{"starcoder2", "GPT2Tokenizer", 0},
	{"gpt_neox", "GPTNeoXTokenizer", 0},
	{"falcon_mamba", "GPTNeoXTokenizer", 0},
	{"mamba", "GPTNeoXTokenizer", 0},
	{"mamba2", "GPTNeoXTokenizer", 0},
	{"mpt", "GPTNeoXTokenizer", 0},
	{"olmo", "GPTNeoXTokenizer", 0},
	{"olmoe", "GPTNeoXTokenizer", 0},
	{"rwkv", "GPTNeoXTokenizer", 0},
	{"xlstm", "GPTNeoXTokenizer", 0},
	{"qwen2", "Qwen2Tokenizer", 1},
	{"qwen2_moe", "Qwen2Tokenizer", 0},
	{"qwen2_vl", "Qwen2Tokenizer", 0},
	{"qwen2_5_vl", "Qwen2Tokenizer", 0},
	{"qwen3", "Qwen2Tokenizer", 0},
	{"qwen3_moe", "Qwen2Tokenizer", 0},
	{"qwen3_next", "Qwen2Tokenizer", 0},
	{"gemma", "GemmaTokenizer", 0},
	{"gemma2", "GemmaTokenizer", 0},
	{"gemma3", "GemmaTokenizer", 0},
	{"gemma3_text", "GemmaTokenizer", 0},
	{"recurrent_gemma", "GemmaTokenizer", 0},
	{"blenderbot", "BlenderbotTokenizer", 0},
	{"roberta", "RobertaTokenizer", 0},
	{"bart", "RobertaTokenizer", 0},
	{"mistral", NULL, 0},
	{"mixtral", NULL, 0},
	{"ministral", NULL, 0},
	{"mistral3", NULL, 0},
	{"phi3", NULL, 1},
	{"phimoe", NULL, 1},
	{"granite", NULL, 0},
	{"granitemoe", NULL, 0},
	{"stablelm", NULL, 0},
	{"olmo2", NULL, 0},
	{"olmo3", NULL, 0},
	{"glm", NULL, 0},
	{"glm4", NULL, 0},
	{"gpt_bigcode", NULL, 0},
	{"persimmon", NULL, 0},
	{"internlm2", NULL, 1},
	{"minicpm3", NULL, 1},
	{"nemotron", NULL, 1},
	{"jamba", NULL, 1},
	{0},
};

static const struct class *find_class(const char *name, size_t len)
{
	for (const struct class *k = classes; k->name; k++)
		if (strlen(k->name) == len && !strncmp(k->name, name, len))
			return k;
	return NULL;
}

/* Whether the file's pre-tokenizer is of bytes, at its top or in its sequence. */
static int has_bytelevel(const json_t *root)
{
	const json_t *p = json_object_get(root, "pre_tokenizer"), *item;
	const char *type = json_string_value(json_object_get(p, "type"));
	if (type && !strcmp(type, "ByteLevel"))
		return 1;
	size_t i;
	json_array_foreach(json_object_get(p, "pretokenizers"), i, item)
	{
		type = json_string_value(json_object_get(item, "type"));
		if (type && !strcmp(type, "ByteLevel"))
			return 1;
	}
	return 0;
}

/*
 * AutoTokenizer's choice; *class stays NULL where it is the one that follows tokenizer.json. The name in
 * tokenizer_config.json (else in config.json) counts, unless the model's type has a class, or none,
 * registered and that name is not believed.
 */
static int choose(
	const struct class **class, const json_t *root, const struct configs *c, struct err *e)
{
	const char *name = json_string_value(json_object_get(c->tokenizer, "tokenizer_class"));
	const char *type = json_string_value(json_object_get(c->model, "model_type"));
	if (!name)
		name = json_string_value(json_object_get(c->model, "tokenizer_class"));
	size_t k = 0;
	while (type && registered[k].type && strcmp(registered[k].type, type) != 0)
		k++;
	int known = type && registered[k].type, wrong = known && registered[k].wrong;
	size_t len = name ? strlen(name) : 0;
	if (len > 4 && !strcmp(name + len - 4, "Fast"))
		len -= 4;
	*class = NULL;
	if (len == 14 && !strncmp(name, "LlamaTokenizer", len) && !wrong && has_bytelevel(root))
		return 0;
	if (known && !registered[k].class)
		return 0;
	if (known && (!name || wrong)) {
		name = registered[k].class;
		len = strlen(name);
	}
	if (!name)
		return 0;
	*class = find_class(name, len);
	for (size_t i = 0; !*class && others[i]; i++)
		if (strlen(others[i]) == len && !strncmp(others[i], name, len))
			return err_data(
				e, "transformers' class '%s' is not implemented", others[i]);
	return 0;
}

/* ---- building ------------------------------------------------------------------------------------- */

static const json_t *config_of(
	const struct configs *c, const struct class *class, const json_t *defaults, const char *key)
{
	const json_t *v = json_object_get(c->tokenizer, key);
	if (!v && !json_object_get(c->tokenizer, "added_tokens_decoder"))
		v = json_object_get(c->special, key);
	return v || !class ? v : json_object_get(defaults, key);
}

static int config_flag(const struct configs *c, const char *key, int otherwise)
{
	const json_t *v = json_object_get(c->tokenizer, key);
	return json_is_boolean(v) ? json_is_true(v) : otherwise;
}

/* What add_prefix_space and `legacy` are to the class. */
static void set_prefix(json_t *parts, const struct class *class, const struct configs *c)
{
	int prefix = config_flag(c, "add_prefix_space", class->prefix_space);
	json_t *p = json_object_get(parts, "pre_tokenizer");
	const char *type = json_string_value(json_object_get(p, "type"));
	if (!strcmp(type, "Sequence"))
		p = json_array_get(json_object_get(p, "pretokenizers"), 1);
	if (!strcmp(type, "Metaspace")) {
		int legacy = config_flag(c, "legacy", 0);
		json_object_set_new(p, "prepend_scheme",
			json_string(!prefix  ? "never"
				    : legacy ? "always"
					     : "first"));
		if (prefix)
			json_array_append_new(
				json_object_get(json_object_get(parts, "decoder"), "decoders"),
				json_pack("{s:s, s:s, s:i, s:i}", "type", "Strip", "content", " ",
					"start", 1, "stop", 0));
	} else if (json_object_get(p, "add_prefix_space")) {
		json_object_set_new(p, "add_prefix_space", json_boolean(prefix));
	}
}

/* A list of tokens, and what is in it. */
struct tokens {
	json_t *list, *seen;
};

/* A name of a special token, or a token with its flags. */
static void add_token(struct tokens *to, const json_t *v, int special)
{
	json_t *token = json_is_object(v) ? json_deep_copy(v) : json_object();
	if (json_is_string(v)) {
		json_object_set(token, "content", (json_t *)(uintptr_t)v);
		json_object_set_new(token, "normalized", json_false());
	}
	const char *content = json_string_value(json_object_get(token, "content"));
	if (special) {
		json_object_set_new(token, "special", json_true());
		if (!json_object_get(token, "normalized"))
			json_object_set_new(token, "normalized", json_false());
	}
	if (content && !json_object_get(to->seen, content)) {
		json_array_append(to->list, token);
		json_object_set_new(to->seen, content, json_true());
	}
	json_decref(token);
}

static int by_number(const void *a, const void *b)
{
	unsigned long x = strtoul(*(const char *const *)a, NULL, 10);
	unsigned long y = strtoul(*(const char *const *)b, NULL, 10);
	return x < y ? -1 : x > y;
}

/* added_tokens_decoder, in the order of its ids. */
static void add_decoder(struct tokens *to, const json_t *decoder)
{
	const char **keys = mem_alloc(json_object_size(decoder), sizeof *keys), *key;
	const json_t *v;
	size_t n = 0;
	json_object_foreach((json_t *)(uintptr_t)decoder, key, v) keys[n++] = key;
	qsort(keys, n, sizeof *keys, by_number);
	for (size_t i = 0; i < n; i++)
		add_token(to, json_object_get(decoder, keys[i]), 0);
	mem_free(keys);
}

static void add_tokens(const struct build *b, json_t *root)
{
	static const char *const names[] = {"bos_token", "eos_token", "unk_token", "sep_token",
		"pad_token", "cls_token", "mask_token"};
	static const char *const lists[] = {"additional_special_tokens", "extra_special_tokens"};
	struct tokens to = {json_array(), json_object()};
	const json_t *decoder = json_object_get(b->c->tokenizer, "added_tokens_decoder");
	json_t *v;
	size_t i;
	/* What is twice in the file stays so: the later one's flags count. */
	if (!b->class || !decoder) {
		json_array_foreach(json_object_get(root, "added_tokens"), i, v)
		{
			const char *content = json_string_value(json_object_get(v, "content"));
			json_array_append(to.list, v);
			if (content)
				json_object_set_new(to.seen, content, json_true());
		}
	}
	add_decoder(&to, decoder);
	for (i = 0; i < sizeof names / sizeof *names; i++)
		add_token(&to, config_of(b->c, b->class, b->names, names[i]), 1);
	for (size_t k = 0; k < 2; k++)
		json_array_foreach((json_t *)(uintptr_t)config_of(b->c, NULL, NULL, lists[k]), i, v)
			add_token(&to, v, 1);
	json_object_set_new(root, "added_tokens", to.list);
	json_decref(to.seen);
}

static const char *content_of(const json_t *v)
{
	return json_string_value(json_is_object(v) ? json_object_get(v, "content") : v);
}

/* A special token with its id, as a template or Roberta has it. */
static long token_id(
	const struct build *b, const struct tokenizer *t, const char *key, const char **content)
{
	*content = content_of(config_of(b->c, b->class, b->names, key));
	return *content ? tokenizer_id(t, *content, strlen(*content)) : -1;
}

long classes_token(const struct build *b, const struct tokenizer *t, const char *key)
{
	const char *content;
	return token_id(b, t, key, &content);
}

/* BOS and EOS around the text where the configuration says so, which counts only without a tokenizer.json. */
static json_t *template(const struct build *b, const struct tokenizer *t)
{
	json_t *single = json_array(), *specials = json_object();
	const char *const keys[] = {"bos_token", NULL, "eos_token"};
	const char *const flags[] = {"add_bos_token", NULL, "add_eos_token"};
	for (int i = 0; i < 3; i++) {
		const char *s;
		long id = keys[i] ? token_id(b, t, keys[i], &s) : -1;
		if (!keys[i]) {
			json_array_append_new(single,
				json_pack("{s:{s:s, s:i}}", "Sequence", "id", "A", "type_id", 0));
		} else if (id >= 0 && !b->from_file && config_flag(b->c, flags[i], 0)) {
			json_array_append_new(single,
				json_pack("{s:{s:s, s:i}}", "SpecialToken", "id", s, "type_id", 0));
			json_object_set_new(
				specials, s, json_pack("{s:[I]}", "ids", (json_int_t)id));
		}
	}
	return json_pack("{s:s, s:o, s:o}", "type", "TemplateProcessing", "single", single,
		"special_tokens", specials);
}

int classes_post(const struct build *b, json_t *root, const struct tokenizer *t, struct err *e)
{
	json_t *post = json_object_get(root, "post_processor");
	const char *type = json_string_value(json_object_get(post, "type"));
	if (!post || json_is_null(post)) {
		json_object_set_new(root, "post_processor", template(b, t));
		return 0;
	}
	if (!b->class || !b->class->post_anew || strcmp(type ? type : "", "RobertaProcessing") != 0)
		return 0;
	const char *cls, *sep;
	long cls_id = token_id(b, t, "cls_token", &cls), sep_id = token_id(b, t, "sep_token", &sep);
	if (cls_id < 0 || sep_id < 0)
		return err_data(e, "cls_token or sep_token is no token");
	json_object_set_new(post, "cls", json_pack("[s, I]", cls, (json_int_t)cls_id));
	json_object_set_new(post, "sep", json_pack("[s, I]", sep, (json_int_t)sep_id));
	return 0;
}

/* The class's parts in place of the file's. */
static void replace_parts(struct build *b, json_t *root)
{
	static const char *const keys[] = {"normalizer", "pre_tokenizer", "decoder", "model"};
	const struct class *k = b->class;
	json_t *parts = json_loads(k->parts, 0, NULL);
	b->names = json_loads(k->names, 0, NULL);
	set_prefix(parts, k, b->c);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		json_object_del(root, keys[i]);
		json_object_set(root, keys[i], json_object_get(parts, keys[i]));
	}
	if (k->post_anew || !b->from_file) {
		json_object_del(root, "post_processor");
		json_object_set(root, "post_processor", json_object_get(parts, "post_processor"));
	}
	json_decref(parts);
}

int classes_apply(struct build *b, json_t *root, const struct configs *c, int from_file,
	const char *first, struct err *e)
{
	*b = (struct build){.c = c, .from_file = from_file};
	if (choose(&b->class, root, c, e))
		return -1;
	for (const struct class *k = classes; !b->class && first && k->name; k++)
		if (k->first && !strcmp(k->first, first))
			b->class = k;
	if (!b->class && !from_file)
		return err_data(e, "nothing says what tokenizer it is: 'tokenizer_class' in "
				   "tokenizer_config.json or 'model_type' in config.json would");
	if (b->class)
		replace_parts(b, root);
	add_tokens(b, root);
	return 0;
}

void classes_done(struct build *b)
{
	json_decref(b->names);
}

/* ---- comparing ------------------------------------------------------------------------------------ */

/* What makes no difference to ids: members that are null, false or empty, and options of offsets. */
static int is_idle(const char *key, const json_t *v)
{
	static const char *const idle[] = {"trim_offsets", "str_rep", "id", "version", "decoder",
		"truncation", "padding", NULL};
	size_t k = 0;
	while (idle[k] && strcmp(idle[k], key) != 0)
		k++;
	return idle[k] || (!strcmp(key, "use_regex") && json_is_true(v)) || json_is_null(v) ||
	       json_is_false(v) || (json_is_string(v) && !json_string_length(v));
}

/* Members that are not idle; at the top all but the post-processor. */
static size_t members(const json_t *object, int top)
{
	const char *key;
	json_t *v;
	size_t n = 0;
	json_object_foreach((json_t *)(uintptr_t)object, key, v) n +=
		!is_idle(key, v) && !(top && !strcmp(key, "post_processor"));
	return n;
}

static int is_same(const json_t *a, const json_t *b, int top)
{
	const char *key;
	json_t *v;
	size_t i;
	if (a == b || !a || !b || json_typeof(a) != json_typeof(b))
		return a == b;
	if (json_is_array(a)) {
		int same = json_array_size(a) == json_array_size(b);
		for (i = 0; same && i < json_array_size(a); i++)
			same = is_same(json_array_get(a, i), json_array_get(b, i), 0);
		return same;
	}
	if (!json_is_object(a))
		return json_equal(a, b);
	if (members(a, top) != members(b, top))
		return 0;
	json_object_foreach((json_t *)(uintptr_t)a, key, v)
	{
		const json_t *other = json_object_get(b, key);
		if (is_idle(key, v) || (top && !strcmp(key, "post_processor")))
			continue;
		if (!other || is_idle(key, other) || !is_same(v, other, 0))
			return 0;
	}
	return 1;
}

const char *classes_differ(const json_t *root, const struct configs *c)
{
	struct build b;
	struct err e = {0};
	json_t *copy =
		json_copy((json_t *)(uintptr_t)root); /* its members are replaced, not changed */
	const char *name = NULL;
	if (!classes_apply(&b, copy, c, 1, NULL, &e) && !is_same(copy, root, 1))
		name = b.class ? b.class->name : "AutoTokenizer";
	classes_done(&b);
	json_decref(copy);
	return name;
}
