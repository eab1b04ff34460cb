#include "common/mp.h"

#include "common/str.h"

#include <string.h>

/* What the first byte says: where the payload or the first element begins, and how much there is.
 */
struct head {
	struct mp_value v;
	size_t size;	/* bytes of the head, and of the payload of scalars, str, bin, ext */
	uint64_t inner; /* values that follow */
};

static uint64_t big(const uint8_t *p, size_t n)
{
	uint64_t x = 0;
	for (size_t i = 0; i < n; i++)
		x = x << 8 | p[i];
	return x;
}

static void set_uint(struct mp_value *v, uint64_t u)
{
	v->type = u > INT64_MAX ? MP_UINT : MP_INT;
	if (v->type == MP_UINT)
		v->u = u;
	else
		v->i = (int64_t)u;
}

static void set_signed(struct mp_value *v, uint64_t u, size_t bytes)
{
	unsigned shift = 64 - 8 * (unsigned)bytes;
	v->type = MP_INT;
	v->i = (int64_t)(u << shift) >> shift;
}

static void set_float(struct mp_value *v, const uint8_t *p, size_t bytes)
{
	v->type = MP_FLOAT;
	if (bytes == 4) {
		uint32_t u = (uint32_t)big(p, 4);
		float f;
		memcpy(&f, &u, 4);
		v->f = f;
	} else {
		uint64_t u = big(p, 8);
		memcpy(&v->f, &u, 8);
	}
}

/* Heads by first byte from 0xc0 to 0xdf: the kind, the bytes of number or length that follow. */
enum shape {
	S_NONE,
	S_NIL,
	S_FALSE,
	S_TRUE,
	S_BIN,
	S_EXT,
	S_FLOAT,
	S_UINT,
	S_INT,
	S_FIXEXT,
	S_STR,
	S_ARRAY,
	S_MAP
};
static const struct {
	uint8_t shape, bytes;
} heads[32] = {
	{S_NIL, 0},
	{S_NONE, 0},
	{S_FALSE, 0},
	{S_TRUE, 0},
	{S_BIN, 1},
	{S_BIN, 2},
	{S_BIN, 4},
	{S_EXT, 1},
	{S_EXT, 2},
	{S_EXT, 4},
	{S_FLOAT, 4},
	{S_FLOAT, 8},
	{S_UINT, 1},
	{S_UINT, 2},
	{S_UINT, 4},
	{S_UINT, 8},
	{S_INT, 1},
	{S_INT, 2},
	{S_INT, 4},
	{S_INT, 8},
	{S_FIXEXT, 1},
	{S_FIXEXT, 2},
	{S_FIXEXT, 4},
	{S_FIXEXT, 8},
	{S_FIXEXT, 16},
	{S_STR, 1},
	{S_STR, 2},
	{S_STR, 4},
	{S_ARRAY, 2},
	{S_ARRAY, 4},
	{S_MAP, 2},
	{S_MAP, 4},
};

static void payload(struct head *h, enum mp_type type, const uint8_t *p, size_t at, size_t len)
{
	h->v.type = type;
	h->v.p = p + at;
	h->v.len = len;
	h->size = at + len;
}

static void container(struct head *h, enum mp_type type, size_t at, size_t len)
{
	h->v.type = type;
	h->v.len = len;
	h->inner = type == MP_MAP ? 2 * (uint64_t)len : len;
	h->size = at;
}

/* MP_MORE: h->size bytes are needed to know the head. The payload may still be missing. */
static enum mp_result read_head(struct head *h, const uint8_t *p, size_t n)
{
	*h = (struct head){.size = 1};
	if (!n)
		return MP_MORE;
	uint8_t b = p[0];
	if (b < 0x80 || b >= 0xe0) {
		h->v.type = MP_INT;
		h->v.i = (int8_t)b;
	} else if (b < 0x90) {
		container(h, MP_MAP, 1, b & 15);
	} else if (b < 0xa0) {
		container(h, MP_ARRAY, 1, b & 15);
	} else if (b < 0xc0) {
		payload(h, MP_STR, p, 1, b & 31);
	}
	if (b < 0xc0 || b >= 0xe0)
		return MP_DONE;

