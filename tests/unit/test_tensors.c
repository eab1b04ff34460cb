/* Tensors and files through a stream: back as they were, and no lie of a record is believed. */
#include "common/tensors.h"

#include "common/mem.h"
#include "tests/tap.h"

#include <unistd.h>

static char path[] = "/tmp/test_tensors.XXXXXX";
static struct err err;

static void test_round_trip(void)
{
	size_t big = (size_t)TENSORS_PIECE / 4 + 1000; /* two pieces */
	float *v = mem_alloc(big, sizeof *v);
	for (size_t i = 0; i < big; i++)
		v[i] = (float)i;
	struct st_tensor t[] = {
		{.name = (char *)"big", .dtype = DT_F32, .shape = {big}, .rank = 1, .data = v},
		{.name = (char *)"empty", .dtype = DT_BF16, .shape = {0, 4}, .rank = 2, .data = v},
		{.name = (char *)"m", .dtype = DT_U8, .shape = {2, 3}, .rank = 2, .data = "sixsix"},
	};
	struct header h = {.kind = KIND_TENSORS};
	struct stream_writer *w;
	int rc = stream_create(&w, path, 0, &h, &err);
	for (size_t i = 0; i < 3 && !rc; i++)
		rc = st_size(&t[i], &err) || tensors_write(w, &t[i], &err);
	rc = rc || tensors_write_file(w, "config.json", "{}", 2, &err) || stream_finish(w, 0, &err);
	ok(!rc, "three tensors and a file are written");

	char *const paths[] = {path};
	struct stream_reader *r;
	struct record rec = {0};
	struct tensors ts = {0};
	size_t records = 0;
	rc = stream_open(&r, paths, 1, 1 << KIND_TENSORS, 1, 1, &err);
	while (!rc && stream_read(r, &rec, &err) > 0) {
		records++;
		rc = tensors_take(&ts, &rec, &err) != 1;
	}
	record_done(&rec);
	stream_close(r);
	ok(!rc && !tensors_complete(&ts, &err), "and read back");
	is_int((long long)records, 5, "no piece is larger than 64 MiB");
	ok(ts.n == 3 && ts.t[0].bytes == big * 4 && !memcmp(ts.t[0].data, v, big * 4),
		"a tensor of two pieces");
	ok(ts.t[1].elements == 0 && ts.t[1].rank == 2, "an empty one");
	ok(ts.t[2].dtype == DT_U8 && !memcmp(ts.t[2].data, "sixsix", 6), "a small one");
	const struct tensors_file *f = tensors_file(&ts, "config.json");
	ok(f && f->len == 2 && !strcmp(f->data, "{}") && !tensors_file(&ts, "x"), "the file");
	tensors_done(&ts);
	mem_free(v);
}

/* A piece of "t", u8 [4]; what a lie changes is set afterwards. */
static void piece(struct record *r, const char *name, int64_t offset, const char *data)
{
	record_reset(r);
	json_t *shape = json_pack("[i]", 4);
	record_set_str(r, "tensor", name, strlen(name));
	record_set_str(r, "dtype", "U8", 2);
	record_set_json(r, "shape", shape, &err);
	record_set_i64(r, "offset", offset);
	record_set_bytes(r, "data", data, strlen(data));
	json_decref(shape);
}

static void set_shape(struct record *r, const char *text)
{
	json_t *shape = json_loads(text, 0, NULL);
	record_set_json(r, "shape", shape, &err);
	json_decref(shape);
}

static struct tensors taken;

static void refused(struct record *r, const char *because, const char *claim)
{
	err = (struct err){0};
	int rc = tensors_take(&taken, r, &err);
	if (!ok(rc == -1 && err.status == STATUS_DATA && strstr(err.msg, because), "%s", claim))
		diag("rc %d '%s'", rc, err.msg);
	tensors_done(&taken);
}

static void test_lies(void)
{
	struct record r = {0};
	piece(&r, "t", 0, "12345");
	refused(&r, "more data than its shape", "more data than the shape holds");
	piece(&r, "t", 2, "34");
	refused(&r, "without its beginning", "a piece that nothing came before");
	piece(&r, "t", 0, "12");
	tensors_take(&taken, &r, &err);
	piece(&r, "t", 3, "4");
	refused(&r, "a piece at 3 where 2 was due", "a gap between pieces");
	piece(&r, "t", 0, "12");
	tensors_take(&taken, &r, &err);
	piece(&r, "u", 0, "1234");
	refused(&r, "'t' ends after 2 of 4", "another tensor before this one is whole");
	piece(&r, "t", 0, "1234");
	tensors_take(&taken, &r, &err);
	piece(&r, "t", 0, "1234");
	refused(&r, "comes twice", "a tensor that comes twice");
	piece(&r, "t", 0, "12");
	tensors_take(&taken, &r, &err);
	piece(&r, "t", 2, "34");
	set_shape(&r, "[2, 2]");
	refused(&r, "without its beginning", "a piece of another shape");
	piece(&r, "t", 0, "1234");
	record_set_str(&r, "dtype", "F7", 2);
	refused(&r, "no dtype", "an unknown type");
	piece(&r, "t", 0, "1234");
	record_remove(&r, "data");
	refused(&r, "without data", "no data");
	piece(&r, "t", -4, "1234");
	refused(&r, "negative offset", "a negative offset");
	piece(&r, "t", 0, "1234");
	set_shape(&r, "[4294967296, 4294967296, 4294967296]");
	refused(&r, "too large", "a shape that overflows");
	piece(&r, "t", 0, "1234");
	set_shape(&r, "[1, 1, 1, 1, 1, 1, 1, 1, 4]");
	refused(&r, "bad shape", "nine dimensions");
	piece(&r, "t", 0, "1234");
	set_shape(&r, "[-4]");
	refused(&r, "bad shape", "a negative size");

	piece(&r, "t", 0, "1");
	set_shape(&r, "[1152921504606846976]");
	ok(tensors_take(&taken, &r, &err) == 1 && taken.room < 1 << 16,
		"an enormous shape costs only what has come");
	ok(tensors_complete(&taken, &err) == -1, "and is not whole");
	tensors_done(&taken);

	static const char *const names[] = {"../x", "/etc/x", "a/b", "", ".", "..", ".sluice",
		"additional_chat_templates/../x"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		record_reset(&r);
		record_set_str(&r, "file", names[i], strlen(names[i]));
		record_set_bytes(&r, "data", "x", 1);
		char *claim = mem_printf("a file named '%s'", names[i]);
		refused(&r, "not a name for a file", claim);
		mem_free(claim);
	}
	record_reset(&r);
	record_set_f64(&r, "loss", 0.5);
	is_int(tensors_take(&taken, &r, &err), 0, "a record of metrics is left alone");
	record_done(&r);
}

int main(void)
{
	int fd = mkstemp(path);
	if (fd < 0)
		return 3;
	close(fd);
	test_round_trip();
	test_lies();
	unlink(path);
	return tap_done();
}
