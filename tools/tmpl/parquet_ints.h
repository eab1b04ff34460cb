/*
 * Sequences of integers as Parquet packs them, one taken after the other: the hybrid of runs and bit-packed
 * groups (levels, indices into a dictionary, truth values), and blocks of packed differences
 * (DELTA_BINARY_PACKED). Data that end early, or make no sense, are -1.
 */
#ifndef TOOLS_TMPL_PARQUET_INTS_H
#define TOOLS_TMPL_PARQUET_INTS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t pq_load32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t pq_load64(const uint8_t *p)
{
	return pq_load32(p) | (uint64_t)pq_load32(p + 4) << 32;
}

/* Bits packed one number after the other, from the low end of each byte. */
struct pq_bits {
	const uint8_t *p, *end;
	uint64_t at; /* in bits */
};
/* width bits, 0 … 64. The caller knows that they are there. */
static inline uint64_t pq_bits_take(struct pq_bits *b, int width)
{
	const uint8_t *p = b->p + b->at / 8;
	int shift = (int)(b->at % 8);
	uint64_t v = 0;
	b->at += (uint64_t)width;
	if (b->end - p >= 9) {
		v = pq_load64(p) >> shift;
		if (shift + width > 64)
			v |= (uint64_t)p[8] << (64 - shift);
	} else {
		if (p < b->end)
			v = (uint64_t)*p >> shift;
		for (int up = 8 - shift; up < 64 && ++p < b->end; up += 8)
			v |= (uint64_t)*p << up;
	}
	return width < 64 ? v & (((uint64_t)1 << width) - 1) : v;
}

struct pq_runs {
	const uint8_t *p, *end;
	int width;     /* bits, 0 … 32 */
	uint64_t left; /* of the present run or group */
	enum { PQ_RUN, PQ_GROUP_OF_BITS, PQ_OLD_GROUP } kind;
	uint32_t value;	     /* of a run */
	struct pq_bits bits; /* of a group */
};
/* width 0: zeros without end, and no bytes. */
void pq_runs_begin(struct pq_runs *r, const uint8_t *p, const uint8_t *end, int width);
/* Levels of the first writers (BIT_PACKED): one group, numbers from the high end of each byte. */
void pq_runs_begin_old(struct pq_runs *r, const uint8_t *p, const uint8_t *end, int width);
int pq_runs_more(struct pq_runs *r);
uint32_t pq_runs_take_old(struct pq_runs *r);
static inline int pq_runs_next(struct pq_runs *r, uint32_t *v)
{
	if (!r->left && pq_runs_more(r) < 0)
		return -1;
	r->left--;
	*v = r->kind == PQ_RUN		   ? r->value
	     : r->kind == PQ_GROUP_OF_BITS ? (uint32_t)pq_bits_take(&r->bits, r->width)
					   : pq_runs_take_old(r);
	return 0;
}

struct pq_deltas {
	const uint8_t *p, *end;
	uint64_t count;	    /* in all */
	uint64_t left;	    /* still to come */
	size_t parts, part; /* miniblocks of a block; the next */
	size_t part_size, part_left;
	const uint8_t *widths;
	struct pq_bits bits;
	int width;
	uint64_t value, least; /* the next number; the block's smallest difference */
};
int pq_deltas_begin(struct pq_deltas *d, const uint8_t *p, const uint8_t *end);
int pq_deltas_next(struct pq_deltas *d, uint64_t *v);
/* Where what follows them begins, from a state just begun; NULL: nowhere. */
const uint8_t *pq_deltas_end(struct pq_deltas d);

#endif
