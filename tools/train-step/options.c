#include "tools/train-step/options.h"

#include "common/die.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/opts.h"

#include <math.h>
#include <string.h>
#include <strings.h>

struct options options = {
	.loss = {.opts = {.beta = 0.1}},
	.lora_r = 16,
	.lora_alpha = 32,
	.lora_targets = "all-linear",
	.bias = "none",
	.init = "true",
	.batch_size = 8,
	.max_length = 1024,
	.epochs = 3,
	.max_grad_norm = 1,
	.scheduler = "linear",
	.optim = {"adamw_torch", 0.9, 0.999, 1e-8, 0},
	.seed = 42,
	.logging_steps = 1,
};

static const double STEPS_MAX = 1e12;

#define NOT_HERE "is not implemented"

static const struct opt loss_rows[] = {
	{NULL, 0, OPT_GROUP, NULL, NULL, "Loss"},
	{"loss", 0, OPT_STR, &options.loss_name, "NAME", "sft, dpo or orpo"},
	{"loss-type", 0, OPT_STR, &options.loss.opts.type, "NAME",
		"the loss's variant (dpo: sigmoid)"},
	{"beta", 0, OPT_REAL, &options.loss.opts.beta, "B",
		"dpo: strength of the reference; orpo: weight of the odds ratio (0.1)"},
	{"label-smoothing", 0, OPT_REAL, &options.loss.opts.label_smoothing, "E",
		"dpo: share of pairs that are the wrong way round (0)"},
	{"loss-weights", 0, OPT_REFUSE, NULL, NULL, NOT_HERE ": one loss type at a time"},
	{"ld-alpha", 0, OPT_REFUSE, NULL, NULL, NOT_HERE},
	{"use-weighting", 0, OPT_REFUSE, NULL, NULL, NOT_HERE},
	{"f-divergence-type", 0, OPT_REFUSE, NULL, NULL, NOT_HERE ": it is reverse_kl"},
	{"f-alpha-divergence-coef", 0, OPT_REFUSE, NULL, NULL, NOT_HERE},
	{"discopop-tau", 0, OPT_REFUSE, NULL, NULL, NOT_HERE},
	{"cpo-alpha", 0, OPT_REFUSE, NULL, NULL, NOT_HERE},
	{"simpo-gamma", 0, OPT_REFUSE, NULL, NULL, NOT_HERE},
	{"alpha", 0, OPT_REFUSE, NULL, NULL, NOT_HERE ": for the adapter's see --lora-alpha"},
	{"desirable-weight", 0, OPT_REFUSE, NULL, NULL, NOT_HERE},
	{"undesirable-weight", 0, OPT_REFUSE, NULL, NULL, NOT_HERE},
	{"ref-adapter", 0, OPT_STR, &options.ref_adapter, "initial|none|DIR",
		"the reference: the policy as it starts, the bare base, or an adapter"},
	{0},
};

