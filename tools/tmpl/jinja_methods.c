/* Methods of lists, tuples, dicts and numbers; which methods a type has, and which the sandbox hides. */
#include "tools/tmpl/jinja_int.h"

#include <math.h>
#include <string.h>

static struct jv dict_get(struct jinja_run *r, struct jv self, struct jx_call *c)
{
	const struct jv *v = jx_dict_find(r, self, c->a[0]);
	return v ? *v : c->a[1].type ? c->a[1] : jv_none();
}

static struct jv view(struct jv self, enum jx_view kind)
{
	return (struct jv){.type = JV_VIEW, .aux = (uint16_t)kind, .u.dict = self.u.dict};
}

static struct jv dict_keys(struct jinja_run *r, struct jv self, struct jx_call *c)
{
	(void)r, (void)c;
	return view(self, VIEW_KEYS);
}

static struct jv dict_values(struct jinja_run *r, struct jv self, struct jx_call *c)
{
	(void)r, (void)c;
	return view(self, VIEW_VALUES);
}

static struct jv dict_items(struct jinja_run *r, struct jv self, struct jx_call *c)
{
	(void)r, (void)c;
	return view(self, VIEW_ITEMS);
}

static struct jv dict_copy(struct jinja_run *r, struct jv self, struct jx_call *c)
{
	(void)c;
	struct jv d = jx_dict(r, self.u.dict->n);
	for (uint32_t i = 0; i < self.u.dict->n; i++)
		jx_dict_put(r, d, self.u.dict->e[i].key, self.u.dict->e[i].value);
	return d;
}

static struct jv dict_fromkeys(struct jinja_run *r, struct jv self, struct jx_call *c)
{
	(void)self;
	struct jx_iter it;
	struct jv d = jx_dict(r, 8), key;
	jx_iter(r, &it, c->a[0]);
	while (jx_iter_next(r, &it, &key))
		jx_dict_put(r, d, key, c->a[1].type ? c->a[1] : jv_none());
	return d;
}

static const struct jx_builtin dict_methods[] = {
	{"get", dict_get, "/key ?default"},
	{"items", dict_items, "/"},
	{"keys", dict_keys, "/"},
	{"values", dict_values, "/"},
	{"copy", dict_copy, "/"},
	{"fromkeys", dict_fromkeys, "/iterable ?value"},
	{0},
};

/* A bound of index(x, start, stop). */
static int64_t clip(int64_t i, int64_t n)
{
	if (i < 0)
		i = i + n < 0 ? 0 : i + n;
	return i;
}

static struct jv list_index(struct jinja_run *r, struct jv self, struct jx_call *c)
{
	int64_t n = self.u.list->n, from = clip(jx_arg_int(r, c->a[1], 0), n);
	int64_t to = clip(jx_arg_int(r, c->a[2], n), n);
	for (int64_t i = from; i < to && i < self.u.list->n; i++)
		if (jx_equal(r, self.u.list->v[i], c->a[0]))
			return jv_int(i);
	jx_fail(r, "the value is not in the %s", jx_type_name(self));
}

static struct jv list_count(struct jinja_run *r, struct jv self, struct jx_call *c)
{
	int64_t n = 0;
	for (uint32_t i = 0; i < self.u.list->n; i++)
		n += jx_equal(r, self.u.list->v[i], c->a[0]);
	return jv_int(n);
}

static struct jv list_copy(struct jinja_run *r, struct jv self, struct jx_call *c)
{
	(void)c;
	return jx_to_list(r, self);
}

static const struct jx_builtin list_methods[] = {
	{"index", list_index, "/value ?start ?stop"},
	{"count", list_count, "/value"},
	{"copy", list_copy, "/"},
	{0},
};

static const struct jx_builtin tuple_methods[] = {
	{"index", list_index, "/value ?start ?stop"},
	{"count", list_count, "/value"},
	{0},
};

