/*
 * The arithmetic, as a table of operations. A backend fills the whole table (kernels/cpu: plain C,
 * complete, the judge of the others) or copies one and overrides entries (openblas, x86). Nothing
 * above this header knows how a product is computed, how a weight is packed, or where memory lies.
 *
 * Conventions
 *   Letters     T rows (tokens) of a batch; N out features; K in features; R LoRA rank; L labels;
 *               V vocabulary; H query heads; G key/value heads (H % G == 0); D head size.
 *   Layout      row-major, rows contiguous: x[T,K] has row t at x.p + t*K elements.
 *   Memory      struct kbuf is an address in the backend's memory (host memory on the CPU) and its
 *               element type. The caller owns it; operations keep no address after they return,
 *               weights excepted. Operations allocate nothing that grows with T: scratch is the
 *               backend's own, bounded, made at open.
 *   Types       f32, but for what `keep` puts away. Arithmetic inside an operation is f32 or better.
 *   Precision   KP_BF16: linear rounds the operands of its products to bf16 (to nearest, half to even) and
 *               sums in f32; but what the forward adds by the adapter, and all else, stays f32.
 *   Order       every sum has one fixed order: a row of a result depends only on that row's inputs
 *               (never on T or its place in the batch); a sum over rows (gradients of parameters)
 *               is one accumulator per element, updated row after row, and goes on from what the
 *               destination holds. Backends that cannot promise this say so in `exact_rows`. A weight
 *               with a threshold (below) is the exception.
 *   Errors      0 or a negative KE_ code; nothing is printed, nothing calls back.
 *   Aliasing    outputs do not overlap inputs unless said.
 */
#ifndef KERNELS_KERNELS_H
#define KERNELS_KERNELS_H

#include "kernels/dtype.h"

#include <stddef.h>
#include <stdint.h>

enum { KERNELS_VERSION = 1 };

enum {
	KE_OK = 0,
	KE_MEMORY = -1, /* device memory is out: an ordinary error */
	KE_DEVICE = -2, /* the device failed or is gone; describe() says how */
	KE_TYPE = -3,	/* this element type is not implemented here */
};

struct kctx;	/* one opened backend: device, threads, scratch */
struct kweight; /* a weight prepared for its uses; see weight_new */

struct kbuf {
	void *p;
	enum dtype t;
};

/* b advanced by n elements. */
static inline struct kbuf kbuf_at(struct kbuf b, size_t n)
{
	return (struct kbuf){(char *)b.p + dtype_bytes(b.t, n), b.t};
}

/* ---- weights ------------------------------------------------------------------------------ */

/* What a weight will be asked for; a backend prepares no more than that. */
enum { KUSE_FWD = 1, KUSE_BWD = 2, KUSE_GATHER = 4 };

/*
 * A matrix [N,K] as it lies on disk, in host memory, possibly unaligned; it must stay mapped while
 * the handle lives (a backend may read it in place, or pack or copy it). For DT_NF4/FP4/INT8 `data`
 * are the codes and the fields below are used (bitsandbytes' layout; peers' names in quotes; what they
 * mean is kernels/quant.h's). They stay as long; f32 through `void` may be unaligned too.
 */
struct kweight_desc {
	enum dtype dtype;
	size_t n, k;
	const void *data;
	enum dtype values;	   /* what 4-bit values are rounded to ("dtype") */
	size_t blocksize;	   /* elements an absmax: 32 … 4096 */
	const void *absmax;	   /* f32 per block ("absmax"), or NULL when nested */
	const uint8_t *absmax_q;   /* nested: 8-bit codes per block ("absmax") … */
	const void *nested_absmax; /* … times this f32 per nested_blocksize codes … */
	const float *nested_map;   /* … through this map of 256 … */
	size_t nested_blocksize;
	float nested_offset; /* … plus this */
	const void *scb;     /* DT_INT8: f32 per row ("SCB") */
	/* DT_INT8, > 0: the forward quantises its input too but for columns with such a value ("threshold");
	 * 0: it takes dequantised weights, as the backward always does. */
	float threshold;
};

/* ---- linear: base product + LoRA, one unit forward and backward -------------------------------- */

/* Identity of each row for dropout: the mask is a function of (seed, step, module, row's record and
 * position on its path, feature), never of the row's place in the batch. */
struct kdropout {
	float p; /* 0: off */
	uint64_t seed, step;
	uint32_t module;
	const uint32_t *record; /* [T], host memory */
	const uint32_t *pos;	/* [T], host memory */
};

struct klora {
	size_t r;	      /* 0: no adapter */
	float scale;	      /* alpha/r or alpha/sqrt(r) */
	struct kbuf a, b;     /* A[R,K], B[N,R], f32 */
	struct kbuf da, db;   /* gradients, accumulated; p NULL: not wanted */
	struct kdropout drop; /* of A's input */
};

