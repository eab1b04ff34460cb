#include "tools/tmpl/parquet_codec.h"

#include <lz4.h>
#include <snappy-c.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

/* ---- one function a codec: how many bytes came out, DAMAGED or SHORT_OF_ROOM ---- */

enum { DAMAGED = -1, SHORT_OF_ROOM = -2 };

static long copy(const uint8_t *from, size_t n, uint8_t *to, size_t room)
{
	if (n > room)
		return DAMAGED;
	if (n)
		memcpy(to, from, n);
	return (long)n;
}

static long snappy(const uint8_t *from, size_t n, uint8_t *to, size_t room)
{
	size_t len;
	if (snappy_uncompressed_length((const char *)from, n, &len) != SNAPPY_OK)
		return DAMAGED;
	/* Its longest copy takes three bytes and gives 64. */
	if (len > room)
		return len / 64 > n ? DAMAGED : SHORT_OF_ROOM;
	len = room;
	return snappy_uncompress((const char *)from, n, (char *)to, &len) == SNAPPY_OK ? (long)len
										       : DAMAGED;
}

/* Members may follow each other. */
static long gzip(const uint8_t *from, size_t n, uint8_t *to, size_t room)
{
	z_stream z = {.next_in = (uint8_t *)(uintptr_t)from,
		.avail_in = (unsigned)n,
		.next_out = to,
		.avail_out = (unsigned)room};
	if (inflateInit2(&z, 32 + MAX_WBITS) != Z_OK)
		return DAMAGED;
	int r;
	while ((r = inflate(&z, Z_FINISH)) == Z_STREAM_END && z.avail_in)
		inflateReset(&z);
	long out = (long)(room - z.avail_out);
	inflateEnd(&z);
	if (r == Z_STREAM_END)
		return out;
	return r == Z_BUF_ERROR && !z.avail_out ? SHORT_OF_ROOM : DAMAGED;
}

static long zstd(const uint8_t *from, size_t n, uint8_t *to, size_t room)
{
	size_t out = ZSTD_decompress(to, room, from, n);
	if (!ZSTD_isError(out))
		return (long)out;
	return ZSTD_getErrorCode(out) == ZSTD_error_dstSize_tooSmall ? SHORT_OF_ROOM : DAMAGED;
}

static long lz4(const uint8_t *from, size_t n, uint8_t *to, size_t room)
{
	int out = LZ4_decompress_safe((const char *)from, (char *)to, (int)n, (int)room);
	/* It does not say what was wrong; a byte gives 255 at most. */
	return out >= 0 ? out : room / 255 > n ? DAMAGED : SHORT_OF_ROOM;
}

static const struct codec {
	const char *name;
	long (*run)(const uint8_t *from, size_t n, uint8_t *to, size_t room);
} codecs[] = {
	{"UNCOMPRESSED", copy},
	{"SNAPPY", snappy},
	{"GZIP", gzip},
	{"LZO", NULL},
	{"BROTLI", NULL},
	{"LZ4 (Hadoop's)", NULL},
	{"ZSTD", zstd},
	{"LZ4_RAW", lz4},
};

int pq_codec_check(int codec, struct err *e)
{
	if (codec < 0 || (size_t)codec >= sizeof codecs / sizeof *codecs)
		return err_data(e, "compression %d is not known", codec);
	if (!codecs[codec].run)
		return err_data(e,
			"compression %s is not read: SNAPPY, GZIP, ZSTD, LZ4_RAW or none is",
			codecs[codec].name);
	return 0;
}

/* The first try has room for what is usual; each further one is paid for by what the one before gave. */
int pq_decompress(int codec, const uint8_t *from, size_t n, struct pq_buffer *to, size_t size,
	struct pq_room *room, struct err *e)
{
	long got = SHORT_OF_ROOM;
	for (size_t part = 0; got == SHORT_OF_ROOM && part < size + !size;) {
		part = part ? 16 * part : 16 * n + 4096;
		part = part < size ? part : size + !size;
		if (pq_buffer_grow(to, to->len + part, room, e) < 0)
			return -1;
		got = codecs[codec].run(from, n, to->p + to->len, part);
	}
	if (got < 0 || (size_t)got != size)
		return err_data(e, "the %s data of a page is damaged", codecs[codec].name);
	to->len += size;
	return 0;
}
