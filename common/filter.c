/*
 * With one thread a record goes straight through. With more, batches of records (copies: the
 * reader's buffer moves on) lie in a ring: the calling thread fills the newest and writes the oldest
 * when it is done; all process what lies between, the calling thread when it would have to wait.
 * So reading, work and writing overlap, memory is bounded by the ring, and the order is kept by
 * construction.
 */
#include "common/filter.h"

#include "common/die.h"
#include "common/opts.h"
#include "kernels/team.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

/* A batch is handed on when it holds so many records or bytes: enough to make a lock cheap, little
 * enough to keep memory small and both workers busy at the end. */
enum { BATCH_RECORDS = 32, BATCH_BYTES = 256 * 1024 };

struct filter_out {
	struct record_list made;
};

/* One input record and what became of it. */
struct item {
	struct record in;
	struct filter_out out;
	int bad;
	struct err e;
};

struct batch {
	struct item item[BATCH_RECORDS];
	size_t n, bytes;
	int done;
};

struct pool {
	struct filter *f;
	struct batch *ring;
	size_t size;
	/* Batches ever filled, taken by a worker, written: filled - written <= size. */
	size_t filled, taken, written;
	int quit;
	pthread_mutex_t lock;
	pthread_cond_t work, done;
};

/* ---- one record ---- */

struct record *filter_new(struct filter_out *out)
{
	return record_list_new(&out->made);
}

void filter_pass(struct filter_out *out, struct record *rec)
{
	record_swap(filter_new(out), rec);
}

static void process(const struct filter *f, struct item *it, int worker)
{
	char where[sizeof it->in.where];
	it->out.made.n = 0;
	if (it->bad) /* the source could not read it */
		return;
	memcpy(where, it->in.where, sizeof where);
	it->bad = f->each(f->user, worker, &it->in, &it->out, &it->e);
	/* The typed views of record.h have named the record already. */
	if (it->bad && strncmp(it->e.msg, where, strlen(where)) != 0)
		err_prefix(&it->e, "%s", where);
}

static int settle(struct filter *f, struct item *it, struct err *e)
{
	if (it->bad) {
		*e = it->e;
		return f->rejects ? rejects_add(f->rejects, &it->in, e) : -1;
	}
	for (size_t i = 0; i < it->out.made.n; i++)
		if (stream_write(f->out, &it->out.made.v[i], e))
			return -1;
	f->written += it->out.made.n;
	return 0;
}

static void item_done(struct item *it)
{
	record_done(&it->in);
	record_list_done(&it->out.made);
}

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The next record of our shard: as next(). */
static int pull(struct filter *f, struct record *rec, struct err *e)
{
	for (;;) {
		int got = f->next(f->source, rec, e);
		if (got == 0 || got == -1)
			return got;
		uint64_t index = f->read++;
		rec->place = index;
		if (!(f->read % 256))
			die_progress("%llu records, %.0f a second", (unsigned long long)f->read,
				(double)f->read / (seconds() - f->began));
		if (f->shard_n <= 1 || index % f->shard_n == f->shard_i - 1)
			return got;
	}
}

/* ---- one thread ---- */

struct straight {
	struct filter *f;
	int failed; /* flushing in a pause did */
	struct err e;
};

static void flush_in_pause(void *arg)
{
	struct straight *s = arg;
	if (!s->failed && stream_flush(s->f->out, &s->e))
		s->failed = 1;
}

static int run_straight(struct filter *f, struct err *e)
{
	struct straight s = {.f = f};
	struct item it = {0};
	int got, bad = 0;
	if (f->on_pause)
		f->on_pause(f->source, flush_in_pause, &s);
	while (!bad && (got = pull(f, &it.in, &it.e)) != 0 && got != -1) {
		it.bad = got == STREAM_BAD;
		process(f, &it, 0);
		bad = settle(f, &it, e);
		if (!bad && s.failed) {
			*e = s.e;
			bad = -1;
		}
	}
	if (!bad && got) {
		*e = it.e;
		bad = -1;
	}
	if (f->on_pause)
		f->on_pause(f->source, NULL, NULL);
	item_done(&it);
	return bad;
}

/* ---- several threads ---- */

struct worker {
	struct pool *p;
	pthread_t thread;
	int id;
};

