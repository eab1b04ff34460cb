#include "common/model/config.h"

#include "common/io.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/model/arch.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Beyond these a config.json is a mistake or an attack; products of two of them fit in 64 bits. */
enum { MAX_SIZE = 1 << 24, MAX_LAYERS = 1 << 12, MAX_HEADS = 1 << 12 };

/* Reads a positive integer; absent or null: `absent`, where 0 means that it must be there. */
static int get_size(
	const json_t *o, const char *key, size_t absent, size_t max, size_t *out, struct err *e)
{
	const json_t *v = json_object_get(o, key);
	if (!v || json_is_null(v)) {
		*out = absent;
		return absent ? 0 : err_data(e, "'%s' is missing", key);
	}
	if (!json_is_integer(v) || json_integer_value(v) < 1 ||
		(uint64_t)json_integer_value(v) > max)
		return err_data(e, "'%s' must be an integer from 1 to %zu", key, max);
	*out = (size_t)json_integer_value(v);
	return 0;
}

static int get_real(const json_t *o, const char *key, double absent, float *out, struct err *e)
{
	const json_t *v = json_object_get(o, key);
	if (v && !json_is_null(v) && !json_is_number(v))
		return err_data(e, "'%s' must be a number", key);
	double x = json_is_number(v) ? json_number_value(v) : absent;
	if (!(x >= 0) || !isfinite(x))
		return err_data(e, "'%s' must not be negative", key);
	*out = (float)x;
	return 0;
}

static int get_flag(const json_t *o, const char *key, int absent, int *out, struct err *e)
{
	const json_t *v = json_object_get(o, key);
	if (v && !json_is_null(v) && !json_is_boolean(v))
		return err_data(e, "'%s' must be true or false", key);
	*out = json_is_boolean(v) ? json_is_true(v) : absent;
	return 0;
}

static int read_arch(struct model_config *c, const json_t *root, struct err *e)
{
	const char *name =
		json_string_value(json_array_get(json_object_get(root, "architectures"), 0));
	const char *type = json_string_value(json_object_get(root, "model_type"));
	for (const struct model_arch *a = model_archs; a->name; a++) {
		if (name ? strcmp(a->name, name) == 0 : type && strcmp(a->model_type, type) == 0) {
			c->arch = a;
			return 0;
		}
	}
	return err_data(e, "architecture '%s' is not supported",
		name   ? name
		: type ? type
		       : "(none given)");
}

static int read_dtype(struct model_config *c, const json_t *root, struct err *e)
{
	const json_t *v = json_object_get(root, "dtype");
	if (!v || json_is_null(v))
		v = json_object_get(root, "torch_dtype");
	c->dtype = DT_F32;
	if (!v || json_is_null(v))
		return 0;
	int t = json_is_string(v) ? dtype_by_torch_name(json_string_value(v)) : -1;
	if (t < 0 || !dtype_info[t].is_float)
		return err_data(e, "'dtype' is not one of float32, float16, bfloat16");
	c->dtype = (enum dtype)t;
	return 0;
}

static int read_sizes(struct model_config *c, const json_t *root, struct err *e)
{
	if (get_size(root, "vocab_size", 0, MAX_SIZE, &c->vocab, e) < 0 ||
		get_size(root, "hidden_size", 0, MAX_SIZE, &c->dim, e) < 0 ||
		get_size(root, "intermediate_size", 0, MAX_SIZE, &c->ffn, e) < 0 ||
		get_size(root, "num_hidden_layers", 0, MAX_LAYERS, &c->layers, e) < 0 ||
		get_size(root, "num_attention_heads", 0, MAX_HEADS, &c->heads, e) < 0 ||
		get_size(root, "num_key_value_heads", c->heads, MAX_HEADS, &c->kv_heads, e) < 0 ||
		get_size(root, "max_position_embeddings", 2048, SIZE_MAX, &c->max_positions, e) < 0)
		return -1;
	if (c->heads % c->kv_heads)
		return err_data(e, "%zu attention heads are not a multiple of %zu key-value heads",
			c->heads, c->kv_heads);
	if (get_size(root, "head_dim", c->dim / c->heads, MAX_SIZE, &c->head_dim, e) < 0)
		return -1;
	return 0;
}

/* sliding_window counts unless use_sliding_window (Qwen2) says otherwise. */
static int read_window(struct model_config *c, const json_t *root, struct err *e)
{
	int use;
	const json_t *v = json_object_get(root, "sliding_window");
	if (get_flag(root, "use_sliding_window", c->arch->window > 0, &use, e) < 0)
		return -1;
	c->window = 0;
	if (!use || json_is_null(v))
		return 0;
	return get_size(root, "sliding_window", c->arch->window, SIZE_MAX, &c->window, e);
}

static int read_facts(struct model_config *c, const json_t *root, struct err *e)
{
	const json_t *quant = json_object_get(root, "quantization_config");
	c->quantised = quant && !json_is_null(quant);
	if (c->quantised && bnb_read_config(&c->quant, quant, e) < 0)
		return -1;
	const char *act = json_string_value(json_object_get(root, "hidden_act"));
	if (act && strcmp(act, "silu") != 0)
		return err_data(e, "activation '%s' is not supported (silu is)", act);
	int attention_bias;
	if (read_arch(c, root, e) < 0 || read_sizes(c, root, e) < 0 || read_dtype(c, root, e) < 0 ||
		read_window(c, root, e) < 0 || rope_init(c, root, e) < 0 ||
		get_real(root, "rms_norm_eps", 1e-6, &c->rms_eps, e) < 0 ||
		get_real(root, "initializer_range", 0.02, &c->init_range, e) < 0 ||
		get_flag(root, "tie_word_embeddings", 0, &c->tied, e) < 0 ||
		get_flag(root, "attention_bias", 0, &attention_bias, e) < 0 ||
		get_flag(root, "mlp_bias", 0, &c->mlp_bias, e) < 0)
		return -1;
	c->qkv_bias = attention_bias || c->arch->qkv_bias;
	c->o_bias = attention_bias;
	return 0;
}

int model_config_load(struct model_config *c, const char *dir, struct err *e)
{
	*c = (struct model_config){0};
	char *path = io_path(dir, "config.json");
	json_t *root = json_read_file(path, e);
	int rc = -1;
	if (root) {
		rc = json_is_object(root) ? read_facts(c, root, e)
					  : err_data(e, "not a JSON object");
		if (rc < 0)
			err_prefix(e, "%s", path);
	}
	json_decref(root);
	mem_free(path);
	if (rc < 0)
		model_config_done(c);
	return rc;
}

void model_config_proj(const struct model_config *c, int proj, size_t *out, size_t *in)
{
	size_t q = c->heads * c->head_dim, kv = c->kv_heads * c->head_dim;
	const size_t shape[PROJ_COUNT][2] = {
		[PROJ_Q] = {q, c->dim},
		[PROJ_K] = {kv, c->dim},
		[PROJ_V] = {kv, c->dim},
		[PROJ_O] = {c->dim, q},
		[PROJ_GATE] = {c->ffn, c->dim},
		[PROJ_UP] = {c->ffn, c->dim},
		[PROJ_DOWN] = {c->dim, c->ffn},
	};
	*out = shape[proj][0];
	*in = shape[proj][1];
}

void model_config_done(struct model_config *c)
{
	mem_free(c->inv_freq);
	*c = (struct model_config){0};
}
