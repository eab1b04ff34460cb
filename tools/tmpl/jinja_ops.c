/* Operators, subscripts, slices and attributes, as Python and Jinja's sandbox have them. */
#include "tools/tmpl/jinja_int.h"

#include <math.h>
#include <string.h>

_Noreturn static void bad_operands(struct jinja_run *r, const char *op, struct jv a, struct jv b)
{
	if (a.type == JV_UNDEFINED)
		jx_fail_undefined(r, a);
	if (b.type == JV_UNDEFINED)
		jx_fail_undefined(r, b);
	jx_fail(r, "unsupported operand type(s) for %s: '%s' and '%s'", op, jx_type_name(a),
		jx_type_name(b));
}

_Noreturn static void too_big(struct jinja_run *r)
{
	jx_fail(r, "an integer beyond 64 bits");
}

static struct jv join_lists(struct jinja_run *r, struct jv a, struct jv b)
{
	struct jv l = jx_list(r, (size_t)a.u.list->n + b.u.list->n);
	l.type = a.type;
	struct jv_list *o = l.u.list;
	if (a.u.list->n)
		memcpy(o->v, a.u.list->v, a.u.list->n * sizeof *o->v);
	if (b.u.list->n)
		memcpy(o->v + a.u.list->n, b.u.list->v, b.u.list->n * sizeof *o->v);
	o->n = a.u.list->n + b.u.list->n;
	return l;
}

static struct jv add(struct jinja_run *r, struct jv a, struct jv b)
{
	int64_t i;
	if (a.type == JV_STR && b.type == JV_STR) {
		int markup = (a.flags | b.flags) & JF_MARKUP;
		if (markup) {
			a = jx_escape(r, a);
			b = jx_escape(r, b);
		}
		return jx_str_cat(r, a, b.u.s, b.len);
	}
	if (jx_is_number(a) && jx_is_number(b)) {
		if (a.type == JV_FLOAT || b.type == JV_FLOAT)
			return jv_float(jx_double(a) + jx_double(b));
		if (__builtin_add_overflow(a.u.i, b.u.i, &i))
			too_big(r);
		return jv_int(i);
	}
	if ((a.type == JV_LIST || a.type == JV_TUPLE) && a.type == b.type)
		return join_lists(r, a, b);
	if (a.type == JV_STR && b.type != JV_UNDEFINED)
		jx_fail(r, "can only concatenate str (not \"%s\") to str", jx_type_name(b));
	bad_operands(r, "+", a, b);
}

static struct jv repeat(struct jinja_run *r, struct jv s, int64_t n)
{
	size_t len = s.type == JV_STR ? s.len : s.u.list->n, total;
	if (n < 0)
		n = 0;
	if (__builtin_mul_overflow(len, (size_t)n, &total))
		total = SIZE_MAX;
	if (s.type == JV_STR) {
		if (total > JX_MEMORY_MAX)
			jx_alloc(r, total, 1);
		char *p = jx_str_room(r, total);
		for (size_t i = 0; i < total; i += len)
			memcpy(p + i, s.u.s, len);
		struct jv v = jv_str(p, total);
		v.flags = s.flags;
		return v;
	}
	struct jv l = jx_list(r, total);
	l.type = s.type;
	for (size_t i = 0; i < total; i++)
		jx_push(r, l, s.u.list->v[i % len]);
	return l;
}

static int is_seq(struct jv v)
{
	return v.type == JV_STR || v.type == JV_LIST || v.type == JV_TUPLE;
}

static struct jv multiply(struct jinja_run *r, struct jv a, struct jv b)
{
	int64_t i;
	if (jx_is_number(a) && jx_is_number(b)) {
		if (a.type == JV_FLOAT || b.type == JV_FLOAT)
			return jv_float(jx_double(a) * jx_double(b));
		if (__builtin_mul_overflow(a.u.i, b.u.i, &i))
			too_big(r);
		return jv_int(i);
	}
	if (is_seq(a) && (b.type == JV_INT || b.type == JV_BOOL))
		return repeat(r, a, b.u.i);
	if (is_seq(b) && (a.type == JV_INT || a.type == JV_BOOL))
		return repeat(r, b, a.u.i);
	if (is_seq(a) && b.type != JV_UNDEFINED)
		jx_fail(r, "can't multiply sequence by non-int of type '%s'", jx_type_name(b));
	bad_operands(r, "*", a, b);
}

