/*
 * Optimizers' updates but torch's AdamW: the one source, compiled plain (kernels/cpu/update.c) and for
 * each instruction set (kernels/x86/update.c, which defines UPDATE). Every rounding is written
 * down, fused ones as torch 2.13 fuses them on x86, so that all give the same bits.
 */
#ifndef KERNELS_CPU_UPDATE_H
#define KERNELS_CPU_UPDATE_H

#include "kernels/cpu/cpu_int.h"
#include "kernels/quant.h"

#include <math.h>
#include <string.h>

#ifndef UPDATE
#define UPDATE(name) plain_##name
#endif

enum { RUN = 16 * KSTATE8_BLOCK };

/* Codes and absmax of one state. */
struct state8 {
	const struct quant8 *q;
	uint8_t *code;
	float *absmax;
};

struct update {
	size_t n;
	float *p;
	const float *g;
	float *s, *slow, *sq; /* states in f32: the first is the only one of most */
	struct state8 m, m2, v;
	float lr, gscale, wd, decay, b1, w1, b2, w2, b3, w3, alpha, bias, rate, root, eps;
};

static struct update update_of(
	const struct koptim *o, size_t n, struct kbuf p, struct kbuf g, struct kbuf s)
{
	return (struct update){.n = n,
		.p = p.p,
		.g = g.p,
		.s = s.p,
		.lr = (float)-o->lr,
		.gscale = o->gscale,
		.wd = (float)o->weight_decay,
		.decay = (float)(1 - o->lr * o->weight_decay),
		.b1 = (float)o->beta1,
		.w1 = (float)(1 - o->beta1),
		.b2 = (float)o->beta2,
		.w2 = (float)(1 - o->beta2),
		.b3 = (float)o->beta3,
		.w3 = (float)(1 - o->beta3),
		.alpha = (float)o->alpha,
		.bias = (float)(1 - pow(o->beta1, (double)o->step)),
		.rate = (float)(-o->lr / (1 - pow(o->beta1, (double)o->step))),
		.root = (float)sqrt(1 - pow(o->beta2, (double)o->step)),
		.eps = (float)o->eps};
}

static int update_run(struct kctx *c, struct update *u, void (*block)(void *, size_t, int))
{
	cpu_run(c, u->n * 2, cpu_blocks(u->n, RUN), block, u);
	return KE_OK;
}

static float sign_of(float x)
{
	return (float)(x > 0) - (float)(x < 0);
}

/* ---- 8 bits ---------------------------------------------------------------------------------- */

static void decode8(const struct state8 *s, size_t at, size_t n, float *restrict x)
{
	float absmax = s->absmax[at / KSTATE8_BLOCK];
	for (size_t i = 0; i < n; i++)
		x[i] = s->q->map[s->code[at + i]] * absmax;
}

static void encode8(const struct state8 *s, size_t at, size_t n, const float *restrict x)
{
	uint32_t greatest = 0; /* as bits: magnitudes keep their order */
	for (size_t i = 0; i < n; i++) {
		uint32_t u;
		memcpy(&u, x + i, sizeof u);
		u &= 0x7fffffff;
		greatest = u > greatest ? u : greatest;
	}
	float absmax;
	memcpy(&absmax, &greatest, sizeof absmax);
	int place[KSTATE8_BLOCK];
	float inverse = 1 / absmax; /* of zeros: NaN each, whose place is 0 */
	for (size_t i = 0; i < n; i++)
		place[i] = quant8_place(x[i] * inverse);
	for (size_t i = 0; i < n; i++)
		s->code[at + i] = s->q->code[place[i]];
	s->absmax[at / KSTATE8_BLOCK] = absmax;
}

static void adamw8_part(const struct update *u, size_t at, size_t n)
{
	float m[KSTATE8_BLOCK], v[KSTATE8_BLOCK], *restrict p = u->p + at;
	const float *restrict g = u->g + at;
	decode8(&u->m, at, n, m);
	decode8(&u->v, at, n, v);
	for (size_t i = 0; i < n; i++) {
		float d = g[i] * u->gscale;
		m[i] = fmaf(d, u->w1, m[i] * u->b1);
		v[i] = fmaf(u->w2 * d, d, v[i] * u->b2);
		p[i] = p[i] * u->decay + u->rate * m[i] / (sqrtf(v[i]) / u->root + u->eps);
	}
	encode8(&u->m, at, n, m);
	encode8(&u->v, at, n, v);
}

