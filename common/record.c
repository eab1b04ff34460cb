#include "common/record.h"

#include "common/mp.h"
#include "common/utf8.h"

#include <string.h>

enum { MAX_COLUMNS = 4096 };

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "bin fields are used as they lie");

void record_reset(struct record *r)
{
	r->n = 0;
	r->where[0] = 0;
	arena_reset(&r->arena);
}

void record_done(struct record *r)
{
	mem_free(r->f);
	arena_done(&r->arena);
	*r = (struct record){0};
}

const struct field *record_get_n(const struct record *r, const char *key, size_t keylen)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->f[i].keylen == keylen && !memcmp(r->f[i].key, key, keylen))
			return &r->f[i];
	return NULL;
}

const struct field *record_get(const struct record *r, const char *key)
{
	return record_get_n(r, key, strlen(key));
}

/* ---- typed views ---- */

static int wrong(const struct record *r, const char *key, const char *want, struct err *e)
{
	return err_data(e, "%s%sfield '%s' is not %s", r->where, *r->where ? ": " : "", key, want);
}

/* 1 and *v, 0 absent, -1 damaged. */
static int value(const struct record *r, const char *key, struct mp_value *v, struct err *e)
{
	const struct field *f = record_get(r, key);
	if (!f)
		return 0;
	struct mp c = {f->val, f->val + f->vallen};
	return mp_next(&c, v) ? wrong(r, key, "msgpack", e) : 1;
}

int record_str(struct record *r, const char *key, const char **s, size_t *len, struct err *e)
{
	struct mp_value v;
	int got = value(r, key, &v, e);
	if (got <= 0)
		return got;
	if (v.type != MP_STR)
		return wrong(r, key, "a string", e);
	if (!utf8_valid((const char *)v.p, v.len))
		return wrong(r, key, "valid UTF-8", e);
	*s = (const char *)v.p;
	*len = v.len;
	return 1;
}

int record_bytes(struct record *r, const char *key, const uint8_t **p, size_t *n, struct err *e)
{
	struct mp_value v;
	int got = value(r, key, &v, e);
	if (got <= 0)
		return got;
	if (v.type != MP_BIN)
		return wrong(r, key, "bin", e);
	*p = v.p;
	*n = v.len;
	return 1;
}

/* Items of 4 bytes, aligned: copied into the arena when they are not. */
static int words(struct record *r, const char *key, const void **p, size_t *n, const char *want,
	struct err *e)
{
	struct mp_value v;
	int got = value(r, key, &v, e);
	if (got <= 0)
		return got;
	if (v.type != MP_BIN || v.len % 4)
		return wrong(r, key, want, e);
	*p = (uintptr_t)v.p % 4 ? arena_dup(&r->arena, v.p, v.len) : v.p;
	*n = v.len / 4;
	return 1;
}

int record_u32s(struct record *r, const char *key, const uint32_t **ids, size_t *n, struct err *e)
{
	const void *p = NULL;
	int got = words(r, key, &p, n, "bin of 32-bit ids", e);
	if (got > 0)
		*ids = p;
	return got;
}

int record_f32s(struct record *r, const char *key, const float **out, size_t *n, struct err *e)
{
	const void *p = NULL;
	int got = words(r, key, &p, n, "bin of 32-bit floats", e);
	if (got > 0)
		*out = p;
	return got;
}

int record_f64(struct record *r, const char *key, double *out, struct err *e)
{
	struct mp_value v;
	int got = value(r, key, &v, e);
	if (got <= 0)
		return got;
	if (v.type == MP_FLOAT)
		*out = v.f;
	else if (v.type == MP_INT)
		*out = (double)v.i;
	else if (v.type == MP_UINT)
		*out = (double)v.u;
	else
		return wrong(r, key, "a number", e);
	return 1;
}

int record_i64(struct record *r, const char *key, int64_t *out, struct err *e)
{
	struct mp_value v;
	int got = value(r, key, &v, e);
	if (got <= 0)
		return got;
	if (v.type != MP_INT)
		return wrong(r, key, "an integer", e);
	*out = v.i;
	return 1;
}

int record_bool(struct record *r, const char *key, int *out, struct err *e)
{
	struct mp_value v;
	int got = value(r, key, &v, e);
	if (got <= 0)
		return got;
	if (v.type != MP_BOOL)
		return wrong(r, key, "true or false", e);
	*out = (int)v.i;
	return 1;
}

/* ---- as bytes ---- */

int record_parse(struct record *rec, const uint8_t *p, size_t n, struct err *e)
{
	struct mp c = {p, p + n};
	struct mp_value map, key;
	rec->n = 0;
	if (mp_next(&c, &map) || map.type != MP_MAP)
		return err_data(e, "not a map");
	if (map.len > MAX_COLUMNS)
		return err_data(e, "more than %d columns", MAX_COLUMNS);
	mem_grow(&rec->f, &rec->cap, map.len, sizeof *rec->f);
	for (size_t i = 0; i < map.len; i++) {
		if (mp_next(&c, &key) || key.type != MP_STR || memchr(key.p, 0, key.len) ||
			!utf8_valid((const char *)key.p, key.len))
			return err_data(e, "the name of column %zu is not a string", i + 1);
		if (key.len == strlen(STREAM_KEY) && !memcmp(key.p, STREAM_KEY, key.len))
			return err_data(
				e, "a column '" STREAM_KEY "', which is the stream's own name");
		if (record_get_n(rec, (const char *)key.p, key.len))
			return err_data(e, "column '%.*s' is there twice",
				(int)(key.len < 80 ? key.len : 80), key.p);
		struct field *f = &rec->f[rec->n];
		f->key = (const char *)key.p;
		f->keylen = key.len;
		f->val = c.p;
		if (mp_skip(&c))
			return err_data(e, "not msgpack");
		f->vallen = (size_t)(c.p - f->val);
		rec->n++;
	}
	return 0;
}

