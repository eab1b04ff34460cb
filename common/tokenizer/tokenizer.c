/* Encoding: the way of a text through the parts, and questions about tokens. */
#include "common/tokenizer/tokenizer.h"

#include "common/mem.h"
#include "common/tokenizer/model.h"
#include "common/tokenizer/tokenizer_int.h"
#include "common/tokenizer/words.h"

#include <string.h>

struct encoder *encoder_new(const struct tokenizer *t)
{
	struct encoder *enc = mem_zalloc(1, sizeof *enc);
	enc->t = t;
	enc->bpe = bpe_state_new();
	enc->pattern = pattern_state_new();
	enc->words = t->words ? word_memo_new() : NULL;
	window_init(&enc->window);
	return enc;
}

void encoder_free(struct encoder *enc)
{
	if (!enc)
		return;
	bpe_state_free(enc->bpe);
	pattern_state_free(enc->pattern);
	word_memo_free(enc->words);
	for (int i = 0; i < 2; i++) {
		nbuf_done(&enc->norm[i]);
		nbuf_done(&enc->pieces.buf[i]);
		str_done(&enc->dec[i].text);
		mem_free(enc->dec[i].ends);
	}
	nbuf_done(&enc->mapped);
	mem_free(enc->pieces.cur.v);
	mem_free(enc->pieces.next.v);
	window_done(&enc->window);
	mem_free(enc->path);
	mem_free(enc->blanks);
	mem_free(enc);
}

void encoding_reserve(struct encoding *out, size_t more)
{
	if (out->n + more <= out->cap)
		return;
	size_t cap = out->cap;
	mem_grow(&out->ids, &cap, out->n + more, sizeof *out->ids);
	if (!out->ids_only)
		out->offsets = mem_resize(out->offsets, cap, sizeof *out->offsets);
	out->cap = cap;
}

void encoding_add(struct encoding *enc, uint32_t id, uint32_t from, uint32_t to)
{
	encoding_reserve(enc, 1);
	if (enc->offsets) {
		enc->offsets[enc->n][0] = from;
		enc->offsets[enc->n][1] = to;
	}
	enc->ids[enc->n++] = id;
}

void encoding_drop(struct encoding *enc, size_t at)
{
	size_t rest = --enc->n - at;
	enc->settled_ids -= at < enc->settled_ids;
	memmove(enc->ids + at, enc->ids + at + 1, rest * sizeof *enc->ids);
	if (enc->offsets)
		memmove(enc->offsets + at, enc->offsets + at + 1, rest * sizeof *enc->offsets);
}

void encoding_reset(struct encoding *enc)
{
	enc->n = 0;
}

void encoding_done(struct encoding *enc)
{
	mem_free(enc->ids);
	mem_free(enc->offsets);
	*enc = (struct encoding){0};
}

void encoding_put(struct encoding *out, uint32_t id, const struct ntext *t, size_t from, size_t to)
{
	encoding_add(out, id, from < to ? ntext_at(t, from).from : 0,
		from < to ? ntext_at(t, to - 1).to : 0);
}

static int is_wide(const char *s, size_t len)
{
	uint64_t any = 0, eight;
	size_t i = 0;
	for (; i + sizeof eight <= len; i += sizeof eight) {
		memcpy(&eight, s + i, sizeof eight);
		any |= eight;
	}
	for (; i < len; i++)
		any |= (uint8_t)s[i];
	return (any & 0x8080808080808080u) != 0;
}

/* From places in t to places in the input, whole characters. */
static void place(const struct ntext *t, uint32_t (*at)[2], size_t n)
{
	if (!n)
		return;
	if (t->align || is_wide(t->s + at[0][0], at[n - 1][1] - at[0][0])) {
		for (size_t i = 0; i < n; i++) {
			size_t last = at[i][1] - 1;
			at[i][0] = ntext_at(t, at[i][0]).from;
			at[i][1] = ntext_at(t, last).to;
		}
		return;
	}
	for (size_t i = 0; t->base && i < n; i++) {
		at[i][0] += t->base;
		at[i][1] += t->base;
	}
}

/* Where ids that take at most so many bytes go. */
static struct bpe_out room(struct encoding *out, size_t bytes)
{
	encoding_reserve(out, bytes + BPE_SLACK);
	return (struct bpe_out){
		.ids = out->ids + out->n, .at = out->ids_only ? NULL : out->offsets + out->n};
}

static void take(struct encoding *out, const struct ntext *t, const struct bpe_out *made)
{
	if (made->at)
		place(t, made->at, made->n);
	out->n += made->n;
}

/* A piece with a byte that the vocabulary does not have, as characters of ByteLevel's alphabet. */
static int encode_mapped(
	struct encoder *enc, struct span piece, struct encoding *out, struct err *e)
{
	nbuf_reset(&enc->mapped);
	bytelevel_map(&enc->mapped, &enc->pieces.text, piece.from, piece.to);
	struct ntext t = nbuf_text(&enc->mapped);
	struct bpe_out made = room(out, t.len);
	if (bpe_encode_mapped(&enc->t->bpe, enc->bpe, t.s, t.len, &made, e) < 0)
		return -1;
	take(out, &t, &made);
	return 0;
}

/* Pieces of enc->pieces.text through BPE. */
static int encode_bpe(struct encoder *enc, const struct span *pieces, size_t n,
	struct encoding *out, struct err *e)
{
	const struct ntext *t = &enc->pieces.text;
	while (n) {
		struct bpe_out made = room(out, pieces[n - 1].to - pieces[0].from);
		long done = bpe_encode(&enc->t->bpe, enc->bpe, t, pieces, n, &made, e);
		if (done < 0)
			return -1;
		take(out, t, &made);
		pieces += done;
		n -= (size_t)done;
		if (n) {
			if (encode_mapped(enc, *pieces++, out, e))
				return -1;
			n--;
		}
	}
	return 0;
}

