#include "tools/tmpl/parquet_meta.h"

#include "common/mem.h"
#include "tools/tmpl/thrift.h"

#include <string.h>

enum {
	HEAD = 4,		/* the magic in front */
	TAIL = 8,		/* the footer's length and the magic behind */
	FOOTER_MAX = 256 << 20, /* thousands of row groups with thousands of columns */
	COLUMNS_MAX = 100000,
	WIDTH_MAX = 1 << 20, /* of a value of fixed length */
};

/* ---- schema ---- */

static void set_meaning(struct pq_element *el, enum pq_meaning meaning, int64_t ticks, int utc)
{
	el->meaning = meaning;
	el->ticks = ticks;
	el->is_utc = utc;
}

/* Names of parquet.thrift's ConvertedType, whose numbers these are. */
static void set_converted(struct pq_element *el, int64_t type)
{
	enum {
		UTF8,
		MAP,
		MAP_KEY_VALUE,
		LIST,
		ENUM,
		DECIMAL,
		DATE,
		TIME_MILLIS,
		TIME_MICROS,
		TIMESTAMP_MILLIS,
		TIMESTAMP_MICROS,
		UINT_8,
		UINT_64 = 14,
		INT_8,
		INT_64 = 18,
		JSON,
		BSON,
		INTERVAL
	};
	if (type == UTF8 || type == ENUM || type == JSON)
		el->meaning = PQ_TEXT;
	else if (type == MAP || type == MAP_KEY_VALUE)
		el->meaning = PQ_MAP_OF;
	else if (type == LIST)
		el->meaning = PQ_LIST_OF;
	else if (type == DECIMAL)
		el->meaning = PQ_DECIMAL;
	else if (type == DATE)
		el->meaning = PQ_DATE;
	else if (type == TIME_MILLIS || type == TIME_MICROS)
		set_meaning(el, PQ_TIME, type == TIME_MILLIS ? 1000 : 1000000, 0);
	else if (type == TIMESTAMP_MILLIS || type == TIMESTAMP_MICROS)
		set_meaning(el, PQ_TIMESTAMP, type == TIMESTAMP_MILLIS ? 1000 : 1000000, 1);
	else if (type >= UINT_8 && type <= INT_64)
		el->meaning = PQ_INTEGER;
	else if (type == INTERVAL)
		el->meaning = PQ_INTERVAL;
	el->is_unsigned = type >= UINT_8 && type <= UINT_64;
}

static int64_t read_unit(struct thrift *t, const struct thrift_field *in)
{
	static const int64_t ticks[] = {0, 1000, 1000000, 1000000000};
	struct thrift_field f = {0};
	int64_t unit = 0;
	thrift_struct(t, in);
	while (thrift_next(t, &f)) {
		unit = f.id < 4 ? ticks[f.id] : 0;
		thrift_skip(t, &f);
	}
	return unit;
}

/* One member of the union LogicalType, whose field's number says which type it is. */
static void read_meaning(struct thrift *t, struct pq_element *el, const struct thrift_field *in)
{
	enum {
		STRING = 1,
		MAP,
		LIST,
		ENUM,
		DECIMAL,
		DATE,
		TIME,
		TIMESTAMP,
		INTEGER = 10,
		UNKNOWN,
		JSON,
		BSON,
		UUID,
		FLOAT16,
		END
	};
	static const enum pq_meaning meaning[END] = {[STRING] = PQ_TEXT,
		[MAP] = PQ_MAP_OF,
		[LIST] = PQ_LIST_OF,
		[ENUM] = PQ_TEXT,
		[DECIMAL] = PQ_DECIMAL,
		[DATE] = PQ_DATE,
		[TIME] = PQ_TIME,
		[TIMESTAMP] = PQ_TIMESTAMP,
		[INTEGER] = PQ_INTEGER,
		[UNKNOWN] = PQ_NULL,
		[JSON] = PQ_TEXT,
		[UUID] = PQ_UUID,
		[FLOAT16] = PQ_FLOAT16};
	struct thrift_field f = {0};
	thrift_struct(t, in);
	el->meaning = in->id < END ? meaning[in->id] : PQ_AS_IT_IS;
	while (thrift_next(t, &f)) {
		if (in->id == DECIMAL && f.id == 1)
			el->scale = thrift_int(t, &f);
		else if ((in->id == TIME || in->id == TIMESTAMP) && f.id == 1)
			el->is_utc = thrift_bool(t, &f);
		else if ((in->id == TIME || in->id == TIMESTAMP) && f.id == 2)
			el->ticks = read_unit(t, &f);
		else if (in->id == INTEGER && f.id == 2)
			el->is_unsigned = !thrift_bool(t, &f);
		else
			thrift_skip(t, &f);
	}
}

