/* The adapters to merge, wherever they come from: a PEFT directory or a `train` stream. */
#ifndef MERGE_LORA_SOURCES_H
#define MERGE_LORA_SOURCES_H

#include "common/model/adapter.h"
#include "common/safetensors.h"
#include "common/tensors.h"

struct source {
	char *name; /* for messages */
	double weight;
	struct adapter_config config;
	const struct st_tensor *t; /* PEFT's names; in st or in stream */
	size_t n;
	struct st st;
	struct tensors stream;
};

/* A directory. */
int source_open_dir(struct source *s, const char *dir, double weight, struct err *e);
/* A stream from a file, or standard input (path NULL or "-"), read to its end. model: fingerprint
 * of the base, with which the header's must agree unless ignore_mismatch. */
int source_read_stream(
	struct source *s, const char *path, const char *model, int ignore_mismatch, struct err *e);
void source_done(struct source *s);

/* "DIR:WEIGHT", or "DIR" with weight 1; *dir is the caller's. A path that exists as it stands has
 * no weight. 0, or -1 when what follows the colon is no number. */
int source_parse(const char *arg, char **dir, double *weight);

#endif