struct klinear {
	const struct kweight *w;
	struct kbuf bias;  /* [N] f32 or p NULL */
	struct kbuf dw;	   /* [N,K] f32, gradient of the base weight, accumulated; p NULL: frozen */
	struct kbuf dbias; /* [N] f32 or p NULL */
	struct klora lora;
};

/* ---- attention over a forest of segments -------------------------------------------------------- */

/*
 * A segment is a run of tokens. Its queries are rows [q0, q0+nq) of q and out; its keys are rows
 * [k0, k0+nk) of k and v. Query i sees all keys of every ancestor (the path to the root) and its own
 * keys up to k0 + (nk - nq) + i. In training nk == nq; in generation nk grows with the cache.
 * Parents come before children. Ancestors may have nq == 0 (only their keys are here).
 */
struct kseg {
	size_t q0, nq, k0, nk;
	int parent; /* index of the parent segment, -1: a root */
};

struct kattn {
	size_t heads, kv_heads, head_dim; /* H, G, D */
	float scale;			  /* 1/sqrt(D) unless the architecture says otherwise */
	const struct kseg *segs;	  /* host memory */
	size_t nsegs;
};

/* ---- labels: log-probs without a [T,V] matrix ---------------------------------------------------- */

/* Statistics of one label, asked for by bits; the others are left alone. */
enum {
	KSTAT_ENTROPY = 1, /* nats */
	KSTAT_SUMSQ = 2,   /* log sum_v p_v^2 */
	KSTAT_MEAN = 4,	   /* mean over the vocabulary of the raw logits */
	KSTAT_HIT = 8,	   /* 1 when the target is the first greatest logit */
};
struct klabel_out {
	double logp;
	float entropy, sumsq, mean, hit;
};

/* ---- optimizer ------------------------------------------------------------------------------------ */

struct koptim {
	double lr, beta1, beta2, eps, weight_decay; /* torch keeps them in double, too */
	uint64_t step;				    /* from 1 */
	float gscale;	     /* the gradient is multiplied by this first (clipping) */
	double beta3, alpha; /* AdEMAMix: decay of the slow mean, and its weight */
};

/* States in bitsandbytes' 8 bits: codes of a dynamic map (quant.h; momenta: the signed one, squares:
 * the unsigned one), and an f32 absmax a block. All bytes zero: states of zero. */
enum { KSTATE8_BLOCK = 256 };
struct kstate8 {
	struct kbuf code, absmax;
};

/* What a backend was opened to compute in (see Precision above). */
enum kprecision { KP_NONE, KP_F32, KP_BF16 };

/* ---- the table -------------------------------------------------------------------------------------- */

struct kernels {
	int version;		      /* KERNELS_VERSION */
	const char *name;	      /* "plain", "avx512", "openblas", "cuda" … */
	int exact_rows;		      /* the Order promise above holds */
	enum kprecision precision[3]; /* that it can compute in, best first; KP_NONE ends them */

	/* NULL when this backend can run here, else why not (a static string). */
	const char *(*unavailable)(void);
	/* threads: 0 = team_cpus(). device: index for accelerators, 0 on the CPU. */
	int (*open)(const struct kernels *self, int device, int threads, enum kprecision precision,
		struct kctx **out);
	void (*close)(struct kctx *c);
	/* What was chosen (core type, threads …) for -v; and the last device error's text. */
	const char *(*describe)(const struct kctx *c);

	/* Memory. read/write copy between host and device and wait. */
	void *(*alloc)(struct kctx *c, size_t bytes); /* 64-byte aligned, NULL: out */
	void (*free)(struct kctx *c, void *p);
	int (*zero)(struct kctx *c, void *p, size_t bytes);
	int (*write)(struct kctx *c, void *dst, const void *host, size_t bytes);
	int (*read)(struct kctx *c, void *host, const void *src, size_t bytes);

	/* Weights. weight_new_param: the weight is a row of the trainer's arena (f32, backend memory,
	 * stays where it is); weight_refresh after every change of it. */
	int (*weight_new)(
		struct kctx *c, const struct kweight_desc *d, unsigned uses, struct kweight **out);
	int (*weight_new_param)(struct kctx *c, struct kbuf w, size_t n, size_t k, unsigned uses,
		struct kweight **out);
	int (*weight_refresh)(struct kctx *c, struct kweight *w);
	void (*weight_free)(struct kctx *c, struct kweight *w);
	/* For the memory plan: bytes that a weight of this description (data may be NULL) will hold
	 * beyond the mapped file. */
	size_t (*weight_bytes)(const struct kweight_desc *d, unsigned uses);

