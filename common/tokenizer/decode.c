/* The table of decoders: each turns a list of tokens into another, whose texts in a row are the result. */
#include "common/tokenizer/decode.h"

#include "common/mem.h"
#include "common/tokenizer/unicode.h"
#include "common/utf8.h"

#include <stdlib.h>
#include <string.h>

void pieces_text_end(struct pieces_text *l)
{
	mem_grow(&l->ends, &l->cap, l->n + 1, sizeof *l->ends);
	l->ends[l->n++] = l->text.len;
}

static void reset(struct pieces_text *l)
{
	str_reserve(&l->text, 0);
	str_reset(&l->text);
	l->n = 0;
}

const char *pieces_text_at(const struct pieces_text *l, size_t i, size_t *len)
{
	size_t from = i ? l->ends[i - 1] : 0;
	*len = l->ends[i] - from;
	return l->text.s + from;
}

/* ---- ByteLevel ----------------------------------------------------------------------------------- */

/* Bytes that are not UTF-8 become U+FFFD, one for each longest beginning of a character. */
static void add_lossy(struct str *out, const char *s, size_t len)
{
	while (len) {
		size_t good = utf8_valid_prefix(s, len);
		str_add(out, s, good);
		s += good;
		len -= good;
		if (!len)
			break;
		str_adds(out, "\xef\xbf\xbd");
		const uint8_t *u = (const uint8_t *)s;
		/* How many bytes could have been a character's: Unicode 16.0, table 3-7. */
		size_t want = u[0] >= 0xc2 && u[0] < 0xe0   ? 2
			      : u[0] >= 0xe0 && u[0] < 0xf0 ? 3
			      : u[0] >= 0xf0 && u[0] < 0xf5 ? 4
							    : 1;
		size_t bad = 1;
		uint8_t low = u[0] == 0xe0 ? 0xa0 : u[0] == 0xf0 ? 0x90 : 0x80;
		uint8_t high = u[0] == 0xed ? 0x9f : u[0] == 0xf4 ? 0x8f : 0xbf;
		for (; bad < want && bad < len && u[bad] >= low && u[bad] <= high; bad++) {
			low = 0x80;
			high = 0xbf;
		}
		s += bad;
		len -= bad;
	}
}

static int run_bytelevel(const struct decoder *d, struct encoder *enc, const struct pieces_text *in,
	struct pieces_text *out, struct err *e)
{
	(void)d, (void)enc, (void)e;
	struct str raw = {0};
	str_reserve(&raw, 0);
	for (size_t i = 0; i < in->n; i++) {
		size_t len, k = 0, was = raw.len;
		const char *s = pieces_text_at(in, i, &len);
		int byte = 0;
		while (k < len && (byte = bytelevel_byte(uni_next((const uint8_t *)s, &k))) >= 0)
			str_addc(&raw, (char)byte);
		if (byte < 0) { /* not of the alphabet: it stands for itself */
			str_cut(&raw, was);
			str_add(&raw, s, len);
		}
	}
	add_lossy(&out->text, raw.s, raw.len);
	pieces_text_end(out);
	str_done(&raw);
	return 0;
}

/* ---- the SentencePiece-like ones ----------------------------------------------------------------- */

static int load_replace(struct decoder *d, const json_t *v, struct err *e)
{
	if (pattern_load(&d->pattern, json_object_get(v, "pattern"), "pattern", e) ||
		part_text(v, "content", &d->content, &d->len, e))
		return -1;
	return d->content ? 0 : err_data(e, "'content' is not there");
}

