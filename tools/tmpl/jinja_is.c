/* Tests: what may stand after `is`. */
#include "tools/tmpl/jinja_int.h"

#include <string.h>

static struct jv is_defined(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)r, (void)c;
	return jv_bool(v.type != JV_UNDEFINED);
}

static struct jv is_undefined(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)r, (void)c;
	return jv_bool(v.type == JV_UNDEFINED);
}

static struct jv is_string(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)r, (void)c;
	return jv_bool(v.type == JV_STR);
}

static struct jv is_mapping(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)r, (void)c;
	return jv_bool(v.type == JV_DICT);
}

static struct jv is_iterable(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)r, (void)c;
	return jv_bool(jx_iterable(v));
}

static struct jv is_sequence(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)r, (void)c;
	return jv_bool(v.type == JV_STR || v.type == JV_LIST || v.type == JV_TUPLE ||
		       v.type == JV_DICT || v.type == JV_RANGE || v.type == JV_UNDEFINED);
}

static struct jv is_none(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)r, (void)c;
	return jv_bool(v.type == JV_NONE);
}

static struct jv is_boolean(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)r, (void)c;
	return jv_bool(v.type == JV_BOOL);
}

static struct jv is_false(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)r, (void)c;
	return jv_bool(v.type == JV_BOOL && !v.u.i);
}

static struct jv is_true(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)r, (void)c;
	return jv_bool(v.type == JV_BOOL && v.u.i);
}

static struct jv is_integer(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)r, (void)c;
	return jv_bool(v.type == JV_INT);
}

static struct jv is_float(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)r, (void)c;
	return jv_bool(v.type == JV_FLOAT);
}

static struct jv is_number(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)r, (void)c;
	return jv_bool(jx_is_number(v));
}

static struct jv is_callable(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)r, (void)c;
	return jv_bool(v.type == JV_MACRO || v.type == JV_METHOD || v.type == JV_GLOBAL ||
		       v.type == JV_LOOP || v.type == JV_JOINER || v.type == JV_BLOCK ||
		       v.type == JV_UNDEFINED);
}

static struct jv is_lower(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)c;
	return jv_bool(jx_is_case(jx_to_str(r, v), 0));
}

static struct jv is_upper(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)c;
	return jv_bool(jx_is_case(jx_to_str(r, v), 1));
}

static struct jv is_escaped(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)r, (void)c;
	return jv_bool(v.type == JV_STR && (v.flags & JF_MARKUP));
}

static int rest_is(struct jinja_run *r, struct jv v, struct jv by, int64_t want)
{
	struct jv m = jx_binary(r, E_MOD, v, by);
	return jx_equal(r, m, jv_int(want));
}

static struct jv is_odd(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)c;
	return jv_bool(rest_is(r, v, jv_int(2), 1));
}

static struct jv is_even(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)c;
	return jv_bool(rest_is(r, v, jv_int(2), 0));
}

static struct jv is_divisibleby(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	return jv_bool(rest_is(r, v, c->a[0], 0));
}

static struct jv is_sameas(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	struct jv o = c->a[0];
	if (v.type != o.type)
		return jv_bool(0);
	if (v.type == JV_LIST || v.type >= JV_DICT)
		return jv_bool(v.u.p == o.u.p);
	return jv_bool(v.type == JV_UNDEFINED ? v.u.p == o.u.p : jx_equal(r, v, o));
}

static struct jv is_in(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	return jv_bool(jx_contains(r, c->a[0], v));
}

/* What a table of names can be asked for. */
static int is_name(struct jinja_run *r, struct jv v)
{
	if (!jx_hashable(r, v))
		jx_fail(r, "unhashable type: '%s'", jx_type_name(v));
	return v.type == JV_STR;
}

static struct jv is_filter(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)c;
	return jv_bool(is_name(r, v) && jx_filter_find(v));
}

static struct jv is_test(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)c;
	return jv_bool(is_name(r, v) && jx_builtin_find(jx_tests, v));
}

static struct jv is_eq(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	return jv_bool(jx_compare(r, CMP_EQ, v, c->a[0]));
}

static struct jv is_ne(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	return jv_bool(jx_compare(r, CMP_NE, v, c->a[0]));
}

static struct jv is_lt(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	return jv_bool(jx_compare(r, CMP_LT, v, c->a[0]));
}

static struct jv is_le(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	return jv_bool(jx_compare(r, CMP_LE, v, c->a[0]));
}

static struct jv is_gt(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	return jv_bool(jx_compare(r, CMP_GT, v, c->a[0]));
}

static struct jv is_ge(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	return jv_bool(jx_compare(r, CMP_GE, v, c->a[0]));
}

const struct jx_builtin jx_tests[] = {
	{"defined", is_defined, ""},
	{"undefined", is_undefined, ""},
	{"string", is_string, ""},
	{"mapping", is_mapping, ""},
	{"iterable", is_iterable, ""},
	{"sequence", is_sequence, ""},
	{"none", is_none, ""},
	{"boolean", is_boolean, ""},
	{"false", is_false, ""},
	{"true", is_true, ""},
	{"integer", is_integer, ""},
	{"float", is_float, ""},
	{"number", is_number, ""},
	{"callable", is_callable, ""},
	{"lower", is_lower, ""},
	{"upper", is_upper, ""},
	{"escaped", is_escaped, ""},
	{"odd", is_odd, ""},
	{"even", is_even, ""},
	{"divisibleby", is_divisibleby, "num"},
	{"sameas", is_sameas, "other"},
	{"in", is_in, "seq"},
	{"filter", is_filter, ""},
	{"test", is_test, ""},
	{"==", is_eq, "/other"},
	{"eq", is_eq, "/other"},
	{"equalto", is_eq, "/other"},
	{"!=", is_ne, "/other"},
	{"ne", is_ne, "/other"},
	{"<", is_lt, "/other"},
	{"lt", is_lt, "/other"},
	{"lessthan", is_lt, "/other"},
	{"<=", is_le, "/other"},
	{"le", is_le, "/other"},
	{">", is_gt, "/other"},
	{"gt", is_gt, "/other"},
	{"greaterthan", is_gt, "/other"},
	{">=", is_ge, "/other"},
	{"ge", is_ge, "/other"},
	{0},
};
