/* What the readers of forms share: columns, and the steps from strings to messages. */
#include "tools/tmpl/shape_int.h"

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
	int sharegpt = 0;
	*out = v;
	if (v.type == JV_MISSING)
		return err_data(e, "no '%s' in the row", column);
	if (v.type == JV_STR)
		return 0;
	return messages_read(r->arena, v, column, out, &sharegpt, e) < 0 ? -1 : 1;
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

struct jv shape_with_system(struct reader *r, struct jv messages)
{
	const char *column = shape_has(r, "system") ? "system" : "system_prompt";
	struct jv system = shape_peek(r, column);
	if (system.type != JV_STR ||
		(jv_list_len(messages) && messages_role_is(messages, 0, "system")))
		return messages;
	shape_take(r, column);
	if (!system.len)
		return messages;
	return messages_join(r->arena, messages_one(r->arena, "system", system), messages);
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

struct jv shape_question(struct reader *r)
{
	static const char *const names[] = {"instruction", "question", "query"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct jv words = shape_peek(r, names[i]);
		if (words.type != JV_STR)
			continue;
		shape_take(r, names[i]);
		const char *more = shape_has(r, "input") ? "input" : "context";
		struct jv input = i ? (struct jv){0} : shape_peek(r, more);
		if (input.type != JV_STR)
			return words;
		shape_take(r, more);
		if (!input.len)
			return words;
		return words.len ? join_lines(r->arena, words, input) : input;
	}
	return (struct jv){0};
}

void shape_make_messages(struct reader *r)
{
	struct content *c = &r->c;
	if (c->chat)
		return;
	c->prompt = shape_with_system(r, messages_one(r->arena, "user", c->prompt));
	for (size_t i = 0; i < c->n; i++)
		c->answer[i].v = messages_one(r->arena, "assistant", c->answer[i].v);
	c->chat = 1;
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
