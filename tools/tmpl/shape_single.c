/* Forms with one answer or none: completions, instructions, conversations, texts, prompts. */
#include "tools/tmpl/shape_int.h"

int shape_read_completion(struct reader *r, struct err *e)
{
	struct content *c = &r->c;
	struct jv answer;
	int chat = shape_text_or_chat(r, shape_take(r, "prompt"), "prompt", &c->prompt, e);
	int list = chat < 0 ? -1
			    : shape_text_or_chat(
				      r, shape_take(r, "completion"), "completion", &answer, e);
	if (list < 0 || shape_label(r, e) < 0)
		return -1;
	if (chat && !list)
		answer = messages_one(r->arena, "assistant", answer);
	if (list && !chat)
		c->prompt = messages_one(r->arena, "user", c->prompt);
	c->chat = chat || list;
	shape_answer(r, answer, 0);
	r->list->how = c->label < 0 ? "prompt and completion" : "prompt, completion and label";
	return 0;
}

/* [[question, answer], …] of earlier turns, in front of the prompt. */
static int add_history(struct reader *r, struct err *e)
{
	struct jv history = shape_peek(r, "history"), all = jv_list(r->arena, 8);
	if (history.type != JV_LIST || !jv_list_len(history))
		return 0;
	for (size_t i = 0; i < jv_list_len(history); i++) {
		struct jv turn = jv_list_at(history, i);
		if (turn.type != JV_LIST || jv_list_len(turn) != 2)
			return err_data(
				e, "'history': turn %zu is not a question and an answer", i + 1);
		for (size_t k = 0; k < 2; k++) {
			struct jv m = messages_one(
				r->arena, k ? "assistant" : "user", jv_list_at(turn, k));
			jv_list_add(r->arena, all, jv_list_at(m, 0));
		}
	}
	if (!r->c.chat)
		return err_data(e, "'history' needs a chat template, or --as-messages");
	shape_take(r, "history");
	struct jv prompt = r->c.prompt;
	size_t system = messages_role_is(prompt, 0, "system");
	all = messages_join(r->arena, value_slice(r->arena, prompt, 0, system), all);
	r->c.prompt = messages_join(
		r->arena, all, value_slice(r->arena, prompt, system, jv_list_len(prompt)));
	return 0;
}

/* Alpaca and kin: the names of the columns say who speaks. */
int shape_read_instruction(struct reader *r, struct err *e)
{
	static const char *const names[] = {"output", "response", "answer"};
	struct jv answer = {0};
	r->c.prompt = shape_question(r);
	if (!r->c.prompt.type)
		r->c.prompt = shape_take(r, "prompt");
	for (size_t i = 0; !answer.type && i < sizeof names / sizeof *names; i++)
		answer = shape_take(r, names[i]);
	if (r->c.prompt.type != JV_STR || answer.type != JV_STR)
		return err_data(e, "the question or its answer is not a string");
	if (shape_label(r, e) < 0)
		return -1;
	shape_answer(r, answer, 0);
	r->list->how = "an instruction and its answer";
	if (r->want->templated || r->want->as_messages)
		shape_make_messages(r);
	return add_history(r, e);
}

int shape_read_conversation(struct reader *r, struct err *e)
{
	static const char *const names[] = {"messages", "conversations", "conversation"};
	size_t i = 0;
	while (!shape_has(r, names[i]))
		i++;
	struct content *c = &r->c;
	int sharegpt = 0;
	struct jv v = shape_take(r, names[i]);
	if (v.type != JV_LIST)
		return err_data(e, "'%s' is not a list of messages", names[i]);
	if (messages_read(r->arena, v, names[i], &c->prompt, &sharegpt, e) < 0 ||
		shape_label(r, e) < 0)
		return -1;
	if (sharegpt)
		c->prompt = shape_with_system(r, c->prompt);
	c->chat = c->whole = 1;
	r->list->how = sharegpt	       ? "a conversation of from and value (ShareGPT)"
		       : c->label >= 0 ? "a conversation and its label"
				       : "a conversation";
	return 0;
}

int shape_read_text(struct reader *r, struct err *e)
{
	r->c.prompt = shape_take(r, "text");
	if (r->c.prompt.type != JV_STR)
		return err_data(e, "'text' is not a string");
	r->c.whole = 1;
	r->list->how = "a text";
	return 0;
}

/* MT-bench: the first question; the others would need the answers in between. */
int shape_read_turns(struct reader *r, struct err *e)
{
	struct jv turns = shape_take(r, "turns");
	if (turns.type != JV_LIST || !jv_list_len(turns) || jv_list_at(turns, 0).type != JV_STR)
		return err_data(e, "'turns' is not a list of strings");
	r->c.prompt = jv_list_at(turns, 0);
	r->list->how = "the first of several questions";
	if (r->want->templated)
		shape_make_messages(r);
	return 0;
}

int shape_read_prompt(struct reader *r, struct err *e)
{
	struct jv prompt = shape_take(r, "prompt");
	int question = !prompt.type;
	if (question)
		prompt = shape_question(r);
	r->c.chat = shape_text_or_chat(r, prompt, "prompt", &r->c.prompt, e);
	r->list->how = question ? "a question" : "a prompt";
	if (question && r->want->templated)
		shape_make_messages(r);
	return r->c.chat < 0 ? -1 : 0;
}
