#include "tools/tmpl/parquet_ints.h"

#include "tools/tmpl/thrift.h"

/* ---- runs and groups ---- */

void pq_runs_begin(struct pq_runs *r, const uint8_t *p, const uint8_t *end, int width)
{
	*r = (struct pq_runs){.p = p, .end = end, .width = width};
	if (!width)
		r->left = UINT64_MAX;
}

void pq_runs_begin_old(struct pq_runs *r, const uint8_t *p, const uint8_t *end, int width)
{
	pq_runs_begin(r, p, end, width);
	if (!width)
		return;
	r->kind = PQ_OLD_GROUP;
	r->bits = (struct pq_bits){p, end, 0};
	r->left = (uint64_t)(end - p) * 8 / (uint64_t)width;
	r->p = end;
}

uint32_t pq_runs_take_old(struct pq_runs *r)
{
	uint32_t v = 0;
	for (int i = 0; i < r->width; i++, r->bits.at++)
		v = v << 1 | (r->bits.p[r->bits.at / 8] >> (7 - r->bits.at % 8) & 1);
	return v;
}

/* The next run or group that is not empty. The last group may lack the bytes of numbers that nobody wants. */
int pq_runs_more(struct pq_runs *r)
{
	struct thrift t = {.p = r->p, .end = r->end};
	while (!r->left) {
		uint64_t header = thrift_varint(&t);
		uint64_t have = (uint64_t)(t.end - t.p), bytes = ((uint64_t)r->width + 7) / 8;
		if (t.bad)
			return -1;
		if (header & 1) {
			uint64_t groups = header >> 1;
			bytes = groups < have ? groups * (uint64_t)r->width : have;
			bytes = bytes < have ? bytes : have;
			r->kind = PQ_GROUP_OF_BITS;
			r->bits = (struct pq_bits){t.p, t.p + bytes, 0};
			r->left = bytes * 8 / (uint64_t)r->width;
		} else {
			if (bytes > have)
				return -1;
			r->kind = PQ_RUN;
			r->left = header >> 1;
			r->value = 0;
			for (uint64_t i = 0; i < bytes; i++)
				r->value |= (uint32_t)t.p[i] << (8 * i);
		}
		t.p += bytes;
	}
	r->p = t.p;
	return 0;
}

/* ---- differences ---- */

enum { BLOCK_MAX = 1 << 20, PARTS_MAX = 1 << 15 };

int pq_deltas_begin(struct pq_deltas *d, const uint8_t *p, const uint8_t *end)
{
	struct thrift t = {.p = p, .end = end};
	uint64_t block = thrift_varint(&t), parts = thrift_varint(&t), count = thrift_varint(&t);
	uint64_t first = thrift_varint(&t);
	if (t.bad || !block || block > BLOCK_MAX || !parts || parts > PARTS_MAX || block % parts ||
		block / parts % 32)
		return -1;
	*d = (struct pq_deltas){.p = t.p,
		.end = end,
		.count = count,
		.left = count,
		.parts = (size_t)parts,
		.part = (size_t)parts, /* as if a block had just ended */
		.part_size = (size_t)(block / parts),
		.value = (uint64_t)thrift_unzigzag(first)};
	return 0;
}

static int next_part(struct pq_deltas *d)
{
	if (d->part == d->parts) {
		struct thrift t = {.p = d->p, .end = d->end};
		d->least = (uint64_t)thrift_unzigzag(thrift_varint(&t));
		if (t.bad || (size_t)(t.end - t.p) < d->parts)
			return -1;
		d->widths = t.p;
		d->p = t.p + d->parts;
		d->part = 0;
	}
	d->width = d->widths[d->part++];
	size_t bytes = d->part_size / 8 * (size_t)d->width, have = (size_t)(d->end - d->p);
	if (d->width > 64 || (bytes > have && d->left > d->part_size))
		return -1;
	/* The last one may lack the bytes of numbers that nobody wants. */
	bytes = bytes < have ? bytes : have;
	d->bits = (struct pq_bits){d->p, d->p + bytes, 0};
	d->p += bytes;
	d->part_left = d->part_size;
	return 0;
}

int pq_deltas_next(struct pq_deltas *d, uint64_t *v)
{
	if (!d->left)
		return -1;
	*v = d->value;
	if (--d->left == 0)
		return 0;
	if (!d->part_left && next_part(d) < 0)
		return -1;
	if (d->bits.at + (uint64_t)d->width > (uint64_t)(d->bits.end - d->bits.p) * 8)
		return -1;
	d->part_left--;
	d->value += d->least + pq_bits_take(&d->bits, d->width);
	return 0;
}

const uint8_t *pq_deltas_end(struct pq_deltas d)
{
	/* The first number is in the header. */
	for (d.left = d.left ? d.left - 1 : 0; d.left;
		d.left -= d.left < d.part_size ? d.left : d.part_size)
		if (next_part(&d) < 0)
			return NULL;
	return d.p;
}
