/* Values beside each other: Python's equality, order and `in`. */
#include "tools/tmpl/jinja_int.h"

#include <math.h>
#include <string.h>

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
		const struct jv_entry *e = &a.u.dict->e[i], *o = jx_dict_entry(b.u.dict, e->key);
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
