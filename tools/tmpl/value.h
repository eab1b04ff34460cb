/*
 * A row's values are the Jinja engine's own (struct jv, jinja.h), so that rendering converts nothing:
 * JSON text becomes values here, and values become fields of a record.
 *
 * As Python's json.loads, which is how datasets and transformers read: of a key given twice the last
 * value counts, in the place of the first; strings may hold NULs; whitespace is blank, tab, newline,
 * return. Stricter, because no stream could hold it or no two readers agree: NaN and Infinity, numbers
 * beyond a double, integers beyond 64 bits and lone surrogates are refused.
 */
#ifndef TOOLS_TMPL_VALUE_H
#define TOOLS_TMPL_VALUE_H

#include "common/record.h"
#include "tools/tmpl/jinja.h"

#include <string.h>

enum {
	VALUE_DEPTH = 100,     /* lists and objects inside each other */
	VALUE_COUNT = 4 << 20, /* values of one text: what memory is needed beside it */
};

/* Strings without escapes are borrowed from `text`, which is UTF-8 and must outlive *out; the rest lies
 * in the arena. Errors are "line N: bad JSON: …", or "column N: …" of a text of one line. */
int value_parse(struct jv *out, struct arena *a, const char *text, size_t len, struct err *e);
/* The same of a whole file; "path: line N: bad JSON: …". */
int value_read_file(struct jv *out, struct arena *a, const char *path, struct err *e);

/* The value under a key: JV_MISSING where there is none, or where `dict` is no dict. */
static inline struct jv value_get(struct jv dict, const char *key)
{
	const struct jv *v = dict.type == JV_DICT ? jv_dict_get(dict, key, strlen(key)) : NULL;
	return v ? *v : (struct jv){.type = JV_MISSING};
}

/* Whether it is there and not null. */
static inline int value_given(struct jv v)
{
	return v.type != JV_MISSING && v.type != JV_NONE;
}

static inline int value_is(struct jv v, const char *string)
{
	return v.type == JV_STR && v.len == strlen(string) && !memcmp(v.u.s, string, v.len);
}

/* How many of a string's bytes are whole characters within the first `max`: for "%.*s". */
static inline int value_head(struct jv string, uint32_t max)
{
	uint32_t n = string.len;
	if (n > max)
		for (n = max; n > 0 && (string.u.s[n] & 0xc0) == 0x80; n--)
			;
	return (int)n;
}

static inline void value_put(struct arena *a, struct jv dict, const char *key, struct jv v)
{
	jv_dict_set(a, dict, jv_str(key, strlen(key)), v);
}

/* A list of the items from … to-1; a dict with the same entries, to be changed. */
struct jv value_slice(struct arena *a, struct jv list, size_t from, size_t to);
struct jv value_copy(struct arena *a, struct jv dict);

/* The value as a record's field. Fails (STATUS_DATA) when it is nested deeper than a stream may hold. */
int value_set(struct record *r, const char *key, struct jv v, struct err *e);

#endif
