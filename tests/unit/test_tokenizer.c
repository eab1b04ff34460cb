/* The tokenizer's own promises: splitters are their patterns, what is decoded is what was encoded, long
 * pieces cost no more than they must, and files that lie are refused. */
#include "common/io.h"
#include "common/mem.h"
#include "common/tokenizer/tokenizer.h"
#include "common/tokenizer/tokenizer_int.h"
#include "common/tokenizer/unicode.h"
#include "tests/tap.h"
#include "common/utf8.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TINY "tests/data/tiny-bpe"

static uint64_t state = 88172645463325252u;

static uint64_t rnd(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A character of a kind that patterns tell apart; now and then any at all. */
static uint32_t some_char(void)
{
	static const uint32_t telling[] = {' ', ' ', ' ', '\n', '\r', '\t', '\'', 's', 'S', 't',
		'r', 'e', 'v', 'l', 'L', 'd', 'm', 'x', '1', '2', '3', '.', '!', '-', 0xa0, 0x85,
		0x2003, 0x3000, 0x17f, 0x212a, 0xe9, 0x301, 0x4e2d, 0x660, 0x2167, 0xb2, 0x1f600,
		0x1c89, 0x31350, 0x10d40, 0x16ea0, 0x11de0, 0x180e, 0x200b, 1, 0x7f, '_', '$',
		0x20ac, 0x3042, 0x3097, 0x3098, 0x3099, 0x30a0, 0x30fb, 0x9fa6, 0xe000};
	if (rnd(20))
		return telling[rnd(sizeof telling / sizeof *telling)];
	uint32_t c = (uint32_t)rnd(0x110000);
	return c >= 0xd800 && c < 0xe000 ? 'x' : c;
}

static void some_text_more(struct str *s, size_t chars)
{
	for (size_t i = 0; i < chars; i++) {
		char bytes[4];
		str_add(s, bytes, utf8_put(some_char(), bytes));
	}
}

/* Nearly all ASCII, in runs, as most text is: what edges.c can tell of. */
static void some_words(struct str *s, size_t chars)
{
	static const char kinds[] = "    \n\r\t''stSmdreLlv ABxyz123./!-";
	str_reset(s);
	while (chars--) {
		char c = kinds[rnd(sizeof kinds - 1)];
		for (size_t n = rnd(4) ? 1 : 1 + rnd(6); n; n--)
			str_addc(s, c);
		if (!rnd(40))
			some_text_more(s, 1);
	}
}

static void some_text(struct str *s, size_t chars)
{
	str_reset(s);
	some_text_more(s, chars);
}

/* ---- splitters ----------------------------------------------------------------------------------- */

/* A splitter's patterns, as PCRE2 runs them. */
struct judge {
	const struct splitter_row *row;
	struct pattern *pattern[SPLITTER_PATTERNS];
	size_t n;
	struct pattern_state *st;
	struct spans now, next;
	struct window window;
};

static int judge_init(struct judge *j, const struct splitter_row *row, struct err *e)
{
	*j = (struct judge){.row = row, .st = pattern_state_new()};
	window_init(&j->window);
	for (; j->n < SPLITTER_PATTERNS && row->pattern[j->n]; j->n++)
		if (pattern_new(&j->pattern[j->n], row->pattern[j->n], strlen(row->pattern[j->n]),
			    0, e))
			return -1;
	return 0;
}

static void judge_done(struct judge *j)
{
	for (size_t i = 0; i < j->n; i++)
		pattern_free(j->pattern[i]);
	pattern_state_free(j->st);
	mem_free(j->now.v);
	mem_free(j->next.v);
	window_done(&j->window);
}

/* What a pattern makes of the pieces so far: its matches, and what lies between them. */
static int judge_cut(struct judge *j, const struct pattern *p, const char *s)
{
	struct err e = {0};
	j->next.n = 0;
	for (size_t i = 0; i < j->now.n; i++) {
		size_t base = j->now.v[i].from, len = j->now.v[i].to - base, done = 0;
		struct pattern_cursor at = {0};
		struct span m;
		int rc;
		while ((rc = pattern_next(p, j->st, s + base, len, &at, &m, &e)) > 0) {
			if (done < m.from)
				spans_add(&j->next, base + done, base + m.from);
			spans_add(&j->next, base + m.from, base + m.to);
			done = m.to;
		}
		if (rc < 0)
			return -1;
		if (done < len)
			spans_add(&j->next, base + done, base + len);
	}
	struct spans was = j->now;
	j->now = j->next;
	j->next = was;
	return 0;
}

static int same_pieces(struct judge *j, const struct str *s)
{
	struct span pieces[3];
	size_t from = 0, k = 0;
	j->now.n = 0;
	spans_add(&j->now, 0, s->len);
	for (size_t i = 0; i < j->n; i++)
		if (judge_cut(j, j->pattern[i], s->s))
			return 0;
	window_begin(&j->window, s->s, s->len, j->row->view);
	while (from < s->len) {
		size_t n = j->row->split(&j->window, from, pieces, 3);
		for (size_t i = 0; i < n; from = pieces[i++].to, k++)
			if (k == j->now.n ||
				memcmp(&pieces[i], &j->now.v[k], sizeof *pieces) != 0) {
				diag("at %zu of '%s': splitter [%u, %u)", from, s->s,
					pieces[i].from, pieces[i].to);
				return 0;
			}
		if (!n)
			return 0;
	}
	return k == j->now.n;
}

static void test_splitter(struct judge *j, const char *name)
{
	struct str s = {0};
	int same = 1;
	for (int i = 0; same && i < 20000; i++) {
		some_text(&s, 1 + rnd(12));
		same = same_pieces(j, &s);
	}
	ok(same, "the splitter of %s cuts as its regex does: random texts", name);
	for (int i = 0; same && i < 20000; i++) {
		some_words(&s, 1 + rnd(150));
		same = same_pieces(j, &s);
	}
	ok(same, "the splitter of %s cuts as its regex does: words", name);
	for (int i = 0; same && i < 300; i++) {
		some_text(&s, 1 + rnd(30000));
		for (size_t n = rnd(9000); n; n--)
			str_addc(&s, " a1.\n\x01"[i % 6]);
		some_text_more(&s, rnd(30));
		same = same_pieces(j, &s);
	}
	ok(same, "the splitter of %s cuts as its regex does: texts and runs beyond its window",
		name);
	same = 1;
	for (uint32_t c = 1; same && c < 0x110000; c++) {
		static const char *const beside[] = {"a ", "1", "\xe4\xb8\xad", "\n_", "b"};
		if (c >= 0xd800 && c < 0xe000)
			continue;
		char bytes[4];
		size_t n = utf8_put(c, bytes);
		str_reset(&s);
		for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
			str_add(&s, bytes, n);
			str_adds(&s, beside[i]);
		}
		str_add(&s, bytes, n);
		same = same_pieces(j, &s);
	}
	ok(same, "the splitter of %s cuts as its regex does: every code point", name);
	str_done(&s);
}

