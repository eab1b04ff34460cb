/*
 * Quantised weights as bitsandbytes 0.50.2 and transformers 5.23 lay them out in safetensors: which
 * tensors make up a weight, what its JSON says, and the way back to struct kweight_desc. Nothing that
 * a checkpoint says is believed before its lengths agree.
 *
 * A module M in 4 bits:  M.weight (bytes, in any storage type), M.weight.absmax, M.weight.quant_map,
 * M.weight.quant_state.bitsandbytes__nf4 (JSON in bytes); nested: M.weight.nested_absmax and
 * M.weight.nested_quant_map too. In int8: M.weight, M.SCB, M.weight_format.
 */
#ifndef COMMON_BNB_H
#define COMMON_BNB_H

#include "common/json.h"
#include "common/safetensors.h"
#include "kernels/kernels.h"

/* What is appended to "M.weight" … */
#define BNB_ABSMAX	     ".absmax"
#define BNB_QUANT_MAP	     ".quant_map"
#define BNB_NESTED_ABSMAX    ".nested_absmax"
#define BNB_NESTED_QUANT_MAP ".nested_quant_map"
#define BNB_STATE	     ".quant_state.bitsandbytes__" /* and "nf4" or "fp4" */
/* … and to "M". */
#define BNB_SCB		  ".SCB"
#define BNB_WEIGHT_FORMAT ".weight_format"

/* Whether a tensor is one of these parts (M.weight itself is not); *stem: the length of M in it. */
int bnb_is_part(const char *name, size_t *stem);
/* The same, and s holds the weight that it is a part of. */
int bnb_has_part(const struct st *s, const char *name);

/* The JSON of a weight [shape[0], shape[1]]; nested_offset NULL: not nested. The caller frees. */
char *bnb_state(enum dtype q, size_t blocksize, enum dtype values, const size_t shape[2],
	const float *nested_offset, size_t *len);

struct bnb_weight {
	struct kweight_desc d; /* points into the checkpoint and into this struct */
	float nested_map[256];
};

/* The weight of that name ("M.weight"): 1 and *w (bnb_free) when it is quantised, 0 when not or not
 * there, -1 when its parts do not fit together. s stays open as long as *w. */
int bnb_open(struct bnb_weight **w, const struct st *s, const char *name, struct err *e);
void bnb_free(struct bnb_weight *w); /* NULL: nothing */
/* The type of its values as floats: dtype; where that is -1, of 4 bits what they were, of int8 the
 * model's, where that is not -1. */
enum dtype bnb_values(const struct bnb_weight *w, int dtype, int model);

/* Bytes of a weight [n, k] in its file, without maps and JSON. */
size_t bnb_weight_bytes(enum dtype q, size_t n, size_t k, size_t blocksize, int nested);

/* config.json's quantization_config. The weights say more, and are believed rather than this. */
struct bnb_config {
	enum dtype type; /* DT_NF4, DT_FP4, DT_INT8 */
	int nested;
};
/* -1 when it is not of bitsandbytes. */
int bnb_read_config(struct bnb_config *c, const json_t *quantization_config, struct err *e);

#endif
