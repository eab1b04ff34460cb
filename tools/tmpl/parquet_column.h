/*
 * A column of a row group as a sequence of entries: each has its levels, and a value where the definition
 * level is the column's highest. Goes from page to page by itself.
 */
#ifndef TOOLS_TMPL_PARQUET_COLUMN_H
#define TOOLS_TMPL_PARQUET_COLUMN_H

#include "tools/tmpl/parquet_page.h"
#include "tools/tmpl/parquet_schema.h"
#include "tools/tmpl/parquet_values.h"

struct pq_column {
	const struct pq_leaf *leaf;
	struct pq_source *source;
	/* The present entry. Behind the last one of the row group rep is 0, and `ended` is set. */
	int def, rep, ended;
	/* Below: of this file only. */
	int codec;
	uint64_t at;	    /* the next page */
	uint64_t left;	    /* entries in pages to come */
	uint64_t page_left; /* entries of the present page to come */
	struct pq_buffer page;
	struct pq_runs defs, reps;
	struct pq_values values;
	struct pq_dictionary dict;
};

void pq_column_init(struct pq_column *c, const struct pq_leaf *leaf, struct pq_source *s);
void pq_column_done(struct pq_column *c);
/* Turns to a row group; the first entry is the present one. */
int pq_column_begin(struct pq_column *c, const struct pq_chunk *chunk, struct err *e);
/* The value of the present entry, which has one; once. */
int pq_column_value(struct pq_column *c, struct pq_value *v, struct err *e);
/* The next entry. */
int pq_column_next(struct pq_column *c, struct err *e);

#endif
