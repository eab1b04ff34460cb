/*
 * Where mpcat's records come from: the operands one after the other, shards put back into order, or
 * either of them shuffled. One shape, so that what is done with the records does not care.
 */
#ifndef TOOLS_MPCAT_SOURCE_H
#define TOOLS_MPCAT_SOURCE_H

#include "common/stream.h"

struct source {
	/* As stream_read. */
	int (*next)(struct source *s, struct record *rec, struct err *e);
	void (*on_pause)(struct source *s, void (*fn)(void *arg), void *arg);
	void (*close)(struct source *s);
	const struct header *header;
	uint64_t skipped; /* of earlier stages; right once next has returned 0 */
};

/* Every function gives a source that its close frees. */
int source_open(struct source **s, char *const *paths, size_t n, uint64_t shard_i, uint64_t shard_n,
	int ignore_mismatch, struct err *e);

/* Takes one record of each operand in turn, which undoes --shard 1/n … n/n of n operands in this
 * order. Operands whose lengths cannot be those of shards are an error at the end. */
int source_merge(
	struct source **s, char *const *paths, size_t n, int ignore_mismatch, struct err *e);

/* All of `from` (closed by it, also on error) in an order that the seed decides. The records lie in an
 * unnamed file in TMPDIR; memory holds 16 bytes a record. */
int source_shuffle(struct source **s, struct source *from, uint64_t seed, struct err *e);

#endif
