/* Answers to one prompt: n sequences that share its keys and values, token by token until a stop id, a
 * stop text or the limit. */
#ifndef GEN_GENERATE_H
#define GEN_GENERATE_H

#include "common/model/model.h"
#include "common/str.h"
#include "common/tokenizer/rows.h"
#include "tools/gen/sample.h"

struct sequence {
	uint32_t *ids; /* prompt and answer, the stop id left out */
	size_t n, cap;
	struct str text; /* the answer, special tokens and stop text left out */
	struct rng rng;
	int live;
};

struct generator {
	struct model *m;
	struct encoder *enc;
	const struct row_rule *rule; /* which ids stop */
	size_t max_new, nseq;
	const char **stop; /* texts that end an answer */
	size_t nstop;
	uint64_t seed;

	struct kvcache *kv;
	size_t kv_cap;
	struct sampler sampler;
	struct sequence *seq; /* [nseq] */
	float *logits;	      /* [nseq, vocab] */
	uint32_t *next;	      /* [nseq] */
	uint8_t *live;	      /* [nseq] */
	struct str prompt_text, whole;
	uint64_t tokens; /* made so far, for the rate */
};

/* The fields above the gap are the caller's. */
void generator_init(struct generator *g, const struct sampling *how);
void generator_done(struct generator *g);

/* Fills g->seq[].text. The same prompt and seed give the same answers, wherever it stands in the input. */
int generate(struct generator *g, const uint32_t *prompt, size_t n, struct err *e);

#endif
