#include "tools/quant/source.h"

#include "common/json.h"
#include "common/mem.h"
#include "common/modeldir.h"

#include <stdlib.h>
#include <string.h>

#define CONFIG "config.json"

static int open_dir(struct source *s, const char *dir, struct err *e)
{
	s->dir = dir;
	s->header.kind = KIND_TENSORS;
	io_note_input(dir);
	s->config = modeldir_read_config(dir, e);
	return !s->config || st_open_dir(&s->st, dir, e) ||
			       fingerprint_model(dir, 0, s->fingerprint, e)
		       ? -1
		       : 0;
}

/* ---- a stream -------------------------------------------------------------------------------- */

static int keep(void *arg, const void *p, size_t len, struct err *e)
{
	return spool_write(arg, p, len, e);
}

static int read_all(struct source *s, struct stream_reader *r, struct err *e)
{
	struct record rec = {0};
	int rc;
	while ((rc = stream_read(r, &rec, e)) > 0)
		if (tensors_take(&s->ts, &rec, e) < 0) {
			rc = -1;
			break;
		}
	record_done(&rec);
	return rc ? -1 : tensors_complete(&s->ts, e);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct st_tensor *)a)->name, ((const struct st_tensor *)b)->name);
}

/* The table of what has come, its data in the temporary file. */
static int map_tensors(struct source *s, struct err *e)
{
	const char *at = spool_map(s->spool, e);
	if (!at)
		return -1;
	s->st.n = s->ts.n;
	s->st.nfiles = 1;
	s->st.t = mem_alloc(s->ts.n, sizeof *s->st.t);
	for (size_t i = 0; i < s->ts.n; i++) {
		s->st.t[i] = s->ts.t[i];
		s->st.t[i].data = at;
		at += s->ts.t[i].bytes;
	}
	if (s->st.n)
		qsort(s->st.t, s->st.n, sizeof *s->st.t, by_name);
	return 0;
}

static int take_config(struct source *s, struct err *e)
{
	const struct tensors_file *f = tensors_file(&s->ts, CONFIG);
	if (!f)
		return err_data(e, "the stream has no " CONFIG);
	s->config = json_read_bytes(f->data, f->len, e);
	if (s->config && !json_is_object(s->config))
		return err_data(e, CONFIG ": not an object");
	return s->config ? 0 : err_prefix(e, CONFIG);
}

static int open_stream(struct source *s, struct err *e)
{
	char *const paths[] = {(char *)"-"};
	struct stream_reader *r;
	if (stream_open(&r, paths, 1, 1 << KIND_TENSORS, 1, 1, e))
		return -1;
	header_copy(&s->header, stream_header(r));
	int rc = spool_open(&s->spool, e);
	s->ts.put = keep;
	s->ts.arg = s->spool;
	if (!rc)
		rc = read_all(s, r, e);
	stream_close(r);
	return rc || map_tensors(s, e) ? -1 : take_config(s, e);
}

int source_open(struct source *s, const char *dir, struct err *e)
{
	*s = (struct source){0};
	int rc = strcmp(dir, "-") == 0 ? open_stream(s, e) : open_dir(s, dir, e);
	if (rc)
		source_done(s);
	return rc;
}

void source_done(struct source *s)
{
	if (s->dir)
		st_close(&s->st);
	else
		mem_free(s->st.t);
	json_decref(s->config);
	tensors_done(&s->ts);
	spool_close(s->spool);
	header_done(&s->header);
	*s = (struct source){0};
}

/* ---- the files that go along ----------------------------------------------------------------- */

int source_copy_files(const struct source *s, const struct outdir *d, struct err *e)
{
	if (s->dir)
		return modeldir_copy(d, s->dir, MODELDIR_ALL, e);
	for (size_t i = 0; i < s->ts.nfiles; i++) {
		const struct tensors_file *f = &s->ts.files[i];
		if (modeldir_write(d, f->name, f->data, f->len, e))
			return -1;
	}
	return 0;
}

static int stream_file(
	const struct source *s, struct stream_writer *w, const char *name, struct err *e)
{
	char *path = io_path(s->dir, name);
	size_t len;
	char *text = io_read_file(path, TENSORS_PIECE, &len, e);
	int rc = text ? tensors_write_file(w, name, text, len, e) : -1;
	mem_free(text);
	mem_free(path);
	return rc;
}

int source_stream_files(const struct source *s, struct stream_writer *w, struct err *e)
{
	int rc = 0;
	for (size_t i = 0; i < s->ts.nfiles && !rc; i++) {
		const struct tensors_file *f = &s->ts.files[i];
		if (strcmp(f->name, CONFIG) != 0)
			rc = tensors_write_file(w, f->name, f->data, f->len, e);
	}
	struct modeldir_files f = {0};
	if (!rc && s->dir)
		rc = modeldir_list(&f, s->dir, MODELDIR_ALL, e);
	for (size_t i = 0; i < f.n && !rc; i++)
		if (strcmp(f.v[i], CONFIG) != 0)
			rc = stream_file(s, w, f.v[i], e);
	modeldir_files_done(&f);
	return rc;
}
