/*
 * Which strings of a set a text begins with: a double array (Aoe 1989). A node is a place in it; its
 * child by a byte is at base ^ byte, and is one when it names the node as its parent.
 */
#ifndef COMMON_TOKENIZER_TRIE_H
#define COMMON_TOKENIZER_TRIE_H

#include <stddef.h>
#include <stdint.h>

enum { TRIE_ROOT = 0 };
#define TRIE_NONE UINT32_MAX

struct trie_node {
	uint32_t base, parent; /* parent: TRIE_NONE where nothing is */
	uint32_t value;	       /* TRIE_NONE: no string ends here */
};
struct trie {
	struct trie_node *v;
	size_t n, cap;
};

struct trie_key {
	const char *s;
	size_t len;
	uint32_t value;
	uint64_t head; /* its first bytes as a number; trie_build fills it in */
};
/* Keys in any order (they are sorted here), none empty; of equal ones the largest value counts. */
void trie_build(struct trie *t, struct trie_key *keys, size_t n);
void trie_done(struct trie *t);

/* The child of a node, TRIE_NONE where there is none. */
static inline uint32_t trie_step(const struct trie *t, uint32_t node, uint8_t byte)
{
	uint32_t next = t->v[node].base ^ byte;
	return t->v[next].parent == node ? next : TRIE_NONE;
}

#endif