static int read_element(struct thrift *t, struct pq_element *el, struct err *e)
{
	struct thrift_field f = {0}, member = {0};
	int64_t type = PQ_GROUP, width = 0, children = 0, repetition = PQ_REQUIRED;
	int logical = 0;
	*el = (struct pq_element){.name = ""};
	while (thrift_next(t, &f)) {
		switch (f.id) {
		case 1:
			type = thrift_int(t, &f);
			break;
		case 2:
			width = thrift_int(t, &f);
			break;
		case 3:
			repetition = thrift_int(t, &f);
			break;
		case 4:
			el->name = thrift_binary(t, &f, &el->name_len);
			break;
		case 5:
			children = thrift_int(t, &f);
			break;
		case 6:
			if (!logical)
				set_converted(el, thrift_int(t, &f));
			else
				thrift_skip(t, &f);
			break;
		case 7:
			el->scale = thrift_int(t, &f);
			break;
		case 10:
			thrift_struct(t, &f);
			member = (struct thrift_field){0};
			while (thrift_next(t, &member)) {
				read_meaning(t, el, &member);
				logical = 1;
			}
			break;
		default:
			thrift_skip(t, &f);
		}
	}
	if (children > 0)
		type = PQ_GROUP;
	if (type < 0 || type > PQ_GROUP || repetition < 0 || repetition > PQ_REPEATED ||
		children < 0 || width < 0 || width > WIDTH_MAX || (type == PQ_FIXED && !width))
		return err_data(e, "the footer's schema makes no sense at '%.*s'",
			(int)(el->name_len < 200 ? el->name_len : 200), el->name);
	el->type = (enum pq_type)type;
	el->repetition = (enum pq_repetition)repetition;
	el->width = (size_t)width;
	el->children = (size_t)children;
	return 0;
}

static int read_schema(
	struct pq_meta *m, struct thrift *t, const struct thrift_field *f, struct err *e)
{
	size_t cap = 0;
	mem_free(m->elements);
	m->elements = NULL;
	m->nelements = m->ncolumns = 0;
	for (size_t n = thrift_list(t, f, THRIFT_STRUCT); n && !t->bad; n--) {
		mem_grow(&m->elements, &cap, m->nelements + 1, sizeof *m->elements);
		struct pq_element *el = &m->elements[m->nelements++];
		if (read_element(t, el, e) < 0)
			return -1;
		m->ncolumns += el->type != PQ_GROUP;
		if (m->ncolumns > COLUMNS_MAX)
			return err_data(e, "has more than %d columns", COLUMNS_MAX);
	}
	return 0;
}

/* ---- row groups ---- */

/* ColumnMetaData */
static void read_chunk(struct thrift *t, struct pq_chunk *c, const struct thrift_field *in)
{
	struct thrift_field f = {0};
	int64_t type = -1, codec = -1, values = -1, data = -1, dictionary = 0;
	thrift_struct(t, in);
	while (thrift_next(t, &f)) {
		if (f.id == 1)
			type = thrift_int(t, &f);
		else if (f.id == 4)
			codec = thrift_int(t, &f);
		else if (f.id == 5)
			values = thrift_int(t, &f);
		else if (f.id == 9)
			data = thrift_int(t, &f);
		else if (f.id == 11)
			dictionary = thrift_int(t, &f);
		else
			thrift_skip(t, &f);
	}
	/* Some writers say 0 for "no dictionary". */
	int64_t at = dictionary > 0 && dictionary < data ? dictionary : data;
	if (type < 0 || type >= PQ_GROUP || codec < 0 || codec > INT32_MAX || values < 0 ||
		(values && at < HEAD))
		t->bad = 1;
	*c = (struct pq_chunk){(enum pq_type)type, (int)codec, (uint64_t)values, (uint64_t)at};
}

/* ColumnChunk */
static int read_column(struct thrift *t, struct pq_chunk *c, struct err *e)
{
	struct thrift_field f = {0};
	int found = 0;
	while (thrift_next(t, &f)) {
		if (f.id == 1)
			return err_data(e, "its columns are in other files");
		if (f.id == 8 || f.id == 9)
			return err_data(e, "is encrypted");
		if (f.id == 3) {
			read_chunk(t, c, &f);
			found = 1;
		} else {
			thrift_skip(t, &f);
		}
	}
	t->bad |= !found;
	return 0;
}

