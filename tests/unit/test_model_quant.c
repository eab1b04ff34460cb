/*
 * Quantised bases against transformers, bitsandbytes and PEFT (tests/oracle/quant.py): every kernel's
 * logits, with and without an adapter, and the adapter's gradients.
 */
#include "tests/unit/answers.h"

static const struct {
	const char *name, *options;
	double grads; /* bitsandbytes' backward rounds weights to the base's type, its forward does not */
} runs[] = {
	{"nf4", "-t nf4 --double-quant --codes table --dtype float32", 1e-5},
	{"fp4", "-t fp4", 1e-2},
	{"int8", "-t int8", 1e-5},
};

#define BASE "tests/golden/quant/base"

static int run(const char *fmt, const char *a, const char *b)
{
	char *command = mem_printf(fmt, a, b);
	int rc = system(command);
	free(command);
	return rc;
}

static void check(double off, double most, const char *type, const char *kernels, const char *claim)
{
	ok(off < most, "%s, %s: %s", type, kernels, claim);
	diag("off by %.2g", off);
}

static void check_kernels(const char *type, const char *kernels, double grads)
{
	struct model *m = open_model(kernels, 0, 0, NULL);
	check(logits_off(m, ""), 1e-5, type, kernels, "every logit is the peer's");
	model_close(m);
	m = open_model(kernels, 1, 0, BASE "/adapter");
	check(logits_off(m, "adapter."), 1e-5, type, kernels, "with an adapter, too");
	check(grads_off(m, "adapter.grad.", NULL), grads, type, kernels,
		"gradients of the adapter");
	model_close(m);
}

static void check_int8(const char *kernels)
{
	static const struct {
		const char *prefix;
		float threshold;
	} peer[] = {{"int8.6.0.", 6}, {"int8.1.5.", 1.5f}};
	for (size_t i = 0; i < sizeof peer / sizeof *peer; i++) {
		struct model *m;
		struct err e = {0};
		struct model_opts o = {.dir = dir,
			.kernels = kernels,
			.precision = "f32",
			.threads = 2,
			.int8_threshold = peer[i].threshold};
		if (model_open(&m, &o, &e) < 0) {
			ok(0, "int8 with a threshold opens: %s", e.msg);
			return;
		}
		check(logits_off(m, peer[i].prefix), 1e-5, peer[i].prefix, kernels,
			"the peer's logits in evaluation");
		ok(strstr(model_reference(m), "-int8") != NULL,
			"and they are another reference than the dequantised model's");
		model_close(m);
	}
}

static void check_full(const char *type)
{
	struct model *m;
	struct err e = {0};
	struct model_opts o = {.dir = dir, .kernels = "plain", .threads = 1, .train = 1, .full = 1};
	int rc = model_open(&m, &o, &e);
	ok(rc < 0 && strstr(e.msg, "adapter"), "%s: all weights are not trained: %s", type, e.msg);
	if (rc == 0)
		model_close(m);
}

static void check_plan(const char *type)
{
	struct model *m, *plan;
	struct err e = {0};
	struct model_opts o = {.dir = dir, .kernels = "plain", .threads = 1};
	if (model_open(&m, &o, &e) < 0) {
		ok(0, "%s: opens: %s", type, e.msg);
		return;
	}
	o.plan = 1;
	model_open(&plan, &o, &e);
	is_int((long long)model_weight_bytes(plan), (long long)model_weight_bytes(m),
		"the memory plan counts the weights as they are");
	model_close(plan);
	model_close(m);
}

int main(void)
{
	const char *bin = getenv("SLUICE_BIN");
	char tmp[] = "/tmp/quant-XXXXXX";
	if (!mkdtemp(tmp))
		return 1;
	for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
		struct err e = {0};
		char file[140], command[300];
		snprintf(dir, sizeof dir, "%s/%s", tmp, runs[i].name);
		snprintf(file, sizeof file, "tests/golden/quant/answers.%s.safetensors",
			runs[i].name);
		snprintf(command, sizeof command, "%s/quant -m " BASE " %s -o %s",
			bin ? bin : "bin", runs[i].options, dir);
		if (!ok(run("%s%s", command, "") == 0, "quant %s", runs[i].options) ||
			st_open_file(&answers, file, &e) < 0) {
			printf("Bail out! %s\n", e.msg);
			return 1;
		}
		for (size_t k = 0; kernels_all[k]; k++)
			if (!kernels_all[k]->unavailable())
				check_kernels(runs[i].name, kernels_all[k]->name, runs[i].grads);
		for (size_t k = 0; kernels_all[k] && strcmp(runs[i].name, "int8") == 0; k++)
			if (!kernels_all[k]->unavailable())
				check_int8(kernels_all[k]->name);
		check_full(runs[i].name);
		check_plan(runs[i].name);
		st_close(&answers);
	}
	run("rm -r %s%s", tmp, "");
	return tap_done();
}
