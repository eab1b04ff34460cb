#include "tools/tmpl/messages.h"

#include "tools/tmpl/value.h"

#include <string.h>

/* ---- roles ---- */

/* ShareGPT's names, and those of the collections that copied its form. Others stay as they are. */
static const struct {
	const char *from, *role;
} roles[] = {
	{"human", "user"},
	{"user", "user"},
	{"gpt", "assistant"},
	{"chatgpt", "assistant"},
	{"bing", "assistant"},
	{"bard", "assistant"},
	{"assistant", "assistant"},
	{"model", "assistant"},
	{"function_call", "assistant"},
	{"observation", "tool"},
	{"function_response", "tool"},
	{"tool", "tool"},
};

static struct jv role_of(struct jv from)
{
	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
		if (value_is(from, roles[i].from))
			return jv_str(roles[i].role, strlen(roles[i].role));
	return from;
}

struct jv messages_role(struct jv list, size_t i)
{
	return value_get(jv_list_at(list, i), "role");
}

int messages_role_is(struct jv list, size_t i, const char *role)
{
	return value_is(messages_role(list, i), role);
}

/* ---- building lists ---- */

struct jv messages_one(struct arena *a, const char *role, struct jv content)
{
	struct jv list = jv_list(a, 1), m = jv_dict(a, 2);
	value_put(a, m, "role", jv_str(role, strlen(role)));
	value_put(a, m, "content", content);
	jv_list_add(a, list, m);
	return list;
}

struct jv messages_join(struct arena *a, struct jv head, struct jv tail)
{
	size_t nhead = jv_list_len(head), ntail = jv_list_len(tail);
	struct jv out = jv_list(a, nhead + ntail);
	for (size_t i = 0; i < nhead; i++)
		jv_list_add(a, out, jv_list_at(head, i));
	for (size_t i = 0; i < ntail; i++)
		jv_list_add(a, out, jv_list_at(tail, i));
	return out;
}

/* One dict stands for a list of one. */
static struct jv as_list(struct arena *a, struct jv v)
{
	if (v.type != JV_DICT)
		return v;
	struct jv list = jv_list(a, 1);
	jv_list_add(a, list, v);
	return list;
}

/* ---- tool calls ---- */

/* {"name": …, "arguments": …}, or a list of such, as JSON text → a list of OpenAI's tool calls. */
static int tool_calls(struct arena *a, struct jv text, struct jv *out, struct err *e)
{
	struct jv v;
	if (text.type != JV_STR || value_parse(&v, a, text.u.s, text.len, e) < 0)
		return err_data(e, "a function call that is not JSON text");
	struct jv calls = as_list(a, v);
	size_t n = calls.type == JV_LIST ? jv_list_len(calls) : 0;
	*out = jv_list(a, n);
	for (size_t i = 0; i < n; i++) {
		struct jv call = jv_dict(a, 2), function = jv_list_at(calls, i);
		if (value_get(function, "name").type != JV_STR)
			return err_data(e, "a function call without a name");
		value_put(a, call, "type", jv_str("function", 8));
		value_put(a, call, "function", function);
		jv_list_add(a, *out, call);
	}
	return n ? 0 : err_data(e, "a function call without a name");
}

/* ---- one message ---- */

/* The other keys of a message go along, but for those that are null: tables give every row all keys. */
static void copy_others(
	struct arena *a, struct jv m, struct jv out, const char *but, const char *and_but)
{
	for (size_t i = 0; i < jv_dict_len(m); i++) {
		struct jv key, value;
		jv_dict_at(m, i, &key, &value);
		if (value.type != JV_NONE && !value_is(key, but) && !value_is(key, and_but))
			jv_dict_set(a, out, key, value);
	}
}

