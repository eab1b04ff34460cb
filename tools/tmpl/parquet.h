/*
 * Rows of a Parquet file as JSON text, one after the other, as pyarrow's to_pylist() has them: all columns,
 * lists as arrays, structs as objects with all their members, maps as arrays of [key, value]. Memory is
 * bounded by a page a column and the longest row, whatever the file's size.
 *
 * In reading order: parquet_meta.h the footer, parquet_schema.h the tree, parquet_page.h and parquet_codec.h
 * pages, parquet_values.h and parquet_ints.h encodings, parquet_column.h entries, parquet_print.h JSON.
 */
#ifndef TOOLS_TMPL_PARQUET_H
#define TOOLS_TMPL_PARQUET_H

#include "common/io.h"
#include "common/str.h"

struct parquet;

/* in: its first four bytes, looked at but not taken, are of a Parquet file (parquet_is). */
int parquet_open(struct parquet **p, struct input *in, struct err *e);
int parquet_is(const uint8_t *magic);
/* The next row: 1, in `row` (emptied before); 0 the end; -1 the file is damaged; STREAM_BAD: a value in the row
 * has no text, and the next row can be read. */
int parquet_next(struct parquet *p, struct str *row, struct err *e);
void parquet_close(struct parquet *p); /* NULL: nothing */

#endif
