/* Filters whose subject is a sequence. Those that are generators in Jinja are generators here. */
#include "tools/tmpl/jinja_int.h"

#include <stdlib.h>
#include <string.h>

/* ---- sorting ---- */

/* Strings compare without regard to case unless asked to. */
static struct jv fold(struct jinja_run *r, struct jv v, int case_sensitive)
{
	return case_sensitive || v.type != JV_STR ? v : jx_case(r, v, CASE_LOWER);
}

/* Merges v[from, mid) and v[mid, to) by keys; stable. */
static void merge(struct jinja_run *r, uint32_t *v, uint32_t *room, const struct jv *keys,
	size_t from, size_t mid, size_t to, int reverse)
{
	size_t a = from, b = mid;
	for (size_t i = from; i < to; i++) {
		int second = a == mid;
		if (a < mid && b < to)
			second = reverse ? jx_less(r, keys[v[a]], keys[v[b]])
					 : jx_less(r, keys[v[b]], keys[v[a]]);
		room[i] = second ? v[b++] : v[a++];
		jx_spend(r, 1);
	}
	memcpy(v + from, room + from, (to - from) * sizeof *v);
}

struct jv jx_sorted(struct jinja_run *r, struct jv items, const struct jv *keys, int reverse)
{
	struct jv list = jx_to_list(r, items), out;
	size_t n = list.u.list->n;
	uint32_t *v = jx_alloc(r, n, sizeof *v), *room = jx_alloc(r, n, sizeof *room);
	for (size_t i = 0; i < n; i++)
		v[i] = (uint32_t)i;
	for (size_t width = 1; width < n; width *= 2)
		for (size_t from = 0; from + width < n; from += 2 * width)
			merge(r, v, room, keys ? keys : list.u.list->v, from, from + width,
				from + 2 * width < n ? from + 2 * width : n, reverse);
	out = jx_list(r, n);
	for (size_t i = 0; i < n; i++)
		jx_push(r, out, list.u.list->v[v[i]]);
	return out;
}

/* Of each item a list of the values of the attributes that commas separate, one for none: as Jinja has
 * it, whose lists of undefined values compare where undefined values do not. */
static struct jv *keys_of(struct jinja_run *r, struct jv list, struct jv attr, int case_sensitive)
{
	size_t n = list.u.list->n;
	struct jv *keys = jx_alloc(r, n, sizeof *keys), comma = jv_str(",", 1), paths;
	if (attr.type == JV_STR) {
		paths = jx_split(r, attr, &comma, -1, 0);
	} else {
		paths = jx_list(r, 1);
		jx_push(r, paths, attr);
	}
	for (size_t i = 0; i < n; i++) {
		keys[i] = jx_list(r, paths.u.list->n);
		for (uint32_t k = 0; k < paths.u.list->n; k++)
			jx_push(r, keys[i],
				fold(r, jx_get_path(r, list.u.list->v[i], paths.u.list->v[k]),
					case_sensitive));
	}
	return keys;
}

static struct jv f_sort(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	struct jv list = jx_to_list(r, v);
	return jx_sorted(r, list, keys_of(r, list, c->a[2], jx_arg_true(r, c->a[1], 0)),
		jx_arg_true(r, c->a[0], 0));
}

static struct jv f_dictsort(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	struct jv by = c->a[1].type == JV_MISSING ? jv_str("key", 3) : c->a[1];
	if (!jx_jv_is(by, "key") && !jx_jv_is(by, "value"))
		jx_fail(r, "You can only sort by either \"key\" or \"value\"");
	if (v.type != JV_DICT)
		jx_fail(r, "'%s' object has no attribute 'items'", jx_type_name(v));
	int values = jx_jv_is(by, "value"), exact = jx_arg_true(r, c->a[0], 0);
	uint32_t n = v.u.dict->n;
	struct jv *keys = jx_alloc(r, n, sizeof *keys);
	for (uint32_t i = 0; i < n; i++)
		keys[i] = fold(r, values ? v.u.dict->e[i].value : v.u.dict->e[i].key, exact);
	struct jv items = {.type = JV_VIEW, .aux = VIEW_ITEMS, .u.dict = v.u.dict};
	return jx_sorted(r, items, keys, jx_arg_true(r, c->a[2], 0));
}

/* What an attribute's path leads to; a step that is undefined gives `otherwise`, when there is one, and
 * the path goes on from there. */
static struct jv path_or(struct jinja_run *r, struct jv item, struct jv attr, struct jv otherwise)
{
	if (!jx_given(otherwise))
		return jx_get_path(r, item, attr);
	struct jv dot = jv_str(".", 1), parts = jx_list(r, 1);
	if (attr.type == JV_STR)
		parts = jx_split(r, attr, &dot, -1, 0);
	else if (jx_given(attr))
		jx_push(r, parts, attr);
	for (uint32_t i = 0; i < parts.u.list->n; i++) {
		item = jx_get_path(r, item, parts.u.list->v[i]);
		if (item.type == JV_UNDEFINED)
			item = otherwise;
	}
	return item;
}

