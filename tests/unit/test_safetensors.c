/* Every lie that a safetensors header can tell is refused; what is true is read back. */
#include "common/safetensors.h"

#include "common/io.h"
#include "common/mem.h"
#include "common/str.h"
#include "tests/tap.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/test_safetensors.XXXXXX";

static char *in_dir(const char *name)
{
	return mem_printf("%s/%s", dir, name);
}

static void write_file(const char *path, const void *p, size_t n)
{
	FILE *f = fopen(path, "wb");
	if (!f || fwrite(p, 1, n, f) != n || fclose(f))
		exit(3);
}

/* A file of this header and `data` bytes of data. */
static void write_st(const char *path, const char *header, size_t data)
{
	struct str s = {0};
	uint64_t n = strlen(header);
	for (int i = 0; i < 8; i++)
		str_addc(&s, (char)(n >> 8 * i));
	str_adds(&s, header);
	for (size_t i = 0; i < data; i++)
		str_addc(&s, (char)i);
	write_file(path, s.s, s.len);
	str_done(&s);
}

static void refused(const char *header, size_t data, const char *because, const char *claim)
{
	char *path = in_dir("lie.safetensors");
	struct err e = {0};
	struct st s;
	write_st(path, header, data);
	int rc = st_open_file(&s, path, &e);
	int pass = ok(rc && e.status == STATUS_DATA && strstr(e.msg, because) &&
			      strstr(e.msg, "lie.safetensors"),
		"%s", claim);
	if (!pass)
		diag("rc %d, status %d, '%s'", rc, e.status, e.msg);
	if (!rc)
		st_close(&s);
	mem_free(path);
}

static void test_lies(void)
{
#define T(body) "{\"a\":{" body "}}"
	refused("[]", 0, "not an object", "a header that is a list");
	refused("{\"a\":", 0, "header", "a header that is cut JSON");
	refused("{\"a\":3}", 0, "no dtype", "an entry that is a number");
	refused(T("\"shape\":[1],\"data_offsets\":[0,4]"), 4, "no dtype", "no dtype");
	refused(T("\"dtype\":\"F8_E4M3\",\"shape\":[1],\"data_offsets\":[0,1]"), 1,
		"'F8_E4M3' are not read", "an element type that is not known, by name");
	refused(T("\"dtype\":\"F32\",\"data_offsets\":[0,4]"), 4, "no shape", "no shape");
	refused(T("\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]"), 4, "other than sizes",
		"a negative size");
	refused(T("\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]"), 4,
		"other than sizes", "a size that is not an integer");
	refused(T("\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]"), 4,
		"dimensions", "nine dimensions");
	refused(T("\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,4]"), 4,
		"too large", "a shape whose product overflows");
	refused(T("\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]"), 0,
		"too large", "a shape whose bytes overflow to zero");
	refused(T("\"dtype\":\"F32\",\"shape\":[1]"), 4, "data_offsets", "no offsets");
	refused(T("\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]"), 4, "data_offsets",
		"one offset");
	refused(T("\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]"), 4, "not in the file",
		"offsets that go backwards");
	refused(T("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]"), 4, "not in the file",
		"data beyond the end");
	refused(T("\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,9223372036854775807]"), 4,
		"not in the file", "an enormous offset");
	refused(T("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]"), 4, "[2] is 8",
		"bytes that are not shape times type");
	refused(T("\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]"), 8,
		"belong to no tensor", "a gap before the first tensor");
	refused(T("\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]"), 6,
		"describes 4 bytes of data, the file has 6", "data behind the last tensor");
#define PAIR(a, b)                                                                                 \
	"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":" a "},"                          \
	"\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":" b "}}"
	refused(PAIR("[0,4]", "[2,6]"), 6, "overlap", "two tensors that overlap");
	refused(PAIR("[0,4]", "[0,4]"), 4, "overlap", "two tensors in one place");
	refused(PAIR("[0,4]", "[5,9]"), 9, "belong to no tensor", "a gap between tensors");
	refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
		"\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
		1, "uplicate", "one name twice");
}

