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

/*
 * DoRA (arXiv 2402.09353, as PEFT 0.21 computes it): y = g (W x + s B A x) + bias, where g is a
 * magnitude a row over the row's norm |W + s B A|, and the norm is a constant to the backward. On an
 * embedding it is columns that have a magnitude.
 */
struct dora {
	struct kbuf g;	     /* [N] f32: the factor … */
	struct kbuf inverse; /* … and one over the norm; of an embedding, over the magnitude */
	struct kbuf value, grad; /* the magnitude, and its gradient in the arena */
	double *squares;	 /* [N] |W|^2 of each row, in host memory */
};

/* A weight as DoRA measures it. */
struct measured {
	struct dora *d;
	const struct kweight *w;
	int columns;	  /* it is an embedding */
	size_t n, len, r; /* norms; elements that each is of; rank */
	float scale;
	struct kbuf a, b; /* A [r,len], B [n,r] */
};

/* A linear layer as bound to its weight, bias, gradients and adapter; dropout is set at use. */
struct projection {
	struct klinear l;
	uint32_t module; /* identity for dropout: layer * PROJ_COUNT + enum proj, the head last */
	size_t out, in;
	struct dora *dora; /* NULL: plain LoRA */
	/* lora_bias: the bias as it is with the adapter, made when the arena changes; the sum of dy,
	 * brought to those that train by model_grads_end; lora_B.bias and its gradient. */
	struct kbuf bias_on, dsum, lora_bias, dlora_bias;
};

/* The embedding's adapter: its B is the weight of a linear layer of its own. */
struct embed_lora {
	size_t r; /* 0: none */
	float scale;
	struct kbuf a, da;
	struct klinear b;
	struct kweight *weight;
	struct dora *dora; /* or NULL */
};

struct layer {
	struct norm attn_norm, mlp_norm;
	struct projection proj[PROJ_COUNT];
};

/* A tensor of the checkpoint: its name and shape, and where the model keeps it. What trains beside an
 * adapter is there twice, as it was and as a row of the arena; w or v is bound to one of them. */
struct slot {
	char name[96];
	const char *from;    /* the tensor in the file, where that has another name */
	size_t part;	     /* of the decoder, that it belongs to */
	size_t rows, cols;   /* cols 0: a vector */
	unsigned uses;	     /* KUSE_ of a matrix */
	struct kweight **w;  /* a matrix: its handle … */
	struct kbuf *dw;     /* … and gradient */
	struct kbuf *v, *dv; /* a vector: its values and gradient */
	struct kweight *frozen_w, *trained_w;
	struct kbuf frozen_v, trained_v;
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
	int full;	  /* all weights train, and nothing is frozen */
	int head_follows; /* the head is whatever the embedding is */

	struct kweight *embed;
	struct embed_lora embed_lora;
	struct kbuf dembed; /* p NULL: frozen */
	struct kbuf
		tied_dembed; /* the same where the head is tied to it: model_grads_end adds it */
	struct layer *layers;
	struct norm norm;
	struct projection head;
	size_t first_part; /* the lowest part that trains; past the head: none */
	int head_trains;   /* the final norm or the head: the backward forms logits again */
	int embed_trains;  /* the embedding, or its adapter: the backward goes down to it */

	char fingerprint[FINGERPRINT_LEN];
	char reference[MODEL_NAME_LEN], base_reference[MODEL_NAME_LEN];
};

/* ---- weights.c: the list of tensors, and their loading ---- */

/* uses: KUSE_ of the linear layers. */
void weights_list(struct model *m, unsigned uses);
/* Rows of the arena for every tensor (full), or for those that train beside the adapter. Before
 * params_alloc. */
int weights_plan(struct model *m, struct err *e);
/* Handles and values of all slots, from m->st or the seed. After params_alloc. */
int weights_load(struct model *m, uint64_t seed, struct err *e);
int weights_refresh(struct model *m, struct err *e);
/* Binds what is there twice to what trains, or to what was. */
void weights_bind(struct model *m, int trained);
const struct slot *weights_slot(const struct model *m, const char *name);
void weights_free(struct model *m);

/* ---- adapter_bind.c: the adapter in the arena, bound to the layers it is on ---- */

