/*
 * tmpl: rows of a dataset to text. This file is the command line and the loop from input to output;
 * shape.c reads rows, chat.c renders conversations, make.c puts the two together.
 */
#include "common/die.h"
#include "common/filter.h"
#include "common/fingerprint.h"
#include "common/io.h"
#include "common/mem.h"
#include "common/opts.h"
#include "common/utf8.h"
#include "tools/tmpl/explain.h"
#include "tools/tmpl/make.h"
#include "tools/tmpl/rows.h"
#include "tools/tmpl/tokens.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { EXPLAINED = 4 }; /* rows that --explain shows */

static struct {
	const char *templ, *type, *tools, *kwargs, *date;
	struct opt_list maps;
	const char *pairs;
	int as_messages, add_generation_prompt, continue_final, explain, list;
} options = {.type = "auto", .pairs = "best-worst"};

static const struct opt own[] = {
	{NULL, 0, OPT_GROUP, NULL, NULL, "Rows"},
	{"type", 0, OPT_STR, &options.type,
		"auto|preference|unpaired|prompt-completion|messages|text|prompt",
		"what the rows are (auto: each by its columns)"},
	{"pairs", 0, OPT_STR, &options.pairs, "best-worst|all",
		"which pairs a ranked list of answers gives (best-worst)"},
	{"map", 0, OPT_LIST, &options.maps, "FIELD=COLUMN", "read COLUMN as FIELD; repeatable"},
	{"as-messages", 0, OPT_FLAG, &options.as_messages, NULL,
		"make plain strings user and assistant messages"},
	{NULL, 0, OPT_GROUP, NULL, NULL, "Template"},
	{"chat-template", 0, OPT_STR, &options.templ, "FILE|NAME",
		"instead of the model's own: a file, a name of the model's, or a built-in name"},
	{"list-templates", 0, OPT_FLAG, &options.list, NULL, "print the names and end"},
	{"tools", 0, OPT_STR, &options.tools, "FILE",
		"JSON list of tools for rows that bring none"},
	{"chat-template-kwargs", 0, OPT_STR, &options.kwargs, "JSON",
		"object of further variables for the template"},
	{"add-generation-prompt", 0, OPT_FLAG, &options.add_generation_prompt, NULL,
		"end conversations with what the assistant's turn begins with"},
	{"continue-final-message", 0, OPT_FLAG, &options.continue_final, NULL,
		"leave the last message of a prompt or conversation open"},
	{"date", 0, OPT_STR, &options.date, "YYYY-MM-DD",
		"today, for templates that ask (SOURCE_DATE_EPOCH, else the clock)"},
	{"explain", 0, OPT_FLAG, &options.explain, NULL,
		"show how the first rows were read and rendered, and end"},
	{0},
};
static const struct opt *const tables[] = {
	opts_dir, own, opts_output, opts_filter, opts_base, NULL};
static const struct opt_program program = {
	.name = "tmpl",
	.usage = "[-m DIR] [--chat-template FILE|NAME] [FILE…]",
	.summary = "Renders rows of JSON or Parquet with the model's chat template: prompts and "
		   "answers as text.",
	.examples = "tmpl -m M prefs.jsonl | tok -m M > ids.mp\n"
		    "tmpl -m M data/train-*.parquet | tok -m M > ids.mp\n"
		    "tmpl -m M --as-messages --explain prefs.jsonl",
	.tables = tables,
};

struct job {
	struct source source;
	struct chat_template templ;
	struct arena arena; /* of the options' values */
	struct make_plan plan;
	struct column_map *maps;
	struct maker *makers; /* one a thread */
	int nmakers;
	struct rows *rows;
	struct rejects rejects;
	struct filter filter;
};

/* ---- options ---- */

static int read_maps(struct job *j, struct err *e)
{
	j->maps = mem_zalloc(options.maps.n, sizeof *j->maps);
	for (size_t i = 0; i < options.maps.n; i++) {
		const char *eq = strchr(options.maps.v[i], '=');
		if (!eq || eq == options.maps.v[i] || !eq[1])
			return err_usage(e, "'--map %s' is not FIELD=COLUMN", options.maps.v[i]);
		j->maps[i].field = mem_strndup(options.maps.v[i], (size_t)(eq - options.maps.v[i]));
		j->maps[i].column = mem_strdup(eq + 1);
		j->plan.nmaps++;
	}
	j->plan.maps = j->maps;
	return 0;
}

