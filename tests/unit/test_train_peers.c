/*
 * Whole runs of train-step against TRL's (tests/oracle/train_runs.py), on a float base and on one in double
 * NF4: 20 steps over two shuffled epochs from the same initial adapter and the same token ids; the
 * gradients of the first step, every metric of every step, the final adapter. And in bf16, that a run stays
 * as near to TRL's in f32 as TRL's in bf16 does.
 */
#include "common/json.h"
#include "common/mem.h"
#include "common/model/model.h"
#include "common/safetensors.h"
#include "common/stream.h"
#include "tests/tap.h"
#include "tools/train-step/batch.h"
#include "tools/train-step/order.h"
#include "tools/train-step/step.h"

#include <unistd.h>

#define GOLDEN "tests/golden/train/"
#define TINY   GOLDEN "model"

static const struct peer_run {
	const char *name, *loss;
	const char *base; /* NULL: double NF4 */
	const char *init; /* the adapter */
	struct loss_opts opts;
	const char *args;
	double tolerance; /* of the final adapter, by each tensor's largest */
} runs[] = {
	{"dpo", "dpo", TINY, "init", {NULL, 0.3, 0},
		"--learning-rate 1e-2 --beta 0.3 --ref-adapter none --lr-scheduler-type cosine "
		"--warmup-steps 3",
		1e-4},
	{"orpo", "orpo", TINY, "init", {NULL, 0.2, 0},
		"--learning-rate 1e-2 --beta 0.2 --weight-decay 0.1", 1e-4},
	{"sft", "sft", TINY, "init", {NULL, 0.1, 0},
		"--learning-rate 1e-2 --max-grad-norm 0.5 --lr-scheduler-type constant_with_warmup "
		"--warmup-steps 0.2",
		1e-4},
	{"qlora-dpo", "dpo", NULL, "qlora-dpo/init", {NULL, 0.1, 0},
		"--learning-rate 1e-2 --ref-adapter none", 1e-4},
	{"qlora-orpo", "orpo", NULL, "qlora-orpo/init", {NULL, 0.1, 0}, "--learning-rate 1e-2",
		1e-4},
	{"qlora-8bit", "orpo", NULL, "qlora-8bit/init", {NULL, 0.1, 0},
		"--learning-rate 1e-3 --optim paged_adamw_8bit", 1e-3},
	/* Adapters that are more than LoRA; the reference is the policy as it starts. */
	{"dora", "dpo", TINY, "dora/init", {NULL, 0.3, 0},
		"--learning-rate 1e-2 --beta 0.3 --weight-decay 0.1", 1e-4},
	{"dora-nf4", "orpo", NULL, "dora-nf4/init", {NULL, 0.1, 0}, "--learning-rate 1e-2", 1e-4},
	{"save", "orpo", TINY, "save/init", {NULL, 0.2, 0},
		"--learning-rate 1e-2 --beta 0.2 --weight-decay 0.1", 1e-4},
	{"bias", "sft", "tests/golden/model/linear", "bias/init", {NULL, 0.1, 0},
		"--learning-rate 1e-2 --weight-decay 0.1", 1e-4},
};
enum { RUNS = sizeof runs / sizeof *runs, BATCH = 4, SEED = 7 };

static char dir[200];

static const char *bin(void)
{
	const char *b = getenv("SLUICE_BIN");
	return b && *b ? b : "bin";
}

static int shell(char *command)
{
	int rc = system(command);
	mem_free(command);
	return rc;
}

static char *base_of(const struct peer_run *run)
{
	return run->base ? mem_strdup(run->base) : mem_printf("%s/nf4", dir);
}

static void must(int rc, const struct err *e)
{
	if (rc < 0) {
		printf("Bail out! %s\n", e->msg);
		exit(1);
	}
}

static char *golden(const struct peer_run *run, const char *file)
{
	return mem_printf(GOLDEN "%s/%s", run->name, file);
}

/* ---- the first step's gradients -------------------------------------------------------------------- */

static double gradients_off(struct model *m, const struct peer_run *run)
{
	struct st s;
	struct err e = {0};
	char *path = golden(run, "grads.safetensors");
	must(st_open_file(&s, path, &e), &e);
	const struct params *ps = model_params(m);
	double worst = s.n == ps->n ? 0 : INFINITY;
	for (size_t i = 0; i < ps->n; i++) {
		const struct st_tensor *t = st_find(&s, ps->p[i].name);
		if (!t || t->elements != param_len(&ps->p[i])) {
			worst = INFINITY;
			break;
		}
		const float *got = param_grad(ps, i).p;
		float *want = mem_dup(t->data, t->bytes);
		double off = 0, scale = 0;
		for (size_t j = 0; j < t->elements; j++) {
			off = fmax(off, fabs((double)got[j] - (double)want[j]));
			scale = fmax(scale, fabs((double)want[j]));
		}
		worst = fmax(worst, off / scale);
		mem_free(want);
	}
	st_close(&s);
	mem_free(path);
	return worst;
}

