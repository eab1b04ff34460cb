/*
 * Which modules a configuration means, as PEFT 0.21.2 decides it (tuners_utils.py,
 * check_target_module_exists; utils/other.py, get_pattern_key and set_additional_trainable_modules),
 * and what tensors are called.
 */
#include "common/model/peft_int.h"

#include "common/mem.h"
#include "common/str.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum { MATCH_LIMIT = 100000 };

#define PREFIX "base_model.model."

void *peft_compile(const char *before, const char *pattern, const char *after, struct err *e)
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

void peft_free(void *re)
{
	pcre2_code_free(re);
}

/* Whether it matches; group 1 to *number, when that is asked for. */
static int find(const void *re, const char *subject, long *number)
{
	pcre2_match_data *m = pcre2_match_data_create_from_pattern(re, NULL);
	pcre2_match_context *limits = pcre2_match_context_create(NULL);
	int rc = -1;
	if (m && limits) {
		pcre2_set_match_limit(limits, MATCH_LIMIT);
		rc = pcre2_match(re, (PCRE2_SPTR)subject, PCRE2_ZERO_TERMINATED, 0, 0, m, limits);
	}
	if (rc > 1 && number)
		*number = strtol(subject + pcre2_get_ovector_pointer(m)[2], NULL, 10);
	pcre2_match_context_free(limits);
	pcre2_match_data_free(m);
	return rc >= 0;
}

/* ---- modules ----------------------------------------------------------------------------------- */

static int ends_with(const char *s, size_t len, const char *end)
{
	size_t n = strlen(end);
	return n <= len && memcmp(s + len - n, end, n) == 0;
}

enum { NAMED_END = 1, NAMED_WHOLE };

/* How names mean a module: not at all, by its end, or by the whole path. */
static int named(const struct adapter_names *names, const char *module)
{
	if (names->re)
		return find(names->re, module, NULL) ? NAMED_WHOLE : 0;
	size_t len = strlen(module);
	for (size_t i = 0; i < names->n; i++) {
		size_t n = strlen(names->v[i]);
		if (ends_with(module, len, names->v[i]) && (n == len || module[len - n - 1] == '.'))
			return n == len ? NAMED_WHOLE : NAMED_END;
	}
	return 0;
}

static const struct adapter_pattern *first_match(
	const struct adapter_patterns *p, const char *module, long *number)
{
	for (size_t i = 0; i < p->n; i++)
		if (find(p->v[i].re, module, number))
			return &p->v[i];
	return NULL;
}

static int in_layers(const struct adapter_config *c, const char *module)
{
	long layer;
	if (!c->layers.n)
		return 1;
	if (!first_match(&c->layers, module, &layer))
		return 0;
	if (json_is_integer(c->layer))
		return json_integer_value(c->layer) == layer;
	for (size_t i = 0; i < json_array_size(c->layer); i++)
		if (json_integer_value(json_array_get(c->layer, i)) == layer)
			return 1;
	return 0;
}

int adapter_targets(const struct adapter_config *c, const char *module)
{
	if (named(&c->exclude, module) || first_match(&c->kept, module, NULL))
		return 0;
	int how = named(&c->targets, module);
	return how == NAMED_WHOLE || (how == NAMED_END && in_layers(c, module));
}

static double pattern_value(const struct adapter_patterns *p, const char *module, double otherwise)
{
	const struct adapter_pattern *found = first_match(p, module, NULL);
	return found ? found->value : otherwise;
}

size_t adapter_rank(const struct adapter_config *c, const char *module)
{
	return (size_t)pattern_value(&c->ranks, module, (double)c->r);
}

float adapter_scale(const struct adapter_config *c, const char *module)
{
	double r = (double)adapter_rank(c, module);
	double alpha = pattern_value(&c->alphas, module, c->alpha);
	return (float)(alpha / (c->rslora ? sqrt(r) : r));
}

int adapter_saves(const struct adapter_config *c, const char *module)
{
	for (size_t len = strlen(module); len > 0; len--) {
		if (module[len] && module[len] != '.')
			continue;
		for (size_t i = 0; i < c->save.n; i++)
			if (ends_with(module, len, c->save.v[i]))
				return 1;
	}
	return 0;
}

/* ---- names ------------------------------------------------------------------------------------- */

static const char *const part_name[] = {
	[ADAPTER_A] = "lora_A.weight",
	[ADAPTER_B] = "lora_B.weight",
	[ADAPTER_B_BIAS] = "lora_B.bias",
	[ADAPTER_MAGNITUDE] = "lora_magnitude_vector",
	[ADAPTER_EMBEDDING_A] = "lora_embedding_A",
	[ADAPTER_EMBEDDING_B] = "lora_embedding_B",
	[ADAPTER_COPY] = "base_layer.weight",
	[ADAPTER_WEIGHT] = "weight",
	[ADAPTER_BIAS] = "bias",
};
enum { PARTS = sizeof part_name / sizeof *part_name };
#define BASE_BIAS "base_layer.bias"

/* Length of the module in a name that ends in ".part", else 0. */
static size_t module_before(const char *name, const char *part)
{
	size_t len = strlen(name), n = strlen(part);
	return ends_with(name, len, part) && len > n + 1 && name[len - n - 1] == '.' ? len - n - 1
										     : 0;
}

int adapter_name_parse(const char *name, char **module, enum adapter_part *part)
{
	if (strncmp(name, PREFIX, sizeof PREFIX - 1) != 0)
		return 0;
	name += sizeof PREFIX - 1;
	*part = ADAPTER_BIAS;
	size_t len = module_before(name, BASE_BIAS);
	for (int i = 0; i < PARTS && !len; i++) {
		*part = (enum adapter_part)i;
		len = module_before(name, part_name[i]);
	}
	if (len)
		*module = mem_strndup(name, len);
	return len > 0;
}

char *adapter_name(const char *module, enum adapter_part part, int adapted)
{
	const char *end = part == ADAPTER_BIAS && adapted ? BASE_BIAS : part_name[part];
	return mem_printf(PREFIX "%s.%s", module, end);
}
