/*
 * PEFT's adapter_config.json, read and written. Reading takes what changes the function, ignores what
 * only says how training began, and refuses by name what would make the adapter another function than
 * those that model.h computes. Which modules it means is peft_match.c's affair.
 */
#include "common/model/peft_int.h"

#include "common/io.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/model/arch.h"

#include <math.h>
#include <string.h>
#include <strings.h>

/* The version whose files these are; goes into peft_version. */
#define PEFT_VERSION "0.21.2"

/* Far above any use; keeps r times a dimension from overflowing anything. */
enum { RANK_MAX = 1 << 16 };

/* Every field that PEFT writes, with its default. */
static const char defaults[] =
	"{\"alora_invocation_tokens\": null, \"alpha_pattern\": {}, \"arrow_config\": null,"
	" \"auto_mapping\": null, \"base_model_name_or_path\": null, \"bias\": \"none\","
	" \"corda_config\": null, \"ensure_weight_tying\": false, \"eva_config\": null,"
	" \"exclude_modules\": null, \"fan_in_fan_out\": false, \"inference_mode\": true,"
	" \"init_lora_weights\": true, \"kasa_config\": null, \"layer_replication\": null,"
	" \"layers_pattern\": null, \"layers_to_transform\": null, \"loftq_config\": {},"
	" \"lora_alpha\": 8, \"lora_bias\": false, \"lora_dropout\": 0.0,"
	" \"lora_ga_config\": null, \"megatron_config\": null,"
	" \"megatron_core\": \"megatron.core\", \"modules_to_save\": null,"
	" \"monteclora_config\": null, \"peft_type\": \"LORA\","
	" \"peft_version\": \"" PEFT_VERSION "\", \"qalora_group_size\": 16, \"r\": 8,"
	" \"rank_pattern\": {}, \"revision\": null, \"target_modules\": null,"
	" \"target_parameters\": null, \"task_type\": \"CAUSAL_LM\","
	" \"trainable_token_indices\": null, \"use_bdlora\": null, \"use_dora\": false,"
	" \"use_qalora\": false, \"use_rslora\": false, \"velora_config\": null}";

/* ---- what is not supported --------------------------------------------------------------------- */

/* Keys that make an adapter another function. null, false and empty values: the feature is off. */
static const char *const unsupported[] = {"alora_invocation_tokens", "arrow_config",
	"fan_in_fan_out", "kasa_config", "layer_replication", "megatron_config",
	"monteclora_config", "target_parameters", "trainable_token_indices", "use_bdlora",
	"use_qalora", "velora_config", NULL};

static int is_off(const json_t *v)
{
	return !v || json_is_null(v) || json_is_false(v) ||
	       (json_is_string(v) && json_string_length(v) == 0) ||
	       (json_is_array(v) && json_array_size(v) == 0) ||
	       (json_is_object(v) && json_object_size(v) == 0);
}

static int check_supported(const json_t *o, struct err *e)
{
	const char *type = json_string_value(json_object_get(o, "peft_type"));
	if (!type || strcasecmp(type, "LORA") != 0)
		return err_data(
			e, "peft_type '%s' is not supported, only LORA", type ? type : "(none)");
	for (const char *const *k = unsupported; *k; k++)
		if (!is_off(json_object_get(o, *k)))
			return err_data(e, "'%s' is not supported", *k);
	return 0;
}

/* ---- single values ----------------------------------------------------------------------------- */

static int read_flag(const json_t *o, const char *key, int *out, struct err *e)
{
	const json_t *v = json_object_get(o, key);
	if (!json_is_boolean(v) && !json_is_null(v))
		return err_data(e, "'%s' is neither true nor false", key);
	*out = json_is_true(v);
	return 0;
}

