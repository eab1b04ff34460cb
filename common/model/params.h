/*
 * Everything that trains lives in one arena: adapters, or all weights, or both. Values and
 * gradients are two f32 arrays in the backend's memory; a parameter is a named range of them, so
 * clipping, optimizer, checkpoint and all-reduce are one loop each.
 */
#ifndef COMMON_MODEL_PARAMS_H
#define COMMON_MODEL_PARAMS_H

#include "common/err.h"
#include "kernels/kernels.h"

struct param {
	char *name; /* the file's name: "base_model.model.….lora_A.weight", or the model's own */
	size_t rows, cols; /* cols 0: a vector of `rows` */
	size_t offset;	   /* in elements */
	int decay;	   /* weight decay applies (not norms, not biases) */
};

struct params {
	struct param *p;
	size_t n, cap;
	size_t total; /* elements, each parameter padded to 16 */
	struct kbuf value,
		grad; /* [total] f32; p NULL until params_alloc; grad only when training */
};

/* Returns the index. Before params_alloc. */
size_t params_add(struct params *ps, const char *name, size_t rows, size_t cols, int decay);
int params_alloc(
	struct params *ps, const struct kernels *k, struct kctx *c, int with_grad, struct err *e);
void params_done(struct params *ps, const struct kernels *k, struct kctx *c);
static inline size_t param_len(const struct param *p)
{
	return p->rows * (p->cols ? p->cols : 1);
}
static inline struct kbuf param_value(const struct params *ps, size_t i)
{
	return kbuf_at(ps->value, ps->p[i].offset);
}
static inline struct kbuf param_grad(const struct params *ps, size_t i)
{
	return ps->grad.p ? kbuf_at(ps->grad, ps->p[i].offset) : ps->grad;
}

#endif
