#include "common/model/forest.h"

#include "common/mem.h"

#include <string.h>

void forest_reset(struct forest *f)
{
	f->ntok = f->nsegs = f->nlabels = 0;
}

void forest_done(struct forest *f)
{
	mem_free(f->ids);
	mem_free(f->pos);
	mem_free(f->record);
	mem_free(f->segs);
	mem_free(f->labels);
	*f = (struct forest){0};
}

static void grow_tokens(struct forest *f, size_t need)
{
	size_t cap = f->cap_tok;
	if (need <= cap)
		return;
	mem_grow(&f->ids, &f->cap_tok, need, sizeof *f->ids);
	f->pos = mem_resize(f->pos, f->cap_tok, sizeof *f->pos);
	f->record = mem_resize(f->record, f->cap_tok, sizeof *f->record);
}

size_t forest_end_pos(const struct forest *f, int seg)
{
	size_t n = 0;
	for (; seg >= 0; seg = f->segs[seg].parent)
		n += f->segs[seg].nk;
	return n;
}

int forest_segment(struct forest *f, int parent, const uint32_t *ids, size_t len, uint32_t record)
{
	size_t at = f->ntok;
	size_t pos = forest_end_pos(f, parent);
	grow_tokens(f, at + len);
	if (len)
		memcpy(f->ids + at, ids, len * sizeof *ids);
	for (size_t i = 0; i < len; i++) {
		f->pos[at + i] = (uint32_t)(pos + i);
		f->record[at + i] = record;
	}
	f->ntok += len;
	mem_grow(&f->segs, &f->cap_segs, f->nsegs + 1, sizeof *f->segs);
	f->segs[f->nsegs] =
		(struct kseg){.q0 = at, .nq = len, .k0 = at, .nk = len, .parent = parent};
	return (int)f->nsegs++;
}

/* The last row on the path above a segment; 0 when there is none. */
static int row_above(const struct forest *f, int seg, size_t *row)
{
	for (int p = f->segs[seg].parent; p >= 0; p = f->segs[p].parent) {
		if (f->segs[p].nk > 0) {
			*row = f->segs[p].q0 + f->segs[p].nq - 1;
			return 1;
		}
	}
	return 0;
}

size_t forest_label(struct forest *f, int seg, size_t from, size_t to, const uint8_t *mask)
{
	size_t first = f->segs[seg].q0;
	size_t before = f->nlabels;
	for (size_t i = from; i < to; i++) {
		size_t row = first + i - 1;
		if (mask && !mask[i])
			continue;
		if (i == 0 && !row_above(f, seg, &row))
			continue;
		mem_grow(&f->labels, &f->cap_labels, f->nlabels + 1, sizeof *f->labels);
		f->labels[f->nlabels++] = (struct label){.row = row, .target = f->ids[first + i]};
	}
	return f->nlabels - before;
}
