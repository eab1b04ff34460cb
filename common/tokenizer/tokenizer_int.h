/*
 * What the files of common/tokenizer/ share. The way of a text, as in the tokenizers library: added
 * tokens are cut out (added.c), what is left is normalised (norm.c), normalised added tokens are
 * cut out, the rest is split into pieces (split.c, splitter.c, pattern.c), each piece goes through
 * the model (bpe.c, or one of model.c's), and the post-processor (post.c) has the last word. Where it
 * makes no difference, words go that way one by one, and once only (words.c).
 * decode.c is the way back.
 *
 * Normalizers, pre-tokenizers, post-processors and decoders are tables: a row is the type's name in
 * tokenizer.json and its functions. A Sequence is not a row: it is laid out flat on loading.
 */
#ifndef COMMON_TOKENIZER_TOKENIZER_INT_H
#define COMMON_TOKENIZER_TOKENIZER_INT_H

#include "common/err.h"
#include "common/fingerprint.h"
#include "common/mapped.h"
#include "common/str.h"
#include "common/tokenizer/tokenizer.h"
#include "common/tokenizer/vocab.h"
#include "common/tokenizer/window.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Longer input is refused: positions are 32 bits, and normalizing may make text longer. */
#define TEXT_LIMIT ((size_t)1 << 29)

/* ---- text under way -------------------------------------------------------------------------- */

/* Text with the place in the input that each of its bytes came from. */
struct ntext {
	const char *s;
	size_t len;
	const struct span *align; /* by byte; NULL: s is the input itself, from byte `base` on */
	uint32_t base;		  /* where in the input what it was made of begins */
};

/* The place of one byte: never less than a whole character of the input. */
static inline struct span ntext_at(const struct ntext *t, size_t i)
{
	if (t->align)
		return t->align[i];
	size_t from = i, to = i + 1;
	while (from > 0 && ((uint8_t)t->s[from] & 0xc0) == 0x80)
		from--;
	while (to < t->len && ((uint8_t)t->s[to] & 0xc0) == 0x80)
		to++;
	return (struct span){t->base + (uint32_t)from, t->base + (uint32_t)to};
}

static inline struct ntext ntext_slice(const struct ntext *t, size_t from, size_t to)
{
	return (struct ntext){.s = t->s + from,
		.len = to - from,
		.align = t->align ? t->align + from : NULL,
		.base = t->base + (uint32_t)from};
}

/* A text being written. */
struct nbuf {
	struct str text;
	struct span *align;
	size_t cap;
};
void nbuf_reset(struct nbuf *b);
void nbuf_done(struct nbuf *b);
void nbuf_put(
	struct nbuf *b, const void *p, size_t n, struct span at); /* all n bytes come from `at` */
void nbuf_copy(struct nbuf *b, const struct ntext *t, size_t from, size_t to);
struct ntext nbuf_text(const struct nbuf *b); /* valid until the next put or reset */

struct spans {
	struct span *v;
	size_t n, cap;
};
void spans_add(struct spans *s, size_t from, size_t to);
struct span *spans_room(struct spans *s, size_t more); /* where the next ones go */

/* ---- parts of tokenizer.json ----------------------------------------------------------------- */

struct encoder;

/* A pattern of Split or Replace, and where it matches. */
struct pattern;
/* Oniguruma's syntax, compiled by PCRE2 with the library's classes; literal: not a regex. */
int pattern_new(struct pattern **p, const char *s, size_t len, int literal, struct err *e);
void pattern_free(struct pattern *p);
/* Reads {"String": …} or {"Regex": …}, or a plain string. */
int pattern_load(struct pattern **p, const json_t *v, const char *of, struct err *e);
const char *pattern_text(const struct pattern *p); /* as in the file; NULL for a literal */
int pattern_is_space(const struct pattern *p);	   /* the literal of one space; NULL is none */
struct pattern_state *pattern_state_new(void);	   /* one thread's */
void pattern_state_free(struct pattern_state *st);
/* All matches, as the library goes from one to the next: an empty one right behind another is none.
 * Begins zeroed. 1 found, 0 no more, -1 too costly. */
struct pattern_cursor {
	size_t at, last;
	int any;
};
int pattern_next(const struct pattern *p, struct pattern_state *st, const char *s, size_t len,
	struct pattern_cursor *c, struct span *m, struct err *e);