static int read_choice(
	const json_t *o, const char *key, const char *const *choices, int *out, struct err *e)
{
	const char *s = json_string_value(json_object_get(o, key));
	for (*out = 0; choices[*out]; (*out)++)
		if (s && strcmp(s, choices[*out]) == 0)
			return 0;
	return err_data(
		e, "'%s' is not one of %s, %s, %s", key, choices[0], choices[1], choices[2]);
}

/* These leave the base weights alone; the others (pissa, olora, loftq, corda …) train on a changed
 * base that the file does not hold. */
static int read_init(struct adapter_config *c, const json_t *v, struct err *e)
{
	const char *s = json_string_value(v);
	if (json_is_boolean(v) || json_is_null(v))
		c->init = json_is_false(v) ? ADAPTER_INIT_RANDOM : ADAPTER_INIT_DEFAULT;
	else if (s && strcasecmp(s, "gaussian") == 0)
		c->init = ADAPTER_INIT_GAUSSIAN;
	else if (s && (strcmp(s, "eva") == 0 || strcmp(s, "orthogonal") == 0))
		c->init = ADAPTER_INIT_OTHER;
	else
		return err_data(e,
			"init_lora_weights '%s' is not supported: it changes the base model",
			s ? s : "?");
	return 0;
}

static int is_rank(const json_t *v)
{
	return json_is_integer(v) && json_integer_value(v) >= 1 &&
	       json_integer_value(v) <= RANK_MAX;
}

static int read_values(struct adapter_config *c, struct err *e)
{
	static const char *const biases[] = {"none", "all", "lora_only", NULL};
	const json_t *o = c->json;
	const json_t *r = json_object_get(o, "r"), *alpha = json_object_get(o, "lora_alpha");
	const json_t *dropout = json_object_get(o, "lora_dropout");
	int bias;
	if (!is_rank(r))
		return err_data(e, "'r' is not a rank (1 to %d)", RANK_MAX);
	if (!json_is_number(alpha) || !isfinite(json_number_value(alpha)))
		return err_data(e, "'lora_alpha' is not a number");
	if (!json_is_number(dropout) ||
		!(json_number_value(dropout) >= 0 && json_number_value(dropout) < 1))
		return err_data(e, "'lora_dropout' is not a rate (0 to below 1)");
	c->r = (size_t)json_integer_value(r);
	c->alpha = json_number_value(alpha);
	c->dropout = json_number_value(dropout);
	c->base = json_string_value(json_object_get(o, "base_model_name_or_path"));
	if (read_choice(o, "bias", biases, &bias, e) || read_flag(o, "use_rslora", &c->rslora, e) ||
		read_flag(o, "use_dora", &c->dora, e) ||
		read_flag(o, "lora_bias", &c->lora_bias, e) ||
		read_flag(o, "ensure_weight_tying", &c->tie, e) ||
		read_init(c, json_object_get(o, "init_lora_weights"), e))
		return -1;
	c->bias = (enum adapter_bias)bias;
	if (c->lora_bias && c->dora)
		return err_data(e, "'lora_bias' is not supported with 'use_dora'");
	return 0;
}

/* ---- modules ----------------------------------------------------------------------------------- */

/* PEFT's "all-linear" leaves the output embedding out: the layers' projections. */
static json_t *all_linear(void)
{
	json_t *names = json_array();
	for (size_t i = 0; i < PROJ_COUNT; i++) {
		const char *dot = strrchr(proj_name[i], '.');
		json_array_append_new(names, json_string(dot ? dot + 1 : proj_name[i]));
	}
	return names;
}

static int read_list(struct adapter_names *names, const json_t *v, const char *key, struct err *e)
{
	if (!json_is_array(v))
		return err_data(e, "'%s' is no list of names", key);
	names->v = mem_alloc(json_array_size(v), sizeof *names->v);
	for (size_t i = 0; i < json_array_size(v); i++) {
		const char *name = json_string_value(json_array_get(v, i));
		if (!name || !*name)
			return err_data(e, "'%s' holds something other than names", key);
		names->v[names->n++] = name;
	}
	return 0;
}

