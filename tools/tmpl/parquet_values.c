#include "tools/tmpl/parquet_values.h"

/* Bytes of a value in PLAIN; 0: they differ. */
static size_t plain_width(const struct pq_element *el)
{
	static const size_t width[] = {[PQ_BOOLEAN] = 1,
		[PQ_INT32] = 4,
		[PQ_INT64] = 8,
		[PQ_INT96] = 12,
		[PQ_FLOAT] = 4,
		[PQ_DOUBLE] = 8,
		[PQ_BYTE_ARRAY] = 0};
	return el->type == PQ_FIXED ? el->width : width[el->type];
}

static int take(struct pq_values *v, size_t n, struct pq_value *out)
{
	if (n > (size_t)(v->end - v->p))
		return -1;
	*out = (struct pq_value){v->p, n};
	v->p += n;
	return 0;
}

/* ---- PLAIN ---- */

static int next_fixed(struct pq_values *v, struct pq_value *out)
{
	return take(v, v->width, out);
}

static int next_bytes(struct pq_values *v, struct pq_value *out)
{
	if (v->end - v->p < 4)
		return -1;
	uint32_t n = pq_load32(v->p);
	v->p += 4;
	return take(v, n, out);
}

/* A number as a value: its low bytes. */
static int put(struct pq_values *v, uint64_t number, struct pq_value *out)
{
	for (size_t i = 0; i < v->width; i++)
		v->made.p[i] = (uint8_t)(number >> (8 * i));
	*out = (struct pq_value){v->made.p, v->width};
	return 0;
}

static int next_bit(struct pq_values *v, struct pq_value *out)
{
	if (v->bits.at >= (uint64_t)(v->bits.end - v->bits.p) * 8)
		return -1;
	return put(v, pq_bits_take(&v->bits, 1), out);
}

static int begin_plain(struct pq_values *v)
{
	v->next = v->width ? next_fixed : next_bytes;
	if (v->element->type == PQ_BOOLEAN) {
		v->next = next_bit;
		v->bits = (struct pq_bits){v->p, v->end, 0};
	}
	return 0;
}

/* ---- RLE: truth values, their length in front ---- */

static int next_run(struct pq_values *v, struct pq_value *out)
{
	uint32_t bit;
	return pq_runs_next(&v->runs, &bit) < 0 ? -1 : put(v, bit, out);
}

static int begin_runs(struct pq_values *v)
{
	struct pq_value all;
	if (next_bytes(v, &all) < 0)
		return -1;
	pq_runs_begin(&v->runs, all.p, all.p + all.n, 1);
	v->next = next_run;
	return 0;
}

/* ---- indices into the dictionary, their width in front ---- */

static int next_index(struct pq_values *v, struct pq_value *out)
{
	const struct pq_dictionary *d = v->dict;
	uint32_t i;
	if (pq_runs_next(&v->runs, &i) < 0 || i >= d->n)
		return -1;
	if (v->width) {
		*out = (struct pq_value){d->page.p + i * v->width, v->width};
	} else {
		uint32_t at;
		memcpy(&at, d->offsets.p + i * sizeof at, sizeof at);
		const uint8_t *p = d->page.p + at;
		*out = (struct pq_value){p + 4, pq_load32(p)};
	}
	return 0;
}

static int begin_indices(struct pq_values *v)
{
	if (!v->dict->there || *v->p > 32)
		return -1;
	pq_runs_begin(&v->runs, v->p + 1, v->end, *v->p);
	v->next = next_index;
	return 0;
}

/* ---- differences, of numbers or of lengths ---- */

static int next_delta(struct pq_values *v, struct pq_value *out)
{
	uint64_t number;
	return pq_deltas_next(&v->deltas, &number) < 0 ? -1 : put(v, number, out);
}

static int begin_deltas(struct pq_values *v)
{
	v->next = next_delta;
	return pq_deltas_begin(&v->deltas, v->p, v->end);
}

static int next_sized(struct pq_values *v, struct pq_value *out)
{
	uint64_t n;
	return pq_deltas_next(&v->deltas, &n) < 0 || n > SIZE_MAX ? -1 : take(v, (size_t)n, out);
}

static int begin_sized(struct pq_values *v)
{
	v->next = next_sized;
	if (pq_deltas_begin(&v->deltas, v->p, v->end) < 0)
		return -1;
	v->p = pq_deltas_end(v->deltas);
	return v->p ? 0 : -1;
}

static int make_room(struct pq_values *v, size_t n)
{
	struct err e = {0};
	return pq_buffer_grow(&v->made, n, v->room, &e);
}

/* What a value has in common with the one before, and the rest. */
static int next_incremental(struct pq_values *v, struct pq_value *out)
{
	struct pq_value rest;
	uint64_t prefix;
	if (pq_deltas_next(&v->prefixes, &prefix) < 0 || next_sized(v, &rest) < 0 ||
		prefix > v->made.len)
		return -1;
	size_t n = (size_t)prefix + rest.n;
	if (n > v->made.cap && make_room(v, n + n / 2) < 0)
		return -1;
	if (rest.n)
		memcpy(v->made.p + prefix, rest.p, rest.n);
	v->made.len = n;
	*out = (struct pq_value){v->made.p, n};
	return v->width && n != v->width ? -1 : 0;
}

