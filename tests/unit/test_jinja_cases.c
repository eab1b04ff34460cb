/*
 * Templates and what Jinja2 makes of them (tests/oracle/jinja_fuzz.py): the same text, or both refuse.
 * JINJA_CASES names another file of cases than the one that is kept.
 */
#include "common/io.h"
#include "common/jsonl.h"
#include "tests/tap.h"
#include "tools/tmpl/chat.h"

/* 0, or -1 refused. */
static int render(struct jv c, struct str *out, struct err *e)
{
	struct jinja *t;
	struct jv text = value_get(c, "t");
	if (jinja_compile(&t, text.u.s, text.len, e) < 0)
		return -1;
	struct jinja_run *r = jinja_run_new(t);
	int rc = jinja_render(r, value_get(c, "v"), out, NULL, e);
	jinja_run_free(r);
	jinja_free(t);
	return rc;
}

static void show(const char *what, struct jv v)
{
	diag("%s %.*s", what, (int)v.len, v.type == JV_STR ? v.u.s : "");
}

/* What is refused on purpose, whatever Jinja2 does (jinja.h). */
static int is_ours(const char *why)
{
	return strstr(why, "beyond 64 bits") || strstr(why, "not supported");
}

int main(void)
{
	const char *path = getenv("JINJA_CASES");
	struct err e = {0};
	struct jsonl lines = {.limit = 1 << 24};
	const char *text;
	size_t len, n = 0, ours = 0;
	if (input_open(&lines.in, path ? path : "tests/golden/tmpl/cases.jsonl", 0, &e) < 0) {
		ok(0, "%s", e.msg);
		return tap_done();
	}
	struct arena arena = {0};
	struct jv c;
	size_t bad = 0;
	while (jsonl_next(&lines, &text, &len, &e) > 0) {
		arena_reset(&arena);
		if (value_parse(&c, &arena, text, len, &e) < 0)
			break;
		struct jv want = value_get(c, "want");
		struct str got = {0};
		struct err why = {0};
		int rc = render(c, &got, &why), wanted = want.type == JV_STR, same;
		if (rc < 0)
			same = !wanted;
		else
			same = wanted && got.len == want.len &&
			       !memcmp(got.s ? got.s : "", want.u.s, got.len);
		n++;
		if (!same && rc < 0 && is_ours(why.msg)) {
			ours++;
		} else if (!same && bad++ < 40) {
			show("template", value_get(c, "t"));
			diag("  got    %s", rc < 0 ? why.msg : got.s ? got.s : "");
			show("  wanted", wanted ? want : value_get(c, "refused"));
		}
		str_done(&got);
	}
	arena_done(&arena);
	ok(e.status == 0 && n >= 1000, "%zu cases were read", n);
	ok(bad == 0,
		"%zu templates give what Jinja2 gives, or both refuse (%zu wrong; %zu refused on "
		"purpose)",
		n - ours, bad, ours);
	jsonl_done(&lines);
	input_close(lines.in);
	return tap_done();
}
