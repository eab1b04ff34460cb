/* All shards are open at once, so that a tensor can be put down from any thread at any time. */
#include "common/modeldir.h"

#include "common/json.h"
#include "common/mem.h"

#include <string.h>

struct weights_writer {
	const struct outdir *d;
	const struct st_tensor *t;
	size_t n, shards;
	size_t *first; /* [shards + 1] the first tensor of each */
	struct st_writer **files;
};

static char *shard_name(const struct weights_writer *w, size_t shard)
{
	if (w->shards == 1)
		return mem_strdup("model.safetensors");
	return mem_printf("model-%05zu-of-%05zu.safetensors", shard + 1, w->shards);
}

static int open_shard(struct weights_writer *w, size_t shard, struct err *e)
{
	size_t first = w->first[shard], end = first;
	while (end < w->n && w->t[end].file == shard)
		end++;
	w->first[shard + 1] = end;
	char *name = shard_name(w, shard), *path = outdir_file(w->d, name);
	int rc = st_create(&w->files[shard], path, w->t + first, end - first, e);
	mem_free(name);
	mem_free(path);
	return rc;
}

int weights_create(struct weights_writer **out, const struct outdir *d, const struct st_tensor *t,
	size_t n, size_t shards, struct err *e)
{
	struct weights_writer *w = mem_zalloc(1, sizeof *w);
	*w = (struct weights_writer){.d = d, .t = t, .n = n, .shards = shards};
	w->first = mem_zalloc(shards + 1, sizeof *w->first);
	w->files = mem_zalloc(shards, sizeof *w->files);
	for (size_t i = 0; i < shards; i++)
		if (open_shard(w, i, e)) {
			weights_abandon(w);
			return -1;
		}
	*out = w;
	return 0;
}

int weights_put(struct weights_writer *w, size_t i, size_t offset, const void *p, size_t bytes,
	struct err *e)
{
	size_t shard = w->t[i].file;
	return st_put(w->files[shard], i - w->first[shard], offset, p, bytes, e);
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
	int rc = 0;
	for (size_t i = 0; i < w->shards && !rc; i++) {
		rc = st_finish(w->files[i], e);
		w->files[i] = NULL;
	}
	if (!rc && w->shards > 1)
		rc = write_index(w, e);
	weights_abandon(w);
	return rc;
}

void weights_abandon(struct weights_writer *w)
{
	for (size_t i = 0; i < w->shards; i++)
		if (w->files[i])
			st_abandon(w->files[i]);
	mem_free(w->first);
	mem_free(w->files);
	mem_free(w);
}
