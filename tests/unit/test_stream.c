/* Streams written and read again: whole, cut at every byte, concatenated, sharded, as JSON lines.
 */
#include "common/io.h"
#include "common/stream.h"
#include "common/str.h"
#include "tests/tap.h"

#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/sluice-test-XXXXXX";

static char *in_dir(const char *name)
{
	return io_path(dir, name);
}

static void spill(const char *name, const void *p, size_t n)
{
	char *path = in_dir(name);
	FILE *f = fopen(path, "wb");
	if (!f || fwrite(p, 1, n, f) != n || fclose(f))
		exit(1);
	free(path);
}

static void make(
	const char *name, const char *tokenizer, int first, int n, uint64_t skipped, int gzip)
{
	struct stream_writer *w;
	struct err e;
	struct header h = {.kind = KIND_TOKENS, .tokenizer = (char *)(uintptr_t)tokenizer};
	struct record r = {0};
	char *path = in_dir(name);
	header_add_stage(&h, "tok", "max-length=9", "");
	if (stream_create(&w, path, gzip, &h, &e))
		exit(1);
	for (int i = first; i < first + n; i++) {
		uint32_t ids[] = {(uint32_t)i, 4000000000u, 3};
		record_reset(&r);
		record_set_u32s(&r, "prompt_ids", ids, 3);
		record_set_str(&r, "id", "x\0y", 3);
		record_set_f64(&r, "ref_chosen_logps", -1.5 * i);
		record_set_i64(&r, "n", -i * 1000);
		record_set_bool(&r, "label", i & 1);
		stream_write(w, &r, &e);
	}
	record_done(&r);
	h.tokenizer = NULL;
	header_done(&h);
	if (stream_finish(w, skipped, &e))
		exit(1);
	free(path);
}

/* Reads all; the number of records, or -1 with *e. The n's are summed into *sum. */
static long count(const char *const *names, size_t n, uint64_t i, uint64_t of, long long *sum,
	uint64_t *skipped, struct err *e)
{
	char *paths[8];
	struct stream_reader *r = NULL;
	struct record rec = {0};
	long records = 0;
	int got = 0;
	for (size_t k = 0; k < n; k++)
		paths[k] = in_dir(names[k]);
	if (sum)
		*sum = 0;
	if (stream_open(&r, paths, n, ~0u, i, of, e))
		records = -1;
	while (records >= 0 && (got = stream_read(r, &rec, e)) == 1) {
		int64_t v = 0;
		records++;
		if (record_i64(&rec, "n", &v, e) > 0 && sum)
			*sum += v;
	}
	if (got < 0)
		records = -1;
	if (skipped && r)
		*skipped = stream_skipped(r);
	record_done(&rec);
	stream_close(r);
	for (size_t k = 0; k < n; k++)
		free(paths[k]);
	return records;
}

static void test_round_trip(void)
{
	struct err e = {0};
	struct stream_reader *r;
	struct record rec = {0};
	char *path = in_dir("a.mp");
	make("a.mp", "aa", 1, 3, 2, 0);
	ok(!stream_open(&r, &path, 1, 1 << KIND_TOKENS, 1, 1, &e), "a stream opens");
	is_str(stream_header(r)->tokenizer, "aa", "the header brings the fingerprint");
	is_str(stream_header(r)->history[0].options, "max-length=9", "and the history");
	is_int(stream_read(r, &rec, &e), 1, "a record is read");
	const uint32_t *ids;
	const char *s;
	size_t n;
	double d;
	int64_t v;
	int b;
	ok(record_u32s(&rec, "prompt_ids", &ids, &n, &e) == 1 && n == 3 && ids[0] == 1 &&
			ids[1] == 4000000000u,
		"ids come back");
	ok(record_str(&rec, "id", &s, &n, &e) == 1 && n == 3 && !memcmp(s, "x\0y", 3),
		"a string with a NUL comes back");
	ok(record_f64(&rec, "ref_chosen_logps", &d, &e) == 1 && d == -1.5, "a double comes back");
	ok(record_i64(&rec, "n", &v, &e) == 1 && v == -1000, "a negative integer comes back");
	ok(record_bool(&rec, "label", &b, &e) == 1 && b == 1, "a bool comes back");
	is_int(record_str(&rec, "absent", &s, &n, &e), 0, "an absent field is absent");
	is_int(record_str(&rec, "n", &s, &n, &e), -1, "a field of another type is an error");
	ok(strstr(e.msg, "a.mp:1: field 'n' is not a string") != NULL,
		"which names file, record and field");
	struct str json = {0};
	record_to_json(&json, &rec);
	is_str(json.s,
		"{\"prompt_ids\":[1,4000000000,3],\"id\":\"x\\u0000y\",\"ref_chosen_logps\":-1.5,"
		"\"n\":-1000,\"label\":true}",
		"a record is JSON with ids as numbers");
	str_done(&json);
	stream_close(r);
	record_done(&rec);
	free(path);
}