static void test_splitters(void)
{
	for (const struct splitter_row *r = splitter_table; r->split; r++) {
		struct judge j;
		struct err e = {0};
		char *name = mem_printf("%.40s… (%td)", r->pattern[0], r - splitter_table);
		if (judge_init(&j, r, &e))
			ok(0, "%s compiles: %s", name, e.msg);
		else
			test_splitter(&j, name);
		judge_done(&j);
		mem_free(name);
	}
}

/* ---- a tokenizer with all bytes -------------------------------------------------------------------- */

static void test_there_and_back(void)
{
	struct err e = {0};
	struct tokenizer *t;
	if (!ok(tokenizer_load(&t, TINY, &e) == 0, "the tiny tokenizer loads")) {
		diag("%s", e.msg);
		return;
	}
	struct encoder *enc = encoder_new(t);
	struct encoding out = {0};
	struct str s = {0}, back = {0};
	int same = 1, ordered = 1;
	for (int i = 0; i < 3000; i++) {
		some_text(&s, rnd(200));
		if (rnd(2))
			str_adds(&s, "<|im_end|>\n<s>");
		encoding_reset(&out);
		str_reset(&back);
		same &= !tokenizer_encode(enc, s.s ? s.s : "", s.len, 0, &out, &e) &&
			!tokenizer_decode(enc, out.ids, out.n, 0, &back, &e) && back.len == s.len &&
			(!s.len || !memcmp(back.s, s.s, s.len));
		for (size_t k = 0; k < out.n; k++)
			ordered &= out.offsets[k][0] <= out.offsets[k][1] &&
				   out.offsets[k][1] <= s.len;
	}
	ok(same, "what is decoded is what was encoded");
	ok(ordered, "offsets lie in the text");
	ok(tokenizer_bos(t) == 0 && tokenizer_eos(t) == 1 && tokenizer_adds_bos(t) &&
			!tokenizer_adds_eos(t),
		"BOS comes from the template, EOS from tokenizer_config.json");
	ok(tokenizer_id(t, "<|im_end|>", 10) == 321 && tokenizer_is_special(t, 321) &&
			tokenizer_id(t, "nothing", 7) == -1 && tokenizer_vocab_size(t) == 322,
		"added tokens are found by name");

	/* A word of a megabyte is one piece. */
	str_reset(&s);
	for (int i = 0; i < 250000; i++)
		str_adds(&s, "sent");
	encoding_reset(&out);
	double from = seconds();
	int good = !tokenizer_encode(enc, s.s, s.len, 0, &out, &e);
	double took = seconds() - from;
	ok(good && out.n == 750000 && took < 5, "a word of a megabyte takes no quadratic time");
	diag("%zu ids, %.2f s", out.n, took);
	str_reset(&back);
	ok(!tokenizer_decode(enc, out.ids, out.n, 0, &back, &e) && back.len == s.len,
		"and comes back whole");
	encoding_done(&out);
	str_done(&s);
	str_done(&back);
	encoder_free(enc);
	tokenizer_free(t);
}

