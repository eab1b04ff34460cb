/*
 * The table of pre-tokenizers. A step cuts every piece into smaller ones; where it changes the text
 * (a prefix, a replacement) it writes a new one with its pieces.
 */
#include "common/tokenizer/split.h"

#include "common/mem.h"
#include "common/tokenizer/unicode.h"

#include <string.h>

/* ---- pieces from matches ----------------------------------------------------------------------- */

enum behavior { REMOVED, ISOLATED, MERGED_WITH_PREVIOUS, MERGED_WITH_NEXT, CONTIGUOUS };
static const char *const behaviors[] = {
	"Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous", NULL};

/* A piece being cut: told of its matches from left to right, it makes spans of `next`. */
struct cutter {
	struct spans *out;
	enum behavior how;
	int invert;
	size_t first; /* of out: pieces before it are not ours */
	int was,
		pending; /* the part before was a match; the last span may be joined by what follows */
};

static void part(struct cutter *c, size_t from, size_t to, int match)
{
	struct spans *o = c->out;
	int any = o->n > c->first;
	match ^= c->invert;
	switch (c->how) {
	case REMOVED:
		if (!match)
			spans_add(o, from, to);
		break;
	case ISOLATED:
		spans_add(o, from, to);
		break;
	case CONTIGUOUS:
		if (any && match == c->was)
			o->v[o->n - 1].to = (uint32_t)to;
		else
			spans_add(o, from, to);
		break;
	case MERGED_WITH_PREVIOUS:
		if (any && match && !c->was)
			o->v[o->n - 1].to = (uint32_t)to;
		else
			spans_add(o, from, to);
		break;
	case MERGED_WITH_NEXT:
		/* Of matches in a row only the last goes with what follows. */
		if (any && !match && c->was)
			o->v[o->n - 1].to = (uint32_t)to;
		else
			spans_add(o, from, to);
		break;
	}
	c->was = match;
}

static struct cutter cutter_new(const struct pretok *p, struct pieces *w)
{
	return (struct cutter){.out = &w->next,
		.how = (enum behavior)p->behavior,
		.invert = p->invert,
		.first = w->next.n};
}

/* Matches that are single characters of some kind. */
static int run_chars(const struct pretok *p, struct encoder *enc, struct pieces *w, struct err *e)
{
	(void)enc, (void)e;
	const uint8_t *s = (const uint8_t *)w->text.s;
	for (size_t k = 0; k < w->cur.n; k++) {
		struct cutter c = cutter_new(p, w);
		size_t from = w->cur.v[k].from, to = w->cur.v[k].to;
		for (size_t i = from, next; i < to; i = next) {
			next = i;
			if (s[i] < 0x80 && !p->ascii[s[i]]) {
				next++;
				continue;
			}
			if (!p->kind->is(p, uni_next(s, &next)))
				continue;
			if (from < i)
				part(&c, from, i, 0);
			part(&c, i, next, 1);
			from = next;
		}
		if (from < to)
			part(&c, from, to, 0);
	}
	return 0;
}

/* Empty pieces, which empty matches make, have had their say in what is joined to what. */
static void drop_empty(struct spans *o, size_t from)
{
	size_t n = from;
	for (size_t i = from; i < o->n; i++)
		if (o->v[i].from < o->v[i].to)
			o->v[n++] = o->v[i];
	o->n = n;
}

static int cut_pattern(const struct pretok *p, struct encoder *enc, struct pieces *w, struct err *e)
{
	for (size_t k = 0; k < w->cur.n; k++) {
		struct cutter c = cutter_new(p, w);
		size_t base = w->cur.v[k].from, len = w->cur.v[k].to - base, done = 0;
		const char *s = w->text.s + base;
		struct pattern_cursor at = {0};
		struct span m;
		int rc, empty = 0;
		while ((rc = pattern_next(p->pattern, enc->pattern, s, len, &at, &m, e)) > 0) {
			if (done < m.from)
				part(&c, base + done, base + m.from, 0);
			part(&c, base + m.from, base + m.to, 1);
			empty |= m.from == m.to;
			done = m.to;
		}
		if (rc < 0)
			return -1;
		if (done < len)
			part(&c, base + done, base + len, 0);
		if (empty)
			drop_empty(&w->next, c.first);
	}
	return 0;
}

enum { BATCH = 256 };