	/* out[T,K] = w[ids[t], :]; ids in host memory, all < N. */
	int (*gather)(struct kctx *c, const struct kweight *w, const uint32_t *ids, size_t T,
		struct kbuf out);
	/* dw[ids[t], :] += dout[t, :], row after row. */
	int (*gather_bwd)(struct kctx *c, const uint32_t *ids, size_t T, size_t K, struct kbuf dout,
		struct kbuf dw);

	/* y[T,N] = x[T,K] W^T + bias + scale * (drop(x) A^T) B^T. h[T,R] receives drop(x) A^T when there
	 * is an adapter and h.p is not NULL (saved for the backward). */
	int (*linear_fwd)(struct kctx *c, const struct klinear *l, struct kbuf x, size_t T,
		struct kbuf y, struct kbuf h);
	/* dx[T,K] = (dx if accumulate) + dy W + adapter's part; dx.p NULL: not wanted. Gradients that l
	 * asks for are accumulated. x: the forward's input; h: what it saved. */
	int (*linear_bwd)(struct kctx *c, const struct klinear *l, struct kbuf x, struct kbuf h,
		struct kbuf dy, size_t T, struct kbuf dx, int accumulate);

	/* y[t,n] = g[n] * x[t,n] + bias[n] (p NULL: 0), or added to what y holds; y may be x. f32 [N]. */
	int (*scale_columns)(struct kctx *c, struct kbuf x, struct kbuf g, struct kbuf bias,
		size_t T, size_t N, struct kbuf y, int accumulate);
	/* out[n] += a[t,n] * b[t,n] * scale[n], row after row; b, scale: p NULL: ones. out, scale: f32 [N]. */
	int (*sum_columns)(struct kctx *c, struct kbuf a, struct kbuf b, struct kbuf scale,
		size_t T, size_t N, struct kbuf out);
	/* y = drop(x), the mask that linear would give A's input; y may be x. */
	int (*dropout)(struct kctx *c, const struct kdropout *drop, struct kbuf x, size_t T,
		size_t K, struct kbuf y);
	/* An adapter on an embedding, A[R,V] f32: out[t, :] = scale * A[:, ids[t]], and back:
	 * da[:, ids[t]] += scale * dout[t, :], row after row. */
	int (*gather_columns)(struct kctx *c, struct kbuf a, const uint32_t *ids, size_t T,
		size_t R, size_t V, float scale, struct kbuf out);
	int (*scatter_columns)(struct kctx *c, struct kbuf dout, const uint32_t *ids, size_t T,
		size_t R, size_t V, float scale, struct kbuf da);

	/* s = x + add, written to sum (p NULL: not wanted; may be x or add); add.p NULL: s is x, sum unused;
	 * y = s * rstd * g, rstd[t] = 1/sqrt(mean(s^2) + eps) saved (f32 [T], p NULL: not wanted). g: [K]
	 * f32. y may be x. `offset` is added to g (Gemma: 1). */
	int (*rmsnorm_fwd)(struct kctx *c, struct kbuf x, struct kbuf add, struct kbuf sum,
		struct kbuf g, float offset, float eps, size_t T, size_t K, struct kbuf y,
		struct kbuf rstd);
	/* dx += …; dg[K] accumulated, p NULL: frozen. */
	int (*rmsnorm_bwd)(struct kctx *c, struct kbuf x, struct kbuf g, float offset,
		struct kbuf rstd, struct kbuf dy, size_t T, size_t K, struct kbuf dx,
		struct kbuf dg);

	/* Rotates pairs (i, i + D/2) of each of `heads` heads of x[T, heads*D] in place by the angle
	 * pos[t] * inv_freq[i] (host arrays; the product in f32 as transformers has it), times `mscale`;
	 * inverse: by the negative angle (the backward). */
	int (*rope)(struct kctx *c, struct kbuf x, size_t T, size_t heads, size_t D,
		const uint32_t *pos, const float *inv_freq, float mscale, int inverse);

	/* out[T,H*D]; lse[T,H] f32 = log of the softmax's denominator, p NULL: not wanted. */
	int (*attn_fwd)(struct kctx *c, const struct kattn *a, struct kbuf q, struct kbuf k,
		struct kbuf v, struct kbuf out, struct kbuf lse);
	/* dq, dk, dv are overwritten (all rows that segments name). */
	int (*attn_bwd)(struct kctx *c, const struct kattn *a, struct kbuf q, struct kbuf k,
		struct kbuf v, struct kbuf out, struct kbuf lse, struct kbuf dout, struct kbuf dq,
		struct kbuf dk, struct kbuf dv);

