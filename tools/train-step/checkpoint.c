#include "tools/train-step/checkpoint.h"

#include "common/json.h"
#include "common/mem.h"
#include "common/modeldir.h"
#include "common/sig.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char prefix[] = "checkpoint-";
static const char state_file[] = "state.json", log_file[] = "metrics.jsonl",
		  states_file[] = "optimizer.safetensors", reference_name[] = "reference_logps";

/* ---- names ---- */

static char *name_of(uint64_t step)
{
	return mem_printf("%s%llu", prefix, (unsigned long long)step);
}

/* N of "checkpoint-N", else 0. */
static uint64_t step_of(const char *name)
{
	char *end;
	if (strncmp(name, prefix, sizeof prefix - 1) != 0 || name[sizeof prefix - 1] < '1' ||
		name[sizeof prefix - 1] > '9')
		return 0;
	uint64_t n = strtoull(name + sizeof prefix - 1, &end, 10);
	return *end ? 0 : n;
}

static int ascending(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

/* Steps of the checkpoints in root, ascending; the caller frees. */
static uint64_t *list(const char *root, size_t *n)
{
	uint64_t *v = NULL;
	size_t cap = 0;
	*n = 0;
	DIR *d = opendir(root);
	for (struct dirent *f; d && (f = readdir(d));)
		if (step_of(f->d_name)) {
			mem_grow(&v, &cap, *n + 1, sizeof *v);
			v[(*n)++] = step_of(f->d_name);
		}
	if (d)
		closedir(d);
	if (*n)
		qsort(v, *n, sizeof *v, ascending);
	return v;
}

uint64_t checkpoint_newest(const char *root)
{
	size_t n;
	uint64_t *v = list(root, &n), newest = n ? v[n - 1] : 0;
	mem_free(v);
	return newest;
}

/* ---- saving ---- */

static json_t *state_json(const struct checkpoint *c)
{
	json_t *window = json_array();
	for (size_t i = 0; i < c->at->window.n; i++) {
		const struct metric *m = &c->at->window.v[i];
		json_array_append_new(
			window, json_pack("[s f I]", m->name, m->sum, (json_int_t)m->count));
	}
	return json_pack("{s:I, s:I, s:s, s:s, s:s, s:o}", "step", (json_int_t)c->at->step,
		"num_tokens", (json_int_t)c->at->tokens, "options", c->options, "model",
		model_reference(c->model.m), "data", c->data->fingerprint, "window", window);
}

static int write_state(const struct checkpoint *c, const struct outdir *d, struct err *e)
{
	struct str text = {0};
	json_t *o = state_json(c);
	json_write_pretty(&text, o, 0);
	str_addc(&text, '\n');
	int rc = modeldir_write(d, state_file, text.s, text.len, e);
	json_decref(o);
	str_done(&text);
	return rc;
}

/* The table of optimizer.safetensors: the states, then the reference's log-probs. */
static size_t states_table(const struct checkpoint *c, struct st_tensor t[OPTIM_STATES + 1])
{
	size_t n = 0;
	for (; n < OPTIM_STATES && c->optim->state[n].name; n++) {
		const struct optim_state *s = &c->optim->state[n];
		t[n] = (struct st_tensor){.name = (char *)(uintptr_t)s->name,
			.dtype = s->buf.t,
			.shape = {s->n},
			.rank = 1};
	}
	if (c->data->ref)
		t[n++] = (struct st_tensor){.name = (char *)(uintptr_t)reference_name,
			.dtype = DT_F64,
			.shape = {c->data->n, 2},
			.rank = 2};
	return n;
}

static int put_state(const struct checkpoint *c, struct st_writer *w, size_t i, struct err *e)
{
	enum { PIECE = 1 << 20 };
	const struct optim_state *s = &c->optim->state[i];
	size_t bytes = dtype_bytes(s->buf.t, s->n);
	char *v = mem_alloc(PIECE, 1);
	int rc = 0;
	for (size_t n, at = 0; rc == 0 && at < bytes; at += n) {
		n = bytes - at < PIECE ? bytes - at : PIECE;
		rc = c->optim->k->read(c->optim->c, v, (char *)s->buf.p + at, n) < 0
			     ? err_set(e, STATUS_SYSTEM,
				       "the device failed while reading the optimizer's states")
			     : st_put(w, i, at, v, n, e);
		if (s->pages)
			spool_release(s->pages, at, n);
	}
	mem_free(v);
	return rc;
}

static int write_states(const struct checkpoint *c, const struct outdir *d, struct err *e)
{
	struct st_tensor t[OPTIM_STATES + 1];
	size_t n = states_table(c, t);
	struct st_writer *w = NULL;
	char *path = outdir_file(d, states_file);
	int rc = st_create(&w, path, t, n, e);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = t[i].name == reference_name
			     ? st_put(w, i, 0, c->data->ref, c->data->n * sizeof *c->data->ref, e)
			     : put_state(c, w, i, e);
	mem_free(path);
	if (rc == 0)
		return st_finish(w, e);
	if (w)
		st_abandon(w);
	return -1;
}

static int fill(const struct outdir *d, void *arg, struct err *e)
{
	const struct checkpoint *c = arg;
	if (output_directory(&c->model, d, 1, e) < 0 || write_states(c, d, e) < 0 ||
		modeldir_write(d, log_file, c->log->len ? c->log->s : "", c->log->len, e) < 0)
		return -1;
	return write_state(c, d, e);
}

static void remove_oldest(const char *root, uint64_t keep)
{
	size_t n;
	uint64_t *v = list(root, &n);
	for (size_t i = 0; i + keep < n; i++) {
		char *name = name_of(v[i]), *path = io_path(root, name);
		sig_remove(sig_remove_at_end(path));
		mem_free(path);
		mem_free(name);
	}
	mem_free(v);
}

int checkpoint_save(const struct checkpoint *c, uint64_t keep, struct err *e)
{
	struct checkpoint copy = *c;
	char *name = name_of(c->at->step);
	int rc = place_add(c->place, name, fill, &copy, e);
	mem_free(name);
	if (rc == 0 && keep)
		remove_oldest(c->place->root, keep);
	return rc;
}

/* ---- loading ---- */

/* Where the first word begins that a and b do not share. */
static size_t first_difference(const char *a, const char *b)
{
	size_t word = 0;
	for (size_t i = 0; a[i] && a[i] == b[i]; i++)
		if (a[i] == ' ')
			word = i + 1;
	return word;
}

static int must_agree(const json_t *o, const char *key, const char *ours, struct err *e)
{
	const char *theirs = json_string_value(json_object_get(o, key));
	if (!theirs)
		theirs = "";
	if (strcmp(theirs, ours) == 0)
		return 0;
	size_t from = first_difference(theirs, ours);
	theirs += from;
	ours += from;
	return err_data(e,
		"the checkpoint is of another run: its %s '%.*s', now '%.*s' "
		"(without --resume the run starts anew)",
		strcmp(key, "options") == 0 ? "options are"
		: strcmp(key, "data") == 0  ? "data are"
					    : "model is",
		(int)strcspn(theirs, " "), theirs, (int)strcspn(ours, " "), ours);
}

static int read_window(const json_t *window, struct metrics *m, struct err *e)
{
	const json_t *v;
	size_t i;
	json_array_foreach(window, i, v)
	{
		const char *name = json_string_value(json_array_get(v, 0));
		const json_t *sum = json_array_get(v, 1), *count = json_array_get(v, 2);
		if (!name || !json_is_number(sum) || json_integer_value(count) < 1)
			return err_data(e, "'window' is damaged");
		metrics_restore(
			m, name, json_number_value(sum), (uint64_t)json_integer_value(count));
	}
	return 0;
}

static int read_state(const struct checkpoint *c, const char *path, uint64_t step, struct err *e)
{
	json_t *o = json_read_file(path, e);
	if (!o)
		return -1;
	int rc = 0;
	if (must_agree(o, "options", c->options, e) < 0 ||
		must_agree(o, "model", model_reference(c->model.m), e) < 0 ||
		must_agree(o, "data", c->data->fingerprint, e) < 0)
		rc = -1;
	else if (json_integer_value(json_object_get(o, "step")) != (json_int_t)step)
		rc = err_data(e, "'step' is not that of its directory");
	c->at->step = step;
	c->at->tokens = (uint64_t)json_integer_value(json_object_get(o, "num_tokens"));
	if (rc == 0)
		rc = read_window(json_object_get(o, "window"), &c->at->window, e);
	if (rc < 0)
		err_prefix(e, "%s", path);
	json_decref(o);
	return rc;
}

static int take_states(const struct checkpoint *c, const struct st *s, struct err *e)
{
	struct st_tensor t[OPTIM_STATES + 1];
	size_t n = states_table(c, t);
	for (size_t i = 0; i < n; i++) {
		const struct st_tensor *have = st_find(s, t[i].name);
		if (st_size(&t[i], e) < 0)
			return -1;
		if (!have || have->dtype != t[i].dtype || have->bytes != t[i].bytes)
			return err_data(e, "'%s' is not there as it was saved", t[i].name);
		if (t[i].name == reference_name)
			memcpy(c->data->ref, have->data, have->bytes);
		else if (c->optim->k->write(c->optim->c, c->optim->state[i].buf.p, have->data,
				 have->bytes) < 0)
			return err_set(e, STATUS_SYSTEM, "the device failed while restoring '%s'",
				t[i].name);
	}
	return 0;
}

static int read_states(const struct checkpoint *c, const char *path, struct err *e)
{
	struct st s;
	if (st_open_file(&s, path, e) < 0)
		return -1;
	int rc = take_states(c, &s, e);
	if (rc < 0)
		err_prefix(e, "%s", path);
	st_close(&s);
	return rc;
}

static int read_log(const struct checkpoint *c, const char *path, struct err *e)
{
	enum { LOG_MAX = 1 << 30 };
	size_t len;
	char *text = io_read_file(path, LOG_MAX, &len, e);
	if (!text)
		return -1;
	str_reset(c->log);
	str_add(c->log, text, len);
	mem_free(text);
	return 0;
}

int checkpoint_load(const struct checkpoint *c, const char *root, uint64_t step, struct err *e)
{
	char *name = name_of(step), *dir = io_path(root, name);
	char *state = io_path(dir, state_file), *states = io_path(dir, states_file),
	     *log = io_path(dir, log_file);
	int rc = read_state(c, state, step, e);
	if (rc == 0)
		rc = output_restore(&c->model, dir, e);
	if (rc == 0)
		rc = read_states(c, states, e);
	if (rc == 0)
		rc = read_log(c, log, e);
	mem_free(name);
	mem_free(dir);
	mem_free(state);
	mem_free(states);
	mem_free(log);
	return rc;
}
