/*
 * Where a LoRA adapter attaches in a model's shape, and how a fresh one begins. What PEFT's files
 * say, and which modules they mean, is peft.c's.
 */
#include "common/model/adapter.h"

#include "common/mem.h"
#include "common/model/arch.h"
#include "common/rng.h"
#include "common/str.h"

#include <math.h>
#include <stdio.h>

static void add_site(struct adapter *a, struct params *ps, const char *module, struct lora_site s)
{
	s.r = adapter_rank(&a->config, module);
	s.scale = adapter_scale(&a->config, module);
	char *name = mem_printf("base_model.model.%s.lora_A.weight", module);
	s.a = params_add(ps, name, s.r, s.in, 1);
	mem_free(name);
	name = mem_printf("base_model.model.%s.lora_B.weight", module);
	s.b = params_add(ps, name, s.out, s.r, 1);
	mem_free(name);
	a->sites[a->nsites++] = s;
}

static int no_match(const struct adapter *a, struct err *e)
{
	struct str s = {0};
	for (int p = 0; p < PROJ_COUNT; p++)
		str_addf(&s, "%s%s", p ? ", " : "", proj_name[p]);
	str_addf(&s, ", lm_head");
	err_data(e, "no module of the model is named '%s'; there are: %s",
		a->config.ntargets ? a->config.targets[0] : "", s.s);
	str_done(&s);
	return -1;
}

int adapter_plan(struct adapter *a, const struct model_config *mc, struct params *ps, struct err *e)
{
	a->sites = mem_alloc(mc->layers * PROJ_COUNT + 1, sizeof *a->sites);
	a->nsites = 0;
	char module[80];
	for (size_t i = 0; i < mc->layers; i++) {
		for (int p = 0; p < PROJ_COUNT; p++) {
			snprintf(module, sizeof module, "model.layers.%zu.%s", i, proj_name[p]);
			if (!adapter_targets(&a->config, module))
				continue;
			struct lora_site s = {.layer = i, .proj = p};
			model_config_proj(mc, p, &s.out, &s.in);
			add_site(a, ps, module, s);
		}
	}
	if (adapter_targets(&a->config, "lm_head"))
		add_site(a, ps, "lm_head",
			(struct lora_site){.layer = mc->layers,
				.proj = PROJ_COUNT,
				.in = mc->dim,
				.out = mc->vocab});
	return a->nsites ? 0 : no_match(a, e);
}

int adapter_init(const struct adapter *a, struct params *ps, const struct kernels *k,
	struct kctx *c, uint64_t seed, struct err *e)
{
	for (size_t i = 0; i < a->nsites; i++) {
		const struct lora_site *s = &a->sites[i];
		size_t n = mem_mul(s->r, s->in);
		float *v = mem_alloc(n, sizeof *v);
		double bound = 1 / sqrt((double)s->in);
		struct rng rng;
		rng_init(&rng, seed, i);
		for (size_t j = 0; j < n; j++)
			v[j] = (float)((2 * rng_uniform(&rng) - 1) * bound);
		int rc = k->write(c, param_value(ps, s->a).p, v, n * sizeof *v);
		mem_free(v);
		if (rc < 0)
			return err_set(e, STATUS_SYSTEM, "%s", k->describe(c));
	}
	return 0; /* B is zero since params_alloc */
}

void adapter_done(struct adapter *a)
{
	adapter_config_done(&a->config);
	mem_free(a->sites);
	*a = (struct adapter){0};
}