/* What strftime_now says: --date, else SOURCE_DATE_EPOCH, else now. */
static int read_clock(time_t *now, struct err *e)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	*now = time(NULL);
	if (options.date) {
		struct tm tm = {.tm_isdst = -1};
		const char *end = strptime(options.date, "%Y-%m-%d", &tm);
		if (!end || *end || strlen(options.date) != 10)
			return err_usage(e, "'--date %s' is not YYYY-MM-DD", options.date);
		*now = mktime(&tm);
	} else if (epoch && *epoch) {
		char *end;
		errno = 0;
		long long t = strtoll(epoch, &end, 10);
		if (errno || *end)
			return err_usage(
				e, "SOURCE_DATE_EPOCH '%s' is not a number of seconds", epoch);
		*now = (time_t)t;
	}
	return 0;
}

static int read_json_options(struct job *j, struct err *e)
{
	struct jv *tools = &j->templ.default_tools, *kwargs = &j->templ.kwargs;
	if (options.tools) {
		if (value_read_file(tools, &j->arena, options.tools, e) < 0)
			return -1;
		io_note_input(options.tools);
		if (tools->type != JV_LIST)
			return err_usage(e, "--tools %s: is not a list", options.tools);
	}
	if (options.kwargs) {
		size_t n = strlen(options.kwargs);
		if (!utf8_valid(options.kwargs, n) ||
			value_parse(kwargs, &j->arena, options.kwargs, n, e) < 0 ||
			kwargs->type != JV_DICT)
			return err_usage(e, "--chat-template-kwargs: is not a JSON object");
	}
	return 0;
}

static int prepare(struct job *j, struct err *e)
{
	if (options.continue_final && options.add_generation_prompt)
		return err_usage(e, "--continue-final-message leaves the last message open; "
				    "--add-generation-prompt begins another: take one");
	if (read_maps(j, e) < 0 || read_clock(&j->templ.now, e) < 0 ||
		read_json_options(j, e) < 0 ||
		source_load(&j->source, opts_model.model, options.templ, e) < 0 ||
		chat_template_compile(&j->templ, &j->source, e) < 0)
		return -1;
	j->plan.templ = &j->templ;
	j->plan.want = (struct shape_want){.type = (enum shape)shape_by_name(options.type),
		.as_messages = options.as_messages,
		.templated = j->templ.plain != NULL,
		.all_pairs = !strcmp(options.pairs, "all")};
	j->plan.add_generation_prompt = options.add_generation_prompt;
	j->plan.continue_final = options.continue_final;
	j->plan.keep = opts_common.keep;
	return 0;
}

static int list_templates(const struct job *j, struct err *e)
{
	struct str out = {0};
	for (size_t i = 0; i < j->source.n; i++)
		str_addf(&out, "%s (of the model)\n", j->source.v[i].name);
	for (size_t i = 0; source_builtin(i); i++)
		str_addf(&out, "%s\n", source_builtin(i));
	int rc = output_print(out.s, out.len, e);
	str_done(&out);
	return rc;
}

/* ---- the loop ---- */

static struct record *fresh(void *out)
{
	return filter_new(out);
}

static int each(void *user, int worker, struct record *rec, struct filter_out *out, struct err *e)
{
	struct job *j = user;
	return maker_make(&j->makers[worker], rec, fresh, out, e);
}

static void add_fingerprint(struct fingerprint *f, const char *s)
{
	fingerprint_add(f, s ? s : "", s ? strlen(s) + 1 : 1);
}

static int make_header(const struct job *j, struct header *h, struct err *e)
{
	static const char *const matter[] = {"type", "pairs", "map", "as-messages",
		"chat-template-kwargs", "add-generation-prompt", "continue-final-message", "date",
		NULL};
	char print[FINGERPRINT_LEN];
	*h = (struct header){.kind = KIND_TEXT};
	if (j->source.plain) {
		struct fingerprint *f = fingerprint_new();
		add_fingerprint(f, j->source.plain);
		add_fingerprint(f, j->source.tools);
		fingerprint_end(f, print);
		h->templ = mem_strdup(print);
	}
	int rc = 0;
	if (opts_model.model) {
		rc = fingerprint_tokenizer_if_any(opts_model.model, print, e);
		if (rc == 0 && *print)
			h->tokenizer = mem_strdup(print);
	}
	char *made = opts_history(&program, matter);
	header_add_stage(h, program.name, made, h->templ ? h->templ : "");
	mem_free(made);
	return rc;
}

static void warn_of_tokens(const struct job *j)
{
	struct str unknown = {0};
	if (opts_model.model && j->templ.plain)
		tokens_unknown(&unknown, j->templ.plain, opts_model.model);
	if (unknown.len)
		die_warn("the tokenizer of %s does not have as one token what the chat template "
			 "writes: %s; "
			 "is this the right template?",
			opts_model.model, unknown.s);
	str_done(&unknown);
}

