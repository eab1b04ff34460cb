/* The probe's divergence and log-probs are those of whole distributions, one position at a time. */
#include "common/mem.h"
#include "common/model/model.h"
#include "tests/tap.h"
#include "tools/merge-lora/probe.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#define BASE	"tests/golden/model/llama3"
#define ADAPTER BASE "/adapter"

enum { N = 6, FIRST = 2 }; /* a prompt of two ids, and what is scored */
static const uint32_t ids[N] = {1, 5, 9, 7, 8, 2};

static void must(int rc, const struct err *e)
{
	if (rc) {
		diag("%s", e->msg);
		exit(1);
	}
}

/* log-probs of all tokens after ids[0 … n). */
static void after(const char *adapter, size_t n, double *logp, size_t *vocab)
{
	struct err e = {0};
	struct model *m;
	must(model_open(&m,
		     &(struct model_opts){.dir = BASE, .adapter = adapter, .precision = "f32"}, &e),
		&e);
	*vocab = model_config(m)->vocab;
	float *logits = mem_alloc(*vocab, sizeof *logits);
	struct kvcache *kv = kvcache_new(m, N, 1, &e);
	must(!kv || model_prefill(m, kv, ids, n, logits, &e), &e);
	double sum = 0;
	for (size_t i = 0; i < *vocab; i++)
		sum += exp((double)logits[i]);
	for (size_t i = 0; i < *vocab; i++)
		logp[i] = (double)logits[i] - log(sum);
	kvcache_free(kv);
	mem_free(logits);
	model_close(m);
}

int main(void)
{
	static double p[1 << 16], q[1 << 16];
	char path[] = "/tmp/test_merge_probe.XXXXXX";
	int fd = mkstemp(path);
	struct err e = {0};
	if (fd < 0)
		return 3;
	dprintf(fd, "{\"prompt_ids\":[1,5],\"completion_ids\":[9,7,8,2]}\n");
	close(fd);
	struct probe probe = {.base = BASE, .adapter = ADAPTER, .merged = BASE, .rows = path};
	must(probe_run(&probe, &e), &e);

	double on = 0, off = 0, kl = 0, worst = 0;
	for (size_t n = FIRST; n < N; n++) {
		size_t vocab;
		double one = 0;
		after(ADAPTER, n, p, &vocab);
		after(NULL, n, q, &vocab);
		for (size_t i = 0; i < vocab; i++)
			one += exp(p[i]) * (p[i] - q[i]);
		on += p[ids[n]];
		off += q[ids[n]];
		kl += one;
		worst = fmax(worst, one);
	}
	const struct probe_sum *logps = &probe.sum[PROBE_COMPLETION], *d = &probe.sum[PROBE_KL];
	ok(logps->n == 1 && fabs(logps->adapter - on) < 1e-5 && fabs(logps->merged - off) < 1e-5 &&
			fabs(logps->apart - fabs(on - off)) < 1e-5,
		"summed log-probs with the adapter on and without");
	ok(d->n == N - FIRST && kl > 1e-4 && fabs(d->apart - kl) < 1e-6 &&
			fabs(d->worst - worst) < 1e-6,
		"the divergence, and that of the worst label");
	ok(probe.sum[PROBE_CHOSEN].n == 0 && probe.sum[PROBE_ACCURACY].n == 0,
		"rows without a pair have no accuracy");
	unlink(path);
	return tap_done();
}
