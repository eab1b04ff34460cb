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
#define LIMIT ((size_t)2 << 30)

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
	if (v->nids > (size_t)VOCAB_MAX_ID + 1 || (v->nslots & (v->nslots - 1)))
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

int compiled_read(struct tokenizer *t, const char key[FINGERPRINT_LEN], const void *p, size_t len,
	struct json_text *rest)
{
	const struct head *h = p;
	const char *bytes = p;
	struct table list[TABLES];
	if (len < sizeof *h || h->len != len || strncmp(h->magic, MAGIC, sizeof h->magic) != 0 ||
		memcmp(h->key, key, FINGERPRINT_LEN) != 0)
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
	if (!is_sound(t)) {
		forget(t);
		return 0;
	}
	t->vocab.count = h->tokens;
	*rest = (struct json_text){bytes + h->rest.at, h->rest.bytes};
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
static char *cache_path(const char key[FINGERPRINT_LEN], int make)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char *base = xdg && *xdg == '/'	    ? mem_strdup(xdg)
		     : home && *home == '/' ? io_path(home, ".cache")
					    : NULL;
	if (!base)
		return NULL;
	char *dir = io_path(base, "sluice");
	char *path = is_there(base, make) && is_there(dir, make)
			     ? mem_printf("%s/tokenizer-%s", dir, key)
			     : NULL;
	mem_free(base);
	mem_free(dir);
	return path;
}

int compiled_open(struct tokenizer *t, const char key[FINGERPRINT_LEN], struct json_text *rest)
{
	char *path = cache_path(key, 0);
	struct mapped m = {0};
	struct stat st;
	struct err none;
	int got = path && !stat(path, &st) && is_ours(&st, S_IFREG) &&
		  !mapped_open(&m, path, &none) && compiled_read(t, key, m.p, m.len, rest);
	mem_free(path);
	if (got)
		t->compiled = m;
	else
		mapped_close(&m);
	return got;
}

void compiled_close(struct tokenizer *t)
{
	if (!t->compiled.p)
		return;
	forget(t);
	mapped_close(&t->compiled);
}

/* ---- writing ---- */

static struct extent append(struct str *out, const void *p, size_t bytes)
{
	static const char zeros[ALIGN];
	struct extent x = {out->len, bytes};
	if (bytes)
		str_add(out, p, bytes);
	str_add(out, zeros, (ALIGN - out->len % ALIGN) % ALIGN);
	return x;
}

void compiled_write(struct tokenizer *t, const char key[FINGERPRINT_LEN], struct json_text rest,
	struct str *out)
{
	struct table list[TABLES];
	struct head h = {.tokens = t->vocab.count, .magic = MAGIC};
	list_tables(t, list);
	memcpy(h.key, key, sizeof h.key);
	append(out, &h, sizeof h);
	h.rest = append(out, rest.s, rest.len);
	for (int i = 0; i < TABLES; i++) {
		void *p;
		memcpy(&p, list[i].p, sizeof p);
		size_t items = list[i].n ? *list[i].n : list[i].items;
		h.table[i] = append(out, p, p ? items * list[i].item : 0);
	}
	h.len = out->len;
	memcpy(out->s, &h, sizeof h);
	XXH128_canonicalFromHash(
		&h.sum, XXH3_128bits(out->s + sizeof h.sum, out->len - sizeof h.sum));
	memcpy(out->s, &h.sum, sizeof h.sum);
}

void compiled_save(struct tokenizer *t, const char key[FINGERPRINT_LEN], struct json_text rest)
{
	char *path = cache_path(key, 1);
	if (!path)
		return;
	/* What goes wrong is no matter: the next time the file is parsed again. */
	struct str out = {0};
	struct output *o;
	struct err none;
	compiled_write(t, key, rest, &out);
	unlink(path); /* what is there is of no use, and its mode would be kept */
	if (out.len <= LIMIT && !output_open(&o, path, 1, 0, &none)) {
		if (output_write(o, out.s, out.len, &none))
			output_abandon(o);
		else
			output_commit(o, &none);
	}
	str_done(&out);
	mem_free(path);
}
