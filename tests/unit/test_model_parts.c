/* The parts of a model that have no arithmetic: forests and labels, what seeds make, the memory plan. */
#include "common/model/model_int.h"
#include "tests/unit/nano.h"

static int same_u32(const uint32_t *got, const uint32_t *want, size_t n)
{
	return memcmp(got, want, n * sizeof *got) == 0;
}

static void forests(void)
{
	static const uint32_t prompt[] = {9, 8, 7}, a[] = {1, 2}, b[] = {3, 4, 5, 6};
	static const uint8_t mask[] = {1, 0, 1, 1};
	struct forest f = {0};
	int root = forest_segment(&f, -1, prompt, 3, 5);
	int left = forest_segment(&f, root, a, 2, 5);
	int right = forest_segment(&f, root, b, 4, 5);
	ok(f.ntok == 9 && same_u32(f.pos, (const uint32_t[]){0, 1, 2, 3, 4, 3, 4, 5, 6}, 9),
		"positions follow the path");
	is_int((long long)forest_end_pos(&f, right), 7, "a path ends after all its tokens");
	ok(f.segs[right].parent == root && f.segs[right].q0 == 5 && f.segs[right].nk == 4,
		"segments lie one after the other");
	is_int((long long)forest_label(&f, left, 0, 2, NULL), 2,
		"every token of a child has a label");
	is_int((long long)forest_label(&f, right, 0, 4, mask), 3, "a mask leaves some out");
	ok(f.labels[0].row == 2 && f.labels[0].target == 1 && f.labels[1].row == 3 &&
			f.labels[1].target == 2 && f.labels[2].row == 2 &&
			f.labels[2].target == 3 && f.labels[3].row == 6 && f.labels[3].target == 5,
		"the prompt's last row predicts each child's first token");
	is_int((long long)forest_label(&f, root, 0, 3, NULL), 2,
		"nothing predicts the first token of a root");

	forest_reset(&f);
	root = forest_segment(&f, -1, NULL, 0, 0);
	left = forest_segment(&f, root, a, 2, 0);
	right = forest_segment(&f, left, b, 4, 0);
	ok(f.pos[0] == 0 && f.pos[2] == 2, "an empty root takes no position");
	ok(forest_label(&f, left, 0, 2, NULL) == 1 && f.labels[0].row == 0, "nor does it predict");
	ok(forest_label(&f, right, 0, 1, NULL) == 1 && f.labels[1].row == 1,
		"a grandchild is predicted by its parent");
	forest_done(&f);
}

static void spread(const struct params *ps, const char *part, double *mean, double *sd)
{
	double n = 0, sum = 0, squares = 0;
	for (size_t i = 0; i < ps->n; i++) {
		const float *v = param_value(ps, i).p;
		for (size_t j = 0; strstr(ps->p[i].name, part) && j < param_len(&ps->p[i]); j++) {
			n++;
			sum += (double)v[j];
			squares += (double)v[j] * (double)v[j];
		}
	}
	*mean = sum / n;
	*sd = sqrt(squares / n - *mean * *mean);
}

