#include "common/bnb.h"

#include "common/mem.h"
#include "kernels/quant.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static const char *const type_name[DT_COUNT] = {[DT_NF4] = "nf4", [DT_FP4] = "fp4"};

int bnb_is_part(const char *name, size_t *stem)
{
	static const char *const parts[] = {".weight" BNB_ABSMAX, ".weight" BNB_QUANT_MAP,
		".weight" BNB_NESTED_ABSMAX, ".weight" BNB_NESTED_QUANT_MAP,
		".weight" BNB_STATE "nf4", ".weight" BNB_STATE "fp4", BNB_SCB, BNB_WEIGHT_FORMAT};
	size_t n = strlen(name);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		size_t m = strlen(parts[i]);
		if (n > m && strcmp(name + n - m, parts[i]) == 0) {
			*stem = n - m;
			return 1;
		}
	}
	return 0;
}

int bnb_has_part(const struct st *s, const char *name)
{
	size_t stem;
	if (!bnb_is_part(name, &stem))
		return 0;
	char *weight = mem_printf("%.*s.weight", (int)stem, name);
	int there = st_find(s, weight) != NULL;
	mem_free(weight);
	return there;
}

char *bnb_state(enum dtype q, size_t blocksize, enum dtype values, const size_t shape[2],
	const float *nested_offset, size_t *len)
{
	struct str s = {0};
	str_addf(&s, "{\"quant_type\": \"%s\", \"blocksize\": %zu, \"dtype\": \"%s\", ",
		type_name[q], blocksize, dtype_info[values].torch_name);
	str_addf(&s, "\"shape\": [%zu, %zu]", shape[0], shape[1]);
	if (nested_offset) {
		char number[40];
		json_repr_double((double)*nested_offset, number);
		str_addf(&s, ", \"nested_blocksize\": %d, \"nested_dtype\": \"float32\"",
			QUANT_NESTED_BLOCK);
		str_addf(&s, ", \"nested_offset\": %s", number);
	}
	str_addc(&s, '}');
	*len = s.len;
	return str_take(&s);
}

/* ---- reading --------------------------------------------------------------------------------- */

static const struct st_tensor *find_part(const struct st *s, const char *name, const char *suffix)
{
	char *full = mem_printf("%s%s", name, suffix);
	const struct st_tensor *t = st_find(s, full);
	mem_free(full);
	return t;
}

/* The data of a part that must have this type and so many elements. */
static const void *part_data(const struct st *s, const char *name, const char *suffix,
	enum dtype dtype, size_t elements, struct err *e)
{
	const struct st_tensor *t = find_part(s, name, suffix);
	if (!t) {
		err_data(e, "tensor '%s%s' is missing", name, suffix);
		return NULL;
	}
	if (t->dtype == dtype && t->elements == elements)
		return t->data;
	err_data(e, "tensor '%s' has %zu elements of %s, the weight needs %zu of %s", t->name,
		t->elements, dtype_info[t->dtype].st_name, elements, dtype_info[dtype].st_name);
	return NULL;
}

/* A value of the JSON; bitsandbytes takes keys with anything and a dot in front. */
static const json_t *state_get(const json_t *state, const char *key)
{
	const char *k;
	json_t *v;
	json_object_foreach((json_t *)state, k, v)
	{
		const char *dot = strrchr(k, '.');
		if (strcmp(dot ? dot + 1 : k, key) == 0)
			return v;
	}
	return NULL;
}

/* An integer of the JSON that is from 1 to most; 0: it is not. */
static size_t state_size(const json_t *v, size_t most)
{
	json_int_t i = json_integer_value(v);
	return json_is_integer(v) && i > 0 && (uint64_t)i <= most ? (size_t)i : 0;
}

static size_t state_block(const json_t *state, const char *key)
{
	size_t n = state_size(state_get(state, key), QUANT_BLOCK_MAX);
	return n >= QUANT_BLOCK_MIN && (n & (n - 1)) == 0 ? n : 0;
}

static int read_shape(struct kweight_desc *d, const json_t *state, struct err *e)
{
	const json_t *shape = state_get(state, "shape");
	d->n = state_size(json_array_get(shape, 0), SIZE_MAX / 2);
	d->k = state_size(json_array_get(shape, 1), SIZE_MAX / 2);
	size_t elements;
	if (json_array_size(shape) != 2 || !d->n || !d->k ||
		__builtin_mul_overflow(d->n, d->k, &elements))
		return err_data(e, "'shape' must be two sizes");
	return 0;
}