/* Names, one expression, or nothing. */
static int read_names(struct adapter_names *names, const json_t *o, const char *key, struct err *e)
{
	const json_t *v = json_object_get(o, key);
	if (is_off(v))
		return 0;
	if (!json_is_string(v))
		return read_list(names, v, key, e);
	names->re = peft_compile("^(?:", json_string_value(v), ")\\z", e);
	return names->re ? 0 : err_prefix(e, "%s", key);
}

static int read_targets(struct adapter_config *c, struct err *e)
{
	const char *s = json_string_value(json_object_get(c->json, "target_modules"));
	if (s && strcasecmp(s, "all-linear") == 0)
		json_object_set_new(c->json, "target_modules", all_linear());
	if (read_names(&c->targets, c->json, "target_modules", e))
		return -1;
	return c->targets.n || c->targets.re ? 0 : err_data(e, "'target_modules' names nothing");
}

static int add_pattern(struct adapter_patterns *p, const char *before, const char *pattern,
	const char *after, double value, struct err *e)
{
	void *re = peft_compile(before, pattern, after, e);
	if (!re)
		return -1;
	p->v = mem_resize(p->v, p->n + 1, sizeof *p->v);
	p->v[p->n++] = (struct adapter_pattern){value, re};
	return 0;
}

static int read_patterns(
	struct adapter_patterns *out, const json_t *o, const char *key, int ranks, struct err *e)
{
	json_t *map = json_object_get(o, key), *v;
	const char *k;
	json_object_foreach(map, k, v)
	{
		if (ranks ? !is_rank(v) : !json_is_number(v))
			return err_data(e, "'%s': the value of '%s' is not a %s", key, k,
				ranks ? "rank" : "number");
		if (add_pattern(out, "^(?:.*\\.)?(?:", k, ")$", json_number_value(v), e))
			return err_prefix(e, "%s", key);
	}
	return 0;
}

static int read_saved(struct adapter_config *c, struct err *e)
{
	const json_t *v = json_object_get(c->json, "modules_to_save");
	if (is_off(v))
		return 0;
	if (read_list(&c->save, v, "modules_to_save", e))
		return -1;
	for (size_t i = 0; i < c->save.n; i++)
		if (add_pattern(&c->kept, "^(?:.*\\.)?", c->save.v[i], "(?:$|\\.)", 0, e))
			return err_prefix(e, "modules_to_save");
	return 0;
}

static int check_layers(const json_t *v, struct err *e)
{
	int ok = json_is_integer(v) || json_is_array(v);
	for (size_t i = 0; i < json_array_size(v); i++)
		ok &= json_is_integer(json_array_get(v, i));
	return ok ? 0 : err_data(e, "'layers_to_transform' is neither a number nor numbers");
}

/* The number after the first name that the pattern is for, or after any name. */
static int read_layers(struct adapter_config *c, struct err *e)
{
	struct adapter_names names = {0};
	const json_t *pattern = json_object_get(c->json, "layers_pattern");
	c->layer = json_object_get(c->json, "layers_to_transform");
	if (is_off(c->layer))
		return is_off(pattern)
			       ? 0
			       : err_data(e, "'layers_pattern' needs 'layers_to_transform'");
	if (c->targets.re)
		return err_data(e, "'layers_to_transform' needs a list in 'target_modules'");
	int rc = check_layers(c->layer, e);
	const char *one = json_string_value(pattern);
	if (!rc && is_off(pattern))
		return add_pattern(&c->layers, "^.*?\\.[^.]*\\.(\\d+)\\.", "", "", 0, e);
	if (!rc && !one)
		rc = read_list(&names, pattern, "layers_pattern", e);
	for (size_t i = 0; !rc && i < (one ? 1 : names.n); i++)
		rc = add_pattern(
			&c->layers, "^(?:|.*?\\.)", one ? one : names.v[i], "\\.(\\d+)\\.", 0, e);
	mem_free(names.v);
	return rc;
}