/* The next match at or after *from: 1 found (m), 0 none, -1 too costly. */
int pattern_find(const struct pattern *p, struct pattern_state *st, const char *s, size_t len,
	size_t from, struct span *m, struct err *e);

struct norm {
	const struct norm_kind *kind;
	struct charsmap *charsmap;
	struct pattern *pattern;
	char *content;
	size_t len;
	int left, right;
};
/* What a normalizer looks at to make something of a character. */
enum norm_reach {
	NORM_FAR,   /* anything */
	NORM_NEAR,  /* that character, and others beside it with no ASCII blank between */
	NORM_FRONT, /* nothing: it puts something in front of the whole */
};
struct norm_kind {
	const char *type;
	int (*load)(struct norm *n, const json_t *v, struct err *e); /* NULL: nothing to load */
	/* 0: the text is as it was; 1: the new one is in out; -1: error. */
	int (*run)(const struct norm *n, struct encoder *enc, const struct ntext *in,
		struct nbuf *out, struct err *e);
	enum norm_reach reach;
};

/* Writes pieces of the window's text from `from` on, at most max; returns how many. They cover the
 * text without gaps. */
typedef size_t splitter(struct window *w, size_t from, struct span *pieces, size_t max);
enum { SPLITTER_PATTERNS = 3 };
struct splitter_row {
	splitter *split;
	enum uni_view view; /* what the window shows it */
	/* As files have them: each cuts the pieces that the one before it made, and what lies between
	 * matches is a piece. */
	const char *pattern[SPLITTER_PATTERNS];
};
extern const struct splitter_row splitter_table[]; /* the first is GPT-2's; ends with NULL */
/* The row of the patterns that n ones begin with; NULL: none is written for them. */
const struct splitter_row *splitter_find(const char *const *patterns, size_t n);

enum pretok_prepend { PREPEND_ALWAYS, PREPEND_FIRST, PREPEND_NEVER };
struct pretok {
	const struct pretok_kind *kind;
	struct pattern *pattern;
	const struct splitter_row *split; /* by hand, instead of the pattern */
	int behavior, invert, prefix, regex, map;
	uint32_t delimiter;
	enum pretok_prepend prepend; /* of Metaspace */
	size_t length;
	uint8_t ascii[128]; /* kind->is of the characters below 0x80 */
};
/* The text and its pieces so far; a step replaces the pieces, and may replace the text. */
struct pieces {
	struct ntext text;
	struct spans cur, next;
	struct nbuf buf[2];
	int flip;
	size_t k, done; /* cutting: the piece of cur, and how far */
};
struct pretok_kind {
	const char *type;
	int (*load)(struct pretok *p, const json_t *v, struct err *e);
	int (*run)(const struct pretok *p, struct encoder *enc, struct pieces *w, struct err *e);
	/* Those whose matches are single characters: whether c is one. */
	int (*is)(const struct pretok *p, uint32_t c);
};

/*
 * The merges of BPE, by open addressing: most pairs that are looked up have none, so a slot is
 * small: 24 bits each for left, right, rank and what they become. MERGE_NONE in the first 48: an
 * empty slot.
 */