static const struct opt adapter_rows[] = {
	{NULL, 0, OPT_GROUP, NULL, NULL, "What is trained"},
	{"lora-r", 0, OPT_INT, &options.lora_r, "R", "rank of a fresh adapter (16)"},
	{"lora-alpha", 0, OPT_REAL, &options.lora_alpha, "A", "its scale is A/R (32)"},
	{"lora-dropout", 0, OPT_REAL, &options.lora_dropout, "P", "on the adapter's input (0)"},
	{"lora-target-modules", 0, OPT_STR, &options.lora_targets, "all-linear|NAME,…|REGEX",
		"which modules (all-linear); lm_head and embed_tokens too"},
	{"exclude-modules", 0, OPT_STR, &options.exclude, "NAME,…|REGEX", "but not these"},
	{"layers-to-transform", 0, OPT_STR, &options.layers, "N,…", "only these layers, from 0"},
	{"rank-pattern", 0, OPT_STR, &options.rank_pattern, "JSON",
		"other ranks of some modules, as '{\"q_proj\": 8}'"},
	{"alpha-pattern", 0, OPT_STR, &options.alpha_pattern, "JSON", "other alphas"},
	{"use-rslora", 0, OPT_FLAG, &options.use_rslora, NULL, "scale A/sqrt(R)"},
	{"use-dora", 0, OPT_FLAG, &options.use_dora, NULL,
		"train each row's magnitude beside its direction"},
	{"lora-bias", 0, OPT_FLAG, &options.lora_bias, NULL, "B has a bias"},
	{"init-lora-weights", 0, OPT_STR, &options.init, "NAME",
		"true, gaussian or false: how A and B begin (true: A uniform, B 0)"},
	{"bias", 0, OPT_STR, &options.bias, "none|all|lora_only",
		"which of the model's biases train too (none)"},
	{"modules-to-save", 0, OPT_STR, &options.modules_to_save, "NAME,…",
		"modules that train whole: embed_tokens, lm_head, norm …"},
	{"ensure-weight-tying", 0, OPT_FLAG, &options.ensure_tying, NULL,
		"embedding and head stay one tensor in --modules-to-save"},
	{"adapter", 0, OPT_STR, &options.adapter, "DIR", "go on from this PEFT adapter"},
	{"full", 0, OPT_FLAG, &options.full, NULL, "train all weights, no adapter"},
	{0},
};

static const struct opt run_rows[] = {
	{NULL, 0, OPT_GROUP, NULL, NULL, "The run"},
	{"batch-size", 0, OPT_INT, &options.batch_size, "N",
		"rows or pairs per optimizer step (8)"},
	{"micro-batch", 0, OPT_INT, &options.micro_batch, "N",
		"at most so many at once; changes no result"},
	{"max-length", 0, OPT_INT, &options.max_length, "N",
		"longer sequences are bad records; 0: no limit (1024)"},
	{"num-train-epochs", 0, OPT_REAL, &options.epochs, "X", "passes over the data (3)"},
	{"max-steps", 0, OPT_INT, &options.max_steps, "N", "optimizer steps, whatever the epochs"},
	{"learning-rate", 0, OPT_REAL, &options.learning_rate, "X", "(1e-6; sft 2e-5)"},
	{"lr-scheduler-type", 0, OPT_STR, &options.scheduler, "NAME",
		"linear, cosine, constant … (linear)"},
	{"lr-scheduler-kwargs", 0, OPT_STR, &options.scheduler_kwargs, "JSON",
		"its parameters, as '{\"num_cycles\": 2}'"},
	{"warmup-steps", 0, OPT_REAL, &options.warmup_steps, "N",
		"below 1: a share of all steps (0)"},
	{"warmup-ratio", 0, OPT_REAL, &options.warmup_ratio, "X", "share of all steps (0)"},
	{"optim", 0, OPT_STR, &options.optim.name, "NAME",
		"adamw_torch, adamw_8bit, paged_adamw_8bit, lion_8bit, adafactor … (adamw_torch)"},
	{"optim-args", 0, OPT_STR, &options.optim.args, "KEY=VALUE,…",
		"ademamix: alpha=5,beta3=0.9999,t_alpha=STEPS,t_beta3=STEPS"},
	{"weight-decay", 0, OPT_REAL, &options.optim.weight_decay, "X", "(0)"},
	{"adam-beta1", 0, OPT_REAL, &options.optim.beta1, "X", "(0.9)"},
	{"adam-beta2", 0, OPT_REAL, &options.optim.beta2, "X", "(0.999)"},
	{"adam-epsilon", 0, OPT_REAL, &options.optim.epsilon, "X", "(1e-8)"},
	{"max-grad-norm", 0, OPT_REAL, &options.max_grad_norm, "X",
		"gradients are clipped to this norm; 0: not (1)"},
	{"seed", 0, OPT_INT, &options.seed, "N", "of the adapter, the order of rows, dropout (42)"},
	{"no-shuffle", 0, OPT_FLAG, &options.no_shuffle, NULL, "rows in the order of the input"},
	{"logging-steps", 0, OPT_INT, &options.logging_steps, "N",
		"a record of metrics every N steps (1)"},
	{"save-steps", 0, OPT_INT, &options.save_steps, "N",
		"a checkpoint every N steps and at the end; 0: none (0)"},
	{"save-total-limit", 0, OPT_INT, &options.save_total_limit, "N",
		"keep the newest N checkpoints"},
	{"checkpoint-dir", 0, OPT_STR, &options.checkpoint_dir, "DIR",
		"where checkpoints go (the output directory)"},
	{"resume", 0, OPT_FLAG, &options.resume, NULL,
		"go on from the last checkpoint, where there is one"},
	{"eval-file", 0, OPT_STR, &options.eval_file, "FILE", "rows that are not trained on"},
	{"eval-steps", 0, OPT_INT, &options.eval_steps, "N",
		"evaluate every N steps (at the end only)"},
	{"max-memory", 0, OPT_SIZE, &options.max_memory, "BYTES",
		"fit into this, or say what would do and end (the machine's)"},
	{"plan", 0, OPT_FLAG, &options.plan, NULL, "print what memory the run needs, and end"},
	{"timing", 0, OPT_STR, &options.timing, "FILE",
		"seconds and tokens of each logged step, as JSON lines"},
	{0},
};

