/* Shards are written one after the other; each closes when its tensors' bytes are there. */
#include "common/modeldir.h"

#include "common/json.h"
#include "common/mem.h"

#include <string.h>

struct weights_writer {
	const struct outdir *d;
	const struct st_tensor *t;
	size_t n, shards;
	size_t shard, next;	/* the open shard; the first tensor behind it */
	size_t left;		/* bytes that the open shard still waits for */
	struct st_writer *file; /* NULL: none is open */
};

static char *shard_name(const struct weights_writer *w, size_t shard)
{
	if (w->shards == 1)
		return mem_strdup("model.safetensors");
	return mem_printf("model-%05zu-of-%05zu.safetensors", shard + 1, w->shards);
}

/* Opens the next shard. */
static int open_shard(struct weights_writer *w, struct err *e)
{
	size_t first = w->next;
	w->left = 0;
	for (; w->next < w->n && w->t[w->next].file == w->shard; w->next++)
		w->left += w->t[w->next].bytes;
	char *name = shard_name(w, w->shard), *path = outdir_file(w->d, name);
	int rc = st_create(&w->file, path, w->t + first, w->next - first, e);
	mem_free(name);
	mem_free(path);
	return rc;
}

static int close_shard(struct weights_writer *w, struct err *e)
{
	struct st_writer *file = w->file;
	w->file = NULL;
	w->shard++;
	return st_finish(file, e);
}

int weights_create(struct weights_writer **out, const struct outdir *d, const struct st_tensor *t,
	size_t n, size_t shards, struct err *e)
{
	struct weights_writer *w = mem_zalloc(1, sizeof *w);
	*w = (struct weights_writer){.d = d, .t = t, .n = n, .shards = shards};
	if (open_shard(w, e)) {
		mem_free(w);
		return -1;
	}
	*out = w;
	return 0;
}

/* Goes on to the next shard when this one is full. */
static int advance(struct weights_writer *w, struct err *e)
{
	while (w->left == 0 && w->shard + 1 < w->shards)
		if (close_shard(w, e) || open_shard(w, e))
			return -1;
	return 0;
}

int weights_put(struct weights_writer *w, const void *p, size_t bytes, struct err *e)
{
	if (bytes && advance(w, e))
		return -1;
	if (st_put(w->file, p, bytes, e))
		return -1;
	w->left -= bytes;
	return 0;
}

/* As transformers 5 writes it: json.dumps(index, indent=2, sort_keys=True) and a newline. */
static int write_index(const struct weights_writer *w, struct err *e)
{
	json_t *map = json_object(), *metadata = json_object(), *index = json_object();
	json_int_t elements = 0, bytes = 0;
	for (size_t i = 0; i < w->n; i++) {
		char *name = shard_name(w, w->t[i].file);
		json_object_set_new(map, w->t[i].name, json_string(name));
		mem_free(name);
		elements += (json_int_t)w->t[i].elements;
		bytes += (json_int_t)w->t[i].bytes;
	}
	json_object_set_new(metadata, "total_parameters", json_integer(elements));
	json_object_set_new(metadata, "total_size", json_integer(bytes));
	json_object_set_new(index, "metadata", metadata);
	json_object_set_new(index, "weight_map", map);
	struct str s = {0};
	json_write_pretty(&s, index, 1);
	str_addc(&s, '\n');
	json_decref(index);
	int rc = modeldir_write(w->d, "model.safetensors.index.json", s.s, s.len, e);
	str_done(&s);
	return rc;
}

int weights_finish(struct weights_writer *w, struct err *e)
{
	int rc = advance(w, e);
	if (!rc && (w->left || w->shard + 1 != w->shards))
		rc = err_data(
			e, "the weights end in shard %zu, %zu bytes early", w->shard + 1, w->left);
	if (!rc)
		rc = close_shard(w, e);
	if (!rc && w->shards > 1)
		rc = write_index(w, e);
	weights_abandon(w);
	return rc;
}

void weights_abandon(struct weights_writer *w)
{
	if (w->file)
		st_abandon(w->file);
	mem_free(w);
}
