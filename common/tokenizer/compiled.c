#include "common/tokenizer/compiled.h"

#include "common/io.h"
#include "common/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

/* SOURCES is the Makefile's checksum of this folder's sources: whatever changes a table changes it. */
#define MAGIC "sluice tokenizer " SOURCES

enum { ALIGN = 64, TABLES = 11 };

struct extent {
	uint64_t at, bytes; /* in the file */
};
struct head {
	XXH128_canonical_t sum; /* of all that follows */
	char magic[32], key[FINGERPRINT_LEN];
	uint8_t pad[64 - FINGERPRINT_LEN - 16];
	uint64_t len, tokens;
	struct extent rest, table[TABLES];
};

/* A table: where its address and its number of items are kept. */
struct table {
	void *p; /* the address of the pointer */
	size_t *n, item;
	size_t items; /* when there are always so many, or none */
};

static void list_tables(struct tokenizer *t, struct table list[TABLES])
{
	struct bpe *b = &t->bpe;
	struct vocab *v = &t->vocab, *raw = &b->raw;
	const struct table all[TABLES] = {
		{&v->blob.s, &v->blob.len, 1, 0},
		{&v->at, &v->nids, sizeof *v->at, 0},
		{&v->slots, &v->nslots, sizeof *v->slots, 0},
		{&raw->blob.s, &raw->blob.len, 1, 0},
		{&raw->at, &raw->nids, sizeof *raw->at, 0},
		{&raw->slots, &raw->nslots, sizeof *raw->slots, 0},
		{&b->merges.slots, &b->merges.nslots, sizeof *b->merges.slots, 0},
		{&b->char_id, NULL, sizeof *b->char_id, BPE_CHARS},
		{&b->byte_pairs, NULL, sizeof *b->byte_pairs, BPE_PAIRS},
		{&b->ready, NULL, sizeof *b->ready, BPE_CHARS},
		{&b->joined, NULL, sizeof *b->joined, CUT_CLASSES},
	};
	memcpy(list, all, sizeof all);
}

/* ---- reading ---- */

static int is_within(struct extent x, size_t len)
{
	return x.at % ALIGN == 0 && x.at >= sizeof(struct head) && x.at <= len &&
	       x.bytes <= len - x.at;
}

static int is_vocab(const struct vocab *v)
{
	if (v->nids > (size_t)VOCAB_MAX_ID + 1 || v->count > v->nids ||
		(v->nslots & (v->nslots - 1)))
		return 0;
	size_t wrong = 0, empty = 0;
	for (size_t i = 0; i < v->nids; i++) {
		struct span x = v->at[i];
		int hole = x.from == UINT32_MAX && x.to == UINT32_MAX;
		wrong += !hole && (x.from > x.to || x.to > v->blob.len);
	}
	for (size_t i = 0; i < v->nslots; i++) {
		wrong += v->slots[i].next > v->nids;
		empty += !v->slots[i].next;
	}
	return !wrong && (empty || !v->nslots);
}

static int has_empty(const struct merges *m)
{
	for (size_t i = 0; i < m->nslots && i < UINT32_MAX; i++)
		if (merges_is_empty(&m->slots[i]))
			return 1;
	return 0;
}

/* Whoever mends the checksum of what he changed gets wrong ids, but reaches nothing that is not
 * there. */
static int is_sound(const struct tokenizer *t)
{
	const struct bpe *b = &t->bpe;
	return is_vocab(&t->vocab) && t->vocab.nslots && is_vocab(&b->raw) &&
	       has_empty(&b->merges) && b->char_id;
}

static void forget(struct tokenizer *t)
{
	struct table list[TABLES];
	list_tables(t, list);
	for (int i = 0; i < TABLES; i++) {
		memset(list[i].p, 0, sizeof(void *));
		if (list[i].n)
			*list[i].n = 0;
	}
}

int compiled_read(struct tokenizer *t, const void *p, size_t len)
{
	const struct head *h = p;
	const char *bytes = p;
	struct table list[TABLES];
	if (len < sizeof *h || h->len != len || strncmp(h->magic, MAGIC, sizeof h->magic) != 0 ||
		memcmp(h->key, t->fingerprint, FINGERPRINT_LEN) != 0)
		return 0;
	XXH128_hash_t sum = XXH3_128bits(bytes + sizeof h->sum, len - sizeof h->sum);
	if (!XXH128_isEqual(sum, XXH128_hashFromCanonical(&h->sum)) || !is_within(h->rest, len))
		return 0;
	list_tables(t, list);
	for (int i = 0; i < TABLES; i++) {
		struct extent x = h->table[i];
		size_t most = list[i].items * list[i].item;
		if (!is_within(x, len) || x.bytes % list[i].item ||
			(most && x.bytes && x.bytes != most))
			return 0;
	}
	for (int i = 0; i < TABLES; i++) {
		struct extent x = h->table[i];
		const void *at = x.bytes ? bytes + x.at : NULL;
		memcpy(list[i].p, &at, sizeof at);
		if (list[i].n)
			*list[i].n = x.bytes / list[i].item;
	}
	t->vocab.count = h->tokens;
	if (!is_sound(t)) {
		forget(t);
		return 0;
	}
	str_add(&t->rest, bytes + h->rest.at, h->rest.bytes);
	return 1;
}

/* Ours alone: a directory or a file that nobody else may change. */
static int is_ours(const struct stat *st, mode_t type)
{
	return (st->st_mode & S_IFMT) == type && st->st_uid == geteuid() && !(st->st_mode & 022);
}

