#include "common/tokenizer/words.h"

#include "common/mem.h"
#include "common/tokenizer/memo.h"
#include "common/tokenizer/norm.h"
#include "common/tokenizer/unicode.h"
#include "common/utf8.h"
#include "kernels/text.h"

#include <string.h>

/*
 * A text is cut in front of s[i] when begins[s[i]] & ends[s[i - 1]]. Every blank of ASCII that a word may
 * begin with has its own bit; no blank ends a word, so that blanks in a row stay together.
 */
struct words {
	uint8_t begins[256], ends[256];
	const struct charsmap *map; /* of a normalizer that goes by graphemes; NULL: none does */
};

/* ---- the proof ------------------------------------------------------------------------------------ */

static const char blanks[] = " \t\n\v\f\r";
enum { BLANKS = sizeof blanks - 1 };

static int is_a(const struct pretok *p, const char *type)
{
	return strcmp(p->kind->type, type) == 0;
}

/* Whether all normalizers go character by character, or look no further than a blank. (What is put in
 * front of the whole changes its first word only, which is never taken from another place; but of a
 * first word that may have vanished by then it would be the second.) */
static int is_local(const struct tokenizer *t)
{
	int may_vanish = 0;
	for (size_t i = 0; i < t->nnorms; i++) {
		const struct norm *n = &t->norms[i];
		if (n->kind->reach == NORM_FAR && !norm_replaces_space(n))
			return 0;
		if (n->kind->reach == NORM_FRONT && may_vanish)
			return 0;
		may_vanish |= n->kind->reach == NORM_NEAR;
		if (n->charsmap && i > 0) /* whose graphemes are not those of the text */
			return 0;
	}
	return 1;
}

static int leaves_other_characters(const struct tokenizer *t)
{
	for (size_t i = 0; i < t->nnorms; i++)
		if (t->norms[i].kind->reach == NORM_NEAR)
			return 0;
	return 1;
}

/* Whether it is asked afterwards what unknown tokens stood for: a word that came before does not tell. */
static int is_trimmed(const struct tokenizer *t)
{
	for (size_t i = 0; i < t->nposts; i++)
		if (t->posts[i].trim)
			return 1;
	return 0;
}

/* What the normalizers make of a blank within a text. */
static int normal_blank(struct encoder *enc, char blank, struct str *out)
{
	struct ntext n = {.s = &blank, .len = 1};
	struct err e;
	str_reset(out);
	if (norm_run(enc->t, enc, &n, 0, &e))
		return -1;
	str_add(out, n.s, n.len);
	return 0;
}

/* Blanks are dropped before anything else is done: words do not see each other. Those that normalizing
 * takes away are like letters. */
static void cut_dropped(struct words *w, struct encoder *enc, struct str *s)
{
	for (int k = 0; k < BLANKS; k++) {
		int blank = !normal_blank(enc, blanks[k], s) && s->len;
		for (size_t i = 0; i < s->len;)
			blank &= uni_is_space(uni_next((const uint8_t *)s->s, &i));
		w->begins[(uint8_t)blanks[k]] = (uint8_t)(blank << k);
	}
	memset(w->ends, 0xff, sizeof w->ends);
}

/* A space becomes a mark in front of which the pre-tokenizer cuts. */
static void cut_marked(struct words *w, struct encoder *enc, struct str *s)
{
	w->begins[' '] = !normal_blank(enc, ' ', s) && s->len == 1 && *s->s == ' ';
	memset(w->ends, 0xff, sizeof w->ends);
}

/* Blanks become characters (spaces are marks by then) that no merge joins to the one before. The last byte
 * of a wide one does not say whether it is a mark itself: those that may be do not end a word. */
static void cut_merged(struct words *w, struct encoder *enc, struct str *s)
{
	enum { MARK_END = 0x81 };
	uint8_t(*joined)[CUT_CLASSES] = enc->t->bpe.joined;
	const struct pretok *p = enc->t->npretoks ? enc->t->pretoks : NULL;
	int metaspace = p && is_a(p, "Metaspace");
	for (int k = 0; k < BLANKS; k++) {
		size_t i = 0;
		char mark[4];
		int space = !normal_blank(enc, blanks[k], s) && s->len == 1 && *s->s == ' ';
		if (metaspace && space) {
			str_reset(s);
			str_add(s, mark, utf8_put(p->delimiter, mark));
		} else if (metaspace ? p->prepend == PREPEND_ALWAYS : p && space) {
			continue; /* it would get a mark in front, or be split at */
		}
		if (!s->len)
			continue;
		int class = bpe_cut_class(s->s, &i);
		w->begins[(uint8_t)blanks[k]] = (uint8_t)(1 << k);
		for (int c = 0; c < 256; c++)
			if (c < 0x80 ? !joined[c][class]
				     : c != MARK_END && !joined[CUT_OTHER][class])
				w->ends[c] |= (uint8_t)(1 << k);
	}
}