/* What peers have and this program does otherwise. */
static const struct opt peer_rows[] = {
	{"per-device-train-batch-size", 0, OPT_REFUSE, NULL, NULL,
		"use --batch-size, the rows of an optimizer step"},
	{"per-device-eval-batch-size", 0, OPT_REFUSE, NULL, NULL, "use --batch-size"},
	{"gradient-accumulation-steps", 0, OPT_REFUSE, NULL, NULL,
		"use --batch-size, the rows of an optimizer step; --micro-batch limits how many "
		"are computed at once"},
	{"gradient-checkpointing", 0, OPT_REFUSE, NULL, NULL,
		"leave it out: activations are made again where --max-memory asks for it"},
	{"bf16", 0, OPT_REFUSE, NULL, NULL, "use --precision bf16"},
	{"fp16", 0, OPT_REFUSE, NULL, NULL, "use --precision bf16 or f32"},
	{"tf32", 0, OPT_REFUSE, NULL, NULL, "use --precision"},
	{"packing", 0, OPT_REFUSE, NULL, NULL,
		"leave it out: batches are packed without padding always"},
	{"padding-free", 0, OPT_REFUSE, NULL, NULL,
		"leave it out: batches are packed without padding always"},
	{"max-prompt-length", 0, OPT_REFUSE, NULL, NULL, "give it to tok, which cuts"},
	{"max-completion-length", 0, OPT_REFUSE, NULL, NULL, "give it to tok, which cuts"},
	{"truncation-mode", 0, OPT_REFUSE, NULL, NULL, "give it to tok, which cuts"},
	{"assistant-only-loss", 0, OPT_REFUSE, NULL, NULL, "give it to tok, which makes the masks"},
	{"completion-only-loss", 0, OPT_REFUSE, NULL, NULL,
		"leave it out; tok has --no-completion-only-loss"},
	{"precompute-ref-log-probs", 0, OPT_REFUSE, NULL, NULL,
		"put refscore in front of this stage"},
	{"disable-dropout", 0, OPT_REFUSE, NULL, NULL, "use --lora-dropout 0, the default"},
	{"model-name-or-path", 0, OPT_REFUSE, NULL, NULL, "use -m DIR"},
	{"dtype", 0, OPT_REFUSE, NULL, NULL,
		"weights stay as on disk; for the arithmetic use --precision"},
	{"torch-dtype", 0, OPT_REFUSE, NULL, NULL,
		"weights stay as on disk; for the arithmetic use --precision"},
	{"load-in-4bit", 0, OPT_REFUSE, NULL, NULL, "give -m a directory that quant made"},
	{"load-in-8bit", 0, OPT_REFUSE, NULL, NULL, "give -m a directory that quant made"},
	{"target-modules", 0, OPT_REFUSE, NULL, NULL, "use --lora-target-modules"},
	{"max-seq-length", 0, OPT_REFUSE, NULL, NULL, "use --max-length; tok cuts"},
	{"dataset-num-proc", 0, OPT_REFUSE, NULL, NULL, "use -j of tmpl and tok"},
	{"dataloader-num-workers", 0, OPT_REFUSE, NULL, NULL, "use -j"},
	{"dataset-name", 0, OPT_REFUSE, NULL, NULL, "pipe the rows in: tmpl … | tok …"},
	{"output-dir", 0, OPT_REFUSE, NULL, NULL, "use -o DIR"},
	{"overwrite-output-dir", 0, OPT_REFUSE, NULL, NULL, "use --force"},
	{"resume-from-checkpoint", 0, OPT_REFUSE, NULL, NULL, "use --resume"},
	{"save-strategy", 0, OPT_REFUSE, NULL, NULL, "use --save-steps"},
	{"eval-strategy", 0, OPT_REFUSE, NULL, NULL, "use --eval-file and --eval-steps"},
	{"logging-dir", 0, OPT_REFUSE, NULL, NULL, "metrics are the stream on standard output"},
	{"report-to", 0, OPT_REFUSE, NULL, NULL, "metrics are the stream on standard output"},
	{0},
};

