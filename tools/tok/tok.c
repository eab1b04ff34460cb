/*
 * tok: text to token ids. This file is the command line and the loop from input to output; row.c is
 * the work.
 */
#include "common/die.h"
#include "common/filter.h"
#include "common/fingerprint.h"
#include "common/io.h"
#include "common/mem.h"
#include "common/opts.h"
#include "tools/tok/explain.h"
#include "tools/tok/row.h"

#include <string.h>

enum {
	EXPLAINED = 8, /* rows that --explain shows */
};

static struct {
	int64_t max_length, max_prompt, max_completion;
	const char *mode, *special, *compat;
	int classic, assistant_only, train_prompt, explain, decode;
} options = {.mode = "keep_start", .special = "auto"};

static const struct opt own[] = {
	{NULL, 0, OPT_GROUP, NULL, NULL, "Limits"},
	{"max-length", 0, OPT_INT, &options.max_length, "N",
		"most ids of a row: of a prompt and each answer together"},
	{"max-prompt-length", 0, OPT_INT, &options.max_prompt, "N",
		"keep this many ids of the prompt, its end"},
	{"max-completion-length", 0, OPT_INT, &options.max_completion, "N",
		"keep this many ids of the answer, its beginning"},
	{"truncation-mode", 0, OPT_STR, &options.mode, "keep_start|keep_end",
		"what --max-length keeps of a longer row (keep_start)"},
	{NULL, 0, OPT_GROUP, NULL, NULL, "What is trained on"},
	{"assistant-only-loss", 0, OPT_FLAG, &options.assistant_only, NULL,
		"of text rows, only the assistant's words ('spans')"},
	{"no-completion-only-loss", 0, OPT_FLAG, &options.train_prompt, NULL,
		"of prompt-completion rows, the prompt too"},
	{NULL, 0, OPT_GROUP, NULL, NULL, "Tokens"},
	{"add-special-tokens", 0, OPT_STR, &options.special, "auto|yes|no",
		"auto: BOS and EOS where the row lacks them; on text rows, yes and no: as the "
		"library's encode"},
	{"classic", 0, OPT_FLAG, &options.classic, NULL,
		"of pairs, encode prompt and answers apart, without BOS, as TRL 0.28 did"},
	{"compat", 0, OPT_STR, &options.compat, "transformers",
		"ids as transformers 5 makes them where its class does not follow tokenizer.json"},
	{"explain", 0, OPT_FLAG, &options.explain, NULL,
		"print the first rows as tokens, trained ones marked, and end"},
	{"decode", 0, OPT_FLAG, &options.decode, NULL,
		"turn input_ids back into text, special tokens kept"},
	{0},
};
static const struct opt *const tables[] = {
	opts_dir, own, opts_output, opts_filter, opts_base, NULL};
static const struct opt_program program = {
	.name = "tok",
	.usage = "-m DIR [--max-length N] [FILE…]",
	.summary = "Encodes text with the model's tokenizer.json; limits and masks its rows.",
	.examples = "tmpl -m M prefs.jsonl | tok -m M --max-length 1024 --max-prompt-length 512 > "
		    "ids.mp\n"
		    "echo '{\"text\": \"hello\"}' | tok -m M | mpcat",
	.tables = tables,
};

/* A record, by where it is for people and for comparing. */
struct first {
	char where[sizeof((struct record *)NULL)->where];
	uint64_t place;
};

struct job {
	struct tokenizer *tokenizer, *compat; /* compat: transformers', to compare with; or NULL */
	struct row_plan plan;
	struct row *rows;      /* one a thread */
	struct first *differs; /* its first record with other ids */
	int nrows;
	struct stream_reader *in;
	struct rejects rejects;
	struct filter filter;
};