static int run_replace(const struct decoder *d, struct encoder *enc, const struct pieces_text *in,
	struct pieces_text *out, struct err *e)
{
	for (size_t i = 0; i < in->n; i++) {
		size_t len, done = 0;
		const char *s = pieces_text_at(in, i, &len);
		struct span m;
		int rc;
		struct pattern_cursor c = {0};
		while ((rc = pattern_next(d->pattern, enc->pattern, s, len, &c, &m, e)) > 0) {
			str_add(&out->text, s + done, m.from - done);
			str_add(&out->text, d->content, d->len);
			if (out->text.len > TEXT_LIMIT)
				return err_data(
					e, "decoded text is over %zu MiB", TEXT_LIMIT >> 20);
			done = m.to;
		}
		if (rc < 0)
			return -1;
		str_add(&out->text, s + done, len - done);
		pieces_text_end(out);
	}
	return 0;
}

/* "<0x0A>" → 10, else -1. */
static int byte_token(const char *s, size_t len)
{
	static const char digits[] = "0123456789ABCDEF0123456789abcdef";
	if (len != 6 || memcmp(s, "<0x", 3) != 0 || s[5] != '>')
		return -1;
	const char *a = memchr(digits, s[3], 32), *b = memchr(digits, s[4], 32);
	return a && b ? (int)((a - digits) % 16 * 16 + (b - digits) % 16) : -1;
}

/* Byte tokens in a row are one text, or, where that is not UTF-8, one U+FFFD each. */
static int run_byte_fallback(const struct decoder *d, struct encoder *enc,
	const struct pieces_text *in, struct pieces_text *out, struct err *e)
{
	(void)d, (void)enc, (void)e;
	struct str bytes = {0};
	str_reserve(&bytes, 0);
	for (size_t i = 0; i <= in->n; i++) {
		size_t len = 0;
		const char *s = i < in->n ? pieces_text_at(in, i, &len) : NULL;
		int byte = s ? byte_token(s, len) : -1;
		if (byte >= 0) {
			str_addc(&bytes, (char)byte);
			continue;
		}
		if (bytes.len && utf8_valid(bytes.s, bytes.len)) {
			str_add(&out->text, bytes.s, bytes.len);
			pieces_text_end(out);
		} else {
			for (size_t k = 0; k < bytes.len; k++) {
				str_adds(&out->text, "\xef\xbf\xbd");
				pieces_text_end(out);
			}
		}
		str_reset(&bytes);
		if (s) {
			str_add(&out->text, s, len);
			pieces_text_end(out);
		}
	}
	str_done(&bytes);
	return 0;
}

static int run_fuse(const struct decoder *d, struct encoder *enc, const struct pieces_text *in,
	struct pieces_text *out, struct err *e)
{
	(void)d, (void)enc, (void)e;
	str_add(&out->text, in->text.s, in->n ? in->ends[in->n - 1] : 0);
	pieces_text_end(out);
	return 0;
}

static int load_strip(struct decoder *d, const json_t *v, struct err *e)
{
	uint32_t c;
	if (part_char(v, "content", ' ', &c, e) || part_size(v, "start", 0, &d->start, e) ||
		part_size(v, "stop", 0, &d->stop, e))
		return -1;
	d->content = mem_zalloc(5, 1);
	d->len = utf8_put(c, d->content);
	return 0;
}

static int run_strip(const struct decoder *d, struct encoder *enc, const struct pieces_text *in,
	struct pieces_text *out, struct err *e)
{
	(void)enc, (void)e;
	for (size_t i = 0; i < in->n; i++) {
		size_t len, from = 0;
		const char *s = pieces_text_at(in, i, &len);
		for (size_t k = 0; k < d->start && len - from >= d->len &&
				   !memcmp(s + from, d->content, d->len);
			k++)
			from += d->len;
		for (size_t k = 0; k < d->stop && len - from >= d->len &&
				   !memcmp(s + len - d->len, d->content, d->len);
			k++)
			len -= d->len;
		str_add(&out->text, s + from, len - from);
		pieces_text_end(out);
	}
	return 0;
}

static int load_metaspace(struct decoder *d, const json_t *v, struct err *e)
{
	uint32_t c;
	int old;
	if (part_char(v, "replacement", 0x2581, &c, e) ||
		part_bool(v, "add_prefix_space", 1, &old, e))
		return -1;
	const char *scheme = json_string_value(json_object_get(v, "prepend_scheme"));
	d->flag = scheme ? strcmp(scheme, "never") != 0 : old;
	d->content = mem_zalloc(5, 1);
	d->len = utf8_put(c, d->content);
	return 0;
}

