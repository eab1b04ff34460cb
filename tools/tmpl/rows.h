/*
 * Rows of JSON and Parquet files, one record each: JSON lines (or values over several lines), one array
 * of objects, or Parquet; gzipped or not. A row is not parsed here: its text travels in ROW_FIELD of the
 * record, so that parsing is done by whoever works on it, on any thread. Memory is bounded by the longest
 * row, and for Parquet by a page of each column.
 */
#ifndef TOOLS_TMPL_ROWS_H
#define TOOLS_TMPL_ROWS_H

#include "common/record.h"

#define ROW_FIELD "_json"

struct rows;

/* Files one after the other; n == 0: standard input. */
struct rows *rows_new(char *const *paths, size_t n);
void rows_free(struct rows *r);
/* For struct filter: 1 a record, 0 the end, -1, STREAM_BAD (`_source` alone is in it). rec->where and
 * `_source` are "file:line", or "file:N", the N-th element of an array or row of a Parquet file. */
int rows_next(void *rows, struct record *rec, struct err *e);
void rows_on_pause(void *rows, void (*fn)(void *arg), void *arg);

#endif
