#include "common/tokenizer/classes.h"

#include "common/io.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/tokenizer/classes_table.h"
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
		!open_one(&c->model, dir, "config.json", e) &&
		!open_one(&c->added, dir, "added_tokens.json", e))
		return 0;
	configs_close(c);
	return -1;
}

void configs_close(struct configs *c)
{
	json_decref(c->tokenizer);
	json_decref(c->special);
	json_decref(c->model);
	json_decref(c->added);
}

/* ---- the class ------------------------------------------------------------------------------------ */

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
	const char *own = NULL;
	int known = type && classes_registered(type, &own), wrong = type && classes_is_wrong(type);
	size_t len = name ? strlen(name) : 0;
	if (len > 4 && !strcmp(name + len - 4, "Fast"))
		len -= 4;
	*class = NULL;
	if (len == 14 && !strncmp(name, "LlamaTokenizer", len) && !wrong && has_bytelevel(root))
		return 0;
	if (known && !own)
		return 0;
	if (known && (!name || wrong)) {
		name = own;
		len = strlen(name);
	}
	if (!name)
		return 0;
	*class = classes_find(name, len);
	const char *other = *class ? NULL : classes_other(name, len);
	return other ? err_data(e, "transformers' class '%s' is not implemented", other) : 0;
}

/* ---- building ------------------------------------------------------------------------------------- */

/* The newer of two places for added tokens; what is in it is not looked for in the other files. */
static const json_t *added_decoder(const struct configs *c)
{
	return json_object_get(c->tokenizer, "added_tokens_decoder");
}

static const json_t *config_of(
	const struct configs *c, const struct class *class, const json_t *defaults, const char *key)
{
	const json_t *v = added_decoder(c) ? NULL : json_object_get(c->special, key);
	if (!v)
		v = json_object_get(c->tokenizer, key);
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

static const char *content_of(const json_t *v)
{
	return json_string_value(json_is_object(v) ? json_object_get(v, "content") : v);
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

static const char *const names[] = {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token",
	"cls_token", "mask_token", NULL};

/* Whether a member of a configuration names a special token that not every tokenizer has. */
static int is_own_name(const char *key, const json_t *v, const char *member)
{
	size_t len = strlen(key), i = 0;
	while (names[i] && strcmp(names[i], key) != 0)
		i++;
	return !names[i] && len >= 6 && !strcmp(key + len - 6, "_token") &&
	       (member ? json_object_get(v, member) != NULL : json_is_string(v));
}

/* Those of one configuration that are objects with that member; NULL: that are strings. */
static void add_own_of(struct tokens *to, json_t *config, const char *member)
{
	const char *key;
	json_t *v;
	json_object_foreach(config, key, v) if (is_own_name(key, v, member)) add_token(to, v, 1);
}

static void add_own_names(struct tokens *to, const struct configs *c)
{
	const char *key;
	json_t *v;
	add_own_of(to, c->tokenizer, "__type");
	if (!added_decoder(c)) {
		add_own_of(to, c->special, "content");
		add_own_of(to, c->special, NULL);
	}
	add_own_of(to, c->tokenizer, NULL);
	json_object_foreach(json_object_get(c->tokenizer, "extra_special_tokens"), key, v)
		add_token(to, v, 1);
}

/* Special tokens without names. */
static json_t *extra_tokens(const struct configs *c)
{
	const json_t *v = config_of(c, NULL, NULL, "extra_special_tokens");
	if (!json_array_size(v))
		v = config_of(c, NULL, NULL, "additional_special_tokens");
	return (json_t *)(uintptr_t)v;
}

/* What the configurations name or list, as members. */
static json_t *named_tokens(const struct configs *c)
{
	json_t *set = json_object(), *v;
	const char *s;
	size_t i;
	for (i = 0; names[i]; i++)
		if ((s = content_of(config_of(c, NULL, NULL, names[i]))))
			json_object_set_new(set, s, json_true());
	json_array_foreach(extra_tokens(c), i, v) if ((s = content_of(v)))
		json_object_set_new(set, s, json_true());
	return set;
}

static int by_id(const void *a, const void *b, void *object)
{
	json_int_t x = json_integer_value(json_object_get(object, *(const char *const *)a));
	json_int_t y = json_integer_value(json_object_get(object, *(const char *const *)b));
	return x < y ? -1 : x > y;
}

/* added_tokens.json, in the order of its ids, which are not asked. */
static void add_added(struct tokens *to, const struct configs *c)
{
	const char **keys = mem_alloc(json_object_size(c->added), sizeof *keys), *key;
	json_t *named = named_tokens(c), *v;
	size_t n = 0;
	json_object_foreach(c->added, key, v) keys[n++] = key;
	qsort_r(keys, n, sizeof *keys, by_id, c->added);
	for (size_t i = 0; i < n; i++) {
		int special = json_object_get(named, keys[i]) != NULL;
		v = json_pack("{s:s, s:b}", "content", keys[i], "normalized", !special);
		add_token(to, v, special);
		json_decref(v);
	}
	json_decref(named);
	mem_free(keys);
}

static void add_tokens(const struct build *b, json_t *root)
{
	struct tokens to = {json_array(), json_object()};
	const json_t *decoder = added_decoder(b->c);
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
	if (decoder)
		add_decoder(&to, decoder);
	else
		add_added(&to, b->c);
	for (i = 0; names[i]; i++) {
		const json_t *named = config_of(b->c, b->class, b->names, names[i]);
		if (!named && !b->class && !strcmp(names[i], "pad_token"))
			named = json_object_get(json_object_get(root, "padding"), "pad_token");
		add_token(&to, named, 1);
	}
	add_own_names(&to, b->c);
	json_array_foreach(extra_tokens(b->c), i, v) add_token(&to, v, 1);
	json_object_set_new(root, "added_tokens", to.list);
	json_decref(to.seen);
	if (config_flag(b->c, "split_special_tokens", 0))
		json_object_set_new(root, "split_special_tokens", json_true());
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
	for (const struct class *k = classes_table; !b->class && first && k->name; k++)
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
