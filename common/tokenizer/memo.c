#include "common/tokenizer/memo.h"

#include "common/mem.h"

/* Sets of each table, as a power of two: at most 4 or 8 MiB, and 5, the words of a book. */
enum { GROW = 2, SHORT_FIRST = 10, SHORT_MOST = 16, LONG_FIRST = 7, LONG_MOST = 13 };

#define LOW(n) (((uint64_t)1 << 8 * (n)) - 1)
#define ALL    (~(uint64_t)0)
const uint64_t memo_bytes[MEMO_SHORT + 1][MEMO_SHORT_KEY] = {{0, 0}, {LOW(1), 0}, {LOW(2), 0},
	{LOW(3), 0}, {LOW(4), 0}, {LOW(5), 0}, {LOW(6), 0}, {LOW(7), 0}, {ALL, 0}, {ALL, LOW(1)},
	{ALL, LOW(2)}, {ALL, LOW(3)}, {ALL, LOW(4)}, {ALL, LOW(5)}, {ALL, LOW(6)}, {ALL, LOW(7)}};

static void make(struct memo_table *t)
{
	size_t n = (size_t)2 << t->bits;
	t->sets = mem_table(n, t->size);
	memset(t->sets, 0, n * t->size);
}

void memo_init(struct memo *m, size_t short_size)
{
	m->small = (struct memo_table){.size = short_size,
		.words = MEMO_SHORT_KEY,
		.bits = SHORT_FIRST,
		.most = SHORT_MOST};
	m->large = (struct memo_table){.size = sizeof(struct memo_long),
		.words = MEMO_LONG_KEY,
		.bits = LONG_FIRST,
		.most = LONG_MOST};
	make(&m->small);
	make(&m->large);
}

void memo_done(struct memo *m)
{
	mem_free(m->small.sets);
	mem_free(m->large.sets);
}

static char *large_set(const struct memo_table *t, const uint64_t *key)
{
	uint64_t hash = 0;
	for (size_t i = 0; i < MEMO_LONG_KEY; i++)
		hash += (key[i] ^ key[i] >> 32) * (0x9e3779b97f4a7c15u * (2 * i + 1));
	return t->sets + (hash >> (64 - t->bits)) * 2 * t->size;
}

static int is_free(const struct memo_table *t, const char *entry)
{
	static const uint64_t none[MEMO_LONG_KEY];
	return !memcmp(entry, none, t->words * sizeof *none);
}

/* The first of a set if it is free, else the second. */
static char *place_in(const struct memo_table *t, char *set)
{
	return is_free(t, set) ? set : set + t->size;
}

static char *set_of(const struct memo *m, const struct memo_table *t, const uint64_t *key)
{
	return t == &m->small ? memo_set(m, key, t->size) : large_set(t, key);
}

/* Four times as many sets: of each come four, with no more entries than there were. A quarter is full when a
 * table grows, so that few give way. */
static void fit(struct memo *m, struct memo_table *t)
{
	if (2 * t->used <= (size_t)1 << t->bits || t->bits == t->most)
		return;
	struct memo_table was = *t;
	t->bits = t->bits + GROW < t->most ? t->bits + GROW : t->most;
	make(t);
	for (size_t i = 0; i < (size_t)2 << was.bits; i++) {
		const char *entry = was.sets + i * t->size;
		uint64_t key[MEMO_LONG_KEY];
		memcpy(key, entry, t->words * sizeof *key);
		if (!is_free(t, entry))
			memcpy(place_in(t, set_of(m, t, key)), entry, t->size);
	}
	mem_free(was.sets);
}

void memo_fit(struct memo *m)
{
	fit(m, &m->small);
	fit(m, &m->large);
}

static void *add(struct memo *m, struct memo_table *t, const uint64_t *key)
{
	char *entry = place_in(t, set_of(m, t, key));
	t->used += (size_t)is_free(t, entry);
	memcpy(entry, key, t->words * sizeof *key);
	return entry;
}

void *memo_add_short(struct memo *m, const uint64_t *key)
{
	return add(m, &m->small, key);
}

struct memo_long *memo_add_long(struct memo *m, const uint64_t *key)
{
	return add(m, &m->large, key);
}

const struct memo_long *memo_find_long(const struct memo *m, const uint64_t *key)
{
	const struct memo_long *p = (const void *)large_set(&m->large, key);
	for (int way = 0; way < 2; way++)
		if (!memcmp(p[way].key, key, sizeof p->key))
			return &p[way];
	return NULL;
}