/* Adds pieces of the pieces w->k and up to `next`, at most a batch; 0: there are no more. */
static size_t cut_batch(const struct pretok *p, struct encoder *enc, struct pieces *w)
{
	while (w->k < w->cur.n) {
		size_t base = w->cur.v[w->k].from, len = w->cur.v[w->k].to - base;
		struct span *out = spans_room(&w->next, BATCH);
		if (!w->done)
			window_begin(&enc->window, w->text.s + base, len, p->split->view);
		size_t n = w->done < len ? p->split->split(&enc->window, w->done, out, BATCH) : 0;
		if (!n) {
			w->k++;
			w->done = 0;
			continue;
		}
		w->done = out[n - 1].to;
		for (size_t i = 0; base && i < n; i++) {
			out[i].from += (uint32_t)base;
			out[i].to += (uint32_t)base;
		}
		w->next.n += n;
		return n;
	}
	return 0;
}

int split_by_hand(const struct pretok *p, struct encoder *enc, struct pieces *w)
{
	w->k = w->done = 0;
	while (cut_batch(p, enc, w))
		;
	return 0;
}

/* ---- Split ------------------------------------------------------------------------------------- */

static int load_behavior(struct pretok *p, const json_t *v, const char *otherwise, struct err *e)
{
	const json_t *b = json_object_get(v, "behavior");
	const char *name = b && !json_is_null(b) ? json_string_value(b) : otherwise;
	for (int i = 0; name && behaviors[i]; i++)
		if (strcmp(behaviors[i], name) == 0) {
			p->behavior = i;
			return 0;
		}
	return err_data(e, "behavior '%s' is not known", name ? name : "");
}

static int load_split(struct pretok *p, const json_t *v, struct err *e)
{
	if (load_behavior(p, v, NULL, e) || part_bool(v, "invert", 0, &p->invert, e) ||
		pattern_load(&p->pattern, json_object_get(v, "pattern"), "pattern", e))
		return -1;
	/* Those of one pattern match everything: what is between matches is nothing. */
	const char *text = pattern_text(p->pattern);
	if (text && (p->invert ? p->behavior == REMOVED : p->behavior == ISOLATED))
		p->split = splitter_find(&text, 1);
	return 0;
}

static int run_split(const struct pretok *p, struct encoder *enc, struct pieces *w, struct err *e)
{
	return p->split ? split_by_hand(p, enc, w) : cut_pattern(p, enc, w, e);
}

/* ---- those that look at single characters -------------------------------------------------------- */

static int load_digits(struct pretok *p, const json_t *v, struct err *e)
{
	int each;
	if (part_bool(v, "individual_digits", 0, &each, e))
		return -1;
	p->behavior = each ? ISOLATED : CONTIGUOUS;
	return 0;
}

static int is_digit(const struct pretok *p, uint32_t c)
{
	(void)p;
	return uni_is_numeric(c);
}

static int load_punctuation(struct pretok *p, const json_t *v, struct err *e)
{
	return load_behavior(p, v, "Isolated", e);
}

static int is_punct(const struct pretok *p, uint32_t c)
{
	(void)p;
	return uni_is_punct(c);
}

static int load_delimiter(struct pretok *p, const json_t *v, struct err *e)
{
	p->behavior = REMOVED;
	if (!json_object_get(v, "delimiter"))
		return err_data(e, "'delimiter' is not there");
	return part_char(v, "delimiter", 0, &p->delimiter, e);
}

static int is_delimiter(const struct pretok *p, uint32_t c)
{
	return c == p->delimiter;
}

static int is_space(const struct pretok *p, uint32_t c)
{
	(void)p;
	return uni_is_space(c);
}

/* \w+|[^\w\s]+ */
static int run_whitespace(
	const struct pretok *p, struct encoder *enc, struct pieces *w, struct err *e)
{
	(void)p, (void)enc, (void)e;
	const uint8_t *s = (const uint8_t *)w->text.s;
	for (size_t k = 0; k < w->cur.n; k++) {
		size_t from = w->cur.v[k].from, to = w->cur.v[k].to;
		int was =
			-1; /* class of the piece that begins at from: 1 word, 0 other, -1 blanks */
		for (size_t i = from, next; i < to; i = next) {
			next = i;
			uint32_t c = uni_next(s, &next);
			int is = uni_is_space(c) ? -1 : uni_is_word(c);
			if (is == was)
				continue;
			if (was >= 0)
				spans_add(&w->next, from, i);
			from = i;
			was = is;
		}
		if (was >= 0)
			spans_add(&w->next, from, to);
	}
	return 0;
}

static const struct pretok_kind kinds[] = {
	{"Split", load_split, run_split, NULL},
	{"ByteLevel", split_bytelevel_load, split_bytelevel, NULL},
	{"Metaspace", split_metaspace_load, split_metaspace, NULL},
	{"Digits", load_digits, run_chars, is_digit},
	{"Punctuation", load_punctuation, run_chars, is_punct},
	{"Whitespace", NULL, run_whitespace, NULL},
	{"WhitespaceSplit", NULL, run_chars, is_space}, /* Removed: behavior 0 */
	{"CharDelimiterSplit", load_delimiter, run_chars, is_delimiter},
	{"FixedLength", split_fixed_load, split_fixed, NULL},
	{"UnicodeScripts", NULL, split_scripts, NULL},
	{0},
};

