/* A random order of any length: the records in a file without a name, their places in memory. */
#include "tools/mpcat/source.h"

#include "common/rng.h"
#include "common/spool.h"

struct place {
	uint64_t at, size;
};

struct shuffle {
	struct source s, *from;
	struct spool *spool;
	struct place *place;
	size_t n, next;
	struct str bytes; /* of the record given out last */
};

static int shuffle_next(struct source *s, struct record *rec, struct err *e)
{
	struct shuffle *sh = (struct shuffle *)s;
	record_reset(rec);
	if (sh->next == sh->n)
		return 0;
	const struct place *p = &sh->place[sh->next++];
	str_reset(&sh->bytes);
	str_reserve(&sh->bytes, p->size);
	if (spool_read(sh->spool, p->at, sh->bytes.s, p->size, e))
		return -1;
	return record_parse(rec, (const uint8_t *)sh->bytes.s, p->size, e) ? -1 : 1;
}

/* Nothing is waited for: all was read. */
static void shuffle_on_pause(struct source *s, void (*fn)(void *arg), void *arg)
{
	(void)s, (void)fn, (void)arg;
}

static void shuffle_close(struct source *s)
{
	struct shuffle *sh = (struct shuffle *)s;
	sh->from->close(sh->from);
	spool_close(sh->spool);
	mem_free(sh->place);
	str_done(&sh->bytes);
	mem_free(sh);
}

static int read_all(struct shuffle *sh, struct err *e)
{
	struct record rec = {0};
	size_t cap = 0;
	int got;
	while ((got = sh->from->next(sh->from, &rec, e)) == 1) {
		str_reset(&sh->bytes);
		record_pack(&sh->bytes, &rec);
		mem_grow(&sh->place, &cap, sh->n + 1, sizeof *sh->place);
		sh->place[sh->n++] = (struct place){spool_size(sh->spool), sh->bytes.len};
		if (spool_write(sh->spool, sh->bytes.s, sh->bytes.len, e)) {
			got = -1;
			break;
		}
	}
	record_done(&rec);
	return got || spool_flush(sh->spool, e) ? -1 : 0;
}

int source_shuffle(struct source **out, struct source *from, uint64_t seed, struct err *e)
{
	struct shuffle *sh = mem_zalloc(1, sizeof *sh);
	sh->s = (struct source){shuffle_next, shuffle_on_pause, shuffle_close, from->header, 0};
	sh->from = from;
	if (spool_open(&sh->spool, e) || read_all(sh, e)) {
		shuffle_close(&sh->s);
		return -1;
	}
	struct rng rng;
	rng_init(&rng, seed, 0);
	for (size_t i = sh->n; i > 1; i--) { /* Fisher and Yates */
		size_t k = (size_t)rng_below(&rng, i);
		struct place t = sh->place[i - 1];
		sh->place[i - 1] = sh->place[k];
		sh->place[k] = t;
	}
	sh->s.skipped = from->skipped;
	*out = &sh->s;
	return 0;
}
