/*
 * A record: an ordered map whose values are kept as the msgpack bytes they came as, so that columns
 * nobody knows pass through untouched. Memory of keys and values belongs to the record's arena or
 * to the reader's buffer, valid until the next stream_read or record_reset.
 */
#ifndef COMMON_RECORD_H
#define COMMON_RECORD_H

#include "common/err.h"
#include "common/mem.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct field {
	const char *key;
	size_t keylen;
	const uint8_t *val; /* one msgpack value */
	size_t vallen;
};

struct record {
	struct field *f;
	size_t n, cap;
	struct arena arena;
	char where[200]; /* "file:record" of this record, for messages */
};

void record_reset(struct record *r);
void record_done(struct record *r);

/* NULL when absent. */
const struct field *record_get(const struct record *r, const char *key);

/* Typed views: 1 found, 0 absent, -1 there but of another type (error names field and record). Strings
 * are checked to be UTF-8. The u32 view is aligned and in host order (copied when it must be). */
int record_str(struct record *r, const char *key, const char **s, size_t *len, struct err *e);
int record_u32s(struct record *r, const char *key, const uint32_t **ids, size_t *n, struct err *e);
int record_f32s(struct record *r, const char *key, const float **v, size_t *n, struct err *e);
int record_bytes(struct record *r, const char *key, const uint8_t **p, size_t *n, struct err *e);
int record_f64(struct record *r, const char *key, double *v, struct err *e); /* ints accepted */
int record_i64(struct record *r, const char *key, int64_t *v, struct err *e);
int record_bool(struct record *r, const char *key, int *v, struct err *e);
/* Any value as JSON (bin becomes an array of numbers where field.h says what it holds, else base64). */
json_t *record_json(struct record *r, const char *key, struct err *e);

/* Replaces in place or appends; data is copied into the arena. */
void record_set_str(struct record *r, const char *key, const char *s, size_t len);
void record_set_u32s(struct record *r, const char *key, const uint32_t *ids, size_t n);
void record_set_f32s(struct record *r, const char *key, const float *v, size_t n);
void record_set_bytes(struct record *r, const char *key, const void *p, size_t n);
void record_set_f64(struct record *r, const char *key, double v);
void record_set_i64(struct record *r, const char *key, int64_t v);
void record_set_bool(struct record *r, const char *key, int v);
void record_set_json(struct record *r, const char *key, const json_t *v);
void record_remove(struct record *r, const char *key);
void record_copy(struct record *dst, const struct record *src);

#endif
