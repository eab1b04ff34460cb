/*
 * PEFT's adapter_config.json and adapter_model.safetensors. Reading takes what changes the function
 * (r, alpha, targets, patterns), ignores what only says how training began, and refuses by name
 * what would make the adapter another function than base + scale * B A. Which sites a model has is
 * adapter.c's affair.
 */
#include "common/model/adapter.h"

#include "common/io.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/model/arch.h"
#include "common/safetensors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* The version whose files these are; goes into peft_version. */
#define PEFT_VERSION "0.21.2"

/* Far above any use; keeps r times a dimension from overflowing anything. */
enum { RANK_MAX = 1 << 16, MATCH_LIMIT = 100000 };

/* ---- patterns -------------------------------------------------------------------------------- */

/* Python's re, of which these patterns use what PCRE2 has too. NULL and *e on a bad one. */
static void *compile(const char *before, const char *pattern, const char *after, struct err *e)
{
	char *text = mem_printf("%s%s%s", before, pattern, after);
	int code;
	PCRE2_SIZE at;
	pcre2_code *re =
		pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, PCRE2_UTF, &code, &at, NULL);
	if (!re) {
		char why[200];
		pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
		err_data(e, "bad pattern '%s': %s", pattern, why);
	}
	mem_free(text);
	return re;
}

static int matches(const void *re, const char *subject)
{
	pcre2_match_data *m = pcre2_match_data_create(1, NULL);
	pcre2_match_context *limits = pcre2_match_context_create(NULL);
	int rc = -1;
	if (m && limits) {
		pcre2_set_match_limit(limits, MATCH_LIMIT);
		rc = pcre2_match(re, (PCRE2_SPTR)subject, PCRE2_ZERO_TERMINATED, 0, 0, m, limits);
	}
	pcre2_match_context_free(limits);
	pcre2_match_data_free(m);
	return rc >= 0;
}

int adapter_targets(const struct adapter_config *c, const char *module)
{
	if (c->target_re)
		return matches(c->target_re, module);
	size_t len = strlen(module);
	for (size_t i = 0; i < c->ntargets; i++) {
		size_t n = strlen(c->targets[i]);
		if (n > len || strcmp(module + len - n, c->targets[i]) != 0)
			continue;
		if (n == len || module[len - n - 1] == '.')
			return 1;
	}
	return 0;
}

static double pattern_value(
	const struct adapter_pattern *p, size_t n, const char *module, double otherwise)
{
	for (size_t i = 0; i < n; i++)
		if (matches(p[i].re, module))
			return p[i].value;
	return otherwise;
}

size_t adapter_rank(const struct adapter_config *c, const char *module)
{
	return (size_t)pattern_value(c->ranks, c->nranks, module, (double)c->r);
}

float adapter_scale(const struct adapter_config *c, const char *module)
{
	double r = (double)adapter_rank(c, module);
	double alpha = pattern_value(c->alphas, c->nalphas, module, c->alpha);
	return (float)(alpha / (c->rslora ? sqrt(r) : r));
}

/* ---- reading the config ---------------------------------------------------------------------- */

/* Keys that make an adapter another function, or one that only a part of these programs would
 * understand. null, false, "none" and empty values mean that the feature is off. */
static const char *const unsupported[] = {"alora_invocation_tokens", "arrow_config", "bias",
	"ensure_weight_tying", "exclude_modules", "fan_in_fan_out", "kasa_config",
	"layer_replication", "layers_pattern", "layers_to_transform", "lora_bias",
	"megatron_config", "modules_to_save", "monteclora_config", "target_parameters",
	"trainable_token_indices", "use_bdlora", "use_dora", "use_qalora", "velora_config", NULL};

static int is_off(const json_t *v)
{
	const char *s = json_string_value(v);
	return !v || json_is_null(v) || json_is_false(v) ||
	       (s && (!*s || strcmp(s, "none") == 0)) ||
	       (json_is_array(v) && json_array_size(v) == 0) ||
	       (json_is_object(v) && json_object_size(v) == 0);
}

