/* What was trained, as files or as a stream: a PEFT adapter, or with --full a model. */
#ifndef TRAIN_OUTPUT_H
#define TRAIN_OUTPUT_H

#include "common/io.h"
#include "common/model/model.h"
#include "common/stream.h"

struct output_model {
	struct model *m;
	const char *base; /* directory of the base model */
	int full;
};

/* The file by whose presence readers know the directory. */
const char *output_last_file(const struct output_model *o);
/* PEFT's or transformers' files, the tokenizer's along. exact: f32 also where the base has another
 * element type, and no tokenizer (a checkpoint). */
int output_directory(
	const struct output_model *o, const struct outdir *d, int exact, struct err *e);
/* Takes the values back from what output_directory(exact) wrote. */
int output_restore(const struct output_model *o, const char *dir, struct err *e);
/* The same as records. */
int output_stream(const struct output_model *o, struct stream_writer *w, struct err *e);

#endif