/* Python's: the quotient is rounded down, the rest has the divisor's sign. */
static void int_divmod(struct jinja_run *r, int64_t a, int64_t b, int64_t *q, int64_t *m)
{
	if (a == INT64_MIN && b == -1)
		too_big(r);
	*q = a / b;
	*m = a % b;
	if (*m && (*m < 0) != (b < 0)) {
		*m += b;
		--*q;
	}
}

static void float_divmod(double a, double b, double *q, double *m)
{
	*m = fmod(a, b);
	double div = (a - *m) / b;
	if (*m) {
		if ((b < 0) != (*m < 0)) {
			*m += b;
			div -= 1;
		}
	} else {
		*m = copysign(0, b);
	}
	if (div) {
		*q = floor(div);
		if (div - *q > 0.5)
			*q += 1;
	} else {
		*q = copysign(0, a / b);
	}
}

static struct jv divide(struct jinja_run *r, enum jx_kind op, struct jv a, struct jv b)
{
	if (!jx_is_number(a) || !jx_is_number(b))
		bad_operands(r, op == E_DIV ? "/" : op == E_MOD ? "%" : "//", a, b);
	int real = a.type == JV_FLOAT || b.type == JV_FLOAT;
	if (jx_double(b) == 0)
		jx_fail(r, op == E_DIV	 ? real ? "float division by zero" : "division by zero"
			   : op == E_MOD ? real ? "float modulo by zero" : "integer modulo by zero"
			   : real	 ? "float floor division by zero"
					 : "integer division or modulo by zero");
	if (op == E_DIV) {
		/* of large integers Python rounds once: long double holds 64 bits */
		if (!real)
			return jv_float((double)((long double)a.u.i / (long double)b.u.i));
		return jv_float(jx_double(a) / jx_double(b));
	}
	if (real) {
		double q, m;
		float_divmod(jx_double(a), jx_double(b), &q, &m);
		return jv_float(op == E_MOD ? m : q);
	}
	int64_t q, m;
	int_divmod(r, a.u.i, b.u.i, &q, &m);
	return jv_int(op == E_MOD ? m : q);
}

static struct jv power(struct jinja_run *r, struct jv a, struct jv b)
{
	if (!jx_is_number(a) || !jx_is_number(b))
		bad_operands(r, "** or pow()", a, b);
	if (a.type != JV_FLOAT && b.type != JV_FLOAT && b.u.i >= 0) {
		int64_t x = a.u.i, p = 1;
		if (b.u.i > 64 && x != 0 && x != 1 && x != -1)
			too_big(r);
		for (int64_t n = x == 0 || x == 1 || x == -1 ? (b.u.i ? 2 - b.u.i % 2 : 0) : b.u.i;
			n; n--)
			if (__builtin_mul_overflow(p, x, &p))
				too_big(r);
		return jv_int(p);
	}
	double x = jx_double(a), y = jx_double(b);
	if (x == 0 && y < 0)
		jx_fail(r, "0.0 cannot be raised to a negative power");
	if (x < 0 && isfinite(x) && isfinite(y) && y != floor(y))
		jx_fail(r, "a complex number is no value here");
	double p = pow(x, y);
	if (isinf(p) && isfinite(x) && isfinite(y))
		jx_fail(r, "(34, 'Numerical result out of range')");
	return jv_float(p);
}

struct jv jx_binary(struct jinja_run *r, enum jx_kind op, struct jv a, struct jv b)
{
	int64_t i;
	switch (op) {
	case E_ADD:
		return add(r, a, b);
	case E_SUB:
		if (!jx_is_number(a) || !jx_is_number(b))
			bad_operands(r, "-", a, b);
		if (a.type == JV_FLOAT || b.type == JV_FLOAT)
			return jv_float(jx_double(a) - jx_double(b));
		if (__builtin_sub_overflow(a.u.i, b.u.i, &i))
			too_big(r);
		return jv_int(i);
	case E_MUL:
		return multiply(r, a, b);
	case E_MOD:
		return a.type == JV_STR ? jx_percent(r, a, b) : divide(r, op, a, b);
	case E_POW:
		return power(r, a, b);
	default:
		return divide(r, op, a, b);
	}
}

struct jv jx_negate(struct jinja_run *r, struct jv a, int minus)
{
	if (a.type == JV_FLOAT)
		return jv_float(minus ? -a.u.f : a.u.f);
	if (a.type == JV_UNDEFINED)
		jx_fail_undefined(r, a);
	if (!jx_is_number(a))
		jx_fail(r, "bad operand type for unary %c: '%s'", minus ? '-' : '+',
			jx_type_name(a));
	if (minus && a.u.i == INT64_MIN)
		too_big(r);
	return jv_int(minus ? -a.u.i : a.u.i);
}