/* One directory in the path, made where it is not there and its place is ours or root's. */
static int is_there(const char *path, int make)
{
	struct stat st;
	if (make && stat(path, &st)) {
		const char *slash = strrchr(path, '/');
		char *parent = mem_strndup(path, slash > path ? (size_t)(slash - path) : 1);
		int may = !stat(parent, &st) && (st.st_uid == geteuid() || !st.st_uid);
		mem_free(parent);
		if (!may || mkdir(path, 0700))
			return 0;
	}
	return !stat(path, &st) && is_ours(&st, S_IFDIR);
}

/* The file's path, NULL when there is no directory for it. */
static char *cache_path(const struct tokenizer *t, int make)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char *base = xdg && *xdg == '/'	    ? mem_strdup(xdg)
		     : home && *home == '/' ? io_path(home, ".cache")
					    : NULL;
	if (!base)
		return NULL;
	char *dir = io_path(base, "sluice");
	char *path = is_there(base, make) && is_there(dir, make)
			     ? mem_printf("%s/tokenizer-%s", dir, t->fingerprint)
			     : NULL;
	mem_free(base);
	mem_free(dir);
	return path;
}

int compiled_open(struct tokenizer *t)
{
	char *path = cache_path(t, 0);
	struct mapped m = {0};
	struct stat st;
	struct err none;
	int got =
		path && !stat(path, &st) && is_ours(&st, S_IFREG) && !mapped_open(&m, path, &none);
	mem_free(path);
	if (got)
		mapped_want_all(&m);
	got = got && compiled_read(t, m.p, m.len);
	if (got)
		t->compiled = m;
	else
		mapped_close(&m);
	return got;
}

void compiled_share(struct tokenizer *t, struct tokenizer *from)
{
	struct table ours[TABLES], theirs[TABLES];
	list_tables(t, ours);
	list_tables(from, theirs);
	for (int i = 0; i < TABLES; i++) {
		memcpy(ours[i].p, theirs[i].p, sizeof(void *));
		if (ours[i].n)
			*ours[i].n = *theirs[i].n;
	}
	t->vocab.count = from->vocab.count;
	t->shares = from;
	from->refs++;
}

void compiled_close(struct tokenizer *t)
{
	if (!t->compiled.p && !t->shares)
		return;
	forget(t);
	mapped_close(&t->compiled);
	tokenizer_free(t->shares);
}

/* ---- writing ---- */

static const char zeros[ALIGN];

static size_t padding(size_t bytes)
{
	return (ALIGN - bytes % ALIGN) % ALIGN;
}

/* All but the sum: where each is, then one behind the other. */
struct parts {
	struct head head;
	const void *p[1 + TABLES];
	size_t bytes[1 + TABLES];
};

static void lay_out(struct parts *x, struct tokenizer *t)
{
	struct table list[TABLES];
	list_tables(t, list);
	*x = (struct parts){.head = {.tokens = t->vocab.count, .magic = MAGIC}};
	memcpy(x->head.key, t->fingerprint, sizeof x->head.key);
	x->p[0] = t->rest.s;
	x->bytes[0] = t->rest.len;
	for (int i = 0; i < TABLES; i++) {
		size_t items = list[i].n ? *list[i].n : list[i].items;
		memcpy(&x->p[1 + i], list[i].p, sizeof *x->p);
		x->bytes[1 + i] = x->p[1 + i] ? items * list[i].item : 0;
	}
	size_t at = sizeof x->head + padding(sizeof x->head);
	for (int i = 0; i <= TABLES; i++) {
		struct extent here = {at, x->bytes[i]};
		*(i ? &x->head.table[i - 1] : &x->head.rest) = here;
		at += here.bytes + padding(here.bytes);
	}
	x->head.len = at;
}

/* All that follows the sum. */
static int put_parts(
	const struct parts *x, int (*put)(void *arg, const void *p, size_t n), void *arg)
{
	const size_t sum = sizeof x->head.sum;
	int bad = put(arg, (const char *)&x->head + sum, sizeof x->head - sum) ||
		  put(arg, zeros, padding(sizeof x->head));
	for (int i = 0; i <= TABLES && !bad; i++)
		bad = put(arg, x->p[i], x->bytes[i]) || put(arg, zeros, padding(x->bytes[i]));
	return bad ? -1 : 0;
}

static int add_to_sum(void *arg, const void *p, size_t n)
{
	if (n)
		XXH3_128bits_update(arg, p, n);
	return 0;
}

int compiled_write(struct tokenizer *t, int (*put)(void *arg, const void *p, size_t n), void *arg)
{
	struct parts x;
	XXH3_state_t state;
	lay_out(&x, t);
	XXH3_128bits_reset(&state);
	put_parts(&x, add_to_sum, &state);
	XXH128_canonicalFromHash(&x.head.sum, XXH3_128bits_digest(&state));
	return put(arg, &x.head.sum, sizeof x.head.sum) || put_parts(&x, put, arg) ? -1 : 0;
}

static int put_out(void *out, const void *p, size_t n)
{
	struct err none;
	return output_write(out, p, n, &none);
}

void compiled_save(struct tokenizer *t)
{
	char *path = cache_path(t, 1);
	if (!path)
		return;
	/* What goes wrong is no matter: the next time the file is parsed again. */
	struct output *o;
	struct err none;
	unlink(path); /* what is there is of no use, and its mode would be kept */
	if (!output_open(&o, path, 1, 0, &none)) {
		if (compiled_write(t, put_out, o))
			output_abandon(o);
		else
			output_commit(o, &none);
	}
	mem_free(path);
}
