#include "common/tokenizer/unicode.h"

#include "common/mem.h"

#define LETTERS(c)                                                                                 \
	[c] = UNI_LETTER, [c + 1] = UNI_LETTER, [c + 2] = UNI_LETTER, [c + 3] = UNI_LETTER
#define DIGITS(c) [c] = UNI_NUMBER, [c + 1] = UNI_NUMBER
/* clang-format off */
const uint8_t uni_ascii_class[128] = {
	['\t'] = UNI_SPACE, ['\v'] = UNI_SPACE, ['\f'] = UNI_SPACE, [' '] = UNI_SPACE,
	['\n'] = UNI_SPACE, ['\r'] = UNI_SPACE,
	DIGITS('0'), DIGITS('2'), DIGITS('4'), DIGITS('6'), DIGITS('8'),
	LETTERS('A'), LETTERS('E'), LETTERS('I'), LETTERS('M'), LETTERS('Q'), LETTERS('U'),
	['Y'] = UNI_LETTER, ['Z'] = UNI_LETTER,
	LETTERS('a'), LETTERS('e'), LETTERS('i'), LETTERS('m'), LETTERS('q'), LETTERS('u'),
	['y'] = UNI_LETTER, ['z'] = UNI_LETTER,
};
/* clang-format on */

static const struct uni_range *find(const struct uni_range *table, uint32_t c)
{
	for (; table->to && table->from <= c; table++)
		if (c <= table->to)
			return table;
	return NULL;
}

int uni_category(uint32_t c)
{
	int cat = utf8proc_get_property((utf8proc_int32_t)c)->category;
	/* What utf8proc does not know may be newer; one old character has changed. */
	if (cat == UTF8PROC_CATEGORY_CN || c == 0x1171e) {
		const struct uni_range *r = find(uni_new_categories, c);
		if (r)
			return r->value;
	}
	return cat;
}

int uni_is_letter(uint32_t c)
{
	int cat = uni_category(c);
	return cat >= UTF8PROC_CATEGORY_LU && cat <= UTF8PROC_CATEGORY_LO;
}

int uni_is_numeric(uint32_t c)
{
	int cat = uni_category(c);
	return (cat >= UTF8PROC_CATEGORY_ND && cat <= UTF8PROC_CATEGORY_NO) ||
	       (cat == UTF8PROC_CATEGORY_CN && find(uni_extra_numeric, c));
}

