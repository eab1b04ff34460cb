/* Filters that lay text out or make links of it: rare in chat templates, so PCRE2 may do their patterns. */
#include "tools/tmpl/jinja_int.h"
#include "common/utf8.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

static int is_letter(char c)
{
	return (c | 32) >= 'a' && (c | 32) <= 'z';
}

/* One character of HTML text: &name; of a few, &#1; or the character itself. Its length in s. */
static size_t entity(struct jinja_run *r, const char *s, size_t n, struct jx_text *b)
{
	static const struct {
		const char *name, *text;
	} named[] = {{"amp;", "&"}, {"lt;", "<"}, {"gt;", ">"}, {"quot;", "\""}, {"apos;", "'"},
		{"nbsp;", "\xc2\xa0"}, {"raquo;", "\xc2\xbb"}, {"laquo;", "\xc2\xab"},
		{"copy;", "\xc2\xa9"}, {"hellip;", "\xe2\x80\xa6"}, {"mdash;", "\xe2\x80\x94"},
		{"ndash;", "\xe2\x80\x93"}};
	if (s[0] != '&' || n < 2 || !(s[1] == '#' || is_letter(s[1]))) {
		jx_text_char(b, s[0]);
		return 1;
	}
	for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
		size_t m = strlen(named[i].name);
		if (n > m && memcmp(s + 1, named[i].name, m) == 0) {
			jx_text_add(b, named[i].text, strlen(named[i].text));
			return m + 1;
		}
	}
	if (s[1] == '#') {
		int hex = n > 2 && (s[2] | 32) == 'x';
		int64_t c = 0;
		size_t from = hex ? 3 : 2, i = from;
		while (i < n && i < from + 8 &&
			((s[i] >= '0' && s[i] <= '9') ||
				(hex && is_letter(s[i]) && (s[i] | 32) <= 'f')))
			i++;
		char out[4];
		if (i > from && jx_parse_int(jv_str(s + from, i - from), hex ? 16 : 10, &c) == 0 &&
			c >= 32 && (c < 0x7f || c >= 0xa0) && c < 0xd800) {
			jx_text_add(b, out, utf8_put((uint32_t)c, out));
			return i + (i < n && s[i] == ';');
		}
	}
	jx_fail(r, "striptags: a character reference that is not supported: '%.*s'",
		(int)(n < 12 ? n : 12), s);
}

static struct jv f_striptags(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	(void)c;
	struct jx_text b = {.r = r}, out = {.r = r};
	v = jx_to_str(r, v);
	size_t at = 0;
	for (const char *p; at < v.len && (p = memchr(v.u.s + at, '<', v.len - at));) {
		size_t open = (size_t)(p - v.u.s);
		int note = v.len - open >= 4 && memcmp(p, "<!--", 4) == 0;
		const char *q = note ? jx_find(p + 4, v.len - open - 4, "-->", 3)
				     : memchr(p, '>', v.len - open);
		if (!q)
			break;
		jx_text_add(&b, v.u.s + at, open - at);
		at = (size_t)(q - v.u.s) + (note ? 3 : 1);
	}
	jx_text_add(&b, v.u.s + at, v.len - at);
	struct jv words = jx_split(r, jx_text_end(&b), NULL, -1, 0);
	for (uint32_t i = 0; i < words.u.list->n; i++) {
		struct jv w = words.u.list->v[i];
		if (i)
			jx_text_char(&out, ' ');
		for (size_t k = 0; k < w.len;)
			k += entity(r, w.u.s + k, w.len - k, &out);
	}
	return jx_text_end(&out);
}

/* ---- wordwrap: CPython's textwrap ---- */

/* PCRE2 takes its memory from the run, so that an error on the way leaves nothing behind. */
struct pattern {
	pcre2_code *code;
	pcre2_match_data *match;
};

static void *take(PCRE2_SIZE n, void *run)
{
	return jx_alloc(run, n, 1);
}

