/* What the files of common/rewrite*.c share: an item's values, and the units that it is cut into. */
#ifndef COMMON_REWRITE_INT_H
#define COMMON_REWRITE_INT_H

#include "common/rewrite.h"
#include "kernels/merge.h"

/* A worker's memory: named places that grow. */
enum place {
	ROOM_RESULT,
	ROOM_WRITTEN,
	ROOM_VALUES,
	ROOM_ROWS,
	ROOM_SUM,
	ROOM_BASE,
	ROOM_PARTS,
	ROOM_COUNT
};
struct rooms {
	void *v[ROOM_COUNT];
	size_t cap[ROOM_COUNT];
};
void *room(struct rooms *r, enum place place, size_t n, size_t size);
struct rooms *rooms_new(struct team *team); /* one a worker */
void rooms_free(struct rooms *r, struct team *team);

/* An item with its deltas in memory. */
struct values {
	const struct rewrite_item *it;
	struct merge_part *parts; /* of row 0 */
	float *magnitude;	  /* or NULL */
	size_t rows, cols;	  /* one column, when it is no matrix */
};
void values_open(struct values *v, const struct rewrite_item *it);
void values_done(struct values *v);
size_t values_count(const struct values *v);
/* Elements of a unit: whole blocks and groups of their statistics, or whole rows, or any. */
size_t values_unit(const struct values *v);

/* Elements [from, from + n) as it->dtype: where they lie, or in a room. NULL: not finite, which values
 * that are seen where they lie may be, too. sum: where not NULL, and there are deltas, the same in f32 before
 * they were rounded. Valid until the next call. */
const void *values_see(
	const struct values *v, size_t from, size_t n, struct rooms *r, const float **sum);
/* The base's, as f32; rooms ROWS, SUM, RESULT and WRITTEN stay as they are. */
const float *values_base(const struct values *v, size_t from, size_t n, struct rooms *r);
/* Lets go of the base's pages. */
void values_release(const struct values *v, size_t from, size_t n);
/* Why something is not finite. */
int values_fault(const struct values *v, struct err *e);

#endif
