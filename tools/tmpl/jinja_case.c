/* Character classes and case, as CPython's str has them (full case mapping, final sigma). */
#include "tools/tmpl/jinja_int.h"

#include "tools/tmpl/jinja_casing.h"
#include "common/utf8.h"

#include <stdlib.h>
#include <utf8proc.h>

static int category(uint32_t c)
{
	return utf8proc_category((utf8proc_int32_t)c);
}

int jx_is_space(uint32_t c)
{
	return (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 ||
	       c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
	       c == 0x202f || c == 0x205f || c == 0x3000;
}

int jx_is_alpha(uint32_t c)
{
	if (c < 0x80)
		return (c | 32) >= 'a' && (c | 32) <= 'z';
	int k = category(c);
	return k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO;
}

int jx_is_decimal(uint32_t c)
{
	return c < 0x80 ? c >= '0' && c <= '9' : category(c) == UTF8PROC_CATEGORY_ND;
}

int jx_is_digit(uint32_t c)
{
	static const uint32_t ranges[][2] = {{0xb2, 0xb3}, {0xb9, 0xb9}, {0x1369, 0x1371},
		{0x19da, 0x19da}, {0x2070, 0x2070}, {0x2074, 0x2079}, {0x2080, 0x2089},
		{0x2460, 0x2468}, {0x2474, 0x247c}, {0x2488, 0x2490}, {0x24ea, 0x24ea},
		{0x24f5, 0x24fd}, {0x24ff, 0x24ff}, {0x2776, 0x277e}, {0x2780, 0x2788},
		{0x278a, 0x2792}, {0x10a40, 0x10a43}, {0x10e60, 0x10e68}, {0x11052, 0x1105a},
		{0x1f100, 0x1f10a}};
	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
		if (c >= ranges[i][0] && c <= ranges[i][1])
			return 1;
	return jx_is_decimal(c);
}

int jx_is_numeric(uint32_t c)
{
	if (c < 0x80)
		return c >= '0' && c <= '9';
	int k = category(c);
	return k >= UTF8PROC_CATEGORY_ND && k <= UTF8PROC_CATEGORY_NO;
}

int jx_is_word(uint32_t c)
{
	return c == '_' || jx_is_alpha(c) || jx_is_numeric(c);
}

int jx_is_printable(uint32_t c)
{
	if (c < 0x7f)
		return c >= 0x20;
	int k = category(c);
	return k != UTF8PROC_CATEGORY_CN && k < UTF8PROC_CATEGORY_ZS;
}

int jx_is_ident(uint32_t c, int first)
{
	if (c < 0x80)
		return c == '_' || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
		       (!first && c >= '0' && c <= '9');
	int k = category(c);
	if (jx_is_alpha(c) || k == UTF8PROC_CATEGORY_NL)
		return 1;
	return !first &&
	       (k == UTF8PROC_CATEGORY_MN || k == UTF8PROC_CATEGORY_MC ||
		       k == UTF8PROC_CATEGORY_ND || k == UTF8PROC_CATEGORY_PC || c == 0xb7);
}

int jx_is_upper(uint32_t c)
{
	return c < 0x80 ? c >= 'A' && c <= 'Z'
			: category(c) == UTF8PROC_CATEGORY_LU ||
				  utf8proc_isupper((utf8proc_int32_t)c);
}

int jx_is_lower(uint32_t c)
{
	if (c < 0x80)
		return c >= 'a' && c <= 'z';
	return c == 0xaa || c == 0xba || category(c) == UTF8PROC_CATEGORY_LL ||
	       utf8proc_islower((utf8proc_int32_t)c);
}

int jx_is_title(uint32_t c)
{
	return c >= 0x80 && category(c) == UTF8PROC_CATEGORY_LT;
}

static int is_cased(uint32_t c)
{
	return jx_is_upper(c) || jx_is_lower(c) || jx_is_title(c);
}

/* Letters' marks and modifiers, which a word's end is looked for behind. */
static int is_ignorable(uint32_t c)
{
	if (c < 0x80)
		return c == '\'' || c == '.' || c == ':' || c == '^' || c == '`';
	int k = category(c);
	return k == UTF8PROC_CATEGORY_MN || k == UTF8PROC_CATEGORY_ME ||
	       k == UTF8PROC_CATEGORY_CF || k == UTF8PROC_CATEGORY_LM ||
	       k == UTF8PROC_CATEGORY_SK || c == 0xad || c == 0xb7 || c == 0x387 || c == 0x2018 ||
	       c == 0x2019 || c == 0x2024 || c == 0x2027;
}

static void put(struct jx_text *b, uint32_t c)
{
	char buf[4];
	jx_text_add(b, buf, utf8_put(c, buf));
}

static int by_char(const void *key, const void *row)
{
	uint32_t c = *(const uint32_t *)key, d = ((const struct casing *)row)->c;
	return (c > d) - (c < d);
}

/* Upper or title case; other code points than one. */
static int put_special(struct jx_text *b, uint32_t c, int title)
{
	const struct casing *row = c < 0xdf ? NULL
					    : bsearch(&c, casings, sizeof casings / sizeof *casings,
						      sizeof *casings, by_char);
	if (!row)
		return 0;
	const uint32_t *to = title ? row->title : row->upper;
	for (int i = 0; i < 3 && to[i]; i++)
		put(b, to[i]);
	return 1;
}

/* Whether the sigma at [at, next) ends a word. */
static int final_sigma(const char *s, size_t n, size_t at, size_t next)
{
	uint32_t c = 0;
	int before = 0;
	while (at > 0) {
		do
			at--;
		while (at > 0 && ((unsigned char)s[at] & 0xc0) == 0x80);
		size_t i = at;
		c = jx_utf8_get(s, n, &i);
		if (is_ignorable(c))
			continue;
		before = is_cased(c);
		break;
	}
	while (before && next < n) {
		c = jx_utf8_get(s, n, &next);
		if (!is_ignorable(c))
			return !is_cased(c);
	}
	return before;
}

static void put_lower(
	struct jx_text *b, const char *s, size_t n, size_t at, size_t next, uint32_t c)
{
	if (c == 0x130) {
		put(b, 'i');
		put(b, 0x307);
	} else if (c == 0x3a3) {
		put(b, final_sigma(s, n, at, next) ? 0x3c2 : 0x3c3);
	} else {
		put(b, (uint32_t)utf8proc_tolower((utf8proc_int32_t)c));
	}
}

void jx_case_char(struct jx_text *b, const char *s, size_t n, size_t *i, enum jx_case how)
{
	size_t at = *i;
	uint32_t c = jx_utf8_get(s, n, i);
	if (how == CASE_SWAP)
		how = jx_is_upper(c) ? CASE_LOWER : CASE_UPPER;
	if (how == CASE_LOWER) {
		put_lower(b, s, n, at, *i, c);
	} else if (how == CASE_FOLD) {
		utf8proc_int32_t to[8];
		int class = 0;
		utf8proc_ssize_t m = utf8proc_decompose_char(
			(utf8proc_int32_t)c, to, 8, UTF8PROC_CASEFOLD, &class);
		for (utf8proc_ssize_t k = 0; k < m && k < 8; k++)
			put(b, (uint32_t)to[k]);
	} else if (!put_special(b, c, how == CASE_TITLE)) {
		put(b, (uint32_t)(how == CASE_TITLE ? utf8proc_totitle((utf8proc_int32_t)c)
						    : utf8proc_toupper((utf8proc_int32_t)c)));
	}
}

static int is_ascii(struct jv s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.u.s[i] >= 0x80)
			return 0;
	return 1;
}

struct jv jx_case(struct jinja_run *r, struct jv s, enum jx_case how)
{
	struct jv v;
	if ((how == CASE_UPPER || how == CASE_LOWER || how == CASE_FOLD) && is_ascii(s)) {
		char *p = jx_str_room(r, s.len);
		for (size_t i = 0; i < s.len; i++) {
			char c = s.u.s[i];
			p[i] = how == CASE_UPPER ? (c >= 'a' && c <= 'z' ? (char)(c - 32) : c)
						 : (c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
		}
		v = jv_str(p, s.len);
		v.flags = s.flags;
		return v;
	}
	struct jx_text b = {.r = r};
	int cased = 0;
	for (size_t i = 0; i < s.len;) {
		size_t j = i;
		uint32_t c = jx_utf8_get(s.u.s, s.len, &j);
		enum jx_case one = how;
		if (how == CASE_CAPITAL)
			one = i ? CASE_LOWER : CASE_TITLE;
		else if (how == CASE_TITLE)
			one = cased ? CASE_LOWER : CASE_TITLE;
		cased = is_cased(c);
		jx_case_char(&b, s.u.s, s.len, &i, one);
	}
	v = jx_text_end(&b);
	v.flags = s.flags;
	return v;
}
