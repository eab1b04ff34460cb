/* A random order of any length: the records in a file without a name, their places in memory. */
#include "tools/mpcat/source.h"

#include "common/rng.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct place {
	uint64_t at, size;
};

struct shuffle {
	struct source s, *from;
	FILE *spool;
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
	for (size_t got = 0; got < p->size;) {
		ssize_t n = pread(
			fileno(sh->spool), sh->bytes.s + got, p->size - got, (off_t)(p->at + got));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_sys(e, "cannot read a temporary file");
		got += (size_t)n;
	}
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
	if (sh->spool)
		fclose(sh->spool);
	mem_free(sh->place);
	str_done(&sh->bytes);
	mem_free(sh);
}

static FILE *temporary(struct err *e)
{
	const char *dir = getenv("TMPDIR");
	char *path = mem_printf("%s/sluice-XXXXXX", dir && *dir ? dir : "/tmp");
	int fd = mkstemp(path);
	if (fd >= 0)
		unlink(path);
	FILE *f = fd >= 0 ? fdopen(fd, "w+") : NULL;
	if (!f)
		err_sys(e, "cannot make a temporary file in '%s'", dir && *dir ? dir : "/tmp");
	mem_free(path);
	return f;
}

static int read_all(struct shuffle *sh, struct err *e)
{
	struct record rec = {0};
	uint64_t at = 0;
	size_t cap = 0;
	int got;
	while ((got = sh->from->next(sh->from, &rec, e)) == 1) {
		str_reset(&sh->bytes);
		record_pack(&sh->bytes, &rec);
		mem_grow(&sh->place, &cap, sh->n + 1, sizeof *sh->place);
		sh->place[sh->n++] = (struct place){at, sh->bytes.len};
		at += sh->bytes.len;
		if (fwrite(sh->bytes.s, 1, sh->bytes.len, sh->spool) != sh->bytes.len) {
			got = err_sys(e, "cannot write a temporary file");
			break;
		}
	}
	record_done(&rec);
	if (!got && fflush(sh->spool))
		got = err_sys(e, "cannot write a temporary file");
	return got;
}

int source_shuffle(struct source **out, struct source *from, uint64_t seed, struct err *e)
{
	struct shuffle *sh = mem_zalloc(1, sizeof *sh);
	sh->s = (struct source){shuffle_next, shuffle_on_pause, shuffle_close, from->header, 0};
	sh->from = from;
	sh->spool = temporary(e);
	if (!sh->spool || read_all(sh, e)) {
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
