/*
 * Parquet files as rows of JSON. With a file's name as argument: its rows, one a line, and what is wrong with
 * it, for tests/oracle/parquet.py to compare.
 */
#include "common/mem.h"
#include "common/stream.h"
#include "tools/tmpl/parquet.h"

#include "tests/tap.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

#define GOLDEN "tests/golden/parquet/"

/* What a reader does with each row: `got` as parquet_next says. */
typedef void take_row(void *arg, int got, const struct str *row, const struct err *e);

static int read_rows(const char *path, take_row *take, void *arg, struct err *e)
{
	struct input *in;
	struct parquet *p = NULL;
	struct str row = {0};
	int got = -1;
	if (input_open(&in, path, 0, e) < 0)
		return -1;
	if (parquet_open(&p, in, e) == 0)
		while ((got = parquet_next(p, &row, e)) == 1 || got == STREAM_BAD)
			take(arg, got, &row, e);
	parquet_close(p);
	input_close(in);
	str_done(&row);
	return got;
}

static void append(void *arg, int got, const struct str *row, const struct err *e)
{
	struct str *out = arg;
	if (got == STREAM_BAD)
		str_addf(out, "bad: %s", e->msg);
	else
		str_add(out, row->s, row->len);
	str_addc(out, '\n');
}

static int show(const char *path)
{
	struct str out = {0};
	struct err e = {0};
	int rc = read_rows(path, append, &out, &e);
	fwrite(out.s, 1, out.len, stdout);
	if (rc < 0)
		printf("error: %s\n", e.msg);
	str_done(&out);
	return rc < 0;
}

/* ---- what pyarrow writes, and what it reads ---- */

/* The rows of NAME.parquet and NAME+….parquet. NULL: the file is to be refused. */
static char *wanted(const char *file, size_t *len)
{
	size_t stem = strcspn(file, "+");
	if (stem == strlen(file))
		stem -= strlen(".parquet");
	char *path = mem_printf(GOLDEN "%.*s.jsonl", (int)stem, file);
	struct err e = {0};
	char *rows = io_exists(path) ? io_read_file(path, 1 << 20, len, &e) : NULL;
	mem_free(path);
	return rows;
}

static int compare(const char *file)
{
	size_t len;
	char *want = wanted(file, &len), *path = mem_printf(GOLDEN "%s", file);
	struct str got = {0};
	struct err e = {0};
	if (want) {
		int rc = read_rows(path, append, &got, &e);
		ok(rc == 0 && got.len == len && (!len || !memcmp(got.s, want, len)),
			"%s: pyarrow's rows", file);
		if (rc < 0)
			diag("%s", e.msg);
	}
	int compared = want != NULL;
	str_done(&got);
	mem_free(path);
	mem_free(want);
	return compared;
}

static void test_golden(void)
{
	DIR *d = opendir(GOLDEN);
	int n = 0;
	for (struct dirent *f; d && (f = readdir(d));) {
		size_t len = strlen(f->d_name);
		if (len > 8 && !strcmp(f->d_name + len - 8, ".parquet"))
			n += compare(f->d_name);
	}
	if (d)
		closedir(d);
	ok(n >= 35, "all encodings, codecs and forms of lists are there (%d files)", n);
}

static void add_crc(void *arg, int got, const struct str *row, const struct err *e)
{
	(void)e;
	unsigned long *crc = arg;
	*crc = crc32_z(*crc, (const uint8_t *)row->s, got == 1 ? row->len : 0);
	*crc = crc32_z(*crc, (const uint8_t *)"\n", 1);
}

static void test_real(void)
{
	char name[200], *path;
	unsigned rows;
	unsigned long want;
	FILE *f = fopen(GOLDEN "real.tsv", "r");
	if (!tap_data())
		tap_skip("real files", "SLUICE_TEST_DATA is not set");
	while (f && fscanf(f, "%199s %u %lx", name, &rows, &want) == 3) {
		if (!tap_data())
			continue;
		struct err e = {0};
		unsigned long crc = 0;
		path = mem_printf("%s/%s", tap_data(), name);
		ok(read_rows(path, add_crc, &crc, &e) == 0 && crc == want, "%s: pyarrow's %u rows",
			name, rows);
		mem_free(path);
	}
	if (f)
		fclose(f);
}

/* ---- what is not read ---- */

static void count(void *arg, int got, const struct str *row, const struct err *e)
{
	(void)got, (void)row, (void)e;
	++*(size_t *)arg;
}

