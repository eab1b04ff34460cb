#include "tools/gen/generate.h"

#include "common/mem.h"

#include <string.h>
#include <xxhash.h>

void generator_init(struct generator *g, const struct sampling *how, long tokenizer_eos)
{
	const struct model_config *c = model_config(g->m);
	sampler_init(&g->sampler, how, c->vocab);
	g->seq = mem_zalloc(g->nseq, sizeof *g->seq);
	g->logits = mem_alloc(mem_mul(g->nseq, c->vocab), sizeof *g->logits);
	g->next = mem_alloc(g->nseq, sizeof *g->next);
	g->live = mem_alloc(g->nseq, sizeof *g->live);
	memcpy(g->stop_id, c->eos, c->neos * sizeof *c->eos);
	g->nstop_id = c->neos;
	if (tokenizer_eos >= 0)
		g->stop_id[g->nstop_id++] = tokenizer_eos;
}

void generator_done(struct generator *g)
{
	for (size_t i = 0; g->seq && i < g->nseq; i++) {
		mem_free(g->seq[i].ids);
		str_done(&g->seq[i].text);
	}
	mem_free(g->seq);
	mem_free(g->logits);
	mem_free(g->next);
	mem_free(g->live);
	sampler_done(&g->sampler);
	kvcache_free(g->kv);
}

/* A cache for this prompt; the one there is when it is large enough. */
static int make_room(struct generator *g, size_t prompt, struct err *e)
{
	size_t window = model_config(g->m)->window;
	size_t need = prompt + g->max_new;
	if (window && need > window)
		return err_data(e, "prompt and --max-new-tokens are %zu tokens, more than the model's sliding window of %zu",
			need, window);
	if (g->kv && need <= g->kv_cap)
		return 0;
	kvcache_free(g->kv);
	g->kv_cap = need;
	g->kv = kvcache_new(g->m, need, g->nseq, e);
	return g->kv ? 0 : -1;
}

static void begin(struct generator *g, const uint32_t *prompt, size_t n)
{
	uint64_t stream = XXH64(prompt, n * sizeof *prompt, 0);
	for (size_t i = 0; i < g->nseq; i++) {
		struct sequence *s = &g->seq[i];
		mem_grow(&s->ids, &s->cap, n, sizeof *s->ids);
		memcpy(s->ids, prompt, n * sizeof *prompt);
		s->n = n;
		s->live = 1;
		str_reset(&s->text);
		rng_init(&s->rng, g->seed, stream + i);
	}
}

static int is_stop_id(const struct generator *g, uint32_t id)
{
	for (size_t i = 0; i < g->nstop_id; i++) {
		if (g->stop_id[i] == (long)id)
			return 1;
	}
	return 0;
}

/* Decodes the answer so far, cut at the first stop text: 1 when there is one. */
static int decode(struct generator *g, struct sequence *s, size_t prompt, struct err *e)
{
	str_reset(&s->text);
	if (tokenizer_decode(g->enc, s->ids + prompt, s->n - prompt, 1, &s->text, e) < 0)
		return -1;
	size_t cut = s->text.len;
	for (size_t i = 0; i < g->nstop; i++) {
		const char *at = s->text.len ? memmem(s->text.s, s->text.len, g->stop[i], strlen(g->stop[i])) : NULL;
		if (at && (size_t)(at - s->text.s) < cut)
			cut = (size_t)(at - s->text.s);
	}
	if (cut == s->text.len)
		return 0;
	str_cut(&s->text, cut);
	return 1;
}

/* Takes the next token of a live sequence from its logits. */
static int advance(struct generator *g, size_t i, size_t prompt, struct err *e)
{
	struct sequence *s = &g->seq[i];
	const float *logits = g->logits + i * model_config(g->m)->vocab;
	uint32_t id = sampler_next(&g->sampler, logits, s->ids, s->n, &s->rng);
	g->tokens++;
	if (is_stop_id(g, id)) {
		s->live = 0;
		return 0;
	}
	mem_grow(&s->ids, &s->cap, s->n + 1, sizeof *s->ids);
	s->ids[s->n++] = g->next[i] = id;
	if (s->n - prompt == g->max_new)
		s->live = 0;
	int stopped = g->nstop ? decode(g, s, prompt, e) : 0;
	if (stopped > 0)
		s->live = 0;
	return stopped < 0 ? -1 : 0;
}

int generate(struct generator *g, const uint32_t *prompt, size_t n, struct err *e)
{
	size_t V = model_config(g->m)->vocab;
	if (make_room(g, n, e) < 0 || model_prefill(g->m, g->kv, prompt, n, g->logits, e) < 0)
		return -1;
	begin(g, prompt, n);
	for (size_t i = 1; i < g->nseq; i++)
		memcpy(g->logits + i * V, g->logits, V * sizeof *g->logits);
	for (;;) {
		int any = 0;
		for (size_t i = 0; i < g->nseq; i++) {
			if (g->seq[i].live && advance(g, i, n, e) < 0)
				return -1;
			any |= g->live[i] = (uint8_t)g->seq[i].live;
		}
		if (!any)
			break;
		if (model_step(g->m, g->kv, g->next, g->live, g->logits, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < g->nseq; i++) {
		if (decode(g, &g->seq[i], n, e) < 0)
			return -1;
	}
	return 0;
}