/* RowGroup; chunks has room for m->ncolumns. */
static int read_group(const struct pq_meta *m, struct thrift *t, struct pq_chunk *chunks,
	uint64_t *rows, struct err *e)
{
	struct thrift_field f = {0};
	size_t n = 0;
	int64_t count = -1;
	while (thrift_next(t, &f)) {
		if (f.id == 1) {
			n = thrift_list(t, &f, THRIFT_STRUCT);
			if (n != m->ncolumns)
				break;
			for (size_t i = 0; i < n && !t->bad; i++)
				if (read_column(t, &chunks[i], e) < 0)
					return -1;
		} else if (f.id == 3) {
			count = thrift_int(t, &f);
		} else {
			thrift_skip(t, &f);
		}
	}
	for (size_t i = 0; i < n && n == m->ncolumns && !t->bad; i++)
		t->bad |= chunks[i].at >= m->pages_end && chunks[i].values;
	if (t->bad || n != m->ncolumns || count < 0)
		return err_data(e, "the footer is damaged: a row group makes no sense");
	*rows = (uint64_t)count;
	return 0;
}

int pq_meta_group(const struct pq_meta *m, size_t group, struct pq_chunk *chunks, uint64_t *rows,
	struct err *e)
{
	struct thrift t = {.p = m->groups[group], .end = m->footer + m->footer_len};
	return read_group(m, &t, chunks, rows, e);
}

/* Where they are, to be read one at a time. */
static void find_groups(struct pq_meta *m, struct thrift *t, const struct thrift_field *in)
{
	m->ngroups = 0;
	for (size_t n = thrift_list(t, in, THRIFT_STRUCT); n && !t->bad; n--) {
		struct thrift_field f = {.type = THRIFT_STRUCT};
		mem_grow(&m->groups, &m->cap, m->ngroups + 1, sizeof *m->groups);
		m->groups[m->ngroups++] = t->p;
		thrift_skip(t, &f);
	}
}

static int check_groups(const struct pq_meta *m, struct err *e)
{
	struct pq_chunk *chunks = mem_alloc(m->ncolumns, sizeof *chunks);
	uint64_t sum = 0, rows = 0;
	int rc = 0;
	for (size_t i = 0; i < m->ngroups && rc == 0; i++) {
		rc = pq_meta_group(m, i, chunks, &rows, e);
		if (rc == 0 && __builtin_add_overflow(sum, rows, &sum))
			rc = err_data(e, "the footer is damaged: too many rows");
	}
	mem_free(chunks);
	if (rc == 0 && sum != m->rows)
		return err_data(e, "the footer says %llu rows, its row groups %llu",
			(unsigned long long)m->rows, (unsigned long long)sum);
	return rc;
}

/* ---- the footer ---- */

static int parse(struct pq_meta *m, struct err *e)
{
	struct thrift t = {.p = m->footer, .end = m->footer + m->footer_len};
	struct thrift_field f = {0};
	int64_t rows = -1;
	while (thrift_next(&t, &f)) {
		switch (f.id) {
		case 2:
			if (read_schema(m, &t, &f, e) < 0)
				return -1;
			break;
		case 3:
			rows = thrift_int(&t, &f);
			break;
		case 4:
			find_groups(m, &t, &f);
			break;
		case 8:
			return err_data(e, "is encrypted");
		default:
			thrift_skip(&t, &f);
		}
	}
	if (t.bad || rows < 0)
		return err_data(e, "the footer is damaged");
	m->rows = (uint64_t)rows;
	if (!m->ncolumns && rows)
		return err_data(e, "has rows, but no columns");
	return check_groups(m, e);
}

static uint32_t load32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

int pq_meta_read(struct pq_meta *m, const struct pq_file *f, struct err *e)
{
	uint8_t tail[TAIL];
	*m = (struct pq_meta){0};
	if (f->size < HEAD + TAIL)
		return err_data(e, "is too short for a Parquet file: truncated");
	if (pq_file_read(f, f->size - TAIL, tail, TAIL, e) < 0)
		return -1;
	if (!memcmp(tail + 4, "PARE", 4))
		return err_data(e, "is encrypted");
	if (memcmp(tail + 4, "PAR1", 4))
		return err_data(e, "does not end as a Parquet file does: truncated");
	uint32_t len = load32(tail);
	if (len > f->size - HEAD - TAIL)
		return err_data(
			e, "the footer is damaged: %u bytes of it are more than there are", len);
	if (len > FOOTER_MAX)
		return err_data(e, "the footer is longer than %d bytes", FOOTER_MAX);
	m->footer_len = len;
	m->pages_end = f->size - TAIL - len;
	m->footer = mem_alloc(len, 1);
	if (pq_file_read(f, m->pages_end, m->footer, len, e) == 0 && parse(m, e) == 0)
		return 0;
	pq_meta_done(m);
	return -1;
}

void pq_meta_done(struct pq_meta *m)
{
	mem_free(m->footer);
	mem_free(m->elements);
	mem_free(m->groups);
	*m = (struct pq_meta){0};
}
