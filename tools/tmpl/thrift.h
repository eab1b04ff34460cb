/*
 * Thrift's compact protocol, as far as Parquet's footers and page headers need it: a reader over bytes in
 * memory. The first thing that is wrong makes `bad` stick: whatever is read after it is zero, empty, the
 * end, so that callers check once, when they are done. What is given out points into the bytes.
 */
#ifndef TOOLS_TMPL_THRIFT_H
#define TOOLS_TMPL_THRIFT_H

#include <stddef.h>
#include <stdint.h>

enum thrift_type {
	THRIFT_TRUE = 1,
	THRIFT_FALSE,
	THRIFT_I8,
	THRIFT_I16,
	THRIFT_I32,
	THRIFT_I64,
	THRIFT_DOUBLE,
	THRIFT_BINARY,
	THRIFT_LIST,
	THRIFT_SET,
	THRIFT_MAP,
	THRIFT_STRUCT,
	THRIFT_UUID,
};

struct thrift {
	const uint8_t *p, *end;
	int bad;
};

/* Where a struct is being read. Zero-initialise, then `while (thrift_next(&t, &f)) switch (f.id)`, with one
 * of the readers below, or thrift_skip, for each field. */
struct thrift_field {
	int id, type;
};

/* 1 a field, 0 the struct's end (or bad). */
int thrift_next(struct thrift *t, struct thrift_field *f);

int64_t thrift_int(struct thrift *t, const struct thrift_field *f); /* of any width */
int thrift_bool(struct thrift *t, const struct thrift_field *f);
const char *thrift_binary(struct thrift *t, const struct thrift_field *f, size_t *len);
/* How many items follow, all of this type; no more than there are bytes. */
size_t thrift_list(struct thrift *t, const struct thrift_field *f, enum thrift_type item);
/* The field is a struct: its fields follow, for another struct thrift_field. */
void thrift_struct(struct thrift *t, const struct thrift_field *f);
void thrift_skip(struct thrift *t, const struct thrift_field *f);

/* An unsigned LEB128 number of at most 64 bits, as it stands in Parquet's encodings too. */
uint64_t thrift_varint(struct thrift *t);
static inline int64_t thrift_unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1 ^ -(v & 1));
}

#endif