	enum shape shape = heads[b - 0xc0].shape;
	size_t bytes = heads[b - 0xc0].bytes;
	if (shape == S_NONE)
		return MP_BAD;
	if (shape == S_FIXEXT) {
		if (n < 2) {
			h->size = 2;
			return MP_MORE;
		}
		payload(h, MP_EXT, p, 2, bytes);
		h->v.ext = (int8_t)p[1];
		return MP_DONE;
	}
	h->size = 1 + bytes + (shape == S_EXT);
	if (n < h->size)
		return MP_MORE;
	uint64_t x = shape == S_FLOAT ? 0 : big(p + 1, bytes);
	switch (shape) {
	case S_NIL:
		h->v.type = MP_NIL;
		break;
	case S_FALSE:
	case S_TRUE:
		h->v.type = MP_BOOL;
		h->v.i = shape == S_TRUE;
		break;
	case S_UINT:
		set_uint(&h->v, x);
		break;
	case S_INT:
		set_signed(&h->v, x, bytes);
		break;
	case S_FLOAT:
		set_float(&h->v, p + 1, bytes);
		break;
	case S_STR:
		payload(h, MP_STR, p, h->size, x);
		break;
	case S_BIN:
		payload(h, MP_BIN, p, h->size, x);
		break;
	case S_EXT:
		h->v.ext = (int8_t)p[1 + bytes];
		payload(h, MP_EXT, p, h->size, x);
		break;
	case S_ARRAY:
		container(h, MP_ARRAY, h->size, x);
		break;
	default: /* S_MAP */
		container(h, MP_MAP, h->size, x);
		break;
	}
	return MP_DONE;
}

int mp_next(struct mp *c, struct mp_value *v)
{
	struct head h;
	size_t n = (size_t)(c->end - c->p);
	if (read_head(&h, c->p, n) != MP_DONE || h.size > n)
		return -1;
	*v = h.v;
	c->p += h.size;
	return 0;
}

int mp_skip(struct mp *c)
{
	/* Counting is enough: nothing is allocated, and every value takes at least a byte. */
	for (uint64_t left = 1; left; left--) {
		struct head h;
		size_t n = (size_t)(c->end - c->p);
		if (read_head(&h, c->p, n) != MP_DONE || h.size > n)
			return -1;
		c->p += h.size;
		if (h.inner > (uint64_t)(c->end - c->p))
			return -1;
		left += h.inner;
	}
	return 0;
}

enum mp_result mp_scan(struct mp_scan *s, const uint8_t *p, size_t n, struct err *e)
{
	if (!s->depth) { /* not begun */
		s->depth = 1;
		s->left[1] = 1;
	}
	size_t at = s->at;
	while (s->depth) {
		if (!s->left[s->depth]) {
			s->depth--;
			continue;
		}
		struct head h;
		enum mp_result r = read_head(&h, p + at, n - at);
		if (r == MP_BAD) {
			err_data(e, "byte 0x%02x is not msgpack", p[at]);
			return MP_BAD;
		}
		if (h.size > MP_MAX_SIZE - at || h.inner > MP_MAX_SIZE - at) {
			err_data(e, "a record of more than %zu bytes", MP_MAX_SIZE);
			return MP_BAD;
		}
		if (r == MP_MORE || h.size > n - at) {
			s->at = at;
			s->size = at + h.size;
			return MP_MORE;
		}
		at += h.size;
		s->left[s->depth]--;
		if (h.inner) {
			if (s->depth == MP_MAX_DEPTH + 1) {
				err_data(e, "nested more than %d deep", MP_MAX_DEPTH);
				return MP_BAD;
			}
			s->left[++s->depth] = h.inner;
		}
	}
	s->size = at;
	return MP_DONE;
}

static int small_write(void *data, const char *p, size_t n)
{
	struct mp_small *s = data;
	if (n > sizeof s->b - s->n)
		return -1;
	memcpy(s->b + s->n, p, n);
	s->n += n;
	return 0;
}

void mp_small_init(struct mp_small *s)
{
	s->n = 0;
	msgpack_packer_init(&s->pk, s, small_write);
}

static int str_write(void *data, const char *p, size_t n)
{
	str_add(data, p, n);
	return 0;
}

void mp_pack_into(msgpack_packer *pk, struct str *out)
{
	msgpack_packer_init(pk, out, str_write);
}
