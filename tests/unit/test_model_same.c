/*
 * What must not change a result: sharing a prompt, cutting a step into micro-batches, the number of
 * threads, making activations again, generating token by token.
 */
#include "tests/unit/nano.h"

static const char seven[] = "q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj";

/* One optimizer step over trees 0 … n-1, `at_once` trees a micro-batch, `recompute` layers made again:
 * log-probs and gradients. */
struct step {
	double logp[400];
	size_t nlogp;
	float *grad;
	size_t ngrad;
};

static void run_step(struct model *m, size_t n, size_t at_once, size_t recompute, struct step *s)
{
	struct err e = {0};
	struct workspace *ws = workspace_new(m);
	workspace_recompute(ws, recompute);
	struct forest f = {0};
	struct params *ps = model_params(m);
	s->nlogp = 0;
	int rc = model_grads_begin(m, &e);
	for (size_t i = 0; i < n && rc == 0; i += at_once) {
		struct klabel_out out[400];
		double coef[400];
		forest_reset(&f);
		for (size_t j = i; j < n && j < i + at_once; j++)
			nano_tree(&f, j);
		rc = model_forward(m, ws, &f, 0, 1, 0.25f, 9, 1, out, &e);
		for (size_t l = 0; l < f.nlabels; l++) {
			coef[l] = nano_coef(s->nlogp);
			s->logp[s->nlogp++] = out[l].logp;
		}
		if (rc == 0)
			rc = model_backward(m, ws, &f, coef, &e);
	}
	if (rc == 0)
		rc = model_grads_end(m, &e);
	if (rc < 0)
		diag("%s", e.msg);
	s->ngrad = ps->total;
	s->grad = mem_dup(param_grad(ps, 0).p, ps->total * sizeof(float));
	forest_done(&f);
	workspace_free(ws);
}

static int same_bytes(const struct step *a, const struct step *b)
{
	return a->nlogp == b->nlogp && memcmp(a->logp, b->logp, a->nlogp * sizeof *a->logp) == 0 &&
	       memcmp(a->grad, b->grad, a->ngrad * sizeof *a->grad) == 0;
}

static const char *backend = "plain", *precision = "f32";
/* Rounding of sums; in bf16 it turns roundings of operands, too. */
static double rounding = 2e-5;

static struct model *open_lora(const char *targets, int threads)
{
	struct adapter_config c = nano_adapter(3, targets);
	struct model *m = nano_open(&(struct model_opts){.train = 1,
		.seed = 4,
		.new_adapter = &c,
		.kernels = backend,
		.precision = precision,
		.threads = threads});
	nano_shake(m, "lora_B", 0.2);
	return m;
}

static struct model *open_full(int threads)
{
	return nano_open(&(struct model_opts){.train = 1,
		.full = 1,
		.kernels = backend,
		.precision = precision,
		.threads = threads});
}

/* Largest difference of log-probs, and of gradients relative to the largest. */
static double step_off(const struct step *a, const struct step *b)
{
	double off = 0, grad = 0, max = 0;
	for (size_t l = 0; l < a->nlogp; l++)
		off = fmax(off, fabs(a->logp[l] - b->logp[l]));
	for (size_t i = 0; i < a->ngrad; i++) {
		grad = fmax(grad, fabs((double)a->grad[i] - (double)b->grad[i]));
		max = fmax(max, fabs((double)a->grad[i]));
	}
	return fmax(off, grad / max);
}

/* Every cut and number of threads gives the same bytes where the backend promises so, else the same
 * numbers within rounding; and all backends give the plain one's numbers. */
static void cuts(int full, const char *targets, const char *what)
{
	struct step judge, whole, cut;
	double off = 0;
	int same = 1;
	struct model *m = full ? open_full(1) : open_lora(targets, 1);
	const char *name = model_kernels(m)->name;
	int exact = model_kernels(m)->exact_rows;
	run_step(m, 9, 9, 0, &whole);
	model_close(m);
	for (int threads = 1; threads <= 3; threads++) {
		m = full ? open_full(threads) : open_lora(targets, threads);
		for (size_t at_once = 1; at_once <= 9; at_once += 4) {
			run_step(m, 9, at_once, 0, &cut);
			same &= same_bytes(&whole, &cut);
			off = fmax(off, step_off(&whole, &cut));
			free(cut.grad);
		}
		model_close(m);
	}
	ok(exact ? same : off < rounding, "%s in %s, %s: cut and threads change %s", name,
		precision, what, exact ? "no byte" : "rounding only");
	backend = "plain";
	m = full ? open_full(1) : open_lora(targets, 1);
	run_step(m, 9, 9, 0, &judge);
	off = step_off(&judge, &whole);
	ok(off < rounding, "%s in %s, %s: the plain kernels' numbers", name, precision, what);
	diag("off by %.2g", off);
	backend = name;
	model_close(m);
	free(whole.grad);
	free(judge.grad);
}