/* ---- a text behind one that was encoded ---------------------------------------------------------- */

static char dir[] = "/tmp/sluice-tokenizer-XXXXXX";

/* Added tokens that begin alike, and that take blanks or look at words around them. */
static struct tokenizer *tokenizer_with_added(void)
{
	static const char added[] =
		",\"added_tokens\":[{\"content\":\"<a>\",\"normalized\":false},"
		"{\"content\":\"<a><b\",\"normalized\":false},"
		"{\"content\":\"<a><b>long<a>\",\"normalized\":false,\"special\":true},"
		"{\"content\":\"<l>\",\"normalized\":false,\"lstrip\":true},"
		"{\"content\":\"<r>\",\"normalized\":false,\"rstrip\":true},"
		"{\"content\":\"word\",\"normalized\":false,\"single_word\":true},"
		"{\"content\":\" wo\",\"normalized\":false},"
		"{\"content\":\"<n>\",\"normalized\":true}]}";
	struct err e = {0};
	size_t len;
	char *s = io_read_file(TINY "/tokenizer.json", 1 << 20, &len, &e);
	char *old = strstr(s, "\"added_tokens\""), *path = io_path(dir, "tokenizer.json");
	memcpy(old, "\"ignored_them\"", 14);
	FILE *f = fopen(path, "w");
	struct tokenizer *t = NULL;
	fprintf(f, "%.*s%s", (int)(strrchr(s, '}') - s), s, added);
	fclose(f);
	if (tokenizer_load(&t, dir, &e))
		diag("%s", e.msg);
	unlink(path);
	mem_free(path);
	mem_free(s);
	return t;
}

