/* Encoding: the way of a text through the parts, and questions about tokens. */
#include "common/tokenizer/tokenizer.h"

#include "common/mem.h"
#include "common/tokenizer/tokenizer_int.h"

#include <string.h>

struct encoder *encoder_new(const struct tokenizer *t)
{
	struct encoder *enc = mem_zalloc(1, sizeof *enc);
	enc->t = t;
	enc->bpe = bpe_state_new();
	enc->pattern = pattern_state_new();
	return enc;
}

void encoder_free(struct encoder *enc)
{
	if (!enc)
		return;
	bpe_state_free(enc->bpe);
	pattern_state_free(enc->pattern);
	for (int i = 0; i < 2; i++) {
		nbuf_done(&enc->norm[i]);
		nbuf_done(&enc->pieces.buf[i]);
		str_done(&enc->dec[i].text);
		mem_free(enc->dec[i].ends);
	}
	nbuf_done(&enc->mapped);
	mem_free(enc->pieces.cur.v);
	mem_free(enc->pieces.next.v);
	mem_free(enc->lens);
	mem_free(enc);
}

void encoding_reserve(struct encoding *out, size_t more)
{
	if (out->n + more <= out->cap)
		return;
	size_t cap = out->cap;
	mem_grow(&out->ids, &cap, out->n + more, sizeof *out->ids);
	out->offsets = mem_resize(out->offsets, cap, sizeof *out->offsets);
	out->cap = cap;
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

static void put(struct encoding *out, uint32_t id, const struct ntext *t, size_t from, size_t to)
{
	encoding_reserve(out, 1);
	out->ids[out->n] = id;
	out->offsets[out->n][0] = from < to ? ntext_at(t, from).from : 0;
	out->offsets[out->n][1] = from < to ? ntext_at(t, to - 1).to : 0;
	out->n++;
}

/* Offsets of one piece's ids, whose lengths are lens. */
static void place(
	const struct ntext *t, size_t from, const uint32_t *lens, size_t n, uint32_t (*offsets)[2])
{
	for (size_t i = 0; i < n; i++) {
		size_t to = from + lens[i];
		offsets[i][0] = ntext_at(t, from).from;
		offsets[i][1] = ntext_at(t, to - 1).to;
		from = to;
	}
}

static void room(struct encoder *enc, struct encoding *out, size_t bytes)
{
	encoding_reserve(out, bytes);
	mem_grow(&enc->lens, &enc->lens_cap, bytes, sizeof *enc->lens);
}

/* A piece with a byte that the vocabulary does not have, as characters of ByteLevel's alphabet. */
static int encode_mapped(
	struct encoder *enc, struct span piece, struct encoding *out, struct err *e)
{
	nbuf_reset(&enc->mapped);
	bytelevel_map(&enc->mapped, &enc->pieces.text, piece.from, piece.to);
	struct ntext t = nbuf_text(&enc->mapped);
	room(enc, out, t.len);
	long n = bpe_encode_mapped(
		&enc->t->bpe, enc->bpe, t.s, t.len, out->ids + out->n, enc->lens, e);
	if (n < 0)
		return -1;
	place(&t, 0, enc->lens, (size_t)n, out->offsets + out->n);
	out->n += (size_t)n;
	return 0;
}

/* The pieces of enc->pieces through the model. */
static int encode_pieces(struct encoder *enc, struct encoding *out, struct err *e)
{
	const struct pieces *w = &enc->pieces;
	uint32_t counts[BPE_BLOCK];
	for (size_t k = 0; k < w->cur.n;) {
		const struct span *v = w->cur.v + k;
		size_t n = w->cur.n - k < BPE_BLOCK ? w->cur.n - k : BPE_BLOCK, bytes = 0, used = 0;
		for (size_t i = 0; i < n; i++)
			bytes += v[i].to - v[i].from;
		room(enc, out, bytes);
		long done = bpe_encode(&enc->t->bpe, enc->bpe, w->text.s, v, n, out->ids + out->n,
			enc->lens, counts, e);
		if (done < 0)
			return -1;
		for (long i = 0; i < done; used += counts[i], out->n += counts[i], i++)
			place(&w->text, v[i].from, enc->lens + used, counts[i],
				out->offsets + out->n);
		k += (size_t)done;
		if ((size_t)done < n && encode_mapped(enc, w->cur.v[k++], out, e))
			return -1;
	}
	return 0;
}

static int encode_between(
	struct encoder *enc, const struct ntext *t, struct encoding *out, struct err *e)
{
	return pretok_run(enc->t, enc, t, e) || encode_pieces(enc, out, e) ? -1 : 0;
}

/* Text between added tokens of one set goes to `rest`. */
static int cut_added(struct encoder *enc, const struct added_set *set, const struct ntext *t,
	int (*rest)(
		struct encoder *enc, const struct ntext *t, struct encoding *out, struct err *e),
	struct encoding *out, struct err *e)
{
	struct added_cursor at = {0};
	const struct added_token *which;
	struct span m;
	size_t from = 0;
	while (added_find(&enc->t->added, set, t->s, t->len, &at, &m, &which)) {
		struct ntext before = ntext_slice(t, from, m.from > from ? m.from : from);
		if (before.len && rest(enc, &before, out, e))
			return -1;
		put(out, which->id, t, m.from, m.to);
		from = m.to;
	}
	struct ntext tail = ntext_slice(t, from, t->len);
	return tail.len ? rest(enc, &tail, out, e) : 0;
}

static int encode_normalized(
	struct encoder *enc, const struct ntext *t, struct encoding *out, struct err *e)
{
	struct ntext n = *t;
	if (norm_run(enc->t, enc, &n, e))
		return -1;
	return cut_added(enc, &enc->t->added.normalized, &n, encode_between, out, e);
}

int tokenizer_encode(struct encoder *enc, const char *text, size_t len, int add_special,
	struct encoding *out, struct err *e)
{
	if (len > TEXT_LIMIT)
		return err_data(e, "text of over %zu MiB", TEXT_LIMIT >> 20);
	struct ntext t = {.s = text, .len = len};
	size_t start = out->n;
	encoding_reserve(out, 1);
	if (cut_added(enc, &enc->t->added.raw, &t, encode_normalized, out, e))
		return -1;
	post_run(enc->t, text, len, add_special, out, start);
	return 0;
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
	const struct added_token *a = added_by_content(&t->added, t->added.n, token, len);
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