static void test_refused(void)
{
	static const struct {
		const char *file, *why;
	} cases[] = {
		{"brotli", "column 'text': compression BROTLI is not read"},
		{"lzo", "column 'v': compression LZO is not read"},
		{"interval", "column 'v': intervals are not read"},
		{"encrypted", "is encrypted"},
		{"encrypted-column", "is encrypted"},
		{"elsewhere", "its columns are in other files"},
		{"checksum", "column 'v': a page is damaged: its checksum"},
		{"fewer-rows", "column 'v': has fewer rows"},
		{"more-rows", "column 'v': has more rows"},
		{"deep", "nests deeper than 100"},
		{"no-fields", "column 'g': a group without fields"},
		{"fields-missing", "lacks fields that it counts"},
		{"fields-many", "lacks fields that it counts"},
		{"level-high", "column 'v[]': a level of 3, where 2 is the highest"},
		{"begins-in-list", "column 'l[]': a row begins within a list"},
		{"lists-differ", "column 'l[].y': its levels do not fit"},
		{"nulls-differ", "column 's.y': its levels do not fit"},
		{"index-without-dictionary", "column 'v': the PLAIN_DICTIONARY values"},
		{"index-beyond-dictionary", "column 'v': the values of a page are damaged"},
		{"two-dictionaries", "column 'v': has two dictionaries"},
		{"dictionary-short", "column 'v': a dictionary says that it has more values"},
		{"levels-short", "column 'v': a page ends within its levels"},
		{"levels-few", "column 'v': a page has fewer levels than values"},
		{"levels-unknown", "column 'v': levels in encoding 7 are not known"},
		{"encoding-unknown", "column 'v': encoding 99 is not known"},
		{"encoding-of-others", "column 'v': encoding RLE is not read for this type"},
		{"codec-unknown", "column 'v': compression 99 is not known"},
		{"page-of-nothing", "column 'v': no page is where one should be"},
		{"type-of-others", "column 'v': a row group has another type"},
		{"values-more", "column 'v': its pages have more values"},
		{"list-of-none", "column 'l': a list that is not made as lists are"},
		{"map-of-none", "column 'm': a map that is not made as maps are"},
		{"name-of-bytes", "the name of a field in it is not UTF-8"},
		{"scale-huge", "column 'v': a decimal's scale"},
		{"date-of-text", "column 'v': a type that its values cannot have"},
		{"rows-lie", "the footer says 2 rows, its row groups 1"},
		{"rows-without-columns", "has rows, but no columns"},
		{"columns-missing", "a row group makes no sense"},
		{"size-lies", "column 'v': the SNAPPY data of a page is damaged"},
		{"size-huge", "column 'v': a page has more than"},
		{"page-beyond-file", "column 'v': a page is longer than the file: truncated"},
		{"row-endless", "the row is longer than"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct err e = {0};
		size_t rows = 0;
		char *path = mem_printf(GOLDEN "%s.parquet", cases[i].file);
		int rc = read_rows(path, count, &rows, &e);
		if (!ok(rc == -1 && e.status == STATUS_DATA && strstr(e.msg, cases[i].why),
			    "%s: refused, with the reason", cases[i].file))
			diag("%d '%s'", rc, e.msg);
		mem_free(path);
	}
}

static void test_bad_row(void)
{
	struct str got = {0};
	struct err e = {0};
	int rc = read_rows(GOLDEN "binary.parquet", append, &got, &e);
	ok(rc == 0, "a value that is not text ends nothing");
	is_str(got.s,
		"{\"id\":1,\"image\":{\"bytes\":\"ok\"}}\n"
		"bad: column 'image.bytes': a value is not UTF-8 text\n"
		"{\"id\":3,\"image\":{\"bytes\":null}}\n",
		"but spoils its row, by name");
	str_reset(&got);
	read_rows(GOLDEN "timestamp-least.parquet", append, &got, &e);
	is_str(got.s, "bad: column 'v': a date outside of the years 1 to 9999\n",
		"so does a date that cannot be printed");
	str_reset(&got);
	read_rows(GOLDEN "time-beyond.parquet", append, &got, &e);
	is_str(got.s, "bad: column 'v': a time outside of a day\n", "and a time");
	str_done(&got);
}

/* A copy of a file's first n bytes. */
static char *cut(const char *dir, const char *data, size_t n)
{
	char *path = mem_printf("%s/cut.parquet", dir);
	FILE *f = fopen(path, "wb");
	if (!f || fwrite(data, 1, n, f) != n || fclose(f))
		abort();
	return path;
}

static void test_truncated(void)
{
	char dir[] = "/tmp/test_parquet-XXXXXX";
	size_t len = 0, passed = 0, rows = 0;
	struct err e = {0};
	char *data = io_read_file(GOLDEN "nested+2.parquet", 1 << 20, &len, &e);
	if (!data || !mkdtemp(dir)) {
		ok(0, "a file to cut and a directory to write in are there");
		return;
	}
	for (size_t n = 0; n < len; n += n < 64 || len - n < 3000 ? 1 : 37) {
		char *path = cut(dir, data, n);
		e.status = 0;
		passed += read_rows(path, count, &rows, &e) != -1 || e.status != STATUS_DATA;
		unlink(path);
		mem_free(path);
	}
	ok(!passed && !rows, "a file that is cut anywhere gives an error and no row");
	rmdir(dir);
	mem_free(data);
}

static long peak_mb(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss / 1024;
}

static void test_memory(void)
{
	struct err e = {0};
	size_t rows = 0;
	long before = peak_mb();
	int rc = read_rows(GOLDEN "long.parquet", count, &rows, &e);
	long more = peak_mb() - before;
	ok(rc == 0 && rows == 10000, "100 MB in 10 kB are read");
#ifdef __SANITIZE_ADDRESS__
	more = 0; /* it keeps what is freed */
#endif
	ok(more < 16, "a page at a time (%ld MB more)", more);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return show(argv[1]);
	test_memory(); /* first: it measures a peak */
	test_golden();
	test_real();
	test_refused();
	test_bad_row();
	test_truncated();
	return tap_done();
}
