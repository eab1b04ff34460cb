#include "tools/mpcat/source.h"

/* ---- one after the other ---- */

struct chain {
	struct source s;
	struct stream_reader *r;
};

static int chain_next(struct source *s, struct record *rec, struct err *e)
{
	struct chain *c = (struct chain *)s;
	int got = stream_read(c->r, rec, e);
	if (!got)
		s->skipped = stream_skipped(c->r);
	return got;
}

static void chain_on_pause(struct source *s, void (*fn)(void *arg), void *arg)
{
	stream_on_pause(((struct chain *)s)->r, fn, arg);
}

static void chain_close(struct source *s)
{
	stream_close(((struct chain *)s)->r);
	mem_free(s);
}

int source_open(struct source **out, char *const *paths, size_t n, uint64_t shard_i,
	uint64_t shard_n, int ignore_mismatch, struct err *e)
{
	struct stream_reader *r;
	if (stream_open(&r, paths, n, ~0u, shard_i, shard_n, e))
		return -1;
	if (ignore_mismatch)
		stream_ignore_mismatch(r);
	struct chain *c = mem_zalloc(1, sizeof *c);
	c->r = r;
	c->s = (struct source){chain_next, chain_on_pause, chain_close, stream_header(r), 0};
	*out = &c->s;
	return 0;
}

/* ---- shards in turn ---- */

struct shard {
	struct stream_reader *r;
	uint64_t records;
	int ended;
};

struct merge {
	struct source s;
	struct shard *shard;
	size_t n, turn;
	char **names;
};

/* Shard i of n holds every n-th record: the lengths fall by at most one, once. */
static int check_lengths(const struct merge *m, struct err *e)
{
	const struct shard *first = &m->shard[0];
	for (size_t i = 1; i < m->n; i++) {
		const struct shard *s = &m->shard[i], *before = &m->shard[i - 1];
		if (s->records <= before->records && s->records + 1 >= first->records &&
			!stream_skipped(s->r))
			continue;
		return err_data(e,
			"%s: holds %llu records, %llu of its rows were skipped, and %s holds %llu: "
			"the order "
			"of such shards is lost ('mpcat -s' without '--merge' joins them)",
			m->names[i], (unsigned long long)s->records,
			(unsigned long long)stream_skipped(s->r), m->names[0],
			(unsigned long long)first->records);
	}
	return 0;
}

static int merge_next(struct source *s, struct record *rec, struct err *e)
{
	struct merge *m = (struct merge *)s;
	for (size_t ended = 0; ended < m->n; ended++) {
		struct shard *sh = &m->shard[m->turn];
		m->turn = (m->turn + 1) % m->n;
		int got = sh->ended ? 0 : stream_read(sh->r, rec, e);
		sh->records += got == 1;
		sh->ended = !got;
		if (got)
			return got;
	}
	s->skipped = 0;
	for (size_t i = 0; i < m->n; i++)
		s->skipped += stream_skipped(m->shard[i].r);
	return check_lengths(m, e);
}

static void merge_on_pause(struct source *s, void (*fn)(void *arg), void *arg)
{
	struct merge *m = (struct merge *)s;
	for (size_t i = 0; i < m->n; i++)
		stream_on_pause(m->shard[i].r, fn, arg);
}

static void merge_close(struct source *s)
{
	struct merge *m = (struct merge *)s;
	for (size_t i = 0; i < m->n; i++) {
		stream_close(m->shard[i].r);
		mem_free(m->names[i]);
	}
	mem_free(m->names);
	mem_free(m->shard);
	mem_free(m);
}

int source_merge(
	struct source **out, char *const *paths, size_t n, int ignore_mismatch, struct err *e)
{
	struct merge *m = mem_zalloc(1, sizeof *m);
	m->s = (struct source){merge_next, merge_on_pause, merge_close, NULL, 0};
	m->shard = mem_zalloc(n, sizeof *m->shard);
	m->names = mem_zalloc(n, sizeof *m->names);
	int bad = 0;
	for (size_t i = 0; !bad && i < n; i++) {
		bad = stream_open(&m->shard[i].r, paths + i, 1, ~0u, 1, 1, e);
		m->names[m->n++] = mem_strdup(paths[i]);
		if (!bad && i && !ignore_mismatch)
			bad = stream_agree(m->shard[0].r, m->shard[i].r, e);
	}
	if (bad) {
		merge_close(&m->s);
		return -1;
	}
	m->s.header = stream_header(m->shard[0].r);
	*out = &m->s;
	return 0;
}
