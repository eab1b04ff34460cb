/*
 * What the backends that run on the host share: the context (a team and a scratch block a worker),
 * weight handles, dropout masks, and the plain operations that the others fall back on.
 */
#ifndef KERNELS_CPU_CPU_INT_H
#define KERNELS_CPU_CPU_INT_H

#include "kernels/kernels.h"
#include "kernels/team.h"

struct kctx {
	enum kprecision precision;
	struct team *team;
	size_t scratch_bytes;
	void **scratch; /* one block a worker, 64-byte aligned */
	void *shared;	/* one block that all workers see; see cpu_reserve_shared */
	size_t shared_bytes;
	/* cpu_drop or a faster one with the same result. */
	void (*drop)(const struct kdropout *d, size_t t, size_t k0, size_t nk, const float *x,
		float *dst);
	/* Likewise cpu_rows_bf16, for what is not bf16 in memory. */
	const void *(*rows_bf16)(
		const struct kweight *w, size_t n, size_t k0, size_t nk, void *dst);
	struct quant8 *maps8; /* see cpu_maps8 */
	void *own;	      /* the backend's, malloc'ed; cpu_close frees it */
	char text[160];	      /* kernels.describe */
};

/*
 * team_run, or a loop on the caller where the work is less than waking the others would take. work:
 * elements that are read and written once, or 16 multiply-adds of a product; 32768 are about 10 us.
 */
enum { CPU_SMALL = 32768 };
static inline void cpu_run(
	struct kctx *c, size_t work, size_t n, void (*fn)(void *, size_t, int), void *arg)
{
	team_run(work < CPU_SMALL ? NULL : c->team, n, fn, arg);
}

/* Every worker's scratch has at least `bytes` after this; contents are lost. KE_MEMORY: it has not.
 */
int cpu_reserve(struct kctx *c, size_t bytes);
int cpu_reserve_shared(struct kctx *c, size_t bytes);

/* The dynamic maps of 8-bit states: [0] signed, [1] unsigned; made when first asked for, NULL: no
 * memory. */
const struct quant8 *cpu_maps8(struct kctx *c);

int cpu_open(const struct kernels *self, int device, int threads, enum kprecision precision,
	struct kctx **out);
void cpu_close(struct kctx *c);
const char *cpu_describe(const struct kctx *c);
void *cpu_alloc(struct kctx *c, size_t bytes);
void cpu_free(struct kctx *c, void *p);
int cpu_zero(struct kctx *c, void *p, size_t bytes);
int cpu_write(struct kctx *c, void *dst, const void *host, size_t bytes);
int cpu_read(struct kctx *c, void *host, const void *src, size_t bytes);

/* Entries of the table that all host backends have. */
#define CPU_ENTRIES                                                                                \
	.version = KERNELS_VERSION, .close = cpu_close, .describe = cpu_describe,                  \
	.alloc = cpu_alloc, .free = cpu_free, .zero = cpu_zero, .write = cpu_write,                \
	.read = cpu_read, .weight_new_param = cpu_weight_new_param,                                \
	.weight_refresh = cpu_weight_refresh, .weight_free = cpu_weight_free,                      \
	.weight_bytes = cpu_weight_bytes, .gather = plain_gather, .gather_bwd = plain_gather_bwd,  \
	.rows_gather = plain_rows_gather, .rows_scatter = plain_rows_scatter,                      \
	.adafactor = plain_adafactor, .scale_columns = plain_scale_columns,                        \
	.sum_columns = plain_sum_columns, .dropout = plain_dropout,                                \
	.gather_columns = plain_gather_columns, .scatter_columns = plain_scatter_columns

