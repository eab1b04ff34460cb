/* Forms with one answer or none: completions, instructions, conversations, texts, prompts. */
#include "tools/tmpl/shape_int.h"

#include <string.h>

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
	if (list && !shape_is_answer(answer))
		return err_data(e, "'completion' begins with a message of the user or the system");
	if (chat && !list)
		answer = messages_one(r->arena, "assistant", answer);
	if (list && !chat) {
		c->prompt = messages_one(r->arena, "user", c->prompt);
		r->made = 1;
	}
	c->chat = chat || list;
	shape_answer(r, answer, 0);
	r->list->how = c->label < 0 ? "prompt and completion" : "prompt, completion and label";
	shape_open_transcript(r);
	return 0;
}

/* Alpaca and kin: the names of the columns say who speaks. `text` is the row once more, rendered. */
int shape_read_instruction(struct reader *r, struct err *e)
{
	struct jv answer = shape_take(r, r->needs[1]);
	r->c.prompt = shape_words(r, r->needs[0]);
	if (r->c.prompt.type != JV_STR || answer.type != JV_STR)
		return err_data(e, "'%s' or '%s' is not a string", r->needs[0], r->needs[1]);
	if (shape_label(r, e) < 0)
		return -1;
	shape_take(r, "text");
	shape_answer(r, answer, 0);
	r->list->how = "an instruction and its answer";
	return shape_speak(r, e);
}

/* In rows of preferences and UltraChat the other columns are parts of the conversation once more. */
int shape_read_conversation(struct reader *r, struct err *e)
{
	static const char *const repeats[] = {"prompt", "chosen", "rejected"};
	const char *column = r->needs[0];
	struct content *c = &r->c;
	struct jv v = shape_take(r, column);
	if (v.type != JV_LIST)
		return err_data(e, "'%s' is not a list of messages", column);
	if (messages_read(r->arena, v, column, &c->prompt, &r->made, e) < 0 ||
		shape_label(r, e) < 0)
		return -1;
	for (size_t i = 0; i < sizeof repeats / sizeof *repeats; i++)
		shape_take(r, repeats[i]);
	c->chat = c->whole = 1;
	r->list->how = r->made	       ? "a conversation of from and value (ShareGPT)"
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
	return shape_speak(r, e);
}

int shape_read_prompt(struct reader *r, struct err *e)
{
	const char *column = r->needs[0];
	if (strcmp(column, "prompt") != 0) {
		r->c.prompt = shape_words(r, column);
		if (r->c.prompt.type != JV_STR)
			return err_data(e, "'%s' is not a string", column);
		r->list->how = "a question";
		return shape_speak(r, e);
	}
	r->c.chat = shape_text_or_chat(r, shape_take(r, column), column, &r->c.prompt, e);
	if (r->c.chat < 0)
		return -1;
	r->list->how = "a prompt";
	shape_open_transcript(r);
	return 0;
}