/* ---- slices --------------------------------------------------------------------------------------- */

/* A bound of a slice as CPython adjusts it. */
static int64_t bound(struct jinja_run *r, struct jv v, int64_t otherwise, int64_t len, int back)
{
	if (v.type == JV_NONE)
		return otherwise;
	if (v.type != JV_INT && v.type != JV_BOOL)
		jx_fail(r, "slice indices must be integers or None or have an __index__ method");
	int64_t i = v.u.i;
	if (i < 0) {
		i += len;
		if (i < 0)
			i = back ? -1 : 0;
	} else if (i >= len) {
		i = back ? len - 1 : len;
	}
	return i;
}

struct jv jx_slice(
	struct jinja_run *r, struct jv obj, struct jv start, struct jv stop, struct jv step)
{
	if (obj.type == JV_UNDEFINED)
		jx_fail_undefined(r, obj);
	if (!is_seq(obj) && obj.type != JV_RANGE)
		jx_fail(r,
			obj.type == JV_DICT ? "unhashable type: 'slice'"
					    : "'%s' object is not subscriptable",
			jx_type_name(obj));
	int64_t by = step.type == JV_NONE ? 1 : 0, len = jx_len(r, obj);
	if (!by) {
		if (step.type != JV_INT && step.type != JV_BOOL)
			jx_fail(r, "slice indices must be integers or None or have an __index__ "
				   "method");
		by = step.u.i < -INT64_MAX ? -INT64_MAX : step.u.i;
		if (!by)
			jx_fail(r, "slice step cannot be zero");
	}
	int64_t from = bound(r, start, by < 0 ? len - 1 : 0, len, by < 0);
	int64_t to = bound(r, stop, by < 0 ? -1 : len, len, by < 0);
	int64_t n = by > 0 ? (to > from ? (to - from - 1) / by + 1 : 0)
			   : (from > to ? (from - to - 1) / -by + 1 : 0);
	if (obj.type == JV_STR && by == 1) {
		size_t a = jx_utf8_at(obj.u.s, obj.len, (size_t)from);
		size_t b = n ? a + jx_utf8_at(obj.u.s + a, obj.len - a, (size_t)n) : a;
		struct jv v = jv_str(obj.u.s + a, b - a);
		v.flags = obj.flags;
		return v;
	}
	if (obj.type == JV_RANGE) {
		const struct jx_range *g = obj.u.p;
		struct jx_range *o = jx_alloc(r, 1, sizeof *o);
		*o = (struct jx_range){
			g->start + from * g->step, g->start + to * g->step, g->step * by, n};
		return (struct jv){.type = JV_RANGE, .u.p = o};
	}
	if (obj.type == JV_STR) {
		struct jv chars = jx_to_list(r, obj);
		struct jx_text b = {.r = r};
		for (int64_t i = 0; i < n; i++) {
			struct jv c = chars.u.list->v[from + i * by];
			jx_text_add(&b, c.u.s, c.len);
		}
		struct jv v = jx_text_end(&b);
		v.flags = obj.flags;
		return v;
	}
	struct jv l = jx_list(r, (size_t)n);
	l.type = obj.type;
	for (int64_t i = 0; i < n; i++)
		jx_push(r, l, obj.u.list->v[from + i * by]);
	return l;
}

/* ---- subscripts and attributes -------------------------------------------------------------------- */

/* obj[key] of Python: JV_MISSING where it raises what Jinja catches. */
static struct jv item(struct jinja_run *r, struct jv obj, struct jv key)
{
	struct jv none = {0};
	const struct jv *v;
	if (obj.type == JV_UNDEFINED)
		jx_fail_undefined(r, obj);
	if (obj.type == JV_DICT) {
		if (key.type == JV_LIST || key.type == JV_DICT || key.type == JV_TUPLE)
			if (!jx_hashable(r, key))
				return none;
		v = jx_dict_find(r, obj, key);
		return v ? *v : none;
	}
	if ((key.type != JV_INT && key.type != JV_BOOL) || (!is_seq(obj) && obj.type != JV_RANGE))
		return none;
	int64_t i = key.u.i, len = jx_len(r, obj);
	if (i < 0)
		i += len;
	if (i < 0 || i >= len)
		return none;
	if (obj.type == JV_RANGE) {
		const struct jx_range *g = obj.u.p;
		return jv_int(g->start + i * g->step);
	}
	if (obj.type != JV_STR)
		return obj.u.list->v[i];
	size_t a = jx_utf8_at(obj.u.s, obj.len, (size_t)i), b = a;
	jx_utf8_get(obj.u.s, obj.len, &b);
	struct jv c = jv_str(obj.u.s + a, b - a);
	c.flags = obj.flags;
	return c;
}

