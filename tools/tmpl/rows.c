#include "tools/tmpl/rows.h"

#include "common/io.h"
#include "common/jsonl.h"
#include "common/mem.h"
#include "common/scan.h"
#include "common/stream.h"
#include "tools/tmpl/parquet.h"

#include <stdio.h>
#include <string.h>

enum { ROW_MAX = 256 << 20 }; /* bytes of one row */

struct rows {
	char *const *paths;
	size_t n, at;
	struct input *in; /* open, or NULL: between two files */
	int array;
	struct parquet *parquet; /* or NULL */
	uint64_t element;	 /* of the array or the Parquet file, from 1 */
	int closed;		 /* the array has ended */
	struct jsonl lines;
	struct str text;
	void (*pause)(void *arg);
	void *pause_arg;
};

static char *const standard_input[] = {(char[]){"-"}};

struct rows *rows_new(char *const *paths, size_t n)
{
	struct rows *r = mem_zalloc(1, sizeof *r);
	r->paths = n ? paths : standard_input;
	r->n = n ? n : 1;
	return r;
}

static void close_file(struct rows *r)
{
	input_close(r->in);
	jsonl_done(&r->lines);
	parquet_close(r->parquet);
	r->parquet = NULL;
	r->in = NULL;
}

void rows_free(struct rows *r)
{
	if (!r)
		return;
	if (r->in)
		close_file(r);
	str_done(&r->text);
	mem_free(r);
}

void rows_on_pause(void *rows, void (*fn)(void *arg), void *arg)
{
	struct rows *r = rows;
	r->pause = fn;
	r->pause_arg = arg;
	if (r->in)
		input_on_pause(r->in, fn, arg);
}

/* The next byte that is no blank, not consumed; 0 at the end, -1. */
static int peek_byte(struct rows *r, struct err *e)
{
	const uint8_t *p;
	for (;;) {
		long n = input_peek(r->in, 1, &p, e);
		if (n <= 0)
			return (int)n;
		if (*p != ' ' && *p != '\t' && *p != '\n' && *p != '\r')
			return *p;
		input_skip(r->in, 1);
	}
}

/* What kind of file this is, by how it begins. */
static int open_file(struct rows *r, struct err *e)
{
	const uint8_t *p;
	if (input_open(&r->in, r->paths[r->at], 0, e) < 0)
		return -1;
	input_on_pause(r->in, r->pause, r->pause_arg);
	r->array = r->closed = 0;
	r->element = 0;
	r->lines = (struct jsonl){.in = r->in, .limit = ROW_MAX};
	long n = input_peek(r->in, 4, &p, e);
	if (n < 0)
		return -1;
	if (n >= 3 && !memcmp(p, "\xef\xbb\xbf", 3))
		input_skip(r->in, 3);
	if (n >= 4 && parquet_is(p))
		return parquet_open(&r->parquet, r->in, e) < 0
			       ? err_prefix(e, "%s", r->paths[r->at])
			       : 0;
	if (n > 0 && (*p == 0x81 || *p == 0x82 || (*p & 0xf0) == 0x80))
		return err_data(e,
			"%s: is a sluice stream, not JSON: tmpl comes first in a pipeline",
			r->paths[r->at]);
	/* Blanks before an array may go; before lines they count as lines. */
	for (size_t i = 0; n > 0; i++) {
		n = input_peek(r->in, i + 1, &p, e);
		if (n < 0)
			return -1;
		if ((size_t)n <= i || !strchr(" \t\r\n", p[i])) {
			r->array = (size_t)n > i && p[i] == '[';
			if (r->array)
				input_skip(r->in, i + 1);
			break;
		}
	}
	return 0;
}

/* One element's bytes into r->text. */
static int read_element(struct rows *r, struct err *e)
{
	struct scan_nesting nest = {0};
	str_reset(&r->text);
	for (;;) {
		const uint8_t *p;
		long n = input_peek(r->in, 1, &p, e);
		if (n < 0)
			return -1;
		if (n == 0)
			return err_data(e, "the array is not closed: truncated after element %llu",
				(unsigned long long)r->element);
		size_t used = scan_value(&nest, (const char *)p, (size_t)n);
		if (r->text.len + used > ROW_MAX)
			return err_data(e, "element %llu is longer than %d bytes",
				(unsigned long long)r->element + 1, ROW_MAX);
		str_add(&r->text, p, used);
		input_skip(r->in, used);
		if (used < (size_t)n)
			return 0;
	}
}

/* 1 an element in r->text, 0 the array's end. */
static int next_element(struct rows *r, struct err *e)
{
	int c = r->closed ? 0 : peek_byte(r, e);
	if (c < 0)
		return -1;
	if (!r->closed && c == ']' && r->element == 0) {
		input_skip(r->in, 1);
		r->closed = 1;
	}
	if (r->closed) {
		c = peek_byte(r, e);
		return c <= 0 ? c : err_data(e, "something follows the array");
	}
	if (read_element(r, e) < 0)
		return -1;
	r->element++;
	c = peek_byte(r, e);
	if (c < 0)
		return -1;
	if (c == '}')
		return err_data(e, "element %llu is followed by a bracket that nothing opened",
			(unsigned long long)r->element);
	r->closed = c == ']';
	input_skip(r->in, 1);
	return 1;
}

/* As parquet_next. */
static int next_row(struct rows *r, const char **text, size_t *len, uint64_t *number, struct err *e)
{
	int got;
	if (!r->array && !r->parquet) {
		got = jsonl_next(&r->lines, text, len, e);
		*number = r->lines.line;
		return got;
	}
	if (r->parquet) {
		r->element++;
		got = parquet_next(r->parquet, &r->text, e);
	} else {
		got = next_element(r, e);
	}
	*text = r->text.s;
	*len = r->text.len;
	*number = r->element;
	return got;
}

int rows_next(void *rows, struct record *rec, struct err *e)
{
	struct rows *r = rows;
	record_reset(rec);
	for (; r->at < r->n; r->at++) {
		const char *text;
		size_t len;
		uint64_t number = 0;
		if (!r->in && open_file(r, e) < 0)
			return -1;
		int got = next_row(r, &text, &len, &number, e);
		if (got == 0) {
			close_file(r);
			continue;
		}
		snprintf(rec->where, sizeof rec->where, "%s:%llu", input_name(r->in),
			(unsigned long long)number);
		if (got == -1)
			return err_prefix(e, "%s", r->parquet ? rec->where : input_name(r->in));
		record_set_str(rec, "_source", rec->where, strlen(rec->where));
		if (got == STREAM_BAD)
			err_prefix(e, "%s", rec->where);
		else
			record_set_str(rec, ROW_FIELD, text, len);
		return got;
	}
	return 0;
}