static void seeds(void)
{
	double mean, sd;
	nano_config("LlamaForCausalLM", 0, ", \"attention_bias\": true");
	struct model *m = nano_open(&(struct model_opts){.train = 1, .full = 1, .seed = 1});
	struct model *again = nano_open(&(struct model_opts){.train = 1, .full = 1, .seed = 1});
	struct model *other = nano_open(&(struct model_opts){.train = 1, .full = 1, .seed = 2});
	struct params *ps = model_params(m);
	size_t bytes = ps->total * sizeof(float);
	spread(ps, "_proj.weight", &mean, &sd);
	ok(fabs(mean) < 0.02 && fabs(sd - 0.25) < 0.02,
		"new matrices are normal(0, initializer_range)");
	spread(ps, "norm.weight", &mean, &sd);
	ok(mean == 1 && sd == 0, "new norms are 1");
	spread(ps, ".bias", &mean, &sd);
	ok(mean == 0 && sd == 0, "new biases are 0");
	ok(memcmp(ps->value.p, model_params(again)->value.p, bytes) == 0,
		"one seed makes one model");
	ok(memcmp(ps->value.p, model_params(other)->value.p, bytes) != 0, "another seed another");
	ok(strcmp(model_fingerprint(m), model_fingerprint(again)) == 0 &&
			strcmp(model_fingerprint(m), model_fingerprint(other)) != 0,
		"and their fingerprints say so");
	int decay = 1;
	for (size_t i = 0; i < ps->n; i++)
		decay &= ps->p[i].decay == (ps->p[i].cols > 0);
	ok(decay, "weight decay is for matrices only");
	nano_save(m);
	model_close(m);
	model_close(again);
	model_close(other);
}

static void fresh_adapter(void)
{
	double mean, sd;
	struct adapter_config c = nano_adapter(8, "q_proj,gate_proj");
	struct model *m = nano_open(&(struct model_opts){.train = 1, .seed = 1, .new_adapter = &c});
	struct params *ps = model_params(m);
	ok(ps->n == 8 &&
			strcmp(ps->p[0].name,
				"base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight") ==
				0,
		"an adapter's rows have PEFT's names, layer by layer");
	spread(ps, "lora_A", &mean, &sd);
	/* U(-b, b) with b = 1/sqrt(16) has deviation b/sqrt(3). */
	ok(fabs(mean) < 0.02 && fabs(sd - 0.25 / sqrt(3)) < 0.01, "A is uniform within 1/sqrt(in)");
	spread(ps, "lora_B", &mean, &sd);
	ok(mean == 0 && sd == 0, "B is zero");
	ok(strcmp(model_reference(m), model_fingerprint(m)) == 0, "so the reference is the base");
	struct adapter_config none = nano_adapter(8, "c_attn");
	struct model *no;
	struct err e = {0};
	struct model_opts o = {
		.dir = nano_dir, .kernels = "plain", .train = 1, .new_adapter = &none};
	ok(model_open(&no, &o, &e) < 0 && strstr(e.msg, "'c_attn'") && strstr(e.msg, "q_proj"),
		"a target that is nowhere is refused: %s", e.msg);
	model_close(m);
}

/* The plan is the layout: what it says is what a batch takes. */
static void plan(void)
{
	struct adapter_config c = nano_adapter(3, "q_proj,down_proj"),
			      c2 = nano_adapter(3, "q_proj,down_proj");
	struct model *m = nano_open(&(struct model_opts){.train = 1, .new_adapter = &c});
	struct model *p =
		nano_open(&(struct model_opts){.train = 1, .new_adapter = &c2, .plan = 1});
	struct workspace *ws = workspace_new(m);
	struct forest f = {0};
	struct klabel_out out[100];
	struct err e = {0};
	size_t head;
	nano_tree(&f, 2);
	int rc = model_forward(m, ws, &f, 0, 0, 0, 0, 0, out, &e);
	ok(rc == 0 && workspace_bytes(p, f.ntok, f.nlabels, 0, 0, &head) == ws->cap,
		"the plan of a forward is what it takes");
	rc = model_forward(m, ws, &f, 0, 1, 0, 0, 0, out, &e);
	size_t bytes = workspace_bytes(p, f.ntok, f.nlabels, 1, 0, &head);
	ok(rc == 0 && bytes == ws->cap && head > 0 && head < bytes,
		"and of a training step, without any weights");
	is_int((long long)model_params(p)->total, (long long)model_params(m)->total,
		"the arena too");
	forest_done(&f);
	workspace_free(ws);
	model_close(m);
	model_close(p);
}

int main(void)
{
	forests();
	seeds();
	fresh_adapter();
	plan();
	return tap_done();
}
