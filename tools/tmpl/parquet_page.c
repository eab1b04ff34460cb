#include "tools/tmpl/parquet_page.h"

#include "kernels/crc.h"
#include "tools/tmpl/thrift.h"

#include <string.h>

enum {
	PAGE_MAX = 256 << 20, /* bytes of a page; writers aim at one megabyte */
	HEADER_GUESS = 4096,
	HEADER_MAX = 16 << 20, /* statistics may hold whole values */
};

/* ---- header ---- */

/* DataPageHeader, DictionaryPageHeader and DataPageHeaderV2: the fields have numbers of their own in each. */
static void read_details(struct thrift *t, struct pq_page *page, const struct thrift_field *in)
{
	int v1 = in->id == 5, v2 = in->id == 8;
	struct thrift_field f = {0};
	int64_t values = -1, encoding = -1, def = 0, rep = 0;
	thrift_struct(t, in);
	page->is_compressed = 1;
	while (thrift_next(t, &f)) {
		if (f.id == 1)
			values = thrift_int(t, &f);
		else if (f.id == (v2 ? 4 : 2))
			encoding = thrift_int(t, &f);
		else if ((v1 && f.id == 3) || (v2 && f.id == 5))
			def = thrift_int(t, &f);
		else if ((v1 && f.id == 4) || (v2 && f.id == 6))
			rep = thrift_int(t, &f);
		else if (v2 && f.id == 7)
			page->is_compressed = thrift_bool(t, &f);
		else
			thrift_skip(t, &f);
	}
	if (values < 0 || encoding < 0 || encoding > INT32_MAX || def < 0 || def > PAGE_MAX ||
		rep < 0 || rep > PAGE_MAX)
		t->bad = 1;
	page->values = (uint64_t)values;
	page->encoding = (int)encoding;
	/* All of them: nothing stays of a header that had another kind's details in front. */
	page->def_len = v2 ? (size_t)def : 0;
	page->rep_len = v2 ? (size_t)rep : 0;
	page->def_encoding = v2 ? 0 : (int)def;
	page->rep_encoding = v2 ? 0 : (int)rep;
}

/* How many bytes it has; 0: it makes no sense, or ends beyond n. */
static size_t parse_header(const uint8_t *p, size_t n, struct pq_page *page)
{
	static const int details[] = {
		[PQ_DATA] = 5, [PQ_INDEX] = 0, [PQ_DICTIONARY] = 7, [PQ_DATA_V2] = 8};
	struct thrift t = {.p = p, .end = p + n};
	struct thrift_field f = {0};
	int64_t kind = -1, size = -1, stored = -1;
	int found = 0;
	*page = (struct pq_page){0};
	while (thrift_next(&t, &f)) {
		switch (f.id) {
		case 1:
			kind = thrift_int(&t, &f);
			break;
		case 2:
			size = thrift_int(&t, &f);
			break;
		case 3:
			stored = thrift_int(&t, &f);
			break;
		case 4:
			page->crc = (uint32_t)thrift_int(&t, &f);
			page->has_crc = 1;
			break;
		case 5:
		case 7:
		case 8:
			found = f.id;
			read_details(&t, page, &f);
			break;
		default:
			thrift_skip(&t, &f);
		}
	}
	if (t.bad || kind < PQ_DATA || kind > PQ_DATA_V2 || size < 0 || stored < 0 ||
		(details[kind] && details[kind] != found))
		return 0;
	page->kind = (enum pq_page_kind)kind;
	page->size = (size_t)size;
	page->stored = (size_t)stored;
	return (size_t)(t.p - p);
}

int pq_page_header(struct pq_source *s, uint64_t at, struct pq_page *page, struct err *e)
{
	uint64_t have = at < s->pages_end ? s->pages_end - at : 0;
	size_t used = 0;
	for (size_t n = HEADER_GUESS; !used && have; n *= 16) {
		size_t want = n < have ? n : (size_t)have;
		if (pq_buffer_grow(&s->raw, want, &s->room, e) < 0 ||
			pq_file_read(&s->file, at, s->raw.p, want, e) < 0)
			return -1;
		s->raw.len = want;
		used = parse_header(s->raw.p, want, page);
		if (want == have || n >= HEADER_MAX)
			break;
	}
	if (!used)
		return err_data(
			e, "no page is where one should be, at byte %llu", (unsigned long long)at);
	if (page->stored > have - used)
		return err_data(e, "a page is longer than the file: truncated");
	if (page->size > PAGE_MAX || page->stored > PAGE_MAX)
		return err_data(e, "a page has more than %d bytes", PAGE_MAX);
	size_t levels = page->def_len + page->rep_len;
	if (levels > page->size || levels > page->stored)
		return err_data(e, "a page has more levels than bytes");
	/* What of the page came along stays. */
	s->raw.len -= used;
	memmove(s->raw.p, s->raw.p + used, s->raw.len);
	page->at = at + used;
	return 0;
}

/* ---- bytes ---- */

static int read_stored(struct pq_source *s, const struct pq_page *page, struct err *e)
{
	size_t have = s->raw.len < page->stored ? s->raw.len : page->stored;
	if (pq_buffer_grow(&s->raw, page->stored, &s->room, e) < 0 ||
		pq_file_read(&s->file, page->at + have, s->raw.p + have, page->stored - have, e) <
			0)
		return -1;
	s->raw.len = page->stored;
	if (page->has_crc && crc_update(0, s->raw.p, s->raw.len) != page->crc)
		return err_data(e, "a page is damaged: its checksum is another");
	return 0;
}

int pq_page_bytes(struct pq_source *s, const struct pq_page *page, int codec, struct pq_buffer *to,
	struct err *e)
{
	size_t levels = page->def_len + page->rep_len, packed = page->stored - levels;
	to->len = 0;
	if (read_stored(s, page, e) < 0 || pq_buffer_grow(to, levels, &s->room, e) < 0)
		return -1;
	if (levels)
		memcpy(to->p, s->raw.p, levels);
	to->len = levels;
	if (!packed && page->size == levels)
		return 0; /* nothing but nulls: nothing, whatever the codec */
	if (!page->is_compressed)
		codec = PQ_UNCOMPRESSED;
	return pq_decompress(
		codec, s->raw.p + levels, packed, to, page->size - levels, &s->room, e);
}