static const struct opt *const tables[] = {loss_rows, adapter_rows, run_rows, peer_rows, opts_dir,
	opts_device, opts_filter, opts_output, opts_base, NULL};

static const struct opt_program program = {
	.name = "train-step",
	.usage = "-m DIR --loss sft|dpo|orpo [-o DIR] [FILE…]",
	.summary = "Trains an adapter, or all weights, on token streams; writes metrics and what "
		   "it trained.",
	.examples = "  train-step -m base --loss dpo -o adapter prefs.ref.mp > metrics.mp\n"
		    "  tok -m base rows.mp | train-step -m base --loss sft | merge-lora -m base -o "
		    "merged\n",
	.tables = tables,
};

static void combine(const char *a, const char *b)
{
	if (opts_given(a) && opts_given(b))
		die(STATUS_USAGE, "--%s and --%s cannot be given together", a, b);
}

static void check_loss(struct err *e)
{
	struct options *o = &options;
	if (!o->loss_name)
		die(STATUS_USAGE, "--loss is missing: sft, dpo or orpo");
	if (loss_choose(&o->loss, o->loss_name, e) < 0)
		die_err(e);
	for (const char *const *name = loss_options; *name; name++)
		if (opts_given(*name) && !loss_uses(o->loss.def, *name))
			die(STATUS_USAGE, "--%s means nothing to --loss %s", *name, o->loss_name);
	if (o->ref_adapter && !(o->loss.needs & LOSS_REFERENCE))
		die(STATUS_USAGE,
			"--ref-adapter means nothing to --loss %s, which has no reference",
			o->loss_name);
	if (!opts_given("learning-rate"))
		o->learning_rate = o->loss.def->learning_rate;
}

static void check_trained(void)
{
	static const char *const fresh[] = {"lora-r", "lora-alpha", "lora-target-modules",
		"exclude-modules", "layers-to-transform", "rank-pattern", "alpha-pattern",
		"use-rslora", "use-dora", "lora-bias", "init-lora-weights", "bias",
		"modules-to-save", "ensure-weight-tying"};
	const struct options *o = &options;
	for (size_t i = 0; i < sizeof fresh / sizeof *fresh; i++) {
		combine("full", fresh[i]);
		if (o->adapter && opts_given(fresh[i]))
			die(STATUS_USAGE,
				"--%s and --adapter cannot be given together: it is in the "
				"adapter's config",
				fresh[i]);
	}
	combine("full", "adapter");
	combine("full", "lora-dropout");
	if (o->lora_r < 1 || o->lora_r > 65536)
		die(STATUS_USAGE, "--lora-r must be between 1 and 65536");
	if (!isfinite(o->lora_alpha) || !(o->lora_alpha > 0))
		die(STATUS_USAGE, "--lora-alpha must be above 0");
	if (!(o->lora_dropout >= 0 && o->lora_dropout < 1))
		die(STATUS_USAGE, "--lora-dropout must be at least 0 and below 1");
}

