/* A vocabulary: token → id by open addressing over one blob of bytes, id → token by index. */
#ifndef COMMON_TOKENIZER_VOCAB_H
#define COMMON_TOKENIZER_VOCAB_H

#include "common/err.h"
#include "common/str.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	uint32_t from, to;
};

/* Text that lies in JSON, or a string of it. */
struct json_text {
	const char *s; /* NULL: not there */
	size_t len;
};

/* memcmp, without the call where they are as short as most tokens. */
static inline int same_bytes(const char *a, const char *b, size_t n)
{
	uint64_t x[4];
	uint32_t y[4];
	if (n > 16)
		return !memcmp(a, b, n);
	if (n >= 8) {
		memcpy(&x[0], a, 8);
		memcpy(&x[1], b, 8);
		memcpy(&x[2], a + n - 8, 8);
		memcpy(&x[3], b + n - 8, 8);
		return x[0] == x[1] && x[2] == x[3];
	}
	if (n >= 4) {
		memcpy(&y[0], a, 4);
		memcpy(&y[1], b, 4);
		memcpy(&y[2], a + n - 4, 4);
		memcpy(&y[3], b + n - 4, 4);
		return y[0] == y[1] && y[2] == y[3];
	}
	return !n || (a[0] == b[0] && a[n / 2] == b[n / 2] && a[n - 1] == b[n - 1]);
}

/* Tokens by id and by bytes. Ids may have holes. */
struct vocab {
	struct str blob;
	struct span *at;	 /* by id: where in the blob; from == UINT32_MAX: no such id */
	size_t nids, cap, count; /* ids are below nids; count: those that there are */
	int twice;		 /* some token has several ids; the one added last is found */
	/* Hash table: id + 1 (0: empty), and other bits of the hash, so that a look at the slot is
	 * mostly enough. */
	struct vocab_slot {
		uint32_t tag, next;
	} * slots;
	size_t nslots;
};
enum { VOCAB_MAX_ID = (1 << 24) - 1 };
/* Tokens or merges that are looked for in this many slots one after the other were made to be: that file
 * is refused, before it takes for ever. Of 16 million at random the longest row is some hundred. */
enum { HASH_RUN_MAX = 4096 };
/* vocab_add before vocab_index, vocab_find after it. */
void vocab_reserve(struct vocab *v, size_t ids, size_t bytes); /* of an empty one */
int vocab_add(struct vocab *v, const char *s, size_t len, uint64_t id, struct err *e);
int vocab_index(struct vocab *v, struct err *e);
/* After it: a token has only the id that is found. */
void vocab_drop_others(struct vocab *v);
long vocab_find(const struct vocab *v, const char *s, size_t len); /* -1: not there */
/* The same of many, which do not wait for memory one after the other. At most VOCAB_MANY. */
enum { VOCAB_MANY = 64 };
void vocab_find_many(const struct vocab *v, const struct json_text *tokens, size_t n, long *ids);
/* NULL: no such id. */
static inline const char *vocab_token(const struct vocab *v, uint32_t id, size_t *len)
{
	if (id >= v->nids || v->at[id].from == UINT32_MAX)
		return NULL;
	*len = v->at[id].to - v->at[id].from;
	return v->blob.s + v->at[id].from;
}
void vocab_done(struct vocab *v);

#endif