/* These initialisations leave the base weights alone; the others (pissa, olora, loftq, corda …)
 * train on a changed base that the file does not hold. */
static int init_is_plain(const json_t *v)
{
	static const char *const plain[] = {"gaussian", "eva", "orthogonal"};
	if (!v || json_is_null(v) || json_is_boolean(v))
		return 1;
	const char *s = json_string_value(v);
	for (size_t i = 0; s && i < sizeof plain / sizeof *plain; i++)
		if (strcmp(s, plain[i]) == 0)
			return 1;
	return 0;
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
	const json_t *init = json_object_get(o, "init_lora_weights");
	if (!init_is_plain(init))
		return err_data(e,
			"init_lora_weights '%s' is not supported: it changes the base model",
			json_is_string(init) ? json_string_value(init) : "?");
	return 0;
}

static int is_rank(const json_t *v)
{
	return json_is_integer(v) && json_integer_value(v) >= 1 &&
	       json_integer_value(v) <= RANK_MAX;
}

static int read_numbers(struct adapter_config *c, const json_t *o, struct err *e)
{
	const json_t *r = json_object_get(o, "r"), *alpha = json_object_get(o, "lora_alpha");
	const json_t *dropout = json_object_get(o, "lora_dropout");
	if (!is_rank(r))
		return err_data(e, "'r' is not a rank (1 to %d)", RANK_MAX);
	if (!json_is_number(alpha) || !isfinite(json_number_value(alpha)))
		return err_data(e, "'lora_alpha' is not a number");
	if (dropout && !(json_number_value(dropout) >= 0 && json_number_value(dropout) < 1))
		return err_data(e, "'lora_dropout' is not a rate (0 to below 1)");
	c->r = (size_t)json_integer_value(r);
	c->alpha = json_number_value(alpha);
	c->dropout = json_number_value(dropout);
	c->rslora = json_is_true(json_object_get(o, "use_rslora"));
	const char *base = json_string_value(json_object_get(o, "base_model_name_or_path"));
	c->base = base ? mem_strdup(base) : NULL;
	return 0;
}

/* PEFT's "all-linear" leaves the output embedding out: the layers' projections. */
static void target_all_linear(struct adapter_config *c)
{
	c->targets = mem_alloc(PROJ_COUNT, sizeof *c->targets);
	for (size_t i = 0; i < PROJ_COUNT; i++) {
		const char *dot = strrchr(proj_name[i], '.');
		c->targets[c->ntargets++] = mem_strdup(dot ? dot + 1 : proj_name[i]);
	}
}

void adapter_set_targets(struct adapter_config *c, const char *list)
{
	if (strcasecmp(list, "all-linear") == 0) {
		target_all_linear(c);
		return;
	}
	size_t cap = 0;
	for (const char *p = list; *p;) {
		size_t n = strcspn(p, ",");
		mem_grow(&c->targets, &cap, c->ntargets + 1, sizeof *c->targets);
		if (n)
			c->targets[c->ntargets++] = mem_strndup(p, n);
		p += n + (p[n] == ',');
	}
}

static int read_targets(struct adapter_config *c, const json_t *v, struct err *e)
{
	const char *s = json_string_value(v);
	if (s && strcasecmp(s, "all-linear") == 0) {
		target_all_linear(c);
		return 0;
	}
	if (s) {
		c->target_regex = mem_strdup(s);
		c->target_re = compile("^(?:", s, ")\\z", e);
		return c->target_re ? 0 : err_prefix(e, "target_modules");
	}
	if (json_array_size(v) == 0)
		return err_data(e, "'target_modules' names nothing");
	c->targets = mem_alloc(json_array_size(v), sizeof *c->targets);
	for (size_t i = 0; i < json_array_size(v); i++) {
		const char *name = json_string_value(json_array_get(v, i));
		if (!name)
			return err_data(e, "'target_modules' holds something other than names");
		c->targets[c->ntargets++] = mem_strdup(name);
	}
	return 0;
}