static void test_after(void)
{
	static const char *const parts[] = {"<a>", "<b", ">long", "<l>", "<r>", " ", "word", "<n>",
		"the ", "a", "<a><b>long<a>", "  \n", "<"};
	struct tokenizer *t = tokenizer_with_added();
	if (!ok(t != NULL, "a tokenizer with added tokens of all kinds loads"))
		return;
	struct encoder *enc = encoder_new(t);
	struct encoding first = {.ids_only = 1}, whole = {.ids_only = 1}, after = {.ids_only = 1};
	struct str s = {0};
	struct err e = {0};
	int same = 1;
	size_t settled = 0;
	for (int i = 0; same && i < 50000; i++) {
		str_reset(&s);
		for (uint64_t n = rnd(12); n; n--)
			str_adds(&s, parts[rnd(sizeof parts / sizeof *parts)]);
		size_t len = s.len;
		for (uint64_t n = rnd(6); n; n--)
			str_adds(&s, parts[rnd(sizeof parts / sizeof *parts)]);
		str_reserve(&s, 0);
		first.n = whole.n = after.n = 0;
		same = !tokenizer_encode(enc, s.s, len, 0, &first, &e) &&
		       !tokenizer_encode(enc, s.s, s.len, 0, &whole, &e) &&
		       !tokenizer_encode_after(enc, &first, s.s, s.len, &after, &e) &&
		       after.n == whole.n &&
		       (!whole.n || !memcmp(after.ids, whole.ids, whole.n * sizeof *whole.ids));
		settled += first.settled_ids > 0;
		if (!same)
			diag("'%.*s' and '%s'", (int)len, s.s, s.s + len);
	}
	ok(same && settled > 1000,
		"what is settled of a text is so whatever follows (%zu of 50000 times some is)",
		settled);
	encoding_done(&first);
	encoding_done(&whole);
	encoding_done(&after);
	str_done(&s);
	encoder_free(enc);
	tokenizer_free(t);
}

/* ---- files that lie -------------------------------------------------------------------------------- */

static int load_kept(struct tokenizer **t, const char *text, size_t len, struct err *e)
{
	char *path = io_path(dir, "tokenizer.json");
	FILE *f = fopen(path, "w");
	if (f) {
		fwrite(text, 1, len, f);
		fclose(f);
	}
	int rc = tokenizer_load(t, dir, e);
	unlink(path);
	mem_free(path);
	return rc;
}

static int load_text(const char *text, size_t len, struct err *e)
{
	struct tokenizer *t = NULL;
	int rc = load_kept(&t, text, len, e);
	if (!rc)
		tokenizer_free(t);
	return rc;
}

static void refused(const char *text, const char *why)
{
	struct err e = {0};
	int rc = load_text(text, strlen(text), &e);
	ok(rc && e.status == STATUS_DATA && strstr(e.msg, why), "refused: %s", why);
	if (!rc || !strstr(e.msg, why))
		diag("got '%s'", e.msg);
}

#define MODEL(more)                                                                                \
	"\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2},\"merges\":[[\"a\","     \
	"\"b\"]]" more "}"

