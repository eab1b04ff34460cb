/*
 * What a row of a dataset is: which columns hold the prompt and the answers, whatever they are called,
 * as strings or as lists of messages. Decided row by row (docs/semantics.md, "Dataset shapes"). A row
 * can give several examples: a ranked list its pairs, a pair its two halves for KTO.
 */
#ifndef TOOLS_TMPL_SHAPE_H
#define TOOLS_TMPL_SHAPE_H

#include "tools/tmpl/jinja.h"

enum shape {
	SHAPE_AUTO,
	SHAPE_PREFERENCE, /* prompt, chosen, rejected */
	SHAPE_UNPAIRED,	  /* prompt, completion, label */
	SHAPE_COMPLETION, /* prompt, completion */
	SHAPE_MESSAGES,	  /* one conversation */
	SHAPE_TEXT,	  /* one string */
	SHAPE_PROMPT,	  /* a prompt alone, for gen */
};

/* The shape that --type names; -1. */
int shape_by_name(const char *name);
const char *shape_name(enum shape s);

struct shape_want {
	enum shape type; /* SHAPE_AUTO: what the row is by itself */
	int as_messages; /* strings become user and assistant messages */
	int templated;	 /* there is a template: roles that a form's columns name become messages */
	int all_pairs;	 /* of a ranked list; else the best answer and the worst */
};

/* One example. */
struct shape_row {
	enum shape shape;
	int chat;	     /* lists of messages; else strings */
	struct jv prompt;    /* the conversation of SHAPE_MESSAGES, the text of SHAPE_TEXT */
	struct jv answer[2]; /* chosen, rejected; or completion */
	size_t nanswers;
	int label; /* -1: none */
};

/* Those of a row. Zero-initialise; filled again and again; shape_list_done frees. Values live as long
 * as the row and the arena. */
struct shape_list {
	struct shape_row *v;
	size_t n, cap;
	const char *how;      /* how the row was read, for people: a static string */
	const char *taken[8]; /* the columns whose content is in the examples */
	size_t ntaken;
};
void shape_list_done(struct shape_list *l);

/* row: a dict. STATUS_DATA: it is no row that is known, or its columns do not go together. */
int shape_read(struct shape_list *l, struct arena *a, struct jv row, const struct shape_want *want,
	struct err *e);

/* Whether the column's content is in the examples: it is replaced, not passed on. */
int shape_takes(const struct shape_list *l, struct jv column);

#endif
