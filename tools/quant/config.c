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

int config_dtype(const json_t *config)
{
	const char *name = json_string_value(json_object_get(config, modeldir_dtype_key(config)));
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
static json_t *quantization(const struct quant_form *form, const char *compute, const char *skip)
{
	int four = form->type != DT_INT8;
	json_t *q = json_object();
	json_object_set_new(q, "_load_in_4bit", json_boolean(four));
	json_object_set_new(q, "_load_in_8bit", json_boolean(!four));
	json_object_set_new(q, "bnb_4bit_compute_dtype", json_string(four ? compute : "float32"));
	json_object_set_new(q, "bnb_4bit_quant_storage",
		json_string(four ? dtype_info[form->storage].torch_name : "uint8"));
	json_object_set_new(
		q, "bnb_4bit_quant_type", json_string(form->type == DT_NF4 ? "nf4" : "fp4"));
	json_object_set_new(q, "bnb_4bit_use_double_quant", json_boolean(four && form->nested));
	json_object_set_new(q, "llm_int8_enable_fp32_cpu_offload", json_false());
	json_object_set_new(q, "llm_int8_has_fp16_weight", json_false());
	json_object_set_new(q, "llm_int8_skip_modules", skip_list(skip));
	json_object_set_new(q, "llm_int8_threshold", json_real(6));
	json_object_set_new(q, "load_in_4bit", json_boolean(four));
	json_object_set_new(q, "load_in_8bit", json_boolean(!four));
	json_object_set_new(q, "quant_method", json_string("bitsandbytes"));
	return q;
}

char *config_quantised(const json_t *config, const struct quant_form *form, int dtype,
	const char *compute, const char *skip, size_t *len)
{
	json_t *q = quantization(form, compute, skip);
	char *text = modeldir_config(config, dtype, 0, q, len);
	json_decref(q);
	return text;
}