static void check_run(struct err *e)
{
	const struct options *o = &options;
	struct schedule s;
	if (optim_check(&o->optim, e) < 0)
		die_err(e);
	if (o->batch_size < 1 || o->batch_size > UINT32_MAX)
		die(STATUS_USAGE, "--batch-size must be at least 1");
	if (!(o->epochs > 0) || !isfinite(o->epochs))
		die(STATUS_USAGE, "--num-train-epochs must be above 0");
	if (!(o->learning_rate >= 0) || !isfinite(o->learning_rate))
		die(STATUS_USAGE, "--learning-rate must be a number that is not negative");
	if (!(o->warmup_steps >= 0) || !(o->warmup_ratio >= 0 && o->warmup_ratio <= 1))
		die(STATUS_USAGE,
			"--warmup-steps must not be negative, --warmup-ratio between 0 and 1");
	if (o->warmup_steps > STEPS_MAX)
		die(STATUS_USAGE, "--warmup-steps %g is more than any run has", o->warmup_steps);
	if (!(o->max_grad_norm >= 0))
		die(STATUS_USAGE, "--max-grad-norm must not be negative");
	if (o->logging_steps < 1)
		die(STATUS_USAGE, "--logging-steps must be at least 1");
	for (const char *const *name = optim_options; *name; name++)
		if (opts_given(*name) && !optim_uses(&o->optim, *name))
			die(STATUS_USAGE, "--%s means nothing to --optim %s", *name, o->optim.name);
	if (o->eval_steps && !o->eval_file)
		die(STATUS_USAGE, "--eval-steps needs --eval-file");
	if (o->save_steps && !o->checkpoint_dir && !opts_common.output)
		die(STATUS_USAGE, "--save-steps needs -o DIR or --checkpoint-dir DIR");
	if (schedule_init(&s, o->scheduler, o->scheduler_kwargs, o->learning_rate, e) < 0)
		die_err(e);
}

int options_parse(int argc, char **argv)
{
	struct err e = {0};
	int first = opts_parse(&program, argc, argv);
	if (!opts_model.model)
		die(STATUS_USAGE, "-m DIR is missing");
	check_loss(&e);
	check_trained();
	check_run(&e);
	return first;
}

char *options_history(void)
{
	static const char *const names[] = {"loss", "loss-type", "beta", "label-smoothing",
		"ref-adapter", "lora-r", "lora-alpha", "lora-dropout", "lora-target-modules",
		"exclude-modules", "layers-to-transform", "rank-pattern", "alpha-pattern",
		"use-rslora", "use-dora", "lora-bias", "init-lora-weights", "bias",
		"modules-to-save", "ensure-weight-tying", "adapter", "full", "batch-size",
		"num-train-epochs", "max-steps", "learning-rate", "lr-scheduler-type",
		"lr-scheduler-kwargs", "warmup-steps", "warmup-ratio", "optim", "optim-args",
		"weight-decay", "adam-beta1", "adam-beta2", "adam-epsilon", "max-grad-norm", "seed",
		"no-shuffle", "logging-steps", "eval-file", "eval-steps", "precision", NULL};
	return opts_history(&program, names);
}

int options_schedule(struct schedule *s, uint64_t steps_per_epoch, struct err *e)
{
	const struct options *o = &options;
	double total =
		o->max_steps ? (double)o->max_steps : ceil(o->epochs * (double)steps_per_epoch);
	if (total > STEPS_MAX)
		return err_usage(e, "--num-train-epochs %g makes %g steps", o->epochs, total);
	if (schedule_init(s, o->scheduler, o->scheduler_kwargs, o->learning_rate, e) < 0)
		return -1;
	s->total = (uint64_t)total;
	double warmup = o->warmup_steps ? o->warmup_steps : o->warmup_ratio;
	s->warmup = (uint64_t)ceil(warmup < 1 || !o->warmup_steps ? warmup * total : warmup);
	return 0;
}

