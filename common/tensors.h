/*
 * Tensors and small files as records of `train` and `tensors` streams: {tensor, dtype, shape,
 * offset, data} in pieces of at most 64 MiB, in order; {file, data}. Reading believes no length:
 * memory grows with what has come, and a tensor is whole only when its shape's bytes are there.
 */
#ifndef COMMON_TENSORS_H
#define COMMON_TENSORS_H

#include "common/safetensors.h"
#include "common/stream.h"

enum { TENSORS_PIECE = 64 << 20 };

/* A piece of t's data (name, dtype, shape, rank are read): bytes [offset, offset + len). */
int tensors_write_piece(struct stream_writer *w, const struct st_tensor *t, size_t offset,
	const void *p, size_t len, struct err *e);
/* The whole tensor, from t->data. */
int tensors_write(struct stream_writer *w, const struct st_tensor *t, struct err *e);
int tensors_write_file(
	struct stream_writer *w, const char *name, const void *p, size_t len, struct err *e);

struct tensors_file {
	char *name; /* relative, checked to stay inside a directory */
	char *data; /* with a NUL behind */
	size_t len;
};

/* What a stream has brought so far. Zero-initialise. */
struct tensors {
	struct st_tensor *t; /* in the order they came; data is the struct's own */
	size_t n, cap;
	struct tensors_file *files;
	size_t nfiles, cap_files;
	size_t got, room; /* bytes of the last tensor */
	/* When set: where the tensors' bytes go, in the order they come, instead of memory. */
	int (*put)(void *arg, const void *p, size_t len, struct err *e);
	void *arg;
};

/* 1: the record was a tensor's piece or a file, and its data are kept; 0: another record; -1. */
int tensors_take(struct tensors *ts, struct record *r, struct err *e);
/* At the stream's end: the last tensor is whole. */
int tensors_complete(const struct tensors *ts, struct err *e);
const struct tensors_file *tensors_file(const struct tensors *ts, const char *name); /* or NULL */
void tensors_done(struct tensors *ts);

#endif
