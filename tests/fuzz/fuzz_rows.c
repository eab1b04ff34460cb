/*
 * Rows of any bytes, lines or arrays: refused, or records that a stream takes; each read in several ways,
 * with a small template. And their text as values, beside what jansson makes of it.
 */
#include "common/json.h"
#include "common/mp.h"
#include "common/stream.h"
#include "tests/fuzz/fuzz.h"
#include "tools/tmpl/make.h"
#include "tools/tmpl/rows.h"

#include <sys/mman.h>
#include <unistd.h>

static const char text[] =
	"{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m['content'] }}{{ m.thinking }}"
	"{{ m.tool_calls | tojson if m.tool_calls }}\n{% endfor %}"
	"{% if add_generation_prompt %}<assistant>{% endif %}{{ tools }}{{ x }}";

static struct record *fresh(void *made)
{
	return record_list_new(made);
}

/* What goes out is what every reader of streams takes. */
static void check_record(const struct record *r)
{
	struct str bytes = {0};
	struct record again = {0};
	struct mp_scan scan = {0};
	struct err e = {0};
	record_pack(&bytes, r);
	if (mp_scan(&scan, (const uint8_t *)bytes.s, bytes.len, &e) != MP_DONE ||
		scan.size != bytes.len ||
		record_parse(&again, (const uint8_t *)bytes.s, bytes.len, &e) < 0)
		abort();
	record_done(&again);
	str_done(&bytes);
}

/* The scanner and jansson: the same value, or a refusal that one of them alone has a reason for. A NUL that
 * is no part of a string jansson takes for the end. */
static void compare(const char *s, size_t len)
{
	if (memchr(s, 0, len))
		return;
	struct arena a = {0};
	struct jv v;
	struct err mine = {0}, theirs = {0};
	struct record r = {0};
	struct str x = {0}, y = {0};
	int rc = value_parse(&v, &a, s, len, &mine);
	json_t *j = json_read_bytes(s, len, &theirs);
	if (rc < 0 ? j && !strstr(mine.msg, "100 deep") : !j && !strstr(theirs.msg, "NUL"))
		abort();
	if (rc == 0 && j && value_set(&r, "v", v, &mine) == 0) {
		record_value_json(&x, r.f[0].val, r.f[0].vallen, FT_ANY);
		json_write(&y, j, 0);
		if (x.len != y.len || memcmp(x.s, y.s, x.len) != 0)
			abort();
	}
	json_decref(j);
	record_done(&r);
	arena_done(&a);
	str_done(&x);
	str_done(&y);
}

static void make_row(const struct make_plan *plan, const struct record *row)
{
	struct maker m;
	struct record_list made = {0};
	struct record in = {0};
	struct err e = {0};
	record_copy(&in, row);
	maker_init(&m, plan);
	int rc = maker_make(&m, &in, fresh, &made, &e);
	if (rc < 0 && (e.status != STATUS_DATA || !*e.msg))
		abort();
	check_record(&in);
	for (size_t i = 0; rc == 0 && i < made.n; i++)
		check_record(&made.v[i]);
	record_list_done(&made);
	maker_done(&m);
	record_done(&in);
}

static void read_rows(const char *path, const struct make_plan *plans, size_t nplans)
{
	enum { ROWS = 20 };
	struct rows *rows = rows_new((char *[]){(char *)(uintptr_t)path}, 1);
	struct record row = {0};
	struct err e = {0};
	const char *s;
	size_t len;
	for (int i = 0; i < ROWS && rows_next(rows, &row, &e) == 1; i++) {
		if (record_str(&row, ROW_FIELD, &s, &len, &e) == 1)
			compare(s, len);
		for (size_t k = 0; k < nplans; k++)
			make_row(&plans[k], &row);
	}
	record_done(&row);
	rows_free(rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct jinja *t;
	static struct source source;
	static struct chat_template templ;
	struct err e = {0};
	char path[64];
	if (!t) {
		if (jinja_compile(&t, text, sizeof text - 1, &e) < 0)
			abort();
		source.special = json_pack("{s:s}", "bos_token", "<s>");
		templ = (struct chat_template){.source = &source, .plain = t, .tools = t};
	}
	const struct make_plan plans[] = {
		{.templ = &templ, .want = {.templated = 1}},
		{.templ = &templ,
			.want = {.templated = 1, .as_messages = 1, .all_pairs = 1},
			.keep = 1},
		{.templ = &templ, .want = {.type = SHAPE_UNPAIRED}, .continue_final = 1},
	};
	int fd = memfd_create("fuzz", 0);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	read_rows(path, plans, sizeof plans / sizeof *plans);
	close(fd);
	return 0;
}

FUZZ_MAIN("rows")