void record_pack(struct str *out, const struct record *r)
{
	msgpack_packer pk;
	mp_pack_into(&pk, out);
	msgpack_pack_map(&pk, r->n);
	for (size_t i = 0; i < r->n; i++) {
		msgpack_pack_str_with_body(&pk, r->f[i].key, r->f[i].keylen);
		str_add(out, r->f[i].val, r->f[i].vallen);
	}
}

/* ---- setting ---- */

/* The place for a value of `len` bytes under the key. */
static uint8_t *put(struct record *r, const char *key, size_t len)
{
	size_t keylen = strlen(key);
	struct field *f = (struct field *)(uintptr_t)record_get_n(r, key, keylen);
	if (!f) {
		mem_grow(&r->f, &r->cap, r->n + 1, sizeof *r->f);
		f = &r->f[r->n++];
		f->key = arena_strndup(&r->arena, key, keylen);
		f->keylen = keylen;
	}
	uint8_t *p = arena_alloc(&r->arena, len, 1);
	f->val = p;
	f->vallen = len;
	return p;
}

void record_set_raw(struct record *r, const char *key, const uint8_t *val, size_t len)
{
	memcpy(put(r, key, len), val, len);
}

/* A head, then its bytes. */
static void set_payload(
	struct record *r, const char *key, struct mp_small *head, const void *p, size_t n)
{
	uint8_t *to = put(r, key, head->n + n);
	memcpy(to, head->b, head->n);
	if (n)
		memcpy(to + head->n, p, n);
}

void record_set_str(struct record *r, const char *key, const char *s, size_t len)
{
	struct mp_small m;
	mp_small_init(&m);
	msgpack_pack_str(&m.pk, len);
	set_payload(r, key, &m, s, len);
}

void record_set_bytes(struct record *r, const char *key, const void *p, size_t n)
{
	struct mp_small m;
	mp_small_init(&m);
	msgpack_pack_bin(&m.pk, n);
	set_payload(r, key, &m, p, n);
}

void record_set_u32s(struct record *r, const char *key, const uint32_t *ids, size_t n)
{
	record_set_bytes(r, key, ids, mem_mul(n, sizeof *ids));
}

void record_set_f32s(struct record *r, const char *key, const float *v, size_t n)
{
	record_set_bytes(r, key, v, mem_mul(n, sizeof *v));
}

void record_set_f64(struct record *r, const char *key, double v)
{
	struct mp_small m;
	mp_small_init(&m);
	msgpack_pack_double(&m.pk, v);
	set_payload(r, key, &m, NULL, 0);
}

void record_set_i64(struct record *r, const char *key, int64_t v)
{
	struct mp_small m;
	mp_small_init(&m);
	msgpack_pack_int64(&m.pk, v);
	set_payload(r, key, &m, NULL, 0);
}

void record_set_bool(struct record *r, const char *key, int v)
{
	uint8_t b = v ? 0xc3 : 0xc2;
	record_set_raw(r, key, &b, 1);
}

void record_remove(struct record *r, const char *key)
{
	const struct field *f = record_get(r, key);
	if (!f)
		return;
	size_t i = (size_t)(f - r->f);
	memmove(r->f + i, r->f + i + 1, (r->n - i - 1) * sizeof *r->f);
	r->n--;
}

void record_copy(struct record *dst, const struct record *src)
{
	record_reset(dst);
	mem_grow(&dst->f, &dst->cap, src->n, sizeof *dst->f);
	for (size_t i = 0; i < src->n; i++) {
		const struct field *f = &src->f[i];
		dst->f[i] = (struct field){
			arena_strndup(&dst->arena, f->key, f->keylen),
			f->keylen,
			arena_dup(&dst->arena, f->val, f->vallen),
			f->vallen,
		};
	}
	dst->n = src->n;
	memcpy(dst->where, src->where, sizeof dst->where);
	dst->place = src->place;
}

struct record *record_list_new(struct record_list *l)
{
	if (l->n == l->cap) {
		size_t was = l->cap;
		mem_grow(&l->v, &l->cap, l->n + 1, sizeof *l->v);
		memset(l->v + was, 0, (l->cap - was) * sizeof *l->v);
	}
	struct record *r = &l->v[l->n++];
	record_reset(r);
	return r;
}

void record_list_done(struct record_list *l)
{
	for (size_t i = 0; i < l->cap; i++)
		record_done(&l->v[i]);
	mem_free(l->v);
	*l = (struct record_list){0};
}

void record_swap(struct record *a, struct record *b)
{
	struct record t = *a;
	*a = *b;
	*b = t;
}
