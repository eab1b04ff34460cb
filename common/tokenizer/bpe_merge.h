/*
 * Merging symbols: the lowest rank goes first, of equal ones the leftmost. Few are merged by
 * looking for it, many with a heap, so that a megabyte of one letter takes n log n.
 */
#ifndef COMMON_TOKENIZER_BPE_MERGE_H
#define COMMON_TOKENIZER_BPE_MERGE_H

#include "common/tokenizer/tokenizer_int.h"

/* Scratch memory of one thread. Zero-initialise. */
struct bpe_merger {
	struct bpe_symbol *sym;
	size_t symcap;
	uint64_t *heap; /* rank << 32 | index */
	size_t nheap, heapcap;
};
void bpe_merger_done(struct bpe_merger *m);

/* n symbols (there is one) with their lengths alongside, in place; returns how many are left. */
size_t bpe_merge(
	const struct bpe *b, struct bpe_merger *m, uint32_t *ids, uint32_t *lens, size_t n);
/* The same where they are the symbols of these bytes. */
size_t bpe_merge_bytes(const struct bpe *b, struct bpe_merger *m, const uint8_t *bytes,
	uint32_t *ids, uint32_t *lens, size_t n);

#endif
