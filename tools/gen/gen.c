/*
 * gen: answers to prompts, so that a person can see what training did. This file is the command line
 * and the loop from records to JSON lines; generate.c makes the answers, sample.c picks tokens.
 */
#include "common/die.h"
#include "common/fingerprint.h"
#include "common/io.h"
#include "common/mem.h"
#include "common/opts.h"
#include "common/stream.h"
#include "tools/gen/generate.h"
#include "tools/gen/prompt.h"

#include <string.h>
#include <time.h>

static struct {
	const char *adapter;
	int64_t max_new, top_k, nseq, seed;
	double temperature, top_p, min_p, penalty, int8_threshold;
	struct opt_list stop;
} options = {.max_new = 256, .nseq = 1, .top_p = 1, .penalty = 1};

static const struct opt own[] = {
	{NULL, 0, OPT_GROUP, NULL, NULL, "Generation"},
	{"adapter", 0, OPT_STR, &options.adapter, "DIR", "a PEFT adapter on top of the model"},
	{"llm-int8-threshold", 0, OPT_REAL, &options.int8_threshold, "X",
		"quantise what int8 weights meet below X, as bitsandbytes does with 6 (0: not)"},
	{"max-new-tokens", 0, OPT_INT, &options.max_new, "N", "longest answer, in tokens (256)"},
	{"temperature", 0, OPT_REAL, &options.temperature, "T",
		"0: the likeliest token each time (0)"},
	{"top-k", 0, OPT_INT, &options.top_k, "K", "draw from the K likeliest tokens (0: all)"},
	{"top-p", 0, OPT_REAL, &options.top_p, "P",
		"draw from the likeliest that sum to P (1: all)"},
	{"min-p", 0, OPT_REAL, &options.min_p, "P",
		"draw from those at least P times the likeliest"},
	{"repetition-penalty", 0, OPT_REAL, &options.penalty, "R",
		"weaken tokens that have occurred (1: not)"},
	{"stop", 0, OPT_LIST, &options.stop, "TEXT", "end an answer before TEXT; repeatable"},
	{"num-return-sequences", 0, OPT_INT, &options.nseq, "N", "answers to each prompt (1)"},
	{"seed", 0, OPT_INT, &options.seed, "S", "of the draws (0)"},
	{0},
};
static const struct opt *const tables[] = {
	opts_dir, own, opts_device, opts_output, opts_filter, opts_base, NULL};
static const struct opt_program program = {
	.name = "gen",
	.usage = "-m DIR [--adapter DIR] [FILE…]",
	.summary = "Answers prompts: JSON lines out, each record with its completion.",
	.examples = "echo '{\"prompt\": \"Once upon a time\"}' | gen -m M\n"
		    "tmpl -m M --add-generation-prompt chats.jsonl | gen -m M --adapter out "
		    "--temperature 0.7",
	.tables = tables,
};

struct job {
	double began;
	struct stream_reader *in;
	struct output *out;
	struct rejects rejects;
	struct tokenizer *tok;
	struct row_rule rule;
	struct generator g;
	struct prompt prompt;
	struct str line;
	uint64_t records;
};

static void check_options(void)
{
	int sampling = options.temperature > 0;
	if (options.max_new < 1 || options.nseq < 1)
		die(STATUS_USAGE, "'--max-new-tokens' and '--num-return-sequences' are at least 1");
	if (!(options.int8_threshold >= 0))
		die(STATUS_USAGE, "'--llm-int8-threshold' is not negative");
	if (options.temperature < 0 || options.penalty <= 0)
		die(STATUS_USAGE,
			"'--temperature' is not negative, '--repetition-penalty' is above 0");
	if (options.top_p <= 0 || options.top_p > 1 || options.min_p < 0 || options.min_p > 1)
		die(STATUS_USAGE, "'--top-p' is in (0, 1], '--min-p' in [0, 1]");
	if (!sampling && (opts_given("top-k") || opts_given("top-p") || opts_given("min-p") ||
				 options.nseq > 1))
		die(STATUS_USAGE, "'--top-k', '--top-p', '--min-p' and several sequences need "
				  "'--temperature' above 0");
	for (size_t i = 0; i < options.stop.n; i++) {
		if (!*options.stop.v[i])
			die(STATUS_USAGE, "'--stop' needs a text");
	}
}

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int open_model(struct job *j, struct err *e)
{
	struct generator *g = &j->g;
	struct model_opts o = {.dir = opts_model.model,
		.device = opts_model.device,
		.kernels = opts_model.kernels,
		.precision = opts_model.precision,
		.threads = (int)opts_common.threads,
		.int8_threshold = (float)options.int8_threshold,
		.adapter = options.adapter};
	struct sampling how = {.temperature = options.temperature,
		.top_k = (size_t)options.top_k,
		.top_p = options.top_p,
		.min_p = options.min_p,
		.penalty = options.penalty};
	if (tokenizer_load(&j->tok, opts_model.model, e) < 0 ||
		row_rule_load(&j->rule, j->tok, opts_model.model, e) < 0 ||
		model_open(&g->m, &o, e) < 0)
		return -1;
	g->enc = encoder_new(j->tok);
	g->max_new = (size_t)options.max_new;
	g->nseq = (size_t)options.nseq;
	g->stop = options.stop.v;
	g->nstop = options.stop.n;
	g->seed = (uint64_t)options.seed;
	g->rule = &j->rule;
	generator_init(g, &how);
	j->prompt = (struct prompt){.enc = g->enc,
		.rule = &j->rule,
		.config = model_config(g->m),
		.max_new = g->max_new,
		.dir = opts_model.model};
	die_verbose("%s", model_kernels(g->m)->describe(model_kctx(g->m)));
	return 0;
}

