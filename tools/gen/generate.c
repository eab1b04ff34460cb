#include "tools/gen/generate.h"

#include "common/mem.h"

#include <string.h>
#include <xxhash.h>

void generator_init(struct generator *g, const struct sampling *how)
{
	const struct model_config *c = model_config(g->m);
	sampler_init(&g->sampler, how, c->vocab);
	g->seq = mem_zalloc(g->nseq, sizeof *g->seq);
	g->logits = mem_alloc(mem_mul(g->nseq, c->vocab), sizeof *g->logits);
	g->next = mem_alloc(g->nseq, sizeof *g->next);
	g->live = mem_alloc(g->nseq, sizeof *g->live);
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
	str_done(&g->prompt_text);
	str_done(&g->whole);
}

/* A cache for this prompt; the one there is when it is large enough. */
static int make_room(struct generator *g, size_t prompt, struct err *e)
{
	size_t need = prompt + g->max_new;
	if (g->kv && need <= g->kv_cap)
		return 0;
	kvcache_free(g->kv);
	g->kv_cap = need;
	g->kv = kvcache_new(g->m, need, g->nseq, e);
	return g->kv ? 0 : -1;
}

static int begin(struct generator *g, const uint32_t *prompt, size_t n, struct err *e)
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
	str_reset(&g->prompt_text);
	return tokenizer_decode(g->enc, prompt, n, 1, &g->prompt_text, e);
}

/*
 * The answer's text is what the whole sequence's has beyond the prompt's, as in transformers' pipeline:
 * decoded alone it would lose a leading space with some tokenizers. Where the prompt's text is no prefix
 * (a character cut in two at the seam) it is decoded alone all the same.
 */
static int answer_text(struct generator *g, struct sequence *s, size_t prompt, struct err *e)
{
	size_t before = g->prompt_text.len;
	str_reset(&s->text);
	str_reset(&g->whole);
	if (tokenizer_decode(g->enc, s->ids, s->n, 1, &g->whole, e) < 0)
		return -1;
	if (g->whole.len >= before &&
		(!before || memcmp(g->whole.s, g->prompt_text.s, before) == 0)) {
		if (g->whole.len > before)
			str_add(&s->text, g->whole.s + before, g->whole.len - before);
		return 0;
	}
	return tokenizer_decode(g->enc, s->ids + prompt, s->n - prompt, 1, &s->text, e);
}

/* Decodes the answer so far, cut at the first stop text: 1 when there is one. */
static int decode(struct generator *g, struct sequence *s, size_t prompt, struct err *e)
{
	if (answer_text(g, s, prompt, e) < 0)
		return -1;
	size_t cut = s->text.len;
	for (size_t i = 0; i < g->nstop; i++) {
		const char *at =
			s->text.len ? memmem(s->text.s, s->text.len, g->stop[i], strlen(g->stop[i]))
				    : NULL;
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
	if (row_rule_is_stop(g->rule, id)) {
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
	if (make_room(g, n, e) < 0 || model_prefill(g->m, g->kv, prompt, n, g->logits, e) < 0 ||
		begin(g, prompt, n, e) < 0)
		return -1;
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
