/*
 * A row of JSON → a record of text: shape, template, and the boundary between prompt and answers, which
 * is proved on the rendered text. Knows no options; one `struct maker` a thread.
 */
#ifndef TOOLS_TMPL_MAKE_H
#define TOOLS_TMPL_MAKE_H

#include "common/record.h"
#include "tools/tmpl/chat.h"
#include "tools/tmpl/shape.h"

/* How rows were read, and how many so. */
struct reading {
	enum shape shape;
	const char *how;
	int templated;
	uint64_t rows;
};
enum { READINGS = 64 }; /* more than shape.c has ways */
struct readings {
	struct reading v[READINGS];
	size_t n;
};
/* Adds r's rows to those that were read so. */
void readings_add(struct readings *all, const struct reading *r);

/* --map FIELD=COLUMN */
struct column_map {
	char *field, *column;
};

struct make_plan {
	const struct chat_template *templ;
	struct shape_want want;
	int add_generation_prompt, continue_final, keep;
	const struct column_map *maps;
	size_t nmaps;
};

struct maker {
	const struct make_plan *plan;
	struct chat *chat;
	struct arena arena; /* of the row's values */
	struct str head, full[2], turn;
	struct jinja_spans spans;

	struct shape_list list; /* of the last row */
	struct reading last;

	/* Counted over all rows: */
	struct readings readings;
	uint64_t rows, plain, parted, unproved; /* plain: strings, not templated; parted: the prompt
						   ends inside its generation prompt; unproved: text
						   rows whose assistant turns could not be told */
};

void maker_init(struct maker *m, const struct make_plan *plan);
void maker_done(struct maker *m);

/*
 * The row in `in` (rows.h) as records, one or several; fresh(arg) gives an empty one each time.
 * STATUS_DATA: it cannot be used, and what was made of it is void; *in has the row's columns then
 * where they could be read, for the rejects.
 */
int maker_make(struct maker *m, struct record *in, struct record *(*fresh)(void *arg), void *arg,
	struct err *e);

#endif
