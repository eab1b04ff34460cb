/*
 * A batch is a forest of segments, not a padded rectangle. Tokens lie flat; a segment is a run of
 * them with a parent; position and attention follow the path to the root. A preference pair is a
 * prompt segment with two children; rows of text are roots; several pairs with one prompt share it.
 * A tree (a root with all its descendants) is never split between micro-batches, which is what
 * makes results independent of how the work was cut.
 *
 * A label is (row, target): the row whose hidden state predicts, and the token predicted. The
 * prompt's last row has a label for each child's first token. A tree that is only a root has no row
 * that predicts its first token.
 */
#ifndef COMMON_MODEL_FOREST_H
#define COMMON_MODEL_FOREST_H

#include "kernels/kernels.h"

struct label {
	size_t row; /* index into ids */
	uint32_t target;
};

struct forest {
	size_t ntok, cap_tok;
	uint32_t *ids, *pos, *record; /* [ntok]; record: the identity that dropout uses */
	struct kseg *segs;
	size_t nsegs, cap_segs;
	struct label *labels;
	size_t nlabels, cap_labels;
};

void forest_reset(struct forest *f);
void forest_done(struct forest *f);

/* Appends a segment; returns its index. parent -1: a root. len 0 is allowed for a root. */
int forest_segment(struct forest *f, int parent, const uint32_t *ids, size_t len, uint32_t record);

/* Position on the path (0 at the root's first token) after the segment's last token. */
size_t forest_end_pos(const struct forest *f, int seg);

/*
 * Appends labels for tokens [from, to) of segment `seg` (all: 0, len); where mask is not NULL only
 * those with mask[i] != 0, i counted from the segment's start. The first token of a root has no
 * predicting row and is passed over. Returns how many labels were added; they are consecutive.
 */
size_t forest_label(struct forest *f, int seg, size_t from, size_t to, const uint8_t *mask);

#endif
