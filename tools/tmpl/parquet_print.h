/*
 * Parquet's values as JSON: numbers and truth values as such, text as strings, and what JSON has no type for
 * (dates, times, decimals, UUIDs) as the string that Python's str() gives of what pyarrow reads, so that a
 * template prints it as there. docs/semantics.md has the list.
 */
#ifndef TOOLS_TMPL_PARQUET_PRINT_H
#define TOOLS_TMPL_PARQUET_PRINT_H

#include "common/str.h"
#include "tools/tmpl/parquet_values.h"

/* Appends a value. -1: this value has no text (the file is sound); nothing is appended. */
typedef int pq_print(
	struct str *out, const struct pq_element *el, const struct pq_value *v, struct err *e);

/* The function for a column's values; NULL: no type that is read. */
pq_print *pq_printer(const struct pq_element *el, struct err *e);

#endif
