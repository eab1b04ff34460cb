/*
 * The only door to the model. A model is immutable weights (plus, while training, the arena that
 * params.h describes); a workspace is one batch's activations. Forward and backward work on a
 * forest (forest.h) and meet the loss only as log-probs of labels: no [tokens, vocabulary] matrix
 * exists.
 */
#ifndef COMMON_MODEL_MODEL_H
#define COMMON_MODEL_MODEL_H

#include "common/err.h"
#include "common/fingerprint.h"
#include "common/model/adapter.h"
#include "common/model/config.h"
#include "common/model/forest.h"
#include "common/model/params.h"
#include "kernels/kernels.h"

struct model;

enum { MODEL_NOT_FINITE = -2 };

/* A reference's name: a fingerprint, and the precision where it is not f32. */
enum { MODEL_NAME_LEN = FINGERPRINT_LEN + 10 };

/* What a model program's common options choose. */
struct model_opts {
	const char *dir;
	const char *device, *kernels, *precision; /* NULL: auto, or the environment's */
	int threads;				  /* 0: all CPUs that may be used */
	int train;				  /* weights get KUSE_BWD */
	int full;				  /* every weight becomes a row of the arena */
	uint64_t seed; /* full without weights in dir: random ones, normal(0, initializer_range) */
	int plan;      /* shapes only: needs no weights, cannot run; for model_weight_bytes and
			  workspace_bytes */
	float int8_threshold;		    /* kweight_desc.threshold of all int8 weights */
	const char *adapter;		    /* PEFT directory, or NULL … */
	struct adapter_config *new_adapter; /* … or a fresh adapter, whose contents move into the
					       model; NULL: none */
};

int model_open(struct model **out, const struct model_opts *o, struct err *e);
void model_close(struct model *m);

const struct model_config *model_config(const struct model *m);
const struct kernels *model_kernels(const struct model *m);
struct kctx *model_kctx(const struct model *m);
struct params *model_params(struct model *m);		    /* n == 0 when nothing trains */
const struct adapter *model_adapter(const struct model *m); /* NULL: none */
const char *model_precision(const struct model *m);	    /* "f32" or "bf16" */
/* Fingerprint (fingerprint.h) of the base's weights. */
const char *model_fingerprint(const struct model *m);
/* Whose log-probs a forward gives, as a reference's name: base and adapter as opened; the base alone. */
const char *model_reference(const struct model *m);
const char *model_base_reference(const struct model *m);
/* Off: forward runs the bare base (the reference while training a fresh adapter). */
void model_adapter_enable(struct model *m, int on);
/* Around the micro-batches of one optimizer step: begin sets all gradients to zero, end brings
 * together what is summed apart (the two uses of a tied embedding), so that bytes do not depend on
 * how the step was cut. Clipping and optimizer come after end. */
int model_grads_begin(struct model *m, struct err *e);
int model_grads_end(struct model *m, struct err *e);
/* After the optimizer has changed the arena. */
int model_refresh(struct model *m, struct err *e);
/* Bytes of the weights beside the arena: the mapped files of frozen ones, what the backend keeps, the
 * second gradient of a trained embedding that is the head too. */
size_t model_weight_bytes(const struct model *m);

/* ---- one batch ------------------------------------------------------------------------------- */

struct workspace;

/* Grows as needed and is reused. dropout_p > 0 only while training. */
struct workspace *workspace_new(struct model *m);
void workspace_free(struct workspace *ws);
/* The lowest `layers` of the layers that train keep their input only, and the backward makes the rest
 * again: the same bytes, later and in less memory. The one above them is still there by then, so there
 * can be one less than there are layers. */
void workspace_recompute(struct workspace *ws, size_t layers);
/* Bytes that a forward (train: and backward) over a batch of this size would hold; the same layout
 * code run with a counting allocator. *head: the share of the labels (logits of one chunk …). */
size_t workspace_bytes(
	struct model *m, size_t ntok, size_t nlabels, int train, size_t recompute, size_t *head);

/*
 * Log-probs of all labels of f, in order: out[nlabels]. stats: KSTAT_ bits. train: keeps what the
 * backward needs, and each label's unscaled hidden gradient, formed while its logits exist.
 * dropout: rate with seed and step (rows' identities come from the forest); p 0: none.
 * MODEL_NOT_FINITE (< 0): a log-prob is not finite; the error names the first tensor of the model that
 * is not finite, if one is, and out is filled, so that the caller can name the record.
 */
int model_forward(struct model *m, struct workspace *ws, const struct forest *f, unsigned stats,
	int train, float dropout_p, uint64_t seed, uint64_t step, struct klabel_out *out,
	struct err *e);

/* Gradients of sum_l coef[l] * logp[l] are accumulated in the arena. After model_forward(train). */
int model_backward(struct model *m, struct workspace *ws, const struct forest *f,
	const double *coef, struct err *e);

/*
 * Whole distributions, for who compares models: begin runs f, which stays until the last call; then
 * logits [n, V] (host) of the rows that labels [at, at + n) look at.
 */
int model_logits_begin(struct workspace *ws, const struct forest *f, struct err *e);
int model_logits(struct workspace *ws, size_t at, size_t n, float *logits, struct err *e);

/* ---- generation ------------------------------------------------------------------------------ */

struct kvcache;

/* A cache with room for `cap` positions in each of `n` sequences that share one prompt. */
struct kvcache *kvcache_new(struct model *m, size_t cap, size_t n, struct err *e);
void kvcache_free(struct kvcache *kv);
/*
 * Feeds the prompt, which all sequences share: logits [V] (host) of its last position. Then one
 * token a live sequence a step: logits [n, V]; rows where live[i] == 0 hold nothing of use. The whole
 * prompt and all that a sequence adds must fit in `cap`.
 */
int model_prefill(struct model *m, struct kvcache *kv, const uint32_t *ids, size_t n, float *logits,
	struct err *e);
int model_step(struct model *m, struct kvcache *kv, const uint32_t *next, const uint8_t *live,
	float *logits, struct err *e);

#endif