static int read_state(struct kweight_desc *d, const json_t *state, struct err *e)
{
	const char *type = json_string_value(state_get(state, "quant_type"));
	const char *dtype = json_string_value(state_get(state, "dtype"));
	if (!type || strcmp(type, type_name[d->dtype]) != 0)
		return err_data(e, "'quant_type' is not \"%s\"", type_name[d->dtype]);
	int values = dtype ? dtype_by_torch_name(dtype) : -1;
	if (values != DT_F32 && values != DT_F16 && values != DT_BF16)
		return err_data(e, "'dtype' is none of float32, float16, bfloat16");
	d->values = (enum dtype)values;
	d->blocksize = state_block(state, "blocksize");
	if (!d->blocksize)
		return err_data(e, "'blocksize' is no power of two from %d to %d", QUANT_BLOCK_MIN,
			QUANT_BLOCK_MAX);
	return read_shape(d, state, e);
}

static int read_nested(struct bnb_weight *w, const struct st *s, const char *name, size_t blocks,
	const json_t *state, struct err *e)
{
	struct kweight_desc *d = &w->d;
	const json_t *offset = state_get(state, "nested_offset");
	d->nested_blocksize = state_block(state, "nested_blocksize");
	d->nested_offset = (float)json_number_value(offset);
	if (!d->nested_blocksize || !json_is_number(offset) || !isfinite(d->nested_offset))
		return err_data(e,
			"tensor '%s" BNB_STATE "%s': bad 'nested_blocksize' or "
			"'nested_offset'",
			name, type_name[d->dtype]);
	size_t groups = (blocks + d->nested_blocksize - 1) / d->nested_blocksize;
	const void *map = part_data(s, name, BNB_NESTED_QUANT_MAP, DT_F32, 256, e);
	d->absmax_q = map ? part_data(s, name, BNB_ABSMAX, DT_U8, blocks, e) : NULL;
	if (d->absmax_q)
		d->nested_absmax = part_data(s, name, BNB_NESTED_ABSMAX, DT_F32, groups, e);
	if (!d->nested_absmax)
		return -1;
	memcpy(w->nested_map, map, sizeof w->nested_map);
	d->nested_map = w->nested_map;
	return 0;
}

/* Nobody reads a quant_map (bitsandbytes' kernels have the type's own): it must not say otherwise. */
static int check_map(const struct st *s, const char *name, enum dtype q, struct err *e)
{
	const void *map = part_data(s, name, BNB_QUANT_MAP, DT_F32, 16, e);
	float theirs[16];
	if (!map)
		return -1;
	memcpy(theirs, map, sizeof theirs);
	for (int i = 0; i < 16; i++)
		if (!(fabsf(theirs[i] - quant4_map(q)[i]) < 1e-4f))
			return err_data(e, "tensor '%s" BNB_QUANT_MAP "' is not the map of %s",
				name, type_name[q]);
	return 0;
}

static int open_4bit(struct bnb_weight *w, const struct st *s, const char *name,
	const struct st_tensor *codes, const json_t *state, struct err *e)
{
	struct kweight_desc *d = &w->d;
	if (read_state(d, state, e))
		return err_prefix(e, "tensor '%s" BNB_STATE "%s'", name, type_name[d->dtype]);
	size_t elements = d->n * d->k;
	size_t blocks = elements / d->blocksize + (elements % d->blocksize != 0);
	if (codes->bytes != dtype_bytes(d->dtype, elements))
		return err_data(e, "tensor '%s' has %zu bytes, its shape [%zu, %zu] needs %zu",
			name, codes->bytes, d->n, d->k, dtype_bytes(d->dtype, elements));
	d->data = codes->data;
	if (check_map(s, name, d->dtype, e))
		return -1;
	if (find_part(s, name, BNB_NESTED_ABSMAX))
		return read_nested(w, s, name, blocks, state, e);
	d->absmax = part_data(s, name, BNB_ABSMAX, DT_F32, blocks, e);
	return d->absmax ? 0 : -1;
}