static struct jv int_bit_length(struct jinja_run *r, struct jv self, struct jx_call *c)
{
	(void)r, (void)c;
	uint64_t u = self.u.i < 0 ? -(uint64_t)self.u.i : (uint64_t)self.u.i;
	return jv_int(u ? 64 - __builtin_clzll(u) : 0);
}

static struct jv int_bit_count(struct jinja_run *r, struct jv self, struct jx_call *c)
{
	(void)r, (void)c;
	return jv_int(
		__builtin_popcountll(self.u.i < 0 ? -(uint64_t)self.u.i : (uint64_t)self.u.i));
}

static struct jv conjugate(struct jinja_run *r, struct jv self, struct jx_call *c)
{
	(void)r, (void)c;
	return self.type == JV_BOOL ? jv_int(self.u.i) : self;
}

static const struct jx_builtin int_methods[] = {
	{"bit_length", int_bit_length, "/"},
	{"bit_count", int_bit_count, "/"},
	{"conjugate", conjugate, "/"},
	{0},
};

static struct jv float_is_integer(struct jinja_run *r, struct jv self, struct jx_call *c)
{
	(void)r, (void)c;
	return jv_bool(isfinite(self.u.f) && self.u.f == floor(self.u.f));
}

static const struct jx_builtin float_methods[] = {
	{"is_integer", float_is_integer, "/"},
	{"conjugate", conjugate, "/"},
	{0},
};

static struct jv range_count(struct jinja_run *r, struct jv self, struct jx_call *c)
{
	return jv_int(jx_contains(r, self, c->a[0]));
}

static const struct jx_builtin range_methods[] = {
	{"count", range_count, "/value"},
	{0},
};

static struct jv cycler_next(struct jinja_run *r, struct jv self, struct jx_call *c)
{
	(void)r, (void)c;
	struct jx_cycler *y = self.u.p;
	struct jv v = y->items.u.list->v[y->pos];
	y->pos = (y->pos + 1) % y->items.u.list->n;
	return v;
}

static struct jv cycler_reset(struct jinja_run *r, struct jv self, struct jx_call *c)
{
	(void)r, (void)c;
	((struct jx_cycler *)self.u.p)->pos = 0;
	return jv_none();
}

static const struct jx_builtin cycler_methods[] = {
	{"next", cycler_next, ""},
	{"reset", cycler_reset, ""},
	{0},
};

/* Those that would change the value: the sandbox gives an undefined. */
static const char *const list_unsafe[] = {
	"append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove", NULL};
static const char *const dict_unsafe[] = {"clear", "pop", "popitem", "setdefault", "update", NULL};

static const struct {
	const struct jx_builtin *methods;
	const char *const *unsafe;
} types[] = {
	[JV_STR] = {jx_str_methods, NULL},
	[JV_LIST] = {list_methods, list_unsafe},
	[JV_TUPLE] = {tuple_methods, NULL},
	[JV_DICT] = {dict_methods, dict_unsafe},
	[JV_INT] = {int_methods, NULL},
	[JV_BOOL] = {int_methods, NULL},
	[JV_FLOAT] = {float_methods, NULL},
	[JV_RANGE] = {range_methods, NULL},
	[JV_CYCLER] = {cycler_methods, NULL},
};

const struct jx_builtin *jx_method_find(struct jv v, struct jv name, int *unsafe)
{
	if (v.type == JV_GLOBAL && strcmp(((const struct jx_builtin *)v.u.p)->name, "dict") == 0)
		return jx_jv_is(name, "fromkeys") ? jx_builtin_find(dict_methods, name) : NULL;
	if (v.type >= sizeof types / sizeof *types || !types[v.type].methods)
		return NULL;
	const struct jx_builtin *m = jx_builtin_find(types[v.type].methods, name);
	for (const char *const *u = types[v.type].unsafe; !m && u && *u; u++)
		*unsafe |= jx_jv_is(name, *u);
	return m;
}