/* Layers that are made again give the bytes that keeping them gives, in less memory. */
static void again(int full, const char *targets, const char *what)
{
	struct step kept, made;
	size_t layers, head, least, less = 0;
	struct model *m = full ? open_full(2) : open_lora(targets, 2);
	layers = model_config(m)->layers;
	least = workspace_bytes(m, 50, 20, 1, 0, &head);
	run_step(m, 9, 3, 0, &kept);
	int same = 1;
	for (size_t n = 1; n <= layers; n++) {
		size_t bytes = workspace_bytes(m, 50, 20, 1, n, &head);
		less += bytes < least;
		least = bytes < least ? bytes : least;
		run_step(m, 9, 3, n, &made);
		same &= same_bytes(&kept, &made);
		free(made.grad);
	}
	ok(same, "%s in %s, %s: layers made again give the same bytes", backend, precision, what);
	ok(less > 0, "%s in %s, %s: and take less memory", backend, precision, what);
	free(kept.grad);
	model_close(m);
}

/* Log-probs are the same bytes whether a backward is to follow or not: so are a reference's and those of
 * an adapter that has done nothing yet. */
static void scored(const char *name)
{
	struct err e = {0};
	struct forest f = {0};
	struct klabel_out a[100], b[100];
	backend = name;
	struct model *m = open_lora(seven, 2);
	struct workspace *ws = workspace_new(m);
	nano_tree(&f, 3);
	int rc = model_forward(m, ws, &f, 0, 1, 0, 0, 0, a, &e);
	rc |= model_forward(m, ws, &f, 0, 0, 0, 0, 0, b, &e);
	int same = rc == 0;
	for (size_t l = 0; l < f.nlabels; l++)
		same &= a[l].logp == b[l].logp;
	ok(same, "%s in %s: log-probs are the same without a backward", model_kernels(m)->name,
		precision);
	workspace_free(ws);
	forest_done(&f);
	model_close(m);
	backend = "plain";
}

/* Each path of a tree as a sequence of its own; the root too where it has labels. */
static void unshare(const struct forest *f, int root_labels, struct forest *flat)
{
	for (size_t i = 0; i < f->nsegs; i++) {
		const struct kseg *s = &f->segs[i];
		if (s->parent < 0 && !root_labels)
			continue;
		uint32_t ids[80];
		size_t n = 0, prompt = 0;
		if (s->parent >= 0) {
			prompt = n = f->segs[s->parent].nq;
			memcpy(ids, f->ids + f->segs[s->parent].q0, n * sizeof *ids);
		}
		memcpy(ids + n, f->ids + s->q0, s->nq * sizeof *ids);
		int seg = forest_segment(flat, -1, ids, n + s->nq, f->record[s->q0]);
		forest_label(flat, seg, prompt, n + s->nq, NULL);
	}
}

static void shared_prompt(void)
{
	static const size_t trees[] = {0, 2, 3};
	struct model *m = open_lora(seven, 1);
	struct params *ps = model_params(m);
	struct err e = {0};
	for (size_t t = 0; t < 3; t++) {
		struct forest f = {0}, flat = {0};
		struct klabel_out a[100], b[100];
		double coef[100], far = 0, grad_far = 0, grad_max = 0;
		nano_tree(&f, trees[t]);
		unshare(&f, trees[t] == 2, &flat);
		struct workspace *ws = workspace_new(m);
		for (size_t l = 0; l < 100; l++)
			coef[l] = nano_coef(l);
		model_grads_begin(m, &e);
		model_forward(m, ws, &f, 0, 1, 0, 0, 0, a, &e);
		model_backward(m, ws, &f, coef, &e);
		float *grad = mem_dup(ps->grad.p, ps->total * sizeof *grad);
		model_grads_begin(m, &e);
		model_forward(m, ws, &flat, 0, 1, 0, 0, 0, b, &e);
		model_backward(m, ws, &flat, coef, &e);
		for (size_t l = 0; l < f.nlabels; l++)
			far = fmax(far, fabs(a[l].logp - b[l].logp));
		for (size_t i = 0; i < ps->total; i++) {
			double g = (double)((float *)ps->grad.p)[i];
			grad_far = fmax(grad_far, fabs(g - (double)grad[i]));
			grad_max = fmax(grad_max, fabs(g));
		}
		ok(f.nlabels == flat.nlabels && far < 1e-5,
			"tree %zu: log-probs with a shared prompt are those of separate sequences",
			trees[t]);
		/* The prompt's gradients are rounded as a sum, or each on its own and then summed. */
		ok(grad_far < rounding * grad_max, "tree %zu: gradients too", trees[t]);
		diag("off by %.2g", grad_far / grad_max);
		free(grad);
		workspace_free(ws);
		forest_done(&f);
		forest_done(&flat);
	}
	model_close(m);
}