static void test_gradients(const struct peer_run *run)
{
	struct err e = {0};
	struct model *m;
	char *base = base_of(run), *init = mem_printf(GOLDEN "%s", run->init);
	struct model_opts mo = {
		.dir = base, .kernels = "plain", .threads = 1, .train = 1, .adapter = init};
	must(model_open(&m, &mo, &e), &e);
	struct loss loss = {.opts = run->opts};
	must(loss_choose(&loss, run->loss, &e), &e);
	struct data_rules rules = {
		.needs = loss.needs, .vocab = model_config(m)->vocab, .shard_i = 1, .shard_n = 1};
	struct data d;
	char *rows = golden(run, "rows.jsonl");
	must(data_load(&d, &rows, 1, &rules, &e), &e);
	uint32_t *order = mem_alloc(d.n, sizeof *order);
	order_epoch(order, d.n, SEED, 0, 1);
	struct batch b = {0};
	must(batch_load(&b, &d, order, BATCH, loss.needs, &e), &e);

	struct stepper s = {.m = m,
		.ws = workspace_new(m),
		.loss = &loss,

		.max_tokens = 50,
		.max_rows = 3};
	if (loss.needs & LOSS_REFERENCE) {
		model_adapter_enable(m, !strstr(run->args, "--ref-adapter none"));
		must(step_logps(&s, m, s.ws, &b, &e), &e);
		model_adapter_enable(m, 1);
		struct loss_batch all = {.label = s.label};
		for (size_t i = 0; i < b.n; i++)
			for (int side = 0; side < 2; side++)
				b.loss[i].ref[side] = loss_sum(&all, b.loss[i].side[side]);
	}
	double value, off;
	struct metrics none = {0};
	must(step_run(&s, &b, 1, 0, &value, &none, &e), &e);
	off = gradients_off(m, run);
	ok(off < 1e-4, "%s: gradients of the first step equal torch's (off by %.2g of the largest)",
		run->name, off);
	metrics_reset(&none);
	workspace_free(s.ws);
	stepper_done(&s);
	batch_done(&b);
	data_done(&d);
	model_close(m);
	mem_free(order);
	mem_free(rows);
	mem_free(base);
	mem_free(init);
}

/* ---- the run ----------------------------------------------------------------------------------------- */

static int run_program(const struct peer_run *run, const char *precision)
{
	char *base = base_of(run);
	char *command = mem_printf("%s/train-step -q -m %s --adapter " GOLDEN
				   "%s --kernels plain --precision %s -j 1 --loss %s %s "
				   "--batch-size %d --num-train-epochs 2 "
				   "--seed %d -f -o %s/%s " GOLDEN "%s/rows.jsonl >%s/%s.mp",
		bin(), base, run->init, precision, run->loss, run->args, BATCH, SEED, dir,
		run->name, run->name, dir, run->name);
	mem_free(base);
	return shell(command);
}

/* How far a metric may be off: relative for the loss, the rate and the norm, absolute for the others,
 * which are small differences of large sums in f32 there. */
static double allowed(const char *name, double want)
{
	if (strcmp(name, "loss") == 0 || strcmp(name, "grad_norm") == 0 ||
		strcmp(name, "nll_loss") == 0)
		return 1e-4 * fmax(1, fabs(want));
	return strcmp(name, "learning_rate") == 0 || strcmp(name, "epoch") == 0 ? 1e-9 : 1e-3;
}

/* ORPO's logits average over padding there, which there is none of here. */
static int left_out(const char *loss, const char *name)
{
	return strcmp(loss, "orpo") == 0 && strncmp(name, "logits/", 7) == 0;
}

static int compare_step(const struct peer_run *run, struct record *rec, const json_t *want)
{
	const char *name;
	json_t *v;
	struct err e = {0};
	int same = 1;
	json_object_foreach((json_t *)(uintptr_t)want, name, v)
	{
		double got = NAN, w = json_number_value(v);
		if (left_out(run->loss, name))
			continue;
		if (record_f64(rec, name, &got, &e) <= 0 || !(fabs(got - w) <= allowed(name, w))) {
			diag("step %lld, %s: got %.9g, wanted %.9g",
				(long long)json_integer_value(json_object_get(want, "step")), name,
				got, w);
			same = 0;
		}
	}
	return same;
}

static void test_log(const struct peer_run *run)
{
	struct stream_reader *in;
	struct err e = {0};
	struct record rec = {0};
	char *path = mem_printf("%s/%s.mp", dir, run->name), *log = golden(run, "log.jsonl");
	must(stream_open(&in, &path, 1, 1 << KIND_TRAIN, 1, 1, &e), &e);
	FILE *f = fopen(log, "r");
	char line[2000];
	int steps = 0, same = 1;
	while (fgets(line, sizeof line, f)) {
		json_t *want = json_read_bytes(line, strlen(line), &e);
		must(stream_read(in, &rec, &e) - 1, &e);
		same &= compare_step(run, &rec, want);
		json_decref(want);
		steps++;
	}
	is_int(steps, 20, "20 steps are compared");
	ok(same, "%s: every metric of every step is TRL's", run->name);
	fclose(f);
	stream_close(in);
	record_done(&rec);
	mem_free(path);
	mem_free(log);
}

