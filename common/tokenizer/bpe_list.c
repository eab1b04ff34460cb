#include "common/tokenizer/bpe_list.h"

#include "common/mem.h"
#include "common/tokenizer/json_tables.h"

#include <string.h>

enum { LEAST_MERGE = 4 }; /* bytes in the file, with its comma: "\" \"," */

struct reading {
	const struct bpe_list *l;
	struct bpe_list_part *part;
	uint32_t last; /* what the merge before made: mostly the next makes it too, or the next
			  token */
	struct str word;
};

static int is_token(
	const struct vocab *v, uint32_t id, const struct json_text *a, const char *b, size_t blen)
{
	size_t len;
	const char *s = vocab_token(v, id, &len);
	return s && len == a->len + blen && same_bytes(s, a->s, a->len) &&
	       same_bytes(s + a->len, b, blen);
}

static long made(struct reading *r, const struct json_text *a, const char *b, size_t blen)
{
	const struct vocab *v = r->l->vocab;
	for (uint32_t id = r->last; id < r->last + 2; id++)
		if (is_token(v, id, a, b, blen))
			return (long)id;
	str_reset(&r->word);
	str_add(&r->word, a->s, a->len);
	str_add(&r->word, b, blen);
	return vocab_find(v, r->word.s, r->word.len);
}

static int add_merge(struct reading *r, struct json_text pair[2], const long ids[2], struct err *e)
{
	const struct json_text *a = &pair[0], *b = &pair[1];
	size_t prefix = r->l->prefix;
	if (b->len < prefix)
		return err_data(e, "'%.*s' is shorter than the continuing_subword_prefix",
			(int)(b->len < 60 ? b->len : 60), b->s);
	if (r->part->n == MERGE_MAX)
		return err_data(e, "over %d of them", MERGE_MAX);
	long id = made(r, a, b->s + prefix, b->len - prefix);
	if (ids[0] < 0 || ids[1] < 0 || id < 0) {
		const struct json_text word = {r->word.s, r->word.len}, *no = ids[0] < 0   ? a
									      : ids[1] < 0 ? b
											   : &word;
		return err_data(e, "'%.*s' is not in the vocabulary",
			(int)(no->len < 60 ? no->len : 60), no->s);
	}
	r->last = (uint32_t)id;
	r->part->v[r->part->n++] =
		(struct listed_merge){(uint32_t)ids[0], (uint32_t)ids[1], (uint32_t)id};
	return 0;
}

static int add_merges(void *arg, struct json_text (*pairs)[2], size_t n, struct err *e)
{
	_Static_assert(2 * JSON_TABLES_BATCH <= VOCAB_MANY, "all sides are looked for at once");
	struct reading *r = arg;
	long ids[JSON_TABLES_BATCH][2];
	vocab_find_many(r->l->vocab, *pairs, 2 * n, *ids);
	for (size_t i = 0; i < n; i++)
		if (add_merge(r, pairs[i], ids[i], e))
			return -1;
	return 0;
}

static struct listed_merge *room(size_t bytes)
{
	size_t most = bytes / LEAST_MERGE + 1;
	return mem_table(most < MERGE_MAX ? most : MERGE_MAX, sizeof(struct listed_merge));
}

int bpe_list_open(struct bpe_list *l, struct json_text text, const struct vocab *vocab,
	size_t prefix, struct err *e)
{
	struct json_text parts[BPE_LIST_PARTS];
	*l = (struct bpe_list){.vocab = vocab, .prefix = prefix};
	l->nparts = json_tables_split(text, parts, BPE_LIST_PARTS, e);
	for (size_t i = 0; i < l->nparts; i++) {
		l->part[i].items = parts[i];
		l->part[i].v = room(i ? parts[i].len : text.len);
	}
	l->v = l->part[0].v;
	return l->nparts ? 0 : -1;
}

void bpe_list_read(struct bpe_list *l, size_t i)
{
	struct bpe_list_part *p = &l->part[i];
	struct reading r = {.l = l, .part = p};
	str_reserve(&r.word, 0);
	p->rc = json_tables_merges(p->items, l->nparts == 1, add_merges, &r, &p->err);
	str_done(&r.word);
}

int bpe_list_join(struct bpe_list *l, struct err *e)
{
	for (size_t i = 0; i < l->nparts; i++) {
		struct bpe_list_part *p = &l->part[i];
		if (p->rc) {
			*e = p->err;
			return err_prefix(e, "merges: number %zu", l->n + p->n + 1);
		}
		if (p->n > MERGE_MAX - l->n)
			return err_data(e, "merges: over %d of them", MERGE_MAX);
		if (i)
			memcpy(l->v + l->n, p->v, p->n * sizeof *p->v);
		l->n += p->n;
	}
	return 0;
}

void bpe_list_done(struct bpe_list *l)
{
	for (size_t i = 0; i < l->nparts; i++)
		mem_free(l->part[i].v);
}
