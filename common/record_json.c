/* Records as JSON and back. Which bin holds numbers is field.c's to say. */
#include "common/record.h"

#include "common/base64.h"
#include "common/json.h"
#include "common/mp.h"
#include "common/utf8.h"

#include <math.h>
#include <string.h>

/* ---- msgpack to JSON ---- */

static void write_base64(struct str *out, const uint8_t *p, size_t n)
{
	str_reserve(out, mem_mul(n / 3 + 1, 4) + 2);
	str_addc(out, '"');
	base64_encode(out->s + out->len, p, n);
	out->len += base64_size(n);
	str_addc(out, '"');
}

static void write_uint(struct str *out, uint64_t u)
{
	char b[20];
	size_t at = sizeof b;
	do
		b[--at] = (char)('0' + u % 10);
	while (u /= 10);
	str_add(out, b + at, sizeof b - at);
}

static void write_double(struct str *out, double v)
{
	char b[40];
	if (isfinite(v))
		str_add(out, b, json_repr_double(v, b));
	else
		str_adds(out, "null");
}

static void write_bin(struct str *out, const uint8_t *p, size_t n, enum field_type type)
{
	size_t size = type == FT_U8S ? 1 : 4;
	if ((type != FT_U8S && type != FT_U32S && type != FT_F32S) || n % size) {
		write_base64(out, p, n);
		return;
	}
	str_addc(out, '[');
	for (size_t i = 0; i < n; i += size) {
		if (i)
			str_addc(out, ',');
		uint32_t u = p[i];
		float f;
		if (size == 4)
			memcpy(&u, p + i, 4);
		memcpy(&f, &u, 4);
		if (type == FT_F32S)
			write_double(out, f);
		else
			write_uint(out, u);
	}
	str_addc(out, ']');
}

static void write_text(struct str *out, const char *s, size_t n)
{
	size_t good = utf8_valid_prefix(s, n);
	if (good == n) {
		json_write_string(out, s, n);
		return;
	}
	struct str fixed = {0};
	while (n) {
		str_add(&fixed, s, good);
		s += good, n -= good;
		if (!n)
			break;
		str_adds(&fixed, "\xef\xbf\xbd");
		s++, n--;
		good = utf8_valid_prefix(s, n);
	}
	json_write_string(out, fixed.s, fixed.len);
	str_done(&fixed);
}

static void write_value(struct str *out, struct mp *c, enum field_type type);

/* JSON's keys are strings: any other key is written as its JSON text in quotes. */
static void write_key(struct str *out, struct mp *c)
{
	struct mp at = *c;
	struct mp_value v;
	if (!mp_next(&at, &v) && v.type == MP_STR) {
		write_value(out, c, FT_ANY);
		return;
	}
	struct str text = {0};
	write_value(&text, c, FT_ANY);
	json_write_string(out, text.s, text.len);
	str_done(&text);
}

/* Depth is bounded: the reader lets no value in that is nested deeper than MP_MAX_DEPTH. */
static void write_value(struct str *out, struct mp *c, enum field_type type)
{
	struct mp_value v;
	if (mp_next(c, &v)) {
		c->p = c->end;
		str_adds(out, "null");
		return;
	}
	switch (v.type) {
	case MP_NIL:
		str_adds(out, "null");
		break;
	case MP_BOOL:
		str_adds(out, v.i ? "true" : "false");
		break;
	case MP_INT:
		if (v.i < 0)
			str_addc(out, '-');
		write_uint(out, v.i < 0 ? -(uint64_t)v.i : (uint64_t)v.i);
		break;
	case MP_UINT:
		write_uint(out, v.u);
		break;
	case MP_FLOAT:
		write_double(out, v.f);
		break;
	case MP_STR:
		write_text(out, (const char *)v.p, v.len);
		break;
	case MP_BIN:
	case MP_EXT:
		write_bin(out, v.p, v.len, v.type == MP_BIN ? type : FT_BIN);
		break;
	case MP_ARRAY:
		str_addc(out, '[');
		for (size_t i = 0; i < v.len; i++) {
			if (i)
				str_addc(out, ',');
			write_value(out, c, FT_ANY);
		}
		str_addc(out, ']');
		break;
	case MP_MAP:
		str_addc(out, '{');
		for (size_t i = 0; i < v.len; i++) {
			if (i)
				str_addc(out, ',');
			write_key(out, c);
			str_addc(out, ':');
			write_value(out, c, FT_ANY);
		}
		str_addc(out, '}');
		break;
	}
}

void record_value_json(struct str *out, const uint8_t *val, size_t len, enum field_type type)
{
	struct mp c = {val, val + len};
	write_value(out, &c, type);
}

void record_to_json(struct str *out, const struct record *r)
{
	str_addc(out, '{');
	for (size_t i = 0; i < r->n; i++) {
		const struct field *f = &r->f[i];
		const struct field_info *info = field_find(f->key, f->keylen);
		if (i)
			str_addc(out, ',');
		json_write_string(out, f->key, f->keylen);
		str_addc(out, ':');
		record_value_json(out, f->val, f->vallen, info ? info->type : FT_ANY);
	}
	str_addc(out, '}');
}

