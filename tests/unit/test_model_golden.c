/* Against transformers and PEFT (tests/oracle/model.py): logits, gradients of all weights,
 * adapters. */
#include "tests/unit/answers.h"

static const char *const families[] = {"llama", "llama3", "linear", "mistral", "qwen2"};

static void check(double off, const char *family, const char *claim)
{
	ok(off < 1e-4, "%s: %s", family, claim);
	diag("off by %.2g", off);
}

int main(void)
{
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
		st_close(&answers);
	}
	return tap_done();
}
