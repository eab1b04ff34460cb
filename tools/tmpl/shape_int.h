/* shape.c knows the forms and what each kind of example is made of; shape_pairs.c and shape_single.c
 * read the columns of a form into a struct content. */
#ifndef TOOLS_TMPL_SHAPE_INT_H
#define TOOLS_TMPL_SHAPE_INT_H

#include "tools/tmpl/messages.h"
#include "tools/tmpl/value.h"
#include "tools/tmpl/shape.h"

struct answer {
	struct jv v;
	double score; /* higher is better */
};

/* What a row says, before it is asked for in one shape or another. */
struct content {
	int chat;	       /* prompt and answers are lists of messages, else strings */
	int whole;	       /* the prompt is a whole conversation, answers included */
	struct jv prompt;      /* JV_MISSING: none */
	struct answer *answer; /* [n], in the arena, best first */
	size_t n;
	int label; /* -1: none */
};

struct reader {
	struct arena *arena;
	struct jv row;
	const struct shape_want *want;
	struct shape_list *list;
	const char *const *needs; /* [2] the columns of the form */
	int made; /* the prompt's messages were made of strings, or of from and value */
	struct content c;
};

/* The column's value, JV_MISSING when it is absent or null; shape_take notes that it is used. */
struct jv shape_peek(const struct reader *r, const char *column);
struct jv shape_take(struct reader *r, const char *column);
int shape_has(const struct reader *r, const char *column);

/* A value as a string (0) or as a list of messages (1, in *out); -1. */
int shape_text_or_chat(
	struct reader *r, struct jv v, const char *column, struct jv *out, struct err *e);
/* The label, when there is one, into r->c. */
int shape_label(struct reader *r, struct err *e);
/* A column with a question; of `instruction` what `input` or `context` adds too. JV_MISSING: no string. */
struct jv shape_words(struct reader *r, const char *column);
/* The first of instruction, question, query, input. */
struct jv shape_question(struct reader *r);
/* Of a list of messages: whether it begins with an answer, not with words of the user or the system. */
int shape_is_answer(struct jv messages);
/* r->c from strings: user and assistant messages, earlier turns of `history` in front. */
int shape_make_messages(struct reader *r, struct err *e);
/* The same where the form's columns name who speaks: only if there is a template. */
int shape_speak(struct reader *r, struct err *e);
/* A prompt that is a transcript and ends in "Assistant:", and its answers: as messages, if there is a template. */
void shape_open_transcript(struct reader *r);
/* `system` in front of messages that were made. */
void shape_add_system(struct reader *r);
/* r->c.answer[i]. */
void shape_answer(struct reader *r, struct jv v, double score);

/* The forms' readers: 0, or -1. */
int shape_read_chosen(struct reader *r, struct err *e);
int shape_read_chosen_messages(struct reader *r, struct err *e);
int shape_read_chosen_response(struct reader *r, struct err *e);
int shape_read_response_jk(struct reader *r, struct err *e);
int shape_read_response_01(struct reader *r, struct err *e);
int shape_read_human_ref(struct reader *r, struct err *e);
int shape_read_ranked(struct reader *r, struct err *e);
int shape_is_ranked(const struct reader *r);

int shape_read_completion(struct reader *r, struct err *e);
int shape_read_instruction(struct reader *r, struct err *e);
int shape_read_conversation(struct reader *r, struct err *e);
int shape_read_text(struct reader *r, struct err *e);
int shape_read_turns(struct reader *r, struct err *e);
int shape_read_prompt(struct reader *r, struct err *e);

#endif
