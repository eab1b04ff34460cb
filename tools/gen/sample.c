#include "tools/gen/sample.h"

#include "common/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void sampler_init(struct sampler *s, const struct sampling *how, size_t vocab)
{
	s->how = *how;
	s->vocab = vocab;
	s->p = mem_alloc(vocab, sizeof *s->p);
	s->order = mem_alloc(vocab, sizeof *s->order);
	s->seen = mem_zalloc(vocab, sizeof *s->seen);
}

void sampler_done(struct sampler *s)
{
	mem_free(s->p);
	mem_free(s->order);
	mem_free(s->seen);
}

/* Every token that has occurred, once: a positive score is divided, a negative one multiplied. */
static void penalise(struct sampler *s, const uint32_t *ids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s->seen[ids[i]])
			continue;
		s->seen[ids[i]] = 1;
		double *p = &s->p[ids[i]];
		*p = *p < 0 ? *p * s->how.penalty : *p / s->how.penalty;
	}
	for (size_t i = 0; i < n; i++)
		s->seen[ids[i]] = 0;
}

static size_t greatest(const double *p, size_t n)
{
	size_t best = 0;
	for (size_t i = 1; i < n; i++) {
		if (p[i] > p[best])
			best = i;
	}
	return best;
}

static void softmax(double *p, size_t n, double max)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += p[i] = exp(p[i] - max);
	for (size_t i = 0; i < n; i++)
		p[i] /= sum;
}

static int by_score(const void *a, const void *b, void *arg)
{
	const double *p = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	if (p[x] != p[y])
		return p[x] > p[y] ? -1 : 1;
	return x < y ? -1 : x > y;
}

static void sort(struct sampler *s)
{
	for (size_t i = 0; i < s->vocab; i++)
		s->order[i] = (uint32_t)i;
	qsort_r(s->order, s->vocab, sizeof *s->order, by_score, s->p);
}

/* Scores below the k-th greatest go; its equals stay. */
static void keep_top_k(struct sampler *s)
{
	if (s->how.top_k == 0 || s->how.top_k >= s->vocab)
		return;
	double least = s->p[s->order[s->how.top_k - 1]];
	for (size_t i = 0; i < s->vocab; i++) {
		if (s->p[i] < least)
			s->p[i] = -INFINITY;
	}
}

/* From the least probable up, tokens go while their sum stays within 1 - top_p; one always stays. */
static void keep_top_p(struct sampler *s, double max)
{
	double sum = 0, tail = 0;
	if (s->how.top_p >= 1)
		return;
	for (size_t i = 0; i < s->vocab; i++)
		sum += exp(s->p[i] - max);
	for (size_t i = s->vocab; i-- > 1;) {
		tail += exp(s->p[s->order[i]] - max) / sum;
		if (tail > 1 - s->how.top_p)
			return;
		s->p[s->order[i]] = -INFINITY;
	}
}

void sampler_weigh(struct sampler *s, const float *logits, const uint32_t *ids, size_t n)
{
	for (size_t i = 0; i < s->vocab; i++)
		s->p[i] = (double)logits[i];
	if (s->how.penalty != 1)
		penalise(s, ids, n);
	if (s->how.temperature == 0)
		return;
	for (size_t i = 0; i < s->vocab; i++)
		s->p[i] /= s->how.temperature;
	double max = s->p[greatest(s->p, s->vocab)];
	if (s->how.top_k || s->how.top_p < 1) {
		sort(s);
		keep_top_k(s);
		keep_top_p(s, max);
	}
	for (size_t i = 0; i < s->vocab; i++) {
		if (exp(s->p[i] - max) < s->how.min_p)
			s->p[i] = -INFINITY;
	}
	softmax(s->p, s->vocab, max);
}

static uint32_t draw(const struct sampler *s, double u)
{
	uint32_t last = 0;
	for (size_t i = 0; i < s->vocab; i++) {
		if (s->p[i] <= 0)
			continue;
		last = (uint32_t)i;
		if (u < s->p[i])
			return last;
		u -= s->p[i];
	}
	return last; /* rounding left a little over */
}

uint32_t sampler_next(
	struct sampler *s, const float *logits, const uint32_t *ids, size_t n, struct rng *rng)
{
	sampler_weigh(s, logits, ids, n);
	if (s->how.temperature == 0)
		return (uint32_t)greatest(s->p, s->vocab);
	return draw(s, rng_uniform(rng));
}
