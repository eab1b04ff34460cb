/* Against transformers and PEFT (tests/oracle/model.py): logits, gradients of all weights, adapters; and in
 * bf16, that they are as near as transformers' own bf16 (tests/oracle/bf16.py). */
#include "tests/unit/answers.h"

#include "common/json.h"

static const char *const families[] = {"llama", "llama3", "linear", "mistral", "qwen2"};

static void check(double off, const char *family, const char *claim)
{
	ok(off < 1e-4, "%s: %s", family, claim);
	diag("off by %.2g", off);
}

/* In bf16, by every kernel that has it; off: how far transformers is. One greatest difference is a matter of
 * luck, all together are not. */
static double far, peer_far;

static void check_bf16(const char *family, const char *adapter, json_t *off)
{
	json_t *peer = json_object_get(off, family);
	double base = json_number_value(json_object_get(peer, "base"));
	double adapted = json_number_value(json_object_get(peer, "adapter"));
	precision = "bf16";
	for (size_t i = 0; kernels_all[i]; i++) {
		const struct kernels *k = kernels_all[i];
		if (k->unavailable() || !kernels_precision(k, precision))
			continue;
		struct model *m = open_model(k->name, 0, 0, NULL);
		double ours = logits_off(m, "");
		model_close(m);
		m = open_model(k->name, 0, 0, adapter);
		double with = logits_off(m, "adapter.");
		model_close(m);
		ok(ours > 1e-5 && ours < 1.5 * base && with < 1.5 * adapted,
			"%s in bf16, %s: logits are as near as transformers' (%.2g and %.2g, "
			"%.2g and %.2g)",
			family, k->name, ours, base, with, adapted);
		far += ours + with;
		peer_far += base + adapted;
	}
	precision = "f32";
}

int main(void)
{
	struct err first = {0};
	json_t *off = json_read_file("tests/golden/model/bf16.json", &first);
	for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
		const char *name = families[i];
		struct err e = {0};
		char file[140], adapter[140];
		snprintf(dir, sizeof dir, "tests/golden/model/%s", name);
		snprintf(file, sizeof file, "%s/answers.safetensors", dir);
		snprintf(adapter, sizeof adapter, "%s/adapter", dir);
		if (st_open_file(&answers, file, &e) < 0) {
			printf("Bail out! %s\n", e.msg);
			return 1;
		}
		struct model *m = open_model("plain", 0, 0, NULL);
		check(logits_off(m, ""), name, "every logit is transformers'");
		model_close(m);
		m = open_model("plain", 1, 1, NULL);
		check(grads_off(m, "grad.", NULL), name, "gradients of all weights are torch's");
		model_close(m);
		m = open_model("plain", 1, 0, adapter);
		check(logits_off(m, "adapter."), name, "every logit with a PEFT adapter is PEFT's");
		check(grads_off(m, "adapter.grad.", NULL), name,
			"gradients of the adapter are torch's");
		model_close(m);
		check_bf16(name, adapter, off);
		st_close(&answers);
	}
	ok(far < peer_far, "in bf16 logits are nearer than transformers', all in all (%.2g, %.2g)",
		far, peer_far);
	json_decref(off);
	return tap_done();
}
