/* The model to convert, wherever it comes from: a directory, or a `tensors` stream that is kept in a
 * temporary file, because weights are looked up by name and the table is wanted first. */
#ifndef QUANT_SOURCE_H
#define QUANT_SOURCE_H

#include "common/fingerprint.h"
#include "common/io.h"
#include "common/spool.h"
#include "common/tensors.h"

struct source {
	struct st st;	   /* the tensors, sorted by name */
	json_t *config;	   /* config.json, an object */
	const char *dir;   /* NULL: a stream … */
	struct tensors ts; /* … of these tensors and files … */
	struct spool *spool;
	struct header header; /* … and this past */
	char fingerprint[FINGERPRINT_LEN];
};

/* dir "-": a stream from standard input. */
int source_open(struct source *s, const char *dir, struct err *e);
void source_done(struct source *s);

/* The files that go along, all but config.json. */
int source_copy_files(const struct source *s, const struct outdir *d, struct err *e);
int source_stream_files(const struct source *s, struct stream_writer *w, struct err *e);

#endif
