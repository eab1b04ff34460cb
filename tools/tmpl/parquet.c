#include "tools/tmpl/parquet.h"

#include "common/stream.h"
#include "tools/tmpl/parquet_column.h"
#include "tools/tmpl/parquet_print.h"

#include <string.h>

enum { ROW_MAX = 256 << 20 }; /* bytes of one row's text */

struct parquet {
	struct pq_source source;
	struct pq_meta meta;
	struct pq_schema schema;
	struct pq_column *columns;
	pq_print **print;	 /* one a column */
	struct pq_chunk *chunks; /* of the present row group */
	size_t group;		 /* the next row group */
	uint64_t rows_left;	 /* of the present one */
	struct str *row;
	struct err why; /* the last value without a text, */
	struct err bad; /* and the first one of the present row */
	struct err *e;
};

/* ---- one row ---- */

/* Columns that do not agree on where lists end, or on what is null. */
static int disagree(const struct parquet *p, size_t column)
{
	return err_data(p->e, "column '%s': its levels do not fit those of its neighbours",
		p->schema.leaves[column].path);
}

/* What is not there takes an entry in each of its columns. */
static int pass(struct parquet *p, const struct pq_node *node, int low, int high)
{
	for (size_t i = node->first; i < node->end; i++) {
		struct pq_column *c = &p->columns[i];
		if (c->def < low || c->def >= high)
			return disagree(p, i);
		if (pq_column_next(c, p->e) < 0)
			return -1;
	}
	return 0;
}

static int put_value(struct parquet *p, size_t column)
{
	struct pq_column *c = &p->columns[column];
	const struct pq_leaf *leaf = c->leaf;
	struct pq_value v;
	if (c->def < leaf->max_def) {
		str_add(p->row, "null", 4);
	} else {
		if (pq_column_value(c, &v, p->e) < 0)
			return -1;
		if (p->print[column](p->row, leaf->element, &v, &p->why) < 0 && !p->bad.status) {
			p->bad = p->why;
			err_prefix(&p->bad, "column '%s'", leaf->path);
		}
	}
	return pq_column_next(c, p->e);
}

static int put(struct parquet *p, const struct pq_node *node, int present);

static int put_members(struct parquet *p, const struct pq_node *node, char open, char close)
{
	str_addc(p->row, open);
	for (size_t i = 0; i < node->nchildren; i++) {
		if (i)
			str_addc(p->row, ',');
		if (node->shape == PQ_STRUCT)
			str_add(p->row, node->child[i].key, node->child[i].key_len);
		if (put(p, &node->child[i], node->def) < 0)
			return -1;
	}
	str_addc(p->row, close);
	return 0;
}

static int put_items(struct parquet *p, const struct pq_node *node)
{
	const struct pq_column *first = &p->columns[node->first];
	str_addc(p->row, '[');
	for (int more = 1; more;) {
		if (put(p, node->child, node->item_def) < 0)
			return -1;
		more = first->rep == node->rep;
		for (size_t i = node->first + 1; i < node->end; i++)
			if ((p->columns[i].rep == node->rep) != more)
				return disagree(p, i);
		if (more)
			str_addc(p->row, ',');
	}
	str_addc(p->row, ']');
	return 0;
}

/* A node whose parent is there, which the definition level `present` says: that of its columns is no
 * lower. */
static int put(struct parquet *p, const struct pq_node *node, int present)
{
	int def = p->columns[node->first].def;
	if (p->row->len > ROW_MAX)
		return err_data(p->e, "the row is longer than %d bytes", ROW_MAX);
	if (def < present)
		return disagree(p, node->first);
	if (node->shape == PQ_VALUE)
		return put_value(p, node->first);
	if (def < node->def) {
		str_add(p->row, "null", 4);
		return pass(p, node, present, node->def);
	}
	if (node->shape == PQ_LIST && def < node->item_def) {
		str_add(p->row, "[]", 2);
		return pass(p, node, node->def, node->item_def);
	}
	if (node->shape == PQ_LIST)
		return put_items(p, node);
	return node->shape == PQ_PAIR ? put_members(p, node, '[', ']')
				      : put_members(p, node, '{', '}');
}