static int each(void *user, int worker, struct record *rec, struct filter_out *out, struct err *e)
{
	struct job *j = user;
	struct row *r = &j->rows[worker];
	if ((options.decode ? row_decode(r, rec, e) : row_encode(r, rec, e)) < 0)
		return -1;
	if (r->differs) {
		memcpy(j->differs[worker].where, rec->where, sizeof rec->where);
		j->differs[worker].place = rec->place;
	}
	filter_pass(out, rec);
	return 0;
}

static void make_plan(struct row_plan *p)
{
	p->max_length = (size_t)options.max_length;
	p->max_prompt = (size_t)options.max_prompt;
	p->max_completion = (size_t)options.max_completion;
	p->keep_end = !strcmp(options.mode, "keep_end");
	p->classic = options.classic;
	p->assistant_only = options.assistant_only;
	p->train_prompt = options.train_prompt;
	p->special = !strcmp(options.special, "yes")  ? SPECIAL_YES
		     : !strcmp(options.special, "no") ? SPECIAL_NO
						      : SPECIAL_AUTO;
	p->keep = opts_common.keep;
}

static int make_header(const struct job *j, struct header *h, struct err *e)
{
	static const char *const matter[] = {"max-length", "max-prompt-length",
		"max-completion-length", "truncation-mode", "assistant-only-loss",
		"no-completion-only-loss", "add-special-tokens", "classic", "decode", NULL};
	char ours[FINGERPRINT_LEN];
	header_copy(h, stream_header(j->in));
	memcpy(ours, tokenizer_fingerprint(j->tokenizer), sizeof ours);
	fingerprint_either(ours, h->tokenizer);
	if (stream_check(h, "tokenizer", h->tokenizer, ours, opts_common.ignore_mismatch, e) < 0)
		return -1;
	if (options.compat) {
		memcpy(ours, tokenizer_fingerprint(j->tokenizer), sizeof ours);
		fingerprint_compat(ours);
	}
	mem_free(h->tokenizer);
	h->tokenizer = mem_strdup(ours);
	h->kind = options.decode ? KIND_TEXT : KIND_TOKENS;
	char *made = opts_history(&program, matter);
	header_add_stage(h, program.name, made, ours);
	mem_free(made);
	return 0;
}

static void report_class(const struct job *j)
{
	const struct first *first = NULL;
	for (int i = 0; i < j->nrows; i++)
		if (*j->differs[i].where && (!first || j->differs[i].place < first->place))
			first = &j->differs[i];
	if (first)
		die_warn("%s: transformers' %s makes other ids than tokenizer.json says; "
			 "--compat transformers gives those",
			first->where, tokenizer_class(j->tokenizer));
}

/* What happened to the rows, over all threads. */
static void report(const struct job *j)
{
	uint64_t rows = 0, seams = 0, cut = 0, ends = 0, stops = 0;
	for (int i = 0; i < j->nrows; i++) {
		const struct row *r = &j->rows[i];
		rows += r->rows;
		seams += r->seams;
		cut += r->cut;
		ends += r->ends;
		stops += r->stops;
	}
	if (seams)
		die_note("%llu of %llu rows were split before the prompt's end, where its tokens "
			 "merge with the answer's",
			(unsigned long long)seams, (unsigned long long)rows);
	if (cut)
		die_note("%llu of %llu rows were cut to the limits", (unsigned long long)cut,
			(unsigned long long)rows);
	if (2 * stops < ends)
		die_warn("%llu of %llu answers do not end in a stop token: a model trained on them "
			 "will not learn to stop",
			(unsigned long long)(ends - stops), (unsigned long long)ends);
}

static int explain(struct job *j, struct err *e)
{
	int colour = output_has_colour(), rc = 0;
	struct record rec = {0};
	struct str out = {0};
	for (int i = 0; i < EXPLAINED && (rc = stream_read(j->in, &rec, e)) > 0; i++) {
		char where[sizeof rec.where];
		memcpy(where, rec.where, sizeof where);
		if (row_encode(j->rows, &rec, e) == 0)
			rc = explain_row(&out, j->rows, where, colour, e);
		else
			str_addf(&out, "%s: %s\n", where, e->msg);
		if (rc < 0)
			break;
	}
	if (rc >= 0)
		rc = output_print(out.s, out.len, e);
	str_done(&out);
	record_done(&rec);
	return rc;
}

