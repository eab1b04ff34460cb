#include "tools/tmpl/chat.h"

#include "common/json.h"

#include <string.h>

enum { VALUE_DEPTH = 100 }; /* nesting of a row's values */

/* Written behind the last message's content to find it again: transformers' own tag, with a blank at
 * its end that shows whether the template trims. */
static const char tag[] = "CONTINUE_FINAL_MESSAGE_TAG ";

struct chat {
	const struct chat_template *t;
	struct jinja_run *plain, *tools;
	struct arena arena;
};

static int compile(struct jinja **out, const char *text, const char *from, struct err *e)
{
	if (jinja_compile(out, text, strlen(text), e) < 0)
		return err_prefix(e, "chat template of %s", from);
	return 0;
}

int chat_template_compile(struct chat_template *t, const struct source *s, struct err *e)
{
	t->source = s;
	if (!s->plain)
		return 0;
	if (compile(&t->plain, s->plain, s->from, e) < 0)
		return -1;
	t->tools = t->plain;
	return s->tools == s->plain ? 0 : compile(&t->tools, s->tools, s->from, e);
}

void chat_template_done(struct chat_template *t)
{
	if (t->tools != t->plain)
		jinja_free(t->tools);
	jinja_free(t->plain);
	json_decref(t->default_tools);
	json_decref(t->kwargs);
}

struct chat *chat_new(const struct chat_template *t)
{
	struct chat *c = mem_zalloc(1, sizeof *c);
	c->t = t;
	if (!t->plain)
		return c;
	c->plain = jinja_run_new(t->plain);
	jinja_run_clock(c->plain, t->now);
	c->tools = c->plain;
	if (t->tools != t->plain) {
		c->tools = jinja_run_new(t->tools);
		jinja_run_clock(c->tools, t->now);
	}
	return c;
}

void chat_free(struct chat *c)
{
	if (!c)
		return;
	if (c->tools != c->plain)
		jinja_run_free(c->tools);
	if (c->plain)
		jinja_run_free(c->plain);
	arena_done(&c->arena);
	mem_free(c);
}

/* ---- values ---- */

static int value(struct arena *a, const json_t *v, int depth, struct jv *out, struct err *e)
{
	struct jv item;
	if (depth > VALUE_DEPTH)
		return err_data(e, "values are nested deeper than %d", VALUE_DEPTH);
	switch (json_typeof(v)) {
	case JSON_OBJECT: {
		const char *key;
		json_t *val;
		*out = jv_dict(a, json_object_size(v));
		json_object_foreach((json_t *)v, key, val)
		{
			if (value(a, val, depth + 1, &item, e) < 0)
				return -1;
			jv_dict_set(a, *out, jv_str(key, strlen(key)), item);
		}
		return 0;
	}
	case JSON_ARRAY:
		*out = jv_list(a, json_array_size(v));
		for (size_t i = 0; i < json_array_size(v); i++) {
			if (value(a, json_array_get(v, i), depth + 1, &item, e) < 0)
				return -1;
			jv_list_add(a, *out, item);
		}
		return 0;
	case JSON_STRING:
		*out = jv_str(json_string_value(v), json_string_length(v));
		return 0;
	case JSON_INTEGER:
		*out = jv_int(json_integer_value(v));
		return 0;
	case JSON_REAL:
		*out = jv_float(json_real_value(v));
		return 0;
	case JSON_TRUE:
	case JSON_FALSE:
		*out = jv_bool(json_is_true(v));
		return 0;
	case JSON_NULL:
		break;
	}
	*out = jv_none();
	return 0;
}

static void set(struct arena *a, struct jv dict, const char *key, struct jv v)
{
	jv_dict_set(a, dict, jv_str(key, strlen(key)), v);
}

/* The first of the names under which templates look for a message's reasoning. */
static const json_t *reasoning_of(const json_t *message)
{
	static const char *const names[] = {"reasoning_content", "thinking", "reasoning"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const json_t *v = json_object_get(message, names[i]);
		if (v && !json_is_null(v))
			return v;
	}
	return NULL;
}

static struct jv tagged(struct arena *a, const char *s, size_t len)
{
	char *t = arena_alloc(a, len + sizeof tag - 1, 1);
	memcpy(t, s, len);
	memcpy(t + len, tag, sizeof tag - 1);
	return jv_str(t, len + sizeof tag - 1);
}

/* The last message's content with the tag; of a list of blocks the last that has text. */
static int tag_content(struct arena *a, const json_t *content, struct jv *out, struct err *e)
{
	if (json_is_string(content)) {
		*out = tagged(a, json_string_value(content), json_string_length(content));
		return 0;
	}
	if (value(a, content, 2, out, e) < 0)
		return -1;
	for (size_t i = json_array_size(content); i-- > 0;) {
		const json_t *text = json_object_get(json_array_get(content, i), "text");
		if (!json_is_string(text))
			continue;
		set(a, jv_list_at(*out, i), "text",
			tagged(a, json_string_value(text), json_string_length(text)));
		return 0;
	}
	return err_data(e, "--continue-final-message: the last message has no text to continue");
}

