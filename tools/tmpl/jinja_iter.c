/* Iterating over values, and generators: values that are iterated once and lazily. */
#include "tools/tmpl/jinja_int.h"

static int next_list(struct jinja_run *r, struct jx_iter *it, struct jv *out)
{
	(void)r;
	if (it->i >= it->n)
		return 0;
	*out = it->src.u.list->v[it->i++];
	return 1;
}

static int next_list_back(struct jinja_run *r, struct jx_iter *it, struct jv *out)
{
	(void)r;
	if (it->i >= it->n)
		return 0;
	*out = it->src.u.list->v[it->n - 1 - it->i++];
	return 1;
}

static int next_str(struct jinja_run *r, struct jx_iter *it, struct jv *out)
{
	(void)r;
	if (it->i >= it->src.len)
		return 0;
	size_t from = it->i;
	jx_utf8_get(it->src.u.s, it->src.len, &it->i);
	*out = jv_str(it->src.u.s + from, it->i - from);
	out->flags = 0;
	return 1;
}

static struct jv entry(struct jinja_run *r, const struct jv_entry *e, unsigned view)
{
	if (view == VIEW_KEYS)
		return e->key;
	if (view == VIEW_VALUES)
		return e->value;
	struct jv t = jx_tuple(r, 2);
	jx_push(r, t, e->key);
	jx_push(r, t, e->value);
	return t;
}

static int next_dict(struct jinja_run *r, struct jx_iter *it, struct jv *out)
{
	if (it->i >= it->src.u.dict->n)
		return 0;
	*out = entry(
		r, &it->src.u.dict->e[it->i++], it->src.type == JV_VIEW ? it->src.aux : VIEW_KEYS);
	return 1;
}

static int next_dict_back(struct jinja_run *r, struct jx_iter *it, struct jv *out)
{
	if (it->i >= it->n)
		return 0;
	*out = entry(r, &it->src.u.dict->e[it->n - 1 - it->i++],
		it->src.type == JV_VIEW ? it->src.aux : VIEW_KEYS);
	return 1;
}

static int next_range(struct jinja_run *r, struct jx_iter *it, struct jv *out)
{
	(void)r;
	const struct jx_range *g = it->src.u.p;
	if (it->i >= it->n)
		return 0;
	*out = jv_int(g->start + (int64_t)it->i++ * g->step);
	return 1;
}

static int next_range_back(struct jinja_run *r, struct jx_iter *it, struct jv *out)
{
	(void)r;
	const struct jx_range *g = it->src.u.p;
	if (it->i >= it->n)
		return 0;
	*out = jv_int(g->start + (g->n - 1 - (int64_t)it->i++) * g->step);
	return 1;
}

static int next_nothing(struct jinja_run *r, struct jx_iter *it, struct jv *out)
{
	(void)r, (void)it, (void)out;
	return 0;
}

/* A generator over a generator over a generator …: each holds a few frames of C's stack. */
static int next_generator(struct jinja_run *r, struct jx_iter *it, struct jv *out)
{
	enum { WEIGHT = 8 };
	struct jx_iter *g = it->src.u.p;
	r->depth += WEIGHT;
	if (r->depth > JX_EVAL_DEPTH)
		jx_fail(r, "generators inside each other too deeply");
	int got = g->next(r, g, out);
	r->depth -= WEIGHT;
	return got;
}

int jx_iterable(struct jv v)
{
	switch (v.type) {
	case JV_STR:
	case JV_LIST:
	case JV_TUPLE:
	case JV_DICT:
	case JV_VIEW:
	case JV_RANGE:
	case JV_ITER:
	case JV_UNDEFINED:
	case JV_LOOP:
		return 1;
	default:
		return 0;
	}
}

void jx_iter(struct jinja_run *r, struct jx_iter *it, struct jv v)
{
	*it = (struct jx_iter){.src = v};
	switch (v.type) {
	case JV_LIST:
	case JV_TUPLE:
		it->next = next_list;
		it->n = v.u.list->n;
		break;
	case JV_STR:
		it->next = next_str;
		break;
	case JV_DICT:
	case JV_VIEW:
		it->next = next_dict;
		break;
	case JV_RANGE:
		it->next = next_range;
		it->n = (size_t)((struct jx_range *)v.u.p)->n;
		break;
	case JV_ITER:
		it->next = next_generator;
		break;
	case JV_UNDEFINED:
		it->next = next_nothing;
		break;
	default:
		if (v.type == JV_LOOP)
			jx_fail(r, "iterating over the loop itself is not supported");
		jx_fail(r, "'%s' object is not iterable", jx_type_name(v));
	}
}

struct jv jx_iter_value(struct jinja_run *r, const struct jx_iter *it)
{
	struct jx_iter *g = jx_alloc(r, 1, sizeof *g);
	*g = *it;
	return (struct jv){.type = JV_ITER, .u.p = g};
}

struct jv jx_to_list(struct jinja_run *r, struct jv v)
{
	struct jx_iter it;
	struct jv item, out;
	jx_iter(r, &it, v);
	out = jx_list(r, v.type == JV_LIST || v.type == JV_TUPLE ? v.u.list->n : 8);
	while (jx_iter_next(r, &it, &item))
		jx_push(r, out, item);
	return out;
}

struct jv jx_reversed(struct jinja_run *r, struct jv v)
{
	struct jx_iter it = {.src = v};
	switch (v.type) {
	case JV_LIST:
	case JV_TUPLE:
		it.next = next_list_back;
		it.n = v.u.list->n;
		return jx_iter_value(r, &it);
	case JV_DICT:
	case JV_VIEW:
		it.next = next_dict_back;
		it.n = v.u.dict->n;
		return jx_iter_value(r, &it);
	case JV_RANGE:
		it.next = next_range_back;
		it.n = (size_t)((struct jx_range *)v.u.p)->n;
		return jx_iter_value(r, &it);
	default:
		return (struct jv){0};
	}
}