static void report(const struct job *j)
{
	uint64_t rows = 0, plain = 0, parted = 0, unproved = 0;
	struct readings all = {.n = 0};
	for (int i = 0; i < j->nmakers; i++)
		for (size_t k = 0; k < j->makers[i].readings.n; k++)
			readings_add(&all, &j->makers[i].readings.v[k]);
	for (size_t i = 0; i < all.n; i++)
		die_note("%llu row%s: %s, %s", (unsigned long long)all.v[i].rows,
			all.v[i].rows == 1 ? "" : "s", shape_name(all.v[i].shape), all.v[i].how);
	for (int i = 0; i < j->nmakers; i++) {
		rows += j->makers[i].rows;
		plain += j->makers[i].plain;
		parted += j->makers[i].parted;
		unproved += j->makers[i].unproved;
	}
	if (plain)
		die_note("%llu of %llu rows are plain strings, left as they are; --as-messages "
			 "makes them "
			 "user and assistant messages",
			(unsigned long long)plain, (unsigned long long)rows);
	if (parted)
		die_note("%llu of %llu prompts were ended inside the generation prompt, where the "
			 "finished conversation parts from it",
			(unsigned long long)parted, (unsigned long long)rows);
	if (unproved)
		die_note("of %llu of %llu conversations the assistant's words cannot be told: they "
			 "have no "
			 "'spans' (tok --assistant-only-loss will refuse them)",
			(unsigned long long)unproved, (unsigned long long)rows);
}

static struct record *fresh_made(void *made)
{
	return record_list_new(made);
}

static int explain(struct job *j, struct err *e)
{
	int colour = output_has_colour(), rc = 0;
	struct record rec = {0};
	struct record_list made = {0};
	struct str out = {0};
	for (int i = 0; i < EXPLAINED; i++) {
		struct err bad = {0};
		made.n = 0;
		rc = rows_next(j->rows, &rec, e);
		if (rc == 0 || rc == -1)
			break;
		if (rc == STREAM_BAD)
			str_addf(&out, "%s\n", e->msg);
		else if (maker_make(j->makers, &rec, fresh_made, &made, &bad) < 0)
			str_addf(&out, "%s: %s\n", rec.where, bad.msg);
		else
			for (size_t k = 0; k < made.n; k++)
				explain_row(&out, j->makers, rec.where, &made.v[k], colour);
	}
	struct err full;
	if (output_print(out.s, out.len, &full) < 0 && rc != -1) {
		*e = full;
		rc = -1;
	}
	str_done(&out);
	record_done(&rec);
	record_list_done(&made);
	return rc == -1 ? -1 : 0;
}

static int run(struct job *j, struct err *e)
{
	struct header h;
	int rc = make_header(j, &h, e);
	if (rc == 0)
		rc = filter_open(&j->filter, &j->rejects, &h, &h, e);
	header_done(&h);
	if (rc < 0)
		return -1;
	if (filter_run(&j->filter, e) < 0)
		return -1;
	report(j);
	return 0;
}

static int work(struct job *j, char **paths, size_t npaths, struct err *e)
{
	if (prepare(j, e) < 0)
		return -1;
	if (options.list)
		return list_templates(j, e);
	warn_of_tokens(j);
	j->rows = rows_new(paths, npaths);
	j->filter = (struct filter){.next = rows_next,
		.on_pause = rows_on_pause,
		.source = j->rows,
		.shard_i = opts_common.shard_i,
		.shard_n = opts_common.shard_n,
		.each = each,
		.user = j,
		.threads = (int)opts_common.threads};
	j->nmakers = filter_threads(&j->filter);
	j->makers = mem_zalloc((size_t)j->nmakers, sizeof *j->makers);
	for (int i = 0; i < j->nmakers; i++)
		maker_init(&j->makers[i], &j->plan);
	return options.explain ? explain(j, e) : run(j, e);
}

int main(int argc, char **argv)
{
	die_init(program.name);
	int first = opts_parse(&program, argc, argv);
	if (opts_model.model)
		io_note_input(opts_model.model);
	struct job j = {0};
	struct err e = {0};
	int rc = work(&j, argv + first, (size_t)(argc - first), &e);
	for (int i = 0; i < j.nmakers; i++)
		maker_done(&j.makers[i]);
	mem_free(j.makers);
	for (size_t i = 0; i < j.plan.nmaps; i++) {
		mem_free(j.maps[i].field);
		mem_free(j.maps[i].column);
	}
	mem_free(j.maps);
	rows_free(j.rows);
	chat_template_done(&j.templ);
	arena_done(&j.arena);
	source_done(&j.source);
	if (rc < 0)
		die_err(&e);
	return STATUS_OK;
}
