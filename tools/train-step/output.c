#include "tools/train-step/output.h"

#include "common/mem.h"
#include "common/modeldir.h"
#include "common/tensors.h"

#include <string.h>

static const char adapter_config[] = "adapter_config.json",
		  adapter_file[] = "adapter_model.safetensors";

const char *output_last_file(const struct output_model *o)
{
	return o->full ? "config.json" : adapter_config;
}

/* ---- tensors ---- */

static enum dtype file_type(const struct output_model *o, int exact)
{
	return o->full && !exact ? model_config(o->m)->dtype : DT_F32;
}

/* A row of the arena, for tensor i of what is written: the last may be a second name of one. */
static size_t row_of(const struct output_model *o, size_t i)
{
	return i < model_params(o->m)->n ? i : (size_t)model_adapter(o->m)->tied;
}

static size_t tensors(const struct output_model *o)
{
	const struct adapter *a = model_adapter(o->m);
	return model_params(o->m)->n + (a && a->tied >= 0);
}

/* The arena's rows as a table for the writers; names are borrowed. */
static struct st_tensor *table(const struct output_model *o, enum dtype type)
{
	static const char head[] = "base_model.model." ADAPTER_HEAD ".weight";
	const struct params *ps = model_params(o->m);
	struct st_tensor *t = mem_zalloc(tensors(o), sizeof *t);
	for (size_t i = 0; i < tensors(o); i++) {
		const struct param *p = &ps->p[row_of(o, i)];
		t[i].name = i < ps->n ? p->name : (char *)(uintptr_t)head;
		t[i].dtype = type;
		t[i].rank = p->cols ? 2 : 1;
		t[i].shape[0] = p->rows;
		t[i].shape[1] = p->cols;
		t[i].elements = param_len(p);
		t[i].bytes = dtype_bytes(type, t[i].elements);
	}
	return t;
}

/* Elements [at, at + n) of parameter i from the backend's memory, in the file's type; the caller
 * frees. */
static void *fetch(
	const struct output_model *o, size_t i, size_t at, size_t n, enum dtype type, struct err *e)
{
	const struct params *ps = model_params(o->m);
	float *v = mem_alloc(n, sizeof *v);
	if (model_kernels(o->m)->read(
		    model_kctx(o->m), v, kbuf_at(param_value(ps, i), at).p, n * sizeof *v) < 0) {
		err_set(e, STATUS_SYSTEM, "the device failed while reading '%s'", ps->p[i].name);
		mem_free(v);
		return NULL;
	}
	if (type == DT_F32)
		return v;
	void *out = mem_alloc(dtype_bytes(type, n), 1);
	dtype_from_f32(type, v, out, n);
	mem_free(v);
	return out;
}

/* Where bytes [at, at + len) of tensor i go. */
typedef int sink(void *to, size_t i, size_t at, const void *p, size_t len, struct err *e);

/* In pieces of so many elements: an embedding is large. */
static int put_tensor(const struct output_model *o, size_t i, enum dtype type, size_t piece,
	sink *put, void *to, struct err *e)
{
	size_t row = row_of(o, i), len = param_len(&model_params(o->m)->p[row]);
	int rc = 0;
	for (size_t n, at = 0; rc == 0 && at < len; at += n) {
		n = len - at < piece ? len - at : piece;
		void *v = fetch(o, row, at, n, type, e);
		rc = v ? put(to, i, dtype_bytes(type, at), v, dtype_bytes(type, n), e) : -1;
		mem_free(v);
	}
	return rc;
}

static int put_all(const struct output_model *o, enum dtype type, size_t piece, sink *put, void *to,
	struct err *e)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < tensors(o); i++)
		rc = put_tensor(o, i, type, piece, put, to, e);
	return rc;
}

/* ---- a directory ---- */

enum { FILE_PIECE = 1 << 20 };

static int to_file(void *to, size_t i, size_t at, const void *p, size_t len, struct err *e)
{
	return st_put(to, i, at, p, len, e);
}

static int to_shards(void *to, size_t i, size_t at, const void *p, size_t len, struct err *e)
{
	return weights_put(to, i, at, p, len, e);
}

static int write_adapter(const struct output_model *o, const struct outdir *d, struct err *e)
{
	struct st_tensor *t = table(o, DT_F32);
	struct st_writer *w = NULL;
	char *path = outdir_file(d, adapter_file);
	int rc = st_create(&w, path, t, tensors(o), e);
	if (rc == 0)
		rc = put_all(o, DT_F32, FILE_PIECE, to_file, w, e);
	mem_free(path);
	mem_free(t);
	if (rc == 0)
		return st_finish(w, e);
	if (w)
		st_abandon(w);
	return -1;
}