static struct jv number_attr(struct jv obj, struct jv name)
{
	if (obj.type == JV_FLOAT) {
		if (jx_jv_is(name, "real"))
			return obj;
		return jx_jv_is(name, "imag") ? jv_float(0) : (struct jv){0};
	}
	if (jx_jv_is(name, "real") || jx_jv_is(name, "numerator"))
		return jv_int(obj.u.i);
	if (jx_jv_is(name, "imag"))
		return jv_int(0);
	return jx_jv_is(name, "denominator") ? jv_int(1) : (struct jv){0};
}

/* getattr(obj, name) of Python under the sandbox: JV_MISSING when there is none. */
static struct jv attribute(struct jinja_run *r, struct jv obj, struct jv name)
{
	int unsafe = 0;
	struct jv none = {0};
	const struct jv *v;
	if (obj.type == JV_UNDEFINED && !(name.len > 3 && memcmp(name.u.s, "__", 2) == 0))
		jx_fail_undefined(r, obj);
	const struct jx_builtin *m = jx_method_find(obj, name, &unsafe);
	if (m)
		return jx_bind_method(r, m, obj);
	if (unsafe || (name.len > 4 && memcmp(name.u.s, "__", 2) == 0 &&
			      memcmp(name.u.s + name.len - 2, "__", 2) == 0)) {
		struct jx_text b = {.r = r};
		jx_text_add(&b, "access to attribute '", 21);
		jx_text_add(&b, name.u.s, name.len);
		jx_text_add(&b, "' of '", 6);
		jx_text_add(&b, jx_type_name(obj), strlen(jx_type_name(obj)));
		jx_text_add(&b, "' object is unsafe.", 20);
		return jx_undefined_hint(r, jx_text_end(&b).u.s);
	}
	switch (obj.type) {
	case JV_NAMESPACE:
		v = jv_dict_get(
			(struct jv){.type = JV_DICT, .u.dict = obj.u.dict}, name.u.s, name.len);
		return v ? *v : none;
	case JV_LOOP:
		return jx_loop_attr(r, obj, name);
	case JV_MACRO:
		return jx_macro_attr(r, obj, name);
	case JV_TUPLE:
		if (obj.flags & JF_GROUP) {
			if (jx_jv_is(name, "grouper"))
				return obj.u.list->v[0];
			if (jx_jv_is(name, "list"))
				return obj.u.list->v[1];
		}
		return none;
	case JV_RANGE: {
		const struct jx_range *g = obj.u.p;
		return jx_jv_is(name, "start")	? jv_int(g->start)
		       : jx_jv_is(name, "stop") ? jv_int(g->stop)
		       : jx_jv_is(name, "step") ? jv_int(g->step)
						: none;
	}
	case JV_CYCLER:
		if (jx_jv_is(name, "current")) {
			const struct jx_cycler *c = obj.u.p;
			return c->items.u.list->v[c->pos];
		}
		return none;
	case JV_INT:
	case JV_BOOL:
	case JV_FLOAT:
		return number_attr(obj, name);
	default:
		return none;
	}
}

struct jv jx_attribute(struct jinja_run *r, struct jv obj, struct jv name)
{
	return attribute(r, obj, name);
}

struct jv jx_getattr(struct jinja_run *r, struct jv obj, struct jv name)
{
	struct jv v = attribute(r, obj, name);
	if (v.type == JV_MISSING && obj.type == JV_DICT) {
		const struct jv *p = jv_dict_get(obj, name.u.s, name.len);
		if (p)
			return *p;
	}
	return v.type != JV_MISSING ? v : jx_undefined(r, obj, name);
}

struct jv jx_getitem(struct jinja_run *r, struct jv obj, struct jv key)
{
	struct jv v = item(r, obj, key);
	if (v.type == JV_MISSING && key.type == JV_STR)
		v = attribute(r, obj, key);
	return v.type != JV_MISSING ? v : jx_undefined(r, obj, key);
}
