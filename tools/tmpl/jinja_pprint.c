/* The filter pprint: CPython's pprint.pformat, width 80, keys sorted. */
#include "tools/tmpl/jinja_int.h"

#include <string.h>

enum { WIDTH = 80 };

struct printer {
	struct jinja_run *r;
	struct jx_text out;
};

static void addz(struct jx_text *b, const char *s)
{
	jx_text_add(b, s, strlen(s));
}

/* Keys in order; pprint orders keys of different types by the types' names, which is not done here. */
static struct jv sorted_keys(struct jinja_run *r, const struct jv_dict *d)
{
	struct jv keys = jx_list(r, d->n);
	for (uint32_t i = 0; i < d->n; i++) {
		struct jv k = d->e[i].key;
		if (d->n > 1 && k.type != JV_STR && !jx_is_number(k))
			jx_fail(r, "pprint of a mapping with keys of type %s is not supported",
				jx_type_name(k));
		if (i && (k.type == JV_STR) != (d->e[0].key.type == JV_STR))
			jx_fail(r, "pprint of a mapping with keys of several types is not "
				   "supported");
		jx_push(r, keys, k);
	}
	return jx_sorted(r, keys, NULL, 0);
}

static struct jv value_of(struct jinja_run *r, struct jv_dict *d, struct jv key)
{
	return *jx_dict_find(r, (struct jv){.type = JV_DICT, .u.dict = d}, key);
}

/* repr() with the keys of mappings in order. */
static void flat(struct jinja_run *r, struct jx_text *b, struct jv v, unsigned depth)
{
	if (depth > JX_VALUE_DEPTH)
		jx_fail(r, "a value is nested too deeply to print (over %d levels)",
			JX_VALUE_DEPTH);
	if (v.type == JV_DICT) {
		struct jv keys = sorted_keys(r, v.u.dict);
		jx_text_char(b, '{');
		for (uint32_t i = 0; i < v.u.dict->n; i++) {
			struct jv k = keys.u.list->v[i];
			if (i)
				addz(b, ", ");
			flat(r, b, k, depth + 1);
			addz(b, ": ");
			flat(r, b, value_of(r, v.u.dict, k), depth + 1);
		}
		jx_text_char(b, '}');
	} else if (v.type == JV_LIST || (v.type == JV_TUPLE && !(v.flags & JF_GROUP))) {
		int list = v.type == JV_LIST;
		jx_text_char(b, list ? '[' : '(');
		for (uint32_t i = 0; i < v.u.list->n; i++) {
			if (i)
				addz(b, ", ");
			flat(r, b, v.u.list->v[i], depth + 1);
		}
		addz(b, list ? "]" : v.u.list->n == 1 ? ",)" : ")");
	} else {
		jx_repr_to(r, b, v);
	}
}

static struct jv flat_text(struct jinja_run *r, struct jv v)
{
	struct jx_text b = {.r = r};
	flat(r, &b, v, 0);
	return jx_text_end(&b);
}

static int64_t flat_len(struct jinja_run *r, struct jv v)
{
	struct jv s = flat_text(r, v);
	return (int64_t)jx_utf8_len(s.u.s, s.len);
}

static void newline(struct printer *p, int64_t indent)
{
	jx_text_char(&p->out, '\n');
	for (int64_t i = 0; i < indent; i++)
		jx_text_char(&p->out, ' ');
}

static struct jv piece(struct jv s, size_t from, size_t to)
{
	return jv_str(s.u.s + from, to - from);
}

/* Text behind `from` up to and with the white space after it. */
static size_t word_end(struct jv s, size_t from)
{
	size_t i = from, j = from;
	while (j < s.len && !jx_is_space(jx_utf8_get(s.u.s, s.len, &j)))
		i = j;
	for (j = i; j < s.len && jx_is_space(jx_utf8_get(s.u.s, s.len, &j));)
		i = j;
	return i;
}

