/*
 * The values of a page, taken one after the other whatever their encoding. A value is a view of its bytes as
 * PLAIN would lay them out (little-endian; a truth value is one byte); parquet_print.h knows what they mean.
 */
#ifndef TOOLS_TMPL_PARQUET_VALUES_H
#define TOOLS_TMPL_PARQUET_VALUES_H

#include "tools/tmpl/parquet_buffer.h"
#include "tools/tmpl/parquet_ints.h"
#include "tools/tmpl/parquet_meta.h"

struct pq_value {
	const uint8_t *p;
	size_t n;
};

/* The values that a chunk's pages refer to by number. */
struct pq_dictionary {
	struct pq_buffer page;
	struct pq_buffer
		offsets; /* of PQ_BYTE_ARRAY: uint32_t, where in the page each value begins */
	size_t n;
	size_t width; /* of the others */
	int there;
};

/* dict->page holds the page's bytes: finds the n values in them. */
int pq_dictionary_read(struct pq_dictionary *d, int encoding, const struct pq_element *el,
	uint64_t n, struct pq_room *room, struct err *e);
void pq_dictionary_done(struct pq_dictionary *d, struct pq_room *room);

/* Set the first three, zero the rest. */
struct pq_values {
	const struct pq_element *element;
	const struct pq_dictionary *dict;
	struct pq_room *room;
	int (*next)(struct pq_values *v, struct pq_value *out);
	const uint8_t *p, *end;
	size_t width; /* bytes of a value; 0: they differ */
	union {
		struct pq_runs runs;
		struct pq_bits bits;
		struct pq_deltas deltas; /* the numbers, or lengths */
		size_t at;		 /* of the values, that whose bytes are read next */
	};
	struct pq_deltas prefixes;
	struct pq_buffer made; /* bytes of a value that lie nowhere in one piece */
};

/* The values of the column's next page begin. Valid as long as the bytes and the dictionary are. */
int pq_values_begin(struct pq_values *v, int encoding, const uint8_t *p, size_t n, struct err *e);
void pq_values_done(struct pq_values *v);
/* Valid until the next call. -1: there is none, or it is damaged. */
static inline int pq_values_next(struct pq_values *v, struct pq_value *out)
{
	return v->next(v, out);
}

#endif