static double log_softmax(const float *x, uint32_t id)
{
	double max = (double)x[0], sum = 0;
	for (size_t i = 1; i < NANO_VOCAB; i++)
		max = fmax(max, (double)x[i]);
	for (size_t i = 0; i < NANO_VOCAB; i++)
		sum += exp((double)x[i] - max);
	return (double)x[id] - max - log(sum);
}

/* Three answers to one prompt, token by token, one of them ending early. */
static void generation(void)
{
	enum { PROMPT = 7, LEN = 9, N = 3 };
	struct model *m = open_lora("q_proj,v_proj,lm_head", 2);
	struct err e = {0};
	uint32_t ids[PROMPT + N * LEN];
	nano_ids(77, ids, PROMPT + N * LEN);
	struct forest f = {0};
	int root = forest_segment(&f, -1, ids, PROMPT, 0);
	for (int i = 0; i < N; i++) {
		int seg = forest_segment(&f, root, ids + PROMPT + i * LEN, LEN, 0);
		forest_label(&f, seg, 0, LEN, NULL);
	}
	struct klabel_out out[N * LEN];
	struct workspace *ws = workspace_new(m);
	int rc = model_forward(m, ws, &f, 0, 0, 0, 0, 0, out, &e);

	double far = 0;
	float logits[N * NANO_VOCAB];
	struct kvcache *kv = kvcache_new(m, PROMPT + LEN, N, &e);
	for (int again = 0; again < 2 && rc == 0; again++) {
		rc = model_prefill(m, kv, ids, PROMPT, logits, &e);
		for (int i = 1; i < N; i++)
			memcpy(logits + i * NANO_VOCAB, logits, NANO_VOCAB * sizeof *logits);
		for (int t = 0; t < LEN && rc == 0; t++) {
			uint32_t next[N];
			uint8_t live[N];
			for (int i = 0; i < N; i++) {
				next[i] = ids[PROMPT + i * LEN + t];
				live[i] = i != 1 || t < 4;
				if (live[i])
					far = fmax(far,
						fabs(log_softmax(logits + i * NANO_VOCAB, next[i]) -
							out[i * LEN + t].logp));
			}
			rc = model_step(m, kv, next, live, logits, &e);
		}
	}
	ok(rc == 0 && far < 1e-5,
		"token by token, three sequences of one prompt give the forest's log-probs");
	diag("%s off by %g", e.msg, far);
	uint8_t live[N] = {1, 0, 0};
	ok(model_step(m, kv, ids, live, logits, &e) < 0, "a full cache says so: %s", e.msg);
	kvcache_free(kv);
	workspace_free(ws);
	forest_done(&f);
	model_close(m);
}

static void all_cuts(void)
{
	for (int i = 0; kernels_all[i]; i++) {
		const struct kernels *k = kernels_all[i];
		if (k->unavailable() || k == &kernels_plain || !kernels_precision(k, precision))
			continue;
		backend = k->name;
		cuts(0, seven, "LoRA");
		cuts(0, "v_proj,lm_head", "LoRA on the head");
		cuts(1, NULL, "all weights, tied");
	}
	backend = "plain";
}

int main(void)
{
	nano_config("LlamaForCausalLM", 1, ", \"attention_bias\": true");
	struct model *m = nano_open(&(struct model_opts){.train = 1, .full = 1, .seed = 5});
	nano_shake(m, "norm", 0.2);
	nano_save(m);
	model_close(m);
	for (int half = 0; half < 2; half++) {
		precision = half ? "bf16" : "f32";
		rounding = half ? 0x1p-8 : 2e-5;
		all_cuts();
		again(0, seven, "LoRA");
		again(0, "q_proj", "LoRA on a part");
		again(1, NULL, "all weights");
		scored("plain");
		scored("auto");
		shared_prompt();
		generation();
	}
	return tap_done();
}
