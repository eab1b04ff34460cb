/* The filter loop: same bytes for any number of threads, bad records in order, nothing held in a
 * pause. */
#include "common/filter.h"

#include "common/io.h"
#include "tests/tap.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <pthread.h>
#include <unistd.h>

static char dir[] = "/tmp/sluice-test-XXXXXX";

/* A source of `n` numbered records; number `damaged` cannot be read, at `cut` it breaks off. */
struct numbers {
	int64_t n, at, damaged, cut;
};

static int next_number(void *source, struct record *rec, struct err *e)
{
	struct numbers *s = source;
	record_reset(rec);
	if (s->at == s->n)
		return 0;
	snprintf(rec->where, sizeof rec->where, "numbers:%lld", (long long)++s->at);
	if (s->at == s->cut)
		return err_data(e, "cut");
	if (s->at == s->damaged) {
		err_data(e, "numbers:%lld: damaged", (long long)s->at);
		return STREAM_BAD;
	}
	record_set_i64(rec, "n", s->at);
	return 1;
}

/* Every third record gives two, every seventh none; a multiple of *user is bad. */
static int each(void *user, int worker, struct record *rec, struct filter_out *out, struct err *e)
{
	int64_t n, bad = *(int64_t *)user;
	(void)worker;
	if (record_i64(rec, "n", &n, e) != 1)
		return err_data(e, "no n");
	if (n % 3 == 0)
		record_set_str(filter_new(out), "extra", "x", 1);
	if (bad && n % bad == 0)
		return err_data(e, "unlucky");
	for (volatile int64_t i = 0; i < n * 7919 % 3000; i++)
		; /* uneven work, so that order is not kept by chance */
	record_set_i64(rec, "square", n * n);
	if (n % 7)
		filter_pass(out, rec);
	return 0;
}

static int run(
	struct numbers s, int64_t bad, int threads, int skip, const char *name, struct err *e)
{
	struct header h = {.kind = KIND_TEXT};
	struct rejects rejects;
	char *path = io_path(dir, name), *rejected = skip ? io_path(dir, "rejects.mp") : NULL;
	struct filter f = {
		.next = next_number, .source = &s, .each = each, .user = &bad, .threads = threads};
	if (stream_create(&f.out, path, 0, &h, e) || rejects_open(&rejects, skip, rejected, &h, e))
		exit(1);
	f.rejects = &rejects;
	int r = filter_run(&f, e);
	free(path);
	free(rejected);
	return r;
}

static char *bytes(const char *name, size_t *n)
{
	struct err e;
	char *path = io_path(dir, name), *s = io_read_file(path, 1 << 24, n, &e);
	free(path);
	return s;
}

static int same(const char *a, const char *b)
{
	size_t na, nb;
	char *x = bytes(a, &na), *y = bytes(b, &nb);
	int r = x && y && na == nb && !memcmp(x, y, na);
	free(x);
	free(y);
	return r;
}

static void test_order(void)
{
	struct err e = {0};
	struct numbers s = {.n = 3000};
	ok(!run(s, 0, 1, 0, "1.mp", &e) && !run(s, 0, 2, 0, "2.mp", &e) &&
			!run(s, 0, 5, 0, "5.mp", &e),
		"one, two and five threads run");
	ok(same("1.mp", "2.mp") && same("1.mp", "5.mp"), "and give the same bytes");

	struct stream_reader *r;
	struct record rec = {0};
	char *path = io_path(dir, "5.mp");
	int64_t n = 0, last = 0, got = 0, ordered = 1;
	if (!stream_open(&r, &path, 1, ~0u, 1, 1, &e))
		while (stream_read(r, &rec, &e) == 1) {
			got++;
			if (record_i64(&rec, "n", &n, &e) == 1) {
				ordered &= n > last;
				last = n;
			}
		}
	ok(ordered && last == 3000, "records are in order");
	is_int(got, 3000 - 3000 / 7 + 1000, "one record may give none or several");
	stream_close(r);
	record_done(&rec);
	free(path);
}

