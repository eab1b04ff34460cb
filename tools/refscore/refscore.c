/*
 * refscore: adds the frozen model's log-probs to a stream of tokens. This file is the command line
 * and the loop from input to output; score.c is the work.
 */
#include "common/die.h"
#include "common/fingerprint.h"
#include "common/io.h"
#include "common/mem.h"
#include "common/opts.h"
#include "tools/refscore/score.h"

#include <string.h>
#include <time.h>

/* Tokens of a batch: enough rows for a product to run at speed, some tens of MB for a small model.
 */
enum { BATCH_TOKENS = 2048 };

static struct {
	const char *adapter, *prefix;
	int per_token;
	int64_t verify;
	double int8_threshold;
} options = {.prefix = "ref"};

static const struct opt own[] = {
	{NULL, 0, OPT_GROUP, NULL, NULL, "Scoring"},
	{"adapter", 0, OPT_STR, &options.adapter, "DIR", "a PEFT adapter on top of the model"},
	{"per-token", 0, OPT_FLAG, &options.per_token, NULL, "also the log-prob of each token"},
	{"prefix", 0, OPT_STR, &options.prefix, "NAME",
		"name of the fields: NAME_chosen_logps … (ref)"},
	{"llm-int8-threshold", 0, OPT_REAL, &options.int8_threshold, "X",
		"quantise what int8 weights meet below X, as bitsandbytes does with 6 (0: not)"},
	{"verify", 0, OPT_INT, &options.verify, "N",
		"compute the first N records again and compare with what they hold; change "
		"nothing"},
	{0},
};
static const struct opt *const tables[] = {
	opts_dir, own, opts_device, opts_output, opts_filter, opts_base, NULL};
static const struct opt_program program = {
	.name = "refscore",
	.usage = "-m DIR [--adapter DIR] [FILE…]",
	.summary = "Adds summed log-probs of completions under a model to a stream of tokens.",
	.examples = "tmpl -m M prefs.jsonl | tok -m M | refscore -m M -z > prefs.ref.mp.gz\n"
		    "refscore -m M --adapter out --prefix policy prefs.ref.mp.gz | mpcat",
	.tables = tables,
};

struct job {
	double began;
	struct stream_reader *in;
	struct rejects rejects;
	struct scorer s;
	int failed; /* while the input paused; e says how */
	struct err e;
};

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int open_model(struct scorer *s, struct err *e)
{
	struct model_opts o = {.dir = opts_model.model,
		.device = opts_model.device,
		.kernels = opts_model.kernels,
		.precision = opts_model.precision,
		.threads = (int)opts_common.threads,
		.int8_threshold = (float)options.int8_threshold,
		.adapter = options.adapter};
	if (model_open(&s->m, &o, e) < 0)
		return -1;
	opts_model.precision = model_precision(s->m); /* what was chosen, for the history */
	s->ws = workspace_new(s->m);
	s->prefix = options.prefix;
	s->per_token = options.per_token;
	s->verify = (uint64_t)options.verify;
	s->verifying = opts_given("verify");
	/* What is quantised with what: one record, whatever stands around it. */
	s->max_tokens = options.int8_threshold > 0 ? 0 : BATCH_TOKENS;
	s->root = -1;
	die_verbose("%s", model_kernels(s->m)->describe(model_kctx(s->m)));
	return 0;
}

/* The ids must come from the model's own tokenizer, where the directory has one. */
static int check_tokenizer(const struct header *h, struct err *e)
{
	char ours[FINGERPRINT_LEN];
	if (fingerprint_tokenizer_if_any(opts_model.model, ours, e) < 0)
		return -1;
	if (*ours)
		fingerprint_either(ours, h->tokenizer);
	return stream_check(
		h, "tokenizer", h->tokenizer, *ours ? ours : NULL, opts_common.ignore_mismatch, e);
}