static int check_tokenizer(const struct job *j, const struct header *h, struct err *e)
{
	char ours[FINGERPRINT_LEN];
	memcpy(ours, tokenizer_fingerprint(j->tok), sizeof ours);
	fingerprint_either(ours, h->tokenizer);
	return stream_check(h, "tokenizer", h->tokenizer, ours, opts_common.ignore_mismatch, e);
}

/* j->line: the record with its answers. STREAM_BAD: the record cannot be used. */
static int answer(struct job *j, struct record *rec, struct err *e)
{
	const uint32_t *ids;
	size_t n;
	if (prompt_read(&j->prompt, rec, &ids, &n, e) < 0)
		return STREAM_BAD;
	if (generate(&j->g, ids, n, e) < 0) {
		err_prefix(e, "%s", rec->where);
		return -1;
	}
	str_reset(&j->line);
	for (size_t i = 0; i < j->g.nseq; i++) {
		const struct str *text = &j->g.seq[i].text;
		record_set_str(rec, "completion", text->len ? text->s : "", text->len);
		record_to_json(&j->line, rec);
		str_addc(&j->line, '\n');
	}
	j->records++;
	die_progress("%llu prompts, %.1f tokens a second", (unsigned long long)j->records,
		(double)j->g.tokens / (seconds() - j->began));
	if (output_write(j->out, j->line.s, j->line.len, e) < 0)
		return -1;
	return output_flush(j->out, e);
}

static int run(struct job *j, struct err *e)
{
	struct record rec = {0};
	int rc;
	while ((rc = stream_read(j->in, &rec, e)) != 0) {
		if (rc > 0)
			rc = answer(j, &rec, e);
		if (rc == STREAM_BAD)
			rc = rejects_add(&j->rejects, &rec, e);
		if (rc < 0)
			break;
	}
	record_done(&rec);
	return rc;
}

static void report(const struct job *j)
{
	double s = seconds() - j->began;
	die_verbose("%llu prompts, %llu tokens in %.1f s: %.1f tokens a second",
		(unsigned long long)j->records, (unsigned long long)j->g.tokens, s,
		(double)j->g.tokens / s);
}

static int work(struct job *j, char **paths, size_t npaths, struct err *e)
{
	j->began = seconds();
	if (stream_open(&j->in, paths, npaths, 1 << KIND_TEXT | 1 << KIND_TOKENS,
		    opts_common.shard_i, opts_common.shard_n, e) < 0 ||
		open_model(j, e) < 0)
		return -1;
	if (opts_common.ignore_mismatch)
		stream_ignore_mismatch(j->in);
	const struct header *h = stream_header(j->in);
	if (check_tokenizer(j, h, e) < 0 ||
		rejects_open(&j->rejects, opts_common.skip_bad, opts_common.rejects, h, e) < 0 ||
		output_open(&j->out, opts_common.output, 0, opts_common.gzip, e) < 0)
		return -1;
	if (run(j, e) < 0 || rejects_close(&j->rejects, e) < 0)
		return -1;
	struct output *out = j->out;
	j->out = NULL;
	if (output_commit(out, e) < 0)
		return -1;
	report(j);
	return 0;
}

static void done(struct job *j)
{
	if (j->out)
		output_abandon(j->out);
	generator_done(&j->g);
	prompt_done(&j->prompt);
	encoder_free(j->g.enc);
	tokenizer_free(j->tok);
	model_close(j->g.m);
	stream_close(j->in);
	str_done(&j->line);
}

int main(int argc, char **argv)
{
	die_init(program.name);
	int first = opts_parse(&program, argc, argv);
	if (!opts_model.model)
		die(STATUS_USAGE, "which model? give its directory with -m");
	check_options();
	io_note_input(opts_model.model);
	struct job j = {0};
	struct err e = {0};
	int rc = work(&j, argv + first, (size_t)(argc - first), &e);
	if (rc < 0)
		rejects_abandon(&j.rejects);
	done(&j);
	if (rc < 0)
		die_err(&e);
	return STATUS_OK;
}
