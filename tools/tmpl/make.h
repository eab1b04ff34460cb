/*
 * A row of JSON → a record of text: shape, template, and the boundary between prompt and answers, which
 * is proved on the rendered text. Knows no options; one `struct maker` a thread.
 */
#ifndef TOOLS_TMPL_MAKE_H
#define TOOLS_TMPL_MAKE_H

#include "common/record.h"
#include "tools/tmpl/chat.h"
#include "tools/tmpl/shape.h"

/* --map FIELD=COLUMN */
struct column_map {
	char *field, *column;
};

struct make_plan {
	const struct chat_template *templ;
	enum shape type; /* --type */
	int as_messages, add_generation_prompt, continue_final, keep;
	const struct column_map *maps;
	size_t nmaps;
};

struct maker {
	const struct make_plan *plan;
	struct chat *chat;
	struct arena arena; /* of the row's values */
	struct str head, full[2], turn;
	struct jinja_spans spans;

	/* Of the last maker_make, for --explain: */
	enum shape shape;
	const char *how;
	int templated;

	/* Counted over all rows: */
	uint64_t rows, plain, parted, unproved; /* plain: strings, not templated; parted: the prompt
						   ends inside its generation prompt; unproved: text
						   rows whose assistant turns could not be told */
};

void maker_init(struct maker *m, const struct make_plan *plan);
void maker_done(struct maker *m);

/* The row in `in` (rows.h) as fields of *out, which is empty. STATUS_DATA: it cannot be used; *in has
 * the row's columns then where they could be read, for the rejects. */
int maker_make(struct maker *m, struct record *in, struct record *out, struct err *e);

#endif
