/* A stream of any bytes (or JSON lines, or gzip): refused, or every record is read and can be shown,
 * packed and copied. */
#include "common/stream.h"

#include "tests/fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

static void use(struct record *rec)
{
	struct str json = {0}, bytes = {0};
	struct record copy = {0}, again = {0};
	struct err e = {0};
	const uint32_t *ids;
	const float *f;
	const char *s;
	const uint8_t *p;
	size_t n;
	double d;
	record_to_json(&json, rec);
	if (record_str(rec, "prompt", &s, &n, &e) < 0 ||
		record_u32s(rec, "prompt_ids", &ids, &n, &e) < 0 ||
		record_f32s(rec, "ref_chosen_token_logps", &f, &n, &e) < 0 ||
		record_bytes(rec, "data", &p, &n, &e) < 0 ||
		record_f64(rec, "ref_chosen_logps", &d, &e) < 0)
		if (e.status != STATUS_DATA || !*e.msg)
			abort();
	record_copy(&copy, rec);
	record_pack(&bytes, &copy);
	if (record_parse(&again, (const uint8_t *)bytes.s, bytes.len, &e) || again.n != rec->n)
		abort();
	record_done(&again);
	record_done(&copy);
	str_done(&bytes);
	str_done(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stream_reader *r;
	struct record rec = {0};
	struct err e = {0};
	char path[64], *paths[] = {path};
	int got = -1, fd = memfd_create("fuzz", 0);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (!stream_open(&r, paths, 1, ~0u, 1, 1, &e)) {
		struct str header = {0};
		header_to_json(&header, stream_header(r));
		str_done(&header);
		while ((got = stream_read(r, &rec, &e)) == 1 || got == STREAM_BAD)
			use(&rec);
		stream_close(r);
	}
	if (got < 0 && (!e.status || !*e.msg))
		abort();
	record_done(&rec);
	close(fd);
	return 0;
}

FUZZ_MAIN("stream")