/* The lock is held, and let go of meanwhile. 0: there is nothing to take. */
static int take_batch(struct pool *p, int worker)
{
	if (p->taken == p->filled)
		return 0;
	struct batch *b = &p->ring[p->taken++ % p->size];
	pthread_mutex_unlock(&p->lock);
	for (size_t i = 0; i < b->n; i++)
		process(p->f, &b->item[i], worker);
	pthread_mutex_lock(&p->lock);
	b->done = 1;
	return 1;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct pool *p = w->p;
	pthread_mutex_lock(&p->lock);
	while (!p->quit)
		if (take_batch(p, w->id))
			pthread_cond_signal(&p->done);
		else
			pthread_cond_wait(&p->work, &p->lock);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* Writes the oldest batch as soon as it is done. */
static int write_oldest(struct pool *p, struct err *e)
{
	struct batch *b = &p->ring[p->written % p->size];
	pthread_mutex_lock(&p->lock);
	while (!b->done)
		if (!take_batch(p, 0))
			pthread_cond_wait(&p->done, &p->lock);
	pthread_mutex_unlock(&p->lock);
	for (size_t i = 0; i < b->n; i++)
		if (settle(p->f, &b->item[i], e))
			return -1;
	b->n = b->bytes = 0;
	b->done = 0;
	p->written++;
	return 0;
}

/* The batch being filled; makes room in the ring for it. NULL: writing failed. */
static struct batch *newest(struct pool *p, struct err *e)
{
	while (p->filled - p->written == p->size)
		if (write_oldest(p, e))
			return NULL;
	return &p->ring[p->filled % p->size];
}

static void hand_over(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->filled++;
	pthread_cond_signal(&p->work);
	pthread_mutex_unlock(&p->lock);
}

/* All that was read is processed, written and flushed: called when the input pauses. */
struct drain {
	struct pool *p;
	int failed;
	struct err e;
};

static int drain(struct pool *p, struct err *e)
{
	if (p->filled - p->written < p->size && p->ring[p->filled % p->size].n)
		hand_over(p);
	while (p->written < p->filled)
		if (write_oldest(p, e))
			return -1;
	return 0;
}

static void drain_in_pause(void *arg)
{
	struct drain *d = arg;
	if (!d->failed && (drain(d->p, &d->e) || stream_flush(d->p->f->out, &d->e)))
		d->failed = 1;
}

/* Reads and hands over until the end. 0, or -1 after all that came before the error is written. */
static int pump(struct pool *p, struct err *e)
{
	struct filter *f = p->f;
	struct record rec = {0};
	struct drain d = {.p = p};
	struct err end;
	int got;
	if (f->on_pause)
		f->on_pause(f->source, drain_in_pause, &d);
	while ((got = pull(f, &rec, &end)) != 0 && got != -1 && !d.failed) {
		struct batch *b = newest(p, &d.e);
		d.failed = !b;
		if (!b)
			break;
		struct item *it = &b->item[b->n++];
		record_copy(&it->in, &rec);
		it->bad = got == STREAM_BAD;
		if (it->bad)
			it->e = end;
		for (size_t i = 0; i < rec.n; i++)
			b->bytes += rec.f[i].vallen;
		if (b->n == BATCH_RECORDS || b->bytes >= BATCH_BYTES)
			hand_over(p);
	}
	if (f->on_pause)
		f->on_pause(f->source, NULL, NULL);
	record_done(&rec);
	if (!d.failed && drain(p, &d.e))
		d.failed = 1;
	if (d.failed)
		*e = d.e;
	else if (got)
		*e = end;
	return d.failed || got ? -1 : 0;
}

static int run_threads(struct filter *f, int threads, struct err *e)
{
	/* Two batches a thread keep it busy while the oldest is written; one more is being filled. */
	struct pool p = {.f = f, .size = 2 * (size_t)threads + 1};
	struct worker *w = mem_zalloc((size_t)threads, sizeof *w);
	p.ring = mem_zalloc(p.size, sizeof *p.ring);
	pthread_mutex_init(&p.lock, NULL);
	pthread_cond_init(&p.work, NULL);
	pthread_cond_init(&p.done, NULL);
	/* Worker 0 is the calling thread. Where no more threads are to be had it does without. */
	int started = 1;
	for (; started < threads; started++) {
		w[started] = (struct worker){.p = &p, .id = started};
		if (pthread_create(&w[started].thread, NULL, work, &w[started]))
			break;
	}
	int bad = pump(&p, e);

	pthread_mutex_lock(&p.lock);
	p.quit = 1;
	pthread_cond_broadcast(&p.work);
	pthread_mutex_unlock(&p.lock);
	for (int i = 1; i < started; i++)
		pthread_join(w[i].thread, NULL);
	for (size_t i = 0; i < p.size; i++)
		for (size_t k = 0; k < BATCH_RECORDS; k++)
			item_done(&p.ring[i].item[k]);
	pthread_mutex_destroy(&p.lock);
	pthread_cond_destroy(&p.work);
	pthread_cond_destroy(&p.done);
	mem_free(p.ring);
	mem_free(w);
	return bad;
}

/* ---- the whole ---- */

static int next_of_stream(void *source, struct record *rec, struct err *e)
{
	return stream_read(source, rec, e);
}

static void on_pause_of_stream(void *source, void (*fn)(void *arg), void *arg)
{
	stream_on_pause(source, fn, arg);
}

static uint64_t skipped_of_stream(const void *source)
{
	return stream_skipped(source);
}

void filter_from_stream(struct filter *f, struct stream_reader *r)
{
	f->next = next_of_stream;
	f->on_pause = on_pause_of_stream;
	f->skipped = skipped_of_stream;
	f->source = r;
}

int filter_open(struct filter *f, struct rejects *rejects, const struct header *h,
	const struct header *bad, struct err *e)
{
	if (rejects_open(rejects, opts_common.skip_bad, opts_common.rejects, bad, e) < 0)
		return -1;
	if (stream_create(&f->out, opts_common.output, opts_common.gzip, h, e) < 0) {
		rejects_abandon(rejects);
		return -1;
	}
	f->rejects = rejects;
	return 0;
}

int filter_threads(const struct filter *f)
{
	return f->threads > 0 ? f->threads : team_cpus();
}

int filter_run(struct filter *f, struct err *e)
{
	f->began = seconds();
	int threads = filter_threads(f);
	f->read = f->written = 0;
	int bad = threads > 1 ? run_threads(f, threads, e) : run_straight(f, e);

	uint64_t skipped = f->skipped ? f->skipped(f->source) : 0;
	if (f->rejects) {
		skipped += f->rejects->count;
		if (bad)
			rejects_abandon(f->rejects);
		else
			bad = rejects_close(f->rejects, e);
	}
	if (bad)
		stream_abandon(f->out);
	else
		bad = stream_finish(f->out, skipped, e);
	f->out = NULL;
	double took = seconds() - f->began;
	if (!bad)
		die_verbose("%llu records read, %llu written, %.1f s, %.0f a second, %d thread%s",
			(unsigned long long)f->read, (unsigned long long)f->written, took,
			took > 0 ? (double)f->read / took : 0, threads, threads == 1 ? "" : "s");
	return bad;
}
