/* What stream_header.c, stream_read.c and stream_write.c share. */
#ifndef COMMON_STREAM_INT_H
#define COMMON_STREAM_INT_H

#include "common/stream.h"

void header_pack(struct str *out, const struct header *h);
/* From the msgpack map at p (whole, scanned). Keys that this version does not know are passed over.
 */
int header_unpack(struct header *h, const uint8_t *p, size_t n, struct err *e);
/* 0 when b may follow a, which was read (a->name); ignore_mismatch: when it is of the same kind. */
int header_agree(
	const struct header *a, const struct header *b, int ignore_mismatch, struct err *e);

#endif