/* ---- row groups ---- */

/* All columns are where a row begins, or where the row group ends. */
static int check_columns(const struct parquet *p, int ended)
{
	for (size_t i = 0; i < p->meta.ncolumns; i++) {
		const struct pq_column *c = &p->columns[i];
		if (c->rep)
			return err_data(
				p->e, "column '%s': a row begins within a list", c->leaf->path);
		if (c->ended != ended)
			return err_data(p->e, "column '%s': has %s rows than its row group",
				c->leaf->path, ended ? "more" : "fewer");
	}
	return 0;
}

/* 1, or 0: there is none. */
static int next_group(struct parquet *p)
{
	while (!p->rows_left) {
		if (p->group == p->meta.ngroups)
			return 0;
		if (pq_meta_group(&p->meta, p->group++, p->chunks, &p->rows_left, p->e) < 0)
			return -1;
		for (size_t i = 0; i < p->meta.ncolumns; i++)
			if (pq_column_begin(&p->columns[i], &p->chunks[i], p->e) < 0)
				return -1;
		if (!p->rows_left && check_columns(p, 1) < 0)
			return -1;
	}
	return 1;
}

int parquet_next(struct parquet *p, struct str *row, struct err *e)
{
	p->row = row;
	p->e = e;
	p->bad.status = 0;
	str_reset(row);
	int got = next_group(p);
	if (got <= 0)
		return got;
	if (check_columns(p, 0) < 0 || put(p, &p->schema.root, 0) < 0)
		return -1;
	if (--p->rows_left == 0 && check_columns(p, 1) < 0)
		return -1;
	if (!p->bad.status)
		return 1;
	*e = p->bad;
	return STREAM_BAD;
}

/* ---- the file ---- */

int parquet_is(const uint8_t *magic)
{
	return !memcmp(magic, "PAR1", 4) || !memcmp(magic, "PARE", 4);
}

static int open_columns(struct parquet *p, struct err *e)
{
	size_t n = p->meta.ncolumns;
	p->chunks = mem_zalloc(n, sizeof *p->chunks);
	p->print = mem_zalloc(n, sizeof *p->print);
	p->columns = mem_zalloc(n, sizeof *p->columns);
	for (size_t i = 0; i < n; i++) {
		const struct pq_leaf *leaf = &p->schema.leaves[i];
		pq_column_init(&p->columns[i], leaf, &p->source);
		p->print[i] = pq_printer(leaf->element, e);
		if (!p->print[i])
			return err_prefix(e, "column '%s'", leaf->path);
	}
	return 0;
}

int parquet_open(struct parquet **out, struct input *in, struct err *e)
{
	struct parquet *p = mem_zalloc(1, sizeof *p);
	if (pq_file_open(&p->source.file, in, e) == 0 &&
		pq_meta_read(&p->meta, &p->source.file, e) == 0 &&
		pq_schema_make(&p->schema, &p->meta, e) == 0 && open_columns(p, e) == 0) {
		p->source.pages_end = p->meta.pages_end;
		*out = p;
		return 0;
	}
	parquet_close(p);
	return -1;
}

void parquet_close(struct parquet *p)
{
	if (!p)
		return;
	for (size_t i = 0; p->columns && i < p->meta.ncolumns; i++)
		if (p->columns[i].source)
			pq_column_done(&p->columns[i]);
	mem_free(p->columns);
	mem_free(p->print);
	mem_free(p->chunks);
	pq_buffer_done(&p->source.raw, &p->source.room);
	pq_schema_done(&p->schema);
	pq_meta_done(&p->meta);
	pq_file_close(&p->source.file);
	mem_free(p);
}