/* ---- the fresh adapter, as PEFT's config would have it ---- */

static json_t *names(const char *list)
{
	json_t *a = json_array();
	for (const char *p = list; *p;) {
		size_t n = strcspn(p, ",");
		if (n)
			json_array_append_new(a, json_stringn(p, n));
		p += n + (p[n] == ',');
	}
	return a;
}

/* No module's name holds what makes an expression one. */
static json_t *names_or_regex(const char *s)
{
	return strpbrk(s, "\\^$*+?()[]{}|") || strcasecmp(s, "all-linear") == 0 ? json_string(s)
										: names(s);
}

static int numbers(json_t *config, const char *key, const char *list, struct err *e)
{
	char *text = mem_printf("[%s]", list);
	json_t *a = json_read_bytes(text, strlen(text), e);
	mem_free(text);
	json_object_set_new(config, key, a);
	return a ? 0 : -1;
}

static int object(json_t *config, const char *key, const char *text, struct err *e)
{
	json_t *o = json_read_bytes(text, strlen(text), e);
	if (o && !json_is_object(o))
		err_usage(e, "not a JSON object");
	int rc = json_is_object(o) ? 0 : -1;
	json_object_set_new(config, key, o);
	return rc;
}

static json_t *init_value(const char *s)
{
	return strcasecmp(s, "true") == 0    ? json_true()
	       : strcasecmp(s, "false") == 0 ? json_false()
					     : json_string(s);
}

/* Python keeps 32 and 32.0 apart; a whole alpha is written as the integer it was given as. */
static json_t *number(double v)
{
	return v == floor(v) && fabs(v) < 1e15 ? json_integer((json_int_t)v) : json_real(v);
}

static int fill_config(json_t *config, struct err *e)
{
	const struct options *o = &options;
	json_object_set_new(config, "peft_type", json_string("LORA"));
	json_object_set_new(config, "base_model_name_or_path", json_string(opts_model.model));
	json_object_set_new(config, "r", json_integer(o->lora_r));
	json_object_set_new(config, "lora_alpha", number(o->lora_alpha));
	json_object_set_new(config, "lora_dropout", json_real(o->lora_dropout));
	json_object_set_new(config, "use_rslora", json_boolean(o->use_rslora));
	json_object_set_new(config, "use_dora", json_boolean(o->use_dora));
	json_object_set_new(config, "lora_bias", json_boolean(o->lora_bias));
	json_object_set_new(config, "ensure_weight_tying", json_boolean(o->ensure_tying));
	json_object_set_new(config, "init_lora_weights", init_value(o->init));
	json_object_set_new(config, "bias", json_string(o->bias));
	json_object_set_new(config, "target_modules", names_or_regex(o->lora_targets));
	if (o->exclude)
		json_object_set_new(config, "exclude_modules", names_or_regex(o->exclude));
	if (o->modules_to_save)
		json_object_set_new(config, "modules_to_save", names(o->modules_to_save));
	if (o->layers && numbers(config, "layers_to_transform", o->layers, e))
		return err_prefix(e, "--layers-to-transform");
	if (o->rank_pattern && object(config, "rank_pattern", o->rank_pattern, e))
		return err_prefix(e, "--rank-pattern");
	if (o->alpha_pattern && object(config, "alpha_pattern", o->alpha_pattern, e))
		return err_prefix(e, "--alpha-pattern");
	return 0;
}

int options_adapter(struct adapter_config *c, struct err *e)
{
	json_t *config = json_object();
	int rc = fill_config(config, e);
	if (rc == 0)
		rc = adapter_config_from(c, config, e);
	json_decref(config);
	if (rc < 0)
		e->status = STATUS_USAGE;
	return rc;
}
