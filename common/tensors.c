/*
 * A tensor is begun by a piece at offset 0 and grows by the pieces that follow at once; another may
 * begin when it is whole.
 */
#include "common/tensors.h"

#include "common/mem.h"
#include "common/modeldir.h"

#include <stdlib.h>
#include <string.h>

/* ---- writing --------------------------------------------------------------------------------- */

static json_t *shape_json(const struct st_tensor *t)
{
	json_t *a = json_array();
	for (size_t i = 0; i < t->rank; i++)
		json_array_append_new(a, json_integer((json_int_t)t->shape[i]));
	return a;
}

int tensors_write_piece(struct stream_writer *w, const struct st_tensor *t, size_t offset,
	const void *p, size_t len, struct err *e)
{
	struct record r = {0};
	json_t *shape = shape_json(t);
	record_set_str(&r, "tensor", t->name, strlen(t->name));
	const char *dtype = dtype_info[t->dtype].st_name;
	record_set_str(&r, "dtype", dtype, strlen(dtype));
	int rc = record_set_json(&r, "shape", shape, e);
	record_set_i64(&r, "offset", (int64_t)offset);
	record_set_bytes(&r, "data", p, len);
	if (!rc)
		rc = stream_write(w, &r, e);
	json_decref(shape);
	record_done(&r);
	return rc;
}

int tensors_write(struct stream_writer *w, const struct st_tensor *t, struct err *e)
{
	size_t at = 0;
	do { /* an empty tensor is one empty piece */
		size_t len = t->bytes - at < TENSORS_PIECE ? t->bytes - at : TENSORS_PIECE;
		if (tensors_write_piece(w, t, at, (const char *)t->data + at, len, e))
			return -1;
		at += len;
	} while (at < t->bytes);
	return 0;
}

int tensors_write_file(
	struct stream_writer *w, const char *name, const void *p, size_t len, struct err *e)
{
	struct record r = {0};
	record_set_str(&r, "file", name, strlen(name));
	record_set_bytes(&r, "data", p, len);
	int rc = stream_write(w, &r, e);
	record_done(&r);
	return rc;
}

/* ---- reading --------------------------------------------------------------------------------- */

static int take_shape(struct st_tensor *t, struct record *r, struct err *e)
{
	json_t *shape = record_json(r, "shape", e);
	if (!shape)
		return -1;
	int rc = json_is_array(shape) ? 0 : -1;
	t->rank = json_array_size(shape);
	if (t->rank > ST_RANK)
		rc = -1;
	for (size_t i = 0; !rc && i < t->rank; i++) {
		const json_t *v = json_array_get(shape, i);
		if (!json_is_integer(v) || json_integer_value(v) < 0)
			rc = -1;
		else
			t->shape[i] = (size_t)json_integer_value(v);
	}
	json_decref(shape);
	return rc ? err_data(e, "%s: tensor '%s': bad shape", r->where, t->name) : 0;
}

/* Everything of a piece but its bytes. The name is the caller's to free. */
static int take_table(struct st_tensor *t, struct record *r, size_t *offset, struct err *e)
{
	const char *name, *dtype;
	size_t len, dlen;
	int64_t at = 0;
	if (record_str(r, "tensor", &name, &len, e) < 0)
		return -1;
	t->name = mem_strndup(name, len);
	int has = record_str(r, "dtype", &dtype, &dlen, e);
	if (has < 0)
		return -1;
	char *text = mem_strndup(has ? dtype : "", has ? dlen : 0);
	int dt = dtype_by_st_name(text);
	mem_free(text);
	if (dt < 0)
		return err_data(e, "%s: tensor '%s': no dtype that is known", r->where, t->name);
	t->dtype = (enum dtype)dt;
	if (record_i64(r, "offset", &at, e) < 0 || take_shape(t, r, e) || st_size(t, e))
		return -1;
	if (at < 0)
		return err_data(e, "%s: tensor '%s': negative offset", r->where, t->name);
	*offset = (size_t)at;
	return 0;
}

static int same_table(const struct st_tensor *a, const struct st_tensor *b)
{
	return strcmp(a->name, b->name) == 0 && a->dtype == b->dtype && st_same_shape(a, b);
}

static struct st_tensor *last(const struct tensors *ts)
{
	return ts->n ? &ts->t[ts->n - 1] : NULL;
}

int tensors_complete(const struct tensors *ts, struct err *e)
{
	const struct st_tensor *t = last(ts);
	if (t && ts->got < t->bytes)
		return err_data(
			e, "tensor '%s' ends after %zu of %zu bytes", t->name, ts->got, t->bytes);
	return 0;
}