static void test_concatenation(void)
{
	struct err e = {0};
	long long sum;
	uint64_t skipped;
	const char *two[] = {"a.mp", "b.mp.gz"};
	make("b.mp.gz", "aa", 4, 4, 1, 1);
	is_int(count(two, 2, 1, 1, &sum, &skipped, &e), 7,
		"two files are read one after the other, one gzipped");
	is_int(sum, -28000, "with all their records");
	is_int((long long)skipped, 3, "and the skipped of both trailers");
	is_int(count(two, 2, 2, 3, &sum, &skipped, &e), 2, "shard 2/3 of 7 has 2 records");
	is_int(sum, -7000, "the second and the fifth");
	is_int((long long)skipped, 0, "skipped is told by the first shard only");

	size_t na, nb;
	char *pa = in_dir("a.mp"), *pb = in_dir("b.mp.gz");
	char *a = io_read_file(pa, 1 << 20, &na, &e), *b = io_read_file(pb, 1 << 20, &nb, &e);
	struct str s = {0};
	str_add(&s, a, na);
	str_add(&s, b, nb);
	str_add(&s, a, na);
	spill("c.mp", s.s, s.len);
	const char *one[] = {"c.mp"};
	is_int(count(one, 1, 1, 1, NULL, NULL, &e), 10,
		"plain, gzipped and plain streams in one file are read");
	int unnoticed = 0;
	size_t first = na, second = na + nb;
	for (size_t n = 0; n < s.len; n++) {
		spill("cut.mp", s.s, n);
		const char *cut[] = {"cut.mp"};
		long got = count(cut, 1, 1, 1, NULL, NULL, &e);
		unnoticed += (n == first || n == second) ? got < 0
							 : got != -1 || e.status != STATUS_DATA;
	}
	is_int(unnoticed, 0, "cut at every byte: an error, but where one stream ends");
	unnoticed = 0;
	for (size_t n = 0; n < na; n++) {
		char *bad = malloc(na);
		memcpy(bad, a, na);
		bad[n] ^= 0x10;
		spill("bad.mp", bad, na);
		const char *names[] = {"bad.mp"};
		unnoticed += count(names, 1, 1, 1, NULL, NULL, &e) >= 0;
		free(bad);
	}
	/* The count of skipped records in the trailer is the one byte that nothing guards. */
	is_int(unnoticed, 1, "a flipped bit anywhere before the trailer is noticed");
	free(a), free(b), free(pa), free(pb);
	str_done(&s);

	make("d.mp", "dd", 1, 1, 0, 0);
	const char *differ[] = {"a.mp", "d.mp"};
	is_int(count(differ, 2, 1, 1, NULL, NULL, &e), -1,
		"another tokenizer in the second file is an error");
	ok(strstr(e.msg, "a.mp") && strstr(e.msg, "d.mp") && strstr(e.msg, "'aa'") &&
			strstr(e.msg, "'dd'"),
		"which names both: %s", e.msg);
}

