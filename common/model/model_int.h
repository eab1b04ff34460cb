/*
 * What the files of common/model share: the model as the decoder sees it, and one batch's buffers.
 *
 * The decoder is a row of parts: layer i's attention is part 2i, its MLP part 2i + 1, the final
 * norm and the head part 2 * layers. The backward runs down from the last part to the first that
 * trains; parts below keep nothing in the forward.
 */
#ifndef COMMON_MODEL_MODEL_INT_H
#define COMMON_MODEL_MODEL_INT_H

#include "common/model/arch.h"
#include "common/model/model.h"
#include "common/safetensors.h"

/* For functions that return KE_ codes. */
#define TRY(call)                                                                                  \
	do {                                                                                       \
		int try_rc = (call);                                                               \
		if (try_rc < 0)                                                                    \
			return try_rc;                                                             \
	} while (0)

struct norm {
	struct kbuf g, dg;
};

/* A linear layer as bound to its weight, bias, gradients and adapter; dropout is set at use. */
struct projection {
	struct klinear l;
	uint32_t module; /* identity for dropout: layer * PROJ_COUNT + enum proj, the head last */
};

struct layer {
	struct norm attn_norm, mlp_norm;
	struct projection proj[PROJ_COUNT];
};

/* A tensor of the checkpoint: its name and shape, and where the model keeps it. */
struct slot {
	char name[96];
	size_t rows, cols;	      /* cols 0: a vector */
	unsigned uses;		      /* KUSE_ of a matrix */
	struct kweight **w;	      /* a matrix: its handle … */
	struct kbuf *dw;	      /* … and gradient */
	struct kbuf *v, *dv;	      /* a vector: its values and gradient */
	long param;		      /* row of the arena, -1: frozen */
	const struct st_tensor *file; /* NULL: made from the seed */
	struct bnb_weight *quant;     /* the file's, when it is quantised */
};

struct model {
	struct model_config config;
	const struct kernels *k;
	enum kprecision precision;
	struct kctx *kc;
	int plan; /* shapes only: no weights */
	float int8_threshold;
	struct st st;
	struct slot *slots;
	size_t nslots;

	struct params params;
	struct adapter adapter;
	int has_adapter, adapter_on;

	struct kweight *embed;
	struct kbuf dembed; /* p NULL: frozen */
	struct kbuf
		tied_dembed; /* the same where the head is tied to it: model_grads_end adds it */
	struct layer *layers;
	struct norm norm;
	struct projection head;
	size_t first_part; /* the lowest part that trains; past the head: none */
	int head_trains;   /* the final norm or the head: the backward forms logits again */

	char fingerprint[FINGERPRINT_LEN];
	char reference[MODEL_NAME_LEN], base_reference[MODEL_NAME_LEN];
};

/* ---- weights.c: the list of tensors, and their loading ---- */

void weights_list(struct model *m, int train);
/* Rows of the arena for every tensor (--full). Before params_alloc. */
void weights_plan_full(struct model *m);
/* Handles and values of all slots, from m->st or the seed. After params_alloc. */
int weights_load(struct model *m, uint64_t seed, struct err *e);
int weights_refresh(struct model *m, struct err *e);
void weights_free(struct model *m);

/* ---- fault.c: what went wrong ---- */

/* Why an output is not finite: names the first such tensor, if one is. MODEL_NOT_FINITE. */
int model_not_finite(const struct model *m, struct err *e);
/* KE_ code → error. */
int model_kerr(const struct model *m, int rc, struct err *e);

/* ---- one batch ---- */

/* What a layer keeps for its backward. Layers that keep nothing share one of these, and those that are made
 * again share all but x and h. */
struct saved {
	struct kbuf x, rstd1, q, k, v, att, lse; /* x: the residual stream as the layer found it */
	struct kbuf x1, rstd2, gate, up;	 /* x1: after attention */
	struct kbuf h[PROJ_COUNT];		 /* drop(x) A^T of adapters */
};

/* Keys and values of all tokens so far; segments of the forest name its rows. */
struct cache {
	struct kbuf *k, *v; /* [layers] */
	const size_t *self; /* 0, 1, 2 …: as many as a pass may have rows */
};

struct workspace {
	struct model *m;
	char *base; /* backend memory */
	size_t cap;
	size_t recompute;	     /* how many layers are asked to be made again … */
	size_t again;		     /* … and the end of the layers that share for it */
	struct saved *layer;	     /* [layers] */
	struct kbuf norm, add;	     /* [T,d] a part's normed input, and its output */
	struct kbuf act;	     /* [T,f] silu(gate) * up */
	struct kbuf dx, dnorm, dact; /* gradients: residual stream, normed input, [T,f] */
	struct kbuf datt, dq, dk, dv;
	size_t chunk; /* labels whose logits exist at once */
	struct kbuf rows, rows_norm, rows_rstd, rows_h, drows_norm, logits; /* [chunk, …] */
	struct kbuf drows;  /* [L,d] each label's unscaled gradient of the residual stream */
	size_t *label_row;  /* [L] in host memory: of each label its row … */
	uint32_t *label_id; /* … its target … */
	uint32_t *label_record, *label_pos; /* … and its row's identity */
	size_t label_cap;

	/* this pass */
	const struct forest *f;
	const struct cache *cache; /* generation: where keys and values go; or NULL */
	int train;
	struct kdropout drop;
	struct kbuf res, pend; /* residual stream; an addition to it not yet made, or p NULL */
};

/* Lays the buffers out for a batch, with more memory when it needs more. */
int workspace_fit(struct workspace *ws, size_t ntok, size_t nlabels, int train, struct err *e);

/* The adapter of a projection as this pass wants it: off, or with its dropout. */
struct klinear linear_now(const struct workspace *ws, const struct projection *p);
/* Whether the backward needs the projection's input. */
static inline int linear_trains(const struct klinear *l)
{
	return l->dw.p || l->dbias.p || (l->lora.r && l->lora.da.p);
}

/* decoder_attn.c, decoder_mlp.c: forward and backward of a layer's parts. dx: 0 when nothing below
 * trains. KE_ codes. */
int attn_forward(struct workspace *ws, size_t layer);
int attn_backward(struct workspace *ws, size_t layer, int dx);
int mlp_forward(struct workspace *ws, size_t layer);
/* The forward of both once more, from the layer's input, up to what the backward needs. */
int layer_again(struct workspace *ws, size_t layer);
int mlp_backward(struct workspace *ws, size_t layer, int dx);
/* head.c: log-probs of the labels; the residual stream is complete in ws->res. */
int head_forward(struct workspace *ws, unsigned stats, struct klabel_out *out);
/* The same without labels' log-probs: their rows' logits, to host memory. */
int head_logits(struct workspace *ws, float *logits);
/* dx becomes the gradient of the residual stream. */
int head_backward(struct workspace *ws, const double *coef);
/* The whole forward up to logits of the labels' rows [nlabels, V] in host memory. */
int forward_logits(struct workspace *ws, const struct forest *f, float *logits, struct err *e);

#endif