static int load_one(void *arg, const char *type, const json_t *v, struct err *e)
{
	struct tokenizer *t = arg;
	if (strcmp(type, "BertPreTokenizer") == 0) { /* it is these two */
		json_t *none = json_object();
		int rc = load_one(arg, "WhitespaceSplit", none, e) ||
					 load_one(arg, "Punctuation", none, e)
				 ? -1
				 : 0;
		json_decref(none);
		return rc;
	}
	const struct pretok_kind *k = kinds;
	while (k->type && strcmp(k->type, type) != 0)
		k++;
	if (!k->type)
		return PART_UNKNOWN;
	t->pretoks = mem_resize(t->pretoks, t->npretoks + 1, sizeof *t->pretoks);
	struct pretok *p = &t->pretoks[t->npretoks++];
	*p = (struct pretok){.kind = k};
	if (k->load && k->load(p, v, e))
		return -1;
	for (uint32_t c = 0; k->is && c < 0x80; c++)
		p->ascii[c] = (uint8_t)k->is(p, c);
	return 0;
}

/* Patterns one after the other for which there is one splitter. */
static void join_splits(struct tokenizer *t)
{
	for (size_t i = 0, n; i < t->npretoks; i++) {
		const char *patterns[SPLITTER_PATTERNS];
		for (n = 0; n < SPLITTER_PATTERNS && i + n < t->npretoks; n++) {
			const struct pretok *p = &t->pretoks[i + n];
			if (p->kind->run != run_split || p->behavior != ISOLATED || p->invert ||
				!(patterns[n] = pattern_text(p->pattern)))
				break;
		}
		const struct splitter_row *row = splitter_find(patterns, n);
		if (!row)
			continue;
		t->pretoks[i].split = row;
		for (n = 1; n < SPLITTER_PATTERNS && row->pattern[n]; n++)
			pretok_done(&t->pretoks[i + n]);
		memmove(&t->pretoks[i + 1], &t->pretoks[i + n],
			(t->npretoks - i - n) * sizeof *t->pretoks);
		t->npretoks -= n - 1;
	}
}

int pretok_load(struct tokenizer *t, const json_t *v, struct err *e)
{
	if (part_each(v, "pre_tokenizer", "pretokenizers", load_one, t, e))
		return -1;
	join_splits(t);
	return 0;
}

void pretok_done(struct pretok *p)
{
	pattern_free(p->pattern);
}

/* Whether all that the step does is to cut, and by hand. */
static int only_cuts(const struct pretok *p)
{
	return p->split && !p->prefix && !p->map;
}

static int has_bytelevel(const struct tokenizer *t)
{
	size_t i = 0;
	while (i < t->npretoks && t->pretoks[i].kind->run != split_bytelevel)
		i++;
	return i < t->npretoks || t->bpe.bytes; /* which does its work */
}

int pretok_begin(
	const struct tokenizer *t, struct encoder *enc, const struct ntext *text, struct err *e)
{
	struct pieces *w = &enc->pieces;
	w->text = *text;
	w->cur.n = w->next.n = w->k = w->done = 0;
	if (text->len)
		spans_add(&w->cur, 0, text->len);
	size_t n = t->npretoks;
	if (ntext_is_nowhere(text) && has_bytelevel(t))
		return err_data(
			e, "ByteLevel after a Replace that matched nothing in front of the text");
	if (n && only_cuts(&t->pretoks[n - 1]))
		n--; /* by pretok_next */
	for (size_t i = 0; i < n; i++) {
		w->next.n = 0;
		if (t->pretoks[i].kind->run(&t->pretoks[i], enc, w, e))
			return -1;
		struct spans was = w->cur;
		w->cur = w->next;
		w->next = was;
		if (w->text.len > TEXT_LIMIT)
			return err_data(e, "text is over %zu MiB between steps", TEXT_LIMIT >> 20);
	}
	w->k = w->done = 0;
	return 0;
}

size_t pretok_next(const struct tokenizer *t, struct encoder *enc, const struct span **pieces)
{
	struct pieces *w = &enc->pieces;
	const struct pretok *last = t->npretoks ? &t->pretoks[t->npretoks - 1] : NULL;
	if (last && only_cuts(last)) {
		w->next.n = 0;
		size_t n = cut_batch(last, enc, w);
		*pieces = w->next.v;
		return n;
	}
	size_t n = w->cur.n - w->k < BATCH ? w->cur.n - w->k : BATCH;
	*pieces = w->cur.v + w->k;
	w->k += n;
	return n;
}
