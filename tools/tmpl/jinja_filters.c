/* Filters that look at one value; the tables of the others are in jinja_filters_text.c and _seq.c. */
#include "tools/tmpl/jinja_int.h"

#include <math.h>

static struct jv f_abs(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)c;
	if (v.type == JV_FLOAT)
		return jv_float(fabs(v.u.f));
	if (v.type != JV_INT && v.type != JV_BOOL)
		jx_fail(r, "bad operand type for abs(): '%s'", jx_type_name(v));
	return v.u.i < 0 ? jx_negate(r, v, 1) : jv_int(v.u.i);
}

static struct jv f_attr(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	struct jv name = jx_to_str(r, c->a[0]);
	struct jv found = jx_attribute(r, v, name);
	return found.type == JV_MISSING ? jx_undefined(r, v, name) : found;
}

static struct jv f_default(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	if (v.type == JV_UNDEFINED || (jx_arg_true(r, c->a[1], 0) && !jx_true(r, v)))
		return c->a[0].type == JV_MISSING ? jv_str("", 0) : c->a[0];
	return v;
}

/* What int() and float() make of text that is no such number: the default. */
static struct jv otherwise(struct jx_call *c, struct jv none)
{
	return c->a[0].type == JV_MISSING ? none : c->a[0];
}

static struct jv f_float(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	double d;
	if (v.type == JV_UNDEFINED)
		jx_fail_undefined(r, v);
	if (jx_is_number(v))
		return jv_float(jx_double(v));
	if (v.type == JV_STR && jx_parse_float(v, &d) == 0)
		return jv_float(d);
	return otherwise(c, jv_float(0));
}

static struct jv int_of_double(struct jinja_run *r, double d, struct jx_call *c)
{
	if (!isfinite(d))
		return otherwise(c, jv_int(0));
	if (fabs(d) >= 9223372036854775807.0)
		jx_fail(r, "an integer beyond 64 bits");
	return jv_int((int64_t)d);
}

static struct jv f_int(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	int64_t i;
	double d;
	if (v.type == JV_INT || v.type == JV_BOOL)
		return jv_int(v.u.i);
	if (v.type == JV_FLOAT)
		return int_of_double(r, v.u.f, c);
	if (v.type == JV_UNDEFINED)
		jx_fail_undefined(r, v);
	if (v.type != JV_STR)
		return otherwise(c, jv_int(0));
	int rc = jx_parse_int(v, (int)jx_arg_int(r, c->a[1], 10), &i);
	if (rc == -2)
		jx_fail(r, "an integer beyond 64 bits");
	if (rc == 0)
		return jv_int(i);
	return jx_parse_float(v, &d) == 0 ? int_of_double(r, d, c) : otherwise(c, jv_int(0));
}

static struct jv f_length(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)c;
	int64_t n = jx_len(r, v);
	if (n < 0)
		jx_fail(r, "object of type '%s' has no len()", jx_type_name(v));
	return jv_int(n);
}

static struct jv f_round(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	int64_t digits = jx_arg_int(r, c->a[0], 0);
	struct jv how = c->a[1].type == JV_MISSING ? jv_str("common", 6) : c->a[1];
	if (!jx_jv_is(how, "common") && !jx_jv_is(how, "ceil") && !jx_jv_is(how, "floor"))
		jx_fail(r, "method must be common, ceil or floor");
	if (!jx_is_number(v))
		jx_fail(r, "type %s doesn't define __round__ method", jx_type_name(v));
	if (jx_jv_is(how, "common"))
		return jx_round(r, v, digits);
	if (digits > 308 || digits < -308)
		jx_fail(r, "cannot round to %lld digits", (long long)digits);
	double p = pow(10, (double)digits), x = jx_double(v) * p;
	if (!isfinite(x))
		jx_fail(r, "cannot convert float infinity or NaN to integer");
	x = jx_jv_is(how, "ceil") ? ceil(x) : floor(x);
	return jv_float((x + 0.0) / p); /* Python's are integers: there is no -0 */
}

static struct jv f_string(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)c;
	return jx_soft_str(r, v);
}

static struct jv f_safe(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)c;
	v = jx_soft_str(r, v);
	v.flags = JF_MARKUP;
	return v;
}

static struct jv f_escape(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)c;
	return jx_escape(r, v);
}

static struct jv f_forceescape(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)c;
	return jx_escape(r, jx_to_str(r, v));
}

static struct jv f_tojson(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	struct jx_text b = {.r = r};
	jx_json_to(r, &b, v, c->a);
	return jx_text_end(&b);
}

static struct jv f_random(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)v, (void)c;
	jx_fail(r, "the filter 'random' gives what no run could repeat: it is not supported");
}

const struct jx_builtin jx_filters[] = {
	{"abs", f_abs, ""},
	{"attr", f_attr, "name"},
	{"count", f_length, ""},
	{"d", f_default, "?default_value ?boolean"},
	{"default", f_default, "?default_value ?boolean"},
	{"e", f_escape, ""},
	{"escape", f_escape, ""},
	{"float", f_float, "?default"},
	{"forceescape", f_forceescape, ""},
	{"int", f_int, "?default ?base"},
	{"length", f_length, ""},
	{"random", f_random, NULL},
	{"round", f_round, "?precision ?method"},
	{"safe", f_safe, ""},
	{"string", f_string, ""},
	{"tojson", f_tojson, "?ensure_ascii ?indent ?separators ?sort_keys"},
	{0},
};

const struct jx_builtin *jx_filter_find(struct jv name)
{
	static const struct jx_builtin *const tables[] = {
		jx_filters, jx_filters_text, jx_filters_seq, jx_filters_pprint, jx_filters_web};
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		const struct jx_builtin *f = jx_builtin_find(tables[i], name);
		if (f)
			return f;
	}
	return NULL;
}
