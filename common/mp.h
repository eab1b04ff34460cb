/*
 * A cursor over msgpack bytes: borrowed views, no allocation, every length checked against what is
 * there. msgpack-c's own unpacker allocates what a header asks for before it has seen the data;
 * packing is msgpack-c's. Ours on top: limits (depth, size) that hold before anything is believed.
 */
#ifndef COMMON_MP_H
#define COMMON_MP_H

#include "common/err.h"

#include <msgpack/pack.h>
#include <stddef.h>
#include <stdint.h>

enum { MP_MAX_DEPTH = 64 }; /* arrays and maps within each other, the record itself counted */
#define MP_MAX_SIZE ((size_t)1 << 30) /* of one record */

enum mp_type {
	MP_NIL,
	MP_BOOL,
	MP_INT,
	MP_UINT,
	MP_FLOAT,
	MP_STR,
	MP_BIN,
	MP_ARRAY,
	MP_MAP,
	MP_EXT
};

struct mp_value {
	enum mp_type type;
	union {
		int64_t i;  /* MP_BOOL, MP_INT: everything that fits int64_t */
		uint64_t u; /* MP_UINT: only what is above INT64_MAX */
		double f;
	};
	const uint8_t *p; /* MP_STR, MP_BIN, MP_EXT: len bytes */
	size_t len;	  /* MP_ARRAY: elements, MP_MAP: pairs; they follow at the cursor */
	int ext;	  /* MP_EXT: the type number */
};

struct mp {
	const uint8_t *p, *end;
};

/* Reads one value, of an array or map only the head. 0, or -1 when the bytes end or are no msgpack.
 */
int mp_next(struct mp *c, struct mp_value *v);
/* Moves past one whole value, which mp_scan has accepted before. 0 or -1. */
int mp_skip(struct mp *c);

/*
 * Finds where a value ends while its bytes are still arriving. Zero-initialise; call mp_scan with
 * the bytes from the value's start, the same ones and more each time. MP_MORE: call again with at
 * least `size` bytes. MP_DONE: the value is `size` bytes long. MP_BAD: *e says why (status 1).
 */
struct mp_scan {
	size_t size, at; /* at: bytes scanned */
	unsigned depth;
	uint64_t left[MP_MAX_DEPTH + 2]; /* values still to come at each level, from 1 */
};
enum mp_result { MP_BAD = -1, MP_MORE, MP_DONE };
enum mp_result mp_scan(struct mp_scan *s, const uint8_t *p, size_t n, struct err *e);

/* msgpack-c's packer over a fixed buffer, for one head or number, or over a struct str. */
struct mp_small {
	uint8_t b[16];
	size_t n;
	msgpack_packer pk;
};
void mp_small_init(struct mp_small *s);
struct str;
void mp_pack_into(msgpack_packer *pk, struct str *out);

#endif
