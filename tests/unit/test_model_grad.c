/*
 * The whole model's backward against finite differences: for every trained tensor, the derivative
 * along its own gradient and along a random direction.
 */
#include "tests/unit/nano.h"

enum { TREES = 4 };

/* DoRA's norm is a constant to the backward: what makes it moves without it. */
static int is_constant(const struct model *m, const char *name)
{
	const struct adapter *a = model_adapter(m);
	return a && a->config.dora && strstr(name, ".weight");
}

/* Derivative of the value when tensor i moves along dir (unit length), by central differences of
 * two step sizes whose h^2 errors cancel (Richardson). */
static double slope(struct model *m, const struct forest *f, size_t i, const double *dir,
	const struct nano_pass *p)
{
	struct params *ps = model_params(m);
	size_t n = param_len(&ps->p[i]);
	float *v = param_value(ps, i).p;
	float *was = mem_dup(v, n * sizeof *v);
	struct err e = {0};
	double d[2];
	for (int s = 0; s < 2; s++) {
		double h = s ? 0.01 : 0.02, side[2];
		for (int k = 0; k < 2; k++) {
			for (size_t j = 0; j < n; j++)
				v[j] = (float)((double)was[j] + (k ? -h : h) * dir[j]);
			if (!is_constant(m, ps->p[i].name))
				model_refresh(m, &e);
			side[k] = nano_value(m, f, 0, p);
		}
		d[s] = (side[0] - side[1]) / (2 * h);
	}
	memcpy(v, was, n * sizeof *v);
	model_refresh(m, &e);
	free(was);
	return (4 * d[1] - d[0]) / 3;
}

static double norm(const double *v, size_t n)
{
	double s = 0;
	for (size_t i = 0; i < n; i++)
		s += v[i] * v[i];
	return sqrt(s);
}

/* Worst difference over all tensors, relative to the tensor's gradient norm. */
static double worst_slope(
	struct model *m, const struct forest *f, const struct nano_pass *p, const char **where)
{
	struct params *ps = model_params(m);
	double worst = 0;
	struct rng rng;
	rng_init(&rng, 5, 5);
	for (size_t i = 0; i < ps->n; i++) {
		size_t n = param_len(&ps->p[i]);
		const float *g = param_grad(ps, i).p;
		double *grad = mem_alloc(n, sizeof *grad), *dir = mem_alloc(n, sizeof *dir);
		for (size_t j = 0; j < n; j++)
			grad[j] = (double)g[j];
		double len = norm(grad, n);
		for (int k = 0; k < 2; k++) {
			for (size_t j = 0; j < n; j++)
				dir[j] = k ? rng_normal(&rng) : grad[j];
			double dl = norm(dir, n), want = 0;
			for (size_t j = 0; j < n; j++) {
				dir[j] /= dl > 0 ? dl : 1;
				want += dir[j] * grad[j];
			}
			double got = slope(m, f, i, dir, p);
			double off = fabs(got - want) / (len > 1e-3 ? len : 1e-3);
			if (!(off <= worst)) {
				worst = off;
				*where = ps->p[i].name;
			}
		}
		free(grad);
		free(dir);
	}
	return worst;
}

static void check(struct model *m, const struct nano_pass *p, const char *claim)
{
	struct forest f = {0};
	struct err e = {0};
	const char *where = "";
	for (size_t i = 0; i < TREES; i++)
		nano_tree(&f, i);
	model_grads_begin(m, &e);
	nano_value(m, &f, 1, p);
	model_grads_end(m, &e);
	double worst = worst_slope(m, &f, p, &where);
	ok(worst < 1e-3, "%s (%zu tensors)", claim, model_params(m)->n);
	diag("off by at most %.2g of the gradient, at %s", worst, where);
	forest_done(&f);
}

static void full(const char *arch, int tied, const char *more, const char *claim)
{
	nano_config(arch, tied, more);
	struct model *m = nano_open(&(struct model_opts){.train = 1, .full = 1, .seed = 3});
	nano_shake(m, "norm", 0.2);
	nano_shake(m, "bias", 0.2);
	check(m, NULL, claim);
	model_close(m);
}

static void lora_with(
	const char *targets, const char *more, const struct nano_pass *p, const char *claim)
{
	struct adapter_config c = nano_adapter_with(3, targets, more);
	struct model *m = nano_open(&(struct model_opts){.train = 1, .seed = 4, .new_adapter = &c});
	nano_shake(m, "lora_", 0.2);
	check(m, p, claim);
	model_close(m);
}

static void lora(const char *targets, const struct nano_pass *p, const char *claim)
{
	lora_with(targets, "", p, claim);
}

static void kinds(void)
{
	static const struct nano_pass dropping = {.dropout = 0.2f, .seed = 11, .step = 2};
	static const char all[] = "q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj,lm_head";
	lora_with(all, ", \"use_dora\": true, \"bias\": \"all\"", NULL,
		"DoRA on everything, biases too: its gradients are the slopes");
	lora_with(
		all, ", \"use_dora\": true, \"bias\": \"all\"", &dropping, "the same with dropout");
	lora_with("q_proj,o_proj,down_proj", ", \"lora_bias\": true, \"bias\": \"lora_only\"",
		&dropping, "biases of B and of adapted modules: their gradients are the slopes");
	lora_with("model.layers.1.mlp.up_proj",
		", \"modules_to_save\": [\"embed_tokens\", \"lm_head\", \"norm\", \"k_proj\"]",
		NULL, "modules trained whole: their gradients are the slopes");
	lora_with("model.layers.1.mlp.up_proj",
		", \"modules_to_save\": [\"embed_tokens\"], \"ensure_weight_tying\": true", NULL,
		"an embedding that stays the head: its gradient is the slope");
	lora_with("embed_tokens,lm_head", "", &dropping,
		"LoRA on the embedding and the head alone: its gradients are the slopes");
}

int main(void)
{
	full("LlamaForCausalLM", 0, "", "llama, untied: every weight's gradient is the slope");
	full("LlamaForCausalLM", 1, ", \"attention_bias\": true, \"mlp_bias\": true",
		"llama, tied, with biases: every weight's gradient is the slope");
	full("Qwen2ForCausalLM", 1,
		", \"rope_parameters\": {\"rope_type\": \"llama3\", \"factor\": 8, "
		"\"low_freq_factor\": 1, "
		"\"high_freq_factor\": 4, \"original_max_position_embeddings\": 16, "
		"\"rope_theta\": 500}",
		"qwen2, llama3 rope: every weight's gradient is the slope");

	nano_config("LlamaForCausalLM", 1, ", \"attention_bias\": true");
	struct model *m = nano_open(&(struct model_opts){.train = 1, .full = 1, .seed = 5});
	nano_shake(m, "norm", 0.2);
	nano_save(m);
	model_close(m);
	lora("q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj", NULL,
		"LoRA on the seven projections: its gradients are the slopes");
	lora("q_proj,down_proj,lm_head", NULL,
		"LoRA on two projections and a tied head: its gradients are the slopes");
	lora("model.layers.1.mlp.up_proj", NULL,
		"LoRA on the top MLP alone: its gradients are the slopes");
	lora("model.layers.1.self_attn.k_proj", NULL,
		"LoRA on the top keys alone: its gradients are the slopes");
	lora("v_proj,o_proj,gate_proj,lm_head",
		&(struct nano_pass){.dropout = 0.3f, .seed = 11, .step = 2},
		"LoRA with dropout: its gradients are the slopes under the same mask");
	kinds();
	return tap_done();
}