	/* y = silu(gate) * up over n elements; backward overwrites dgate, dup (they may be gate and up,
	 * or dgate may be dy). */
	int (*swiglu_fwd)(
		struct kctx *c, struct kbuf gate, struct kbuf up, size_t n, struct kbuf y);
	int (*swiglu_bwd)(struct kctx *c, struct kbuf gate, struct kbuf up, struct kbuf dy,
		size_t n, struct kbuf dgate, struct kbuf dup);

	/* kept[n] = x in its own type (f32 or bf16), and x becomes what that holds. kept.p NULL: x is
	 * rounded, that is all; kept may be x. restore: x = kept. */
	int (*keep)(struct kctx *c, struct kbuf x, size_t n, struct kbuf kept);
	int (*restore)(struct kctx *c, struct kbuf kept, size_t n, struct kbuf x);

	/* y += a * x over n elements. */
	int (*axpy)(struct kctx *c, float a, struct kbuf x, size_t n, struct kbuf y);
	/* out[i, :] = x[rows[i], :];  dx[rows[i], :] += s[i] * dout[i, :] row after row (rows may repeat;
	 * s: host f64 [L], or NULL: ones). */
	int (*rows_gather)(struct kctx *c, struct kbuf x, const size_t *rows, size_t L, size_t K,
		struct kbuf out);
	int (*rows_scatter)(struct kctx *c, struct kbuf dout, const double *s, const size_t *rows,
		size_t L, size_t K, struct kbuf dx);

	/* For logits[L,V] of L labels: out[l] (host). grad 0: logits are left as they are; 1: they become
	 * d(logp)/d(logits) = onehot(target) - softmax, times coef[l] when coef
	 * (host) is not NULL. out may be NULL when only the gradient is wanted. */
	int (*softmax_label)(struct kctx *c, struct kbuf logits, const uint32_t *target, size_t L,
		size_t V, unsigned stats, int grad, const double *coef, struct klabel_out *out);

	/* Sum of squares of n f32 in double, fixed order; to the host. */
	int (*sumsq)(struct kctx *c, struct kbuf x, size_t n, double *out);
	/* Optimizers step f32 arrays p with gradients g. AdamW as torch 2.13 and bitsandbytes 0.50.2 (CPU)
	 * have it: decay, moments, step; every element on its own. */
	int (*adamw)(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p, struct kbuf g,
		struct kbuf m, struct kbuf v);
	/* bitsandbytes': states are decoded, stepped and encoded again (QUANT8_TABLE). */
	int (*adamw8)(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p,
		struct kbuf g, struct kstate8 m, struct kstate8 v);
	/* Lion (arXiv 2302.06675) as bitsandbytes has it: decay, then a step of lr by the sign. */
	int (*lion)(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p, struct kbuf g,
		struct kbuf m);
	int (*lion8)(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p, struct kbuf g,
		struct kstate8 m);
	/* torch's, without momentum; decay is added to the gradient. rmsprop's alpha is beta2. */
	int (*rmsprop)(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p,
		struct kbuf g, struct kbuf v);
	int (*rmsprop8)(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p,
		struct kbuf g, struct kstate8 v); /* by the signed map, as bitsandbytes */
	int (*sgd)(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p, struct kbuf g);
	/* AdEMAMix (arXiv 2409.03137) as bitsandbytes has it: AdamW with a second, slow mean. */
	int (*ademamix)(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p,
		struct kbuf g, struct kbuf m, struct kbuf slow, struct kbuf v);
	int (*ademamix8)(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p,
		struct kbuf g, struct kstate8 m, struct kstate8 slow, struct kstate8 v);
	/* Adafactor (arXiv 1804.04235) of a matrix as transformers runs it: lr as given, updates clipped
	 * to an RMS of 1, squares decaying with step^-0.8, means of squares by row[rows] and col[cols]. A
	 * vector has cols 0 and all its squares in row. */
	int (*adafactor)(struct kctx *c, const struct koptim *o, size_t rows, size_t cols,
		struct kbuf p, struct kbuf g, struct kbuf row, struct kbuf col);
};

/* select.c: the backends built in, best first; the last is the plain one. NULL-terminated. */
extern const struct kernels *const kernels_all[];
extern const struct kernels kernels_plain;

/*
 * name NULL or "auto": the first that can run here. A name that is unknown or cannot run here
 * gives NULL and *why (a static string). device: "auto", "cpu", "cuda", "cuda:N".
 */
const struct kernels *kernels_select(const char *device, const char *name, const char **why);
/* word: NULL or "auto" (its best), "f32", "bf16"; KP_NONE: k has no such precision. And back. */
enum kprecision kernels_precision(const struct kernels *k, const char *word);
const char *kernels_precision_name(enum kprecision p);

#endif
