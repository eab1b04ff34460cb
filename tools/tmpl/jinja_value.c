/* Values: making them, Python's truth and length, dicts that keep their order. */
#include "tools/tmpl/jinja_int.h"

#include <string.h>
#include <xxhash.h>

/* ---- lists and dicts ------------------------------------------------------------------------------ */

static struct jv list_of(struct jv_list *l, struct jv *v, size_t cap, enum jv_type type)
{
	*l = (struct jv_list){.v = v, .cap = (uint32_t)cap};
	return (struct jv){.type = (uint8_t)type, .u.list = l};
}

struct jv jv_list(struct arena *a, size_t n)
{
	struct jv_list *l = arena_alloc(a, 1, sizeof *l);
	return list_of(l, arena_alloc(a, n, sizeof(struct jv)), n, JV_LIST);
}

void jv_list_add(struct arena *a, struct jv list, struct jv item)
{
	struct jv_list *l = list.u.list;
	if (l->n == l->cap) {
		uint32_t cap = l->cap < 4 ? 8 : l->cap * 2;
		struct jv *v = arena_alloc(a, cap, sizeof *v);
		if (l->n)
			memcpy(v, l->v, l->n * sizeof *v);
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = item;
}

struct jv jx_list(struct jinja_run *r, size_t n)
{
	struct jv_list *l = jx_alloc(r, 1, sizeof *l);
	return list_of(l, jx_alloc(r, n, sizeof(struct jv)), n, JV_LIST);
}

struct jv jx_tuple(struct jinja_run *r, size_t n)
{
	struct jv v = jx_list(r, n);
	v.type = JV_TUPLE;
	return v;
}

void jx_push(struct jinja_run *r, struct jv list, struct jv item)
{
	if (list.u.list->n == list.u.list->cap)
		r->used += (size_t)list.u.list->cap * 2 * sizeof item;
	jx_spend(r, 1);
	if (r->used > JX_MEMORY_MAX)
		jx_alloc(r, 1, 1); /* says so */
	jv_list_add(&r->arena, list, item);
}

size_t jv_list_len(struct jv list)
{
	return list.u.list->n;
}

struct jv jv_list_at(struct jv list, size_t i)
{
	return list.u.list->v[i];
}

struct jv jv_dict(struct arena *a, size_t n)
{
	struct jv_dict *d = arena_alloc(a, 1, sizeof *d);
	*d = (struct jv_dict){.e = arena_alloc(a, n, sizeof *d->e), .cap = (uint32_t)n};
	return (struct jv){.type = JV_DICT, .u.dict = d};
}

size_t jv_dict_len(struct jv dict)
{
	return dict.u.dict->n;
}

void jv_dict_at(struct jv dict, size_t i, struct jv *key, struct jv *value)
{
	*key = dict.u.dict->e[i].key;
	*value = dict.u.dict->e[i].value;
}

uint32_t jx_hash_name(struct jv name)
{
	return (uint32_t)XXH3_64bits(name.u.s, name.len);
}

enum { HASH_FROM = 12 }; /* keys from which an index pays */

/* Equal keys (1, 1.0, True) have equal hashes. */
static uint32_t hash(const struct jv_dict *d, struct jv k)
{
	uint64_t seed = (uintptr_t)d >> 4; /* not to be foreseen by who wrote the keys */
	double f;
	switch (k.type) {
	case JV_STR:
		return (uint32_t)XXH3_64bits_withSeed(k.u.s, k.len, seed);
	case JV_BOOL:
	case JV_INT:
		f = (double)k.u.i;
		return (uint32_t)XXH3_64bits_withSeed(&f, sizeof f, seed);
	case JV_FLOAT:
		f = k.u.f == 0 ? 0 : k.u.f;
		return (uint32_t)XXH3_64bits_withSeed(&f, sizeof f, seed);
	case JV_TUPLE: {
		uint32_t h = 1;
		for (uint32_t i = 0; i < k.u.list->n; i++)
			h = h * 1000003u ^ hash(d, k.u.list->v[i]);
		return h;
	}
	case JV_NONE:
	case JV_UNDEFINED:
		return k.type;
	default:
		return (uint32_t)XXH3_64bits_withSeed(&k.u.p, sizeof k.u.p, seed);
	}
}

static int same_key(struct jv a, struct jv b)
{
	if (a.type == JV_STR && b.type == JV_STR)
		return a.len == b.len && memcmp(a.u.s, b.u.s, a.len) == 0;
	return jx_equal(NULL, a, b);
}

struct jv_entry *jx_dict_entry(const struct jv_dict *d, struct jv key)
{
	if (!d->index) {
		for (uint32_t i = 0; i < d->n; i++)
			if (same_key(d->e[i].key, key))
				return &d->e[i];
		return NULL;
	}
	for (uint32_t h = hash(d, key) & d->mask; d->index[h]; h = (h + 1) & d->mask)
		if (same_key(d->e[d->index[h] - 1].key, key))
			return &d->e[d->index[h] - 1];
	return NULL;
}

static void reindex(struct arena *a, struct jv_dict *d, uint32_t size)
{
	d->index = arena_alloc(a, size, sizeof *d->index);
	memset(d->index, 0, size * sizeof *d->index);
	d->mask = size - 1;
	for (uint32_t i = 0; i < d->n; i++) {
		uint32_t h = hash(d, d->e[i].key) & d->mask;
		while (d->index[h])
			h = (h + 1) & d->mask;
		d->index[h] = i + 1;
	}
}

void jv_dict_set(struct arena *a, struct jv dict, struct jv key, struct jv value)
{
	struct jv_dict *d = dict.u.dict;
	struct jv_entry *e = jx_dict_entry(d, key);
	if (e) {
		e->value = value;
		return;
	}
	if (d->n == d->cap) {
		uint32_t cap = d->cap < 4 ? 8 : d->cap * 2;
		e = arena_alloc(a, cap, sizeof *e);
		if (d->n)
			memcpy(e, d->e, d->n * sizeof *e);
		d->e = e;
		d->cap = cap;
	}
	d->e[d->n++] = (struct jv_entry){key, value};
	if (d->index && d->n * 2 <= d->mask) {
		uint32_t h = hash(d, key) & d->mask;
		while (d->index[h])
			h = (h + 1) & d->mask;
		d->index[h] = d->n;
	} else if (d->n >= HASH_FROM) {
		reindex(a, d, d->index ? (d->mask + 1) * 2 : 64);
	}
}

const struct jv *jv_dict_get(struct jv dict, const char *key, size_t len)
{
	struct jv_entry *e = jx_dict_entry(dict.u.dict, jv_str(key, len));
	return e ? &e->value : NULL;
}

struct jv jx_dict(struct jinja_run *r, size_t n)
{
	r->used += n * sizeof(struct jv_entry) * 2 + sizeof(struct jv_dict);
	jx_alloc(r, 0, 1);
	return jv_dict(&r->arena, n);
}

/* Counted: a tuple of tuples that it shares with itself is small in memory and endless to walk. What
 * passes here is small enough for the walks of hash() and equal() after it. */
static int hashable(struct jinja_run *r, struct jv k, unsigned depth)
{
	jx_spend(r, 1);
	if (k.type == JV_LIST || k.type == JV_DICT || (k.type == JV_VIEW && k.aux != VIEW_VALUES) ||
		depth > JX_VALUE_DEPTH)
		return 0;
	for (uint32_t i = 0; k.type == JV_TUPLE && i < k.u.list->n; i++)
		if (!hashable(r, k.u.list->v[i], depth + 1))
			return 0;
	return 1;
}

int jx_hashable(struct jinja_run *r, struct jv v)
{
	return hashable(r, v, 0);
}

static void must_hash(struct jinja_run *r, struct jv k)
{
	if (!hashable(r, k, 0))
		jx_fail(r, "unhashable type: '%s'", jx_type_name(k));
}

void jx_dict_put(struct jinja_run *r, struct jv dict, struct jv key, struct jv value)
{
	if (key.type != JV_STR)
		must_hash(r, key);
	struct jv_dict *d = dict.u.dict;
	jx_spend(r, 1 + (d->index ? 0 : d->n));
	r->used += 2 * sizeof(struct jv_entry) + 4 * sizeof(uint32_t);
	jx_alloc(r, 0, 1);
	jv_dict_set(&r->arena, dict, key, value);
}

const struct jv *jx_dict_find(struct jinja_run *r, struct jv dict, struct jv key)
{
	if (key.type != JV_STR)
		must_hash(r, key);
	struct jv_entry *e = jx_dict_entry(dict.u.dict, key);
	return e ? &e->value : NULL;
}

/* ---- what Python knows of every value -------------------------------------------------------------- */

const char *jx_type_name(struct jv v)
{
	static const char *const names[] = {
		[JV_MISSING] = "missing",
		[JV_UNDEFINED] = "Undefined",
		[JV_NONE] = "NoneType",
		[JV_BOOL] = "bool",
		[JV_INT] = "int",
		[JV_FLOAT] = "float",
		[JV_STR] = "str",
		[JV_LIST] = "list",
		[JV_TUPLE] = "tuple",
		[JV_DICT] = "dict",
		[JV_RANGE] = "range",
		[JV_VIEW] = "dict view",
		[JV_ITER] = "generator",
		[JV_NAMESPACE] = "Namespace",
		[JV_LOOP] = "LoopContext",
		[JV_MACRO] = "Macro",
		[JV_METHOD] = "builtin_function_or_method",
		[JV_GLOBAL] = "function",
		[JV_CYCLER] = "Cycler",
		[JV_JOINER] = "Joiner",
		[JV_BLOCK] = "BlockReference",
	};
	return names[v.type];
}

int jx_is_number(struct jv v)
{
	return v.type == JV_INT || v.type == JV_FLOAT || v.type == JV_BOOL;
}

double jx_double(struct jv v)
{
	return v.type == JV_FLOAT ? v.u.f : (double)v.u.i;
}

int64_t jx_index(struct jinja_run *r, struct jv v)
{
	if (v.type == JV_UNDEFINED)
		jx_fail_undefined(r, v);
	if (v.type != JV_INT && v.type != JV_BOOL)
		jx_fail(r, "'%s' object cannot be interpreted as an integer", jx_type_name(v));
	return v.u.i;
}

int64_t jx_len(struct jinja_run *r, struct jv v)
{
	switch (v.type) {
	case JV_STR:
		jx_spend(r, v.len / 64);
		return (int64_t)jx_utf8_len(v.u.s, v.len);
	case JV_LIST:
	case JV_TUPLE:
		return v.u.list->n;
	case JV_DICT:
	case JV_VIEW:
		return v.u.dict->n;
	case JV_RANGE:
		return ((struct jx_range *)v.u.p)->n;
	case JV_UNDEFINED:
		return 0;
	case JV_LOOP:
		return jx_loop_length(r, v);
	default:
		return -1;
	}
}

int jx_true(struct jinja_run *r, struct jv v)
{
	switch (v.type) {
	case JV_UNDEFINED:
	case JV_NONE:
		return 0;
	case JV_BOOL:
	case JV_INT:
		return v.u.i != 0;
	case JV_FLOAT:
		return v.u.f != 0;
	case JV_STR:
		return v.len != 0;
	default: {
		int64_t n = jx_len(r, v);
		return n != 0;
	}
	}
}