/* Scores named `ref` are the reference's: the header says whose. */
static int make_header(struct job *j, struct header *h, struct err *e)
{
	static const char *const matter[] = {
		"prefix", "per-token", "precision", "llm-int8-threshold", NULL};
	const char *ours = model_reference(j->s.m);
	int is_reference = strcmp(options.prefix, "ref") == 0;
	header_copy(h, stream_header(j->in));
	if (check_tokenizer(h, e) < 0)
		return -1;
	if (j->s.verifying)
		return is_reference ? stream_check(h, "reference", h->reference, ours,
					      opts_common.ignore_mismatch, e)
				    : 0;
	if (is_reference) {
		mem_free(h->reference);
		h->reference = mem_strdup(ours);
		die_note("reference: %s%s%s (%s)", opts_model.model,
			options.adapter ? " with " : "", options.adapter ? options.adapter : "",
			ours);
	}
	char *made = opts_history(&program, matter);
	header_add_stage(h, program.name, made, ours);
	mem_free(made);
	return 0;
}

/* The input pauses: what has come is scored and passed on. */
static void on_pause(void *arg)
{
	struct job *j = arg;
	if (!j->failed && (score_flush(&j->s, &j->e) < 0 || stream_flush(j->s.w, &j->e) < 0))
		j->failed = 1;
}

static int run(struct job *j, struct err *e)
{
	struct record rec = {0};
	int rc;
	while ((rc = stream_read(j->in, &rec, e)) != 0 && !j->failed) {
		if (rc > 0)
			rc = score_add(&j->s, &rec, e);
		die_progress("%llu records, %.0f tokens a second", (unsigned long long)j->s.records,
			(double)j->s.tokens / (seconds() - j->began));
		if (rc == STREAM_BAD)
			rc = rejects_add(&j->rejects, &rec, e);
		if (rc < 0)
			break;
	}
	record_done(&rec);
	if (rc == 0 && !j->failed)
		return score_flush(&j->s, e);
	if (j->failed)
		*e = j->e;
	return -1;
}

static void report(const struct job *j)
{
	double s = seconds() - j->began;
	die_verbose("%llu records, %llu tokens in %.1f s: %.0f tokens a second",
		(unsigned long long)j->s.records, (unsigned long long)j->s.tokens, s,
		(double)j->s.tokens / s);
	if (j->s.verifying)
		die_note("verified %llu records: differences up to %.2g",
			(unsigned long long)(j->s.records < j->s.verify ? j->s.records
									: j->s.verify),
			j->s.worst);
}

static int work(struct job *j, char **paths, size_t npaths, struct err *e)
{
	struct header h = {0};
	j->began = seconds();
	if (stream_open(&j->in, paths, npaths, 1 << KIND_TOKENS, opts_common.shard_i,
		    opts_common.shard_n, e) < 0 ||
		open_model(&j->s, e) < 0)
		return -1;
	if (opts_common.ignore_mismatch)
		stream_ignore_mismatch(j->in);
	int rc = make_header(j, &h, e);
	if (rc == 0)
		rc = rejects_open(&j->rejects, opts_common.skip_bad, opts_common.rejects,
			stream_header(j->in), e);
	if (rc == 0)
		rc = stream_create(&j->s.w, opts_common.output, opts_common.gzip, &h, e);
	header_done(&h);
	if (rc < 0)
		return -1;
	stream_on_pause(j->in, on_pause, j);
	if (run(j, e) < 0 || rejects_close(&j->rejects, e) < 0)
		return -1;
	struct stream_writer *w = j->s.w;
	j->s.w = NULL;
	if (stream_finish(w, stream_skipped(j->in) + j->rejects.count, e) < 0)
		return -1;
	report(j);
	return 0;
}

int main(int argc, char **argv)
{
	die_init(program.name);
	int first = opts_parse(&program, argc, argv);
	if (!opts_model.model)
		die(STATUS_USAGE, "which model? give its directory with -m");
	if (!(options.int8_threshold >= 0))
		die(STATUS_USAGE, "--llm-int8-threshold must not be negative");
	if (!*options.prefix)
		die(STATUS_USAGE, "'--prefix' needs a name");
	io_note_input(opts_model.model);
	struct job j = {0};
	struct err e = {0};
	int rc = work(&j, argv + first, (size_t)(argc - first), &e);
	if (rc < 0) {
		if (j.s.w)
			stream_abandon(j.s.w);
		rejects_abandon(&j.rejects);
	}
	scorer_done(&j.s);
	model_close(j.s.m);
	stream_close(j.in);
	if (rc < 0)
		die_err(&e);
	return STATUS_OK;
}
