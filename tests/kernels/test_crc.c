/* The checksum beside zlib's, of every length to several blocks, at every alignment, in any pieces. */
#include "kernels/crc.h"
#include "tests/tap.h"

#include <zlib.h>

int main(void)
{
	enum { MOST = 700 };
	static uint8_t bytes[MOST + 16];
	uint32_t state = 1;
	size_t bad = 0, bad_pieces = 0;
	for (size_t i = 0; i < sizeof bytes; i++) {
		state = state * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(state >> 24);
	}
	for (size_t n = 0; n < MOST; n++) {
		const uint8_t *p = bytes + n % 16;
		uint32_t want = (uint32_t)crc32_z(0, p, n), crc = 0;
		bad += crc_update(0, p, n) != want;
		bad += crc_update(0x12345678, p, n) != (uint32_t)crc32_z(0x12345678, p, n);
		for (size_t at = 0, step; at < n; at += step) {
			step = 1 + at * 7 % 300 < n - at ? 1 + at * 7 % 300 : n - at;
			crc = crc_update(crc, p + at, step);
		}
		bad_pieces += crc != want;
	}
	ok(bad == 0, "checksums are zlib's");
	ok(bad_pieces == 0, "in pieces too");
	is_int(crc_update(0, "123456789", 9), 0xcbf43926,
		"and the one that all CRC-32 give of 123456789");
	ok(crc_update(7, bytes, 0) == 7, "nothing changes nothing");
	return tap_done();
}