static int message(struct arena *a, const json_t *m, int continued, struct jv *out, struct err *e)
{
	const char *key;
	json_t *v;
	struct jv item;
	if (!json_is_object(m))
		return err_data(e, "a message is not an object");
	const json_t *reasoning = reasoning_of(m);
	*out = jv_dict(a, json_object_size(m) + 2);
	if (reasoning) {
		if (value(a, reasoning, 2, &item, e) < 0)
			return -1;
		set(a, *out, "thinking", item);
	}
	json_object_foreach((json_t *)m, key, v)
	{
		if (json_is_null(v))
			continue;
		if (value(a, v, 2, &item, e) < 0)
			return -1;
		set(a, *out, key, item);
	}
	if (reasoning) {
		if (value(a, reasoning, 2, &item, e) < 0)
			return -1;
		set(a, *out, "reasoning_content", item);
	}
	if (!continued)
		return 0;
	if (tag_content(a, json_object_get(m, "content"), &item, e) < 0)
		return -1;
	set(a, *out, "content", item);
	return 0;
}

static int messages(struct arena *a, const json_t *head, const json_t *tail, int continued,
	struct jv *out, struct err *e)
{
	size_t nhead = json_array_size(head), n = nhead + json_array_size(tail);
	if (n == 0)
		return err_data(e, "the conversation is empty");
	*out = jv_list(a, n);
	for (size_t i = 0; i < n; i++) {
		const json_t *m =
			i < nhead ? json_array_get(head, i) : json_array_get(tail, i - nhead);
		struct jv item;
		if (message(a, m, continued && i + 1 == n, &item, e) < 0)
			return err_prefix(e, "message %zu", i + 1);
		jv_list_add(a, *out, item);
	}
	return 0;
}

/* ---- the template's variables ---- */

/* The row's tools, else --tools; an empty list counts as none, as TRL has it. */
static const json_t *tools_of(const struct chat *c, const struct chat_extra *x)
{
	const json_t *tools =
		x && x->tools && !json_is_null(x->tools) ? x->tools : c->t->default_tools;
	return json_is_array(tools) && json_array_size(tools) == 0 ? NULL : tools;
}

static int add_all(struct arena *a, struct jv vars, const json_t *object, struct err *e)
{
	const char *key;
	json_t *v;
	struct jv item;
	json_object_foreach((json_t *)object, key, v)
	{
		if (value(a, v, 1, &item, e) < 0)
			return -1;
		set(a, vars, key, item);
	}
	return 0;
}

static int variables(struct chat *c, const struct chat_extra *x, struct jv conversation, int prompt,
	struct jv *vars, struct err *e)
{
	struct arena *a = &c->arena;
	const json_t *tools = tools_of(c, x);
	struct jv tool_list = jv_none();
	if (tools && value(a, tools, 1, &tool_list, e) < 0)
		return -1;
	*vars = jv_dict(a, 24);
	if (add_all(a, *vars, c->t->source->special, e) < 0 ||
		(c->t->kwargs && add_all(a, *vars, c->t->kwargs, e) < 0) ||
		(x && json_is_object(x->kwargs) && add_all(a, *vars, x->kwargs, e) < 0))
		return -1;
	set(a, *vars, "messages", conversation);
	set(a, *vars, "tools", tool_list);
	set(a, *vars, "documents", jv_none());
	set(a, *vars, "add_generation_prompt", jv_bool(prompt));
	return 0;
}

/* ---- rendering ---- */

static int is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Cuts at the tag; where the template trimmed the content, blanks before it go too. */
static int cut_at_tag(struct str *out, size_t from, struct err *e)
{
	size_t bare = sizeof tag - 2; /* without its blank */
	for (size_t i = out->len; i-- > from;) {
		if (out->len - i < bare || memcmp(out->s + i, tag, bare))
			continue;
		int whole = i + bare < out->len && out->s[i + bare] == ' ';
		while (!whole && i > from && is_space(out->s[i - 1]))
			i--;
		str_cut(out, i);
		return 0;
	}
	return err_data(e, "--continue-final-message: the last message does not appear in the text "
			   "that the template made");
}

int chat_render(struct chat *c, const json_t *head, const json_t *tail, const struct chat_extra *x,
	enum chat_end end, struct str *out, struct jinja_spans *spans, struct err *e)
{
	struct jv conversation, vars;
	size_t from = out->len;
	arena_reset(&c->arena);
	if (messages(&c->arena, head, tail, end == CHAT_CONTINUE, &conversation, e) < 0 ||
		variables(c, x, conversation, end == CHAT_PROMPT, &vars, e) < 0)
		return -1;
	if (jinja_render(tools_of(c, x) ? c->tools : c->plain, vars, out, spans, e) < 0) {
		e->status = STATUS_DATA;
		return err_prefix(e, "chat template");
	}
	return end == CHAT_CONTINUE ? cut_at_tag(out, from, e) : 0;
}

int chat_marks_generation(const struct chat *c, const struct chat_extra *x)
{
	return jinja_has_generation(tools_of(c, x) ? c->t->tools : c->t->plain);
}
