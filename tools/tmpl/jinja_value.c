/* Values: making them, Python's truth, equality, order and length, dicts that keep their order. */
#include "tools/tmpl/jinja_int.h"

#include <math.h>
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

static struct jv_entry *find(const struct jv_dict *d, struct jv key)
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
	struct jv_entry *e = find(d, key);
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
	struct jv_entry *e = find(dict.u.dict, jv_str(key, len));
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
	struct jv_entry *e = find(dict.u.dict, key);
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

/* -1, 0, 1, or 2 when a NaN is in it. Exact, also between big integers and floats. */
static int compare_numbers(struct jv a, struct jv b)
{
	if (a.type != JV_FLOAT && b.type != JV_FLOAT)
		return (a.u.i > b.u.i) - (a.u.i < b.u.i);
	if (a.type == JV_FLOAT && b.type == JV_FLOAT) {
		if (isnan(a.u.f) || isnan(b.u.f))
			return 2;
		return (a.u.f > b.u.f) - (a.u.f < b.u.f);
	}
	int flip = a.type == JV_FLOAT;
	double f = flip ? a.u.f : b.u.f;
	int64_t i = flip ? b.u.i : a.u.i;
	int c;
	if (isnan(f))
		return 2;
	if (f >= 9223372036854775808.0)
		c = -1;
	else if (f < -9223372036854775808.0)
		c = 1;
	else {
		int64_t whole = (int64_t)f;
		double rest = f - (double)whole;
		c = i != whole ? (i > whole) - (i < whole) : (rest < 0) - (rest > 0);
	}
	return flip ? -c : c;
}

static int equal(struct jinja_run *r, struct jv a, struct jv b, unsigned depth);

static int equal_dicts(struct jinja_run *r, struct jv a, struct jv b, unsigned depth)
{
	if (a.u.dict->n != b.u.dict->n)
		return 0;
	for (uint32_t i = 0; i < a.u.dict->n; i++) {
		const struct jv_entry *e = &a.u.dict->e[i], *o = find(b.u.dict, e->key);
		if (!o || !equal(r, e->value, o->value, depth + 1))
			return 0;
	}
	return 1;
}

static int equal(struct jinja_run *r, struct jv a, struct jv b, unsigned depth)
{
	if (r)
		jx_spend(r, 1 + (a.type == JV_STR ? a.len / 64 : 0));
	if (jx_is_number(a) && jx_is_number(b))
		return compare_numbers(a, b) == 0;
	if (a.type != b.type)
		return 0;
	if (depth > JX_VALUE_DEPTH) {
		if (r)
			jx_fail(r, "values nested too deeply to compare (over %d levels)",
				JX_VALUE_DEPTH);
		return 0;
	}
	switch (a.type) {
	case JV_UNDEFINED:
	case JV_NONE:
		return 1;
	case JV_STR:
		return a.len == b.len && memcmp(a.u.s, b.u.s, a.len) == 0;
	case JV_LIST:
	case JV_TUPLE:
		if (a.u.list == b.u.list)
			return 1;
		if (a.u.list->n != b.u.list->n)
			return 0;
		for (uint32_t i = 0; i < a.u.list->n; i++)
			if (!equal(r, a.u.list->v[i], b.u.list->v[i], depth + 1))
				return 0;
		return 1;
	case JV_DICT:
		return a.u.dict == b.u.dict || equal_dicts(r, a, b, depth);
	case JV_RANGE: {
		const struct jx_range *x = a.u.p, *y = b.u.p;
		return x->n == y->n &&
		       (x->n == 0 || (x->start == y->start && (x->n == 1 || x->step == y->step)));
	}
	default:
		return a.u.p == b.u.p;
	}
}

int jx_equal(struct jinja_run *r, struct jv a, struct jv b)
{
	return equal(r, a, b, 0);
}

int jv_equal(struct jv a, struct jv b)
{
	return equal(NULL, a, b, 0);
}

