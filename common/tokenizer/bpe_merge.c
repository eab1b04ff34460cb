#include "common/tokenizer/bpe_merge.h"

#include "common/mem.h"
#include "kernels/text.h"

enum {
	SCAN_MAX = 64, /* symbols, a bit each: longer pieces go to the heap */
	FEW = 8,       /* so many are looked through one by one */
};

struct bpe_symbol {
	uint32_t id, len;    /* len 0: merged into one before it */
	uint32_t prev, next; /* index + 1; 0: none */
};

void bpe_merger_done(struct bpe_merger *m)
{
	mem_free(m->sym);
	mem_free(m->heap);
}

/* What merging a symbol with the one behind it gives: rank (UINT32_MAX: nothing) and id. */
struct pairs {
	uint32_t rank[SCAN_MAX], id[SCAN_MAX];
};

static inline void set_pair(struct pairs *p, size_t i, uint64_t merge)
{
	p->rank[i] = (uint32_t)(merge >> 32);
	p->id[i] = (uint32_t)merge;
}

static size_t least_of(const struct pairs *p, size_t n)
{
	if (n > FEW)
		return text_least(p->rank, n);
	size_t best = 0;
	for (size_t i = 1; i < n; i++)
		if (p->rank[i] < p->rank[best])
			best = i;
	return best;
}

/* n symbols with their lengths alongside, in place; returns how many are left. Those that were
 * merged into one before them are out of `alive`. */
static size_t merge_scan(
	const struct bpe *b, uint32_t *ids, uint32_t *lens, struct pairs *pairs, size_t n)
{
	uint64_t alive = ~(uint64_t)0 >> (64 - n);
	for (size_t i = n - 1; i % TEXT_LANES || i == n - 1; i++)
		set_pair(pairs, i, UINT64_MAX);
	for (;;) {
		size_t best = least_of(pairs, n);
		if (pairs->rank[best] == UINT32_MAX)
			break;
		/* Bits behind `best`; there is one, and after it there may be another. */
		uint64_t behind = alive & ~(uint64_t)1 << best,
			 before = alive & (((uint64_t)1 << best) - 1);
		size_t gone = (size_t)__builtin_ctzll(behind);
		alive &= ~((uint64_t)1 << gone);
		behind &= behind - 1;
		ids[best] = pairs->id[best];
		lens[best] += lens[gone];
		set_pair(pairs, gone, UINT64_MAX);
		set_pair(pairs, best,
			behind ? merges_find(&b->merges, ids[best], ids[__builtin_ctzll(behind)])
			       : UINT64_MAX);
		if (before) {
			size_t left = 63 - (size_t)__builtin_clzll(before);
			set_pair(pairs, left, merges_find(&b->merges, ids[left], ids[best]));
		}
	}
	size_t out = 0;
	for (; alive; alive &= alive - 1, out++) {
		size_t i = (size_t)__builtin_ctzll(alive);
		ids[out] = ids[i];
		lens[out] = lens[i];
	}
	return out;
}

static void heap_push(struct bpe_merger *st, uint64_t v)
{
	if (st->nheap == st->heapcap)
		mem_grow(&st->heap, &st->heapcap, st->nheap + 1, sizeof *st->heap);
	size_t i = st->nheap++;
	for (; i && st->heap[(i - 1) / 2] > v; i = (i - 1) / 2)
		st->heap[i] = st->heap[(i - 1) / 2];
	st->heap[i] = v;
}

static uint64_t heap_pop(struct bpe_merger *st)
{
	uint64_t top = st->heap[0], v = st->heap[--st->nheap];
	size_t i = 0, n = st->nheap;
	for (size_t c; (c = 2 * i + 1) < n; i = c) {
		if (c + 1 < n && st->heap[c + 1] < st->heap[c])
			c++;
		if (st->heap[c] >= v)
			break;
		st->heap[i] = st->heap[c];
	}
	st->heap[i] = v;
	return top;
}

static void heap_pair(const struct bpe *b, struct bpe_merger *st, size_t left, size_t right)
{
	uint64_t m = merges_find(&b->merges, st->sym[left].id, st->sym[right].id);
	if (m != UINT64_MAX)
		heap_push(st, (m & ~(uint64_t)UINT32_MAX) | left);
}

static size_t merge_heap(
	const struct bpe *b, struct bpe_merger *st, uint32_t *ids, uint32_t *lens, size_t n)
{
	mem_grow(&st->sym, &st->symcap, n, sizeof *st->sym);
	struct bpe_symbol *sym = st->sym;
	for (size_t i = 0; i < n; i++)
		sym[i] = (struct bpe_symbol){
			ids[i], lens[i], (uint32_t)i, i + 1 < n ? (uint32_t)i + 2 : 0};
	st->nheap = 0;
	for (size_t i = 0; i + 1 < n; i++)
		heap_pair(b, st, i, i + 1);
	while (st->nheap) {
		uint64_t top = heap_pop(st);
		size_t i = top & UINT32_MAX;
		if (!sym[i].len || !sym[i].next)
			continue;
		size_t r = sym[i].next - 1;
		uint64_t m = merges_find(&b->merges, sym[i].id, sym[r].id);
		if (m == UINT64_MAX || m >> 32 != top >> 32)
			continue; /* the pair that was there has been merged away */
		sym[i].id = (uint32_t)m;
		sym[i].len += sym[r].len;
		sym[r].len = 0;
		sym[i].next = sym[r].next;
		if (sym[i].next) {
			sym[sym[i].next - 1].prev = (uint32_t)i + 1;
			heap_pair(b, st, i, sym[i].next - 1);
		}
		if (sym[i].prev)
			heap_pair(b, st, sym[i].prev - 1, i);
	}
	size_t out = 0;
	for (size_t i = 0; i < n; i++)
		if (sym[i].len) {
			ids[out] = sym[i].id;
			lens[out++] = sym[i].len;
		}
	return out;
}

size_t bpe_merge(const struct bpe *b, struct bpe_merger *m, uint32_t *ids, uint32_t *lens, size_t n)
{
	struct pairs pairs;
	if (n > SCAN_MAX)
		return merge_heap(b, m, ids, lens, n);
	for (size_t i = 0; i + 1 < n; i++)
		set_pair(&pairs, i, merges_find(&b->merges, ids[i], ids[i + 1]));
	return merge_scan(b, ids, lens, &pairs, n);
}

size_t bpe_merge_bytes(const struct bpe *b, struct bpe_merger *m, const uint8_t *bytes,
	uint32_t *ids, uint32_t *lens, size_t n)
{
	struct pairs pairs;
	if (n > SCAN_MAX)
		return merge_heap(b, m, ids, lens, n);
	for (size_t i = 0; i + 1 < n; i++)
		set_pair(&pairs, i, b->byte_pairs[bytes[i] << 8 | bytes[i + 1]]);
	return merge_scan(b, ids, lens, &pairs, n);
}
