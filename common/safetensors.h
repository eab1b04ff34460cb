/*
 * safetensors: a reader over one file or a sharded directory, by mmap, that believes nothing the
 * header says before checking it; and a streaming writer that is given the table first.
 *
 * The format: u64 LE length of a JSON header, the header, the data. The header maps each name to
 * {dtype, shape, data_offsets}; the data must be covered without gaps or overlap (the rule of the
 * safetensors library, seen in 0.8).
 */
#ifndef COMMON_SAFETENSORS_H
#define COMMON_SAFETENSORS_H

#include "common/err.h"
#include "kernels/dtype.h"

#include <stddef.h>
#include <stdint.h>

enum { ST_RANK = 8 };

struct st_tensor {
	char *name;
	enum dtype dtype;
	size_t shape[ST_RANK], rank;
	size_t elements, bytes;
	const void *data; /* mapped until st_close; not aligned to anything */
	size_t file;	  /* index into st->files */
};

struct st {
	struct st_tensor *t; /* sorted by name */
	size_t n;
	char **files; /* paths, in the order of their names */
	size_t nfiles;
	struct mapped *maps;
};

/* A model directory: model.safetensors, else model.safetensors.index.json and its shards (as
 * transformers looks); links are followed; only .bin or .pt weights there are refused by name.
 * On failure *s needs no st_close. */
int st_open_dir(struct st *s, const char *dir, struct err *e);
int st_open_file(struct st *s, const char *path, struct err *e);
void st_close(struct st *s);
const struct st_tensor *st_find(const struct st *s, const char *name); /* NULL: none */

int st_same_shape(const struct st_tensor *a, const struct st_tensor *b);
/* Whether t, both of floats, says what `in` says, compared as in's type. */
int st_same_values(const struct st_tensor *t, const struct st_tensor *in);

/* Lets go of mapped memory that has been read: it is read from the file again when touched. Keeps what
 * is resident small when a whole model passes by. */
void st_release(const void *p, size_t bytes);

/* Fills elements and bytes from dtype, shape and rank; the product is checked. */
int st_size(struct st_tensor *t, struct err *e);
/* "[512, 64]", for messages. */
void st_shape_text(const struct st_tensor *t, char out[200]);

struct st_writer;

/* Writes the header for tensors in the given order (name, dtype, shape, rank are read; what they
 * point at need live only during the call). metadata {"format":"pt"}. The file is path itself:
 * write into an outdir. */
int st_create(
	struct st_writer **w, const char *path, const struct st_tensor *t, size_t n, struct err *e);
/* Bytes [offset, offset + bytes) of tensor i of that table, once each, in any order, from any
 * thread. */
int st_put(
	struct st_writer *w, size_t i, size_t offset, const void *p, size_t bytes, struct err *e);
/* Checks that as many bytes came as the table says. Frees w in any case. */
int st_finish(struct st_writer *w, struct err *e);
void st_abandon(struct st_writer *w);

#endif