/* ---- the whole --------------------------------------------------------------------------------- */

/* The fields that PEFT knows, as they are or by default. */
static json_t *known_fields(json_t *o)
{
	json_t *all = json_loads(defaults, 0, NULL), *v;
	const char *key;
	void *next;
	json_object_foreach_safe(all, next, key, v)
	{
		json_t *given = json_object_get(o, key);
		if (given && strcmp(key, "peft_version") != 0 && strcmp(key, "inference_mode") != 0)
			json_object_set(all, key, given);
	}
	return all;
}

int adapter_config_from(struct adapter_config *c, json_t *o, struct err *e)
{
	*c = (struct adapter_config){0};
	if (!json_is_object(o))
		return err_data(e, "not an object");
	c->json = known_fields(o);
	if (check_supported(o, e) || read_values(c, e) || read_targets(c, e) ||
		read_names(&c->exclude, c->json, "exclude_modules", e) || read_saved(c, e) ||
		read_layers(c, e) || read_patterns(&c->ranks, c->json, "rank_pattern", 1, e) ||
		read_patterns(&c->alphas, c->json, "alpha_pattern", 0, e)) {
		adapter_config_done(c);
		return -1;
	}
	return 0;
}

int adapter_config_tie(struct adapter_config *c, struct err *e)
{
	if (!adapter_saves(c, ADAPTER_HEAD) && !adapter_saves(c, ADAPTER_EMBED))
		return 0;
	json_t *o = json_deep_copy(c->json), *names = json_array(), *all, *name;
	size_t i;
	all = json_object_get(o, "modules_to_save");
	int named = 0;
	json_array_foreach(all, i, name)
	{
		struct adapter_config one = {.save = {.v = &c->save.v[i], .n = 1}};
		named |= strcmp(c->save.v[i], ADAPTER_EMBED) == 0;
		if (!adapter_saves(&one, ADAPTER_HEAD))
			json_array_append(names, name);
	}
	if (!named)
		json_array_append_new(names, json_string(ADAPTER_EMBED));
	json_object_set_new(o, "modules_to_save", names);
	adapter_config_done(c);
	int rc = adapter_config_from(c, o, e);
	json_decref(o);
	return rc;
}

int adapter_parse_config(struct adapter_config *c, const char *text, size_t len, struct err *e)
{
	json_t *o = json_read_bytes(text, len, e);
	int rc = o ? adapter_config_from(c, o, e) : -1;
	json_decref(o);
	return rc;
}

int adapter_read_config(struct adapter_config *c, const char *dir, struct err *e)
{
	enum { CONFIG_MAX = 16 << 20 };
	char *path = io_path(dir, "adapter_config.json");
	size_t len;
	char *text = io_read_file(path, CONFIG_MAX, &len, e);
	int rc = -1;
	if (text) {
		rc = adapter_parse_config(c, text, len, e);
		if (rc)
			err_prefix(e, "%s", path);
	}
	mem_free(text);
	mem_free(path);
	return rc;
}

static void names_done(struct adapter_names *names)
{
	mem_free(names->v);
	peft_free(names->re);
}

static void patterns_done(struct adapter_patterns *p)
{
	for (size_t i = 0; i < p->n; i++)
		peft_free(p->v[i].re);
	mem_free(p->v);
}

void adapter_config_done(struct adapter_config *c)
{
	names_done(&c->targets);
	names_done(&c->exclude);
	names_done(&c->save);
	patterns_done(&c->kept);
	patterns_done(&c->layers);
	patterns_done(&c->ranks);
	patterns_done(&c->alphas);
	json_decref(c->json);
	*c = (struct adapter_config){0};
}

char *adapter_config_json(const struct adapter_config *c)
{
	struct str s = {0};
	json_write_pretty(&s, c->json, 1);
	return str_take(&s);
}