static int read_patterns(struct adapter_pattern **out, size_t *n, const json_t *o, const char *key,
	int ranks, struct err *e)
{
	json_t *map = json_object_get(o, key), *v;
	const char *k;
	*out = mem_zalloc(json_object_size(map), sizeof **out);
	json_object_foreach(map, k, v)
	{
		if (ranks ? !is_rank(v) : !json_is_number(v))
			return err_data(e, "'%s': the value of '%s' is not a %s", key, k,
				ranks ? "rank" : "number");
		struct adapter_pattern *p = &(*out)[(*n)++];
		p->key = mem_strdup(k);
		p->value = json_number_value(v);
		p->re = compile("^(?:.*\\.)?(?:", k, ")$", e);
		if (!p->re)
			return err_prefix(e, "%s", key);
	}
	return 0;
}

static int read_object(struct adapter_config *c, const json_t *o, struct err *e)
{
	if (!json_is_object(o))
		return err_data(e, "not an object");
	if (check_supported(o, e) || read_numbers(c, o, e) ||
		read_targets(c, json_object_get(o, "target_modules"), e) ||
		read_patterns(&c->ranks, &c->nranks, o, "rank_pattern", 1, e) ||
		read_patterns(&c->alphas, &c->nalphas, o, "alpha_pattern", 0, e))
		return -1;
	return 0;
}

int adapter_parse_config(struct adapter_config *c, const char *text, size_t len, struct err *e)
{
	*c = (struct adapter_config){0};
	json_t *o = json_read_bytes(text, len, e);
	int rc = o ? read_object(c, o, e) : -1;
	json_decref(o);
	if (rc)
		adapter_config_done(c);
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

static void patterns_done(struct adapter_pattern *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		mem_free(p[i].key);
		pcre2_code_free(p[i].re);
	}
	mem_free(p);
}

void adapter_config_done(struct adapter_config *c)
{
	for (size_t i = 0; i < c->ntargets; i++)
		mem_free(c->targets[i]);
	mem_free(c->targets);
	mem_free(c->target_regex);
	pcre2_code_free(c->target_re);
	patterns_done(c->ranks, c->nranks);
	patterns_done(c->alphas, c->nalphas);
	mem_free(c->base);
	*c = (struct adapter_config){0};
}

/* ---- writing the config ---------------------------------------------------------------------- */

/* Python keeps 32 and 32.0 apart; a whole alpha is written as the integer it was given as. */
static json_t *number(double v)
{
	return v == floor(v) && fabs(v) < 1e15 ? json_integer((json_int_t)v) : json_real(v);
}

static json_t *patterns_json(const struct adapter_pattern *p, size_t n)
{
	json_t *o = json_object();
	for (size_t i = 0; i < n; i++)
		json_object_set_new(o, p[i].key, number(p[i].value));
	return o;
}

static json_t *targets_json(const struct adapter_config *c)
{
	if (c->target_regex)
		return json_string(c->target_regex);
	json_t *a = json_array();
	for (size_t i = 0; i < c->ntargets; i++)
		json_array_append_new(a, json_string(c->targets[i]));
	return a;
}

/* The fields that hold their default in everything written here. */
static const char defaults[] =
	"{\"alora_invocation_tokens\": null, \"arrow_config\": null, \"auto_mapping\": null,"
	" \"bias\": \"none\", \"corda_config\": null, \"ensure_weight_tying\": false,"
	" \"eva_config\": null, \"exclude_modules\": null, \"fan_in_fan_out\": false,"
	" \"inference_mode\": true, \"init_lora_weights\": true, \"kasa_config\": null,"
	" \"layer_replication\": null, \"layers_pattern\": null, \"layers_to_transform\": null,"
	" \"loftq_config\": {}, \"lora_bias\": false, \"lora_ga_config\": null,"
	" \"megatron_config\": null, \"megatron_core\": \"megatron.core\","
	" \"modules_to_save\": null, \"monteclora_config\": null, \"peft_type\": \"LORA\","
	" \"peft_version\": \"" PEFT_VERSION "\", \"qalora_group_size\": 16, \"revision\": null,"
	" \"target_parameters\": null, \"task_type\": \"CAUSAL_LM\","
	" \"trainable_token_indices\": null, \"use_bdlora\": null, \"use_dora\": false,"
	" \"use_qalora\": false, \"velora_config\": null}";

