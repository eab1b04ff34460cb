/* Sampling: the distribution is transformers', draws follow it, greedy is the greatest. */
#include "common/json.h"
#include "common/mem.h"
#include "tests/tap.h"
#include "tools/gen/sample.h"

enum { MAX = 64 };

static double number(json_t *o, const char *key, double absent)
{
	json_t *v = json_object_get(o, key);
	return v ? json_number_value(v) : absent;
}

static struct sampling settings(json_t *o)
{
	return (struct sampling){.temperature = number(o, "temperature", 1),
		.top_k = (size_t)number(o, "top_k", 0),
		.top_p = number(o, "top_p", 1),
		.min_p = number(o, "min_p", 0),
		.penalty = number(o, "repetition_penalty", 1)};
}

static void check(json_t *o, size_t i)
{
	json_t *want = json_object_get(o, "p"), *ids = json_object_get(o, "ids");
	size_t V = json_array_size(want), n = json_array_size(ids);
	struct sampling how = settings(o);
	struct sampler s;
	float logits[MAX];
	uint32_t seen[MAX];
	for (size_t v = 0; v < V; v++)
		logits[v] = (float)json_real_value(json_array_get(json_object_get(o, "logits"), v));
	for (size_t k = 0; k < n; k++)
		seen[k] = (uint32_t)json_integer_value(json_array_get(ids, k));
	sampler_init(&s, &how, V);
	sampler_weigh(&s, logits, seen, n);
	double worst = 0;
	for (size_t v = 0; v < V; v++)
		worst = fmax(worst, fabs(s.p[v] - json_real_value(json_array_get(want, v))));
	ok(V > 0 && worst < 1e-6, "setting %zu: the distribution is transformers'", i);

	double drawn[MAX] = {0};
	struct rng rng;
	rng_init(&rng, 1, i);
	enum { DRAWS = 20000 };
	for (size_t k = 0; k < DRAWS; k++)
		drawn[sampler_next(&s, logits, seen, n, &rng)] += 1.0 / DRAWS;
	worst = 0;
	for (size_t v = 0; v < V; v++) /* in standard deviations of the count */
		worst = fmax(worst,
			fabs(drawn[v] - s.p[v]) / sqrt((s.p[v] * (1 - s.p[v]) + 1e-9) / DRAWS));
	ok(worst < 5, "setting %zu: draws follow it", i);
	sampler_done(&s);
}

static void greedy(void)
{
	static const float logits[] = {0.5f, 2, -1, 2, 1.9f};
	struct sampling how = {.top_p = 1, .penalty = 1};
	struct sampler s;
	sampler_init(&s, &how, 5);
	is_int(sampler_next(&s, logits, NULL, 0, NULL), 1,
		"greedy takes the first of the greatest");
	s.how.penalty = 1.2;
	is_int(sampler_next(&s, logits, (const uint32_t[]){1, 1, 3}, 3, NULL), 4,
		"the repetition penalty holds for greedy, once a token");
	sampler_done(&s);
}

int main(void)
{
	struct err e = {0};
	json_t *cases = json_read_file("tests/golden/gen/sample.json", &e);
	is_int((long long)json_array_size(cases), 10, "ten settings");
	for (size_t i = 0; i < json_array_size(cases); i++)
		check(json_array_get(cases, i), i);
	greedy();
	json_decref(cases);
	return tap_done();
}
