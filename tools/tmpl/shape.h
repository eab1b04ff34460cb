/*
 * What a row of a dataset is: which columns hold the prompt and the answers, as strings or as lists of
 * messages. Decided row by row, by the rules of TRL's dataset types (docs/semantics.md).
 */
#ifndef TOOLS_TMPL_SHAPE_H
#define TOOLS_TMPL_SHAPE_H

#include "tools/tmpl/value.h"

enum shape {
	SHAPE_AUTO,
	SHAPE_PREFERENCE, /* prompt, chosen, rejected */
	SHAPE_COMPLETION, /* prompt, completion, perhaps label */
	SHAPE_MESSAGES,	  /* one conversation */
	SHAPE_TEXT,	  /* one string */
	SHAPE_PROMPT,	  /* a prompt alone, for gen */
};

/* How a shape was found, said once a file and by --explain. */
struct shape_row {
	enum shape shape;
	int chat; /* lists of messages; else strings */
	struct jv
		prompt; /* list or string; the conversation of SHAPE_MESSAGES; the text of SHAPE_TEXT */
	struct jv answer[2]; /* chosen, rejected; or completion */
	size_t nanswers;
	const char *how; /* "explicit prompt", "prompt from what both answers begin with" … */
};

/* The shape that --type names; SHAPE_AUTO, or -1. "unpaired" is SHAPE_COMPLETION with its label. */
int shape_by_name(const char *name);
const char *shape_name(enum shape s);

/* Looks at the columns of the dict `row`. want: SHAPE_AUTO or what it must be. as_messages: strings
 * become user and assistant messages. What is found lies in the row or in the arena. */
int shape_find(struct shape_row *s, struct arena *a, struct jv row, enum shape want,
	int as_messages, struct err *e);

/* Whether the column's content is in the shape: it is replaced, not passed on. */
int shape_uses(const struct shape_row *s, const char *column);

#endif
