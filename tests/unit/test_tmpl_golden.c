/*
 * The real templates rendered over conversations of every kind, against digests of what transformers
 * rendered (tests/oracle/tmpl.py): the same text and {% generation %} spans, or both refuse.
 */
#include "common/io.h"
#include "common/jsonl.h"
#include "tests/tap.h"
#include "tools/tmpl/chat.h"

#include <xxhash.h>

static struct jv read_rows(struct arena *a)
{
	struct err e = {0};
	struct jv rows = jv_list(a, 64), row;
	struct jsonl lines = {.limit = 1 << 20};
	const char *text;
	size_t len;
	if (input_open(&lines.in, "tests/golden/tmpl/conversations.jsonl", 0, &e) < 0)
		return rows;
	while (jsonl_next(&lines, &text, &len, &e) > 0)
		if (value_parse(&row, a, arena_dup(a, text, len), len, &e) == 0)
			jv_list_add(a, rows, row);
	jsonl_done(&lines);
	input_close(lines.in);
	return rows;
}

static time_t noon(void)
{
	struct tm tm = {.tm_year = 126, .tm_mon = 10, .tm_mday = 24, .tm_hour = 12, .tm_isdst = -1};
	return mktime(&tm);
}

/* "-", or the digest. */
static void render(struct chat *c, struct jv row, enum chat_end end, char out[24], struct err *e)
{
	struct chat_extra x = {value_get(row, "tools"), value_get(row, "chat_template_kwargs")};
	struct jv none = {.type = JV_MISSING};
	struct str text = {0};
	struct jinja_spans spans = {0};
	int marks = end == CHAT_WHOLE && chat_marks_generation(c, &x);
	*e = (struct err){0};
	int rc = chat_render(
		c, value_get(row, "messages"), none, &x, end, &text, marks ? &spans : NULL, e);
	for (size_t i = 0; rc == 0 && i < spans.n; i++)
		str_addf(&text, " %zu:%zu", spans.v[i].from, spans.v[i].to);
	if (rc < 0)
		strcpy(out, "-");
	else
		snprintf(out, 24, "%016llx",
			(unsigned long long)XXH3_64bits(text.s ? text.s : "", text.len));
	if (out[0] != '-')
		out[10] = 0;
	str_done(&text);
	mem_free(spans.v);
}

static void check_template(const char *name, char *wanted, const char *text, struct jv rows)
{
	struct err e = {0}, why;
	struct source s = {.plain = text, .tools = text, .from = name};
	struct chat_template t = {.now = noon()};
	s.special = json_pack("{s:s, s:s}", "bos_token", "<s>", "eos_token", "</s>");
	if (chat_template_compile(&t, &s, &e) < 0) {
		/* As transformers: every conversation is refused then. */
		ok(strspn(wanted, "-\t") == strlen(wanted), "%s: does not compile there either",
			name);
		if (strspn(wanted, "-\t") != strlen(wanted))
			diag("%s", e.msg);
		chat_template_done(&t);
		json_decref(s.special);
		return;
	}
	struct chat *c = chat_new(&t);
	size_t bad = 0, i = 0;
	char *save = NULL;
	for (char *want = strtok_r(wanted, "\t", &save); want;
		want = strtok_r(NULL, "\t", &save), i++) {
		char got[24];
		render(c, jv_list_at(rows, i / 2), i % 2 ? CHAT_PROMPT : CHAT_WHOLE, got, &why);
		if (!strcmp(got, want))
			continue;
		if (bad++ < 4)
			diag("conversation %zu%s: got %s, wanted %s %s", i / 2 + 1,
				i % 2 ? " with generation prompt" : "", got, want, why.msg);
	}
	ok(bad == 0 && i == 2 * jv_list_len(rows), "%s: %zu renderings as transformers'", name, i);
	chat_free(c);
	chat_template_done(&t);
	json_decref(s.special);
}

int main(void)
{
	if (!tap_data()) {
		tap_skip("real templates render as transformers renders them",
			"no SLUICE_TEST_DATA");
		return tap_done();
	}
	struct err e = {0};
	size_t len;
	struct arena arena = {0};
	struct jv rows = read_rows(&arena);
	char *table = io_read_file("tests/golden/tmpl/digests.tsv", 1 << 20, &len, &e),
	     *save = NULL;
	ok(table && jv_list_len(rows) >= 60, "the goldens are there");
	for (char *line = table ? strtok_r(table, "\n", &save) : NULL; line;
		line = strtok_r(NULL, "\n", &save)) {
		char *tab = strchr(line, '\t'), path[1000];
		*tab = 0;
		snprintf(path, sizeof path, "%s/templates/%s", tap_data(), line);
		char *text = io_read_file(path, 4 << 20, &len, &e);
		if (text)
			check_template(line, tab + 1, text, rows);
		else
			ok(0, "%s: %s", line, e.msg);
		mem_free(text);
	}
	mem_free(table);
	arena_done(&arena);
	return tap_done();
}
