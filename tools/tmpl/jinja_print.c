/* Values as text: str(), repr(), json.dumps() and HTML escapes, as Python writes them. */
#include "tools/tmpl/jinja_int.h"

#include "common/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void repr(struct jinja_run *r, struct jx_text *b, struct jv v, unsigned depth);

static void addz(struct jx_text *b, const char *s)
{
	jx_text_add(b, s, strlen(s));
}

static void add_int(struct jx_text *b, int64_t i)
{
	char buf[24];
	jx_text_add(b, buf, (size_t)snprintf(buf, sizeof buf, "%lld", (long long)i));
}

static void repr_str(struct jx_text *b, struct jv v)
{
	const char *s = v.u.s;
	if (v.flags & JF_MARKUP)
		addz(b, "Markup(");
	char q = v.len && memchr(s, '\'', v.len) && !memchr(s, '"', v.len) ? '"' : '\'';
	jx_text_char(b, q);
	for (size_t i = 0; i < v.len;) {
		size_t from = i;
		char buf[12];
		uint32_t c = jx_utf8_get(s, v.len, &i);
		if (c == (uint32_t)q || c == '\\') {
			jx_text_char(b, '\\');
			jx_text_char(b, (char)c);
		} else if (c == '\n' || c == '\r' || c == '\t') {
			addz(b, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
		} else if (jx_is_printable(c)) {
			jx_text_add(b, s + from, i - from);
		} else {
			snprintf(buf, sizeof buf,
				c < 0x100     ? "\\x%02x"
				: c < 0x10000 ? "\\u%04x"
					      : "\\U%08x",
				(unsigned)c);
			addz(b, buf);
		}
	}
	jx_text_char(b, q);
	if (v.flags & JF_MARKUP)
		jx_text_char(b, ')');
}

static void repr_items(
	struct jinja_run *r, struct jx_text *b, const struct jv_list *l, unsigned depth)
{
	for (uint32_t i = 0; i < l->n; i++) {
		if (i)
			addz(b, ", ");
		repr(r, b, l->v[i], depth + 1);
	}
}

static void repr_dict(
	struct jinja_run *r, struct jx_text *b, const struct jv_dict *d, unsigned depth)
{
	jx_text_char(b, '{');
	for (uint32_t i = 0; i < d->n; i++) {
		if (i)
			addz(b, ", ");
		repr(r, b, d->e[i].key, depth + 1);
		addz(b, ": ");
		repr(r, b, d->e[i].value, depth + 1);
	}
	jx_text_char(b, '}');
}

static void repr_view(struct jinja_run *r, struct jx_text *b, struct jv v, unsigned depth)
{
	static const char *const names[] = {"dict_keys([", "dict_values([", "dict_items(["};
	const struct jv_dict *d = v.u.dict;
	addz(b, names[v.aux]);
	for (uint32_t i = 0; i < d->n; i++) {
		if (i)
			addz(b, ", ");
		if (v.aux == VIEW_ITEMS)
			jx_text_char(b, '(');
		if (v.aux != VIEW_VALUES)
			repr(r, b, d->e[i].key, depth + 1);
		if (v.aux == VIEW_ITEMS)
			addz(b, ", ");
		if (v.aux != VIEW_KEYS)
			repr(r, b, d->e[i].value, depth + 1);
		if (v.aux == VIEW_ITEMS)
			jx_text_char(b, ')');
	}
	addz(b, "])");
}

/* Only a namespace can hold itself. */
static void repr_namespace(struct jinja_run *r, struct jx_text *b, struct jv v, unsigned depth)
{
	addz(b, "<Namespace ");
	int inside = 0;
	for (unsigned i = 0; i < r->nprinting; i++)
		inside |= r->printing[i] == v.u.p;
	if (inside) {
		addz(b, "{...}");
	} else {
		if (r->nprinting == JX_VALUE_DEPTH)
			jx_fail(r, "namespaces nested too deeply to print");
		r->printing[r->nprinting++] = v.u.p;
		repr_dict(r, b, v.u.dict, depth);
		r->nprinting--;
	}
	jx_text_char(b, '>');
}

static void repr_float(struct jx_text *b, double f)
{
	char buf[40];
	jx_text_add(b, buf, json_repr_double(f, buf));
}

static void repr(struct jinja_run *r, struct jx_text *b, struct jv v, unsigned depth)
{
	const struct jx_range *g;
	struct jv name;
	if (depth > JX_VALUE_DEPTH)
		jx_fail(r, "a value is nested too deeply to print (over %d levels)",
			JX_VALUE_DEPTH);
	jx_spend(r, 1);
	switch (v.type) {
	case JV_UNDEFINED:
		addz(b, "Undefined");
		break;
	case JV_NONE:
		addz(b, "None");
		break;
	case JV_BOOL:
		addz(b, v.u.i ? "True" : "False");
		break;
	case JV_INT:
		add_int(b, v.u.i);
		break;
	case JV_FLOAT:
		repr_float(b, v.u.f);
		break;
	case JV_STR:
		repr_str(b, v);
		break;
	case JV_LIST:
		jx_text_char(b, '[');
		repr_items(r, b, v.u.list, depth);
		jx_text_char(b, ']');
		break;
	case JV_TUPLE:
		jx_text_char(b, '(');
		repr_items(r, b, v.u.list, depth);
		addz(b, v.u.list->n == 1 ? ",)" : ")");
		break;
	case JV_DICT:
		repr_dict(r, b, v.u.dict, depth);
		break;
	case JV_RANGE:
		g = v.u.p;
		addz(b, "range(");
		add_int(b, g->start);
		addz(b, ", ");
		add_int(b, g->stop);
		if (g->step != 1) {
			addz(b, ", ");
			add_int(b, g->step);
		}
		jx_text_char(b, ')');
		break;
	case JV_VIEW:
		repr_view(r, b, v, depth);
		break;
	case JV_NAMESPACE:
		repr_namespace(r, b, v, depth);
		break;
	case JV_LOOP:
		addz(b, "<LoopContext ");
		add_int(b, jx_loop_index(v));
		jx_text_char(b, '/');
		add_int(b, jx_loop_length(r, v));
		jx_text_char(b, '>');
		break;
	case JV_MACRO:
		name = jx_macro_name(v);
		addz(b, "<Macro ");
		if (name.type == JV_STR)
			repr_str(b, name);
		else
			addz(b, "anonymous");
		jx_text_char(b, '>');
		break;
	default: /* CPython prints an address here; there is none to match */
		jx_text_char(b, '<');
		addz(b, jx_type_name(v));
		jx_text_char(b, '>');
	}
}

void jx_repr_to(struct jinja_run *r, struct jx_text *b, struct jv v)
{
	repr(r, b, v, 0);
}

void jx_str_to(struct jinja_run *r, struct jx_text *b, struct jv v)
{
	if (v.type == JV_STR)
		jx_text_add(b, v.u.s, v.len);
	else if (v.type != JV_UNDEFINED)
		repr(r, b, v, 0);
}

struct jv jx_to_str(struct jinja_run *r, struct jv v)
{
	if (v.type == JV_STR) {
		v.flags = 0;
		return v;
	}
	struct jx_text b = {.r = r};
	jx_str_to(r, &b, v);
	return jx_text_end(&b);
}

struct jv jx_soft_str(struct jinja_run *r, struct jv v)
{
	return v.type == JV_STR ? v : jx_to_str(r, v);
}

struct jv jx_escape(struct jinja_run *r, struct jv v)
{
	if (v.type == JV_STR && (v.flags & JF_MARKUP))
		return v;
	v = jx_to_str(r, v);
	struct jx_text b = {.r = r};
	size_t from = 0;
	for (size_t i = 0; i < v.len; i++) {
		char c = v.u.s[i];
		const char *e = c == '&'    ? "&amp;"
				: c == '<'  ? "&lt;"
				: c == '>'  ? "&gt;"
				: c == '\'' ? "&#39;"
				: c == '"'  ? "&#34;"
					    : NULL;
		if (!e)
			continue;
		jx_text_add(&b, v.u.s + from, i - from);
		addz(&b, e);
		from = i + 1;
	}
	if (from) {
		jx_text_add(&b, v.u.s + from, v.len - from);
		v = jx_text_end(&b);
	}
	v.flags = JF_MARKUP;
	return v;
}

/* ---- json.dumps ----------------------------------------------------------------------------------- */

struct json {
	struct jinja_run *r;
	struct jx_text *b;
	int ascii, sort, pretty;
	struct jv indent, item_sep, key_sep;
};

static void json_text(const struct json *j, struct jv v)
{
	struct jx_text *b = j->b;
	char buf[16];
	jx_text_char(b, '"');
	size_t from = 0;
	for (size_t i = 0; i < v.len;) {
		size_t at = i;
		unsigned char c = (unsigned char)v.u.s[i];
		if (c >= 0x20 && c != '"' && c != '\\' && (c < 0x80 || !j->ascii)) {
			i++;
			continue;
		}
		jx_text_add(b, v.u.s + from, at - from);
		uint32_t u = jx_utf8_get(v.u.s, v.len, &i);
		from = i;
		static const char plain[] = "\"\\\n\r\t\f\b", letter[] = "\"\\nrtfb";
		const char *p = u && u < 0x80 ? strchr(plain, (int)u) : NULL;
		if (p) {
			jx_text_char(b, '\\');
			jx_text_char(b, letter[p - plain]);
			continue;
		}
		if (u >= 0x10000)
			snprintf(buf, sizeof buf, "\\u%04x\\u%04x",
				(unsigned)(0xd800 + ((u - 0x10000) >> 10)),
				(unsigned)(0xdc00 + ((u - 0x10000) & 0x3ff)));
		else
			snprintf(buf, sizeof buf, "\\u%04x", (unsigned)u);
		addz(b, buf);
	}
	jx_text_add(b, v.u.s + from, v.len - from);
	jx_text_char(b, '"');
}

static void json_float(const struct json *j, double f)
{
	if (isnan(f))
		addz(j->b, "NaN");
	else if (isinf(f))
		addz(j->b, f < 0 ? "-Infinity" : "Infinity");
	else
		repr_float(j->b, f);
}

static void json_newline(const struct json *j, unsigned depth)
{
	if (!j->pretty)
		return;
	jx_text_char(j->b, '\n');
	for (unsigned i = 0; i < depth; i++)
		jx_text_add(j->b, j->indent.u.s, j->indent.len);
}

static void json_value(const struct json *j, struct jv v, unsigned depth);

static void json_key(const struct json *j, struct jv k)
{
	if (k.type == JV_STR) {
		json_text(j, k);
		return;
	}
	if (k.type != JV_NONE && !jx_is_number(k))
		jx_fail(j->r, "keys must be str, int, float, bool or None, not %s",
			jx_type_name(k));
	jx_text_char(j->b, '"');
	json_value(j, k, 0);
	jx_text_char(j->b, '"');
}

static void json_dict(const struct json *j, const struct jv_dict *d, unsigned depth)
{
	struct jv keys = jx_list(j->r, d->n);
	for (uint32_t i = 0; i < d->n; i++)
		jx_push(j->r, keys, d->e[i].key);
	if (j->sort)
		keys = jx_sorted(j->r, keys, NULL, 0);
	jx_text_char(j->b, '{');
	for (uint32_t i = 0; i < d->n; i++) {
		struct jv k = keys.u.list->v[i];
		if (i)
			jx_text_add(j->b, j->item_sep.u.s, j->item_sep.len);
		json_newline(j, depth + 1);
		json_key(j, k);
		jx_text_add(j->b, j->key_sep.u.s, j->key_sep.len);
		json_value(j,
			j->sort ? *jx_dict_find(j->r,
					  (struct jv){.type = JV_DICT,
						  .u.dict = (struct jv_dict *)(uintptr_t)d},
					  k)
				: d->e[i].value,
			depth + 1);
	}
	if (d->n)
		json_newline(j, depth);
	jx_text_char(j->b, '}');
}

static void json_value(const struct json *j, struct jv v, unsigned depth)
{
	if (depth > JX_VALUE_DEPTH)
		jx_fail(j->r, "a value is nested too deeply for tojson (over %d levels)",
			JX_VALUE_DEPTH);
	jx_spend(j->r, 1);
	switch (v.type) {
	case JV_NONE:
		addz(j->b, "null");
		break;
	case JV_BOOL:
		addz(j->b, v.u.i ? "true" : "false");
		break;
	case JV_INT:
		add_int(j->b, v.u.i);
		break;
	case JV_FLOAT:
		json_float(j, v.u.f);
		break;
	case JV_STR:
		json_text(j, v);
		break;
	case JV_LIST:
	case JV_TUPLE:
		jx_text_char(j->b, '[');
		for (uint32_t i = 0; i < v.u.list->n; i++) {
			if (i)
				jx_text_add(j->b, j->item_sep.u.s, j->item_sep.len);
			json_newline(j, depth + 1);
			json_value(j, v.u.list->v[i], depth + 1);
		}
		if (v.u.list->n)
			json_newline(j, depth);
		jx_text_char(j->b, ']');
		break;
	case JV_DICT:
		json_dict(j, v.u.dict, depth);
		break;
	default:
		jx_fail(j->r, "Object of type %s is not JSON serializable", jx_type_name(v));
	}
}

/* opts: ensure_ascii, indent, separators, sort_keys. */
void jx_json_to(struct jinja_run *r, struct jx_text *b, struct jv v, struct jv *opts)
{
	struct json j = {.r = r, .b = b, .item_sep = jv_str(", ", 2), .key_sep = jv_str(": ", 2)};
	j.ascii = jx_arg_true(r, opts[0], 0);
	j.sort = jx_arg_true(r, opts[3], 0);
	if (jx_given(opts[1])) {
		j.pretty = 1;
		j.item_sep.len = 1;
		if (opts[1].type == JV_STR) {
			j.indent = opts[1];
		} else {
			int64_t n = jx_index(r, opts[1]);
			struct jx_text pad = {.r = r};
			if (n > 1000)
				jx_fail(r, "an indent of %lld is too much", (long long)n);
			for (int64_t i = 0; i < n; i++)
				jx_text_char(&pad, ' ');
			j.indent = jx_text_end(&pad);
		}
	}
	if (jx_given(opts[2])) {
		struct jv two = jx_to_list(r, opts[2]);
		if (two.u.list->n != 2)
			jx_fail(r, "separators must be two strings");
		j.item_sep = jx_want_str(r, two.u.list->v[0], "a separator");
		j.key_sep = jx_want_str(r, two.u.list->v[1], "a separator");
	}
	json_value(&j, v, 0);
}