static int write_weights(
	const struct output_model *o, const struct outdir *d, enum dtype type, struct err *e)
{
	struct st_tensor *t = table(o, type);
	struct weights_writer *w = NULL;
	int rc = weights_create(&w, d, t, tensors(o), 1, e);
	if (rc == 0)
		rc = put_all(o, type, FILE_PIECE, to_shards, w, e);
	if (rc == 0)
		rc = weights_finish(w, e);
	else if (w)
		weights_abandon(w);
	mem_free(t);
	return rc;
}

static int write_config(
	const struct output_model *o, const struct outdir *d, int dtype, struct err *e)
{
	size_t len = 0;
	char *text;
	if (o->full) {
		json_t *config = modeldir_read_config(o->base, e);
		text = config ? modeldir_config(config, dtype, 0, NULL, &len) : NULL;
		json_decref(config);
	} else {
		text = adapter_config_json(&model_adapter(o->m)->config);
		len = strlen(text);
	}
	if (!text)
		return -1;
	int rc = modeldir_write(d, output_last_file(o), text, len, e);
	mem_free(text);
	return rc;
}

int output_directory(const struct output_model *o, const struct outdir *d, int exact, struct err *e)
{
	unsigned along = MODELDIR_TOKENIZER | (o->full ? MODELDIR_CONFIG : 0);
	enum dtype type = file_type(o, exact);
	if (!exact && modeldir_copy(d, o->base, along, e) < 0)
		return -1;
	if ((exact || !o->full) && write_config(o, d, exact ? (int)type : -1, e) < 0)
		return -1;
	return o->full ? write_weights(o, d, type, e) : write_adapter(o, d, e);
}

/* ---- back again ---- */

static int restore_from(const struct output_model *o, const struct st *s, struct err *e)
{
	const struct params *ps = model_params(o->m);
	for (size_t i = 0; i < ps->n; i++) {
		const struct st_tensor *t = st_find(s, ps->p[i].name);
		if (!t || t->dtype != DT_F32 || t->elements != param_len(&ps->p[i]))
			return err_data(e, "'%s' is not there as it was saved", ps->p[i].name);
		if (model_kernels(o->m)->write(
			    model_kctx(o->m), param_value(ps, i).p, t->data, t->bytes) < 0)
			return err_set(e, STATUS_SYSTEM, "the device failed while restoring '%s'",
				ps->p[i].name);
	}
	return model_refresh(o->m, e);
}

int output_restore(const struct output_model *o, const char *dir, struct err *e)
{
	struct st s;
	char *path = io_path(dir, o->full ? "model.safetensors" : adapter_file);
	int rc = st_open_file(&s, path, e);
	if (rc == 0) {
		rc = restore_from(o, &s, e);
		if (rc < 0)
			err_prefix(e, "%s", path);
		st_close(&s);
	}
	mem_free(path);
	return rc;
}

/* ---- a stream ---- */

static int stream_files(const struct output_model *o, struct stream_writer *w, struct err *e)
{
	enum { FILE_MAX = 1 << 30 };
	struct modeldir_files files = {0};
	int rc = modeldir_list(
		&files, o->base, MODELDIR_TOKENIZER | (o->full ? MODELDIR_CONFIG : 0), e);
	for (size_t i = 0; rc == 0 && i < files.n; i++) {
		size_t len;
		char *path = io_path(o->base, files.v[i]),
		     *text = io_read_file(path, FILE_MAX, &len, e);
		rc = text ? tensors_write_file(w, files.v[i], text, len, e) : -1;
		mem_free(text);
		mem_free(path);
	}
	modeldir_files_done(&files);
	return rc;
}

struct records {
	struct stream_writer *w;
	struct st_tensor *t;
};

static int to_records(void *to, size_t i, size_t at, const void *p, size_t len, struct err *e)
{
	struct records *r = to;
	return tensors_write_piece(r->w, &r->t[i], at, p, len, e);
}

int output_stream(const struct output_model *o, struct stream_writer *w, struct err *e)
{
	enum dtype type = file_type(o, 0);
	int rc = 0;
	if (!o->full) {
		char *text = adapter_config_json(&model_adapter(o->m)->config);
		rc = tensors_write_file(w, adapter_config, text, strlen(text), e);
		mem_free(text);
	}
	if (rc == 0)
		rc = stream_files(o, w, e);
	struct records r = {w, table(o, type)};
	if (rc == 0)
		rc = put_all(o, type, TENSORS_PIECE / dtype_bytes(type, 1), to_records, &r, e);
	mem_free(r.t);
	return rc;
}
