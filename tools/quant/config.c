#include "tools/quant/config.h"

#include "common/json.h"
#include "common/mem.h"

#include <string.h>

#define KEY "quantization_config"

int config_check(const json_t *config, int dequantize, struct err *e)
{
	const json_t *has = json_object_get(config, KEY);
	struct bnb_config c;
	if (dequantize)
		return has ? bnb_read_config(&c, has, e)
			   : err_data(e, "the model is not quantised");
	return has ? err_data(e,
			     "the model is quantised already: '--dequantize' gives its floats back")
		   : 0;
}

/* transformers 5 says "dtype", 4 "torch_dtype". */
static const char *dtype_key(const json_t *config)
{
	return json_object_get(config, "dtype") ? "dtype" : "torch_dtype";
}

int config_dtype(const json_t *config)
{
	const char *name = json_string_value(json_object_get(config, dtype_key(config)));
	int dtype = name ? dtype_by_torch_name(name) : -1;
	return dtype >= 0 && dtype_info[dtype].is_float ? dtype : -1;
}

static json_t *skip_list(const char *skip)
{
	if (!skip)
		return json_null();
	json_t *list = json_array();
	for (const char *s = skip; *s;) {
		size_t len = strcspn(s, ",");
		if (len)
			json_array_append_new(list, json_stringn(s, len));
		s += len + (s[len] == ',');
	}
	return list;
}

/* Every field of BitsAndBytesConfig; those of 4 bits have its defaults when it is int8. */
static json_t *quantization(const struct settings *set, const char *compute, const char *skip)
{
	int four = set->type != DT_INT8;
	json_t *q = json_object();
	json_object_set_new(q, "_load_in_4bit", json_boolean(four));
	json_object_set_new(q, "_load_in_8bit", json_boolean(!four));
	json_object_set_new(q, "bnb_4bit_compute_dtype", json_string(four ? compute : "float32"));
	json_object_set_new(q, "bnb_4bit_quant_storage",
		json_string(four ? dtype_info[set->storage].torch_name : "uint8"));
	json_object_set_new(
		q, "bnb_4bit_quant_type", json_string(set->type == DT_NF4 ? "nf4" : "fp4"));
	json_object_set_new(q, "bnb_4bit_use_double_quant", json_boolean(four && set->nested));
	json_object_set_new(q, "llm_int8_enable_fp32_cpu_offload", json_false());
	json_object_set_new(q, "llm_int8_has_fp16_weight", json_false());
	json_object_set_new(q, "llm_int8_skip_modules", skip_list(skip));
	json_object_set_new(q, "llm_int8_threshold", json_real(6));
	json_object_set_new(q, "load_in_4bit", json_boolean(four));
	json_object_set_new(q, "load_in_8bit", json_boolean(!four));
	json_object_set_new(q, "quant_method", json_string("bitsandbytes"));
	return q;
}

/* With `q` (taken over) or, when NULL, without any. */
static char *text(const json_t *config, int dtype, json_t *q, size_t *len)
{
	struct str s = {0};
	json_t *c = json_copy((json_t *)config);
	if (dtype >= 0)
		json_object_set_new(c, dtype_key(c), json_string(dtype_info[dtype].torch_name));
	if (q)
		json_object_set_new(c, KEY, q);
	else
		json_object_del(c, KEY);
	json_write_pretty(&s, c, 1);
	str_addc(&s, '\n');
	json_decref(c);
	*len = s.len;
	return str_take(&s);
}

char *config_quantised(const json_t *config, const struct settings *set, const char *compute,
	const char *skip, size_t *len)
{
	return text(config, set->dtype, quantization(set, compute, skip), len);
}

char *config_dequantised(const json_t *config, int dtype, size_t *len)
{
	return text(config, dtype, NULL, len);
}