struct merge {
	uint16_t pair[3], rest[3];
};
#define MERGE_NONE (((uint64_t)1 << 48) - 1)
enum { MERGE_MAX = 1 << 24 };
struct merges {
	struct merge *slots;
	size_t nslots; /* below 2^32 */
};
static inline int merges_is_empty(const struct merge *s)
{
	return (s->pair[0] & s->pair[1] & s->pair[2]) == UINT16_MAX;
}
static inline uint64_t merges_pair(uint32_t left, uint32_t right)
{
	return left | (uint64_t)right << 24;
}
/* Where looking for the pair begins. */
static inline size_t merges_slot(const struct merges *m, uint64_t pair)
{
	return (pair * 0x9e3779b97f4a7c15u >> 32) * m->nslots >> 32;
}
/* Rank << 32 | id of the pair's merge; UINT64_MAX: it has none. */
static inline uint64_t merges_find(const struct merges *m, uint32_t left, uint32_t right)
{
	uint64_t pair = merges_pair(left, right);
	size_t i = merges_slot(m, pair);
	for (;;) {
		const struct merge *s = &m->slots[i];
		uint64_t head; /* the pair and 16 bits of the rank */
		uint32_t tail; /* 8 bits of the rank, the id */
		memcpy(&head, s, sizeof head);
		memcpy(&tail, (const char *)s + sizeof head, sizeof tail);
		if ((head & MERGE_NONE) == pair)
			return (head >> 48 | (uint64_t)(tail & 0xff) << 16) << 32 | tail >> 8;
		if ((head & MERGE_NONE) == MERGE_NONE)
			return UINT64_MAX;
		i = i + 1 == m->nslots ? 0 : i + 1;
	}
}
enum { CUT_MARK = 128, CUT_OTHER, CUT_CLASSES }; /* below: ASCII; CUT_MARK: U+2581 */
enum { BPE_CHARS = 1 << 16, BPE_PAIRS = 1 << 16 };
struct bpe {
	/* Pieces are raw bytes, not mapped by ByteLevel. Then `words`, which whole pieces are
	 * looked up in, is `raw`: the vocabulary with its characters mapped back to bytes. */
	int bytes;
	struct vocab raw;
	const struct vocab *words;
	/* Symbols: of a byte, of a byte as <0xNN> (byte_fallback), of a code point below 0x10000.
	 * UINT32_MAX: none. */
	uint32_t byte_id[256], fallback[256], *char_id; /* [BPE_CHARS] */
	struct merges merges;
	/* Of two bytes, as merges_find has it: where merging begins. NULL unless `bytes`. */
	uint64_t *byte_pairs; /* [BPE_PAIRS] */
	/* Of characters below 0x10000 whose bytes merge to one token before anything else happens
	 * to them: that token, and where that holds. 0: no such character, or without `bytes`. */
	uint32_t *ready; /* [BPE_CHARS]; enum bpe_ready | id + 1 */
	long unk;
	char *unk_token, *prefix, *suffix;
	int fuse_unk, byte_fallback, ignore_merges;
	/* Whether some token has characters of these classes side by side, left and right; NULL:
	 * not known. Where none has, a piece may be cut. */
	uint8_t (*joined)[CUT_CLASSES];
};
/* What stands beside the character, on each side that has something. */
enum bpe_ready { READY_WIDE = 1 << 29, READY_ASCII = 1 << 30, READY_ID = (1 << 29) - 1 };
/* A merge as the file has it; its place in the list is its rank. */
struct listed_merge {
	uint32_t a, b, id;
};
/* Makes `ready`: needs byte_id, merges, byte_pairs. raw: as bytes, the tokens that are; ids of merges
 * are below nids. */
void bpe_find_ready(struct bpe *b, const struct vocab *raw, size_t nids,
	const struct listed_merge *list, size_t n);
/* The model's options, and the text of its "merges", where has_tables is not so. Needs
 * t->vocab and t->pretoks. */
int bpe_load(struct tokenizer *t, const json_t *model, struct json_text merges, struct err *e);
void bpe_done(struct bpe *b);
/* The class of the character at s[*i], *i moved behind it. */
static inline int bpe_cut_class(const char *s, size_t *i)
{
	const uint8_t *u = (const uint8_t *)s + *i;
	if (*u < 0x80) {
		*i += 1;
		return *u;
	}
	*i += *u < 0xe0 ? 2 : *u < 0xf0 ? 3 : 4;
	return u[0] == 0xe2 && u[1] == 0x96 && u[2] == 0x81 ? CUT_MARK : CUT_OTHER;
}
struct bpe_state *bpe_state_new(void);
void bpe_state_free(struct bpe_state *st);
/* Ids one after the other, and where in the text their bytes are (at NULL: nobody asks). There is
 * room for as many ids as the text has bytes, and for BPE_SLACK more. */
struct bpe_out {
	uint32_t *ids, (*at)[2];
	size_t n;
};
enum { BPE_BLOCK = 32, BPE_SLACK = 3 };
/* Pieces of t, none empty, → their ids. Returns how many pieces it did, or -1: it stops at a piece
 * with a byte that has no symbol, which is for bpe_encode_mapped. */
long bpe_encode(const struct bpe *b, struct bpe_state *st, const struct ntext *t,
	const struct span *pieces, size_t n, struct bpe_out *out, struct err *e);
/* One piece in characters of ByteLevel's alphabet; returns how many ids, or -1. */
long bpe_encode_mapped(const struct bpe *b, struct bpe_state *st, const char *s, size_t len,
	struct bpe_out *out, struct err *e);