static int begin_incremental(struct pq_values *v)
{
	if (pq_deltas_begin(&v->prefixes, v->p, v->end) < 0)
		return -1;
	v->p = pq_deltas_end(v->prefixes);
	if (!v->p || begin_sized(v) < 0)
		return -1;
	v->made.len = 0;
	v->next = next_incremental;
	return 0;
}

/* ---- BYTE_STREAM_SPLIT: the first byte of all, then the second byte of all … ---- */

static int next_split(struct pq_values *v, struct pq_value *out)
{
	size_t n = (size_t)(v->end - v->p) / v->width;
	if (v->at >= n)
		return -1;
	for (size_t k = 0; k < v->width; k++)
		v->made.p[k] = v->p[k * n + v->at];
	v->at++;
	*out = (struct pq_value){v->made.p, v->width};
	return 0;
}

static int begin_split(struct pq_values *v)
{
	v->at = 0;
	v->next = next_split;
	return (size_t)(v->end - v->p) % v->width ? -1 : 0;
}

/* ---- the table, by the format's numbers ---- */

#define T(t) (1u << (t))
enum {
	INTS = T(PQ_INT32) | T(PQ_INT64),
	REALS = T(PQ_FLOAT) | T(PQ_DOUBLE),
	ALL = T(PQ_GROUP) - 1,
};

static const struct encoding {
	const char *name;
	int (*begin)(struct pq_values *v);
	unsigned types;
} encodings[] = {
	{"PLAIN", begin_plain, ALL},
	{NULL, NULL, 0},
	{"PLAIN_DICTIONARY", begin_indices, ALL},
	{"RLE", begin_runs, T(PQ_BOOLEAN)},
	{"BIT_PACKED", NULL, 0},
	{"DELTA_BINARY_PACKED", begin_deltas, INTS},
	{"DELTA_LENGTH_BYTE_ARRAY", begin_sized, T(PQ_BYTE_ARRAY)},
	{"DELTA_BYTE_ARRAY", begin_incremental, T(PQ_BYTE_ARRAY) | T(PQ_FIXED)},
	{"RLE_DICTIONARY", begin_indices, ALL},
	{"BYTE_STREAM_SPLIT", begin_split, INTS | REALS | T(PQ_FIXED)},
};
enum { PLAIN = 0, PLAIN_DICTIONARY = 2 };

static int next_nothing(struct pq_values *v, struct pq_value *out)
{
	(void)v;
	(void)out;
	return -1;
}

int pq_values_begin(struct pq_values *v, int encoding, const uint8_t *p, size_t n, struct err *e)
{
	size_t known = sizeof encodings / sizeof *encodings;
	const struct encoding *how =
		encoding >= 0 && (size_t)encoding < known ? &encodings[encoding] : NULL;
	if (!how || !how->name)
		return err_data(e, "encoding %d is not known", encoding);
	if (!(how->types >> v->element->type & 1))
		return err_data(e, "encoding %s is not read for this type", how->name);
	v->p = p;
	v->end = p + n;
	v->width = plain_width(v->element);
	v->next = next_nothing; /* a page of nulls may have no bytes at all */
	if (pq_buffer_grow(&v->made, v->width, v->room, e) < 0)
		return -1;
	if (n && how->begin(v) < 0)
		return err_data(e, "the %s values of a page are damaged%s", how->name,
			how->begin == begin_indices && !v->dict->there ? ": there is no dictionary"
								       : "");
	return 0;
}

void pq_values_done(struct pq_values *v)
{
	pq_buffer_done(&v->made, v->room);
}

/* ---- the dictionary ---- */

int pq_dictionary_read(struct pq_dictionary *d, int encoding, const struct pq_element *el,
	uint64_t n, struct pq_room *room, struct err *e)
{
	const uint8_t *p = d->page.p, *end = p + d->page.len;
	if (encoding != PLAIN && encoding != PLAIN_DICTIONARY)
		return err_data(e, "a dictionary in encoding %d is not known", encoding);
	d->width = plain_width(el);
	d->there = 0;
	if (el->type == PQ_BOOLEAN || n > d->page.len / (d->width ? d->width : 4))
		return err_data(e, "a dictionary says that it has more values than it has");
	if (!d->width && pq_buffer_grow(&d->offsets, (size_t)n * sizeof(uint32_t), room, e) < 0)
		return -1;
	for (size_t i = 0; !d->width && i < n; i++) {
		uint32_t at = (uint32_t)(p - d->page.p);
		if (end - p < 4 || pq_load32(p) > (size_t)(end - p) - 4)
			return err_data(e, "a dictionary ends early");
		memcpy(d->offsets.p + i * sizeof at, &at, sizeof at);
		p += 4 + pq_load32(p);
	}
	d->n = (size_t)n;
	d->there = 1;
	return 0;
}

void pq_dictionary_done(struct pq_dictionary *d, struct pq_room *room)
{
	pq_buffer_done(&d->offsets, room);
	pq_buffer_done(&d->page, room);
	*d = (struct pq_dictionary){0};
}