char *adapter_config_json(const struct adapter_config *c)
{
	json_t *o = json_loads(defaults, 0, NULL);
	json_object_set_new(
		o, "base_model_name_or_path", c->base ? json_string(c->base) : json_null());
	json_object_set_new(o, "r", json_integer((json_int_t)c->r));
	json_object_set_new(o, "lora_alpha", number(c->alpha));
	json_object_set_new(o, "lora_dropout", json_real(c->dropout));
	json_object_set_new(o, "use_rslora", json_boolean(c->rslora));
	json_object_set_new(o, "target_modules", targets_json(c));
	json_object_set_new(o, "rank_pattern", patterns_json(c->ranks, c->nranks));
	json_object_set_new(o, "alpha_pattern", patterns_json(c->alphas, c->nalphas));
	struct str s = {0};
	json_write_pretty(&s, o, 1);
	json_decref(o);
	return str_take(&s);
}

/* ---- tensors --------------------------------------------------------------------------------- */

static int read_tensor(const struct st *s, struct params *ps, size_t i, const struct kernels *k,
	struct kctx *c, struct err *e)
{
	const struct param *p = &ps->p[i];
	const struct st_tensor *t = st_find(s, p->name);
	if (!t)
		return err_data(e, "tensor '%s' is missing", p->name);
	char shape[200];
	st_shape_text(t, shape);
	if (t->rank != 2 || t->shape[0] != p->rows || t->shape[1] != p->cols)
		return err_data(e, "tensor '%s' is %s, the model asks for [%zu, %zu]", p->name,
			shape, p->rows, p->cols);
	if (!dtype_info[t->dtype].is_float)
		return err_data(
			e, "tensor '%s' is of type %s", p->name, dtype_info[t->dtype].st_name);
	float *v = mem_alloc(t->elements, sizeof *v);
	dtype_to_f32(t->dtype, t->data, v, t->elements);
	int rc = k->write(c, param_value(ps, i).p, v, t->elements * sizeof *v);
	mem_free(v);
	return rc ? err_set(e, STATUS_SYSTEM, "tensor '%s': the device refused it", p->name) : 0;
}

/* A tensor that no site takes would be silently lost. */
static int check_all_used(
	const struct adapter *a, const struct params *ps, const struct st *s, struct err *e)
{
	if (s->n == 2 * a->nsites)
		return 0; /* all were found, and names are unique */
	for (size_t i = 0; i < s->n; i++) {
		int used = 0;
		for (size_t j = 0; j < a->nsites && !used; j++)
			used = strcmp(s->t[i].name, ps->p[a->sites[j].a].name) == 0 ||
			       strcmp(s->t[i].name, ps->p[a->sites[j].b].name) == 0;
		if (!used)
			return err_data(e, "tensor '%s' fits nothing in the model", s->t[i].name);
	}
	return 0;
}

static int read_tensors(const struct adapter *a, struct params *ps, const struct kernels *k,
	struct kctx *c, const struct st *s, struct err *e)
{
	for (size_t j = 0; j < a->nsites; j++)
		if (read_tensor(s, ps, a->sites[j].a, k, c, e) ||
			read_tensor(s, ps, a->sites[j].b, k, c, e))
			return -1;
	return check_all_used(a, ps, s, e);
}

int adapter_read_tensors(const struct adapter *a, struct params *ps, const struct kernels *k,
	struct kctx *c, const char *dir, struct err *e)
{
	struct st s;
	char *path = io_path(dir, "adapter_model.safetensors");
	int rc = st_open_file(&s, path, e);
	if (!rc) {
		rc = read_tensors(a, ps, k, c, &s, e);
		if (rc)
			err_prefix(e, "%s", path);
		st_close(&s);
	}
	mem_free(path);
	return rc;
}