static struct jv f_groupby(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	struct jv list = jx_to_list(r, v), out = jx_list(r, 8);
	size_t n = list.u.list->n;
	int exact = jx_arg_true(r, c->a[2], 0);
	struct jv *values = jx_alloc(r, n, sizeof *values), *keys = jx_alloc(r, n, sizeof *keys);
	struct jv order = jx_list(r, n);
	for (size_t i = 0; i < n; i++) {
		values[i] = path_or(r, list.u.list->v[i], c->a[0], c->a[1]);
		keys[i] = fold(r, values[i], exact);
		jx_push(r, order, jv_int((int64_t)i));
	}
	order = jx_sorted(r, order, keys, 0);
	struct jv members = {0};
	for (size_t i = 0; i < n; i++) {
		size_t at = (size_t)order.u.list->v[i].u.i;
		if (i && jx_equal(r, keys[at], keys[order.u.list->v[i - 1].u.i])) {
			jx_push(r, members, list.u.list->v[at]);
			continue;
		}
		struct jv group = jx_tuple(r, 2);
		members = jx_list(r, 4);
		jx_push(r, members, list.u.list->v[at]);
		jx_push(r, group, values[at]);
		jx_push(r, group, members);
		group.flags = JF_GROUP;
		jx_push(r, out, group);
	}
	return out;
}

/* ---- one of them ---- */

static struct jv extreme(struct jinja_run *r, struct jv v, struct jx_call *c, int greatest)
{
	struct jx_iter it;
	struct jv item, best, best_key = {0};
	int exact = jx_arg_true(r, c->a[0], 0);
	jx_iter(r, &it, v);
	if (!jx_iter_next(r, &it, &best))
		return jx_undefined_hint(r, "No aggregated item, sequence was empty.");
	best_key = fold(r, jx_get_path(r, best, c->a[1]), exact);
	while (jx_iter_next(r, &it, &item)) {
		struct jv key = fold(r, jx_get_path(r, item, c->a[1]), exact);
		if (greatest ? jx_compare(r, CMP_GT, key, best_key) : jx_less(r, key, best_key)) {
			best = item;
			best_key = key;
		}
	}
	return best;
}

static struct jv f_max(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	return extreme(r, v, c, 1);
}

static struct jv f_min(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	return extreme(r, v, c, 0);
}

static struct jv f_first(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)c;
	struct jx_iter it;
	struct jv item;
	jx_iter(r, &it, v);
	return jx_iter_next(r, &it, &item)
		       ? item
		       : jx_undefined_hint(r, "No first item, sequence was empty.");
}

/* Python's reversed(), which strings have too. */
static struct jv backwards(struct jinja_run *r, struct jv v)
{
	if (v.type == JV_UNDEFINED)
		jx_fail_undefined(r, v);
	if (v.type == JV_STR)
		v = jx_to_list(r, v);
	struct jv back = jx_reversed(r, v);
	if (back.type == JV_MISSING)
		jx_fail(r, "'%s' object is not reversible", jx_type_name(v));
	return back;
}

static struct jv f_last(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	if (v.type == JV_UNDEFINED)
		return jx_undefined_hint(r, "No last item, sequence was empty.");
	struct jv item = f_first(r, backwards(r, v), c);
	return item.type == JV_UNDEFINED && jx_len(r, v) == 0
		       ? jx_undefined_hint(r, "No last item, sequence was empty.")
		       : item;
}

static struct jv f_sum(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	struct jx_iter it;
	struct jv item, sum = c->a[1].type == JV_MISSING ? jv_int(0) : c->a[1];
	if (sum.type == JV_STR)
		jx_fail(r, "sum() can't sum strings [use ''.join(seq) instead]");
	jx_iter(r, &it, v);
	while (jx_iter_next(r, &it, &item))
		sum = jx_binary(r, E_ADD, sum, jx_get_path(r, item, c->a[0]));
	return sum;
}

/* ---- new sequences ---- */

static struct jv iter_of(struct jinja_run *r, struct jv list)
{
	struct jx_iter it;
	jx_iter(r, &it, list);
	return jx_iter_value(r, &it);
}

static struct jv f_list(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)c;
	return jx_to_list(r, v);
}

static struct jv f_items(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)c;
	struct jx_iter it;
	if (v.type != JV_UNDEFINED && v.type != JV_DICT)
		jx_fail(r, "Can only get item pairs from a mapping.");
	if (v.type == JV_DICT)
		v = (struct jv){.type = JV_VIEW, .aux = VIEW_ITEMS, .u.dict = v.u.dict};
	jx_iter(r, &it, v);
	return jx_iter_value(r, &it);
}