/* Entries that x86 has faster. */
#define PLAIN_ENTRIES                                                                              \
	.weight_new = cpu_weight_new, .rmsnorm_fwd = plain_rmsnorm_fwd,                            \
	.rmsnorm_bwd = plain_rmsnorm_bwd, .rope = plain_rope, .attn_fwd = plain_attn_fwd,          \
	.attn_bwd = plain_attn_bwd, .swiglu_fwd = plain_swiglu_fwd,                                \
	.swiglu_bwd = plain_swiglu_bwd, .keep = plain_keep, .restore = plain_restore,              \
	.axpy = plain_axpy, .softmax_label = plain_softmax_label, .sumsq = plain_sumsq,            \
	.adamw = plain_adamw, .adamw8 = plain_adamw8, .lion = plain_lion, .lion8 = plain_lion8,    \
	.rmsprop = plain_rmsprop, .rmsprop8 = plain_rmsprop8, .sgd = plain_sgd,                    \
	.ademamix = plain_ademamix, .ademamix8 = plain_ademamix8

/* ---- weights ---- */

struct kweight {
	struct kweight_desc d;
	/* Row n, columns [k0, k0+nk): unpacked to dst, or a pointer into the weight itself. */
	const float *(*rows)(const struct kweight *w, size_t n, size_t k0, size_t nk, float *dst);
	/* The same rounded to bf16, nk of them; what it points to may be unaligned. */
	const void *(*rows_bf16)(
		const struct kweight *w, size_t n, size_t k0, size_t nk, void *dst);
};

/* rows_bf16 by way of rows. */
const void *cpu_rows_bf16(const struct kweight *w, size_t n, size_t k0, size_t nk, void *dst);
int cpu_weight_new(
	struct kctx *c, const struct kweight_desc *d, unsigned uses, struct kweight **out);
int cpu_weight_new_param(
	struct kctx *c, struct kbuf w, size_t n, size_t k, unsigned uses, struct kweight **out);
int cpu_weight_refresh(struct kctx *c, struct kweight *w);
void cpu_weight_free(struct kctx *c, struct kweight *w);
size_t cpu_weight_bytes(const struct kweight_desc *d, unsigned uses);

/* ---- dropout: dst[k0..k0+nk) of row t = x times the mask (0 or 1/(1-p)) ---- */

void cpu_drop(const struct kdropout *d, size_t t, size_t k0, size_t nk, const float *x, float *dst);

/* ---- paths: the keys of segment i's ancestors, root first, then its own; numbered from 0 ---- */

size_t cpu_path_keys(const struct kattn *a, int i);
/* Rows of keys p0 … p0+n-1 of the path to row[]. */
void cpu_path_rows(const struct kattn *a, int i, size_t p0, size_t n, size_t *row);

/* ---- plain operations; contracts in kernels.h ---- */

int plain_gather(
	struct kctx *c, const struct kweight *w, const uint32_t *ids, size_t T, struct kbuf out);
int plain_gather_bwd(
	struct kctx *c, const uint32_t *ids, size_t T, size_t K, struct kbuf dout, struct kbuf dw);
int plain_linear_fwd(struct kctx *c, const struct klinear *l, struct kbuf x, size_t T,
	struct kbuf y, struct kbuf h);
int plain_linear_bwd(struct kctx *c, const struct klinear *l, struct kbuf x, struct kbuf h,
	struct kbuf dy, size_t T, struct kbuf dx, int accumulate);
int plain_scale_columns(struct kctx *c, struct kbuf x, struct kbuf g, struct kbuf bias, size_t T,
	size_t N, struct kbuf y, int accumulate);
int plain_sum_columns(struct kctx *c, struct kbuf a, struct kbuf b, struct kbuf scale, size_t T,
	size_t N, struct kbuf out);
int plain_dropout(struct kctx *c, const struct kdropout *drop, struct kbuf x, size_t T, size_t K,
	struct kbuf y);
int plain_gather_columns(struct kctx *c, struct kbuf a, const uint32_t *ids, size_t T, size_t R,
	size_t V, float scale, struct kbuf out);
int plain_scatter_columns(struct kctx *c, struct kbuf dout, const uint32_t *ids, size_t T, size_t R,
	size_t V, float scale, struct kbuf da);
int plain_rmsnorm_fwd(struct kctx *c, struct kbuf x, struct kbuf add, struct kbuf sum,
	struct kbuf g, float offset, float eps, size_t T, size_t K, struct kbuf y,
	struct kbuf rstd);
