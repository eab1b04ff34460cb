/*
 * Bytes of pages, compressed or not. All buffers of a file share one limit, so that a file of many columns cannot
 * take what a file of few could not.
 */
#ifndef TOOLS_TMPL_PARQUET_BUFFER_H
#define TOOLS_TMPL_PARQUET_BUFFER_H

#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

/* What a file's buffers hold. Zero-initialise. */
struct pq_room {
	size_t held;
};

/* Zero-initialise. */
struct pq_buffer {
	uint8_t *p;
	size_t len, cap;
};

/* Room for n bytes; what is in it stays. */
int pq_buffer_grow(struct pq_buffer *b, size_t n, struct pq_room *room, struct err *e);
void pq_buffer_done(struct pq_buffer *b, struct pq_room *room);

#endif
