/*
 * A conversation as the chat template writes it: transformers' apply_chat_template(tokenize=False),
 * with what it does to messages before rendering (5.23: keys whose value is None are dropped,
 * reasoning fields fill each other).
 */
#ifndef TOOLS_TMPL_CHAT_H
#define TOOLS_TMPL_CHAT_H

#include "tools/tmpl/source.h"
#include "tools/tmpl/value.h"

#include <time.h>

/* Compiled once, shared by all threads. */
struct chat_template {
	const struct source *source;
	struct jinja *plain, *tools; /* the same when there is one template for both */
	struct jv default_tools;     /* --tools, or JV_MISSING */
	struct jv kwargs;	     /* --chat-template-kwargs, a dict, or JV_MISSING */
	time_t now;
};
int chat_template_compile(struct chat_template *t, const struct source *s, struct err *e);
void chat_template_done(struct chat_template *t);

struct chat; /* what a thread needs to render */
struct chat *chat_new(const struct chat_template *t);
void chat_free(struct chat *c);

/* What a row brings beside its messages: JV_MISSING or none where it does not. */
struct chat_extra {
	struct jv tools;
	struct jv kwargs; /* chat_template_kwargs: win over the template's */
};

enum chat_end {
	CHAT_WHOLE,    /* as it is */
	CHAT_PROMPT,   /* add_generation_prompt */
	CHAT_CONTINUE, /* continue_final_message: cut right after the last message's content */
};

/*
 * Appends the conversation of all messages of `head` and then of `tail` (lists; tail may be JV_MISSING)
 * to *out, which must be empty when spans are asked for. spans may be NULL; else the bytes that the
 * template's {% generation %} blocks wrote. STATUS_DATA: the template refuses, or a message is none.
 */
int chat_render(struct chat *c, struct jv head, struct jv tail, const struct chat_extra *extra,
	enum chat_end end, struct str *out, struct jinja_spans *spans, struct err *e);

/* Work of the last render, out of JINJA_STEPS_MAX. */
uint64_t chat_steps(const struct chat *c);

/* Whether the template used for this row marks the assistant's words itself. */
int chat_marks_generation(const struct chat *c, const struct chat_extra *extra);

#endif
