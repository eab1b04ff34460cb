/*
 * Reading streams, and JSON lines in their place. A record is found in the input's buffer by
 * mp_scan and its fields are views into it. What is checked: every length, the depth, that keys are
 * distinct strings, and at the trailer the count and the CRC of all bytes since the header began.
 */
#include "common/stream_int.h"

#include "common/io.h"
#include "common/json.h"
#include "common/jsonl.h"
#include "common/mp.h"
#include "kernels/crc.h"

#include <stdio.h>
#include <string.h>

struct stream_reader {
	char **paths;
	size_t npaths, next; /* next: the path to open after this one */
	unsigned kinds;
	uint64_t shard_i, shard_n;
	int ignore_mismatch;
	void (*pause)(void *arg);
	void *pause_arg;

	struct header header; /* of the first input; the others agree with it */
	uint64_t index;	      /* records of all inputs so far */
	uint64_t skipped;

	struct input *in; /* NULL: between files */
	int json, in_stream;
	uint64_t number;  /* record in this file, or line; for messages */
	uint64_t records; /* since the header */
	uint32_t crc;
	struct jsonl lines;
	struct str first; /* JSON: the first value, read at the opening to know the kind */
	int have_first;
};

static const char *name(const struct stream_reader *r)
{
	return input_name(r->in);
}

/* ---- one msgpack value in the buffer ---- */

/* 1 a whole value at *p of *n bytes (not consumed), 0 the input ends here, -1. Ending within a
 * value is told by -1 with *cut set. */
static int peek_value(
	struct stream_reader *r, const uint8_t **p, size_t *n, int *cut, struct err *e)
{
	struct mp_scan s = {.size = 1};
	*cut = 0;
	for (;;) {
		long have = input_peek(r->in, s.size, p, e);
		if (have < 0)
			return -1;
		if (!have)
			return 0;
		if ((size_t)have < s.size) {
			*cut = 1;
			return -1;
		}
		enum mp_result got = mp_scan(&s, *p, (size_t)have, e);
		if (got == MP_BAD)
			return err_prefix(e, "%s:%llu", name(r), (unsigned long long)r->number + 1);
		if (got == MP_DONE) {
			*n = s.size;
			return 1;
		}
	}
}

/* Whether the map at p begins with the key of headers and trailers. */
static int is_frame(const uint8_t *p, size_t n)
{
	struct mp c = {p, p + n};
	struct mp_value v;
	return !mp_next(&c, &v) && v.type == MP_MAP && v.len && !mp_next(&c, &v) &&
	       v.type == MP_STR && v.len == strlen(STREAM_KEY) && !memcmp(v.p, STREAM_KEY, v.len);
}

static int truncated(const struct stream_reader *r, struct err *e)
{
	return err_data(e,
		"%s: truncated after record %llu: the stage before it did not finish, or the file "
		"is cut",
		name(r), (unsigned long long)r->number);
}

/* ---- opening ---- */

static int check_kind(struct stream_reader *r, enum stream_kind kind, struct err *e)
{
	static const char *const maker[KIND_COUNT] = {"tmpl", "tok", "train-step", "quant"};
	if (r->kinds & 1u << kind)
		return 0;
	int wanted = 0;
	while (!(r->kinds & 1u << wanted))
		wanted++;
	return err_data(e, "%s: holds '%s' records where '%s' are wanted ('%s' makes them)",
		name(r), stream_kind_name[kind], stream_kind_name[wanted], maker[wanted]);
}

/* Takes h (and frees it) as the first header, or checks that it agrees with the first. */
static int accept_header(struct stream_reader *r, struct header *h, struct err *e)
{
	int bad = check_kind(r, h->kind, e);
	if (!bad && !r->header.name) {
		r->header = *h;
		r->header.name = mem_strdup(name(r));
		return 0;
	}
	if (!bad && header_agree(&r->header, h, r->ignore_mismatch, e))
		bad = err_prefix(e, "%s", name(r));
	header_done(h);
	return bad;
}

/* JSON lines have no header; the first field that belongs to one kind tells. */
static enum stream_kind guess_kind(const struct stream_reader *r)
{
	struct err e;
	json_t *object = r->have_first ? json_read_bytes(r->first.s, r->first.len, &e) : NULL, *v;
	const char *key;
	unsigned kinds = r->kinds;
	json_object_foreach(object, key, v)
	{
		const struct field_info *f = field_find(key, strlen(key));
		if (f && f->kinds && !(f->kinds & (f->kinds - 1))) {
			kinds = f->kinds;
			break;
		}
	}
	json_decref(object);
	int kind = 0;
	while (!(kinds & 1u << kind))
		kind++;
	return (enum stream_kind)kind;
}

