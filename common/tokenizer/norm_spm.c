/*
 * SentencePiece's normalizers. Nmt is a list of characters. Precompiled carries a map in the file: a double
 * array (darts-clone) of what is replaced, whose values are places in a text of what it becomes, each
 * ended by a NUL. As in the library: a grapheme of less than six bytes becomes what the shortest
 * beginning of it in the map becomes, otherwise each of its characters is looked up by itself.
 */
#include "common/tokenizer/norm.h"

#include "common/base64.h"
#include "common/mem.h"
#include "common/tokenizer/unicode.h"
#include "common/utf8.h"

#include <string.h>

enum { GRAPHEME_MAX = 5 };

/* ---- Nmt ------------------------------------------------------------------------------------------ */

static int is_removed(uint32_t c)
{
	return (c >= 1 && c <= 8) || c == 0xb || (c >= 0xe && c <= 0x1f) || c == 0x7f ||
	       c == 0x8f || c == 0x9f;
}

static int is_blank(uint32_t c)
{
	return c == 9 || c == 0xa || c == 0xc || c == 0xd || c == 0x1680 ||
	       (c >= 0x200b && c <= 0x200f) || c == 0x2028 || c == 0x2029 || c == 0x2581 ||
	       c == 0xfeff || c == 0xfffd;
}

int norm_nmt(const struct norm *n, struct encoder *enc, const struct ntext *in, struct nbuf *out,
	struct err *e)
{
	(void)n, (void)enc, (void)e;
	return norm_filter(in, out, is_removed, is_blank);
}

/* ---- the map -------------------------------------------------------------------------------------- */

struct charsmap {
	uint8_t *blob;
	const uint8_t *units; /* little-endian u32 */
	size_t nunits;
	const char *text; /* ends with a NUL of our own */
	size_t len;
};

void charsmap_free(struct charsmap *m)
{
	if (m)
		mem_free(m->blob);
	mem_free(m);
}

static uint32_t little(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

int norm_precompiled_load(struct norm *n, const json_t *v, struct err *e)
{
	char *text;
	size_t len, size;
	if (part_text(v, "precompiled_charsmap", &text, &len, e))
		return -1;
	if (!text)
		return err_data(e, "'precompiled_charsmap' is not there");
	struct charsmap *m = n->charsmap = mem_zalloc(1, sizeof *m);
	m->blob = mem_alloc(len / 4 * 3 + 1, 1);
	int bad = base64_decode(m->blob, &size, text, len);
	mem_free(text);
	if (bad)
		return err_data(e, "'precompiled_charsmap' is not base64");
	if (size < 4 || little(m->blob) > size - 4)
		return err_data(e, "'precompiled_charsmap' is shorter than it says");
	m->nunits = little(m->blob) / 4;
	m->units = m->blob + 4;
	m->text = (char *)m->blob + 4 + 4 * m->nunits;
	m->len = size - 4 - 4 * m->nunits;
	m->blob[size] = 0;
	if (!m->nunits || !utf8_valid(m->text, m->len))
		return err_data(e, "'precompiled_charsmap' is damaged");
	return 0;
}

static size_t unit_offset(uint32_t unit)
{
	return (size_t)(unit >> 10) << ((unit & 1u << 9) >> 6);
}

/* What the shortest beginning of s[0, len) that is in the map becomes; NULL: none is. */
static const char *replacement(const struct charsmap *m, const char *s, size_t len)
{
	size_t at = unit_offset(little(m->units));
	for (size_t i = 0; i < len && s[i]; i++) {
		uint8_t c = (uint8_t)s[i];
		at ^= c;
		if (at >= m->nunits)
			return NULL;
		uint32_t unit = little(m->units + 4 * at);
		if ((unit & (1u << 31 | 0xff)) != c)
			return NULL;
		at ^= unit_offset(unit);
		if (!(unit & 1u << 8))
			continue;
		if (at >= m->nunits)
			return NULL;
		size_t to = little(m->units + 4 * at) & 0x7fffffff;
		return to <= m->len && ((uint8_t)m->text[to] & 0xc0) != 0x80 ? m->text + to : NULL;
	}
	return NULL;
}

int charsmap_drops(const struct charsmap *m, const char *s, size_t len)
{
	const char *by = replacement(m, s, len < GRAPHEME_MAX ? len : GRAPHEME_MAX);
	return by && !*by;
}

/* ---- replacing ------------------------------------------------------------------------------------ */

/* The last character written is kept back: what vanishes behind it is reckoned to it, in front of the first
 * to nobody. */
struct rewriting {
	struct transform to;
	uint32_t last;
	long change;
	int any, changed;
};

static void keep(struct rewriting *w, uint32_t c, long change)
{
	if (w->any)
		transform_put(&w->to, w->last, w->change);
	w->any = 1;
	w->last = c;
	w->change = change;
}

static size_t count(const char *s, size_t len)
{
	size_t n = 0;
	for (size_t i = 0; i < len; i += uni_len((uint8_t)s[i]))
		n++;
	return n;
}

/* 1 when s[0, len) has been replaced. */
static int replace(struct rewriting *w, const struct charsmap *m, const char *s, size_t len)
{
	const char *by = replacement(m, s, len);
	if (!by)
		return 0;
	size_t bylen = strlen(by), now = count(by, bylen), was = count(s, len), k = 0;
	for (size_t i = 0; i < bylen; k++) {
		uint32_t c = uni_next((const uint8_t *)by, &i);
		keep(w, c, now > was && k >= was ? 1 : 0);
	}
	if (now < was && w->any)
		w->change -= (long)(was - now);
	w->changed = 1;
	return 1;
}

int norm_precompiled(const struct norm *n, struct encoder *enc, const struct ntext *in,
	struct nbuf *out, struct err *e)
{
	(void)enc, (void)e;
	const uint8_t *s = (const uint8_t *)in->s;
	struct rewriting w = {.to = {.in = in, .out = out}};
	for (size_t from = 0, to; from < in->len && out->text.len <= TEXT_LIMIT; from = to) {
		to = uni_grapheme(s, from, in->len);
		if (to - from <= GRAPHEME_MAX && replace(&w, n->charsmap, in->s + from, to - from))
			continue;
		for (size_t i = from, next; i < to; i = next) {
			next = i + uni_len(s[i]);
			if (!replace(&w, n->charsmap, in->s + i, next - i)) {
				size_t k = i;
				keep(&w, uni_next(s, &k), 0);
			}
		}
	}
	if (w.any)
		transform_put(&w.to, w.last, w.change);
	return w.changed;
}
