/* The compressions of Parquet's pages: a table, by the format's numbers. */
#ifndef TOOLS_TMPL_PARQUET_CODEC_H
#define TOOLS_TMPL_PARQUET_CODEC_H

#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

/* The page buffers of all columns of a file share one limit. Zero-initialise `held`. */
struct pq_room {
	size_t held;
};
struct pq_buffer {
	uint8_t *p;
	size_t len, cap;
};
/* Room for n bytes; what is in it, up to len, stays. */
int pq_buffer_grow(struct pq_buffer *b, size_t n, struct pq_room *room, struct err *e);
void pq_buffer_done(struct pq_buffer *b, struct pq_room *room);

enum { PQ_UNCOMPRESSED }; /* the format's own number */

/* Refuses by name what is not read. */
int pq_codec_check(int codec, struct err *e);
/* Puts exactly `size` bytes behind what is in the buffer. Memory grows with what there is, not with what the
 * page says. */
int pq_decompress(int codec, const uint8_t *from, size_t n, struct pq_buffer *to, size_t size,
	struct pq_room *room, struct err *e);

#endif
