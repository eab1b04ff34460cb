#include "tools/tmpl/parquet_column.h"

enum { RLE = 3, BIT_PACKED = 4 }; /* encodings of levels */

void pq_column_init(struct pq_column *c, const struct pq_leaf *leaf, struct pq_source *s)
{
	*c = (struct pq_column){.leaf = leaf, .source = s};
	c->values =
		(struct pq_values){.element = leaf->element, .dict = &c->dict, .room = &s->room};
}

void pq_column_done(struct pq_column *c)
{
	pq_buffer_done(&c->page, &c->source->room);
	pq_dictionary_done(&c->dict, &c->source->room);
	pq_values_done(&c->values);
}

static int fail(const struct pq_column *c, struct err *e)
{
	return err_prefix(e, "column '%s'", c->leaf->path);
}

/* ---- pages ---- */

static int bits_of(int level)
{
	int n = 0;
	while (level >> n)
		n++;
	return n;
}

/* Levels in front of a v1 page's values: moves *p behind them. */
static int begin_levels(struct pq_runs *r, int encoding, int max, uint64_t values,
	const uint8_t **p, const uint8_t *end, struct err *e)
{
	size_t have = (size_t)(end - *p), n;
	int width = bits_of(max);
	if (!max) {
		pq_runs_begin(r, *p, *p, 0);
		return 0;
	}
	if (encoding == BIT_PACKED) {
		uint64_t bits;
		if (__builtin_mul_overflow(values, (uint64_t)width, &bits) ||
			bits / 8 + !!(bits % 8) > have)
			return err_data(e, "a page ends within its levels");
		n = (size_t)(bits / 8 + !!(bits % 8));
		pq_runs_begin_old(r, *p, *p + n, width);
		*p += n;
		return 0;
	}
	if (encoding != RLE)
		return err_data(e, "levels in encoding %d are not known", encoding);
	if (have < 4 || pq_load32(*p) > have - 4)
		return err_data(e, "a page ends within its levels");
	n = pq_load32(*p);
	pq_runs_begin(r, *p + 4, *p + 4 + n, width);
	*p += 4 + n;
	return 0;
}

static int begin_data(struct pq_column *c, const struct pq_page *page, struct err *e)
{
	const struct pq_leaf *leaf = c->leaf;
	if (pq_page_bytes(c->source, page, c->codec, &c->page, e) < 0)
		return -1;
	const uint8_t *p = c->page.p, *end = p + c->page.len;
	if (page->kind == PQ_DATA_V2) {
		pq_runs_begin(&c->reps, p, p + page->rep_len, bits_of(leaf->max_rep));
		p += page->rep_len;
		pq_runs_begin(&c->defs, p, p + page->def_len, bits_of(leaf->max_def));
		p += page->def_len;
	} else if (begin_levels(&c->reps, page->rep_encoding, leaf->max_rep, page->values, &p, end,
			   e) < 0 ||
		   begin_levels(&c->defs, page->def_encoding, leaf->max_def, page->values, &p, end,
			   e) < 0) {
		return -1;
	}
	return pq_values_begin(&c->values, page->encoding, p, (size_t)(end - p), e);
}

/* The next page that has entries; where there are none left, nothing. */
static int next_page(struct pq_column *c, struct err *e)
{
	struct pq_page page;
	while (c->left && !c->page_left) {
		if (pq_page_header(c->source, c->at, &page, e) < 0)
			return -1;
		c->at = page.at + page.stored;
		if (page.kind == PQ_INDEX)
			continue;
		if (page.kind == PQ_DICTIONARY) {
			if (c->dict.there)
				return err_data(e, "has two dictionaries");
			if (pq_page_bytes(c->source, &page, c->codec, &c->dict.page, e) < 0 ||
				pq_dictionary_read(&c->dict, page.encoding, c->leaf->element,
					page.values, &c->source->room, e) < 0)
				return -1;
			continue;
		}
		if (page.values > c->left)
			return err_data(e, "its pages have more values than its row group says");
		if (begin_data(c, &page, e) < 0)
			return -1;
		c->left -= page.values;
		c->page_left = page.values;
	}
	return 0;
}

/* ---- entries ---- */

static int next_level(struct pq_runs *r, int max, int *level, struct err *e)
{
	uint32_t v;
	if (pq_runs_next(r, &v) < 0)
		return err_data(e, "a page has fewer levels than values");
	if (v > (uint32_t)max)
		return err_data(e, "a level of %u, where %d is the highest", v, max);
	*level = (int)v;
	return 0;
}

int pq_column_next(struct pq_column *c, struct err *e)
{
	if (!c->page_left) {
		if (next_page(c, e) < 0)
			return fail(c, e);
		if (!c->page_left) {
			c->rep = c->def = 0;
			c->ended = 1;
			return 0;
		}
	}
	c->page_left--;
	if (next_level(&c->reps, c->leaf->max_rep, &c->rep, e) < 0 ||
		next_level(&c->defs, c->leaf->max_def, &c->def, e) < 0)
		return fail(c, e);
	return 0;
}

int pq_column_begin(struct pq_column *c, const struct pq_chunk *chunk, struct err *e)
{
	if (chunk->type != c->leaf->element->type) {
		err_data(e, "a row group has another type than the schema");
		return fail(c, e);
	}
	if (pq_codec_check(chunk->codec, e) < 0)
		return fail(c, e);
	c->codec = chunk->codec;
	c->at = chunk->at;
	c->left = chunk->values;
	c->page_left = 0;
	c->dict.there = 0;
	c->ended = 0;
	return pq_column_next(c, e);
}

int pq_column_value(struct pq_column *c, struct pq_value *v, struct err *e)
{
	if (pq_values_next(&c->values, v) == 0)
		return 0;
	err_data(e, "the values of a page are damaged, too long, or fewer than its levels say");
	return fail(c, e);
}