static struct jv f_join(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	struct jx_text b = {.r = r};
	struct jx_iter it;
	struct jv item, sep = c->a[0].type == JV_MISSING ? jv_str("", 0) : jx_to_str(r, c->a[0]);
	jx_iter(r, &it, v);
	for (int i = 0; jx_iter_next(r, &it, &item); i++) {
		if (i)
			jx_text_add(&b, sep.u.s, sep.len);
		jx_str_to(r, &b, jx_get_path(r, item, c->a[1]));
	}
	return jx_text_end(&b);
}

static struct jv f_reverse(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)c;
	if (v.type != JV_STR) {
		struct jv back = v.type == JV_UNDEFINED ? iter_of(r, v) : jx_reversed(r, v);
		if (back.type != JV_MISSING)
			return back;
		if (!jx_iterable(v))
			jx_fail(r, "argument must be iterable");
		back = jx_reversed(r, jx_to_list(r, v));
		return jx_to_list(r, back);
	}
	struct jx_text b = {.r = r};
	struct jv chars = jx_to_list(r, v);
	for (uint32_t i = chars.u.list->n; i-- > 0;)
		jx_text_add(&b, chars.u.list->v[i].u.s, chars.u.list->v[i].len);
	struct jv out = jx_text_end(&b);
	out.flags = v.flags & JF_MARKUP;
	return out;
}

static struct jv f_batch(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	int64_t n = jx_index(r, c->a[0]);
	struct jv list = jx_to_list(r, v), out = jx_list(r, 8), group = {0};
	for (uint32_t i = 0; i < list.u.list->n; i++) {
		if (group.type == JV_MISSING || (int64_t)group.u.list->n == n) {
			group = jx_list(r, 8);
			jx_push(r, out, group);
		}
		jx_push(r, group, list.u.list->v[i]);
	}
	while (group.type == JV_LIST && jx_given(c->a[1]) && (int64_t)group.u.list->n < n)
		jx_push(r, group, c->a[1]);
	return iter_of(r, out);
}

static struct jv f_slice(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	int64_t n = jx_index(r, c->a[0]);
	struct jv list = jx_to_list(r, v), out = jx_list(r, 8);
	if (n == 0)
		jx_fail(r, "integer division or modulo by zero");
	int64_t len = list.u.list->n, each = n > 0 ? len / n : 0, more = n > 0 ? len % n : 0,
		at = 0;
	for (int64_t i = 0; i < n; i++) {
		struct jv group = jx_list(r, 4);
		jx_spend(r, 1);
		for (int64_t k = 0; k < each + (i < more); k++)
			jx_push(r, group, list.u.list->v[at++]);
		if (jx_given(c->a[1]) && i >= more)
			jx_push(r, group, c->a[1]);
		jx_push(r, out, group);
	}
	return iter_of(r, out);
}

static struct jv f_unique(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	struct jx_iter it;
	struct jv item, out = jx_list(r, 8), seen = jx_dict(r, 8);
	int exact = jx_arg_true(r, c->a[0], 0);
	jx_iter(r, &it, v);
	while (jx_iter_next(r, &it, &item)) {
		struct jv key = fold(r, jx_get_path(r, item, c->a[1]), exact);
		if (jx_dict_find(r, seen, key))
			continue;
		jx_dict_put(r, seen, key, jv_bool(1));
		jx_push(r, out, item);
	}
	return iter_of(r, out);
}

/* ---- map, select and their kin: lazy ---- */

struct lazy {
	struct jx_iter from;
	const struct jx_builtin *fn; /* NULL: map: the attribute alone; select: truth */
	struct jx_call call;	     /* the function's arguments */
	struct jv attr, missing;     /* missing: instead of an attribute that is not there */
	int want;		     /* select: 1, reject: 0 */
};

/* What is false (none, an empty list) gives nothing, whatever its type. */
static struct lazy *lazy_new(struct jinja_run *r, struct jv v)
{
	struct lazy *z = jx_alloc(r, 1, sizeof *z);
	*z = (struct lazy){.want = 1};
	jx_iter(r, &z->from, jx_true(r, v) ? v : jv_str("", 0));
	return z;
}

static struct jv lazy_value(struct jinja_run *r, struct lazy *z,
	int (*next)(struct jinja_run *r, struct jx_iter *it, struct jv *out))
{
	struct jx_iter it = {.next = next, .state = z};
	return jx_iter_value(r, &it);
}