struct added_token {
	char *content, *norm; /* norm: its normalised form, when it is another */
	size_t len, normlen;
	uint32_t id;
	int single_word, lstrip, rstrip, normalized, special, as_text;
};
/* Patterns sorted by their bytes, searched by narrowing. */
struct added_set {
	const struct added_token **v; /* sorted by their bytes; no two alike */
	uint32_t *within;   /* the longest other that it begins with, from 1 on; 0: none */
	size_t n, longest;  /* longest: of them, in bytes */
	size_t common;	    /* so many bytes they all begin with */
	uint8_t first[256]; /* 1: some token begins with that byte */
};
struct added {
	/* As in the file. Of those alike the last counts, the others have no id. */
	struct added_token *v;
	size_t n;
	struct vocab contents; /* by number in v */
	struct added_set raw, normalized;
	const struct added_token **by_id; /* from first_id on, NULL between */
	uint32_t first_id;
	size_t nids;
};
int added_load(struct tokenizer *t, const json_t *list, struct err *e);
/* Special tokens in a text are text like any other. */
void added_split_special(struct added *a);
void added_done(struct added *a);
const struct added_token *added_by_id(const struct added *a, uint32_t id);
const struct added_token *added_by_content(const struct added *a, const char *s, size_t len);
/* Whether one may begin in [from, to) of s. */
int added_may_begin(const struct added_set *set, const char *s, size_t from, size_t to);
/* As it is decoded, and whether it is left out with special tokens: when what is decoded is one's content. */
const char *added_decoded(const struct added_token *a, size_t *len);
int added_is_skipped(const struct added *a, const struct added_token *token);
/* Where a search stands: `done` is behind `search` where a token took blanks after it. Starts at 0.
 */
struct added_cursor {
	size_t search, done;
};
/* The next token: 1 found, and m is what it takes of the text, blanks around it included. */
int added_find(const struct added_set *set, const char *s, size_t len, struct added_cursor *at,
	struct span *m, const struct added_token **which);

struct post {
	const struct post_kind *kind;
	int trim, prefix_space;
	uint32_t *before, *after; /* a template's tokens around the text */
	size_t nbefore, nafter;
};
struct post_kind {
	const char *type;
	int (*load)(struct post *p, const struct tokenizer *t, const json_t *v, struct err *e);
};
/* The blanks at the ends of what an id stands for, where that is not its token: an added one with what it
 * took, Unigram's unknown one. */
struct blanks {
	size_t at, leading, trailing; /* at: the id's place among those of the text */
};
void post_note(struct encoder *enc, size_t at, const char *s, size_t len);
/* What was encoded of the text is out from `start` on. */
void post_run(struct encoder *enc, const char *text, size_t len, int add_special,
	struct encoding *out, size_t start);

/* Tokens being decoded: their bytes one after the other, and where each ends. */
struct pieces_text {
	struct str text;
	size_t *ends, n, cap;
};
void pieces_text_end(struct pieces_text *l); /* what was written since the last end is one token */
struct decoder {
	const struct decoder_kind *kind;
	struct pattern *pattern;
	char *content, *delimiter;
	size_t len, start, stop;
	int flag;
};
struct decoder_kind {
	const char *type;
	int (*load)(struct decoder *d, const json_t *v, struct err *e);
	int (*run)(const struct decoder *d, struct encoder *enc, const struct pieces_text *in,
		struct pieces_text *out, struct err *e);
};

/* Each reads one part of the file (null: none, a Sequence: several) and appends to the tokenizer's.
 */
int norm_load(struct tokenizer *t, const json_t *v, struct err *e);
int pretok_load(struct tokenizer *t, const json_t *v, struct err *e);
int post_load(struct tokenizer *t, const json_t *v, struct err *e);
int decoder_load(struct tokenizer *t, const json_t *v, struct err *e);
void norm_done(struct norm *n);
void pretok_done(struct pretok *p);
void post_done(struct post *p);
void decoder_done(struct decoder *d);
/* Whether the text begins with what stands nowhere in the input: what Replace put in front of everything.
 * The library's steps that write texts anew panic on that, or double it. */
static inline int ntext_is_nowhere(const struct ntext *t)
{
	return t->align && t->len && t->align[0].from == t->align[0].to;
}
/* All pre-tokenizers over a text, a batch of pieces of enc->pieces.text at a time; pretok_next
 * returns how many. */
