/*
 * Unigram: of all ways to cut a piece into tokens, the one whose scores have the largest sum. As in the
 * library: sums in double from left to right, of equal ones the one that was found first (the longer
 * last token). Where no token is a single character, an unknown one stands there, ten below the
 * lowest score; unknown ones in a row are one.
 */
#include "common/tokenizer/model.h"

#include "common/mem.h"
#include "common/tokenizer/json_tables.h"
#include "common/tokenizer/trie.h"
#include "common/tokenizer/unicode.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define UNK_PENALTY 10.0

struct unigram {
	struct trie trie;
	double *scores; /* by id */
	double unk_score;
	long unk; /* -1: none */
	int byte_fallback;
	uint32_t fallback[256]; /* ids of <0xNN>, TRIE_NONE: none */
};

/* ---- loading -------------------------------------------------------------------------------------- */

struct loading {
	struct unigram *u;
	struct vocab *v;
	size_t n, cap;
	double lowest;
};

static int add_token(void *arg, const struct json_text *token, double score, struct err *e)
{
	struct loading *l = arg;
	if (vocab_add(l->v, token->s, token->len, l->n, e))
		return -1;
	mem_grow(&l->u->scores, &l->cap, l->n + 1, sizeof *l->u->scores);
	l->u->scores[l->n++] = score;
	if (score < l->lowest)
		l->lowest = score;
	return 0;
}

static void build_trie(struct unigram *u, const struct vocab *v)
{
	struct trie_key *keys = mem_alloc(v->nids, sizeof *keys);
	size_t n = 0;
	for (uint32_t id = 0; id < v->nids; id++) {
		struct trie_key *k = &keys[n];
		k->s = vocab_token(v, id, &k->len);
		k->value = id;
		n += k->len > 0;
	}
	trie_build(&u->trie, keys, n);
	mem_free(keys);
}

int unigram_load(struct tokenizer *t, const struct model_json *m, struct err *e)
{
	struct unigram *u = t->model_data = mem_zalloc(1, sizeof *u);
	struct loading l = {.u = u, .v = &t->vocab, .lowest = INFINITY};
	const json_t *unk = json_object_get(m->options, "unk_id");
	if (!m->vocab.s || *m->vocab.s != '[')
		return err_data(e, "'vocab' is not an array");
	if (json_tables_scored(m->vocab, add_token, &l, e) ||
		part_bool(m->options, "byte_fallback", 0, &u->byte_fallback, e) ||
		vocab_index(&t->vocab, e))
		return -1;
	u->unk = json_is_integer(unk) ? (long)json_integer_value(unk) : -1;
	if (unk && !json_is_null(unk) && (u->unk < 0 || (size_t)u->unk >= l.n))
		return err_data(e, "'unk_id' is not the place of a token");
	u->unk_score = l.lowest - UNK_PENALTY;
	for (int c = 0; c < 256; c++) {
		char name[8];
		int n = snprintf(name, sizeof name, "<0x%02X>", (unsigned)c);
		long id = vocab_find(&t->vocab, name, (size_t)n);
		u->fallback[c] = id < 0 ? TRIE_NONE : (uint32_t)id;
	}
	build_trie(u, &t->vocab);
	return 0;
}

void unigram_done(void *data)
{
	struct unigram *u = data;
	trie_done(&u->trie);
	mem_free(u->scores);
	mem_free(u);
}

/* ---- the best way --------------------------------------------------------------------------------- */

static inline void better(struct path_node *end, double score, uint32_t from, uint32_t id)
{
	if (end->from == UINT32_MAX || score > end->score)
		*end = (struct path_node){score, from, id};
}

/* best[i]: the last token of the best way to i. */
static int search(const struct unigram *u, const uint8_t *s, size_t len, struct path_node *best,
	struct err *e)
{
	for (size_t i = 0; i <= len; i++)
		best[i] = (struct path_node){0, UINT32_MAX, 0};
	for (size_t i = 0, next; i < len; i = next) {
		double here = best[i].score;
		uint32_t node = TRIE_ROOT;
		int single = 0;
		next = i + uni_len(s[i]);
		for (size_t k = i; k < len && (node = trie_step(&u->trie, node, s[k])) != TRIE_NONE;
			k++) {
			uint32_t id = u->trie.v[node].value;
			if (id == TRIE_NONE)
				continue;
			better(&best[k + 1], u->scores[id] + here, (uint32_t)i, id);
			single |= k + 1 == next;
		}
		if (single)
			continue;
		if (u->unk < 0)
			return err_data(e, "an unknown character, and the model has no 'unk_id'");
		better(&best[next], u->unk_score + here, (uint32_t)i, (uint32_t)u->unk);
	}
	return 0;
}

/* The links point backwards; turned round, best[i] is the token that begins at i, .from where it ends. */
static void turn_round(struct path_node *best, size_t len)
{
	struct path_node n = best[len];
	for (uint32_t to = (uint32_t)len; to > 0;) {
		struct path_node before = best[n.from];
		uint32_t from = n.from;
		best[from] = (struct path_node){n.score, to, n.id};
		to = from;
		n = before;
	}
}

/* Unknown ones in a row may be a token together, or bytes. */
static void put_unknown(
	struct encoder *enc, const struct ntext *text, size_t from, size_t to, struct encoding *out)
{
	const struct tokenizer *t = enc->t;
	const struct unigram *u = t->model_data;
	const char *s = text->s + from;
	size_t len = to - from, k = 0;
	long id = vocab_find(&t->vocab, s, len);
	while (id < 0 && u->byte_fallback && k < len && u->fallback[(uint8_t)s[k]] != TRIE_NONE)
		k++;
	if (k < len) {
		post_note(enc, out->n, s, len);
		encoding_put(out, (uint32_t)(id < 0 ? u->unk : id), text, from, to);
		return;
	}
	for (k = 0; k < len; k++)
		encoding_put(out, u->fallback[(uint8_t)s[k]], text, from, to);
}

int unigram_encode(const struct tokenizer *t, struct encoder *enc, const struct ntext *text,
	struct span piece, struct encoding *out, struct err *e)
{
	const struct unigram *u = t->model_data;
	size_t len = piece.to - piece.from;
	mem_grow(&enc->path, &enc->path_cap, len + 1, sizeof *enc->path);
	struct path_node *best = enc->path;
	if (search(u, (const uint8_t *)text->s + piece.from, len, best, e))
		return -1;
	turn_round(best, len);
	for (size_t from = 0, to; from < len; from = to) {
		uint32_t id = best[from].id;
		to = best[from].from;
		if (u->unk < 0 || id != (uint32_t)u->unk) {
			encoding_put(out, id, text, piece.from + from, piece.from + to);
			continue;
		}
		while (to < len && best[to].id == (uint32_t)u->unk)
			to = best[to].from;
		put_unknown(enc, text, piece.from + from, piece.from + to, out);
	}
	return 0;
}
