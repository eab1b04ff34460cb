/* The msgpack cursor: every format, smallest encodings, and bytes that arrive one at a time. */
#include "common/mp.h"

#include "common/record.h"
#include "common/str.h"
#include "tests/tap.h"

/* One value of each format with its payload; what mp_next must say. */
static const struct {
	const char *bytes;
	size_t n;
	enum mp_type type;
	long long i;
	size_t len;
} formats[] = {
	{"\x00", 1, MP_INT, 0, 0},
	{"\x7f", 1, MP_INT, 127, 0},
	{"\xff", 1, MP_INT, -1, 0},
	{"\xe0", 1, MP_INT, -32, 0},
	{"\xcc\xff", 2, MP_INT, 255, 0},
	{"\xcd\xff\xfe", 3, MP_INT, 65534, 0},
	{"\xce\xff\xff\xff\xff", 5, MP_INT, 4294967295, 0},
	{"\xcf\x7f\xff\xff\xff\xff\xff\xff\xff", 9, MP_INT, 9223372036854775807, 0},
	{"\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 9, MP_UINT, -1, 0},
	{"\xd0\x80", 2, MP_INT, -128, 0},
	{"\xd1\x80\x00", 3, MP_INT, -32768, 0},
	{"\xd2\x80\x00\x00\x00", 5, MP_INT, -2147483648LL, 0},
	{"\xd3\xff\xff\xff\xff\xff\xff\xff\x00", 9, MP_INT, -256, 0},
	{"\xc0", 1, MP_NIL, 0, 0},
	{"\xc2", 1, MP_BOOL, 0, 0},
	{"\xc3", 1, MP_BOOL, 1, 0},
	{"\xa3"
	 "abc",
		4, MP_STR, 0, 3},
	{"\xd9\x02"
	 "ab",
		4, MP_STR, 0, 2},
	{"\xda\x00\x01"
	 "a",
		4, MP_STR, 0, 1},
	{"\xdb\x00\x00\x00\x01"
	 "a",
		6, MP_STR, 0, 1},
	{"\xc4\x02"
	 "ab",
		4, MP_BIN, 0, 2},
	{"\xc5\x00\x02"
	 "ab",
		5, MP_BIN, 0, 2},
	{"\xc6\x00\x00\x00\x02"
	 "ab",
		7, MP_BIN, 0, 2},
	{"\xd4\x05"
	 "a",
		3, MP_EXT, 5, 1},
	{"\xd6\xff"
	 "abcd",
		6, MP_EXT, -1, 4},
	{"\xd8\x07"
	 "0123456789abcdef",
		18, MP_EXT, 7, 16},
	{"\xc7\x03\x09"
	 "abc",
		6, MP_EXT, 9, 3},
	{"\xc8\x00\x03\x09"
	 "abc",
		7, MP_EXT, 9, 3},
	{"\xc9\x00\x00\x00\x03\x09"
	 "abc",
		9, MP_EXT, 9, 3},
	{"\x92\x01\x02", 3, MP_ARRAY, 0, 2},
	{"\xdc\x00\x01\x01", 4, MP_ARRAY, 0, 1},
	{"\xdd\x00\x00\x00\x01\x01", 6, MP_ARRAY, 0, 1},
	{"\x81\x01\x02", 3, MP_MAP, 0, 1},
	{"\xde\x00\x01\x01\x02", 5, MP_MAP, 0, 1},
	{"\xdf\x00\x00\x00\x01\x01\x02", 7, MP_MAP, 0, 1},
	{"\x90", 1, MP_ARRAY, 0, 0},
	{"\x80", 1, MP_MAP, 0, 0},
};

static void test_formats(void)
{
	struct err e;
	int wrong = 0, cut = 0, slow = 0;
	for (size_t k = 0; k < sizeof formats / sizeof *formats; k++) {
		const uint8_t *p = (const uint8_t *)formats[k].bytes;
		size_t n = formats[k].n;
		struct mp c = {p, p + n};
		struct mp_value v;
		int bad = mp_next(&c, &v) || v.type != formats[k].type;
		if (!bad && (v.type == MP_INT || v.type == MP_BOOL || v.type == MP_UINT))
			bad = v.i != formats[k].i;
		else if (!bad && v.type != MP_NIL)
			bad = v.len != formats[k].len ||
			      (v.type == MP_EXT && v.ext != formats[k].i);
		c.p = p;
		bad |= mp_skip(&c) || c.p != p + n;
		wrong += bad;
		if (bad)
			diag("format %zu, byte 0x%02x", k, p[0]);
		for (size_t m = 0; m < n; m++) {
			c = (struct mp){p, p + m};
			cut += mp_skip(&c) == 0;
		}
		/* As the bytes arrive: never past what is there, done exactly at the end. */
		struct mp_scan s = {.size = 1};
		size_t have = 0;
		enum mp_result got = MP_MORE;
		while (got == MP_MORE && have < n) {
			have = s.size;
			slow += have > n;
			got = have > n ? MP_BAD : mp_scan(&s, p, have, &e);
		}
		slow += got != MP_DONE || s.size != n;
	}
	is_int(wrong, 0, "every format is read");
	is_int(cut, 0, "no format is read when a byte is missing");
	is_int(slow, 0, "the end of every format is found while bytes arrive");
	const double want = -1.5;
	struct mp_value f, d;
	struct mp c = {(const uint8_t *)"\xca\xbf\xc0\x00\x00", NULL};
	c.end = c.p + 5;
	ok(!mp_next(&c, &f) && f.type == MP_FLOAT && f.f == want, "float 32");
	c = (struct mp){(const uint8_t *)"\xcb\xbf\xf8\x00\x00\x00\x00\x00\x00", NULL};
	c.end = c.p + 9;
	ok(!mp_next(&c, &d) && d.type == MP_FLOAT && d.f == want, "float 64");
}

/* Byte strings of all kinds of nonsense: no crash, no read past the end (the sanitizers watch). */
static void test_noise(void)
{
	uint32_t x = 12345;
	int accepted = 0, disagree = 0;
	for (int round = 0; round < 20000; round++) {
		uint8_t small[24];
		size_t n = 1 + (size_t)round % sizeof small;
		uint8_t *b = malloc(n);
		for (size_t i = 0; i < n; i++) {
			x = x * 1664525 + 1013904223;
			small[i] = (uint8_t)(x >> 24);
		}
		memcpy(b, small, n);
		struct mp_scan s = {.size = 1};
		struct err e;
		struct mp c = {b, b + n};
		int scanned = mp_scan(&s, b, n, &e) == MP_DONE, skipped = mp_skip(&c) == 0;
		disagree += scanned != skipped || (scanned && s.size != (size_t)(c.p - b));
		accepted += scanned;
		if (scanned) {
			struct str json = {0};
			record_value_json(&json, b, n, FT_U32S);
			str_done(&json);
		}
		free(b);
	}
	ok(accepted > 1000, "%d of 20000 random strings begin with a value", accepted);
	is_int(disagree, 0, "scanning and skipping agree on all of them");
}

static void test_smallest(void)
{
	struct record r = {0};
	static const struct {
		int64_t v;
		size_t bytes;
	} ints[] = {{0, 1}, {127, 1}, {128, 2}, {255, 2}, {256, 3}, {65535, 3}, {65536, 5},
		{4294967295, 5}, {4294967296, 9}, {-1, 1}, {-32, 1}, {-33, 2}, {-128, 2}, {-129, 3},
		{-32769, 5}, {INT64_MIN, 9}};
	int wrong = 0;
	for (size_t i = 0; i < sizeof ints / sizeof *ints; i++) {
		int64_t back = 0;
		struct err e;
		record_set_i64(&r, "x", ints[i].v);
		wrong += record_get(&r, "x")->vallen != ints[i].bytes ||
			 record_i64(&r, "x", &back, &e) != 1 || back != ints[i].v;
	}
	is_int(wrong, 0, "integers take the fewest bytes");
	record_done(&r);
}

static void test_record(void)
{
	struct record r = {0}, copy = {0};
	struct err e = {0};
	const uint32_t ids[] = {7, 8}, *got;
	const char *s;
	size_t n;
	record_set_str(&r, "a", "one", 3);
	record_set_u32s(&r, "prompt_ids", ids, 2);
	record_set_str(&r, "b", "two", 3);
	record_set_str(&r, "a", "three", 5);
	ok(r.n == 3 && !strcmp(r.f[0].key, "a"), "setting again keeps the place");
	record_copy(&copy, &r);
	record_remove(&r, "prompt_ids");
	ok(r.n == 2 && !strcmp(r.f[1].key, "b") && !record_get(&r, "prompt_ids"),
		"removing keeps the order");
	record_reset(&r);
	ok(record_str(&copy, "a", &s, &n, &e) == 1 && n == 5 && !memcmp(s, "three", 5),
		"a copy stands alone");
	ok(record_u32s(&copy, "prompt_ids", &got, &n, &e) == 1 && n == 2 && got[1] == 8 &&
			(uintptr_t)got % 4 == 0,
		"ids are aligned");
	record_set_bytes(&r, "prompt_ids", "abc", 3);
	ok(record_u32s(&r, "prompt_ids", &got, &n, &e) == -1, "three bytes are no ids: %s", e.msg);
	record_set_str(&r, "bad", "\xc3\x28", 2);
	ok(record_str(&r, "bad", &s, &n, &e) == -1 && strstr(e.msg, "UTF-8"), "bad UTF-8: %s",
		e.msg);

	struct str bytes = {0};
	struct record again = {0};
	record_pack(&bytes, &copy);
	ok(!record_parse(&again, (const uint8_t *)bytes.s, bytes.len, &e) && again.n == 3 &&
			record_str(&again, "b", &s, &n, &e) == 1 && n == 3,
		"packed and parsed it is the same");
	str_done(&bytes);
	record_done(&again);
	record_done(&copy);
	record_done(&r);
}

static void test_json(void)
{
	struct record r = {0};
	struct err e = {0};
	struct str out = {0};
	const char text[] = "{\"u\":{\"x\":[1,-2.5,null,\"\\u00e9\"]},\"data\":\"AAEC/"
			    "w==\",\"completion_mask\":[0,1,255],"
			    "\"ref_chosen_token_logps\":[-0.5],\"spans\":[[0,3],[5,9]]}";
	json_t *v = json_loads(text, 0, NULL);
	ok(!record_from_json(&r, v, &e), "JSON becomes a record");
	record_to_json(&out, &r);
	is_str(out.s,
		"{\"u\":{\"x\":[1,-2.5,null,\"\xc3\xa9\"]},\"data\":\"AAEC/"
		"w==\",\"completion_mask\":[0,1,255],"
		"\"ref_chosen_token_logps\":[-0.5],\"spans\":[[0,3],[5,9]]}",
		"and JSON again");
	json_decref(v);
	for (size_t n = 0; n < 9; n++) {
		record_set_bytes(&r, "data", "\x00\x01\xfe\xff\x10\x20\x30\x40", n);
		str_reset(&out);
		record_to_json(&out, &r);
		v = json_loads(out.s, 0, NULL);
		struct record back = {0};
		const uint8_t *p;
		size_t len = 99;
		ok(!record_from_json(&back, v, &e) &&
				record_bytes(&back, "data", &p, &len, &e) == 1 && len == n &&
				!memcmp(p, "\x00\x01\xfe\xff\x10\x20\x30\x40", n),
			"%zu bytes survive base64", n);
		json_decref(v);
		record_done(&back);
	}
	static const char *const wrong[] = {"{\"prompt_ids\":[1.5]}",
		"{\"prompt_ids\":[4294967296]}", "{\"prompt_ids\":\"x\"}",
		"{\"completion_mask\":[256]}", "{\"data\":\"A\"}", "{\"data\":\"A===\"}",
		"{\"data\":\"AA\\u0000A\"}", "{\"data\":5}", "{\"ref_chosen_token_logps\":[null]}"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		v = json_loads(wrong[i], JSON_ALLOW_NUL, NULL);
		record_reset(&r);
		ok(record_from_json(&r, v, &e) == -1, "%s: %s", wrong[i], e.msg);
		json_decref(v);
	}
	for (int depth = 63; depth <= 64; depth++) { /* the record itself is one more */
		str_reset(&out);
		str_adds(&out, "{\"x\":");
		for (int i = 0; i < depth; i++)
			str_addc(&out, '[');
		for (int i = 0; i < depth; i++)
			str_addc(&out, ']');
		str_addc(&out, '}');
		v = json_loads(out.s, 0, NULL);
		record_reset(&r);
		int bad = record_from_json(&r, v, &e);
		ok(bad == (depth == 64 ? -1 : 0), "%d levels of JSON are %s", depth + 1,
			bad ? e.msg : "a record");
		json_decref(v);
	}
	str_done(&out);
	record_done(&r);
}

int main(void)
{
	test_formats();
	test_noise();
	test_smallest();
	test_record();
	test_json();
	return tap_done();
}
