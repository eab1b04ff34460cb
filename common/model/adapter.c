/*
 * Where a LoRA adapter attaches in a model's shape, and how a fresh one begins. What PEFT's files
 * say, and which modules they mean, is peft.c's and peft_match.c's.
 */
#include "common/model/adapter.h"

#include "common/mem.h"
#include "common/rng.h"
#include "common/str.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- tensors of the base that train ---------------------------------------------------------- */

int adapter_trains(const struct adapter_config *c, const char *tensor, char **name)
{
	const char *dot = strrchr(tensor, '.');
	char *module = mem_strndup(tensor, (size_t)(dot - tensor));
	int bias = strcmp(dot, ".bias") == 0, adapted = adapter_targets(c, module);
	int trains = adapter_saves(c, module) ||
		     (bias && (c->bias == ADAPTER_BIAS_ALL ||
				      (c->bias == ADAPTER_BIAS_LORA_ONLY && adapted)));
	if (trains)
		*name = adapter_name(module, bias ? ADAPTER_BIAS : ADAPTER_WEIGHT, adapted);
	mem_free(module);
	return trains;
}

/* ---- sites ------------------------------------------------------------------------------------- */

static size_t add_param(struct params *ps, const char *module, enum adapter_part part, size_t rows,
	size_t cols, int decay)
{
	char *name = adapter_name(module, part, 1);
	size_t i = params_add(ps, name, rows, cols, decay);
	mem_free(name);
	return i;
}

/* Weight decay as transformers' Trainer: not on what is called a bias. */
static void add_site(struct adapter *a, struct params *ps, const char *module, struct lora_site s)
{
	int embedding = s.place == SITE_EMBED;
	s.r = adapter_rank(&a->config, module);
	s.scale = adapter_scale(&a->config, module);
	s.bias = s.magnitude = -1;
	s.a = add_param(ps, module, embedding ? ADAPTER_EMBEDDING_A : ADAPTER_A, s.r, s.in, 1);
	s.b = add_param(ps, module, embedding ? ADAPTER_EMBEDDING_B : ADAPTER_B, s.out, s.r, 1);
	if (a->config.lora_bias)
		s.bias = (long)add_param(ps, module, ADAPTER_B_BIAS, s.out, 0, 0);
	if (a->config.dora)
		s.magnitude = (long)add_param(ps, module, ADAPTER_MAGNITUDE, s.out, 0, 1);
	a->sites[a->nsites++] = s;
}

static int no_match(const struct adapter *a, struct err *e)
{
	struct str s = {0};
	for (int p = 0; p < PROJ_COUNT; p++)
		str_addf(&s, "%s%s", p ? ", " : "", proj_name[p]);
	str_addf(&s, ", " ADAPTER_HEAD ", " ADAPTER_EMBED);
	err_data(e, "no module of the model is named '%s'; there are: %s",
		a->config.targets.n ? a->config.targets.v[0] : "", s.s);
	str_done(&s);
	return -1;
}

static int plan_embedding(
	struct adapter *a, const struct model_config *mc, struct params *ps, struct err *e)
{
	const struct adapter_config *c = &a->config;
	if (!adapter_targets(c, ADAPTER_EMBED))
		return 0;
	if (c->lora_bias)
		return err_data(e, "'lora_bias' is not supported on " ADAPTER_EMBED);
	add_site(a, ps, ADAPTER_EMBED,
		(struct lora_site){.place = SITE_EMBED, .in = mc->vocab, .out = mc->dim});
	return 0;
}

/* PEFT ties the copies that modules_to_save makes; two adapters that share their tensors are trained
 * twice a step there. */
static int check_tied(struct adapter *a, const struct model_config *mc, struct err *e)
{
	const struct adapter_config *c = &a->config;
	int adapted = adapter_targets(c, ADAPTER_HEAD) || adapter_targets(c, ADAPTER_EMBED);
	if (!mc->tied)
		return 0;
	if (c->tie && adapted)
		return err_data(e,
			"'ensure_weight_tying' is not supported for an adapter on the embedding or "
			"the head, only with 'modules_to_save'");
	a->unties =
		adapted ||
		(!c->tie && (adapter_saves(c, ADAPTER_HEAD) || adapter_saves(c, ADAPTER_EMBED)));
	return 0;
}