int pretok_begin(
	const struct tokenizer *t, struct encoder *enc, const struct ntext *text, struct err *e);
size_t pretok_next(const struct tokenizer *t, struct encoder *enc, const struct span **pieces);
/* All normalizers over *t, which is changed to what they make of it. first: not from the midst of a text,
 * where nothing is put in front. */
int norm_run(const struct tokenizer *tok, struct encoder *enc, struct ntext *t, int first,
	struct err *e);

/* ---- the whole ------------------------------------------------------------------------------- */

struct tokenizer {
	struct vocab vocab; /* of the model, as in the file */
	const struct model_kind *model;
	struct bpe bpe;	  /* that model … */
	void *model_data; /* … or another's own (model.h) */
	struct added added;
	struct norm *norms;
	size_t nnorms;
	struct pretok *pretoks;
	size_t npretoks;
	struct post *posts;
	size_t nposts;
	struct decoder *decoders;
	size_t ndecoders;
	int joins; /* there is a decoder, be it a sequence of none: tokens are not put apart */
	const char *class; /* tokenizer_class */
	long bos, eos;
	int adds_bos, adds_eos;
	struct words *words; /* NULL: texts go as a whole */
	char fingerprint[FINGERPRINT_LEN];
	/* Where the tables of vocab and bpe are: a file (p), or another's (shares), else their own. */
	struct mapped compiled;
	struct tokenizer *shares;
	int refs;	 /* others that share this one's */
	int unsaved;	 /* to be compiled for the next time, when it is freed */
	struct str rest; /* tokenizer.json without the tables */
};

/* Whether vocab and bpe have their tables before the model is read. */
static inline int has_tables(const struct tokenizer *t)
{
	return t->compiled.p || t->shares;
}

/* The last token of the best way to a place. */
struct path_node {
	double score;
	uint32_t from, id; /* from: UINT32_MAX: there is no way yet */
};

struct encoder {
	const struct tokenizer *t;
	struct bpe_state *bpe;
	struct pattern_state *pattern;
	struct word_memo *words; /* NULL unless t->words */
	struct nbuf norm[2];
	int flip;
	struct pieces pieces;
	struct window window;
	struct nbuf mapped;	/* a piece of text being made over */
	struct path_node *path; /* Unigram's, by byte of the piece */
	size_t path_cap;
	struct blanks *blanks;
	size_t nblanks, blanks_cap;
	struct pieces_text dec[2];
};

/* Text between added tokens through normalizers, pre-tokenizers and model; first: as norm_run. */
int encode_section(
	struct encoder *enc, const struct ntext *t, int first, struct encoding *out, struct err *e);
/* Appends an id that stands for [from, to) of t. */
void encoding_put(struct encoding *out, uint32_t id, const struct ntext *t, size_t from, size_t to);

/* ByteLevel's alphabet: the printable character that stands for each byte, and back (-1: none). */
uint32_t bytelevel_char(uint8_t byte);
int bytelevel_byte(uint32_t c);
/* The bytes that a text in those characters stands for, at most len of them; -1: it has others. */
long bytelevel_bytes(char *out, const char *s, size_t len);
/* Bytes of t as those characters, each standing where its byte does. */
void bytelevel_map(struct nbuf *out, const struct ntext *t, size_t from, size_t to);

/*
 * Calls fn for each part of v: none when null, several when a Sequence (whose list is named
 * `list`). fn returns 0, -1, or PART_UNKNOWN; errors get "what: type" in front.
 */
enum { PART_UNKNOWN = 1 };
int part_each(const json_t *v, const char *what, const char *list,
	int (*fn)(void *arg, const char *type, const json_t *v, struct err *e), void *arg,
	struct err *e);

enum { PART_NEEDED = -1 }; /* in place of a default: the member must be there */
/* Members of a part: 0, or -1 with "'type': 'key' …" when there but of another type. */
int part_bool(const json_t *v, const char *key, int otherwise, int *out, struct err *e);
int part_size(const json_t *v, const char *key, size_t otherwise, size_t *out, struct err *e);
/* Not there or null: *out is NULL. The caller frees. */
int part_text(const json_t *v, const char *key, char **out, size_t *len, struct err *e);
int part_char(const json_t *v, const char *key, uint32_t otherwise, uint32_t *out, struct err *e);

#endif