json_t *record_json(struct record *r, const char *key, struct err *e)
{
	const struct field *f = record_get(r, key);
	if (!f)
		return NULL;
	const struct field_info *info = field_find(f->key, f->keylen);
	struct str text = {0};
	record_value_json(&text, f->val, f->vallen, info ? info->type : FT_ANY);
	json_t *v = json_read_bytes(text.s, text.len, e);
	str_done(&text);
	if (!v)
		err_prefix(e, "field '%s'", key);
	return v;
}

/* ---- JSON to msgpack ---- */

static int pack(msgpack_packer *pk, const json_t *v, int depth)
{
	if (depth > MP_MAX_DEPTH && (json_is_array(v) || json_is_object(v)))
		return -1;
	const char *key;
	size_t i, len;
	json_t *item;
	switch (json_typeof(v)) {
	case JSON_NULL:
		msgpack_pack_nil(pk);
		break;
	case JSON_TRUE:
		msgpack_pack_true(pk);
		break;
	case JSON_FALSE:
		msgpack_pack_false(pk);
		break;
	case JSON_INTEGER:
		msgpack_pack_int64(pk, json_integer_value(v));
		break;
	case JSON_REAL:
		msgpack_pack_double(pk, json_real_value(v));
		break;
	case JSON_STRING:
		msgpack_pack_str_with_body(pk, json_string_value(v), json_string_length(v));
		break;
	case JSON_ARRAY:
		msgpack_pack_array(pk, json_array_size(v));
		json_array_foreach(v, i, item) if (pack(pk, item, depth + 1)) return -1;
		break;
	case JSON_OBJECT:
		msgpack_pack_map(pk, json_object_size(v));
		json_object_keylen_foreach((json_t *)(uintptr_t)v, key, len, item)
		{
			msgpack_pack_str_with_body(pk, key, len);
			if (pack(pk, item, depth + 1))
				return -1;
		}
		break;
	}
	return 0;
}

int record_set_json(struct record *r, const char *key, const json_t *v, struct err *e)
{
	struct str bytes = {0};
	msgpack_packer pk;
	mp_pack_into(&pk, &bytes);
	int bad = pack(&pk, v, 2); /* the record's own map is the first level */
	if (bad)
		err_data(e, "field '%s' is nested more than %d deep", key, MP_MAX_DEPTH);
	else
		record_set_raw(r, key, (const uint8_t *)bytes.s, bytes.len);
	str_done(&bytes);
	return bad;
}

/* A JSON array of numbers as the bin that the field is; `largest` for the integer types. */
static int set_numbers(
	struct record *r, const char *key, const json_t *v, enum field_type type, struct err *e)
{
	if (!json_is_array(v))
		return err_data(e, "field '%s' is not an array of numbers", key);
	size_t n = json_array_size(v), size = type == FT_U8S ? 1 : 4;
	json_int_t largest = type == FT_U8S ? UINT8_MAX : UINT32_MAX;
	uint8_t *to = arena_alloc(&r->arena, n, size);
	for (size_t i = 0; i < n; i++) {
		const json_t *x = json_array_get(v, i);
		if (type == FT_F32S ? !json_is_number(x)
				    : !json_is_integer(x) || json_integer_value(x) < 0 ||
					      json_integer_value(x) > largest)
			return err_data(e, "field '%s' holds something else than %s at place %zu",
				key,
				type == FT_F32S	 ? "numbers"
				: type == FT_U8S ? "0 and 1"
						 : "token ids",
				i);
		float f = (float)json_number_value(x);
		uint32_t u = (uint32_t)json_integer_value(x);
		memcpy(to + i * size, type == FT_F32S ? (void *)&f : (void *)&u, size);
	}
	record_set_bytes(r, key, to, n * size);
	return 0;
}

static int set_base64(struct record *r, const char *key, const json_t *v, struct err *e)
{
	size_t n = json_string_length(v), len;
	uint8_t *to = arena_alloc(&r->arena, n / 4, 3);
	if (!json_is_string(v) || base64_decode(to, &len, json_string_value(v), n) < 0)
		return err_data(e, "field '%s' is not base64", key);
	record_set_bytes(r, key, to, len);
	return 0;
}

int record_from_json(struct record *r, const json_t *object, struct err *e)
{
	const char *key;
	size_t len;
	json_t *v;
	if (!json_is_object(object))
		return err_data(e, "not a JSON object");
	json_object_keylen_foreach((json_t *)(uintptr_t)object, key, len, v)
	{
		if (strlen(key) != len)
			return err_data(e, "a column's name with a NUL in it");
		if (!strcmp(key, STREAM_KEY))
			return err_data(e, "a column '" STREAM_KEY
					   "', which is the stream's own name: rename it");
		const struct field_info *info = field_find(key, len);
		int bad;
		switch (info ? info->type : FT_ANY) {
		case FT_U32S:
		case FT_U8S:
		case FT_F32S:
			bad = set_numbers(r, key, v, info->type, e);
			break;
		case FT_BIN:
			bad = set_base64(r, key, v, e);
			break;
		default:
			bad = record_set_json(r, key, v, e);
		}
		if (bad)
			return -1;
	}
	return 0;
}
