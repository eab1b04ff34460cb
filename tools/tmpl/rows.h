/*
 * Rows of JSON files, one record each: JSON lines (or values over several lines), or one array of
 * objects; gzipped or not. A row is not parsed here: its text travels in ROW_FIELD of the record, so
 * that parsing is done by whoever works on it, on any thread. Memory is bounded by the longest row.
 */
#ifndef TOOLS_TMPL_ROWS_H
#define TOOLS_TMPL_ROWS_H

#include "common/record.h"

#define ROW_FIELD "_json"

struct rows;

/* Files one after the other; n == 0: standard input. */
struct rows *rows_new(char *const *paths, size_t n);
void rows_free(struct rows *r);
/* For struct filter: 1 a record, 0 the end, -1. rec->where and `_source` are "file:line", or
 * "file:N", the N-th element of an array. */
int rows_next(void *rows, struct record *rec, struct err *e);
void rows_on_pause(void *rows, void (*fn)(void *arg), void *arg);

#endif
