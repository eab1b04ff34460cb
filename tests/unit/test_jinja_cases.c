/*
 * Templates and what Jinja2 makes of them (tests/oracle/jinja_fuzz.py): the same text, or both refuse.
 * JINJA_CASES names another file of cases than the one that is kept.
 */
#include "common/io.h"
#include "common/json.h"
#include "common/jsonl.h"
#include "tests/tap.h"
#include "tools/tmpl/chat.h"

static void set_value(struct arena *a, const json_t *v, struct jv *out)
{
	const char *key;
	json_t *item;
	struct jv x;
	if (json_is_object(v)) {
		*out = jv_dict(a, json_object_size(v));
		json_object_foreach((json_t *)v, key, item)
		{
			set_value(a, item, &x);
			jv_dict_set(a, *out, jv_str(key, strlen(key)), x);
		}
	} else if (json_is_array(v)) {
		*out = jv_list(a, json_array_size(v));
		for (size_t i = 0; i < json_array_size(v); i++) {
			set_value(a, json_array_get(v, i), &x);
			jv_list_add(a, *out, x);
		}
	} else if (json_is_string(v)) {
		*out = jv_str(json_string_value(v), json_string_length(v));
	} else if (json_is_integer(v)) {
		*out = jv_int(json_integer_value(v));
	} else if (json_is_real(v)) {
		*out = jv_float(json_real_value(v));
	} else {
		*out = json_is_null(v) ? jv_none() : jv_bool(json_is_true(v));
	}
}

/* 0, or -1 refused. */
static int render(const json_t *c, struct str *out, struct err *e)
{
	struct jinja *t;
	struct arena a = {0};
	struct jv vars;
	const json_t *text = json_object_get(c, "t");
	if (jinja_compile(&t, json_string_value(text), json_string_length(text), e) < 0)
		return -1;
	struct jinja_run *r = jinja_run_new(t);
	set_value(&a, json_object_get(c, "v"), &vars);
	int rc = jinja_render(r, vars, out, NULL, e);
	jinja_run_free(r);
	jinja_free(t);
	arena_done(&a);
	return rc;
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
	size_t bad = 0;
	while (jsonl_next(&lines, &text, &len, &e) > 0) {
		json_t *c = json_read_bytes(text, len, &e), *want = json_object_get(c, "want");
		struct str got = {0};
		struct err why = {0};
		int rc = render(c, &got, &why), same;
		if (rc < 0)
			same = !want;
		else
			same = want && got.len == json_string_length(want) &&
			       !memcmp(got.s ? got.s : "", json_string_value(want), got.len);
		n++;
		if (!same && rc < 0 && is_ours(why.msg)) {
			ours++;
		} else if (!same && bad++ < 40) {
			diag("template %s", json_string_value(json_object_get(c, "t")));
			diag("  got    %s", rc < 0 ? why.msg : got.s ? got.s : "");
			diag("  wanted %s",
				want ? json_string_value(want)
				     : json_string_value(json_object_get(c, "refused")));
		}
		str_done(&got);
		json_decref(c);
	}
	ok(e.status == 0 && n >= 1000, "%zu cases were read", n);
	ok(bad == 0,
		"%zu templates give what Jinja2 gives, or both refuse (%zu wrong; %zu refused on "
		"purpose)",
		n - ours, bad, ours);
	jsonl_done(&lines);
	input_close(lines.in);
	return tap_done();
}
