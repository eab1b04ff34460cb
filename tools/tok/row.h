/*
 * A record of text → ids, masks and limits: what tok does to one row. Knows no options and no streams;
 * one `struct row` a thread.
 */
#ifndef TOOLS_TOK_ROW_H
#define TOOLS_TOK_ROW_H

#include "common/record.h"
#include "common/tokenizer/rows.h"

enum special { SPECIAL_AUTO, SPECIAL_YES, SPECIAL_NO };

/* How rows are made; shared by all threads. Lengths: 0 = no limit. */
struct row_plan {
	const struct tokenizer *t;
	struct row_rule rule;
	/* Another way to read the tokenizer, whose ids are compared with t's; NULL: none. */
	const struct tokenizer *compat;
	struct row_rule compat_rule;
	size_t max_length, max_prompt, max_completion;
	int keep_end;	    /* --truncation-mode keep_end */
	int classic;	    /* pairs as TRL 0.27 and 0.28 made them */
	int assistant_only; /* text rows: only their spans are trained on */
	int train_prompt; /* --no-completion-only-loss: prompt–completion rows become text rows */
	enum special special;
	int keep; /* the text stays beside the ids */
};

enum { SIDES = 2 };

struct row {
	const struct row_plan *plan;
	struct encoder *enc;
	struct encoding prompt, side[SIDES]; /* side: prompt and answer encoded together */
	struct encoder *compat;		     /* until something differs */
	struct encoding theirs;
	int differs; /* the last row_encode was the first whose ids plan->compat makes otherwise */

	/* Of the last row_encode: */
	size_t nsides;	      /* 0: a text row or a bare prompt */
	const uint32_t *head; /* the prompt's ids … */
	size_t nhead;
	const uint32_t *tail[SIDES]; /* … and each answer's */
	size_t ntail[SIDES];
	uint8_t *mask; /* text rows: [nhead], 1 = trained on */
	size_t cap_mask;

	/* Counted over all rows: */
	uint64_t rows, seams, cut, ends, stops; /* seams: moved; ends: uncut trained ends, of which
						   `stops` with a stop id */
};

void row_init(struct row *r, const struct row_plan *plan);
void row_done(struct row *r);

/* Encodes rec and replaces its text by ids. STATUS_DATA: the record cannot be used. */
int row_encode(struct row *r, struct record *rec, struct err *e);

/* --decode: input_ids → text, special tokens kept. */
int row_decode(struct row *r, struct record *rec, struct err *e);

#endif