static int open_json(struct stream_reader *r, struct err *e)
{
	const char *line;
	size_t len;
	struct header h = {.json = 1};
	const uint8_t *p;
	r->json = 1;
	if (input_peek(r->in, 3, &p, e) >= 3 && !memcmp(p, "\xef\xbb\xbf", 3))
		input_skip(r->in, 3);
	r->lines = (struct jsonl){.in = r->in, .limit = MP_MAX_SIZE};
	r->have_first = jsonl_next(&r->lines, &line, &len, e);
	if (r->have_first < 0)
		return err_prefix(e, "%s:1", name(r));
	str_reset(&r->first);
	if (r->have_first)
		str_add(&r->first, line, len);
	h.kind = guess_kind(r);
	return accept_header(r, &h, e);
}

/* At the beginning of a file or behind a trailer. 1 a header was read, 0 the input ends, -1. */
static int begin_stream(struct stream_reader *r, struct err *e)
{
	const uint8_t *p;
	size_t n;
	int cut;
	struct header h;
	int got = peek_value(r, &p, &n, &cut, e);
	if (got < 0 && cut)
		return err_data(e, "%s: truncated in the header", name(r));
	if (got <= 0)
		return got;
	if (header_unpack(&h, p, n, e))
		return err_prefix(e, "%s", name(r));
	r->crc = crc_update(0, p, n);
	r->records = 0;
	r->in_stream = 1;
	input_skip(r->in, n);
	return accept_header(r, &h, e) ? -1 : 1;
}

static int open_next(struct stream_reader *r, struct err *e)
{
	const uint8_t *p;
	if (input_open(&r->in, r->paths[r->next], 1, e))
		return -1;
	r->next++;
	input_on_pause(r->in, r->pause, r->pause_arg);
	r->number = 0;
	r->json = r->in_stream = 0;
	long have = input_peek(r->in, 1, &p, e);
	if (have < 0)
		return -1;
	if (!have)
		return err_data(e,
			"%s: empty, not even a header: the stage before it did not begin", name(r));
	/* No msgpack map begins with these: '{', blanks, a byte order mark. */
	if (strchr("{ \t\r\n\xef", *p) && *p)
		return open_json(r, e);
	return begin_stream(r, e) == 1 ? 0 : -1;
}

static void close_input(struct stream_reader *r)
{
	input_close(r->in);
	r->in = NULL;
	jsonl_done(&r->lines);
}

int stream_open(struct stream_reader **out, char *const *paths, size_t n, unsigned kinds,
	uint64_t shard_i, uint64_t shard_n, struct err *e)
{
	struct stream_reader *r = mem_zalloc(1, sizeof *r);
	r->npaths = n ? n : 1;
	r->paths = mem_zalloc(r->npaths, sizeof *r->paths);
	for (size_t i = 0; i < r->npaths; i++)
		r->paths[i] = mem_strdup(n ? paths[i] : "-");
	for (size_t i = 0; i < n; i++)
		io_note_input(
			paths[i]); /* now, for an output that is opened before the last of them */
	r->kinds = kinds;
	r->shard_i = shard_i;
	r->shard_n = shard_n;
	if (open_next(r, e)) {
		stream_close(r);
		return -1;
	}
	*out = r;
	return 0;
}

void stream_close(struct stream_reader *r)
{
	if (!r)
		return;
	close_input(r);
	header_done(&r->header);
	str_done(&r->first);
	for (size_t i = 0; i < r->npaths; i++)
		mem_free(r->paths[i]);
	mem_free(r->paths);
	mem_free(r);
}

const struct header *stream_header(const struct stream_reader *r)
{
	return &r->header;
}

int stream_agree(const struct stream_reader *a, const struct stream_reader *b, struct err *e)
{
	if (header_agree(&a->header, &b->header, 0, e))
		return err_prefix(e, "%s", b->header.name);
	return 0;
}

void stream_ignore_mismatch(struct stream_reader *r)
{
	r->ignore_mismatch = 1;
}

void stream_on_pause(struct stream_reader *r, void (*fn)(void *arg), void *arg)
{
	r->pause = fn;
	r->pause_arg = arg;
	if (r->in)
		input_on_pause(r->in, fn, arg);
}

uint64_t stream_skipped(const struct stream_reader *r)
{
	return r->shard_i == 1 ? r->skipped : 0;
}

/* ---- records ---- */

/* Whether the record after the `index` seen so far is ours. */
static int in_shard(const struct stream_reader *r)
{
	return r->index % r->shard_n == r->shard_i - 1;
}

static void set_where(const struct stream_reader *r, struct record *rec)
{
	char number[32];
	size_t room = sizeof rec->where - (size_t)snprintf(number, sizeof number, ":%llu",
						  (unsigned long long)r->number);
	/* Of a long path the end says more. */
	const char *path = name(r);
	size_t len = strlen(path);
	snprintf(rec->where, sizeof rec->where, "%s%s", len < room ? path : path + len - room + 1,
		number);
}

/* On standard input the place in the pipe tells a person nothing; where the row came from does. */
static void set_where_source(const struct stream_reader *r, struct record *rec)
{
	const char *s;
	size_t len;
	struct err ignored;
	set_where(r, rec);
	if (!strcmp(name(r), "-") && record_str(rec, "_source", &s, &len, &ignored) > 0 && len &&
		len < sizeof rec->where) {
		memcpy(rec->where, s, len);
		rec->where[len] = 0;
	}
}

