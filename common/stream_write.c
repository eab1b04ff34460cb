/* Writing streams: header, records, trailer; and the reject stream. */
#include "common/stream_int.h"

#include "common/die.h"
#include "common/io.h"
#include "common/mp.h"
#include "kernels/crc.h"

#include <string.h>

/* Keys and heads are a few bytes each: a checksum goes over many of them at once. */
enum { PENDING = 64 * 1024 };

struct stream_writer {
	struct output *out;
	struct str pending; /* neither in the checksum yet nor written */
	uint32_t crc;
	uint64_t records;
};

static int pass(struct stream_writer *w, const void *p, size_t n, struct err *e)
{
	w->crc = crc_update(w->crc, p, n);
	return output_write(w->out, p, n, e);
}

static int push(struct stream_writer *w, struct err *e)
{
	size_t n = w->pending.len;
	w->pending.len = 0;
	return n ? pass(w, w->pending.s, n, e) : 0;
}

static int put(struct stream_writer *w, const void *p, size_t n, struct err *e)
{
	if (w->pending.len + n > PENDING && push(w, e))
		return -1;
	if (n > PENDING)
		return pass(w, p, n, e);
	str_add(&w->pending, p, n);
	return 0;
}

int stream_create(struct stream_writer **out, const char *path, int gzip, const struct header *h,
	struct err *e)
{
	struct stream_writer *w = mem_zalloc(1, sizeof *w);
	struct str head = {0};
	int bad = output_open(&w->out, path, 1, gzip, e);
	if (!bad) {
		header_pack(&head, h);
		bad = put(w, head.s, head.len, e) || stream_flush(w, e);
		str_done(&head);
	}
	if (bad) {
		stream_abandon(w);
		return -1;
	}
	*out = w;
	return 0;
}

int stream_write(struct stream_writer *w, const struct record *rec, struct err *e)
{
	struct mp_small m;
	mp_small_init(&m);
	msgpack_pack_map(&m.pk, rec->n);
	if (put(w, m.b, m.n, e))
		return -1;
	for (size_t i = 0; i < rec->n; i++) {
		const struct field *f = &rec->f[i];
		m.n = 0;
		msgpack_pack_str(&m.pk, f->keylen);
		if (put(w, m.b, m.n, e) || put(w, f->key, f->keylen, e) ||
			put(w, f->val, f->vallen, e))
			return -1;
	}
	w->records++;
	return 0;
}

int stream_flush(struct stream_writer *w, struct err *e)
{
	return push(w, e) || output_flush(w->out, e) ? -1 : 0;
}

int stream_finish(struct stream_writer *w, uint64_t skipped, struct err *e)
{
	static const char *const names[] = {"records", "skipped", "crc32"};
	if (push(w, e)) {
		stream_abandon(w);
		return -1;
	}
	const uint64_t values[] = {w->records, skipped, w->crc};
	struct str tail = {0};
	msgpack_packer pk;
	mp_pack_into(&pk, &tail);
	msgpack_pack_map(&pk, 4);
	msgpack_pack_str_with_body(&pk, STREAM_KEY, strlen(STREAM_KEY));
	msgpack_pack_str_with_body(&pk, "end", 3);
	for (size_t i = 0; i < 3; i++) {
		msgpack_pack_str_with_body(&pk, names[i], strlen(names[i]));
		msgpack_pack_uint64(&pk, values[i]);
	}
	int bad = output_write(w->out, tail.s, tail.len, e);
	str_done(&tail);
	if (bad) {
		stream_abandon(w);
		return -1;
	}
	bad = output_commit(w->out, e);
	str_done(&w->pending);
	mem_free(w);
	return bad;
}

void stream_abandon(struct stream_writer *w)
{
	if (!w)
		return;
	/* Whole records that are done still go out: on standard output they are seen, with the
	 * missing trailer behind them; a file is removed. */
	struct err ignored;
	if (w->out && stream_flush(w, &ignored))
		ignored.status = 0;
	output_abandon(w->out);
	str_done(&w->pending);
	mem_free(w);
}

/* ---- bad records ---- */

enum { REPORTED = 10 }; /* the first of them on standard error */

int rejects_open(
	struct rejects *r, int skip_bad, const char *path, const struct header *h, struct err *e)
{
	*r = (struct rejects){.skip = skip_bad || path};
	if (path && !strcmp(path, "-"))
		return err_usage(e, "'--rejects' wants a file: standard output is taken");
	return path ? stream_create(&r->w, path, 0, h, e) : 0;
}

int rejects_add(struct rejects *r, const struct record *rec, struct err *e)
{
	if (!r->skip || e->status != STATUS_DATA)
		return -1;
	if (++r->count <= REPORTED)
		die_report(e);
	else if (r->count == REPORTED + 1)
		die_warn("more bad records follow; they are only counted%s",
			r->w ? " and kept" : "");
	if (!r->w)
		return 0;
	struct record kept = {0};
	record_copy(&kept, rec);
	record_set_str(&kept, "_reason", e->msg, strlen(e->msg));
	int bad = stream_write(r->w, &kept, e);
	record_done(&kept);
	return bad;
}

int rejects_close(struct rejects *r, struct err *e)
{
	if (r->count)
		die_warn("%llu bad record%s skipped", (unsigned long long)r->count,
			r->count == 1 ? "" : "s");
	struct stream_writer *w = r->w;
	r->w = NULL;
	return w ? stream_finish(w, 0, e) : 0;
}

void rejects_abandon(struct rejects *r)
{
	stream_abandon(r->w);
	r->w = NULL;
}
