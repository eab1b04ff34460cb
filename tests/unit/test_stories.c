/* The real model stories260K: its stored greedy continuation and logits (made in double). */
#include "common/json.h"
#include "common/mem.h"
#include "common/model/model.h"
#include "tests/tap.h"

enum { V = 512 };

static size_t greatest(const float *x)
{
	size_t best = 0;
	for (size_t i = 1; i < V; i++)
		if (x[i] > x[best])
			best = i;
	return best;
}

int main(void)
{
	if (!tap_data()) {
		tap_skip("stories260K continues as stored", "SLUICE_TEST_DATA is not set");
		return tap_done();
	}
	struct err e = {0};
	char *dir = mem_printf("%s/models/stories260K", tap_data());
	char *file = mem_printf("%s/greedy_reference.json", dir);
	json_t *ref = json_read_file(file, &e);
	struct model_opts o = {.dir = dir, .kernels = "plain", .threads = 1};
	struct model *m;
	if (!ref || model_open(&m, &o, &e) < 0) {
		printf("Bail out! %s\n", e.msg);
		return 1;
	}
	json_t *ids = json_object_get(ref, "greedy_ids");
	json_t *want = json_object_get(ref, "logits_after_bos");
	size_t n = json_array_size(ids), right = 1;
	float logits[V];
	uint32_t id = (uint32_t)json_integer_value(json_array_get(ids, 0));
	struct kvcache *kv = kvcache_new(m, n, 1, &e);
	int rc = model_prefill(m, kv, &id, 1, logits, &e);
	double off = 0, scale = 0;
	for (size_t i = 0; i < V; i++) {
		double w = json_real_value(json_array_get(want, i));
		off = fmax(off, fabs((double)logits[i] - w));
		scale = fmax(scale, fabs(w));
	}
	ok(rc == 0 && off < 1e-5 * scale, "logits after BOS are the stored ones");
	diag("off by %.2g of %.3g", off, scale);
	while (rc == 0 && right < n &&
		greatest(logits) == (size_t)json_integer_value(json_array_get(ids, right))) {
		id = (uint32_t)greatest(logits);
		right++;
		if (right < n)
			rc = model_step(m, kv, &id, &(uint8_t){1}, logits, &e);
	}
	is_int((long long)right, (long long)n,
		"all tokens of the greedy continuation are the stored ones");
	kvcache_free(kv);
	model_close(m);
	json_decref(ref);
	free(dir);
	free(file);
	return tap_done();
}