static void leave(void *p, void *run)
{
	(void)p, (void)run;
}

static void pattern_open(struct jinja_run *r, struct pattern *p, const char *text, uint32_t options)
{
	int error;
	PCRE2_SIZE where;
	pcre2_general_context *memory = pcre2_general_context_create(take, leave, r);
	p->code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
		options | PCRE2_UTF | PCRE2_UCP, &error, &where,
		pcre2_compile_context_create(memory));
	if (!p->code)
		jx_fail(r, "a built-in pattern does not compile (error %d)", error);
	p->match = pcre2_match_data_create_from_pattern(p->code, memory);
}

/* The first match at or after `at`: 1 and [*from, *to). */
static int pattern_find(
	struct pattern *p, const char *s, size_t n, size_t at, size_t *from, size_t *to)
{
	if (pcre2_match(p->code, (PCRE2_SPTR)s, n, at, PCRE2_NO_UTF_CHECK, p->match, NULL) < 0)
		return 0;
	const PCRE2_SIZE *o = pcre2_get_ovector_pointer(p->match);
	*from = o[0];
	*to = o[1];
	return 1;
}

#define SPACE  "\\t\\n\\x0b\\x0c\\r "
#define LETTER "[^\\d\\W]"
static const char chunks[] =
	"[" SPACE "]+|(?<=[\\w!\"'&.,?])-{2,}(?=\\w)|[^" SPACE "]+?(?:-(?:(?<=" LETTER LETTER
	"-)|(?<=" LETTER "-" LETTER "-))(?=" LETTER "-?" LETTER ")|(?=[" SPACE
	"]|\\z)|(?<=[\\w!\"'&.,?])(?=-{2,}\\w))";
static const char plain_chunks[] = "[" SPACE "]+";

/* Splits at matches and keeps them; nothing is lost. */
static struct jv split_chunks(struct jinja_run *r, struct jv line, int hyphens)
{
	struct pattern p;
	struct jv out = jx_list(r, 16);
	size_t at = 0, from, to;
	pattern_open(r, &p, hyphens ? chunks : plain_chunks, 0);
	while (at < line.len && pattern_find(&p, line.u.s, line.len, at, &from, &to) && to > from) {
		if (from > at)
			jx_push(r, out, jv_str(line.u.s + at, from - at));
		jx_push(r, out, jv_str(line.u.s + from, to - from));
		at = to;
	}
	if (at < line.len)
		jx_push(r, out, jv_str(line.u.s + at, line.len - at));
	return out;
}

static int is_blank(struct jv s)
{
	return jx_strip(s, NULL, 1, 1).len == 0;
}

struct wrap {
	struct jinja_run *r;
	struct jv sep, out; /* out: lines */
	int64_t width;
	int break_long, hyphens;
};

/* Takes what fits of a word that is too long for any line, behind a hyphen if it can; the rest stays. */
static struct jv break_word(const struct wrap *w, struct jv *word, int64_t room)
{
	size_t cut = jx_utf8_at(word->u.s, word->len, (size_t)room);
	const char *hyphen = w->hyphens && cut ? memrchr(word->u.s, '-', cut) : NULL;
	for (const char *p = word->u.s; hyphen && p < hyphen; p++) {
		if (*p != '-') {
			cut = (size_t)(hyphen + 1 - word->u.s);
			break;
		}
	}
	struct jv head = jv_str(word->u.s, cut);
	word->u.s += cut;
	word->len -= (uint32_t)cut;
	return head;
}