static void test_final(const struct peer_run *run)
{
	struct st a, b;
	struct err e = {0};
	char *mine = mem_printf("%s/%s/adapter_model.safetensors", dir, run->name);
	char *theirs = golden(run, "final.safetensors");
	must(st_open_file(&a, mine, &e), &e);
	must(st_open_file(&b, theirs, &e), &e);
	double worst = a.n == b.n ? 0 : INFINITY;
	for (size_t i = 0; i < b.n; i++) {
		const struct st_tensor *x = st_find(&a, b.t[i].name), *y = &b.t[i];
		if (!x || x->bytes != y->bytes) {
			worst = INFINITY;
			break;
		}
		float *got = mem_dup(x->data, x->bytes), *want = mem_dup(y->data, y->bytes);
		double off = 0, scale = 0;
		for (size_t j = 0; j < y->elements; j++) {
			off = fmax(off, fabs((double)got[j] - (double)want[j]));
			scale = fmax(scale, fabs((double)want[j]));
		}
		worst = fmax(worst, off / scale);
		mem_free(got);
		mem_free(want);
	}
	ok(worst < run->tolerance,
		"%s: the adapter after 20 steps is TRL's (off by %.2g of the largest)", run->name,
		worst);
	st_close(&a);
	st_close(&b);
	mem_free(mine);
	mem_free(theirs);
}

/* ---- in bf16 ------------------------------------------------------------------------------------------- */

static const char *const drifting[] = {"loss", "logps/chosen", "logps/rejected", "rewards/margins"};
enum { DRIFTING = sizeof drifting / sizeof *drifting };

static json_t *next_line(FILE *f)
{
	char line[2000];
	struct err e = {0};
	return fgets(line, sizeof line, f) ? json_read_bytes(line, strlen(line), &e) : NULL;
}

static void test_bf16(const struct peer_run *run)
{
	struct stream_reader *in;
	struct err e = {0};
	struct record rec = {0};
	char *path = mem_printf("%s/%s.mp", dir, run->name);
	char *f32 = golden(run, "log.jsonl"), *bf16 = golden(run, "log-bf16.jsonl");
	double ours[DRIFTING] = {0}, peer[DRIFTING] = {0};
	must(stream_open(&in, &path, 1, 1 << KIND_TRAIN, 1, 1, &e), &e);
	FILE *exact = fopen(f32, "r"), *coarse = fopen(bf16, "r");
	json_t *want, *theirs;
	while ((want = next_line(exact))) {
		theirs = next_line(coarse);
		must(stream_read(in, &rec, &e) - 1, &e);
		for (int i = 0; i < DRIFTING; i++) {
			double x = NAN, w = json_number_value(json_object_get(want, drifting[i]));
			if (!json_object_get(want, drifting[i]))
				continue;
			record_f64(&rec, drifting[i], &x, &e);
			ours[i] += pow(x - w, 2);
			peer[i] +=
				pow(json_number_value(json_object_get(theirs, drifting[i])) - w, 2);
		}
		json_decref(want);
		json_decref(theirs);
	}
	for (int i = 0; i < DRIFTING; i++)
		if (peer[i] > 0)
			ok(ours[i] > 0 && ours[i] < 1.5 * 1.5 * peer[i],
				"%s in bf16: %s stays as near to f32 as TRL's in bf16 (%.2g, %.2g)",
				run->name, drifting[i], sqrt(ours[i] / 20), sqrt(peer[i] / 20));
	fclose(exact);
	fclose(coarse);
	stream_close(in);
	record_done(&rec);
	mem_free(path);
	mem_free(f32);
	mem_free(bf16);
}

int main(void)
{
	const char *tmp = getenv("TMPDIR");
	snprintf(dir, sizeof dir, "%s/peers-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(dir))
		return 3;
	is_int(shell(mem_printf("%s/quant -q -t nf4 --double-quant --codes table --dtype float32 "
				"-m tests/golden/quant/base -o %s/nf4",
		       bin(), dir)),
		0, "the base in double NF4, as bitsandbytes makes it on a CPU");
	for (size_t i = 0; i < RUNS; i++) {
		test_gradients(&runs[i]);
		is_int(run_program(&runs[i], "f32"), 0, "train-step runs");
		test_log(&runs[i]);
		test_final(&runs[i]);
		if (strcmp(runs[i].name, runs[i].loss) != 0) /* the plain run of a loss */
			continue;
		is_int(run_program(&runs[i], "bf16"), 0, "train-step runs in bf16");
		test_bf16(&runs[i]);
	}
	int rc = shell(mem_printf("rm -rf '%s'", dir));
	return tap_done() | rc;
}
