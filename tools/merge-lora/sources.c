#include "tools/merge-lora/sources.h"

#include "common/io.h"
#include "common/mem.h"
#include "kernels/merge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int source_parse(const char *arg, char **dir, double *weight)
{
	const char *colon = strrchr(arg, ':');
	*weight = 1;
	if (!colon || io_exists(arg)) {
		*dir = mem_strdup(arg);
		return 0;
	}
	char *end;
	*weight = strtod(colon + 1, &end);
	if (end == colon + 1 || *end || !isfinite(*weight))
		return -1;
	*dir = mem_strndup(arg, (size_t)(colon - arg));
	return 0;
}

/* NaN in an adapter would be found in the result, where it could not be told from the base's. */
static int check_finite(const struct source *s, struct err *e)
{
	for (size_t i = 0; i < s->n; i++)
		if (!merge_finite(s->t[i].dtype, s->t[i].data, s->t[i].elements))
			return err_data(e, "%s: tensor '%s' is not finite", s->name, s->t[i].name);
	return 0;
}

int source_open_dir(struct source *s, const char *dir, double weight, struct err *e)
{
	*s = (struct source){.name = mem_strdup(dir), .weight = weight};
	io_note_input(dir);
	char *path = io_path(dir, "adapter_model.safetensors");
	char *bin = io_path(dir, "adapter_model.bin");
	int rc = adapter_read_config(&s->config, dir, e);
	if (!rc && !io_exists(path) && io_exists(bin))
		rc = err_data(
			e, "'%s' is a pickle, which is not read: save it as safetensors", bin);
	if (!rc)
		rc = st_open_file(&s->st, path, e);
	mem_free(path);
	mem_free(bin);
	s->t = s->st.t;
	s->n = s->st.n;
	if (!rc)
		rc = check_finite(s, e);
	if (rc)
		source_done(s);
	return rc;
}

/* Takes every tensor and file of the stream; metrics pass by. */
static int read_all(struct tensors *ts, struct stream_reader *r, struct err *e)
{
	struct record rec = {0};
	int rc;
	while ((rc = stream_read(r, &rec, e)) > 0)
		if (tensors_take(ts, &rec, e) < 0) {
			rc = -1;
			break;
		}
	record_done(&rec);
	return rc ? -1 : tensors_complete(ts, e);
}

static int read_stream(struct source *s, struct stream_reader *r, struct err *e)
{
	if (read_all(&s->stream, r, e))
		return -1;
	const struct tensors_file *config = tensors_file(&s->stream, "adapter_config.json");
	if (!config)
		return err_data(e,
			"%s: no adapter in the stream (train-step writes it there only without -o)",
			s->name);
	if (adapter_parse_config(&s->config, config->data, config->len, e))
		return err_prefix(e, "%s: adapter_config.json", s->name);
	s->t = s->stream.t;
	s->n = s->stream.n;
	return check_finite(s, e);
}

int source_read_stream(
	struct source *s, const char *path, const char *model, int ignore_mismatch, struct err *e)
{
	char *const paths[] = {(char *)(path ? path : "-")};
	struct stream_reader *r;
	*s = (struct source){.name = mem_strdup(paths[0]), .weight = 1};
	int rc = stream_open(&r, paths, 1, 1 << KIND_TRAIN, 1, 1, e);
	if (!rc) {
		const struct header *h = stream_header(r);
		rc = stream_check(h, "model", h->model, model, ignore_mismatch, e);
		if (!rc)
			rc = read_stream(s, r, e);
		stream_close(r);
	}
	if (rc)
		source_done(s);
	return rc;
}

void source_done(struct source *s)
{
	adapter_config_done(&s->config);
	st_close(&s->st);
	tensors_done(&s->stream);
	mem_free(s->name);
	*s = (struct source){0};
}