static void test_bad(void)
{
	struct err e = {0};
	struct numbers s = {.n = 3000, .damaged = 77};
	is_int(run(s, 100, 1, 1, "1.mp", &e), 0, "bad records are skipped when asked");
	run(s, 100, 3, 1, "3.mp", &e);
	ok(same("1.mp", "3.mp"), "the same for any number of threads");

	struct stream_reader *r;
	struct record rec = {0};
	char *path = io_path(dir, "rejects.mp");
	const char *reason;
	int64_t n = 0, last = 0, count = 0, right = 1, damaged = 0;
	size_t len;
	if (!stream_open(&r, &path, 1, ~0u, 1, 1, &e))
		while (stream_read(r, &rec, &e) == 1) {
			count++;
			right &= record_str(&rec, "_reason", &reason, &len, &e) == 1;
			if (record_i64(&rec, "n", &n, &e) == 1) {
				right &= n > last && n % 100 == 0 &&
					 strstr(reason, "unlucky") != NULL;
				last = n;
			} else {
				damaged += strstr(reason, "damaged") != NULL;
			}
		}
	is_int(count, 31, "rejects have them all");
	ok(right && damaged == 1, "in order, with reasons");
	stream_close(r);
	free(path);
	path = io_path(dir, "3.mp");
	if (!stream_open(&r, &path, 1, ~0u, 1, 1, &e))
		while (stream_read(r, &rec, &e) == 1)
			;
	is_int((long long)stream_skipped(r), 31, "the trailer counts them");
	stream_close(r);
	record_done(&rec);
	free(path);

	struct rejects rejects;
	struct header h = {.kind = KIND_TEXT};
	ok(rejects_open(&rejects, 1, "-", &h, &e) && e.status == STATUS_USAGE,
		"rejects do not go to standard output");

	for (int threads = 1; threads <= 3; threads += 2) {
		s = (struct numbers){.n = 3000, .cut = 2000};
		ok(run(s, 1111, threads, 0, "x.mp", &e) == -1 &&
				!strcmp(e.msg, "numbers:1111: unlucky"),
			"%d threads: the first bad record stops the stage: %s", threads, e.msg);
		path = io_path(dir, "x.mp");
		ok(!io_exists(path), "and leaves no file");
		free(path);
		ok(run(s, 2500, threads, 0, "x.mp", &e) == -1 && !strcmp(e.msg, "cut"),
			"a cut source stops it: %s", e.msg);
	}
}

struct run_pipe {
	char *from, *to;
	int bad;
};

static void *run_pipe(void *arg)
{
	struct run_pipe *p = arg;
	struct stream_reader *r;
	struct err e;
	int64_t bad = 0;
	struct filter f = {.each = each, .user = &bad, .threads = 2};
	p->bad = stream_open(&r, &p->from, 1, ~0u, 1, 1, &e) ||
		 stream_create(&f.out, p->to, 0, stream_header(r), &e);
	if (p->bad)
		return NULL;
	filter_from_stream(&f, r);
	p->bad = filter_run(&f, &e);
	stream_close(r);
	return NULL;
}

static void test_pause(void)
{
	struct err e;
	struct run_pipe p = {io_path(dir, "from"), io_path(dir, "to"), 0};
	struct stream_writer *w;
	struct stream_reader *r;
	struct header h = {.kind = KIND_TEXT};
	struct record rec = {0}, got = {0};
	pthread_t thread;
	if (mkfifo(p.from, 0600) || mkfifo(p.to, 0600) ||
		pthread_create(&thread, NULL, run_pipe, &p))
		exit(1);
	alarm(20); /* a filter that holds records back would wait for ever */
	ok(!stream_create(&w, p.from, 0, &h, &e), "a fifo is written in place");
	ok(!stream_open(&r, &p.to, 1, ~0u, 1, 1, &e), "the header passes before there is a record");
	int passed = 0;
	for (int64_t n = 1; n <= 5; n++) {
		record_reset(&rec);
		record_set_i64(&rec, "n", n == 3 ? 4 : n);
		stream_write(w, &rec, &e);
		stream_flush(w, &e);
		passed += stream_read(r, &got, &e);
	}
	is_int(passed, 5, "each record passes while the next is not there yet");
	stream_finish(w, 0, &e);
	is_int(stream_read(r, &got, &e), 0, "then the end");
	pthread_join(thread, NULL);
	is_int(p.bad, 0, "the filter ends well");
	alarm(0);
	stream_close(r);
	record_done(&rec);
	record_done(&got);
	free(p.from);
	free(p.to);
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	if (!freopen("/dev/null", "w", stderr))
		return 1;
	test_order();
	test_bad();
	test_pause();
	char rm[100];
	snprintf(rm, sizeof rm, "rm -r %s", dir);
	return system(rm) || tap_done();
}