static void ademamix_part(const struct update *u, size_t at, size_t n, float *restrict m,
	float *restrict slow, float *restrict v)
{
	float *restrict p = u->p + at;
	const float *restrict g = u->g + at;
	for (size_t i = 0; i < n; i++) {
		float d = g[i] * u->gscale;
		m[i] = fmaf(d, u->w1, m[i] * u->b1);
		slow[i] = fmaf(d, u->w3, slow[i] * u->b3);
		v[i] = fmaf(u->w2 * d, d, v[i] * u->b2);
		float mix = m[i] / u->bias + u->alpha * slow[i];
		p[i] = fmaf(mix / (sqrtf(v[i]) / u->root + u->eps), u->lr, p[i] * u->decay);
	}
}

static void rmsprop_part(const struct update *u, size_t at, size_t n, float *restrict v)
{
	float *restrict p = u->p + at;
	const float *restrict g = u->g + at;
	for (size_t i = 0; i < n; i++) {
		float d = fmaf(p[i], u->wd, g[i] * u->gscale);
		v[i] = fmaf(u->w2 * d, d, v[i] * u->b2);
		p[i] += u->lr * d / (sqrtf(v[i]) + u->eps);
	}
}

static void lion_part(const struct update *u, size_t at, size_t n, float *restrict m)
{
	float *restrict p = u->p + at;
	const float *restrict g = u->g + at;
	for (size_t i = 0; i < n; i++) {
		float d = g[i] * u->gscale;
		p[i] = p[i] * u->decay + u->lr * sign_of(m[i] * u->b1 + d * u->w1);
		m[i] = fmaf(d, u->w2, m[i] * u->b2);
	}
}

static void adamw8_block(void *arg, size_t i, int worker)
{
	const struct update *u = arg;
	size_t end = cpu_min(u->n, (i + 1) * RUN);
	(void)worker;
	for (size_t at = i * RUN; at < end; at += KSTATE8_BLOCK)
		adamw8_part(u, at, cpu_min(KSTATE8_BLOCK, end - at));
}

static void lion8_block(void *arg, size_t i, int worker)
{
	const struct update *u = arg;
	size_t end = cpu_min(u->n, (i + 1) * RUN);
	(void)worker;
	for (size_t at = i * RUN; at < end; at += KSTATE8_BLOCK) {
		float m[KSTATE8_BLOCK];
		size_t n = cpu_min(KSTATE8_BLOCK, end - at);
		decode8(&u->m, at, n, m);
		lion_part(u, at, n, m);
		encode8(&u->m, at, n, m);
	}
}

static void rmsprop8_block(void *arg, size_t i, int worker)
{
	const struct update *u = arg;
	size_t end = cpu_min(u->n, (i + 1) * RUN);
	(void)worker;
	for (size_t at = i * RUN; at < end; at += KSTATE8_BLOCK) {
		float v[KSTATE8_BLOCK];
		size_t n = cpu_min(KSTATE8_BLOCK, end - at);
		decode8(&u->v, at, n, v);
		rmsprop_part(u, at, n, v);
		encode8(&u->v, at, n, v);
	}
}

static void ademamix8_block(void *arg, size_t i, int worker)
{
	const struct update *u = arg;
	size_t end = cpu_min(u->n, (i + 1) * RUN);
	(void)worker;
	for (size_t at = i * RUN; at < end; at += KSTATE8_BLOCK) {
		float m[KSTATE8_BLOCK], slow[KSTATE8_BLOCK], v[KSTATE8_BLOCK];
		size_t n = cpu_min(KSTATE8_BLOCK, end - at);
		decode8(&u->m, at, n, m);
		decode8(&u->m2, at, n, slow);
		decode8(&u->v, at, n, v);
		ademamix_part(u, at, n, m, slow, v);
		encode8(&u->m, at, n, m);
		encode8(&u->m2, at, n, slow);
		encode8(&u->v, at, n, v);
	}
}

static int state8(struct kctx *c, struct state8 *s, struct kstate8 k, int squares)
{
	const struct quant8 *maps = cpu_maps8(c);
	if (!maps)
		return KE_MEMORY;
	*s = (struct state8){&maps[squares], k.code.p, k.absmax.p};
	return k.code.t == DT_U8 ? CPU_F32(k.absmax) : KE_TYPE;
}

