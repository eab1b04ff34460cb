/*
 * Adapters of every kind against PEFT (tests/oracle/adapters.py), in every kernel: logits, the gradient of
 * everything that trains, and the config as it is written again. The bare base is the base still.
 */
#include "common/io.h"
#include "tests/unit/answers.h"

static const char *const cases[] = {"dora", "dora-head", "dora-tied-head", "dora-bias",
	"dora-dropout", "bias-all", "bias-lora", "lora-bias", "lora-bias-all", "save", "save-mlp",
	"save-tied-embed", "save-tied-head", "save-tied-both", "save-tied-one", "embed",
	"embed-tied", "less", "regex"};

static void check(double off, const char *name, const char *kernels, const char *claim)
{
	ok(off < 1e-4, "%s, %s: %s", name, kernels, claim);
	diag("off by %.2g", off);
}

static void check_config(const char *name, const char *path, const struct adapter_config *c)
{
	struct err e = {0};
	size_t len;
	char *file = io_path(path, "adapter_config.json"), *got = adapter_config_json(c);
	char *want = io_read_file(file, 1 << 20, &len, &e);
	ok(want && strcmp(got, want) == 0, "%s: the config is written as it was read", name);
	mem_free(file);
	mem_free(got);
	mem_free(want);
}

/* Value of a forest with the adapter, off, and of the base alone. */
static void check_off(const char *name, struct model *m, const char *kernels)
{
	struct forest f = {0};
	size_t n;
	uint32_t *ids = read_ids(0, &n);
	int seg = forest_segment(&f, -1, ids, n, 0);
	forest_label(&f, seg, 0, n, NULL);
	double on = nano_value(m, &f, 0, NULL);
	model_adapter_enable(m, 0);
	double off = nano_value(m, &f, 0, NULL);
	model_adapter_enable(m, 1);
	double again = nano_value(m, &f, 0, NULL);
	struct model *base = open_model(kernels, 0, 0, NULL);
	ok(off == nano_value(base, &f, 0, NULL) && on != off && on == again,
		"%s, %s: off, it is the bare base, though that trains too", name, kernels);
	model_close(base);
	forest_done(&f);
	free(ids);
}

static void check_case(const char *name, const char *kernels)
{
	struct err e = {0};
	char path[100], file[140];
	struct adapter_config c;
	snprintf(path, sizeof path, "tests/golden/adapters/%s", name);
	snprintf(file, sizeof file, "%s/answers.safetensors", path);
	if (st_open_file(&answers, file, &e) < 0 || adapter_read_config(&c, path, &e) < 0) {
		ok(0, "%s: %s", name, e.msg);
		return;
	}
	snprintf(dir, sizeof dir, "tests/golden/model/%s", c.base);
	if (strcmp(kernels, "plain") == 0)
		check_config(name, path, &c);
	struct nano_pass pass = {(float)c.dropout, 11, 2};
	struct model *m = open_model(kernels, 1, 0, path);
	check(logits_off(m, ""), name, kernels, "every logit is PEFT's");
	check(grads_off(m, "train.grad.", c.dropout > 0 ? &pass : NULL), name, kernels,
		"every gradient is torch's");
	check_off(name, m, kernels);
	model_close(m);
	adapter_config_done(&c);
	st_close(&answers);
}

int main(void)
{
	for (size_t k = 0; kernels_all[k]; k++) {
		if (kernels_all[k]->unavailable())
			continue;
		for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
			check_case(cases[i], kernels_all[k]->name);
	}
	return tap_done();
}