/* A copy of the arguments behind the first `skip`, which must outlive this call. */
static void keep_args(struct jinja_run *r, struct jx_call *to, const struct jx_call *c, size_t skip)
{
	struct jv *pos = jx_alloc(r, c->npos - skip, sizeof *pos),
		  *kw = jx_alloc(r, c->nkw * 2, sizeof *kw);
	for (size_t i = skip; i < c->npos; i++)
		pos[i - skip] = c->pos[i];
	for (size_t i = 0; i < c->nkw * 2; i++)
		kw[i] = c->kw[i];
	*to = (struct jx_call){.pos = pos, .npos = c->npos - skip, .kw = kw, .nkw = c->nkw};
}

static int next_mapped(struct jinja_run *r, struct jx_iter *it, struct jv *out)
{
	struct lazy *z = it->state;
	struct jv item;
	if (!jx_iter_next(r, &z->from, &item))
		return 0;
	if (z->fn) {
		struct jx_call call = z->call;
		*out = jx_builtin_call(r, z->fn, item, &call);
		return 1;
	}
	*out = path_or(r, item, z->attr, z->missing);
	return 1;
}

static struct jv f_map(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	struct lazy *z = lazy_new(r, v);
	if (c->npos) {
		struct jv name = jx_want_str(r, c->pos[0], "the filter's name");
		z->fn = jx_filter_find(name);
		if (!z->fn)
			jx_fail(r, "No filter named '%.*s'.", (int)name.len, name.u.s);
		keep_args(r, &z->call, c, 1);
		return lazy_value(r, z, next_mapped);
	}
	for (size_t i = 0; i < c->nkw; i++) {
		if (jx_jv_is(c->kw[i * 2], "attribute"))
			z->attr = c->kw[i * 2 + 1];
		else if (jx_jv_is(c->kw[i * 2], "default"))
			z->missing = c->kw[i * 2 + 1];
		else
			jx_fail(r, "Unexpected keyword argument '%.*s'", (int)c->kw[i * 2].len,
				c->kw[i * 2].u.s);
	}
	if (z->attr.type == JV_MISSING)
		jx_fail(r, "map requires a filter argument");
	return lazy_value(r, z, next_mapped);
}

static int next_selected(struct jinja_run *r, struct jx_iter *it, struct jv *out)
{
	struct lazy *z = it->state;
	while (jx_iter_next(r, &z->from, out)) {
		struct jv v = z->attr.type == JV_MISSING ? *out : jx_get_path(r, *out, z->attr);
		struct jx_call call = z->call;
		if (z->fn)
			v = jx_builtin_call(r, z->fn, v, &call);
		if (jx_true(r, v) == z->want)
			return 1;
	}
	return 0;
}

static struct jv selected(
	struct jinja_run *r, struct jv v, struct jx_call *c, int by_attr, int want)
{
	struct lazy *z = lazy_new(r, v);
	size_t skip = (size_t)by_attr;
	z->want = want;
	if (by_attr && !c->npos)
		jx_fail(r, "Missing parameter for attribute name");
	if (by_attr)
		z->attr = c->pos[0];
	if (c->npos > skip) {
		struct jv name = jx_want_str(r, c->pos[skip], "the test's name");
		z->fn = jx_builtin_find(jx_tests, name);
		if (!z->fn)
			jx_fail(r, "No test named '%.*s'.", (int)name.len, name.u.s);
		keep_args(r, &z->call, c, skip + 1);
	}
	return lazy_value(r, z, next_selected);
}

static struct jv f_select(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	return selected(r, v, c, 0, 1);
}

static struct jv f_reject(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	return selected(r, v, c, 0, 0);
}

static struct jv f_selectattr(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	return selected(r, v, c, 1, 1);
}

static struct jv f_rejectattr(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	return selected(r, v, c, 1, 0);
}

const struct jx_builtin jx_filters_seq[] = {
	{"batch", f_batch, "linecount ?fill_with"},
	{"dictsort", f_dictsort, "?case_sensitive ?by ?reverse"},
	{"first", f_first, ""},
	{"groupby", f_groupby, "attribute ?default ?case_sensitive"},
	{"items", f_items, ""},
	{"join", f_join, "?d ?attribute"},
	{"last", f_last, ""},
	{"list", f_list, ""},
	{"map", f_map, NULL},
	{"max", f_max, "?case_sensitive ?attribute"},
	{"min", f_min, "?case_sensitive ?attribute"},
	{"reject", f_reject, NULL},
	{"rejectattr", f_rejectattr, NULL},
	{"reverse", f_reverse, ""},
	{"select", f_select, NULL},
	{"selectattr", f_selectattr, NULL},
	{"slice", f_slice, "slices ?fill_with"},
	{"sort", f_sort, "?reverse ?case_sensitive ?attribute"},
	{"sum", f_sum, "?attribute ?start"},
	{"unique", f_unique, "?case_sensitive ?attribute"},
	{0},
};