int adapter_plan(struct adapter *a, const struct model_config *mc, struct params *ps, struct err *e)
{
	a->sites = mem_alloc(mc->layers * PROJ_COUNT + 2, sizeof *a->sites);
	a->nsites = 0;
	char module[80];
	if (check_tied(a, mc, e) || plan_embedding(a, mc, ps, e))
		return -1;
	for (size_t i = 0; i < mc->layers; i++) {
		for (int p = 0; p < PROJ_COUNT; p++) {
			snprintf(module, sizeof module, "model.layers.%zu.%s", i, proj_name[p]);
			if (!adapter_targets(&a->config, module))
				continue;
			struct lora_site s = {.layer = i, .place = p};
			model_config_proj(mc, p, &s.out, &s.in);
			add_site(a, ps, module, s);
		}
	}
	if (adapter_targets(&a->config, ADAPTER_HEAD))
		add_site(a, ps, ADAPTER_HEAD,
			(struct lora_site){.place = SITE_HEAD, .in = mc->dim, .out = mc->vocab});
	return a->nsites ? 0 : no_match(a, e);
}

/* ---- a fresh one ------------------------------------------------------------------------------- */

enum how { ZERO, UNIFORM, NORMAL };

static int fill(const struct params *ps, size_t i, const struct kernels *k, struct kctx *c,
	struct rng *rng, enum how how, double size, struct err *e)
{
	size_t n = param_len(&ps->p[i]);
	if (how == ZERO)
		return 0; /* since params_alloc */
	float *v = mem_alloc(n, sizeof *v);
	for (size_t j = 0; j < n; j++)
		v[j] = (float)(size * (how == NORMAL ? rng_normal(rng) : 2 * rng_uniform(rng) - 1));
	int rc = k->write(c, param_value(ps, i).p, v, n * sizeof *v);
	mem_free(v);
	return rc < 0 ? err_set(e, STATUS_SYSTEM, "%s", k->describe(c)) : 0;
}

/* reset_lora_parameters; where it is not called (false), torch's own of nn.Linear, randn of an
 * embedding. */
static int init_site(const struct lora_site *s, enum adapter_init init, struct params *ps,
	const struct kernels *k, struct kctx *c, struct rng *rng, struct err *e)
{
	int random = init == ADAPTER_INIT_RANDOM;
	double of_in = 1 / sqrt((double)s->in), of_r = 1 / sqrt((double)s->r);
	if (s->place == SITE_EMBED)
		return fill(ps, s->a, k, c, rng, random ? NORMAL : ZERO, 1, e) ||
				       fill(ps, s->b, k, c, rng, NORMAL, 1, e)
			       ? -1
			       : 0;
	int gaussian = init == ADAPTER_INIT_GAUSSIAN;
	enum how b = random ? UNIFORM : ZERO;
	if (fill(ps, s->a, k, c, rng, gaussian ? NORMAL : UNIFORM,
		    gaussian ? 1 / (double)s->r : of_in, e) ||
		fill(ps, s->b, k, c, rng, b, of_r, e))
		return -1;
	return s->bias < 0 ? 0 : fill(ps, (size_t)s->bias, k, c, rng, b, of_r, e);
}

int adapter_init(const struct adapter *a, struct params *ps, const struct kernels *k,
	struct kctx *c, uint64_t seed, struct err *e)
{
	enum adapter_init init = a->config.init;
	if (init == ADAPTER_INIT_OTHER)
		return err_data(e,
			"init_lora_weights '%s' cannot begin an adapter here: true, "
			"false or gaussian can",
			json_string_value(json_object_get(a->config.json, "init_lora_weights")));
	for (size_t i = 0; i < a->nsites; i++) {
		struct rng rng;
		rng_init(&rng, seed, i);
		if (init_site(&a->sites[i], init, ps, k, c, &rng, e))
			return -1;
	}
	return 0;
}

void adapter_done(struct adapter *a)
{
	adapter_config_done(&a->config);
	mem_free(a->sites);
	*a = (struct adapter){0};
}