static void wrap_line(struct wrap *w, struct jv line)
{
	struct jinja_run *r = w->r;
	struct jv words = split_chunks(r, line, w->hyphens);
	struct jv_list *l = words.u.list;
	uint32_t i = 0;
	while (i < l->n) {
		if (w->out.u.list->n && is_blank(l->v[i])) {
			i++;
			continue;
		}
		struct jv row = jx_list(r, 8);
		int64_t have = 0;
		for (; i < l->n; i++) {
			int64_t n = jx_len(r, l->v[i]);
			if (have + n > w->width)
				break;
			jx_push(r, row, l->v[i]);
			have += n;
		}
		if (i < l->n && jx_len(r, l->v[i]) > w->width) {
			if (w->break_long)
				jx_push(r, row, break_word(w, &l->v[i], w->width - have));
			else if (!row.u.list->n)
				jx_push(r, row, l->v[i++]);
		}
		if (row.u.list->n && is_blank(row.u.list->v[row.u.list->n - 1]))
			row.u.list->n--;
		if (!row.u.list->n)
			continue;
		struct jx_text b = {.r = r};
		for (uint32_t k = 0; k < row.u.list->n; k++)
			jx_text_add(&b, row.u.list->v[k].u.s, row.u.list->v[k].len);
		jx_push(r, w->out, jx_text_end(&b));
	}
}

static struct jv f_wordwrap(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	struct wrap w = {.r = r,
		.width = jx_arg_int(r, c->a[0], 79),
		.break_long = jx_arg_true(r, c->a[1], 1),
		.sep = jx_given(c->a[2]) ? jx_want_str(r, c->a[2], "the wrapstring")
					 : jv_str("\n", 1),
		.hyphens = jx_arg_true(r, c->a[3], 1)};
	if (v.type == JV_UNDEFINED)
		jx_fail_undefined(r, v);
	struct jv lines = jx_splitlines(r, jx_want_str(r, v, "what is wrapped"), 0);
	struct jx_text b = {.r = r};
	if (w.width <= 0 && lines.u.list->n)
		jx_fail(r, "invalid width %lld (must be > 0)", (long long)w.width);
	for (uint32_t i = 0; i < lines.u.list->n; i++) {
		w.out = jx_list(r, 8);
		wrap_line(&w, lines.u.list->v[i]);
		if (i)
			jx_text_add(&b, w.sep.u.s, w.sep.len);
		for (uint32_t k = 0; k < w.out.u.list->n; k++) {
			if (k)
				jx_text_add(&b, w.sep.u.s, w.sep.len);
			jx_text_add(&b, w.out.u.list->v[k].u.s, w.out.u.list->v[k].len);
		}
	}
	return jx_text_end(&b);
}

/* ---- urlize: utils.py of Jinja2 ---- */

static const char url_pattern[] =
	"^((https?://|www\\.)(([\\w%-]+\\.)+)?([a-z]{2,63}|xn--[\\w%]{2,59})"
	"|([\\w%-]{2,63}\\.)+(com|net|int|edu|gov|org|info|mil)"
	"|(https?://)((([\\d]{1,3})(\\.[\\d]{1,3}){3})"
	"|(\\[([\\da-f]{0,4}:){2}([\\da-f]{0,4}:?){1,6}\\])))(?::[\\d]{1,5})?(?:[/?#]\\S*)?$";
static const char mail_pattern[] = "^\\S+@\\w[\\w.-]*\\.\\w+$";

struct links {
	struct jinja_run *r;
	struct pattern url, mail;
	struct jv attrs; /* rel and target, written out */
	int64_t limit;	 /* of the text shown; -1: none */
	struct jv schemes;
	struct jx_text out;
};

static int starts(struct jv s, const char *with)
{
	size_t n = strlen(with);
	return s.len >= n && memcmp(s.u.s, with, n) == 0;
}

static int matches(struct pattern *p, struct jv s)
{
	size_t from, to;
	return pattern_find(p, s.u.s, s.len, 0, &from, &to);
}

/* Length of one of the strings at the start (or the end) of s, 0: none is there. */
static size_t bracket(struct jv s, const char *const *any, int end)
{
	for (; *any; any++) {
		size_t n = strlen(*any);
		if (s.len >= n && memcmp(end ? s.u.s + s.len - n : s.u.s, *any, n) == 0)
			return n;
	}
	return 0;
}