static int from_sharegpt(struct arena *a, struct jv m, struct jv *out, struct err *e)
{
	struct jv from = value_get(m, "from"), value = value_get(m, "value"), calls;
	*out = jv_dict(a, jv_dict_len(m) + 1);
	value_put(a, *out, "role", role_of(from));
	if (!value_is(from, "function_call")) {
		value_put(a, *out, "content", value);
	} else {
		if (tool_calls(a, value, &calls, e) < 0)
			return -1;
		value_put(a, *out, "content", jv_str("", 0));
		value_put(a, *out, "tool_calls", calls);
	}
	copy_others(a, m, *out, "from", "value");
	return 0;
}

/* Whether content is a list of parts with `value`, LLaMA-Factory's second form. */
static int has_values(struct jv content)
{
	struct jv part = content.type == JV_LIST && jv_list_len(content) ? jv_list_at(content, 0)
									 : jv_none();
	return value_get(part, "type").type == JV_STR && value_get(part, "value").type == JV_STR;
}

static struct jv text_of(struct arena *a, const struct str *s)
{
	return jv_str(arena_strndup(a, s->s ? s->s : "", s->len), s->len);
}

static int from_parts(struct arena *a, struct jv m, struct jv *out, struct err *e)
{
	struct jv parts = value_get(m, "content"), calls = {0};
	struct str text = {0}, reasoning = {0};
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < jv_list_len(parts); i++) {
		struct jv part = jv_list_at(parts, i), type = value_get(part, "type"), call = {0},
			  value = value_get(part, "value");
		if (value.type != JV_STR) {
			rc = err_data(e, "part %zu of the content has no value", i + 1);
		} else if (value_is(type, "text")) {
			str_add(&text, value.u.s, value.len);
		} else if (value_is(type, "reasoning")) {
			str_add(&reasoning, value.u.s, value.len);
		} else if (value_is(type, "tool_call")) {
			rc = tool_calls(a, value, &call, e);
			if (rc == 0)
				calls = calls.type ? messages_join(a, calls, call) : call;
		} else {
			rc = err_data(e,
				"a part of the content is of type '%.*s', which is not known",
				type.type == JV_STR ? value_head(type, 40) : 1,
				type.type == JV_STR ? type.u.s : "?");
		}
	}
	*out = jv_dict(a, jv_dict_len(m) + 2);
	value_put(a, *out, "role", value_get(m, "role"));
	value_put(a, *out, "content", text_of(a, &text));
	if (reasoning.len)
		value_put(a, *out, "reasoning_content", text_of(a, &reasoning));
	if (calls.type)
		value_put(a, *out, "tool_calls", calls);
	copy_others(a, m, *out, "role", "content");
	str_done(&text);
	str_done(&reasoning);
	return rc;
}

/* 1 *out is another message than m, 0 it is m, -1. */
static int read_one(struct arena *a, struct jv m, struct jv *out, int *made, struct err *e)
{
	*out = m;
	if (value_get(m, "role").type == JV_STR) {
		if (!has_values(value_get(m, "content")))
			return 0;
		return from_parts(a, m, out, e) < 0 ? -1 : 1;
	}
	if (value_get(m, "from").type != JV_STR)
		return err_data(e, "has no role");
	*made = 1;
	return from_sharegpt(a, m, out, e) < 0 ? -1 : 1;
}

int messages_read(
	struct arena *a, struct jv v, const char *column, struct jv *out, int *made, struct err *e)
{
	v = as_list(a, v);
	if (v.type != JV_LIST)
		return err_data(e, "'%s' is neither a string nor a list of messages", column);
	if (jv_list_len(v) == 0)
		return err_data(e, "'%s' is an empty list", column);
	*out = v;
	int other = 0;
	for (size_t i = 0; i < jv_list_len(v); i++) {
		struct jv m;
		int got = read_one(a, jv_list_at(v, i), &m, made, e);
		if (got < 0)
			return err_prefix(e, "'%s': message %zu", column, i + 1);
		if (got && !other)
			*out = value_slice(a, v, 0, i);
		other |= got;
		if (other)
			jv_list_add(a, *out, m);
	}
	return 0;
}
