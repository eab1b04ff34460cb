/* What the readers of forms share: columns, and the steps from strings to messages. */
#include "tools/tmpl/shape_int.h"

#include "tools/tmpl/transcript.h"

#include <string.h>

struct jv shape_peek(const struct reader *r, const char *column)
{
	struct jv v = value_get(r->row, column);
	return v.type == JV_NONE ? (struct jv){0} : v;
}

struct jv shape_take(struct reader *r, const char *column)
{
	struct shape_list *l = r->list;
	struct jv v = shape_peek(r, column);
	if (v.type && l->ntaken < sizeof l->taken / sizeof *l->taken)
		l->taken[l->ntaken++] = column;
	return v;
}

int shape_has(const struct reader *r, const char *column)
{
	return shape_peek(r, column).type != JV_MISSING;
}

int shape_text_or_chat(
	struct reader *r, struct jv v, const char *column, struct jv *out, struct err *e)
{
	*out = v;
	if (v.type == JV_MISSING)
		return err_data(e, "no '%s' in the row", column);
	if (v.type == JV_STR)
		return 0;
	return messages_read(r->arena, v, column, out, &r->made, e) < 0 ? -1 : 1;
}

int shape_label(struct reader *r, struct err *e)
{
	const char *column = shape_has(r, "label") ? "label" : "kto_tag";
	struct jv v = shape_take(r, column);
	if (v.type == JV_MISSING)
		return 0;
	if (v.type != JV_BOOL && !(v.type == JV_INT && (v.u.i == 0 || v.u.i == 1)))
		return err_data(e, "'%s' is not true or false", column);
	r->c.label = v.u.i != 0;
	return 0;
}

void shape_add_system(struct reader *r)
{
	const char *column = shape_has(r, "system") ? "system" : "system_prompt";
	struct jv system = shape_peek(r, column), *prompt = &r->c.prompt;
	if (!r->made || !r->c.chat || system.type != JV_STR ||
		(jv_list_len(*prompt) && messages_role_is(*prompt, 0, "system")))
		return;
	shape_take(r, column);
	if (system.len)
		*prompt =
			messages_join(r->arena, messages_one(r->arena, "system", system), *prompt);
}

static struct jv join_lines(struct arena *a, struct jv first, struct jv second)
{
	size_t n = (size_t)first.len + 1 + second.len;
	char *s = arena_alloc(a, n, 1);
	memcpy(s, first.u.s, first.len);
	s[first.len] = '\n';
	memcpy(s + first.len + 1, second.u.s, second.len);
	return jv_str(s, n);
}

struct jv shape_words(struct reader *r, const char *column)
{
	struct jv words = shape_peek(r, column);
	if (words.type != JV_STR)
		return (struct jv){0};
	shape_take(r, column);
	if (strcmp(column, "instruction") != 0)
		return words;
	const char *more = shape_has(r, "input") ? "input" : "context";
	struct jv input = shape_peek(r, more);
	if (input.type != JV_STR)
		return words;
	shape_take(r, more);
	if (!input.len)
		return words;
	return words.len ? join_lines(r->arena, words, input) : input;
}

struct jv shape_question(struct reader *r)
{
	static const char *const names[] = {"instruction", "question", "query", "input"};
	struct jv words = {0};
	for (size_t i = 0; !words.type && i < sizeof names / sizeof *names; i++)
		words = shape_words(r, names[i]);
	return words;
}

int shape_is_answer(struct jv messages)
{
	return !messages_role_is(messages, 0, "user") && !messages_role_is(messages, 0, "system") &&
	       !messages_role_is(messages, 0, "developer");
}

/* [[question, answer], …] of earlier turns as messages; JV_MISSING: none. */
static int read_history(struct reader *r, struct jv *all, struct err *e)
{
	struct jv history = shape_peek(r, "history");
	*all = (struct jv){0};
	if (history.type != JV_LIST || !jv_list_len(history))
		return 0;
	shape_take(r, "history");
	*all = jv_list(r->arena, 2 * jv_list_len(history));
	for (size_t i = 0; i < jv_list_len(history); i++) {
		struct jv turn = jv_list_at(history, i);
		if (turn.type != JV_LIST || jv_list_len(turn) != 2 ||
			jv_list_at(turn, 0).type != JV_STR || jv_list_at(turn, 1).type != JV_STR)
			return err_data(
				e, "'history': turn %zu is not a question and an answer", i + 1);
		for (size_t k = 0; k < 2; k++) {
			struct jv m = messages_one(
				r->arena, k ? "assistant" : "user", jv_list_at(turn, k));
			jv_list_add(r->arena, *all, jv_list_at(m, 0));
		}
	}
	return 0;
}

int shape_make_messages(struct reader *r, struct err *e)
{
	struct content *c = &r->c;
	struct jv before;
	if (c->chat)
		return 0;
	if (read_history(r, &before, e) < 0)
		return -1;
	c->prompt = messages_one(r->arena, "user", c->prompt);
	if (before.type)
		c->prompt = messages_join(r->arena, before, c->prompt);
	for (size_t i = 0; i < c->n; i++)
		c->answer[i].v = messages_one(r->arena, "assistant", c->answer[i].v);
	c->chat = r->made = 1;
	return 0;
}

int shape_speak(struct reader *r, struct err *e)
{
	struct jv before;
	if (r->want->templated || r->want->as_messages)
		return shape_make_messages(r, e);
	if (read_history(r, &before, e) < 0)
		return -1;
	return before.type ? err_data(e, "'history' needs a chat template, or --as-messages") : 0;
}

static struct jv less_blank(struct jv text)
{
	return text.len && text.u.s[0] == ' ' ? jv_str(text.u.s + 1, text.len - 1) : text;
}

void shape_open_transcript(struct reader *r)
{
	struct content *c = &r->c;
	if (c->chat || !r->want->templated || !transcript_is(c->prompt))
		return;
	struct jv turns = transcript_messages(r->arena, c->prompt);
	size_t n = jv_list_len(turns);
	struct jv last = value_get(jv_list_at(turns, n - 1), "content");
	if (!messages_role_is(turns, n - 1, "assistant") || last.len)
		return;
	c->prompt = value_slice(r->arena, turns, 0, n - 1);
	for (size_t i = 0; i < c->n; i++)
		c->answer[i].v = messages_one(r->arena, "assistant", less_blank(c->answer[i].v));
	c->chat = 1;
	r->list->how = "a transcript of Human and Assistant, as messages";
}

void shape_answer(struct reader *r, struct jv v, double score)
{
	struct content *c = &r->c;
	struct answer *more = arena_alloc(r->arena, c->n + 1, sizeof *more);
	if (c->n)
		memcpy(more, c->answer, c->n * sizeof *more);
	more[c->n++] = (struct answer){v, score};
	c->answer = more;
}