static int run(struct job *j, struct err *e)
{
	struct header h = {0};
	int rc = make_header(j, &h, e);
	if (rc == 0)
		rc = filter_open(&j->filter, &j->rejects, &h, stream_header(j->in), e);
	header_done(&h);
	if (rc < 0)
		return -1;
	if (filter_run(&j->filter, e) < 0)
		return -1;
	report(j);
	report_class(j);
	return 0;
}

/* The tokenizer, and transformers' where that may differ. */
static int load(struct job *j, struct err *e)
{
	const char *dir = opts_model.model;
	struct row_plan *p = &j->plan;
	struct err none = {0};
	if (tokenizer_load(&j->tokenizer, dir, e) < 0 ||
		row_rule_load(&p->rule, j->tokenizer, dir, e) < 0)
		return -1;
	if (!tokenizer_class(j->tokenizer) || options.decode)
		return 0;
	if (tokenizer_load_compat(&j->compat, dir, j->tokenizer, &none) < 0)
		return 0; /* it may want what is not there: no reason to stop */
	p->compat = j->compat;
	return row_rule_load(&p->compat_rule, j->compat, dir, e);
}

/* What transformers makes of it, instead. */
static int load_compat(struct job *j, struct err *e)
{
	struct tokenizer *file = NULL;
	struct err none = {0};
	if (tokenizer_load(&file, opts_model.model, &none) < 0)
		file = NULL; /* its class may have another part in place of what was refused */
	int rc = tokenizer_load_compat(&j->tokenizer, opts_model.model, file, e);
	tokenizer_free(file);
	return rc < 0 ? -1 : row_rule_load(&j->plan.rule, j->tokenizer, opts_model.model, e);
}

static int work(struct job *j, char **paths, size_t npaths, struct err *e)
{
	unsigned kinds = 1u << (options.decode ? KIND_TOKENS : KIND_TEXT);
	if (stream_open(&j->in, paths, npaths, kinds, opts_common.shard_i, opts_common.shard_n, e) <
			0 ||
		(options.compat ? load_compat : load)(j, e) < 0)
		return -1;
	if (opts_common.ignore_mismatch)
		stream_ignore_mismatch(j->in);
	make_plan(&j->plan);
	j->plan.t = j->tokenizer;
	filter_from_stream(&j->filter, j->in);
	j->filter.each = each;
	j->filter.user = j;
	j->filter.threads = (int)opts_common.threads;
	j->nrows = filter_threads(&j->filter);
	j->rows = mem_zalloc((size_t)j->nrows, sizeof *j->rows);
	j->differs = mem_zalloc((size_t)j->nrows, sizeof *j->differs);
	for (int i = 0; i < j->nrows; i++)
		row_init(&j->rows[i], &j->plan);
	return options.explain ? explain(j, e) : run(j, e);
}

int main(int argc, char **argv)
{
	die_init(program.name);
	int first = opts_parse(&program, argc, argv);
	if (!opts_model.model)
		die(STATUS_USAGE, "which tokenizer? give the model's directory with -m");
	if (options.compat && strcmp(options.compat, "transformers") != 0)
		die(STATUS_USAGE, "--compat '%s': there is 'transformers' only", options.compat);
	io_note_input(opts_model.model);
	struct job j = {0};
	struct err e = {0};
	int rc = work(&j, argv + first, (size_t)(argc - first), &e);
	for (int i = 0; i < j.nrows; i++)
		row_done(&j.rows[i]);
	mem_free(j.rows);
	mem_free(j.differs);
	tokenizer_free(j.tokenizer);
	tokenizer_free(j.compat);
	stream_close(j.in);
	if (rc < 0)
		die_err(&e);
	return STATUS_OK;
}