/* A piece that begins a tensor: takes over its name. */
static int begin_tensor(struct tensors *ts, struct st_tensor *t, struct err *e)
{
	if (tensors_complete(ts, e))
		return -1;
	for (size_t i = 0; i < ts->n; i++)
		if (strcmp(ts->t[i].name, t->name) == 0)
			return err_data(e, "tensor '%s' comes twice", t->name);
	mem_grow(&ts->t, &ts->cap, ts->n + 1, sizeof *ts->t);
	ts->t[ts->n++] = *t;
	ts->got = ts->room = 0;
	t->name = NULL;
	return 0;
}

static int add_piece(struct tensors *ts, size_t offset, const uint8_t *p, size_t len, struct err *e)
{
	struct st_tensor *t = last(ts);
	if (offset != ts->got)
		return err_data(e, "tensor '%s': a piece at %zu where %zu was due", t->name, offset,
			ts->got);
	if (len > t->bytes - ts->got)
		return err_data(e, "tensor '%s': more data than its shape holds", t->name);
	size_t at = ts->got;
	ts->got += len;
	if (ts->put)
		return ts->put(ts->arg, p, len, e);
	char *data = (char *)t->data;
	mem_grow(&data, &ts->room, ts->got, 1);
	t->data = data;
	if (len)
		memcpy(data + at, p, len);
	return 0;
}

/* The piece's place in what has come: it begins a tensor or goes on with the last one. */
static int place_piece(struct tensors *ts, struct st_tensor *t, size_t offset, struct err *e)
{
	int same = ts->n && same_table(last(ts), t);
	if (offset == 0 && !(same && ts->got == 0))
		return begin_tensor(ts, t, e);
	return same ? 0 : err_data(e, "tensor '%s': a piece without its beginning", t->name);
}

static int take_tensor(struct tensors *ts, struct record *r, struct st_tensor *t, struct err *e)
{
	size_t offset = 0, len = 0;
	const uint8_t *p = NULL;
	if (take_table(t, r, &offset, e))
		return -1;
	int has = record_bytes(r, "data", &p, &len, e);
	if (has < 0)
		return -1;
	if (!has)
		return err_data(e, "%s: tensor '%s' without data", r->where, t->name);
	if (place_piece(ts, t, offset, e) || add_piece(ts, offset, p, len, e))
		return err_prefix(e, "%s", r->where);
	return 0;
}

static int check_file(const struct tensors *ts, const char *name, size_t len, struct err *e)
{
	if (strlen(name) != len || !modeldir_name_ok(name))
		return err_data(e, "'%s' is not a name for a file", name);
	if (tensors_file(ts, name))
		return err_data(e, "file '%s' comes twice", name);
	return 0;
}

static int take_file(
	struct tensors *ts, struct record *r, const char *name, size_t namelen, struct err *e)
{
	const uint8_t *p;
	size_t len;
	int has = record_bytes(r, "data", &p, &len, e);
	if (has < 0)
		return -1;
	if (!has)
		return err_data(e, "%s: a file without data", r->where);
	char *own = mem_strndup(name, namelen);
	if (check_file(ts, own, namelen, e)) {
		mem_free(own);
		return err_prefix(e, "%s", r->where);
	}
	mem_grow(&ts->files, &ts->cap_files, ts->nfiles + 1, sizeof *ts->files);
	char *data = mem_strndup((const char *)p, len);
	ts->files[ts->nfiles++] = (struct tensors_file){own, data, len};
	return 0;
}

int tensors_take(struct tensors *ts, struct record *r, struct err *e)
{
	const char *name;
	size_t len;
	if (record_get(r, "tensor")) {
		struct st_tensor t = {0};
		int rc = take_tensor(ts, r, &t, e);
		mem_free(t.name);
		return rc ? -1 : 1;
	}
	int has = record_str(r, "file", &name, &len, e);
	if (has <= 0)
		return has;
	return take_file(ts, r, name, len, e) ? -1 : 1;
}

const struct tensors_file *tensors_file(const struct tensors *ts, const char *name)
{
	for (size_t i = 0; i < ts->nfiles; i++)
		if (strcmp(ts->files[i].name, name) == 0)
			return &ts->files[i];
	return NULL;
}

void tensors_done(struct tensors *ts)
{
	for (size_t i = 0; i < ts->n; i++) {
		mem_free(ts->t[i].name);
		mem_free((void *)ts->t[i].data);
	}
	for (size_t i = 0; i < ts->nfiles; i++) {
		mem_free(ts->files[i].name);
		mem_free(ts->files[i].data);
	}
	mem_free(ts->t);
	mem_free(ts->files);
	*ts = (struct tensors){0};
}
