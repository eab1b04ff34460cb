#include "tools/tmpl/chat.h"

#include <string.h>

/* Written behind the last message's content to find it again: transformers' own tag, with a blank at
 * its end that shows whether the template trims. */
static const char tag[] = "CONTINUE_FINAL_MESSAGE_TAG ";

struct chat {
	const struct chat_template *t;
	struct jinja_run *plain, *tools;
	struct arena arena;
	uint64_t steps;
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
}

/* What every conversation sees: special tokens, and --chat-template-kwargs over them. */
static struct jinja_run *new_run(const struct chat_template *t, const struct jinja *templ)
{
	struct jinja_run *r = jinja_run_new(templ);
	const char *name;
	json_t *token;
	struct jv key, v;
	jinja_run_clock(r, t->now);
	json_object_foreach(t->source->special, name, token)
		jinja_run_always(r, jv_str(name, strlen(name)),
			jv_str(json_string_value(token), json_string_length(token)));
	for (size_t i = 0; t->kwargs.type == JV_DICT && i < jv_dict_len(t->kwargs); i++) {
		jv_dict_at(t->kwargs, i, &key, &v);
		jinja_run_always(r, key, v);
	}
	return r;
}

struct chat *chat_new(const struct chat_template *t)
{
	struct chat *c = mem_zalloc(1, sizeof *c);
	c->t = t;
	if (!t->plain)
		return c;
	c->plain = new_run(t, t->plain);
	c->tools = t->tools == t->plain ? c->plain : new_run(t, t->tools);
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

/* ---- messages ---- */

/* The first of the names under which templates look for a message's reasoning. */
static struct jv reasoning_of(struct jv message)
{
	static const char *const names[] = {"reasoning_content", "thinking", "reasoning"};
	struct jv v = {.type = JV_MISSING};
	for (size_t i = 0; i < sizeof names / sizeof *names && !value_given(v); i++)
		v = value_get(message, names[i]);
	return v;
}

static int has_nulls(struct jv message)
{
	struct jv key, v;
	for (size_t i = 0; i < jv_dict_len(message); i++) {
		jv_dict_at(message, i, &key, &v);
		if (v.type == JV_NONE)
			return 1;
	}
	return 0;
}

static struct jv tagged(struct arena *a, struct jv text)
{
	char *t = arena_alloc(a, text.len + sizeof tag - 1, 1);
	memcpy(t, text.u.s, text.len);
	memcpy(t + text.len, tag, sizeof tag - 1);
	return jv_str(t, text.len + sizeof tag - 1);
}

/* The last message's content with the tag; of a list of blocks the last that has text. */
static int tag_content(struct arena *a, struct jv content, struct jv *out, struct err *e)
{
	size_t n = content.type == JV_LIST ? jv_list_len(content) : 0, at = n;
	if (content.type == JV_STR) {
		*out = tagged(a, content);
		return 0;
	}
	while (at > 0 && value_get(jv_list_at(content, at - 1), "text").type != JV_STR)
		at--;
	if (at == 0)
		return err_data(e, "--continue-final-message: the last message has no text to "
				   "continue");
	struct jv block = value_copy(a, jv_list_at(content, at - 1));
	value_put(a, block, "text", tagged(a, value_get(block, "text")));
	*out = value_slice(a, content, 0, at - 1);
	jv_list_add(a, *out, block);
	for (; at < n; at++)
		jv_list_add(a, *out, jv_list_at(content, at));
	return 0;
}

/* The message as templates see it: itself, unless something is to be dropped or filled in. */
static int message(struct arena *a, struct jv m, int continued, struct jv *out, struct err *e)
{
	if (m.type != JV_DICT)
		return err_data(e, "a message is not an object");
	struct jv reasoning = reasoning_of(m), key, v;
	*out = m;
	if (!value_given(reasoning) && !has_nulls(m) && !continued)
		return 0;
	*out = jv_dict(a, jv_dict_len(m) + 2);
	if (value_given(reasoning))
		value_put(a, *out, "thinking", reasoning);
	for (size_t i = 0; i < jv_dict_len(m); i++) {
		jv_dict_at(m, i, &key, &v);
		if (v.type != JV_NONE)
			jv_dict_set(a, *out, key, v);
	}
	if (value_given(reasoning))
		value_put(a, *out, "reasoning_content", reasoning);
	if (!continued)
		return 0;
	if (tag_content(a, value_get(m, "content"), &v, e) < 0)
		return -1;
	value_put(a, *out, "content", v);
	return 0;
}

static int messages(struct arena *a, struct jv head, struct jv tail, int continued, struct jv *out,
	struct err *e)
{
	size_t nhead = jv_list_len(head), n = nhead;
	if (tail.type == JV_LIST)
		n += jv_list_len(tail);
	if (n == 0)
		return err_data(e, "the conversation is empty");
	*out = jv_list(a, n);
	for (size_t i = 0; i < n; i++) {
		struct jv m = i < nhead ? jv_list_at(head, i) : jv_list_at(tail, i - nhead), item;
		if (message(a, m, continued && i + 1 == n, &item, e) < 0)
			return err_prefix(e, "message %zu", i + 1);
		jv_list_add(a, *out, item);
	}
	return 0;
}

/* ---- the template's variables ---- */

/* The row's tools, else --tools; an empty list counts as none, as TRL has it. */
static struct jv tools_of(const struct chat *c, const struct chat_extra *x)
{
	struct jv tools = x && value_given(x->tools) ? x->tools : c->t->default_tools;
	int none = tools.type == JV_MISSING || (tools.type == JV_LIST && !jv_list_len(tools));
	return none ? jv_none() : tools;
}

static struct jv variables(struct arena *a, const struct chat_extra *x, struct jv conversation,
	struct jv tools, int prompt)
{
	struct jv vars = x && x->kwargs.type == JV_DICT ? value_copy(a, x->kwargs) : jv_dict(a, 4);
	value_put(a, vars, "messages", conversation);
	value_put(a, vars, "tools", tools);
	value_put(a, vars, "documents", jv_none());
	value_put(a, vars, "add_generation_prompt", jv_bool(prompt));
	return vars;
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

int chat_render(struct chat *c, struct jv head, struct jv tail, const struct chat_extra *x,
	enum chat_end end, struct str *out, struct jinja_spans *spans, struct err *e)
{
	struct jv conversation, tools = tools_of(c, x);
	size_t from = out->len;
	arena_reset(&c->arena);
	if (messages(&c->arena, head, tail, end == CHAT_CONTINUE, &conversation, e) < 0)
		return -1;
	struct jinja_run *run = tools.type != JV_NONE ? c->tools : c->plain;
	struct jv vars = variables(&c->arena, x, conversation, tools, end == CHAT_PROMPT);
	int rc = jinja_render(run, vars, out, spans, e);
	c->steps = jinja_run_steps(run) + 4 * jv_list_len(conversation); /* looked up in each */
	if (rc < 0) {
		e->status = STATUS_DATA;
		return err_prefix(e, "chat template");
	}
	return end == CHAT_CONTINUE ? cut_at_tag(out, from, e) : 0;
}

uint64_t chat_steps(const struct chat *c)
{
	return c->steps;
}

int chat_marks_generation(const struct chat *c, const struct chat_extra *x)
{
	return jinja_has_generation(tools_of(c, x).type != JV_NONE ? c->t->tools : c->t->plain);
}