static int check_trailer(struct stream_reader *r, const uint8_t *p, size_t n, struct err *e)
{
	static const char *const names[] = {"records", "skipped", "crc32"};
	uint64_t got[3] = {0};
	int seen = 0;
	struct mp c = {p, p + n};
	struct mp_value map, v;
	if (mp_next(&c, &map) || mp_skip(&c) || mp_skip(&c))
		return err_data(e, "%s: bad trailer", name(r));
	for (size_t i = 1; i < map.len; i++) {
		struct mp_value key;
		if (mp_next(&c, &key))
			break;
		size_t k = 0;
		while (k < 3 && (key.type != MP_STR || key.len != strlen(names[k]) ||
					memcmp(key.p, names[k], key.len)))
			k++;
		if (k == 3) {
			if (mp_skip(&c))
				break;
		} else if (mp_next(&c, &v) || v.type != MP_INT || v.i < 0) {
			return err_data(e, "%s: bad trailer: '%s' is no count", name(r), names[k]);
		} else {
			got[k] = (uint64_t)v.i;
			seen |= 1 << k;
		}
	}
	if (seen != 7)
		return err_data(
			e, "%s: bad trailer: 'records', 'skipped' or 'crc32' is missing", name(r));
	if (got[0] != r->records)
		return err_data(e, "%s: damaged: %llu records, but the trailer counts %llu",
			name(r), (unsigned long long)r->records, (unsigned long long)got[0]);
	if (got[2] != r->crc)
		return err_data(e,
			"%s: damaged: the CRC-32 of the stream is %08x, but the trailer says "
			"%08llx",
			name(r), (unsigned)r->crc, (unsigned long long)got[2]);
	r->skipped += got[1];
	return 0;
}

/* Behind a trailer: another stream, or the end of this file. */
static int end_stream(struct stream_reader *r, const uint8_t *p, size_t n, struct err *e)
{
	struct mp c = {p, p + n};
	struct mp_value v;
	if (mp_next(&c, &v) || mp_next(&c, &v) || mp_next(&c, &v))
		return err_data(e, "%s: bad trailer", name(r));
	if (v.type != MP_STR || v.len != 3 || memcmp(v.p, "end", 3) != 0)
		return truncated(r, e); /* a header where the trailer should be */
	if (check_trailer(r, p, n, e))
		return -1;
	input_skip(r->in, n);
	r->in_stream = 0;
	if (input_boundary(r->in, e))
		return -1;
	int more = begin_stream(r, e);
	if (!more)
		close_input(r);
	return more < 0 ? -1 : 0;
}

/* 1 a record, 0 look again, -1. */
static int read_msgpack(struct stream_reader *r, struct record *rec, struct err *e)
{
	const uint8_t *p;
	size_t n;
	int cut, got = peek_value(r, &p, &n, &cut, e);
	if (!got || cut)
		return truncated(r, e);
	if (got < 0)
		return -1;
	if (is_frame(p, n))
		return end_stream(r, p, n, e);
	r->number++;
	r->records++;
	r->crc = crc_update(r->crc, p, n);
	int ours = in_shard(r);
	r->index++;
	input_skip(r->in, n);
	if (!ours)
		return 0;
	set_where(r, rec);
	if (record_parse(rec, p, n, e))
		return err_prefix(e, "%s", rec->where);
	set_where_source(r, rec);
	return 1;
}

/* 1 a record, 0 look again, -1, STREAM_BAD. */
static int read_json(struct stream_reader *r, struct record *rec, struct err *e)
{
	const char *text = r->first.s;
	size_t len = r->first.len;
	int got = r->have_first ? 1 : jsonl_next(&r->lines, &text, &len, e);
	r->have_first = 0;
	r->number = r->lines.line;
	set_where(r, rec);
	if (got < 0)
		return err_prefix(e, "%s", rec->where);
	if (!got) {
		close_input(r);
		return 0;
	}
	int ours = in_shard(r);
	r->index++;
	if (!ours)
		return 0;
	json_t *object = json_read_bytes(text, len, e);
	int bad = !object || record_from_json(rec, object, e);
	json_decref(object);
	if (bad) {
		rec->n = 0;
		err_prefix(e, "%s", rec->where);
	}
	if (!record_get(rec, "_source"))
		record_set_str(rec, "_source", rec->where, strlen(rec->where));
	set_where_source(r, rec);
	return bad ? STREAM_BAD : 1;
}

int stream_read(struct stream_reader *r, struct record *rec, struct err *e)
{
	int got = 0;
	while (!got) {
		record_reset(rec);
		if (!r->in && r->next == r->npaths)
			return 0;
		if (!r->in && open_next(r, e))
			return -1;
		got = r->json ? read_json(r, rec, e) : read_msgpack(r, rec, e);
	}
	return got;
}