static void test_lengths(void)
{
	struct err e = {0};
	struct st s;
	char *path = in_dir("lie.safetensors");
	write_file(path, "\xff\xff\xff\xff\xff\xff\xff\xff{}", 10);
	ok(st_open_file(&s, path, &e) && strstr(e.msg, "not a safetensors file"),
		"a header length of 2^64 - 1");
	write_file(path, "\x10\0\0\0\0\0\0\0{}", 10);
	ok(st_open_file(&s, path, &e) && strstr(e.msg, "truncated"),
		"a header longer than the file");
	write_file(path, "", 0);
	ok(st_open_file(&s, path, &e) && strstr(e.msg, "truncated"), "an empty file");
	ok(st_open_file(&s, dir, &e) && e.status == STATUS_SYSTEM, "a directory is not a file");
	ok(st_open_file(&s, "/nowhere/x", &e) && e.status == STATUS_SYSTEM,
		"a file that is not there");
	mem_free(path);
}

/* Two tensors, b before a in the file. */
static int write_two(const char *path, struct err *e)
{
	struct st_tensor t[] = {
		{.name = (char *)"b", .dtype = DT_F32, .shape = {2, 3}, .rank = 2},
		{.name = (char *)"a\"\xc3\xa9", .dtype = DT_BF16, .shape = {5}, .rank = 1},
		{.name = (char *)"empty", .dtype = DT_F16, .shape = {0, 7}, .rank = 2},
		{.name = (char *)"scalar", .dtype = DT_U8, .rank = 0},
	};
	static const char data[] = "the bytes of b, 24 long.and a's te!";
	struct st_writer *w;
	return st_create(&w, path, t, 4, e) || st_put(w, 1, 0, data + 24, 10, e) ||
	       st_put(w, 0, 7, data + 7, 17, e) || st_put(w, 0, 0, data, 7, e) ||
	       st_put(w, 3, 0, data + 34, 1, e) || st_finish(w, e);
}

static void test_round_trip(void)
{
	struct err e = {0};
	struct st s;
	char *path = in_dir("two.safetensors");
	ok(!write_two(path, &e), "a file is written");
	ok(!st_open_file(&s, path, &e), "and read back");
	is_int((long long)s.n, 4, "with its tensors");
	const struct st_tensor *b = st_find(&s, "b"), *a = st_find(&s, "a\"\xc3\xa9");
	ok(b && b->dtype == DT_F32 && b->rank == 2 && b->shape[0] == 2 && b->shape[1] == 3 &&
			memcmp(b->data, "the bytes of b, 24 long.", 24) == 0,
		"type, shape and bytes of the first");
	ok(a && a->bytes == 10 && memcmp(a->data, "and a's te", 10) == 0,
		"a name with a quote and an accent");
	const struct st_tensor *z = st_find(&s, "empty"), *u = st_find(&s, "scalar");
	ok(z && z->elements == 0 && u && u->elements == 1, "an empty tensor and a scalar");
	ok(!st_find(&s, "c") && !st_find(&s, ""), "no other");
	st_close(&s);

	size_t len;
	char *bytes = io_read_file(path, 1 << 20, &len, &e);
	char *cut = in_dir("cut.safetensors");
	size_t refusals = 0;
	for (size_t n = 0; n < len; n++) {
		write_file(cut, bytes, n);
		if (st_open_file(&s, cut, &e))
			refusals++;
		else
			st_close(&s);
	}
	is_int((long long)refusals, (long long)len, "cut at every byte it is refused");
	mem_free(bytes);
	mem_free(cut);
	mem_free(path);
}

static void test_writer_counts(void)
{
	struct err e = {0};
	struct st_writer *w;
	struct st_tensor t = {.name = (char *)"a", .dtype = DT_U8, .shape = {4}, .rank = 1};
	char *path = in_dir("count.safetensors");
	ok(!st_create(&w, path, &t, 1, &e) && st_put(w, 0, 0, "12345", 5, &e) == -1,
		"the writer refuses more data than its table says");
	ok(st_put(w, 0, 2, "123", 3, &e) == -1 && st_put(w, 1, 0, "1", 1, &e) == -1,
		"beyond a tensor's end, or for no tensor of the table");
	st_abandon(w);
	ok(!st_create(&w, path, &t, 1, &e) && !st_put(w, 0, 0, "123", 3, &e) &&
			st_finish(w, &e) == -1,
		"and less");
	ok(st_create(&w, "/dev/full", &t, 1, &e) == -1 && e.status == STATUS_SYSTEM,
		"a full disk is seen");
	mem_free(path);
}

