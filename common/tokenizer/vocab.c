/* A vocabulary: token → id by open addressing over one blob of bytes, id → token by index. */
#include "common/tokenizer/tokenizer_int.h"

#include "common/mem.h"

#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

int vocab_add(struct vocab *v, const char *s, size_t len, uint64_t id, struct err *e)
{
	if (id >= VOCAB_MAX_ID)
		return err_data(e, "token id %llu is beyond the limit of %d",
			(unsigned long long)id, VOCAB_MAX_ID - 1);
	if (v->blob.len + len >= UINT32_MAX)
		return err_data(e, "the vocabulary is over 4 GiB of text");
	if (id >= v->nids) {
		mem_grow(&v->at, &v->cap, id + 1, sizeof *v->at);
		while (v->nids <= id)
			v->at[v->nids++] = (struct span){UINT32_MAX, UINT32_MAX};
	}
	v->count += v->at[id].from == UINT32_MAX;
	v->at[id].from = (uint32_t)v->blob.len;
	str_add(&v->blob, s, len);
	v->at[id].to = (uint32_t)v->blob.len;
	return 0;
}

const char *vocab_token(const struct vocab *v, uint32_t id, size_t *len)
{
	if (id >= v->nids || v->at[id].from == UINT32_MAX)
		return NULL;
	*len = v->at[id].to - v->at[id].from;
	return v->blob.s + v->at[id].from;
}

/* Where the token is, or the empty slot where it would be; *tag is its. */
static struct vocab_slot *slot_of(const struct vocab *v, const char *s, size_t len, uint32_t *tag)
{
	size_t mask = v->nslots - 1;
	uint64_t hash = XXH3_64bits(s, len);
	*tag = (uint32_t)(hash >> 32);
	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		struct vocab_slot *slot = &v->slots[i];
		if (!slot->next)
			return slot;
		if (slot->tag != *tag)
			continue;
		struct span at = v->at[slot->next - 1];
		if (at.to - at.from == len && !memcmp(v->blob.s + at.from, s, len))
			return slot;
	}
}

void vocab_index(struct vocab *v)
{
	v->nslots = 16;
	while (v->nslots < 2 * v->nids)
		v->nslots *= 2;
	v->slots = mem_zalloc(v->nslots, sizeof *v->slots);
	for (size_t id = 0; id < v->nids; id++) {
		size_t len;
		const char *s = vocab_token(v, (uint32_t)id, &len);
		uint32_t tag;
		if (s) {
			struct vocab_slot *slot = slot_of(v, s, len, &tag);
			*slot = (struct vocab_slot){tag, (uint32_t)id + 1};
		}
	}
}

long vocab_find(const struct vocab *v, const char *s, size_t len)
{
	uint32_t tag;
	return (long)slot_of(v, s, len, &tag)->next - 1;
}

void vocab_done(struct vocab *v)
{
	str_done(&v->blob);
	mem_free(v->at);
	mem_free(v->slots);
	*v = (struct vocab){0};
}
