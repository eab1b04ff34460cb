/*
 * Adapters of every kind against PEFT (tests/oracle/adapters.py), in every kernel: logits, the gradient of
 * everything that trains, and the config as it is written again. The bare base is the base still.
 */
#include "common/io.h"
#include "tests/unit/answers.h"

static const char *const cases[] = {"dora", "dora-head", "dora-tied-head", "dora-bias",
	"dora-dropout", "bias-all", "bias-lora", "lora-bias", "lora-bias-all", "save", "save-mlp",
	"save-tied-embed", "save-tied-head", "save-tied-both", "save-tied-one", "embed",
	"embed-tied", "less", "regex", "dora-embed", "dora-embed-tied"};

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

/* ---- files that are not what they say ---------------------------------------------------------- */

enum fault { MISSING, UNKNOWN, SHAPE, NOT_THE_BASES };

/* Opens dora-head, whose tensor `name` has the fault; *e says what is wrong. */
static int open_broken(const char *name, enum fault fault, struct err *e)
{
	struct st s;
	struct st_writer *w = NULL;
	char *file = nano_path("adapter_model.safetensors");
	if (st_open_file(&s, "tests/golden/adapters/dora-head/adapter_model.safetensors", e) < 0)
		return -1;
	struct st_tensor *t = mem_dup(s.t, s.n * sizeof *t);
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		int hit = strcmp(s.t[i].name, name) == 0;
		if (hit && fault == MISSING)
			continue;
		t[n] = s.t[i];
		if (hit && fault == UNKNOWN)
			t[n].name = (char *)(uintptr_t) "base_model.model.lm_head.lora_C.weight";
		if (hit && fault == SHAPE) {
			t[n].shape[0] *= t[n].rank == 2 ? t[n].shape[1] : 1;
			t[n].shape[1] = 1;
			t[n].rank = 3 - t[n].rank;
		}
		n++;
	}
	int rc = st_create(&w, file, t, n, e);
	for (size_t i = 0; i < n && rc == 0; i++) {
		char *data = mem_dup(t[i].data, t[i].bytes);
		if (fault == NOT_THE_BASES && strcmp(t[i].name, name) == 0)
			data[t[i].bytes - 1] ^= 1;
		rc = st_put(w, i, 0, data, t[i].bytes, e);
		free(data);
	}
	if (rc == 0)
		rc = st_finish(w, e);
	free(t);
	st_close(&s);
	struct model *m;
	struct model_opts o = {
		.dir = "tests/golden/model/llama3", .kernels = "plain", .adapter = nano_dir};
	if (rc == 0 && model_open(&m, &o, e) == 0)
		model_close(m);
	else
		rc = -1;
	unlink(file);
	free(file);
	return rc;
}

static void test_faults(void)
{
	static const struct {
		const char *name;
		enum fault fault;
		const char *says;
	} broken[] = {
		{"base_model.model.lm_head.lora_magnitude_vector", MISSING, "is missing"},
		{"base_model.model.lm_head.lora_magnitude_vector", SHAPE,
			"the model asks for [40]"},
		{"base_model.model.lm_head.lora_A.weight", MISSING, "is missing"},
		{"base_model.model.lm_head.lora_B.weight", SHAPE, "the model asks for [40, 2]"},
		{"base_model.model.lm_head.base_layer.weight", UNKNOWN,
			"fits nothing in the model"},
		{"base_model.model.lm_head.base_layer.weight", NOT_THE_BASES, "is not the model's"},
		{"base_model.model.lm_head.base_layer.weight", SHAPE, "is not the model's"},
	};
	nano_config("LlamaForCausalLM", 0, ""); /* a scratch directory */
	char *config = nano_path("adapter_config.json");
	char *command =
		mem_printf("cp tests/golden/adapters/dora-head/adapter_config.json '%s'", config);
	is_int(system(command), 0, "an adapter to break");
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		struct err e = {0};
		int rc = open_broken(broken[i].name, broken[i].fault, &e);
		if (!ok(rc < 0 && e.status == STATUS_DATA && strstr(e.msg, broken[i].says),
			    "%s: %s", broken[i].name, broken[i].says))
			diag("%s", e.msg);
	}
	struct err e = {0};
	is_int(open_broken("base_model.model.lm_head.base_layer.weight", MISSING, &e), 0,
		"PEFT's copy of the base need not be there");
	unlink(config);
	free(config);
	free(command);
}

int main(void)
{
	test_faults();
	for (size_t k = 0; kernels_all[k]; k++) {
		if (kernels_all[k]->unavailable())
			continue;
		for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
			check_case(cases[i], kernels_all[k]->name);
	}
	return tap_done();
}
