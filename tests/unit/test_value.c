/* JSON text to values as Python's json reads it (the kinds of cases of JSONTestSuite), and what is refused. */
#include "common/io.h"
#include "common/utf8.h"
#include "tests/tap.h"
#include "tools/tmpl/value.h"

#include <dirent.h>
#include <string.h>

/* want: as json.dumps(ensure_ascii=False, separators=(",", ":")) writes it; NULL: refused. */
static const struct {
	const char *text, *want;
} cases[] = {
	/* structure */
	{"[]", "[]"},
	{"{}", "{}"},
	{" \t\r\n[ 1 , \n2\t]\r ", "[1,2]"},
	{"[[],[[]],{}]", "[[],[[]],{}]"},
	{"{\"a\":{\"b\":[{}]}}", "{\"a\":{\"b\":[{}]}}"},
	{"null", "null"},
	{"[true,false,null]", "[true,false,null]"},
	{"\"\"", "\"\""},
	{"", NULL},
	{" ", NULL},
	{"[", NULL},
	{"]", NULL},
	{"[1", NULL},
	{"[1,", NULL},
	{"[1,]", NULL},
	{"[,1]", NULL},
	{"[1,,2]", NULL},
	{"[1 2]", NULL},
	{"[1}", NULL},
	{"[1]]", NULL},
	{"[1]x", NULL},
	{"[]{}", NULL},
	{"{", NULL},
	{"{\"a\"", NULL},
	{"{\"a\":", NULL},
	{"{\"a\":1", NULL},
	{"{\"a\":1,}", NULL},
	{"{\"a\" 1}", NULL},
	{"{\"a\":1 \"b\":2}", NULL},
	{"{a:1}", NULL},
	{"{'a':1}", NULL},
	{"{1:1}", NULL},
	{"{null:1}", NULL},
	{"{\"a\"::1}", NULL},
	{"[1]//", NULL},
	{"[/**/]", NULL},
	{"[\f1]", NULL},
	{"\xef\xbb\xbf[]", NULL},
	{"[\xc2\xa0]", NULL},
	/* words */
	{"tru", NULL},
	{"[True]", NULL},
	{"[nul]", NULL},
	{"nullx", NULL},
	{"[NaN]", NULL},
	{"[Infinity]", NULL},
	{"[-Infinity]", NULL},
	/* keys twice */
	{"{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}"},
	{"{\"\":0,\"\\u0061\":1,\"a\":2}", "{\"\":0,\"a\":2}"},
	/* numbers */
	{"[0,-0,-1,10]", "[0,0,-1,10]"},
	{"[9223372036854775807,-9223372036854775808]",
		"[9223372036854775807,-9223372036854775808]"},
	{"[9223372036854775808]", NULL},
	{"[-9223372036854775809]", NULL},
	{"[100000000000000000000000000000000000000]", NULL},
	{"[0.0,-0.0,1.0,1e0,1E+2,1e-2]", "[0.0,-0.0,1.0,1.0,100.0,0.01]"},
	{"[0.1,1.5e300,123456.789e-3,5e-324]", "[0.1,1.5e+300,123.456789,5e-324]"},
	{"[9007199254740993.0,0.1234567890123456789]", "[9007199254740992.0,0.12345678901234568]"},
	{"[123456789012345680000000000000.0]", "[1.2345678901234568e+29]"},
	{"[0.000000000000000000000000000000000001,1e-400]", "[1e-36,0.0]"},
	{"[1e400]", NULL},
	{"[-1e400]", NULL},
	{"[01]", NULL},
	{"[-01]", NULL},
	{"[+1]", NULL},
	{"[-]", NULL},
	{"[.5]", NULL},
	{"[-.5]", NULL},
	{"[1.]", NULL},
	{"[1.e1]", NULL},
	{"[1e]", NULL},
	{"[1e+]", NULL},
	{"[1eE2]", NULL},
	{"[1.2.3]", NULL},
	{"[0x1]", NULL},
	{"[1_000]", NULL},
	{"[- 1]", NULL},
	{"1", "1"},
	{"-", NULL},
	{"1.5", "1.5"},
	/* strings */
	{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
	{"\"\\u00e9\\u20AC\\uD83D\\uDE00\"", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
	{"\"\\u0000\\u001f\\u007f\"", "\"\\u0000\\u001f\x7f\""},
	{"\"\\uFFFF\\uDBFF\\uDFFF\"", "\"\xef\xbf\xbf\xf4\x8f\xbf\xbf\""},
	{"\"sixteen bytes or\\nmore of them than a vector holds, \\u0041nd a tail\"",
		"\"sixteen bytes or\\nmore of them than a vector holds, And a tail\""},
	{"\"\x7f\xc3\xa9\"", "\"\x7f\xc3\xa9\""},
	{"\"\\ud800\"", NULL},
	{"\"\\ud800x\"", NULL},
	{"\"\\udc00\"", NULL},
	{"\"\\ud800\\ud800\"", NULL},
	{"\"\\ud800\\u0041\"", NULL},
	{"\"\\ud800\\udc0\"", NULL},
	{"\"\\udc00\\ud800\"", NULL},
	{"\"\\u12\"", NULL},
	{"\"\\u12g4\"", NULL},
	{"\"\\U0041\"", NULL},
	{"\"\\x41\"", NULL},
	{"\"\\a\"", NULL},
	{"\"\\'\"", NULL},
	{"\"\\", NULL},
	{"\"\\\"", NULL},
	{"\"a", NULL},
	{"\"", NULL},
	{"\"a\nb\"", NULL},
	{"\"a\tb\"", NULL},
	{"\"\x1f\"", NULL},
	{"'a'", NULL},
};

/* NULL: refused. The text is a copy of exactly its size, for the sanitizers to guard. */
static const char *read_back(const char *text, size_t len, struct str *out, struct err *e)
{
	struct arena a = {0};
	struct record r = {0};
	struct jv v;
	char *exact = mem_dup(text, len);
	str_reset(out);
	int rc = value_parse(&v, &a, exact, len, e);
	if (rc == 0)
		rc = value_set(&r, "v", v, e);
	if (rc == 0)
		record_value_json(out, r.f[0].val, r.f[0].vallen, FT_ANY);
	record_done(&r);
	arena_done(&a);
	mem_free(exact);
	return rc < 0 ? NULL : out->s;
}

static void check_cases(void)
{
	struct str out = {0};
	size_t n = sizeof cases / sizeof *cases, bad = 0;
	for (size_t i = 0; i < n; i++) {
		struct err e = {0};
		const char *got = read_back(cases[i].text, strlen(cases[i].text), &out, &e);
		int same =
			got && cases[i].want ? !strcmp(got, cases[i].want) : !got == !cases[i].want;
		if (!got && e.status != STATUS_DATA)
			same = 0;
		if (!same) {
			bad++;
			diag("%s: got %s, wanted %s", cases[i].text, got ? got : e.msg,
				cases[i].want ? cases[i].want : "a refusal");
		}
	}
	ok(bad == 0, "%zu texts are read as Python's json reads them, or refused", n);
	str_done(&out);
}

/* A quote, an escape, a control character and the end at every place of a vector. */
static void check_places(void)
{
	struct str out = {0};
	int good = 1;
	for (size_t n = 0; n < 70; n++) {
		char text[100] = "\"";
		struct err e = {0};
		memset(text + 1, 'x', n);
		memcpy(text + 1 + n, "\\n\"", 4);
		const char *got = read_back(text, n + 4, &out, &e);
		good &= got && !strcmp(got, text);
		good &= !read_back(text, n + 3, &out, &e) && !read_back(text, n + 1, &out, &e);
		memcpy(text + 1 + n, "\"", 2);
		got = read_back(text, n + 2, &out, &e);
		good &= got && !strcmp(got, text);
		memcpy(text + 1 + n, "\n\"", 3);
		good &= !read_back(text, n + 3, &out, &e);
		memcpy(text + 1 + n, "\0\"", 3);
		good &= !read_back(text, n + 3, &out, &e);
	}
	ok(good, "a string ends at any place of a vector");
	str_done(&out);
}

static void check_many_keys(void)
{
	struct str text = {0}, out = {0}, want = {0};
	struct err e = {0};
	str_adds(&text, "{");
	for (int i = 0; i < 3000; i++)
		str_addf(&text, "%s\"k%d\":%d", i ? "," : "", i % 1000, i);
	str_adds(&text, "}");
	str_adds(&want, "{");
	for (int i = 0; i < 1000; i++)
		str_addf(&want, "%s\"k%d\":%d", i ? "," : "", i, 2000 + i);
	str_adds(&want, "}");
	const char *got = read_back(text.s, text.len, &out, &e);
	ok(got && !strcmp(got, want.s), "of many keys given three times the last values count");
	str_done(&text);
	str_done(&out);
	str_done(&want);
}

static void check_limits(void)
{
	struct str text = {0}, out = {0};
	struct err e = {0};
	struct arena a = {0};
	struct jv v;
	for (int i = 0; i < VALUE_DEPTH; i++)
		str_addc(&text, '[');
	for (int i = 0; i < VALUE_DEPTH; i++)
		str_addc(&text, ']');
	ok(value_parse(&v, &a, text.s, text.len, &e) == 0, "%d lists in each other", VALUE_DEPTH);
	ok(!read_back(text.s, text.len, &out, &e) && strstr(e.msg, "more than 64 deep"),
		"are more than a stream may hold");
	str_reset(&text);
	for (int i = 0; i < 1000000; i++)
		str_adds(&text, "[{\"a\":");
	e = (struct err){0};
	ok(value_parse(&v, &a, text.s, text.len, &e) < 0 && strstr(e.msg, "100 deep"),
		"two million are refused: %s", e.msg);
	str_reset(&text);
	str_adds(&text, "[0");
	for (int i = 0; i < VALUE_COUNT; i++)
		str_adds(&text, ",0");
	str_adds(&text, "]");
	ok(value_parse(&v, &a, text.s, text.len, &e) < 0 && strstr(e.msg, "more than 4194304"),
		"too many values are refused: %s", e.msg);
	arena_done(&a);
	str_done(&text);
	str_done(&out);
}

static void check_words(void)
{
	struct str out = {0};
	struct err e = {0};
	read_back("{\"\xc3\xa9\": tru}", 12, &out, &e);
	is_str(e.msg, "column 7: bad JSON: not a value", "an error names the character");
	e = (struct err){0};
	read_back("{\n\"a\": 1\n\"b\"}", 14, &out, &e);
	is_str(e.msg, "line 3: bad JSON: ',' or '}' expected", "or the line");
	str_done(&out);
}

/* JSONTestSuite: what begins with y must be read, with n refused; i is the reader's choice, and a text that
 * is not UTF-8 never comes here. */
static void check_suite(void)
{
	char *path = tap_data() ? mem_printf("%s/corpora/JSONTestSuite", tap_data()) : NULL;
	DIR *dir = path ? opendir(path) : NULL;
	struct str out = {0};
	size_t n = 0, bad = 0;
	for (struct dirent *f; dir && (f = readdir(dir));) {
		struct err e = {0};
		size_t len;
		char kind = f->d_name[0], *file = io_path(path, f->d_name), *text;
		text = kind == '.' ? NULL : io_read_file(file, 1 << 20, &len, &e);
		if (text) {
			int good = utf8_valid(text, len) && read_back(text, len, &out, &e);
			n++;
			if ((kind == 'y' && !good) || (kind == 'n' && good)) {
				bad++;
				diag("%s: %s", f->d_name, good ? out.s : e.msg);
			}
		}
		mem_free(text);
		mem_free(file);
	}
	if (dir) {
		closedir(dir);
		ok(n > 300 && bad == 0, "JSONTestSuite, %zu texts: read or refused as it says", n);
	} else {
		tap_skip("JSONTestSuite: read or refused as it says", "no SLUICE_TEST_DATA");
	}
	mem_free(path);
	str_done(&out);
}

int main(void)
{
	check_cases();
	check_places();
	check_many_keys();
	check_limits();
	check_words();
	check_suite();
	return tap_done();
}
