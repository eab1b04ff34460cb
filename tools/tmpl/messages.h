/*
 * Lists of messages in the spellings in which datasets hold them, as the chat template wants them:
 * dicts with `role` and `content`.
 */
#ifndef TOOLS_TMPL_MESSAGES_H
#define TOOLS_TMPL_MESSAGES_H

#include "tools/tmpl/jinja.h"

/*
 * v: a list of messages, or one message, of the column `column` (for errors). *out: a list of at least
 * one dict with a string `role`. Messages that have one stay as they are; else
 *
 *	from, value            ShareGPT: human → user, gpt → assistant, observation → tool, …;
 *	                       the value of function_call becomes `tool_calls`
 *	content: [{type, value}]  LLaMA-Factory's second form: texts joined, reasoning and tool
 *	                       calls in fields of their own; other parts are refused by name
 *
 * What is made belongs to the arena, the rest is borrowed. *made: 1 when from/value were found.
 */
int messages_read(
	struct arena *a, struct jv v, const char *column, struct jv *out, int *made, struct err *e);

struct jv messages_one(struct arena *a, const char *role, struct jv content);
struct jv messages_join(struct arena *a, struct jv head, struct jv tail);

/* The i-th message's role; whether it is `role`. */
struct jv messages_role(struct jv list, size_t i);
int messages_role_is(struct jv list, size_t i, const char *role);

#endif