int adapter_bind(struct model *m, struct err *e);
/* What depends on the arena's values. fresh: magnitudes begin as the norms. KE_ codes. */
int adapter_refresh(struct model *m, int fresh);
int adapter_grads_begin(struct model *m);
int adapter_grads_end(struct model *m);
void adapter_unbind(struct model *m);
/* Bytes of it beside the arena. */
size_t adapter_bytes(const struct model *m);

/* ---- dora.c ---- */

/* The norms of a frozen weight, and memory. KE_ codes. */
int dora_open(struct model *m, const struct measured *w);
/* What depends on A, B and the magnitude; fresh: the magnitude becomes the norm. */
int dora_refresh(struct model *m, const struct measured *w, int fresh);
void dora_free(struct model *m, struct dora *d);

/* ---- adapter_file.c: adapter_model.safetensors ---- */

/* Every tensor of the file must be one of the arena's, and the other way round; copies of the base's
 * that PEFT saves along must be the base's own. */
int adapter_read_tensors(struct model *m, const char *dir, struct err *e);

/* ---- fault.c: what went wrong ---- */

/* Why an output is not finite: names the first such tensor, if one is. MODEL_NOT_FINITE. */
int model_not_finite(const struct model *m, struct err *e);
/* KE_ code → error. */
int model_kerr(const struct model *m, int rc, struct err *e);

/* ---- one batch ---- */

/* What a linear layer with an adapter keeps for its backward: drop(x) A^T, and with DoRA what is
 * scaled. p NULL: nothing. */
struct kept {
	struct kbuf h, u;
};

/* The identities of a run of rows, for dropout. */
struct rows {
	size_t n;
	const uint32_t *record, *pos;
};

/* What a layer keeps for its backward: q, k, v, att, gate and up in bf16 when the model computes so.
 * Layers that keep nothing share one of these, and those that are made again share all but x and h. */
struct saved {
	struct kbuf x, rstd1, q, k, v, att, lse; /* x: the residual stream as the layer found it */
	struct kbuf x1, rstd2, gate, up;	 /* x1: after attention */
	struct kept kept[PROJ_COUNT];		 /* of adapters */
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
	struct kbuf q, k, v, att, gate, up; /* a layer's as f32, see at_work */
	size_t chunk;			    /* labels whose logits exist at once */
	struct kbuf rows, rows_norm, rows_rstd, drows_norm, logits; /* [chunk, …] */
	struct kept rows_kept;
	struct kbuf embed_h, embed_dh; /* [T,R] of the embedding's adapter */
	struct kbuf dora[3], dora_du;  /* [DORA_ROWS, …] see decoder_linear.c */
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

/* Rows of a batch that DoRA takes at once through its scratch. */
enum { DORA_ROWS = 512 };

/* decoder_linear.c: kernels.h's linear with the adapter as this pass wants it: off, or with dropout,
 * DoRA, lora_bias. */
int linear_forward(struct workspace *ws, const struct projection *p, const struct rows *rows,
	struct kbuf x, struct kbuf y, const struct kept *kept);
/* dy is lost unless keep_dy. */
int linear_backward(struct workspace *ws, const struct projection *p, const struct rows *rows,
	struct kbuf x, const struct kept *kept, struct kbuf dy, int keep_dy, struct kbuf dx,
	int accumulate);
/* Where what a layer keeps is computed with: f32, its own place or the scratch. Between the two lie
 * kernels' keep and restore. */
static inline struct kbuf at_work(struct kbuf own, struct kbuf scratch)
{
	return own.t == DT_F32 ? own : scratch;
}

/* Whether the backward needs the projection's input. */
static inline int linear_trains(const struct projection *p)
{
	return p->l.dw.p || p->l.dbias.p || p->dsum.p || (p->l.lora.r && p->l.lora.da.p);
}
static inline struct rows token_rows(const struct workspace *ws)
{
	return (struct rows){ws->f->ntok, ws->f->record, ws->f->pos};
}

/* decoder_embed.c: rows of the embedding with its adapter, and its gradients from ws->dx. */
int embed_forward(struct workspace *ws, struct kbuf out);
int embed_backward(struct workspace *ws);

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
/* The same without labels' log-probs: their rows' logits, of labels [at, at + n), to host memory. */
int head_logits(struct workspace *ws, size_t at, size_t n, float *logits);
/* dx becomes the gradient of the residual stream. */
int head_backward(struct workspace *ws, const double *coef);

#endif
