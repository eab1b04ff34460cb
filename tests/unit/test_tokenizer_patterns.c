/* Patterns in Oniguruma's syntax against the library's answers (golden/tok/patterns.jsonl): each match marked. */
#include "common/json.h"
#include "common/mem.h"
#include "common/tokenizer/tokenizer_int.h"
#include "tests/tap.h"

static int marked(const struct pattern *p, struct pattern_state *st, const char *s, size_t len,
	struct str *out, struct err *e)
{
	struct pattern_cursor c = {0};
	struct span m;
	size_t done = 0;
	int rc;
	str_reset(out);
	str_reserve(out, 0);
	while ((rc = pattern_next(p, st, s, len, &c, &m, e)) > 0) {
		str_add(out, s + done, m.from - done);
		str_addc(out, '#');
		done = m.to;
	}
	str_add(out, s + done, len - done);
	return rc;
}

static void check(const json_t *row, struct pattern_state *st)
{
	const char *text = json_string_value(json_object_get(row, "pattern"));
	const json_t *texts = json_object_get(row, "texts"), *want = json_object_get(row, "marked");
	struct pattern *p = NULL;
	struct str got = {0};
	struct err e = {0};
	int good = text && !pattern_new(&p, text, strlen(text), 0, &e) && json_array_size(texts);
	for (size_t i = 0; good && i < json_array_size(texts); i++) {
		const json_t *t = json_array_get(texts, i), *w = json_array_get(want, i);
		good = !marked(p, st, json_string_value(t), json_string_length(t), &got, &e) &&
		       got.len == json_string_length(w) &&
		       !memcmp(got.s, json_string_value(w), got.len);
		if (!good)
			diag("'%s': '%s', wanted '%s'", json_string_value(t), got.s,
				json_string_value(w));
	}
	str_reset(&got);
	json_write_string(&got, text, strlen(text));
	if (!ok(good, "%s matches as in the library", got.s))
		diag("%s", e.msg);
	str_done(&got);
	pattern_free(p);
}

static void refused(const char *text, const char *why)
{
	struct pattern *p = NULL;
	struct err e = {0};
	int rc = pattern_new(&p, text, strlen(text), 0, &e);
	if (!ok(rc && strstr(e.msg, why), "%.40s is refused: %s", text, why))
		diag("%s", e.msg);
	pattern_free(p);
}

int main(void)
{
	FILE *f = fopen("tests/golden/tok/patterns.jsonl", "r");
	struct pattern_state *st = pattern_state_new();
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	int rows = 0;
	while (f && (n = getline(&line, &cap, f)) > 0) {
		struct err e = {0};
		json_t *row = json_read_bytes(line, (size_t)n, &e);
		check(row, st);
		json_decref(row);
		rows++;
	}
	ok(rows >= 80, "there were %d patterns", rows);
	refused("(?i)[a[b]]", "a class within a class without case");
	refused("(?i:ss)", "'ss' without case");
	refused("(?i)\xc3\x9f", "U+00DF without case");
	refused("\\X", "'\\X' is not implemented");
	refused("\\Ga", "'\\G' is not implemented");
	refused("\\xe9", "'\\x' of a byte that is not ASCII");
	refused("(?<name>a)", "'(?<' is not implemented");
	refused("(?~a)", "'(?~' is not implemented");
	refused("(*FAIL)", "'(*' is not implemented");
	refused("\\p{Klingon}", "the property 'Klingon' is not implemented");
	refused("[a", "a class without its end");
	refused("[b-a]", "a range in a class goes backwards");
	refused("*a", "a repeat of nothing");
	refused("(a", "a '(' without its ')'");
	refused("a)", "a ')' without its '('");
	struct str deep = {0};
	for (int i = 0; i < 1000; i++)
		str_addc(&deep, '[');
	refused(deep.s, "classes within classes deeper than");
	str_reset(&deep);
	for (int i = 0; i < 1000; i++)
		str_addc(&deep, '(');
	refused(deep.s, "groups deeper than");
	str_reset(&deep);
	for (int i = 0; i < 30000; i++)
		str_adds(&deep, "\\w");
	refused(deep.s, "it becomes larger than");
	str_reset(&deep);
	str_addc(&deep, '[');
	for (int i = 0; i < 30000; i++)
		str_adds(&deep, "\\w");
	refused(deep.s, "it becomes larger than");
	str_done(&deep);
	pattern_state_free(st);
	free(line);
	if (f)
		fclose(f);
	return tap_done();
}