/* Whether the whole text is one piece. */
static int is_one_piece(const struct tokenizer *t)
{
	const struct pretok *p = t->pretoks;
	return !t->npretoks ||
	       (t->npretoks == 1 && (is_a(p, "Metaspace") ||
					    (is_a(p, "Split") && pattern_is_space(p->pattern))));
}

struct words *words_find(const struct tokenizer *t)
{
	const struct pretok *p = t->pretoks;
	void (*cut)(struct words * w, struct encoder * enc, struct str * s) = NULL;
	if (t->added.normalized.n || !is_local(t) || is_trimmed(t))
		return NULL;
	if (t->npretoks && (is_a(p, "WhitespaceSplit") || is_a(p, "Whitespace")))
		cut = cut_dropped;
	else if (t->npretoks == 1 && is_a(p, "Metaspace") && p->regex)
		cut = cut_marked;
	else if (is_one_piece(t) && t->bpe.joined && leaves_other_characters(t))
		cut = cut_merged;
	if (!cut)
		return NULL;
	struct words *w = mem_zalloc(1, sizeof *w);
	struct encoder *enc = encoder_new(t);
	struct str s = {0};
	str_reserve(&s, 0);
	w->map = t->nnorms ? t->norms[0].charsmap : NULL;
	cut(w, enc, &s);
	for (int k = 0; k < BLANKS; k++)
		w->ends[(uint8_t)blanks[k]] = 0;
	if (!w->begins[' ']) {
		mem_free(w);
		w = NULL;
	}
	str_done(&s);
	encoder_free(enc);
	return w;
}

/* ---- cutting -------------------------------------------------------------------------------------- */

enum { STRETCH = 4096, BLOCK = 32 };

/* Where in a text the search for blanks stands. */
struct search {
	const uint8_t *s;
	size_t len, from, to, at; /* the stretch; the block of it whose bits are in `left` */
	uint64_t left;
	struct text_block block[STRETCH / TEXT_BLOCK];
};

/* Goes on to a block with blanks; 0: there is none. */
static int more_blanks(struct search *b)
{
	while (!b->left) {
		b->at += TEXT_BLOCK;
		if (b->at >= b->to) {
			if (b->to == b->len)
				return 0;
			b->at = b->from = b->to;
			b->to = b->len - b->from < STRETCH ? b->len : b->from + STRETCH;
			text_classify(b->s + b->from, b->to - b->from, b->block);
		}
		b->left = b->block[(b->at - b->from) / TEXT_BLOCK].is[TEXT_BLANK];
	}
	return 1;
}

/* Whether no grapheme reaches across the blank's beginning, or from it to what follows. */
static int stands_apart(const struct search *b, size_t i)
{
	return (b->s[i - 1] < 0x80 || uni_grapheme(b->s, uni_prev(b->s, i), i + 1) == i) &&
	       (i + 1 == b->len || b->s[i + 1] < 0x80 || uni_grapheme(b->s, i, b->len) == i + 1);
}

/* The next places to cut at, at most n; fewer: there are no more. */
static size_t next_cuts(const struct words *w, struct search *b, uint32_t *cuts, size_t most)
{
	size_t n = 0;
	while (n < most && more_blanks(b)) {
		size_t i = b->at + (size_t)__builtin_ctzll(b->left);
		b->left &= b->left - 1;
		if (i && (w->begins[b->s[i]] & w->ends[b->s[i - 1]]) &&
			(!w->map || stands_apart(b, i)))
			cuts[n++] = (uint32_t)i;
	}
	return n;
}

/* A short word that came before: a cache line. */
enum { WORD_IDS = 7 };
struct word {
	uint64_t key[MEMO_SHORT_KEY];
	uint32_t ids[WORD_IDS];
	uint8_t at[WORD_IDS][2], n; /* [from, to) in it, by id */
};
struct word_memo {
	struct memo memo;
	struct encoding made; /* of the word that comes to it */
};

struct word_memo *word_memo_new(void)
{
	struct word_memo *m = mem_zalloc(1, sizeof *m);
	memo_init(&m->memo, sizeof(struct word));
	encoding_reserve(&m->made, MEMO_IDS);
	return m;
}

void word_memo_free(struct word_memo *m)
{
	if (!m)
		return;
	memo_done(&m->memo);
	encoding_done(&m->made);
	mem_free(m);
}

/* There is room. All ids that an entry may have are copied: a branch on how many cannot be foretold. */
static inline void put(struct encoding *out, uint32_t from, const uint32_t *ids,
	const uint8_t (*at)[2], size_t most, size_t n)
{
	memcpy(out->ids + out->n, ids, most * sizeof *ids);
	for (size_t i = 0; out->offsets && i < n; i++) {
		out->offsets[out->n + i][0] = from + at[i][0];
		out->offsets[out->n + i][1] = from + at[i][1];
	}
	out->n += n;
}