static int open_int8(struct bnb_weight *w, const struct st *s, const char *module,
	const struct st_tensor *codes, struct err *e)
{
	const struct st_tensor *format = find_part(s, module, BNB_WEIGHT_FORMAT);
	if (codes->dtype != DT_I8 || codes->rank != 2)
		return err_data(e, "tensor '%s' has an SCB but is no matrix of int8", codes->name);
	if (format && (format->bytes != 1 || *(const uint8_t *)format->data != 0))
		return err_data(e, "tensor '%s': only format 0, by rows, is read", format->name);
	w->d.n = codes->shape[0];
	w->d.k = codes->shape[1];
	w->d.data = codes->data;
	w->d.values = DT_F32;
	w->d.scb = part_data(s, module, BNB_SCB, DT_F32, w->d.n, e);
	return w->d.scb ? 0 : -1;
}

static json_t *parse_state(const struct st_tensor *t, struct err *e)
{
	json_t *state = json_read_bytes(t->data, t->bytes, e);
	if (state && !json_is_object(state)) {
		json_decref(state);
		state = NULL;
		err_data(e, "not an object");
	}
	if (!state)
		err_prefix(e, "tensor '%s'", t->name);
	return state;
}

int bnb_open(struct bnb_weight **out, const struct st *s, const char *name, struct err *e)
{
	static const char end[] = ".weight";
	const struct st_tensor *codes = st_find(s, name);
	size_t n = strlen(name), m = sizeof end - 1;
	if (!codes || n <= m || strcmp(name + n - m, end) != 0)
		return 0;
	char *module = mem_strndup(name, n - m);
	const struct st_tensor *nf4 = find_part(s, name, BNB_STATE "nf4");
	const struct st_tensor *fp4 = find_part(s, name, BNB_STATE "fp4");
	struct bnb_weight *w = mem_zalloc(1, sizeof *w);
	int rc = 1;
	if (nf4 || fp4) {
		w->d.dtype = nf4 ? DT_NF4 : DT_FP4;
		json_t *state = parse_state(nf4 ? nf4 : fp4, e);
		rc = state && open_4bit(w, s, name, codes, state, e) == 0 ? 1 : -1;
		json_decref(state);
	} else if (find_part(s, module, BNB_SCB)) {
		w->d.dtype = DT_INT8;
		rc = open_int8(w, s, module, codes, e) == 0 ? 1 : -1;
	} else if (codes->dtype == DT_U8 || codes->dtype == DT_I8) {
		rc = err_data(e, "tensor '%s' is of %s and without what says how to read it", name,
			dtype_info[codes->dtype].st_name);
	} else {
		rc = 0;
	}
	mem_free(module);
	if (rc == 1)
		*out = w;
	else
		bnb_free(w);
	return rc;
}

void bnb_free(struct bnb_weight *w)
{
	mem_free(w);
}

enum dtype bnb_values(const struct bnb_weight *w, int dtype, int model)
{
	if (dtype >= 0)
		return (enum dtype)dtype;
	return w->d.dtype == DT_INT8 && model >= 0 ? (enum dtype)model : w->d.values;
}

size_t bnb_weight_bytes(enum dtype q, size_t n, size_t k, size_t blocksize, int nested)
{
	size_t elements = n * k, codes = dtype_bytes(q, elements);
	if (q == DT_INT8)
		return codes + n * sizeof(float);
	size_t blocks = elements / blocksize + (elements % blocksize != 0);
	size_t groups = blocks / QUANT_NESTED_BLOCK + (blocks % QUANT_NESTED_BLOCK != 0);
	return codes + (nested ? blocks + groups * sizeof(float) : blocks * sizeof(float));
}

int bnb_read_config(struct bnb_config *c, const json_t *config, struct err *e)
{
	const json_t *method = json_object_get(config, "quant_method");
	const char *name = json_string_value(method);
	if (!json_is_object(config) || (method && !name))
		return err_data(e, "'quantization_config' is not understood");
	if (name && strcmp(name, "bitsandbytes") != 0)
		return err_data(e,
			"'quantization_config': weights quantised by '%s' are not read, only by "
			"bitsandbytes",
			name);
	const char *type = json_string_value(json_object_get(config, "bnb_4bit_quant_type"));
	c->type = type && strcmp(type, "nf4") == 0 ? DT_NF4 : DT_FP4; /* the peer's default */
	if (json_is_true(json_object_get(config, "load_in_8bit")))
		c->type = DT_INT8;
	c->nested = json_is_true(json_object_get(config, "bnb_4bit_use_double_quant"));
	return 0;
}