/* … through another model. */
static int encode_other(struct encoder *enc, const struct span *pieces, size_t n,
	struct encoding *out, struct err *e)
{
	const struct tokenizer *t = enc->t;
	for (size_t i = 0; i < n; i++)
		if (t->model->encode(t, enc, &enc->pieces.text, pieces[i], out, e))
			return -1;
	return 0;
}

static int encode_between(
	struct encoder *enc, const struct ntext *t, struct encoding *out, struct err *e)
{
	int is_bpe = !enc->t->model->encode;
	const struct span *pieces;
	size_t n;
	if (pretok_begin(enc->t, enc, t, e))
		return -1;
	while ((n = pretok_next(enc->t, enc, &pieces)))
		if ((is_bpe ? encode_bpe : encode_other)(enc, pieces, n, out, e))
			return -1;
	return 0;
}

/* Text between added tokens of one set goes to `rest`; from: where one ended before. */
static int cut_added(struct encoder *enc, const struct added_set *set, const struct ntext *t,
	size_t from,
	int (*rest)(
		struct encoder *enc, const struct ntext *t, struct encoding *out, struct err *e),
	struct encoding *out, struct err *e)
{
	struct added_cursor at = {from, from};
	const struct added_token *which;
	struct span m;
	while (added_find(set, t->s, t->len, &at, &m, &which)) {
		struct ntext before = ntext_slice(t, from, m.from > from ? m.from : from);
		if (before.len && rest(enc, &before, out, e))
			return -1;
		post_note(enc, out->n, t->s + m.from, m.to - m.from);
		encoding_put(out, which->id, t, m.from, m.to);
		from = m.to;
		/* No longer token can begin there or before, nor one in the blanks that this one took, and
		 * what comes behind was seen. */
		if (set == &enc->t->added.raw && from < t->len &&
			at.search - which->len + set->longest <= t->len &&
			!added_may_begin(set, t->s, at.search, from)) {
			out->settled_bytes = from;
			out->settled_ids = out->n;
		}
	}
	struct ntext tail = ntext_slice(t, from, t->len);
	return tail.len ? rest(enc, &tail, out, e) : 0;
}

int encode_section(
	struct encoder *enc, const struct ntext *t, int first, struct encoding *out, struct err *e)
{
	struct ntext n = *t;
	if (norm_run(enc->t, enc, &n, first, e))
		return -1;
	return cut_added(enc, &enc->t->added.normalized, &n, 0, encode_between, out, e);
}

static int encode_text(
	struct encoder *enc, const struct ntext *t, struct encoding *out, struct err *e)
{
	return enc->t->words ? words_encode(enc, t, out, e) : encode_section(enc, t, 1, out, e);
}

static int encode_from(struct encoder *enc, const char *text, size_t len, size_t from,
	struct encoding *out, struct err *e)
{
	if (len > TEXT_LIMIT)
		return err_data(e, "text of over %zu MiB", TEXT_LIMIT >> 20);
	struct ntext t = {.s = text, .len = len};
	encoding_reserve(out, 1);
	out->settled_bytes = out->settled_ids = enc->nblanks = 0;
	return cut_added(enc, &enc->t->added.raw, &t, from, encode_text, out, e);
}

int tokenizer_encode(struct encoder *enc, const char *text, size_t len, int add_special,
	struct encoding *out, struct err *e)
{
	size_t start = out->n;
	if (encode_from(enc, text, len, 0, out, e))
		return -1;
	post_run(enc, text, len, add_special, out, start);
	return 0;
}

int tokenizer_encode_after(struct encoder *enc, const struct encoding *before, const char *text,
	size_t len, struct encoding *out, struct err *e)
{
	size_t n = before->settled_ids;
	encoding_reserve(out, n + 1);
	if (n)
		memcpy(out->ids, before->ids, n * sizeof *out->ids);
	out->n = n;
	return encode_from(enc, text, len, before->settled_bytes, out, e);
}

/* ---- questions ------------------------------------------------------------------------------------- */

size_t tokenizer_vocab_size(const struct tokenizer *t)
{
	size_t n = t->vocab.nids;
	size_t added = t->added.first_id + t->added.nids;
	return added > n ? added : n;
}

long tokenizer_id(const struct tokenizer *t, const char *token, size_t len)
{
	const struct added_token *a = added_by_content(&t->added, token, len);
	return a ? (long)a->id : vocab_find(&t->vocab, token, len);
}

const char *tokenizer_token(const struct tokenizer *t, uint32_t id, size_t *len)
{
	const struct added_token *a = added_by_id(&t->added, id);
	if (!a)
		return vocab_token(&t->vocab, id, len);
	*len = a->len;
	return a->content;
}

int tokenizer_is_special(const struct tokenizer *t, uint32_t id)
{
	const struct added_token *a = added_by_id(&t->added, id);
	return a && a->special;
}

long tokenizer_bos(const struct tokenizer *t)
{
	return t->bos;
}

long tokenizer_eos(const struct tokenizer *t)
{
	return t->eos;
}

int tokenizer_adds_bos(const struct tokenizer *t)
{
	return t->adds_bos;
}

int tokenizer_adds_eos(const struct tokenizer *t)
{
	return t->adds_eos;
}
