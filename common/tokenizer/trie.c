#include "common/tokenizer/trie.h"

#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

enum {
	BLOCK = 256, /* children of one node lie in one block */
	TRIES = 32,  /* free places looked at before a block is added */
};

struct building {
	struct trie *t;
	const struct trie_key *keys;
	uint32_t *free; /* places that are free, in no order; some are taken again meanwhile */
	size_t nfree, cap;
};

/* Some keys that agree in their first `depth` bytes, and the node which they lead to. */
struct range {
	size_t from, to, depth;
	uint32_t node;
};

static int compare(const void *pa, const void *pb)
{
	const struct trie_key *a = pa, *b = pb;
	int c = memcmp(a->s, b->s, a->len < b->len ? a->len : b->len);
	if (c || a->len != b->len)
		return c ? c : a->len < b->len ? -1 : 1;
	return a->value < b->value ? -1 : a->value > b->value;
}

/* As numbers these are in the order of the keys, or the same. */
static uint64_t head_of(const struct trie_key *k)
{
	uint64_t head = 0;
	for (size_t i = 0; i < sizeof head; i++)
		head = head << 8 | (i < k->len ? (uint8_t)k->s[i] : 0);
	return head;
}

/* By their heads, one byte after the other; then those that begin alike. */
static void sort(struct trie_key *keys, size_t n)
{
	struct trie_key *from = keys, *to = mem_alloc(n, sizeof *to), *other;
	for (size_t i = 0; i < n; i++)
		keys[i].head = head_of(&keys[i]);
	for (int shift = 0; shift < 64; shift += 8) { /* an even number of times: back in keys */
		size_t place[256] = {0}, sum = 0;
		for (size_t i = 0; i < n; i++)
			place[from[i].head >> shift & 0xff]++;
		for (int byte = 0; byte < 256; byte++) {
			size_t count = place[byte];
			place[byte] = sum;
			sum += count;
		}
		for (size_t i = 0; i < n; i++)
			to[place[from[i].head >> shift & 0xff]++] = from[i];
		other = from;
		from = to;
		to = other;
	}
	mem_free(to);
	for (size_t i = 0, next; i < n; i = next) {
		for (next = i + 1; next < n && keys[next].head == keys[i].head;)
			next++;
		if (next - i > 1)
			qsort(keys + i, next - i, sizeof *keys, compare);
	}
}

static void add_block(struct building *b)
{
	struct trie *t = b->t;
	mem_grow(&t->v, &t->cap, t->n + BLOCK, sizeof *t->v);
	mem_grow(&b->free, &b->cap, b->nfree + BLOCK, sizeof *b->free);
	for (uint32_t i = BLOCK; i-- > 0;) {
		t->v[t->n + i] = (struct trie_node){0, TRIE_NONE, TRIE_NONE};
		b->free[b->nfree++] = (uint32_t)t->n + i;
	}
	t->n += BLOCK;
}

static int fits(const struct trie *t, uint32_t base, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (t->v[base ^ bytes[i]].parent != TRIE_NONE)
			return 0;
	return 1;
}

/* A base under which all the bytes lead to free places. */
static uint32_t find_base(struct building *b, const uint8_t *bytes, size_t n)
{
	for (size_t tries = 0, i = b->nfree; i-- > 0 && tries < TRIES;) {
		uint32_t place = b->free[i];
		if (b->t->v[place].parent != TRIE_NONE) {
			b->free[i] = b->free[--b->nfree];
			continue;
		}
		if (fits(b->t, place ^ bytes[0], bytes, n))
			return place ^ bytes[0];
		tries++;
	}
	add_block(b);
	return (uint32_t)b->t->n - BLOCK;
}

/* The first key from `from` on whose byte at `depth` is another one. */
static size_t same_byte(const struct building *b, const struct range *r, size_t from)
{
	uint8_t byte = (uint8_t)b->keys[from].s[r->depth];
	while (from < r->to && (uint8_t)b->keys[from].s[r->depth] == byte)
		from++;
	return from;
}

/* The node's value and children; the children's ranges are written to out, at most 256. */
static size_t expand(struct building *b, struct range r, struct range *out)
{
	uint8_t bytes[256];
	size_t n = 0;
	while (r.from < r.to && b->keys[r.from].len == r.depth)
		b->t->v[r.node].value = b->keys[r.from++].value;
	for (size_t i = r.from, to; i < r.to; i = to) {
		to = same_byte(b, &r, i);
		bytes[n] = (uint8_t)b->keys[i].s[r.depth];
		out[n++] = (struct range){i, to, r.depth + 1, 0};
	}
	if (!n)
		return 0;
	uint32_t base = find_base(b, bytes, n);
	b->t->v[r.node].base = base;
	for (size_t i = 0; i < n; i++) {
		out[i].node = base ^ bytes[i];
		b->t->v[out[i].node].parent = r.node;
	}
	return n;
}

void trie_build(struct trie *t, struct trie_key *keys, size_t n)
{
	sort(keys, n);
	*t = (struct trie){0};
	struct building b = {.t = t, .keys = keys};
	add_block(&b);
	t->v[TRIE_ROOT].parent = TRIE_NONE - 1; /* taken, and nobody's child */
	size_t depth = 0, cap = 0;
	struct range *stack = NULL, next[256];
	mem_grow(&stack, &cap, 1, sizeof *stack);
	stack[depth++] = (struct range){0, n, 0, TRIE_ROOT};
	while (depth) {
		size_t more = expand(&b, stack[--depth], next);
		mem_grow(&stack, &cap, depth + more, sizeof *stack);
		memcpy(stack + depth, next, more * sizeof *stack);
		depth += more;
	}
	mem_free(stack);
	mem_free(b.free);
}

void trie_done(struct trie *t)
{
	mem_free(t->v);
	*t = (struct trie){0};
}
