/* Decoders of models whose tokens are words and their parts: WordPiece, BPEDecoder and CTC. */
#include "common/tokenizer/decode.h"

#include "common/tokenizer/unicode.h"

#include <string.h>

/* Appends s with every `old` replaced. An empty one is found around every character, as in Rust. */
static void replace(struct str *out, const char *s, size_t len, const char *old, size_t oldlen,
	const char *by, size_t bylen)
{
	const char *end = s + len, *m;
	for (; !oldlen && s < end; s += uni_len((uint8_t)*s)) {
		str_add(out, by, bylen);
		str_add(out, s, uni_len((uint8_t)*s));
	}
	if (!oldlen)
		str_add(out, by, bylen);
	while (s < end && (m = memmem(s, (size_t)(end - s), old, oldlen))) {
		str_add(out, s, (size_t)(m - s));
		str_add(out, by, bylen);
		s = m + oldlen;
	}
	str_add(out, s, (size_t)(end - s));
}

/* The end of out, from `from` on, anew with `old` replaced. */
static void replace_end(struct str *out, size_t from, const char *old, const char *by)
{
	struct str was = {0};
	if (!memmem(out->s + from, out->len - from, old, strlen(old)))
		return;
	str_add(&was, out->s + from, out->len - from);
	str_cut(out, from);
	replace(out, was.s, was.len, old, strlen(old), by, strlen(by));
	str_done(&was);
}

/* English as it is written: the library's list, in its order. */
static void clean_up(struct str *out, size_t from)
{
	static const char *const list[][2] = {{" .", "."}, {" ?", "?"}, {" !", "!"}, {" ,", ","},
		{" ' ", "'"}, {" n't", "n't"}, {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"},
		{" 've", "'ve"}, {" 're", "'re"}};
	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		replace_end(out, from, list[i][0], list[i][1]);
}

static int needed_text(const json_t *v, const char *key, char **out, size_t *len, struct err *e)
{
	if (part_text(v, key, out, len, e))
		return -1;
	return *out ? 0 : err_data(e, "'%s' is not there", key);
}

/* ---- WordPiece ------------------------------------------------------------------------------------ */

int decode_wordpiece_load(struct decoder *d, const json_t *v, struct err *e)
{
	return needed_text(v, "prefix", &d->content, &d->len, e) ||
			       part_bool(v, "cleanup", PART_NEEDED, &d->flag, e)
		       ? -1
		       : 0;
}

int decode_wordpiece(const struct decoder *d, struct encoder *enc, const struct pieces_text *in,
	struct pieces_text *out, struct err *e)
{
	(void)enc, (void)e;
	for (size_t i = 0; i < in->n; i++) {
		size_t len, from = out->text.len;
		const char *s = pieces_text_at(in, i, &len);
		if (i && len >= d->len && !memcmp(s, d->content, d->len)) {
			s += d->len;
			len -= d->len;
		} else if (i) {
			str_addc(&out->text, ' ');
		}
		str_add(&out->text, s, len);
		if (d->flag)
			clean_up(&out->text, from);
		pieces_text_end(out);
	}
	return 0;
}

/* ---- BPEDecoder ----------------------------------------------------------------------------------- */

int decode_bpe_load(struct decoder *d, const json_t *v, struct err *e)
{
	return needed_text(v, "suffix", &d->content, &d->len, e);
}

/* A word's end is a blank, but not the last. */
int decode_bpe(const struct decoder *d, struct encoder *enc, const struct pieces_text *in,
	struct pieces_text *out, struct err *e)
{
	(void)enc, (void)e;
	for (size_t i = 0; i < in->n; i++) {
		size_t len;
		const char *s = pieces_text_at(in, i, &len);
		replace(&out->text, s, len, d->content, d->len, " ", i + 1 < in->n);
		pieces_text_end(out);
	}
	return 0;
}

/* ---- CTC ------------------------------------------------------------------------------------------ */

int decode_ctc_load(struct decoder *d, const json_t *v, struct err *e)
{
	size_t len;
	return needed_text(v, "pad_token", &d->content, &d->len, e) ||
			       needed_text(v, "word_delimiter_token", &d->delimiter, &len, e) ||
			       part_bool(v, "cleanup", PART_NEEDED, &d->flag, e)
		       ? -1
		       : 0;
}

/* Of equal tokens in a row one; padding is nothing. */
int decode_ctc(const struct decoder *d, struct encoder *enc, const struct pieces_text *in,
	struct pieces_text *out, struct err *e)
{
	(void)enc, (void)e;
	const char *last = NULL;
	size_t lastlen = 0;
	for (size_t i = 0; i < in->n; i++) {
		size_t len, from = out->text.len;
		const char *s = pieces_text_at(in, i, &len);
		if (last && len == lastlen && !memcmp(s, last, len))
			continue;
		last = s;
		lastlen = len;
		replace(&out->text, s, len, d->content, d->len, "", 0);
		if (d->flag) {
			clean_up(&out->text, from);
			replace_end(&out->text, from, d->delimiter, " ");
		}
		if (out->text.len > from)
			pieces_text_end(out);
	}
	return 0;
}
