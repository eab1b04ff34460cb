#include "common/tokenizer/word_cache.h"

#include "common/mem.h"

/* Sets of each table, as a power of two: at most 8 and 2 MiB, the words of a book. */
enum { SHORT_FIRST = 9, SHORT_MOST = 16, LONG_FIRST = 7, LONG_MOST = 12 };

static void make(struct word_table *t)
{
	size_t n = (size_t)2 << t->bits;
	t->sets = mem_table(n, t->size);
	memset(t->sets, 0, n * t->size);
}

struct word_cache *word_cache_new(void)
{
	struct word_cache *c = mem_zalloc(1, sizeof *c);
	c->small = (struct word_table){.size = sizeof(struct short_word),
		.words = WORD_SHORT_KEY,
		.bits = SHORT_FIRST,
		.most = SHORT_MOST};
	c->large = (struct word_table){.size = sizeof(struct long_word),
		.words = WORD_LONG_KEY,
		.bits = LONG_FIRST,
		.most = LONG_MOST};
	make(&c->small);
	make(&c->large);
	encoding_reserve(&c->made, WORD_LONG_IDS);
	return c;
}

void word_cache_free(struct word_cache *c)
{
	if (!c)
		return;
	mem_free(c->small.sets);
	mem_free(c->large.sets);
	encoding_done(&c->made);
	mem_free(c);
}

static char *set_of(const struct word_table *t, const uint64_t *key)
{
	return t->sets + (word_hash(key, t->words) >> (64 - t->bits)) * 2 * t->size;
}

static int is_free(const struct word_table *t, const char *entry)
{
	static const uint64_t none[WORD_LONG_KEY];
	return !memcmp(entry, none, t->words * sizeof *none);
}

/* The first of a set if it is free, else the second. */
static char *place_in(const struct word_table *t, const uint64_t *key)
{
	char *set = set_of(t, key);
	return is_free(t, set) ? set : set + t->size;
}

/* Twice as many sets: of each come two, and no more entries to either than there were. */
static void grow(struct word_table *t)
{
	struct word_table was = *t;
	t->bits++;
	make(t);
	for (size_t i = 0; i < (size_t)2 << was.bits; i++) {
		const char *entry = was.sets + i * t->size;
		uint64_t key[WORD_LONG_KEY];
		memcpy(key, entry, t->words * sizeof *key);
		if (!is_free(t, entry))
			memcpy(place_in(t, key), entry, t->size);
	}
	mem_free(was.sets);
}

/* Where a new entry goes: a quarter is full when a table grows, so that few give way. */
static void *place(struct word_table *t, const uint64_t *key)
{
	if (2 * t->used > (size_t)1 << t->bits && t->bits < t->most)
		grow(t);
	char *entry = place_in(t, key);
	t->used += (size_t)is_free(t, entry);
	return entry;
}

const struct long_word *word_find_long(const struct word_cache *c, const uint64_t *key)
{
	const struct long_word *p = (const void *)set_of(&c->large, key);
	for (int way = 0; way < 2; way++)
		if (!memcmp(p[way].key, key, sizeof p->key))
			return &p[way];
	return NULL;
}

void word_keep(struct word_cache *c, const uint64_t *key, size_t from, size_t len)
{
	const struct encoding *made = &c->made;
	uint8_t at[WORD_LONG_IDS][2];
	if (made->n > WORD_LONG_IDS)
		return;
	for (size_t i = 0; i < made->n; i++) {
		if (made->offsets[i][0] < from || made->offsets[i][1] > from + len)
			return;
		at[i][0] = (uint8_t)(made->offsets[i][0] - from);
		at[i][1] = (uint8_t)(made->offsets[i][1] - from);
	}
	if (len <= WORD_SHORT && made->n <= WORD_SHORT_IDS) {
		struct short_word *p = place(&c->small, key);
		memcpy(p->key, key, sizeof p->key);
		memcpy(p->ids, made->ids, made->n * sizeof *p->ids);
		memcpy(p->at, at, made->n * sizeof *at);
		p->n = (uint8_t)made->n;
		return;
	}
	struct long_word *p = place(&c->large, key);
	memcpy(p->key, key, sizeof p->key);
	memcpy(p->ids, made->ids, made->n * sizeof *p->ids);
	memcpy(p->at, at, made->n * sizeof *at);
	p->n = (uint8_t)made->n;
}
