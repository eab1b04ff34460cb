/*
 * Writing a model directory as transformers lays it out: weights in one file or in shards with an
 * index, and the files that go along with them from the model they were made from.
 */
#ifndef COMMON_MODELDIR_H
#define COMMON_MODELDIR_H

#include "common/err.h"
#include "common/io.h"
#include "common/json.h"
#include "common/safetensors.h"

/* What goes along: tokenizer and chat templates; config and generation config; and whatever else lies
 * there (licence, code), but weights in any form, hidden files, directories and the model card, which
 * speaks of another model. */
enum { MODELDIR_TOKENIZER = 1, MODELDIR_CONFIG = 2, MODELDIR_OTHER = 4, MODELDIR_ALL = 7 };

struct modeldir_files {
	char **v; /* names in the directory, sorted; "additional_chat_templates/NAME" too */
	size_t n, cap;
};
/* Those of `which` that dir has. */
int modeldir_list(struct modeldir_files *f, const char *dir, unsigned which, struct err *e);
void modeldir_files_done(struct modeldir_files *f);
int modeldir_copy(const struct outdir *d, const char *src, unsigned which, struct err *e);

/* Whether a name that came from outside may be a file of a model directory: a plain name, or one in
 * additional_chat_templates/. */
int modeldir_name_ok(const char *name);
/* Writes a file into the directory. */
int modeldir_write(
	const struct outdir *d, const char *name, const void *p, size_t len, struct err *e);

/* config.json of `dir`, an object. The caller decrefs; NULL: *e says why. */
json_t *modeldir_read_config(const char *dir, struct err *e);
/* The key of the element type: transformers 5 says "dtype", 4 "torch_dtype". */
const char *modeldir_dtype_key(const json_t *config);
/* Its text with another element type (dtype < 0: kept), with tie_word_embeddings false when untie, and
 * with what stands for quantization_config (NULL: kept; a JSON null: none). The caller frees. */
char *modeldir_config(
	const json_t *config, int dtype, int untie, json_t *quantization, size_t *len);

struct weights_writer;

/* t[i].file is the shard, 0 … shards-1, never falling; elements and bytes are set (st_size); the
 * rest as for st_create. One shard is model.safetensors; more are model-0000i-of-0000n.safetensors
 * with model.safetensors.index.json. t must stay until the end. */
int weights_create(struct weights_writer **w, const struct outdir *d, const struct st_tensor *t,
	size_t n, size_t shards, struct err *e);
/* As st_put, i in the whole table. */
int weights_put(struct weights_writer *w, size_t i, size_t offset, const void *p, size_t bytes,
	struct err *e);
/* Frees w in any case. */
int weights_finish(struct weights_writer *w, struct err *e);
void weights_abandon(struct weights_writer *w);

#endif