/* A line that is too long, cut between words. */
static void cut_line(
	struct printer *p, struct jv chunks, struct jv line, int64_t width, int64_t last_width)
{
	size_t from = 0, at = 0;
	while (at < line.len) {
		size_t end = word_end(line, at);
		int64_t room = end == line.len ? last_width : width;
		if (flat_len(p->r, piece(line, from, end)) > room) {
			if (at > from)
				jx_push(p->r, chunks, flat_text(p->r, piece(line, from, at)));
			from = at;
		}
		at = end;
	}
	if (from < line.len)
		jx_push(p->r, chunks, flat_text(p->r, piece(line, from, line.len)));
}

static void print_str(struct printer *p, struct jv v, int64_t indent, int64_t allowance, int top)
{
	struct jinja_run *r = p->r;
	struct jv lines = jx_splitlines(r, v, 1), chunks = jx_list(r, 8);
	indent += top;
	allowance += top;
	for (uint32_t i = 0; i < lines.u.list->n; i++) {
		struct jv line = lines.u.list->v[i];
		int64_t width = WIDTH - indent;
		int64_t last = i + 1 == lines.u.list->n ? width - allowance : width;
		if (flat_len(r, line) <= last)
			jx_push(r, chunks, flat_text(r, line));
		else
			cut_line(p, chunks, line, width, last);
	}
	int several = chunks.u.list->n != 1;
	if (several && top)
		jx_text_char(&p->out, '(');
	for (uint32_t i = 0; i < chunks.u.list->n; i++) {
		if (i)
			newline(p, indent);
		jx_text_add(&p->out, chunks.u.list->v[i].u.s, chunks.u.list->v[i].len);
	}
	if (several && top)
		jx_text_char(&p->out, ')');
}

static void print(struct printer *p, struct jv v, int64_t indent, int64_t allowance, int level);

static void print_dict(
	struct printer *p, struct jv_dict *d, int64_t indent, int64_t allowance, int level)
{
	struct jv keys = sorted_keys(p->r, d);
	jx_text_char(&p->out, '{');
	for (uint32_t i = 0; i < d->n; i++) {
		int last = i + 1 == d->n;
		struct jv k = keys.u.list->v[i], name = flat_text(p->r, k);
		jx_text_add(&p->out, name.u.s, name.len);
		addz(&p->out, ": ");
		print(p, value_of(p->r, d, k),
			indent + 3 + (int64_t)jx_utf8_len(name.u.s, name.len),
			last ? allowance + 1 : 1, level + 1);
		if (!last) {
			jx_text_char(&p->out, ',');
			newline(p, indent + 1);
		}
	}
	jx_text_char(&p->out, '}');
}

static void print_list(struct printer *p, struct jv v, int64_t indent, int64_t allowance, int level)
{
	const char *end = v.type == JV_LIST ? "]" : v.u.list->n == 1 ? ",)" : ")";
	jx_text_char(&p->out, v.type == JV_LIST ? '[' : '(');
	for (uint32_t i = 0; i < v.u.list->n; i++) {
		int last = i + 1 == v.u.list->n;
		print(p, v.u.list->v[i], indent + 1, last ? allowance + (int64_t)strlen(end) : 1,
			level + 1);
		if (!last) {
			jx_text_char(&p->out, ',');
			newline(p, indent + 1);
		}
	}
	addz(&p->out, end);
}

static void print(struct printer *p, struct jv v, int64_t indent, int64_t allowance, int level)
{
	struct jv s = flat_text(p->r, v);
	int breaks = (int64_t)jx_utf8_len(s.u.s, s.len) > WIDTH - indent - allowance;
	if (breaks && v.type == JV_DICT)
		print_dict(p, v.u.dict, indent, allowance, level);
	else if (breaks && (v.type == JV_LIST || (v.type == JV_TUPLE && !(v.flags & JF_GROUP))))
		print_list(p, v, indent, allowance, level);
	else if (breaks && v.type == JV_STR && v.len && !(v.flags & JF_MARKUP))
		print_str(p, v, indent, allowance, level == 0);
	else
		jx_text_add(&p->out, s.u.s, s.len);
}

static struct jv f_pprint(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)c;
	struct printer p = {.r = r, .out = {.r = r}};
	print(&p, v, 0, 0, 0);
	return jx_text_end(&p.out);
}

const struct jx_builtin jx_filters_pprint[] = {
	{"pprint", f_pprint, ""},
	{0},
};
