/* JSON as Python writes it, and the policy for what is read. */
#include "common/json.h"

#include "common/mem.h"
#include "tests/tap.h"

static void test_repr(void)
{
	FILE *f = fopen("tests/golden/stream/repr.txt", "r");
	char line[100], bits[20], want[60], got[40];
	int n = 0, wrong = 0;
	while (f && fgets(line, sizeof line, f)) {
		double v;
		if (sscanf(line, "%19s %59s", bits, want) != 2)
			break;
		unsigned long long b = strtoull(bits, NULL, 16);
		memcpy(&v, &b, 8);
		size_t len = json_repr_double(v, got);
		if (len != strlen(got) || strcmp(got, want) != 0) {
			if (!wrong++)
				diag("%s: got %s, wanted %s", bits, got, want);
		}
		n++;
	}
	if (f)
		fclose(f);
	ok(n > 2000 && !wrong, "%d doubles are written as Python's repr() does", n);
}

static void is_text(struct str *got, const json_t *c, const char *name, const char *what)
{
	char *claim = mem_printf("%s of %s", what, json_string_value(json_object_get(c, "in")));
	const json_t *want = json_object_get(c, name);
	ok(got->len == json_string_length(want) &&
			!memcmp(got->s, json_string_value(want), got->len),
		"%s", claim);
	str_reset(got);
	mem_free(claim);
}

static void test_dumps(void)
{
	FILE *f = fopen("tests/golden/stream/dumps.jsonl", "r");
	char line[4000];
	struct err e = {0};
	struct str out = {0};
	int n = 0;
	while (f && fgets(line, sizeof line, f)) {
		json_t *c = json_read_bytes(line, strlen(line), &e);
		const json_t *in = json_object_get(c, "in");
		json_t *v = json_read_bytes(json_string_value(in), json_string_length(in), &e);
		json_write(&out, v, 0);
		is_text(&out, c, "compact", "dumps without blanks");
		json_write(&out, v, 1);
		is_text(&out, c, "spaced", "dumps");
		json_write_pretty(&out, v, 0);
		is_text(&out, c, "pretty", "dumps with indent");
		json_write_pretty(&out, v, 1);
		is_text(&out, c, "sorted", "dumps with indent, sorted");
		json_decref(v);
		json_decref(c);
		n++;
	}
	ok(n > 5, "there were cases");
	str_done(&out);
	if (f)
		fclose(f);
}

static void refused(const char *text, const char *says)
{
	struct err e = {0};
	json_t *v = json_read_bytes(text, strlen(text), &e);
	ok(!v && e.status == STATUS_DATA && strstr(e.msg, says), "refused: %.9s", e.msg);
	json_decref(v);
}

static void test_wide(void)
{
	char path[200];
	const char *tmp = getenv("TMPDIR");
	snprintf(path, sizeof path, "%s/json-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	FILE *f = fdopen(mkstemp(path), "w");
	fputs("{\"max\": 1000000000000000019884624838656, \"s\": "
	      "\"\\\"1000000000000000019884624838656\", \"i\": 7}",
		f);
	fclose(f);
	struct err e = {0};
	json_t *v = json_read_file(path, &e);
	ok(json_real_value(json_object_get(v, "max")) == 1e30,
		"a file's integer beyond 64 bits is a real");
	is_str(json_string_value(json_object_get(v, "s")), "\"1000000000000000019884624838656",
		"within a string it stays as it is");
	is_int(json_integer_value(json_object_get(v, "i")), 7, "and other integers stay integers");
	json_decref(v);
	remove(path);
}

int main(void)
{
	test_repr();
	test_dumps();
	refused("", "column 0");
	refused("{\"a\":1", "column 6");
	refused("{\n\"a\": tru\n}", "line 2");
	refused("[1] x", "end of file");
	refused("\"\\ud800\"", "");
	refused("18446744073709551616", "big");
	refused("1e400", "");
	refused("NaN", "");
	refused("\"\xff\"", "unable to decode");
	struct err e = {0};
	struct str deep = {0};
	for (int i = 0; i < 100000; i++)
		str_addc(&deep, '[');
	ok(!json_read_bytes(deep.s, deep.len, &e), "100000 brackets are refused: %s", e.msg);
	str_done(&deep);
	ok(!json_read_file("/nonexistent/x", &e) && e.status == STATUS_SYSTEM, "no file: %s",
		e.msg);
	test_wide();
	return tap_done();
}
