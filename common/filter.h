/*
 * The loop that record filters share: read, process on -j threads, write in the input's order, keep
 * or stop at bad records, report progress. As the body of main() it speaks on standard error.
 *
 *	struct filter f = {.next = …, .source = …, .each = …, .user = …, .out = w, …};
 *	if (filter_run(&f, &e))
 *		die_err(&e);
 *
 * The output does not depend on the number of threads: records are written in the order they came,
 * and the first bad one in that order is the one that stops the stage, after all before it.
 */
#ifndef COMMON_FILTER_H
#define COMMON_FILTER_H

#include "common/stream.h"

struct filter_out;

struct filter {
	/* The source: `next` as stream_read (1, 0, -1, STREAM_BAD; it resets rec and sets
	 * rec->where), the other two (may be NULL) as stream_on_pause and stream_skipped. All
	 * called on the thread of filter_run. filter_from_stream fills these four in. */
	int (*next)(void *source, struct record *rec, struct err *e);
	void (*on_pause)(void *source, void (*fn)(void *arg), void *arg);
	uint64_t (*skipped)(const void *source);
	void *source;
	/* Take only every shard_n-th record of the source, from shard_i (0/0: all, as when the
	 * stream was opened with its shard). */
	uint64_t shard_i, shard_n;

	/*
	 * One record, on any thread; worker is 0 … threads-1, for scratch memory. Emits what comes
	 * of it (filter_pass, filter_new; nothing is allowed too). 0, or -1 with *e: STATUS_DATA is
	 * a bad record, what it emitted is dropped, and rec goes to the rejects as `each` left it;
	 * any other status stops the stage. "file:record: " is put in front.
	 */
	int (*each)(
		void *user, int worker, struct record *rec, struct filter_out *out, struct err *e);
	void *user;
	int threads; /* --threads; 0: the CPUs this process may use (see filter_threads) */

	struct stream_writer *out; /* finished or abandoned by filter_run */
	struct rejects *rejects;   /* closed or abandoned by filter_run */

	/* Set by filter_run. */
	uint64_t read, written;
	double began;
};

void filter_from_stream(struct filter *f, struct stream_reader *r);
/* Opens where the records go, as the common options say (-o, -z, --skip-bad, --rejects). h: the output's
 * header; bad: that of the rejects, which hold records as they came in. *rejects is the caller's. */
int filter_open(struct filter *f, struct rejects *rejects, const struct header *h,
	const struct header *bad, struct err *e);
int filter_threads(const struct filter *f);

/* For `each`: rec itself goes out (it is taken over: do not use it afterwards) … */
void filter_pass(struct filter_out *out, struct record *rec);
/* … or an empty record to fill. Valid until the next filter_new of the same call. */
struct record *filter_new(struct filter_out *out);

/* Runs to the end: trailer, commit, what was skipped. After an error whole records are on standard
 * output, without a trailer; a file is not left. */
int filter_run(struct filter *f, struct err *e);

#endif