int plain_rmsnorm_bwd(struct kctx *c, struct kbuf x, struct kbuf g, float offset, struct kbuf rstd,
	struct kbuf dy, size_t T, size_t K, struct kbuf dx, struct kbuf dg);
int plain_rope(struct kctx *c, struct kbuf x, size_t T, size_t heads, size_t D, const uint32_t *pos,
	const float *inv_freq, float mscale, int inverse);
int plain_attn_fwd(struct kctx *c, const struct kattn *a, struct kbuf q, struct kbuf k,
	struct kbuf v, struct kbuf out, struct kbuf lse);
int plain_attn_bwd(struct kctx *c, const struct kattn *a, struct kbuf q, struct kbuf k,
	struct kbuf v, struct kbuf out, struct kbuf lse, struct kbuf dout, struct kbuf dq,
	struct kbuf dk, struct kbuf dv);
int plain_swiglu_fwd(struct kctx *c, struct kbuf gate, struct kbuf up, size_t n, struct kbuf y);
int plain_swiglu_bwd(struct kctx *c, struct kbuf gate, struct kbuf up, struct kbuf dy, size_t n,
	struct kbuf dgate, struct kbuf dup);
int plain_keep(struct kctx *c, struct kbuf x, size_t n, struct kbuf kept);
int plain_restore(struct kctx *c, struct kbuf kept, size_t n, struct kbuf x);
int plain_axpy(struct kctx *c, float a, struct kbuf x, size_t n, struct kbuf y);
int plain_rows_gather(
	struct kctx *c, struct kbuf x, const size_t *rows, size_t L, size_t K, struct kbuf out);
int plain_rows_scatter(struct kctx *c, struct kbuf dout, const double *s, const size_t *rows,
	size_t L, size_t K, struct kbuf dx);
int plain_softmax_label(struct kctx *c, struct kbuf logits, const uint32_t *target, size_t L,
	size_t V, unsigned stats, int grad, const double *coef, struct klabel_out *out);
int plain_sumsq(struct kctx *c, struct kbuf x, size_t n, double *out);
int plain_adamw(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p, struct kbuf g,
	struct kbuf m, struct kbuf v);
int plain_adamw8(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p, struct kbuf g,
	struct kstate8 m, struct kstate8 v);
int plain_lion(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p, struct kbuf g,
	struct kbuf m);
int plain_lion8(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p, struct kbuf g,
	struct kstate8 m);
int plain_rmsprop(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p, struct kbuf g,
	struct kbuf v);
int plain_sgd(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p, struct kbuf g);
int plain_rmsprop8(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p, struct kbuf g,
	struct kstate8 v);
int plain_ademamix(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p, struct kbuf g,
	struct kbuf m, struct kbuf slow, struct kbuf v);
int plain_ademamix8(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p, struct kbuf g,
	struct kstate8 m, struct kstate8 slow, struct kstate8 v);
int plain_adafactor(struct kctx *c, const struct koptim *o, size_t rows, size_t cols, struct kbuf p,
	struct kbuf g, struct kbuf row, struct kbuf col);

/* y = x W^T + bias for a weight with a threshold; the adapter is the caller's. */
int cpu_int8_fwd(struct kctx *c, const struct klinear *l, const float *x, size_t T, float *y);

/* KE_TYPE unless every buffer that has memory is f32. */
int cpu_all_f32(const struct kbuf *b, size_t n);
#define CPU_F32(...)                                                                               \
	cpu_all_f32((const struct kbuf[]){__VA_ARGS__},                                            \
		sizeof(struct kbuf[]){__VA_ARGS__} / sizeof(struct kbuf))

/* Dot product in a fixed order: 16 partial sums, then pairwise. */
float plain_dot(const float *a, const float *b, size_t n);

static inline size_t cpu_min(size_t a, size_t b)
{
	return a < b ? a : b;
}

static inline size_t cpu_blocks(size_t n, size_t block)
{
	return n / block + (n % block != 0);
}

#endif
