/*
 * JSON: jansson parses; writing is ours, because Python's json.dumps and repr() must be matched.
 * jansson's limits are the policy: lone surrogates, integers beyond 64 bits, NaN are refused. Rows of
 * datasets, which are many, have a scanner of their own (tools/tmpl/value.h) and the same policy.
 */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include "common/err.h"
#include "common/str.h"

#include <jansson.h>
#include <stdint.h>

/* Whole file (at most 1 GiB; there, larger integers are read as reals, for the sake of
 * model_max_length), or bytes. Duplicate keys: the last wins, as in Python. NULs allowed in strings.
 * Errors are "path: line N: what". The caller decrefs. */
json_t *json_read_file(const char *path, struct err *e);
json_t *json_read_bytes(const char *s, size_t len, struct err *e);

/* repr(float) of Python: shortest that round-trips, "1.0", "1e-05", "1e+16", "inf", "nan". */
size_t json_repr_double(double v, char out[40]);

/* Appends one value as json.dumps(v, ensure_ascii=False) does: separators ", " and ": " when
 * spaced, else "," and ":". */
void json_write(struct str *out, const json_t *v, int spaced);
/* Appends s quoted and escaped. */
void json_write_string(struct str *out, const char *s, size_t len);
/* As json.dumps(v, indent=2, sort_keys=sorted): how transformers and PEFT write their files, which
 * is in ASCII (other characters are \uXXXX). Keys without NULs. */
void json_write_pretty(struct str *out, const json_t *v, int sorted);

#endif