/* A mark is a space, but in the first token it is nothing (when the encoder may have put it there). */
static int run_metaspace(const struct decoder *d, struct encoder *enc, const struct pieces_text *in,
	struct pieces_text *out, struct err *e)
{
	(void)enc, (void)e;
	for (size_t i = 0; i < in->n; i++) {
		size_t len;
		const char *s = pieces_text_at(in, i, &len), *m;
		for (; (m = memmem(s, len, d->content, d->len)); s = m + d->len) {
			str_add(&out->text, s, (size_t)(m - s));
			if (i || !d->flag)
				str_addc(&out->text, ' ');
			len -= (size_t)(m - s) + d->len;
		}
		str_add(&out->text, s, len);
		pieces_text_end(out);
	}
	return 0;
}

static const struct decoder_kind kinds[] = {
	{"ByteLevel", NULL, run_bytelevel},
	{"Replace", load_replace, run_replace},
	{"ByteFallback", NULL, run_byte_fallback},
	{"Fuse", NULL, run_fuse},
	{"Strip", load_strip, run_strip},
	{"Metaspace", load_metaspace, run_metaspace},
	{"WordPiece", decode_wordpiece_load, decode_wordpiece},
	{"BPEDecoder", decode_bpe_load, decode_bpe},
	{"CTC", decode_ctc_load, decode_ctc},
	{0},
};

/* ---- loading and running ------------------------------------------------------------------------- */

static int load_one(void *arg, const char *type, const json_t *v, struct err *e)
{
	struct tokenizer *t = arg;
	const struct decoder_kind *k = kinds;
	while (k->type && strcmp(k->type, type) != 0)
		k++;
	if (!k->type)
		return PART_UNKNOWN;
	t->decoders = mem_resize(t->decoders, t->ndecoders + 1, sizeof *t->decoders);
	struct decoder *d = &t->decoders[t->ndecoders++];
	*d = (struct decoder){.kind = k};
	return k->load ? k->load(d, v, e) : 0;
}

int decoder_load(struct tokenizer *t, const json_t *v, struct err *e)
{
	t->joins = v && !json_is_null(v);
	return part_each(v, "decoder", "decoders", load_one, t, e);
}

void decoder_done(struct decoder *d)
{
	pattern_free(d->pattern);
	mem_free(d->content);
	mem_free(d->delimiter);
}

int tokenizer_decode(struct encoder *enc, const uint32_t *ids, size_t n, int skip_special,
	struct str *out, struct err *e)
{
	const struct tokenizer *t = enc->t;
	struct pieces_text *list = &enc->dec[0], *next = &enc->dec[1];
	reset(list);
	for (size_t i = 0; i < n; i++) {
		size_t len;
		const struct added_token *a = added_by_id(&t->added, ids[i]);
		const char *s = a ? added_decoded(a, &len) : vocab_token(&t->vocab, ids[i], &len);
		if (!s) /* as in the library */
			continue;
		if (skip_special && !a) /* a token that is there twice may have another id */
			a = added_by_id(&t->added, (uint32_t)vocab_find(&t->vocab, s, len));
		if (skip_special && a && added_is_skipped(&t->added, a))
			continue;
		/* Without a decoder tokens are joined by spaces. */
		if (!t->joins && list->n)
			str_addc(&list->text, ' ');
		str_add(&list->text, s, len);
		pieces_text_end(list);
	}
	for (size_t i = 0; i < t->ndecoders; i++) {
		reset(next);
		if (t->decoders[i].kind->run(&t->decoders[i], enc, list, next, e))
			return -1;
		struct pieces_text *was = list;
		list = next;
		next = was;
	}
	str_add(out, list->text.s, list->text.len);
	return 0;
}
