/* The functions a template finds without being given them. */
#include "tools/tmpl/jinja_int.h"

#include <stdio.h>
#include <string.h>

__extension__ typedef __int128 wide; /* the bounds of a range may be 64 bits apart */

static struct jv range_new(struct jinja_run *r, struct jv self, struct jx_call *c)
{
	(void)self;
	struct jx_range g = {0, 0, 1, 0};
	if (c->a[1].type == JV_MISSING) {
		g.stop = jx_index(r, c->a[0]);
	} else {
		g.start = jx_index(r, c->a[0]);
		g.stop = jx_index(r, c->a[1]);
		g.step = jx_arg_int(r, c->a[2], 1);
	}
	if (!g.step)
		jx_fail(r, "range() arg 3 must not be zero");
	wide span = g.step > 0 ? (wide)g.stop - g.start : (wide)g.start - g.stop;
	wide by = g.step > 0 ? (wide)g.step : -(wide)g.step, n = span > 0 ? (span - 1) / by + 1 : 0;
	if (n > JX_RANGE_MAX)
		jx_fail(r, "Range too big. The sandbox blocks ranges larger than MAX_RANGE (%d).",
			JX_RANGE_MAX);
	g.n = (int64_t)n;
	struct jx_range *p = jx_alloc(r, 1, sizeof *p);
	*p = g;
	return (struct jv){.type = JV_RANGE, .u.p = p};
}

/* dict(mapping or pairs, **keywords) */
static struct jv dict_new(struct jinja_run *r, struct jv self, struct jx_call *c)
{
	(void)self;
	struct jv d = jx_dict(r, 8), item;
	struct jx_iter it;
	if (c->npos > 1)
		jx_fail(r, "dict expected at most 1 argument, got %zu", c->npos);
	if (c->npos && (c->pos[0].type == JV_DICT)) {
		for (uint32_t i = 0; i < c->pos[0].u.dict->n; i++)
			jx_dict_put(r, d, c->pos[0].u.dict->e[i].key, c->pos[0].u.dict->e[i].value);
	} else if (c->npos) {
		jx_iter(r, &it, c->pos[0]);
		while (jx_iter_next(r, &it, &item)) {
			struct jv pair = jx_to_list(r, item);
			if (pair.u.list->n != 2)
				jx_fail(r, "a dict's item has length %u; 2 is required",
					pair.u.list->n);
			jx_dict_put(r, d, pair.u.list->v[0], pair.u.list->v[1]);
		}
	}
	for (size_t i = 0; i < c->nkw; i++)
		jx_dict_put(r, d, c->kw[i * 2], c->kw[i * 2 + 1]);
	return d;
}

static struct jv namespace_new(struct jinja_run *r, struct jv self, struct jx_call *c)
{
	struct jv d = dict_new(r, self, c);
	for (uint32_t i = 0; i < d.u.dict->n; i++) {
		struct jv k = d.u.dict->e[i].key;
		if (k.type == JV_STR && k.len && k.u.s[0] == '_')
			jx_fail(r,
				"chat templates cannot store underscore-prefixed attributes on a "
				"namespace, but got '%.*s'",
				(int)k.len, k.u.s);
	}
	return (struct jv){.type = JV_NAMESPACE, .u.dict = d.u.dict};
}

static struct jv cycler_new(struct jinja_run *r, struct jv self, struct jx_call *c)
{
	(void)self;
	struct jx_cycler *y = jx_alloc(r, 1, sizeof *y);
	if (!c->npos || c->nkw)
		jx_fail(r, "at least one item has to be provided");
	*y = (struct jx_cycler){.items = jx_list(r, c->npos)};
	for (size_t i = 0; i < c->npos; i++)
		jx_push(r, y->items, c->pos[i]);
	return (struct jv){.type = JV_CYCLER, .u.p = y};
}

static struct jv joiner_new(struct jinja_run *r, struct jv self, struct jx_call *c)
{
	(void)self;
	struct jx_joiner *j = jx_alloc(r, 1, sizeof *j);
	*j = (struct jx_joiner){.sep = c->a[0].type ? c->a[0] : jv_str(", ", 2)};
	return (struct jv){.type = JV_JOINER, .u.p = j};
}

static struct jv raise_exception(struct jinja_run *r, struct jv self, struct jx_call *c)
{
	(void)self;
	struct jv m = jx_to_str(r, c->a[0]);
	jx_fail(r, "the template says: %.*s", (int)(m.len < 700 ? m.len : 700), m.u.s);
}

/* datetime.now().strftime(format): local time, without a zone. */
static struct jv strftime_now(struct jinja_run *r, struct jv self, struct jx_call *c)
{
	(void)self;
	struct jv f = jx_want_str(r, c->a[0], "the format of strftime_now");
	struct jx_text fmt = {.r = r};
	char buf[4096];
	for (size_t i = 0; i < f.len; i++) {
		char k = f.u.s[i] == '%' && i + 1 < f.len ? f.u.s[i + 1] : 0;
		if (k == 'f') /* microseconds; the clock has whole seconds */
			jx_text_add(&fmt, "000000", 6);
		else if (k == '%')
			jx_text_add(&fmt, "%%", 2);
		else if (k != 'z' && k != 'Z' && f.u.s[i])
			jx_text_char(&fmt, f.u.s[i]);
		i += k == 'f' || k == 'z' || k == 'Z' || k == '%';
	}
	jx_text_add(
		&fmt, ".", 2); /* so that an empty result can be told from one that does not fit */
	size_t n = strftime(buf, sizeof buf, fmt.s, &r->now);
	if (!n)
		jx_fail(r, "the date's format is too long");
	return jx_str_copy(r, buf, n - 1);
}

static struct jv lipsum(struct jinja_run *r, struct jv self, struct jx_call *c)
{
	(void)self, (void)c;
	jx_fail(r, "lipsum() makes random text, which no run could repeat: it is not supported");
}

const struct jx_builtin jx_globals[] = {
	{"range", range_new, "/start ?stop ?step"},
	{"dict", dict_new, NULL},
	{"namespace", namespace_new, NULL},
	{"raise_exception", raise_exception, "message"},
	{"strftime_now", strftime_now, "format"},
	{"cycler", cycler_new, NULL},
	{"joiner", joiner_new, "?sep"},
	{"lipsum", lipsum, NULL},
	{0},
};
