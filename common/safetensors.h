/*
 * safetensors: a reader over one file or a sharded directory, by mmap, that believes nothing the
 * header says before checking it; and a streaming writer that is given the table first.
 */
#ifndef COMMON_SAFETENSORS_H
#define COMMON_SAFETENSORS_H

#include "common/err.h"
#include "kernels/dtype.h"

#include <stddef.h>
#include <stdint.h>

struct st_tensor {
	char *name;
	enum dtype dtype;
	size_t shape[8], rank;
	size_t elements, bytes;
	const void *data; /* mapped; not aligned to anything */
	size_t file;      /* index into st->files */
};

struct st {
	struct st_tensor *t; /* sorted by name */
	size_t n;
	char **files; /* paths */
	size_t nfiles;
	struct st_map *maps;
};

/* A model directory (model.safetensors.index.json, or model.safetensors); links are followed; only
 * .bin or .pt weights there are refused by name. */
int st_open_dir(struct st *s, const char *dir, struct err *e);
int st_open_file(struct st *s, const char *path, struct err *e);
void st_close(struct st *s);
const struct st_tensor *st_find(const struct st *s, const char *name);

struct st_writer;
/* Writes the header for tensors in the given order; data follows by st_put in the same order, in
 * pieces. metadata {"format":"pt"}. The file is path itself: write into an outdir. */
int st_create(struct st_writer **w, const char *path, const struct st_tensor *t, size_t n, struct err *e);
int st_put(struct st_writer *w, const void *p, size_t bytes, struct err *e);
int st_finish(struct st_writer *w, struct err *e); /* checks that all bytes came; frees w */
void st_abandon(struct st_writer *w);

#endif
