/*
 * The schema of a Parquet file as the tree that rows are put together by, with the levels of Dremel's
 * encoding (Melnik et al., VLDB 2010, section 4): each value of a column comes with a definition level, how
 * many of the optional and repeated things on the way to it are there, and a repetition level, which of the
 * repeated things on the way it continues (0: it begins a row). Lists and maps in all the forms that the
 * format's "backward compatibility rules" name.
 */
#ifndef TOOLS_TMPL_PARQUET_SCHEMA_H
#define TOOLS_TMPL_PARQUET_SCHEMA_H

#include "common/mem.h"
#include "common/str.h"
#include "tools/tmpl/parquet_meta.h"

enum pq_shape {
	PQ_VALUE,
	PQ_STRUCT,
	PQ_LIST,
	PQ_PAIR, /* key and value of a map, which is a list of these */
};

struct pq_node {
	enum pq_shape shape;
	int def; /* definition levels below it: it is null, or not there at all */
	int item_def,
		rep; /* of a list: definition levels below item_def: it is empty; the repetition
			      level of one more item */
	size_t first, end;     /* the columns below it; [first] of a value */
	struct pq_node *child; /* one of a list */
	size_t nchildren;
	const char *key; /* of a struct's member: `"name":`, as JSON has it */
	size_t key_len;
};

/* A column of the file: one that has values, at whatever depth. */
struct pq_leaf {
	const struct pq_element *element;
	const char *path; /* for messages: `messages[].content` */
	int max_def, max_rep;
};

struct pq_schema {
	struct pq_node root; /* PQ_STRUCT, always there */
	struct pq_leaf *leaves;
	struct arena arena;
};

int pq_schema_make(struct pq_schema *s, const struct pq_meta *m, struct err *e);
void pq_schema_done(struct pq_schema *s);

#endif