/* Keeps m->made, whose word of len bytes is at `from`, unless it is too much or stands elsewhere. */
static void keep(struct word_memo *m, const uint64_t *key, size_t from, size_t len)
{
	const struct encoding *made = &m->made;
	uint8_t at[MEMO_IDS][2];
	if (made->n > MEMO_IDS)
		return;
	for (size_t i = 0; i < made->n; i++) {
		if (made->offsets[i][0] < from || made->offsets[i][1] > from + len)
			return;
		at[i][0] = (uint8_t)(made->offsets[i][0] - from);
		at[i][1] = (uint8_t)(made->offsets[i][1] - from);
	}
	if (len <= MEMO_SHORT && made->n <= WORD_IDS) {
		struct word *p = memo_add_short(&m->memo, key);
		memcpy(p->ids, made->ids, made->n * sizeof *p->ids);
		memcpy(p->at, at, made->n * sizeof *at);
		p->n = (uint8_t)made->n;
		return;
	}
	struct memo_long *p = memo_add_long(&m->memo, key);
	memcpy(p->ids, made->ids, made->n * sizeof *p->ids);
	memcpy(p->at, at, made->n * sizeof *at);
	p->n = (uint8_t)made->n;
}

/* What is not among the short ones. */
static __attribute__((noinline)) int other_word(struct encoder *enc, const struct ntext *t,
	size_t from, size_t to, struct encoding *out, struct err *e)
{
	struct word_memo *m = enc->words;
	size_t len = to - from;
	uint64_t key[MEMO_LONG_KEY];
	if (len <= MEMO_LONG) {
		memo_long_key(key, t->s + from, len);
		const struct memo_long *p = memo_find_long(&m->memo, key);
		if (p) {
			put(out, t->base + (uint32_t)from, p->ids, p->at, MEMO_IDS, p->n);
			return 0;
		}
	}
	struct ntext word = ntext_slice(t, from, to);
	encoding_reset(&m->made);
	if (encode_section(enc, &word, 0, &m->made, e))
		return -1;
	if (len <= MEMO_LONG)
		keep(m, key, word.base, len);
	encoding_reserve(out, m->made.n);
	memcpy(out->ids + out->n, m->made.ids, m->made.n * sizeof *out->ids);
	if (out->offsets)
		memcpy(out->offsets + out->n, m->made.offsets, m->made.n * sizeof *out->offsets);
	out->n += m->made.n;
	return 0;
}

/* Words between n + 1 cuts, at most a block: all are fetched before the first is looked at. */
static int encode_block(struct encoder *enc, const struct ntext *t, const uint32_t *cuts, size_t n,
	struct encoding *out, struct err *e)
{
	uint64_t keys[BLOCK][MEMO_SHORT_KEY];
	struct memo *m = &enc->words->memo;
	const char *end = t->s + t->len;
	void *at[BLOCK];
	memo_fit(m);
	for (size_t i = 0; i < n; i++) {
		size_t len = cuts[i + 1] - cuts[i];
		if (len > MEMO_SHORT)
			continue;
		memo_short_key(keys[i], t->s + cuts[i], len, end);
		at[i] = memo_set(m, keys[i], sizeof(struct word));
		__builtin_prefetch(at[i]);
		__builtin_prefetch((struct word *)at[i] + 1);
	}
	for (size_t i = 0; i < n; i++) {
		size_t len = cuts[i + 1] - cuts[i];
		const struct word *p =
			len <= MEMO_SHORT ? memo_find_short(at[i], keys[i], sizeof *p) : NULL;
		encoding_reserve(out, MEMO_IDS);
		if (p)
			put(out, t->base + cuts[i], p->ids, p->at, WORD_IDS, p->n);
		else if (other_word(enc, t, cuts[i], cuts[i + 1], out, e))
			return -1;
	}
	return 0;
}

int words_encode(struct encoder *enc, const struct ntext *t, struct encoding *out, struct err *e)
{
	const struct words *w = enc->t->words;
	/* What vanishes there puts all that follows out of its place. */
	if (w->map && charsmap_drops(w->map, t->s, t->len))
		return encode_section(enc, t, 1, out, e);
	struct search b = {.s = (const uint8_t *)t->s, .len = t->len};
	uint32_t cuts[BLOCK + 1];
	size_t n = next_cuts(w, &b, cuts, 1);
	struct ntext first = ntext_slice(t, 0, n ? cuts[0] : t->len);
	if (encode_section(enc, &first, 1, out, e))
		return -1;
	while (n) {
		n = next_cuts(w, &b, cuts + 1, BLOCK);
		if (n < BLOCK)
			cuts[n + 1] = (uint32_t)t->len;
		if (encode_block(enc, t, cuts, n < BLOCK ? n + 1 : n, out, e))
			return -1;
		if (n < BLOCK)
			return 0;
		cuts[0] = cuts[BLOCK];
	}
	return 0;
}
