/*
 * The stream (docs/stream.md): msgpack maps; a header, records, a trailer with count and CRC-32.
 * Streams may follow each other. gzip is transparent on input. Where a stream is expected JSON
 * lines are accepted too (a stream cannot begin with '{'): ids are number arrays, no fingerprint is
 * asked.
 */
#ifndef COMMON_STREAM_H
#define COMMON_STREAM_H

#include "common/err.h"
#include "common/record.h"

extern const char *const stream_kind_name[KIND_COUNT];

enum { STREAM_VERSION = 1, STREAM_BAD = -2 };

/* One stage of a stream's past. */
struct stage {
	char *program, *version;
	char *options; /* those that change results: "max-length=1024 truncation-mode=keep_start" */
	char *input;   /* fingerprint of what the stage read beside its data (model, template file),
			  or "" */
};

struct header {
	enum stream_kind kind;
	char *name; /* of the input it was read from; NULL: made here */
	/* Fingerprints; NULL where they do not matter. */
	char *tokenizer, *templ, *model, *reference;
	struct stage *history;
	size_t nhistory;
	int json; /* the input is JSON lines: nothing is known about its making */
};
void header_copy(struct header *dst, const struct header *src);
void header_done(struct header *h);
/* Appends it as one JSON object. */
void header_to_json(struct str *out, const struct header *h);
/* With this program's version. options: opts_history's; not those that only choose rows (--shard).
 */
void header_add_stage(
	struct header *h, const char *program, const char *options, const char *input);

/* ---- reading ---- */

struct stream_reader;

/*
 * Reads the operands one after the other (n == 0: standard input). Accepts the kinds in `kinds`
 * (1 << KIND_…). Opens the first and reads its header at once; later headers must agree (kind,
 * fingerprints, options that change results) or the read fails. shard_i/shard_n: only records
 * shard_i, shard_i + shard_n, … (1-based).
 */
int stream_open(struct stream_reader **r, char *const *paths, size_t n, unsigned kinds,
	uint64_t shard_i, uint64_t shard_n, struct err *e);
const struct header *stream_header(const struct stream_reader *r);
/* 0 when b's records may be mixed with a's, as if one followed the other. */
int stream_agree(const struct stream_reader *a, const struct stream_reader *b, struct err *e);
/* --ignore-mismatch: later headers need only be of the same kind. */
void stream_ignore_mismatch(struct stream_reader *r);
/* fn(arg) is called when the next read would wait for data: write and flush what is done. */
void stream_on_pause(struct stream_reader *r, void (*fn)(void *arg), void *arg);
/* 1 a record, 0 the end (the trailer was there and right), -1 an error: "file:record: …". A missing
 * trailer is "truncated after record N", status 1. STREAM_BAD: this record cannot be used and *e
 * says why, but the next can be read (a line of JSON); rec holds `_source` then. Values in rec
 * point into the reader's buffer until the next call. */
int stream_read(struct stream_reader *r, struct record *rec, struct err *e);
/* Records that trailers say earlier stages skipped. Of --shard I/N with I > 1 always 0: so that the
 * sum over the shards is right. */
uint64_t stream_skipped(const struct stream_reader *r);
void stream_close(struct stream_reader *r);

/* ---- writing ---- */

struct stream_writer;

/* path NULL: standard output (not a terminal). The header is passed on at once. */
int stream_create(struct stream_writer **w, const char *path, int gzip, const struct header *h,
	struct err *e);
int stream_write(struct stream_writer *w, const struct record *rec, struct err *e);
/* So that the next stage gets what there is: called when the input pauses. */
int stream_flush(struct stream_writer *w, struct err *e);
/* Trailer, flush, commit; frees w in any case. */
int stream_finish(struct stream_writer *w, uint64_t skipped, struct err *e);
/* No trailer: the next stage sees a truncated stream; a file is removed. */
void stream_abandon(struct stream_writer *w);

/* Two fingerprints that must agree; NULL or a JSON-lines input agrees with all. what: "tokenizer" …
 */
int stream_check(const struct header *h, const char *what, const char *theirs, const char *ours,
	int ignore_mismatch, struct err *e);

/* ---- bad records ---- */

/* --skip-bad, --rejects: what a filter does with a record that cannot be used. As part of a
 * filter's main loop this reports on standard error. */
struct rejects {
	int skip;
	struct stream_writer *w;
	uint64_t count;
};
int rejects_open(
	struct rejects *r, int skip_bad, const char *path, const struct header *h, struct err *e);
/* *e says what is wrong with rec. 0: counted (reported, kept with `_reason` when there is a file),
 * go on; -1: the stage must stop, because it was not asked to skip or because *e is no fault of
 * data. */
int rejects_add(struct rejects *r, const struct record *rec, struct err *e);
/* Says how many there were; completes the file. */
int rejects_close(struct rejects *r, struct err *e);
void rejects_abandon(struct rejects *r); /* the stage failed: no file */

#endif
