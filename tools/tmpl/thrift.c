#include "tools/tmpl/thrift.h"

enum { DEPTH_MAX = 32 }; /* of what is skipped; Parquet's own structs nest to 6 */

static void fail(struct thrift *t)
{
	t->bad = 1;
	t->p = t->end;
}

static uint8_t byte(struct thrift *t)
{
	if (t->p == t->end) {
		fail(t);
		return 0;
	}
	return *t->p++;
}

static void pass(struct thrift *t, uint64_t n)
{
	if (n > (uint64_t)(t->end - t->p))
		fail(t);
	else
		t->p += n;
}

uint64_t thrift_varint(struct thrift *t)
{
	uint64_t v = 0;
	for (int shift = 0; shift < 64; shift += 7) {
		uint8_t b = byte(t);
		if (shift == 63 && b > 1)
			break;
		v |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80)
			return v;
	}
	fail(t);
	return 0;
}

int thrift_next(struct thrift *t, struct thrift_field *f)
{
	uint8_t b = byte(t);
	if (b == 0)
		return 0;
	f->type = b & 15;
	int64_t id = b >> 4 ? f->id + (b >> 4) : thrift_unzigzag(thrift_varint(t));
	if (id < 0 || id > INT16_MAX || f->type < THRIFT_TRUE || f->type > THRIFT_UUID)
		fail(t);
	f->id = (int)id;
	return !t->bad;
}

int64_t thrift_int(struct thrift *t, const struct thrift_field *f)
{
	if (f->type == THRIFT_I8)
		return (int8_t)byte(t);
	if (f->type >= THRIFT_I16 && f->type <= THRIFT_I64)
		return thrift_unzigzag(thrift_varint(t));
	fail(t);
	return 0;
}

int thrift_bool(struct thrift *t, const struct thrift_field *f)
{
	if (f->type != THRIFT_TRUE && f->type != THRIFT_FALSE)
		fail(t);
	return f->type == THRIFT_TRUE;
}

const char *thrift_binary(struct thrift *t, const struct thrift_field *f, size_t *len)
{
	*len = 0;
	if (f->type != THRIFT_BINARY) {
		fail(t);
		return "";
	}
	uint64_t n = thrift_varint(t);
	const uint8_t *p = t->p;
	pass(t, n);
	if (t->bad)
		return "";
	*len = (size_t)n;
	return (const char *)p;
}

/* Every item takes a byte at least. */
static size_t list_header(struct thrift *t, int *item)
{
	uint8_t b = byte(t);
	uint64_t n = b >> 4 == 15 ? thrift_varint(t) : b >> 4;
	*item = b & 15;
	if (n > (uint64_t)(t->end - t->p))
		fail(t);
	return t->bad ? 0 : (size_t)n;
}

size_t thrift_list(struct thrift *t, const struct thrift_field *f, enum thrift_type item)
{
	int got = 0;
	if (f->type != THRIFT_LIST)
		fail(t);
	size_t n = list_header(t, &got);
	if (n && got != (int)item)
		fail(t);
	return t->bad ? 0 : n;
}

void thrift_struct(struct thrift *t, const struct thrift_field *f)
{
	if (f->type != THRIFT_STRUCT)
		fail(t);
}

/* Within a collection a truth value is a byte of its own; as a field it is in the type. */
static void skip(struct thrift *t, int type, int depth, int within)
{
	struct thrift_field f = {0};
	int key, value;
	if (depth > DEPTH_MAX)
		fail(t);
	switch (type) {
	case THRIFT_TRUE:
	case THRIFT_FALSE:
		pass(t, within ? 1 : 0);
		break;
	case THRIFT_I8:
		pass(t, 1);
		break;
	case THRIFT_I16:
	case THRIFT_I32:
	case THRIFT_I64:
		thrift_varint(t);
		break;
	case THRIFT_DOUBLE:
		pass(t, 8);
		break;
	case THRIFT_UUID:
		pass(t, 16);
		break;
	case THRIFT_BINARY:
		pass(t, thrift_varint(t));
		break;
	case THRIFT_LIST:
	case THRIFT_SET:
		for (size_t n = list_header(t, &value); n && !t->bad; n--)
			skip(t, value, depth + 1, 1);
		break;
	case THRIFT_MAP: {
		uint64_t n = thrift_varint(t);
		uint8_t types = n ? byte(t) : 0;
		key = types >> 4;
		value = types & 15;
		for (; n && !t->bad; n--) {
			skip(t, key, depth + 1, 1);
			skip(t, value, depth + 1, 1);
		}
		break;
	}
	case THRIFT_STRUCT:
		while (thrift_next(t, &f))
			skip(t, f.type, depth + 1, 0);
		break;
	default:
		fail(t);
	}
}

void thrift_skip(struct thrift *t, const struct thrift_field *f)
{
	skip(t, f->type, 0, 0);
}