/* ---- directories ----------------------------------------------------------------------------- */

#define ONE(name) "{\"" name "\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}"

static void index_is(const char *map, const char *because, const char *claim)
{
	struct err e = {0};
	struct st s;
	char *path = in_dir("model.safetensors.index.json");
	char *text = mem_printf("{\"metadata\":{},\"weight_map\":{%s}}", map);
	write_file(path, text, strlen(text));
	int rc = st_open_dir(&s, dir, &e);
	int pass = because ? rc && strstr(e.msg, because) != NULL : !rc && s.n == 2;
	if (!ok(pass, "%s", claim))
		diag("rc %d '%s'", rc, e.msg);
	if (!rc)
		st_close(&s);
	unlink(path);
	mem_free(path);
	mem_free(text);
}

static void test_directory(void)
{
	struct err e = {0};
	struct st s;
	ok(st_open_dir(&s, "/nowhere", &e) && e.status == STATUS_SYSTEM, "no such directory");
	ok(st_open_dir(&s, dir, &e) && strstr(e.msg, "no model.safetensors"), "no weights");
	char *bin = in_dir("pytorch_model.bin");
	write_file(bin, "PK", 2);
	ok(st_open_dir(&s, dir, &e) && e.status == STATUS_DATA &&
			strstr(e.msg, "pytorch_model.bin"),
		"only a pickle: refused by name");
	unlink(bin);

	char *one = in_dir("1.safetensors"), *two = in_dir("2.safetensors");
	char *link = in_dir("blob"), *single = in_dir("model.safetensors");
	write_st(one, ONE("a"), 2);
	write_st(link, ONE("b"), 2);
	ok(!symlink("blob", two), "a shard that is a link, as in the hub's cache");
	index_is("\"a\":\"1.safetensors\",\"b\":\"2.safetensors\"", NULL, "two shards are one");
	index_is("\"a\":\"1.safetensors\",\"b\":\"3.safetensors\"", "3.safetensors",
		"a missing shard");
	index_is("\"a\":\"2.safetensors\",\"b\":\"1.safetensors\"",
		"should be in '2.safetensors' but is in '1.safetensors'",
		"a tensor in another shard than the index says");
	index_is("\"a\":\"1.safetensors\",\"b\":\"2.safetensors\",\"c\":\"2.safetensors\"",
		"'c' is not in '2.safetensors'", "a tensor that no shard has");
	index_is("\"a\":\"1.safetensors\",\"c\":\"2.safetensors\"", "'b' of '2.safetensors'",
		"a tensor that the index does not name");
	index_is("\"a\":\"../1.safetensors\"", "not given a file", "a shard outside");
	index_is("\"a\":7", "not given a file", "a shard that is a number");
	index_is("", "names no tensor", "an empty index");
	unlink(two);
	write_st(two, ONE("a"), 2);
	index_is(
		"\"a\":\"1.safetensors\",\"b\":\"2.safetensors\"", "is both in", "one name in two");
	write_st(single, ONE("s"), 2);
	ok(!st_open_dir(&s, dir, &e) && s.n == 1 && st_find(&s, "s"), "one file");
	st_close(&s);
	char *made[] = {one, two, link, single, bin};
	for (size_t i = 0; i < 5; i++) {
		unlink(made[i]);
		mem_free(made[i]);
	}
}

int main(void)
{
	if (!mkdtemp(dir))
		return 3;
	test_directory();
	test_lies();
	test_lengths();
	test_round_trip();
	test_writer_counts();
	char *cmd = mem_printf("rm -rf '%s'", dir);
	int rc = system(cmd);
	mem_free(cmd);
	return tap_done() || rc;
}