static void test_json_lines(void)
{
	struct err e = {0};
	struct stream_reader *r;
	struct record rec = {0};
	const char text[] =
		"{\"prompt_ids\":[1,2],\"user\":{\"a\":[1.5,null]}}\n\n{\"prompt_ids\":[-1]}\n"
		"nonsense\n{\"completion_mask\":[0,1],\"ref_chosen_token_logps\":[-1,-2.5],\"_"
		"source\":\"s:9\"}";
	spill("j.jsonl", text, sizeof text - 1);
	char *path = in_dir("j.jsonl");
	ok(!stream_open(&r, &path, 1, ~0u, 1, 1, &e), "JSON lines open as a stream");
	ok(stream_header(r)->json && stream_header(r)->kind == KIND_TOKENS,
		"their kind is told by their fields");
	is_int(stream_read(r, &rec, &e), 1, "a line is a record");
	const uint32_t *ids;
	const float *f;
	const uint8_t *p;
	const char *s;
	size_t n;
	ok(record_u32s(&rec, "prompt_ids", &ids, &n, &e) == 1 && n == 2 && ids[1] == 2,
		"number arrays become ids");
	ok(record_str(&rec, "_source", &s, &n, &e) == 1 && n > 9 &&
			!memcmp(s + n - 9, "j.jsonl:1", 9),
		"_source is file:line");
	is_int(stream_read(r, &rec, &e), STREAM_BAD, "a negative id is a bad record");
	ok(strstr(e.msg, "j.jsonl:3: field 'prompt_ids'") != NULL, "with its line: %s", e.msg);
	is_int(stream_read(r, &rec, &e), STREAM_BAD, "what is no JSON is a bad record");
	is_int(stream_read(r, &rec, &e), 1, "and the next is read all the same");
	ok(record_bytes(&rec, "completion_mask", &p, &n, &e) == 1 && n == 2 && p[1] == 1,
		"masks become bytes");
	ok(record_f32s(&rec, "ref_chosen_token_logps", &f, &n, &e) == 1 && n == 2 && f[1] == -2.5f,
		"log-probs become floats");
	ok(record_str(&rec, "_source", &s, &n, &e) == 1 && n == 3 && !memcmp(s, "s:9", 3),
		"a _source that is there stays");
	is_int(stream_read(r, &rec, &e), 0, "the last line needs no newline");
	stream_close(r);
	record_done(&rec);
	free(path);
}

/* Lying lengths, depth, and other malice: nothing is believed, nothing large allocated. */
static void test_hostile(void)
{
	static const uint8_t head[] = "\x82\xa6sluice\x01\xa4kind\xa4text";
	static const struct {
		const char *what, *bytes;
		size_t n;
		const char *says;
	} cases[] = {
		{"a bin of 4 GiB", "\x81\xa1k\xc6\xff\xff\xff\xff", 8, "more than"},
		{"a bin of 1 GiB less a bit", "\x81\xa1k\xc6\x3f\xff\x00\x00", 8, "truncated"},
		{"an array of 4 billion", "\x81\xa1k\xdd\xff\xff\xff\xff", 8, "more than"},
		{"a map of 4 billion", "\xdf\xff\xff\xff\xff", 5, "more than"},
		{"the byte that is no msgpack", "\x81\xa1k\xc1", 4, "0xc1"},
		{"a key that is a number", "\x81\x01\x01", 3, "not a string"},
		{"a key twice", "\x82\xa1k\x01\xa1k\x02", 7, "twice"},
		{"a key with a NUL", "\x81\xa1\x00\x01", 4, "not a string"},
		{"an array in place of a record", "\x91\x01", 2, "not a map"},
		{"a header in a stream", "\x82\xa6sluice\x01\xa4kind\xa4text", 19, "truncated"},
		{"a trailer without its numbers",
			"\x81\xa6sluice\xa3"
			"end",
			12, "missing"},
	};
	struct err e = {0};
	const char *names[] = {"h.mp"};
	struct str s = {0};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		str_reset(&s);
		str_add(&s, head, sizeof head - 1);
		str_add(&s, cases[i].bytes, cases[i].n);
		spill("h.mp", s.s, s.len);
		e.msg[0] = 0;
		long got = count(names, 1, 1, 1, NULL, NULL, &e);
		ok(got == -1 && e.status == STATUS_DATA && strstr(e.msg, cases[i].says), "%s: %s",
			cases[i].what, e.msg);
	}
	for (int depth = 62; depth <= 63; depth++) {
		str_reset(&s);
		str_add(&s, head, sizeof head - 1);
		str_add(&s, "\x81\xa1k", 3);
		for (int i = 0; i < depth; i++)
			str_addc(&s, (char)0x91);
		str_addc(&s, (char)0x81), str_adds(&s, "\xa1z"), str_addc(&s, 1);
		spill("h.mp", s.s, s.len);
		count(names, 1, 1, 1, NULL, NULL, &e);
		ok(strstr(e.msg, depth == 62 ? "truncated after record 1"
					     : "nested more than 64 deep") != NULL,
			"%d levels: %s", depth + 2, e.msg);
	}
	str_reset(&s);
	str_add(&s, "\x82\xa6sluice\x02\xa4kind\xa4text", 19);
	spill("h.mp", s.s, s.len);
	count(names, 1, 1, 1, NULL, NULL, &e);
	ok(strstr(e.msg, "newer") != NULL, "a newer format version is refused by name");
	str_done(&s);
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	test_round_trip();
	test_concatenation();
	test_json_lines();
	test_hostile();
	char *rm = malloc(100);
	snprintf(rm, 100, "rm -r %s", dir);
	if (system(rm))
		return 1;
	free(rm);
	return tap_done();
}