static size_t count_of(struct jv s, const char *what)
{
	size_t n = 0, m = strlen(what);
	for (const char *p = s.u.s; (p = jx_find(p, (size_t)(s.u.s + s.len - p), what, m)); p += m)
		n++;
	return n;
}

static void put(struct links *l, const char *s)
{
	jx_text_add(&l->out, s, strlen(s));
}

static void put_link(struct links *l, const char *scheme, struct jv to, int attrs, struct jv shown)
{
	put(l, "<a href=\"");
	put(l, scheme);
	jx_text_add(&l->out, to.u.s, to.len);
	put(l, "\"");
	if (attrs)
		jx_text_add(&l->out, l->attrs.u.s, l->attrs.len);
	put(l, ">");
	int64_t limit = attrs == 1 ? l->limit : -1;
	size_t cut = shown.len;
	if (limit >= 0 && (int64_t)jx_utf8_len(shown.u.s, shown.len) > limit)
		cut = jx_utf8_at(shown.u.s, shown.len, (size_t)limit);
	jx_text_add(&l->out, shown.u.s, cut);
	put(l, cut < shown.len ? "...</a>" : "</a>");
}

static void put_middle(struct links *l, struct jv m)
{
	struct jv address = m;
	if (starts(m, "mailto:")) {
		address.u.s += 7;
		address.len -= 7;
	}
	if (matches(&l->url, m)) {
		put_link(l, starts(m, "https://") || starts(m, "http://") ? "" : "https://", m, 1,
			m);
	} else if (address.len < m.len && matches(&l->mail, address)) {
		put_link(l, "", m, 0, address);
	} else if (m.len && memchr(m.u.s, '@', m.len) && !starts(m, "www.") && m.u.s[0] != '@' &&
		   !memchr(m.u.s, ':', m.len) && matches(&l->mail, m)) {
		put_link(l, "mailto:", m, 0, m);
	} else {
		for (uint32_t i = 0; l->schemes.type && i < l->schemes.u.list->n; i++) {
			struct jv s = l->schemes.u.list->v[i];
			if (m.len > s.len && memcmp(m.u.s, s.u.s, s.len) == 0) {
				put_link(l, "", m, 2, m);
				return;
			}
		}
		jx_text_add(&l->out, m.u.s, m.len);
	}
}

/* Brackets and full stops around a link are no part of it, but for brackets it opens itself. */
static void put_word(struct links *l, struct jv word)
{
	static const char *const heads[] = {"(", "<", "&lt;", NULL};
	static const char *const tails[] = {")", ">", ".", ",", "\n", "&gt;", NULL};
	static const char *const pairs[][2] = {{"(", ")"}, {"<", ">"}, {"&lt;", "&gt;"}};
	struct jv m = word;
	size_t n;
	while ((n = bracket(m, heads, 0))) {
		m.u.s += n;
		m.len -= (uint32_t)n;
	}
	jx_text_add(&l->out, word.u.s, word.len - m.len);
	const char *end = m.u.s + m.len;
	while ((n = bracket(m, tails, 1)))
		m.len -= (uint32_t)n;
	for (size_t i = 0; i < 3; i++) {
		size_t opened = count_of(m, pairs[i][0]), w = strlen(pairs[i][1]);
		if (opened <= count_of(m, pairs[i][1]))
			continue;
		for (; opened; opened--) {
			const char *tail = m.u.s + m.len;
			const char *p = jx_find(tail, (size_t)(end - tail), pairs[i][1], w);
			if (!p)
				break;
			m.len = (uint32_t)(p + w - m.u.s);
		}
	}
	put_middle(l, m);
	jx_text_add(&l->out, m.u.s + m.len, (size_t)(end - (m.u.s + m.len)));
}