static int order(struct jinja_run *r, enum jx_cmp op, struct jv a, struct jv b, unsigned depth);

static int by_sign(enum jx_cmp op, int c)
{
	return op == CMP_LT ? c < 0 : op == CMP_LE ? c <= 0 : op == CMP_GT ? c > 0 : c >= 0;
}

static int order_lists(
	struct jinja_run *r, enum jx_cmp op, struct jv a, struct jv b, unsigned depth)
{
	const struct jv_list *x = a.u.list, *y = b.u.list;
	for (uint32_t i = 0; i < x->n && i < y->n; i++)
		if (!equal(r, x->v[i], y->v[i], depth))
			return order(r, op, x->v[i], y->v[i], depth + 1);
	return by_sign(op, (x->n > y->n) - (x->n < y->n));
}

static int order(struct jinja_run *r, enum jx_cmp op, struct jv a, struct jv b, unsigned depth)
{
	if (jx_is_number(a) && jx_is_number(b)) {
		int c = compare_numbers(a, b);
		return c != 2 && by_sign(op, c);
	}
	if (depth > JX_VALUE_DEPTH)
		jx_fail(r, "values nested too deeply to compare (over %d levels)", JX_VALUE_DEPTH);
	if (a.type == JV_STR && b.type == JV_STR) { /* UTF-8 sorts as its code points do */
		size_t n = a.len < b.len ? a.len : b.len;
		jx_spend(r, n / 64);
		int c = n ? memcmp(a.u.s, b.u.s, n) : 0;
		return by_sign(op, c ? c : (a.len > b.len) - (a.len < b.len));
	}
	if ((a.type == JV_LIST && b.type == JV_LIST) || (a.type == JV_TUPLE && b.type == JV_TUPLE))
		return order_lists(r, op, a, b, depth);
	if (a.type == JV_UNDEFINED)
		jx_fail_undefined(r, a);
	if (b.type == JV_UNDEFINED)
		jx_fail_undefined(r, b);
	jx_fail(r, "'%s' not supported between instances of '%s' and '%s'",
		op == CMP_LT   ? "<"
		: op == CMP_LE ? "<="
		: op == CMP_GT ? ">"
			       : ">=",
		jx_type_name(a), jx_type_name(b));
}

int jx_less(struct jinja_run *r, struct jv a, struct jv b)
{
	return order(r, CMP_LT, a, b, 0);
}

int jx_contains(struct jinja_run *r, struct jv seq, struct jv item)
{
	struct jx_iter it;
	struct jv v;
	switch (seq.type) {
	case JV_STR:
		if (item.type != JV_STR)
			jx_fail(r, "'in <string>' requires string as left operand, not %s",
				jx_type_name(item));
		jx_spend(r, seq.len / 16);
		return jx_find(seq.u.s, seq.len, item.u.s, item.len) != NULL;
	case JV_DICT:
		return jx_dict_find(r, seq, item) != NULL;
	case JV_VIEW:
		if (seq.aux == VIEW_KEYS)
			return jx_dict_find(r, (struct jv){.type = JV_DICT, .u.dict = seq.u.dict},
				       item) != NULL;
		break;
	case JV_UNDEFINED:
		return 0;
	default:
		if (!jx_iterable(seq))
			jx_fail(r, "argument of type '%s' is not iterable", jx_type_name(seq));
	}
	jx_iter(r, &it, seq);
	while (jx_iter_next(r, &it, &v))
		if (jx_equal(r, v, item))
			return 1;
	return 0;
}

int jx_compare(struct jinja_run *r, enum jx_cmp op, struct jv a, struct jv b)
{
	switch (op) {
	case CMP_EQ:
		return jx_equal(r, a, b);
	case CMP_NE:
		return !jx_equal(r, a, b);
	case CMP_IN:
		return jx_contains(r, b, a);
	case CMP_NOTIN:
		return !jx_contains(r, b, a);
	default:
		return order(r, op, a, b, 0);
	}
}