int UPDATE(adamw8)(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p, struct kbuf g,
	struct kstate8 m, struct kstate8 v)
{
	struct update u = update_of(o, n, p, g, (struct kbuf){0});
	int rc = CPU_F32(p, g);
	if (rc == KE_OK)
		rc = state8(c, &u.m, m, 0);
	if (rc == KE_OK)
		rc = state8(c, &u.v, v, 1);
	return rc == KE_OK ? update_run(c, &u, adamw8_block) : rc;
}

int UPDATE(lion8)(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p, struct kbuf g,
	struct kstate8 m)
{
	struct update u = update_of(o, n, p, g, (struct kbuf){0});
	int rc = CPU_F32(p, g);
	if (rc == KE_OK)
		rc = state8(c, &u.m, m, 0);
	return rc == KE_OK ? update_run(c, &u, lion8_block) : rc;
}

int UPDATE(rmsprop8)(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p, struct kbuf g,
	struct kstate8 v)
{
	struct update u = update_of(o, n, p, g, (struct kbuf){0});
	int rc = CPU_F32(p, g);
	if (rc == KE_OK)
		rc = state8(c, &u.v, v, 0);
	return rc == KE_OK ? update_run(c, &u, rmsprop8_block) : rc;
}

int UPDATE(ademamix8)(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p,
	struct kbuf g, struct kstate8 m, struct kstate8 slow, struct kstate8 v)
{
	struct update u = update_of(o, n, p, g, (struct kbuf){0});
	int rc = CPU_F32(p, g);
	if (rc == KE_OK)
		rc = state8(c, &u.m, m, 0);
	if (rc == KE_OK)
		rc = state8(c, &u.m2, slow, 0);
	if (rc == KE_OK)
		rc = state8(c, &u.v, v, 1);
	return rc == KE_OK ? update_run(c, &u, ademamix8_block) : rc;
}

/* ---- f32 ------------------------------------------------------------------------------------- */

static void lion_block(void *arg, size_t i, int worker)
{
	const struct update *u = arg;
	(void)worker;
	lion_part(u, i * RUN, cpu_min(RUN, u->n - i * RUN), u->s + i * RUN);
}

static void rmsprop_block(void *arg, size_t i, int worker)
{
	const struct update *u = arg;
	(void)worker;
	rmsprop_part(u, i * RUN, cpu_min(RUN, u->n - i * RUN), u->s + i * RUN);
}

static void ademamix_block(void *arg, size_t i, int worker)
{
	const struct update *u = arg;
	size_t at = i * RUN;
	(void)worker;
	ademamix_part(u, at, cpu_min(RUN, u->n - at), u->s + at, u->slow + at, u->sq + at);
}

static void sgd_block(void *arg, size_t i, int worker)
{
	const struct update *u = arg;
	size_t at = i * RUN, n = cpu_min(RUN, u->n - at);
	float *restrict p = u->p + at;
	const float *restrict g = u->g + at;
	(void)worker;
	for (size_t j = 0; j < n; j++)
		p[j] = fmaf(fmaf(p[j], u->wd, g[j] * u->gscale), u->lr, p[j]);
}

int UPDATE(lion)(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p, struct kbuf g,
	struct kbuf m)
{
	struct update u = update_of(o, n, p, g, m);
	return CPU_F32(p, g, m) ? KE_TYPE : update_run(c, &u, lion_block);
}

int UPDATE(rmsprop)(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p, struct kbuf g,
	struct kbuf v)
{
	struct update u = update_of(o, n, p, g, v);
	return CPU_F32(p, g, v) ? KE_TYPE : update_run(c, &u, rmsprop_block);
}

int UPDATE(ademamix)(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p, struct kbuf g,
	struct kbuf m, struct kbuf slow, struct kbuf v)
{
	struct update u = update_of(o, n, p, g, m);
	u.slow = slow.p;
	u.sq = v.p;
	return CPU_F32(p, g, m, slow, v) ? KE_TYPE : update_run(c, &u, ademamix_block);
}

int UPDATE(sgd)(struct kctx *c, const struct koptim *o, size_t n, struct kbuf p, struct kbuf g)
{
	struct update u = update_of(o, n, p, g, (struct kbuf){0});
	return CPU_F32(p, g) ? KE_TYPE : update_run(c, &u, sgd_block);
}

#endif
