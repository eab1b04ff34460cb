#include "common/tokenizer/vocab.h"

#include "common/mem.h"

#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

void vocab_reserve(struct vocab *v, size_t ids, size_t bytes)
{
	v->cap = ids < VOCAB_MAX_ID ? ids : VOCAB_MAX_ID;
	v->at = mem_table(v->cap, sizeof *v->at);
	v->blob = (struct str){.s = mem_table(bytes + 1, 1), .cap = bytes + 1};
	*v->blob.s = 0;
}

int vocab_add(struct vocab *v, const char *s, size_t len, uint64_t id, struct err *e)
{
	if (id >= VOCAB_MAX_ID)
		return err_data(e, "token id %llu is beyond the limit of %d",
			(unsigned long long)id, VOCAB_MAX_ID - 1);
	if (v->blob.len + len >= UINT32_MAX)
		return err_data(e, "the vocabulary is over 4 GiB of text");
	if (id >= v->nids) {
		if (id >= v->cap)
			mem_grow(&v->at, &v->cap, id + 1, sizeof *v->at);
		while (v->nids <= id)
			v->at[v->nids++] = (struct span){UINT32_MAX, UINT32_MAX};
	}
	if (v->at[id].from != UINT32_MAX) {
		struct span at = v->at[id];
		if (at.to - at.from == len && same_bytes(v->blob.s + at.from, s, len))
			return 0;
		return err_data(e, "'%.*s' and '%.*s' have one id, %llu",
			(int)(at.to - at.from < 60 ? at.to - at.from : 60), v->blob.s + at.from,
			(int)(len < 60 ? len : 60), s, (unsigned long long)id);
	}
	v->count++;
	v->at[id].from = (uint32_t)v->blob.len;
	if (v->blob.cap - v->blob.len <= len)
		str_reserve(&v->blob, len);
	memcpy(v->blob.s + v->blob.len, s, len);
	v->blob.len += len;
	v->blob.s[v->blob.len] = 0;
	v->at[id].to = (uint32_t)v->blob.len;
	return 0;
}

static uint64_t hash_of(const char *s, size_t len)
{
	return XXH3_64bits(s, len);
}

/* The first slot, from the i-th on, that is the hash's or empty. */
static struct vocab_slot *like_it(const struct vocab *v, uint64_t hash, size_t i)
{
	while (v->slots[i].next && v->slots[i].tag != (uint32_t)(hash >> 32))
		i = (i + 1) & (v->nslots - 1);
	return &v->slots[i];
}

/* Where the token is, or the empty slot where it would be; from: like_it's first. */
static struct vocab_slot *slot_of(
	const struct vocab *v, uint64_t hash, const char *s, size_t len, struct vocab_slot *from)
{
	while (from->next) {
		struct span at = v->at[from->next - 1];
		if (at.to - at.from == len && same_bytes(v->blob.s + at.from, s, len))
			break;
		from = like_it(v, hash, (size_t)(from - v->slots + 1) & (v->nslots - 1));
	}
	return from;
}

/* What is looked for: all of a batch is fetched from memory before any is looked at. */
struct search {
	struct json_text token;
	uint64_t hash;
	struct vocab_slot *slot;
};

static void search(const struct vocab *v, struct search *q, size_t n)
{
	size_t mask = v->nslots - 1;
	for (size_t i = 0; i < n; i++) {
		q[i].hash = hash_of(q[i].token.s, q[i].token.len);
		__builtin_prefetch(&v->slots[q[i].hash & mask]);
	}
	for (size_t i = 0; i < n; i++) {
		q[i].slot = like_it(v, q[i].hash, q[i].hash & mask);
		if (q[i].slot->next)
			__builtin_prefetch(&v->at[q[i].slot->next - 1]);
	}
	for (size_t i = 0; i < n; i++)
		if (q[i].slot->next)
			__builtin_prefetch(v->blob.s + v->at[q[i].slot->next - 1].from);
	for (size_t i = 0; i < n; i++)
		q[i].slot = slot_of(v, q[i].hash, q[i].token.s, q[i].token.len, q[i].slot);
}

void vocab_find_many(const struct vocab *v, const struct json_text *tokens, size_t n, long *ids)
{
	struct search q[VOCAB_MANY];
	for (size_t i = 0; i < n; i++)
		q[i].token = tokens[i];
	search(v, q, n);
	for (size_t i = 0; i < n; i++)
		ids[i] = (long)q[i].slot->next - 1;
}

long vocab_find(const struct vocab *v, const char *s, size_t len)
{
	uint64_t hash = hash_of(s, len);
	return (long)slot_of(v, hash, s, len, like_it(v, hash, hash & (v->nslots - 1)))->next - 1;
}

int vocab_index(struct vocab *v, struct err *e)
{
	struct {
		uint64_t hash;
		uint32_t id;
	} ahead[VOCAB_MANY];
	v->nslots = 16;
	while (v->nslots < 2 * v->count)
		v->nslots *= 2;
	v->slots = mem_table(v->nslots, sizeof *v->slots);
	memset(v->slots, 0, v->nslots * sizeof *v->slots);
	for (uint32_t id = 0; id < v->nids;) {
		size_t n = 0, len;
		for (; id < v->nids && n < VOCAB_MANY; id++) {
			const char *s = vocab_token(v, id, &len);
			if (!s)
				continue;
			ahead[n].id = id;
			ahead[n].hash = hash_of(s, len);
			__builtin_prefetch(&v->slots[ahead[n++].hash & (v->nslots - 1)], 1);
		}
		for (size_t i = 0; i < n; i++) {
			uint64_t hash = ahead[i].hash;
			const char *s = vocab_token(v, ahead[i].id, &len);
			size_t from = hash & (v->nslots - 1);
			struct vocab_slot *slot = slot_of(v, hash, s, len, like_it(v, hash, from));
			if ((((size_t)(slot - v->slots) - from) & (v->nslots - 1)) > HASH_RUN_MAX)
				return err_data(e, "tokens that were chosen to be slow");
			uint32_t old = slot->next;
			v->twice |= old != 0;
			if (!old || v->at[old - 1].from <= v->at[ahead[i].id].from)
				*slot = (struct vocab_slot){
					(uint32_t)(hash >> 32), ahead[i].id + 1};
		}
	}
	return 0;
}

void vocab_drop_others(struct vocab *v)
{
	for (uint32_t id = 0; v->twice && id < v->nids; id++) {
		size_t len;
		const char *s = vocab_token(v, id, &len);
		if (s && vocab_find(v, s, len) != (long)id) {
			v->at[id] = (struct span){UINT32_MAX, UINT32_MAX};
			v->count--;
		}
	}
}

void vocab_done(struct vocab *v)
{
	str_done(&v->blob);
	mem_free(v->at);
	mem_free(v->slots);
	*v = (struct vocab){0};
}
