/*
 * A record: an ordered map whose values are kept as the msgpack bytes they came as, so that columns
 * nobody knows pass through untouched. Memory of keys and values belongs to the record's arena or
 * to the reader's buffer, valid until the next stream_read or record_reset.
 */
#ifndef COMMON_RECORD_H
#define COMMON_RECORD_H

#include "common/err.h"
#include "common/field.h"
#include "common/mem.h"
#include "common/str.h"

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
	uint64_t place;	 /* within a filter: among all records that it read */
};

void record_reset(struct record *r);
void record_done(struct record *r);

/* NULL when absent. */
const struct field *record_get(const struct record *r, const char *key);
const struct field *record_get_n(const struct record *r, const char *key, size_t keylen);

/* Typed views: 1 found, 0 absent, -1 there but of another type (error names field and record).
 * Strings are checked to be UTF-8. The u32 view is aligned and in host order (copied when it must
 * be). */
int record_str(struct record *r, const char *key, const char **s, size_t *len, struct err *e);
int record_u32s(struct record *r, const char *key, const uint32_t **ids, size_t *n, struct err *e);
int record_f32s(struct record *r, const char *key, const float **v, size_t *n, struct err *e);
int record_bytes(struct record *r, const char *key, const uint8_t **p, size_t *n, struct err *e);
int record_f64(struct record *r, const char *key, double *v, struct err *e); /* ints accepted */
int record_i64(struct record *r, const char *key, int64_t *v, struct err *e);
int record_bool(struct record *r, const char *key, int *v, struct err *e);
/* Any value as JSON: NULL with *e untouched when absent. The caller decrefs. */
json_t *record_json(struct record *r, const char *key, struct err *e);

/* Replaces in place or appends; data is copied into the arena. */
void record_set_str(struct record *r, const char *key, const char *s, size_t len);
void record_set_u32s(struct record *r, const char *key, const uint32_t *ids, size_t n);
void record_set_f32s(struct record *r, const char *key, const float *v, size_t n);
void record_set_bytes(struct record *r, const char *key, const void *p, size_t n);
void record_set_f64(struct record *r, const char *key, double v);
void record_set_i64(struct record *r, const char *key, int64_t v);
void record_set_bool(struct record *r, const char *key, int v);
/* Fails (STATUS_DATA) when v is nested deeper than a stream may hold. */
int record_set_json(struct record *r, const char *key, const json_t *v, struct err *e);
void record_set_raw(
	struct record *r, const char *key, const uint8_t *val, size_t len); /* one msgpack value */
void record_remove(struct record *r, const char *key);
/* dst becomes src, with memory of its own. record_swap exchanges two without copying. */
void record_copy(struct record *dst, const struct record *src);
void record_swap(struct record *a, struct record *b);

/* Records that are filled again and again (n = 0 begins anew). Zero-initialise. */
struct record_list {
	struct record *v;
	size_t n, cap;
};
struct record *record_list_new(struct record_list *l); /* one more, empty; valid until the next */
void record_list_done(struct record_list *l);

/* ---- as bytes ---- */

/* Fields as views into the msgpack map at p, which mp_scan has accepted: it must outlive the record's
 * use. Checked: that names are distinct strings without NUL, at most 4096. */
int record_parse(struct record *r, const uint8_t *p, size_t n, struct err *e);
/* Appends the msgpack map. */
void record_pack(struct str *out, const struct record *r);

/* ---- as JSON (record_json.c) ---- */

/*
 * Appends one msgpack value as JSON, as json.dumps(ensure_ascii=False, separators=(",", ":")) does.
 * bin is an array of numbers where `type` says what it holds, else base64; a float that JSON has no
 * word for is null; bytes of a str that are not UTF-8 are U+FFFD.
 */
void record_value_json(struct str *out, const uint8_t *val, size_t len, enum field_type type);
/* Appends the record as one JSON object, without a newline. */
void record_to_json(struct str *out, const struct record *r);
/* The other way: fields of field.h get their type (number arrays become bin, base64 becomes bin).
 */
int record_from_json(struct record *r, const json_t *object, struct err *e);

#endif
