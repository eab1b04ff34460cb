/* A Parquet file of any bytes: refused, or its rows are JSON objects; a row that cannot be one says why. */
#include "common/json.h"
#include "common/stream.h"
#include "tools/tmpl/parquet.h"

#include "tests/fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

enum { ROWS = 300 }; /* a few bytes may say that there are billions */

static void check_row(const struct str *row)
{
	struct err e = {0};
	json_t *v = json_read_bytes(row->s, row->len, &e);
	/* The one thing that a row may say and JSON here may not: an integer beyond 64 bits. */
	if (v ? !json_is_object(v) : !strstr(e.msg, "integer"))
		abort();
	json_decref(v);
}

static void read_file(const char *path)
{
	struct input *in;
	struct parquet *p = NULL;
	struct str row = {0};
	struct err e = {0};
	int got = 1;
	if (input_open(&in, path, 0, &e) < 0)
		abort();
	if (parquet_open(&p, in, &e) < 0)
		got = -1;
	for (int i = 0; i < ROWS && (got == 1 || got == STREAM_BAD); i++) {
		e.status = 0;
		got = parquet_next(p, &row, &e);
		if (got == 1)
			check_row(&row);
	}
	if (got < 0 && (!e.status || !*e.msg))
		abort();
	parquet_close(p);
	input_close(in);
	str_done(&row);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	int fd = memfd_create("fuzz", 0);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	read_file(path);
	close(fd);
	return 0;
}

FUZZ_MAIN("parquet")
