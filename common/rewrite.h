/*
 * A model written anew, tensor by tensor and with bounded memory: copied, converted, dequantised, added
 * to by adapters, quantised. All is decided and checked before the first byte is written, because the
 * header of a safetensors file comes first and holds every length (for double quantisation even that of
 * a number's text, for which those weights are computed once more).
 */
#ifndef COMMON_REWRITE_H
#define COMMON_REWRITE_H

#include "common/bnb.h"
#include "common/modeldir.h"
#include "common/stream.h"
#include "kernels/quant.h"
#include "kernels/team.h"

/* How a weight is quantised. */
struct quant_form {
	enum dtype type; /* DT_NF4, DT_FP4, DT_INT8 */
	size_t blocksize;
	int nested;
	enum dtype storage; /* of 4-bit codes */
	enum quant8_rule rule;
};

/* What an adapter adds: scale * B A. */
struct delta {
	const struct st_tensor *a, *b; /* [r, in], [out, r]; a NULL: b is a vector, for a bias */
	float scale;
	int embedding; /* a is [r, out], b [in, r]: the delta is (B A)^T, rounded before it is added */
	const struct st_tensor *magnitude; /* [out] DoRA: what the rows' norms become; or NULL */
};

/* The tensors that a weight becomes; of int8: the weight, SCB, its format. */
enum part {
	PART_WEIGHT,
	PART_ABSMAX,
	PART_MAP,
	PART_STATE,
	PART_NESTED_ABSMAX,
	PART_NESTED_MAP,
	PART_COUNT
};

struct rewrite_item {
	char *name; /* of the result */
	const struct st_tensor *in;
	struct bnb_weight *from; /* in is quantised, and these are its values; or NULL */
	struct delta *deltas;
	size_t ndeltas;
	int in_memory;	  /* in was not mapped from a file: its pages stay */
	int codes;	  /* in is codes, whatever its type: no values that could be infinite */
	enum dtype dtype; /* of the floats: the result, or what is quantised */
	int quantise;	  /* to this form: */
	struct quant_form form;
	size_t shard; /* only the order counts */
	/* rewrite_plan's: */
	float offset;		/* nested */
	char *state;		/* JSON, a NUL behind */
	size_t out[PART_COUNT]; /* indices in rewrite.out */
};

struct rewrite {
	struct rewrite_item *items;
	size_t n, cap;
	struct st_tensor *out; /* the result's table, shard after shard */
	size_t nout, shards;
};

/* A tensor more, for now as it is; all that it points at stays until the end, from and deltas are
 * freed. Valid until the next. */
struct rewrite_item *rewrite_add(struct rewrite *w, const struct st_tensor *in);
struct rewrite_item *rewrite_find(const struct rewrite *w, const char *name); /* NULL: none */
void rewrite_delta(struct rewrite_item *it, const struct delta *d);
/* Whether the item is more than its bytes, or their conversion. */
int rewrite_changes(const struct rewrite_item *it);

/* Lays out the result. */
int rewrite_plan(struct rewrite *w, struct team *team, struct err *e);
void rewrite_done(struct rewrite *w);

/* Where results go: one of the two. */
struct rewrite_sink {
	struct weights_writer *dir;
	struct stream_writer *stream;
};

/* What became of a weight: sums of squares over what was written less what should have been, and over
 * what rounding could lose: the delta, or where there is none the weight. What f32 holds of base and delta
 * counts as what should have been. */
struct rewrite_loss {
	double error, norm;
	double along; /* (written - base) · delta: norm when nothing is lost */
	double worst; /* the greatest relative error of a block (floats, int8: a row) … */
	size_t at;    /* … and which */
};

/* losses: one an item, filled for those that change; NULL: not wanted. Memory held: a unit of work a
 * thread, one tensor's statistics and deltas, and for a stream a piece. */
int rewrite_run(const struct rewrite *w, const struct rewrite_sink *sink, struct team *team,
	struct rewrite_loss *losses, struct err *e);

#endif
