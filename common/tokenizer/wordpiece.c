/*
 * WordPiece: the longest token that a word begins with, then the longest one with the continuing prefix
 * that the rest begins with, and so on; a word that cannot be cut so is unknown as a whole. One trie
 * does both: what continues a word is looked for behind the prefix's node.
 */
#include "common/tokenizer/model.h"

#include "common/mem.h"
#include "common/tokenizer/trie.h"
#include "common/tokenizer/unicode.h"

#include <string.h>

struct wordpiece {
	struct trie trie;
	uint32_t inside; /* the prefix's node, TRIE_NONE: no token has it */
	size_t longest;	 /* characters of a word that is looked at */
	char *unk;
};

static void build(struct wordpiece *w, const struct vocab *v, const char *prefix)
{
	struct trie_key *keys = mem_alloc(v->nids, sizeof *keys);
	size_t n = 0;
	for (uint32_t id = 0; id < v->nids; id++) {
		struct trie_key *k = &keys[n];
		k->value = id;
		k->s = vocab_token(v, id, &k->len);
		n += k->s && k->len > 0;
	}
	trie_build(&w->trie, keys, n);
	mem_free(keys);
	w->inside = TRIE_ROOT;
	for (; *prefix && w->inside != TRIE_NONE; prefix++)
		w->inside = trie_step(&w->trie, w->inside, (uint8_t)*prefix);
}

int wordpiece_load(struct tokenizer *t, const struct model_json *m, struct err *e)
{
	struct wordpiece *w = t->model_data = mem_zalloc(1, sizeof *w);
	char *prefix;
	size_t len;
	if (part_text(m->options, "continuing_subword_prefix", &prefix, &len, e))
		return -1;
	if (prefix)
		build(w, &t->vocab, prefix);
	mem_free(prefix);
	if (!prefix)
		return err_data(e, "there is no 'continuing_subword_prefix'");
	if (part_text(m->options, "unk_token", &w->unk, &len, e) ||
		part_size(m->options, "max_input_chars_per_word", SIZE_MAX, &w->longest, e))
		return -1;
	if (!w->unk)
		return err_data(e, "there is no 'unk_token'");
	return w->longest < SIZE_MAX ? 0 : err_data(e, "there is no 'max_input_chars_per_word'");
}

void wordpiece_done(void *data)
{
	struct wordpiece *w = data;
	trie_done(&w->trie);
	mem_free(w->unk);
	mem_free(w);
}

/* The longest token from `node` on; returns its end, 0: there is none. */
static size_t longest(const struct wordpiece *w, uint32_t node, const char *s, size_t from,
	size_t len, uint32_t *id)
{
	size_t end = 0;
	for (size_t i = from; i < len && node != TRIE_NONE; i++) {
		node = trie_step(&w->trie, node, (uint8_t)s[i]);
		if (node != TRIE_NONE && w->trie.v[node].value != TRIE_NONE) {
			*id = w->trie.v[node].value;
			end = i + 1;
		}
	}
	return end;
}

static int is_too_long(const char *s, size_t len, size_t most)
{
	size_t n = 0;
	for (size_t i = 0; i < len && n <= most; i += uni_len((uint8_t)s[i]))
		n++;
	return n > most;
}

int wordpiece_encode(const struct tokenizer *t, struct encoder *enc, const struct ntext *text,
	struct span piece, struct encoding *out, struct err *e)
{
	(void)enc;
	const struct wordpiece *w = t->model_data;
	const char *s = text->s + piece.from;
	size_t len = piece.to - piece.from, first = out->n, from = 0;
	int bad = is_too_long(s, len, w->longest);
	while (!bad && from < len) {
		uint32_t id;
		size_t to = longest(w, from ? w->inside : TRIE_ROOT, s, from, len, &id);
		bad = !to;
		if (!bad)
			encoding_put(out, id, text, piece.from + from, piece.from + to);
		from = to;
	}
	if (!bad)
		return 0;
	out->n = first;
	long unk = model_unknown(t, w->unk, e);
	if (unk < 0)
		return -1;
	encoding_put(out, (uint32_t)unk, text, piece.from, piece.to);
	return 0;
}