/* rel="…" with its words sorted, target="…". */
static struct jv link_attrs(struct jinja_run *r, struct jx_call *c)
{
	struct jx_text b = {.r = r};
	struct jv rel = jx_given(c->a[3]) ? jx_want_str(r, c->a[3], "rel") : jv_str("", 0);
	struct jv words = jx_split(r, rel, NULL, -1, 0), last = {0};
	if (jx_arg_true(r, c->a[1], 0))
		jx_push(r, words, jx_strz("nofollow"));
	jx_push(r, words, jx_strz("noopener"));
	words = jx_sorted(r, words, NULL, 0);
	jx_text_add(&b, " rel=\"", 6);
	for (uint32_t i = 0; i < words.u.list->n; i++) {
		struct jv w = words.u.list->v[i];
		if (i && jx_equal(r, w, last))
			continue;
		last = w;
		if (i)
			jx_text_char(&b, ' ');
		w = jx_escape(r, w);
		jx_text_add(&b, w.u.s, w.len);
	}
	jx_text_char(&b, '"');
	if (jx_given(c->a[2]) && jx_true(r, c->a[2])) {
		struct jv target = jx_escape(r, c->a[2]);
		jx_text_add(&b, " target=\"", 9);
		jx_text_add(&b, target.u.s, target.len);
		jx_text_char(&b, '"');
	}
	return jx_text_end(&b);
}

static struct jv link_schemes(struct jinja_run *r, struct jv given)
{
	struct jv none = {0};
	if (!jx_given(given))
		return none;
	struct jv list = jx_to_list(r, given);
	for (uint32_t i = 0; i < list.u.list->n; i++) {
		struct jv s = jx_want_str(r, list.u.list->v[i], "a URI scheme"), bare;
		bare = s;
		for (int k = 0; k < 2 && bare.len && bare.u.s[bare.len - 1] == '/'; k++)
			bare.len--;
		int ok = bare.len > 2 && bare.u.s[bare.len - 1] == ':';
		for (size_t k = 0; ok && k + 1 < bare.len;) {
			uint32_t ch = jx_utf8_get(bare.u.s, bare.len, &k);
			ok = jx_is_word(ch) || ch == '.' || ch == '+' || ch == '-';
		}
		if (!ok)
			jx_fail(r, "'%.*s' is not a valid URI scheme prefix", (int)s.len, s.u.s);
	}
	return list;
}

static struct jv f_urlize(struct jinja_run *r, struct jv v, struct jx_call *c)
{
	struct links l = {.r = r, .out = {.r = r}};
	l.limit = jx_given(c->a[0]) ? jx_index(r, c->a[0]) : -1;
	l.attrs = link_attrs(r, c);
	l.schemes = link_schemes(r, c->a[4]);
	v = jx_escape(r, v);
	if (jx_given(c->a[0]) && l.limit < 0)
		jx_fail(r, "urlize: a negative limit is not supported");
	pattern_open(r, &l.url, url_pattern, PCRE2_CASELESS);
	pattern_open(r, &l.mail, mail_pattern, 0);
	for (size_t i = 0; i < v.len;) {
		size_t end = i, from = i;
		int space = jx_is_space(jx_utf8_get(v.u.s, v.len, &end));
		for (size_t k = end; k < v.len; end = k)
			if (jx_is_space(jx_utf8_get(v.u.s, v.len, &k)) != space)
				break;
		i = end;
		if (space)
			jx_text_add(&l.out, v.u.s + from, end - from);
		else
			put_word(&l, jv_str(v.u.s + from, end - from));
	}
	struct jv out = jx_text_end(&l.out);
	out.flags = r->autoescape ? JF_MARKUP : 0;
	return out;
}

const struct jx_builtin jx_filters_web[] = {
	{"striptags", f_striptags, ""},
	{"urlize", f_urlize, "?trim_url_limit ?nofollow ?target ?rel ?extra_schemes"},
	{"wordwrap", f_wordwrap, "?width ?break_long_words ?wrapstring ?break_on_hyphens"},
	{0},
};
