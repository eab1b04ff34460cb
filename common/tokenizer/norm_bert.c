/* BertNormalizer, as the steps that it is made of, and StripAccents. */
#include "common/tokenizer/norm.h"

#include "common/tokenizer/unicode.h"

int norm_strip_accents(const struct norm *n, struct encoder *enc, const struct ntext *in,
	struct nbuf *out, struct err *e)
{
	(void)n, (void)enc, (void)e;
	return norm_filter(in, out, uni_is_mark, NULL);
}

static int strip_nonspacing(const struct norm *n, struct encoder *enc, const struct ntext *in,
	struct nbuf *out, struct err *e)
{
	(void)n, (void)enc, (void)e;
	return norm_filter(in, out, uni_is_nonspacing, NULL);
}

static int is_other_blank(uint32_t c)
{
	return c != ' ' && uni_is_space(c);
}

/* Control characters go; blanks of all kinds are spaces. */
static int clean(const struct norm *n, struct encoder *enc, const struct ntext *in,
	struct nbuf *out, struct err *e)
{
	(void)n, (void)enc, (void)e;
	return norm_filter(in, out, uni_is_control, is_other_blank);
}

static int is_chinese(uint32_t c)
{
	return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf) ||
	       (c >= 0x20000 && c <= 0x2a6df) || (c >= 0x2a700 && c <= 0x2b81f) ||
	       (c >= 0x2b920 && c <= 0x2ceaf) || (c >= 0xf900 && c <= 0xfaff) ||
	       (c >= 0x2f800 && c <= 0x2fa1f);
}

/* Chinese characters get spaces around them, which stand where they do. */
static int space_chinese(const struct norm *n, struct encoder *enc, const struct ntext *in,
	struct nbuf *out, struct err *e)
{
	(void)n, (void)enc, (void)e;
	size_t done = 0;
	for (size_t i = 0, from = 0; i < in->len; from = i) {
		if (!is_chinese(uni_next((const uint8_t *)in->s, &i)))
			continue;
		struct span at = ntext_at(in, from);
		nbuf_copy(out, in, done, from);
		nbuf_put(out, " ", 1, at);
		nbuf_put(out, in->s + from, i - from, at);
		nbuf_put(out, " ", 1, at);
		done = i;
	}
	if (!done)
		return 0;
	nbuf_copy(out, in, done, in->len);
	return 1;
}

int norm_bert_load(struct tokenizer *t, const json_t *v, struct err *e)
{
	static const struct norm_kind steps[] = {{"clean_text", NULL, clean, NORM_NEAR},
		{"handle_chinese_chars", NULL, space_chinese, NORM_NEAR},
		{"NFD", NULL, norm_nfd, NORM_NEAR},
		{"strip_accents", NULL, strip_nonspacing, NORM_NEAR},
		{"lowercase", NULL, norm_lowercase, NORM_NEAR}};
	int cleans, chinese, lower, accents;
	if (part_bool(v, "clean_text", PART_NEEDED, &cleans, e) ||
		part_bool(v, "handle_chinese_chars", PART_NEEDED, &chinese, e) ||
		part_bool(v, "lowercase", PART_NEEDED, &lower, e) ||
		part_bool(v, "strip_accents", lower, &accents, e))
		return -1;
	const int wanted[] = {cleans, chinese, accents, accents, lower};
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (wanted[i])
			norm_add(t, &steps[i]);
	return 0;
}