/* As the library (0.23.3) has it. */
static void test_quirks(void)
{
	static const struct {
		const char *file, *decoded, *claim;
	} cases[] = {
		{"{" MODEL("") "}", "ab b", "without a decoder tokens stand apart"},
		{"{" MODEL("") ",\"decoder\":{\"type\":\"Sequence\",\"decoders\":[]}}", "abb",
			"with one of no steps they do not"},
		{"{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2},\"merges\":"
		 "[\"#version: 0.2\",\"a b\"]}}",
			"ab b", "a version among the merges is passed over"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct tokenizer *t = NULL;
		struct str text = {0};
		struct err e = {0};
		int good = !load_kept(&t, cases[i].file, strlen(cases[i].file), &e);
		struct encoder *enc = good ? encoder_new(t) : NULL;
		good = good && !tokenizer_decode(enc, (const uint32_t[]){2, 1}, 2, 0, &text, &e);
		ok(good && !strcmp(text.s, cases[i].decoded), "%s", cases[i].claim);
		str_done(&text);
		encoder_free(enc);
		tokenizer_free(t);
	}
}

static void test_refused(void)
{
	struct err e = {0};
	ok(load_text("{" MODEL("") "}", strlen("{" MODEL("") "}"), &e) == 0,
		"the smallest file loads");
	refused("[]", "not a JSON object");
	refused("{\"version\":\"2.0\"," MODEL("") "}", "version '2.0'");
	refused("{" MODEL("") ",\"normalizer\":{\"type\":\"Nonsense\"}}",
		"normalizer 'Nonsense' is not implemented");
	refused("{" MODEL("") ",\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{"
			      "\"type\":\"Odd\"}]}}",
		"pre_tokenizer 'Odd' is not implemented");
	refused("{" MODEL("") ",\"decoder\":{\"type\":\"Odd\"}}",
		"decoder 'Odd' is not implemented");
	refused("{" MODEL("") ",\"post_processor\":{\"type\":\"Odd\"}}",
		"post_processor 'Odd' is not implemented");
	refused("{\"model\":{\"type\":\"Guess\",\"vocab\":{}}}",
		"model 'Guess' is not implemented");
	refused("{" MODEL(",\"dropout\":0.1") "}", "dropout");
	refused("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":4000000000},\"merges\":[]}}",
		"beyond the limit");
	refused("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":-1},\"merges\":[]}}",
		"not a number");
	refused("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"a b\"]}}",
		"merges: number 1");
	refused("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"a b c\"]}}",
		"two tokens");
	refused("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"\\ud800\":0},\"merges\":[]}}",
		"surrogate");
	refused("{" MODEL("") ",\"pre_tokenizer\":{\"type\":\"Split\",\"behavior\":\"Isolated\","
			      "\"pattern\":{\"Regex\":\"(a\"}}}",
		"pattern '(a'");
	refused("{" MODEL("") ",\"pre_tokenizer\":{\"type\":\"Split\",\"behavior\":\"Sideways\","
			      "\"pattern\":{\"String\":\"a\"}}}",
		"behavior 'Sideways'");
}

/* The tiny tokenizer cut at every byte is an error, never more. */
static void test_cut(void)
{
	size_t len;
	struct err e = {0};
	char *text = io_read_file(TINY "/tokenizer.json", 1 << 20, &len, &e);
	int all = text != NULL;
	for (size_t n = 0; all && n < len; n += 7)
		all = load_text(text, n, &e) != 0;
	ok(all, "a file cut anywhere is refused");
	mem_free(text);
}

/* A pattern that would take for ever ends with an error. */
static void test_costly(void)
{
	struct pattern *p = NULL;
	struct err e = {0};
	struct span m;
	struct str s = {0};
	struct pattern_state *st = pattern_state_new();
	for (int i = 0; i < 5000; i++)
		str_addc(&s, 'a');
	double from = seconds();
	int rc = pattern_new(&p, "(?:a+a+)+[bc]", 13, 0, &e);
	rc = rc ? rc : pattern_find(p, st, s.s, s.len, 0, &m, &e);
	ok(rc < 0 && strstr(e.msg, "too costly") && seconds() - from < 10,
		"a catastrophic regex is given up");
	diag("%s, %.2f s", e.msg, seconds() - from);
	pattern_free(p);
	pattern_state_free(st);
	str_done(&s);
}

int main(void)
{
	ok(uni_is_nonspacing(0x1171e) && uni_is_mark(0x1171e) &&
			uni_category(0x1171e) == UTF8PROC_CATEGORY_MC,
		"U+1171E, which has become Mc, is an accent to BertNormalizer");
	test_splitters();
	test_there_and_back();
	if (!ok(mkdtemp(dir) != NULL, "there is a directory to write in"))
		return tap_done();
	test_after();
	test_quirks();
	test_refused();
	test_cut();
	test_costly();
	rmdir(dir);
	return tap_done();
}