int uni_is_space(uint32_t c)
{
	if (c < 0x80)
		return c == ' ' || (c >= 9 && c <= 13);
	return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
	       c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

int uni_is_word(uint32_t c)
{
	int cat = uni_category(c);
	if (cat >= UTF8PROC_CATEGORY_LU && cat <= UTF8PROC_CATEGORY_NL)
		return 1; /* L, M, Nd, Nl */
	if (cat == UTF8PROC_CATEGORY_PC || c == 0x200c || c == 0x200d)
		return 1;
	/* Other_Alphabetic beyond M: letters in circles and squares. */
	return (c >= 0x24b6 && c <= 0x24e9) || (c >= 0x1f130 && c <= 0x1f149) ||
	       (c >= 0x1f150 && c <= 0x1f169) || (c >= 0x1f170 && c <= 0x1f189);
}

int uni_is_punct(uint32_t c)
{
	if (c < 0x80)
		return c > 0x20 && c < 0x7f && uni_ascii_class[c] == UNI_OTHER;
	int cat = uni_category(c);
	int p = cat >= UTF8PROC_CATEGORY_PC && cat <= UTF8PROC_CATEGORY_PO;
	return find(uni_other_punct, c) ? !p : p;
}

int uni_is_mark(uint32_t c)
{
	if (c < 0x300)
		return 0;
	int cat = uni_category(c);
	int m = cat >= UTF8PROC_CATEGORY_MN && cat <= UTF8PROC_CATEGORY_ME;
	return find(uni_other_mark, c) ? !m : m;
}

int uni_is_nonspacing(uint32_t c)
{
	if (c < 0x300)
		return 0;
	int m = uni_category(c) == UTF8PROC_CATEGORY_MN;
	return find(uni_other_nonspacing, c) ? !m : m;
}

int uni_is_control(uint32_t c)
{
	if (c >= 0x20 && c < 0x7f)
		return 0;
	int cat = uni_category(c);
	int is = cat == UTF8PROC_CATEGORY_CC || cat == UTF8PROC_CATEGORY_CF ||
		 cat == UTF8PROC_CATEGORY_CO;
	return find(uni_other_control, c) ? !is : is;
}

int uni_script(uint32_t c)
{
	size_t from = 0, to = uni_nscripts;
	while (from < to) {
		size_t mid = (from + to) / 2;
		if (uni_scripts[mid].to < c)
			from = mid + 1;
		else
			to = mid;
	}
	return from < uni_nscripts && uni_scripts[from].from <= c ? uni_scripts[from].value : -1;
}

static int ends_always(uint32_t c)
{
	int class = utf8proc_get_property((utf8proc_int32_t)c)->boundclass;
	return class == UTF8PROC_BOUNDCLASS_CR || class == UTF8PROC_BOUNDCLASS_LF ||
	       class == UTF8PROC_BOUNDCLASS_CONTROL;
}

size_t uni_grapheme(const uint8_t *s, size_t from, size_t len)
{
	utf8proc_int32_t state = 0;
	size_t at = from;
	uint32_t was = uni_next(s, &at);
	while (at < len) {
		size_t next = at;
		uint32_t c = uni_next(s, &next);
		int cut = c < 0x80 && was < 0x80
				  ? was != '\r' || c != '\n'
				  : utf8proc_grapheme_break_stateful(
					    (utf8proc_int32_t)was, (utf8proc_int32_t)c, &state);
		if (cut && (!find(uni_other_join, c) || ends_always(was)))
			break;
		was = c;
		at = next;
	}
	return at;
}

int uni_combining(uint32_t c)
{
	int class = utf8proc_get_property((utf8proc_int32_t)c)->combining_class;
	return class && find(uni_inert, c) ? 0 : class;
}

size_t uni_decompose(uint32_t c, int compat, uint32_t out[18])
{
	if (c < 0x80 || find(uni_inert, c)) {
		out[0] = c;
		return 1;
	}
	utf8proc_int32_t d[18];
	int last = UTF8PROC_BOUNDCLASS_START;
	utf8proc_ssize_t n = utf8proc_decompose_char((utf8proc_int32_t)c, d, 18,
		compat ? UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT : UTF8PROC_DECOMPOSE, &last);
	if (n < 1 || n > 18) {
		out[0] = c;
		return 1;
	}
	for (utf8proc_ssize_t i = 0; i < n; i++)
		out[i] = (uint32_t)d[i];
	return (size_t)n;
}

uint32_t uni_compose(uint32_t a, uint32_t b)
{
	utf8proc_int32_t pair[3] = {(utf8proc_int32_t)a, (utf8proc_int32_t)b, 0};
	if (utf8proc_normalize_utf32(pair, 2, UTF8PROC_COMPOSE | UTF8PROC_STABLE) != 1)
		return 0;
	return find(uni_inert, (uint32_t)pair[0]) ? 0 : (uint32_t)pair[0];
}

int uni_is_nfc_inert(uint32_t c)
{
	if (c < 0x300)
		return 1;
	/* Hangul syllables, and CJK, kana, and all else that utf8proc has no data on. */
	if (c >= 0xac00 && c <= 0xd7a3)
		return 1;
	const utf8proc_property_t *p = utf8proc_get_property((utf8proc_int32_t)c);
	if (p->combining_class || (c >= 0x1100 && c <= 0x11ff))
		return 0;
	if (p->decomp_seqindex != UINT16_MAX && !p->decomp_type)
		return 0;
	/* Bit 15: the second of a pair that composes. */
	return p->comb_index == UINT16_MAX || !(p->comb_index & 0x8000);
}

size_t uni_lower(uint32_t c, uint32_t out[3])
{
	if (c == 0x130) { /* the only one with two in Unicode's SpecialCasing without conditions */
		out[0] = 'i';
		out[1] = 0x307;
		return 2;
	}
	const struct uni_range *r = find(uni_new_lower, c);
	out[0] = r ? (uint32_t)((int64_t)c + r->value)
		   : (uint32_t)utf8proc_tolower((utf8proc_int32_t)c);
	return 1;
}

/* ---- pages ---- */

static uint8_t plain_flags(uint32_t c)
{
	int cat = uni_category(c);
	unsigned f = uni_is_nfc_inert(c) ? UNI_INERT : 0;
	if (cat >= UTF8PROC_CATEGORY_LU && cat <= UTF8PROC_CATEGORY_ME) { /* L, M */
		if (cat != UTF8PROC_CATEGORY_LL)
			f |= 1 << TEXT_UPPER;
		if (cat != UTF8PROC_CATEGORY_LU && cat != UTF8PROC_CATEGORY_LT)
			f |= 1 << TEXT_LOWER;
	}
	switch (uni_class_of(c)) {
	case UNI_LETTER:
		return (uint8_t)(f | 1 << TEXT_LETTER);
	case UNI_NUMBER:
		return (uint8_t)(f | 1 << TEXT_NUMBER);
	case UNI_SPACE:
		return (uint8_t)(f | 1 << TEXT_BLANK | (c == '\n' || c == '\r') << TEXT_NEWLINE);
	default:
		return (uint8_t)(f | 1 << TEXT_OTHER);
	}
}

/* In DeepSeek's files [一-龥぀-ゟ゠-ヿ]. */
static int is_han_or_kana(uint32_t c)
{
	return (c >= 0x4e00 && c <= 0x9fa5) || (c >= 0x3040 && c <= 0x30ff);
}

static uint8_t flags_of(uint32_t c, enum uni_view view)
{
	enum { KNOWN = 1 << TEXT_WIDE, OTHER = 1 << TEXT_OTHER, LETTER = 1 << TEXT_LETTER };
	unsigned f = plain_flags(c);
	if (view == UNI_PLAIN)
		return (uint8_t)f;
	int cat = uni_category(c);
	int mark = cat >= UTF8PROC_CATEGORY_MN && cat <= UTF8PROC_CATEGORY_ME;
	int symbol = cat >= UTF8PROC_CATEGORY_PC && cat <= UTF8PROC_CATEGORY_SO;
	f &= ~(1u << TEXT_UPPER | 1u << TEXT_LOWER);
	if (mark)
		f = LETTER;
	else if (view == UNI_SYMBOLS && !symbol)
		f &= ~(unsigned)OTHER;
	if (view == UNI_SYMBOLS && is_han_or_kana(c))
		f = 1 << TEXT_UPPER | (f & LETTER ? 1 << TEXT_LOWER : f & OTHER);
	return (uint8_t)(f | KNOWN);
}

unsigned uni_pages_find(struct uni_pages *p, uint32_t c)
{
	uint8_t **page = &p->page[c >> 8];
	if (!*page)
		*page = mem_zalloc(0x100, 1);
	return (*page)[c & 0xff] = flags_of(c, p->view);
}

void uni_pages_done(struct uni_pages *p)
{
	for (size_t i = 0; i < sizeof p->page / sizeof *p->page; i++)
		mem_free(p->page[i]);
}
