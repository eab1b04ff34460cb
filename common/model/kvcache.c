/*
 * Generation: the decoder over the newest tokens, whose keys and values join those of the tokens
 * before in a cache. The cache is a forest too: rows [0, P) are the prompt, sequence i has its own
 * run of rows after it, so several samples of one prompt share the prompt's keys.
 */
#include "common/model/model_int.h"

#include "common/mem.h"

#include <math.h>
#include <string.h>

enum { PIECE = 256 }; /* prompt tokens fed at once: bounds the workspace */

struct kvcache {
	struct model *m;
	struct workspace *ws;
	size_t cap, n;
	size_t prompt;	   /* P */
	size_t *len;	   /* [n] tokens of each sequence after the prompt */
	struct cache rows; /* [n * cap, kv] a layer */
	size_t *self;
	struct forest f; /* the rows of one call; its segments name rows of the cache */
};

struct kvcache *kvcache_new(struct model *m, size_t cap, size_t n, struct err *e)
{
	const struct model_config *c = &m->config;
	struct kvcache *kv = mem_zalloc(1, sizeof *kv);
	size_t row = c->kv_heads * c->head_dim * sizeof(float);
	size_t bytes = mem_mul(mem_mul(cap, n), row);
	kv->m = m;
	kv->cap = cap;
	kv->n = n;
	kv->len = mem_zalloc(n, sizeof *kv->len);
	kv->rows.k = mem_zalloc(c->layers, sizeof *kv->rows.k);
	kv->rows.v = mem_zalloc(c->layers, sizeof *kv->rows.v);
	kv->ws = workspace_new(m);
	kv->ws->cache = &kv->rows;
	size_t rows = n > PIECE ? n : PIECE;
	kv->rows.self = kv->self = mem_alloc(rows, sizeof *kv->self);
	for (size_t i = 0; i < rows; i++)
		kv->self[i] = i;
	for (size_t i = 0; i < c->layers; i++) {
		kv->rows.k[i] = (struct kbuf){m->k->alloc(m->kc, bytes), DT_F32};
		kv->rows.v[i] = (struct kbuf){m->k->alloc(m->kc, bytes), DT_F32};
		if (!kv->rows.k[i].p || !kv->rows.v[i].p) {
			kvcache_free(kv);
			err_set(e, STATUS_SYSTEM,
				"no memory for the keys and values of %zu sequences of %zu tokens",
				n, cap);
			return NULL;
		}
	}
	return kv;
}

void kvcache_free(struct kvcache *kv)
{
	if (!kv)
		return;
	for (size_t i = 0; i < kv->m->config.layers; i++) {
		kv->m->k->free(kv->m->kc, kv->rows.k[i].p);
		kv->m->k->free(kv->m->kc, kv->rows.v[i].p);
	}
	workspace_free(kv->ws);
	forest_done(&kv->f);
	mem_free(kv->self);
	mem_free(kv->len);
	mem_free(kv->rows.k);
	mem_free(kv->rows.v);
	mem_free(kv);
}

/* Runs the rows of kv->f; logits of the last `n` rows, in order. */
static int run_layers(struct kvcache *kv, size_t n, float *logits, struct err *e)
{
	struct forest *f = &kv->f;
	f->nlabels = 0;
	for (size_t i = 0; i < n; i++) {
		mem_grow(&f->labels, &f->cap_labels, i + 1, sizeof *f->labels);
		f->labels[f->nlabels++] = (struct label){.row = f->ntok - n + i};
	}
	if (model_logits_begin(kv->ws, f, e) < 0)
		return -1;
	return model_logits(kv->ws, 0, n, logits, e);
}

static int no_room(const struct kvcache *kv, struct err *e)
{
	return err_data(e, "more than %zu tokens do not fit in the cache", kv->cap);
}

int model_prefill(struct model *m, struct kvcache *kv, const uint32_t *ids, size_t n, float *logits,
	struct err *e)
{
	(void)m;
	memset(kv->len, 0, kv->n * sizeof *kv->len);
	if (n == 0)
		return err_data(e, "the prompt is empty");
	if (n > kv->cap)
		return no_room(kv, e);
	for (size_t at = 0, len; at < n; at += len) {
		len = n - at < PIECE ? n - at : PIECE;
		forest_reset(&kv->f);
		forest_segment(&kv->f, -1, ids + at, len, 0);
		struct kseg *s = &kv->f.segs[0];
		s->nk = at + len;
		s->k0 = 0;
		for (size_t i = 0; i < len; i++)
			kv->f.pos[i] = (uint32_t)(at + i);
		if (run_layers(kv, at + len == n, logits, e) < 0)
			return -1;
	}
	kv->prompt = n;
	return 0;
}

int model_step(struct model *m, struct kvcache *kv, const uint32_t *next, const uint8_t *live,
	float *logits, struct err *e)
{
	size_t own = kv->cap - kv->prompt;
	struct forest *f = &kv->f;
	forest_reset(f);
	int root = forest_segment(f, -1, NULL, 0, 0);
	f->segs[root] = (struct kseg){.nk = kv->prompt, .parent = -1};
	for (size_t i = 0; i < kv->n; i++) {
		if (!live[i])
			continue;
		if (kv->len[i] >= own)
			return no_room(kv, e);
		int seg = forest_segment(f, root, &next[i], 1, (uint32_t)i);
		f->pos[f->ntok - 1] = (uint32_t)(kv->prompt + kv->len[i]);
		f->segs[seg].k0 = kv->prompt + i * own;
		f->segs[seg].nk = ++kv->len[i];
	}
	if (f->ntok == 0)
		return 0;
	/* Rows of live sequences come out packed; spread them, the last first. */
	if (run_layers(kv, f->ntok, logits, e) < 0)
		return -1;
	size_t V = m->config.vocab, row = f->ntok;
	for (size_t i = kv->n; i-- > 0;) {
		if (live[i] && --row != i)
			memmove(logits + i * V, logits + row * V, V * sizeof *logits);
	}
	return 0;
}
