/* The compressions of Parquet's pages: a table, by the format's numbers. */
#ifndef TOOLS_TMPL_PARQUET_CODEC_H
#define TOOLS_TMPL_PARQUET_CODEC_H

#include "tools/tmpl/parquet_buffer.h"

enum { PQ_UNCOMPRESSED }; /* the format's own number */

/* Refuses by name what is not read. */
int pq_codec_check(int codec, struct err *e);
/* Puts exactly `size` bytes behind what is in the buffer. Memory grows with what there is, not with what the
 * page says. */
int pq_decompress(int codec, const uint8_t *from, size_t n, struct pq_buffer *to, size_t size,
	struct pq_room *room, struct err *e);

#endif
