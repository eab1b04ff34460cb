/*
 * The footer of a Parquet file (parquet.thrift of format 2.11): the schema as it is written, a list in which
 * each group is followed by its fields, and where the columns of each row group lie. Checked for sense, not
 * yet understood: parquet_schema.h makes a tree of it.
 */
#ifndef TOOLS_TMPL_PARQUET_META_H
#define TOOLS_TMPL_PARQUET_META_H

#include "common/err.h"
#include "tools/tmpl/parquet_file.h"

#include <stddef.h>

enum pq_type { /* the format's own numbers */
	PQ_BOOLEAN,
	PQ_INT32,
	PQ_INT64,
	PQ_INT96,
	PQ_FLOAT,
	PQ_DOUBLE,
	PQ_BYTE_ARRAY,
	PQ_FIXED,
	PQ_GROUP, /* ours: no value, but fields */
};

enum pq_repetition { PQ_REQUIRED, PQ_OPTIONAL, PQ_REPEATED };

/* What a field's values mean: its logical type, or the older converted type. */
enum pq_meaning {
	PQ_AS_IT_IS,
	PQ_TEXT, /* string, enum, JSON */
	PQ_INTEGER,
	PQ_DECIMAL,
	PQ_DATE,
	PQ_TIME,
	PQ_TIMESTAMP,
	PQ_UUID,
	PQ_FLOAT16,
	PQ_NULL,
	PQ_INTERVAL,
	PQ_LIST_OF,
	PQ_MAP_OF,
};

struct pq_element {
	const char *name; /* not ended by a NUL */
	size_t name_len;
	enum pq_type type;
	enum pq_repetition repetition;
	enum pq_meaning meaning;
	size_t width;	 /* of PQ_FIXED, in bytes */
	size_t children; /* of PQ_GROUP; they follow */
	int64_t scale;	 /* of PQ_DECIMAL */
	int64_t ticks;	 /* of PQ_TIME and PQ_TIMESTAMP: a second's */
	int is_utc;	 /* of PQ_TIMESTAMP */
	int is_unsigned; /* of PQ_INTEGER */
};

/* One column of one row group. */
struct pq_chunk {
	enum pq_type type;
	int codec;
	uint64_t values; /* nulls included */
	uint64_t at;	 /* of its first page, the dictionary's where it has one */
};

struct pq_meta {
	uint8_t *footer; /* names point into it */
	size_t footer_len;
	uint64_t pages_end;	     /* of the file's bytes that are pages; they begin at 4 */
	struct pq_element *elements; /* [0] is the root */
	size_t nelements, ncolumns;
	const uint8_t **groups; /* where each row group is in the footer */
	size_t ngroups, cap;
	uint64_t rows;
};

/* Everything that the footer says is read once, so that a damaged one is found before the first row. */
int pq_meta_read(struct pq_meta *m, const struct pq_file *f, struct err *e);
void pq_meta_done(struct pq_meta *m);

/* A row group's columns, in the order of the schema's: ncolumns of them. */
int pq_meta_group(const struct pq_meta *m, size_t group, struct pq_chunk *chunks, uint64_t *rows,
	struct err *e);

#endif
