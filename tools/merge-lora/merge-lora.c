/* merge-lora: adds adapters into a model's weights, once and for all. */
#include "common/die.h"
#include "common/fingerprint.h"
#include "common/io.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/modeldir.h"
#include "common/opts.h"
#include "common/stream.h"
#include "kernels/team.h"
#include "tools/merge-lora/plan.h"
#include "tools/merge-lora/probe.h"
#include "tools/merge-lora/sources.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

static struct opt_list adapters;
static const char *dtype_name = "keep", *codes = "exact";
static const char *probe_rows, *probe_model;
static int requantise, report;

static const struct opt own[] = {
	{"adapter", 'a', OPT_LIST, &adapters, "DIR[:WEIGHT]",
		"a PEFT directory, times WEIGHT; several are summed"},
	{"dtype", 0, OPT_STR, &dtype_name, "keep|float32|bfloat16|float16",
		"element type of the result (default: each tensor keeps its own); of a quantised "
		"base: of its dequantised weights plus the adapter"},
	{"requantize", 0, OPT_FLAG, &requantise, NULL,
		"quantise the sum again, as the base is, and print what was lost"},
	{"codes", 0, OPT_STR, &codes, "exact|table",
		"of double quantisation, with --requantize: as quant has it (default: exact)"},
	{"report", 0, OPT_FLAG, &report, NULL, "print how much of every delta rounding has lost"},
	{"probe", 0, OPT_STR, &probe_rows, "FILE",
		"print log-probs of FILE's rows (tokens, or JSON lines) with the adapter on and "
		"merged, and how far apart they are"},
	{"probe-model", 0, OPT_STR, &probe_model, "DIR",
		"the model that the adapter was trained on, for --probe (default: -m)"},
	{"ignore-mismatch", 0, OPT_FLAG, &opts_common.ignore_mismatch, NULL,
		"merge though the stream's adapter was trained on another model"},
	{0},
};

static const struct opt *const tables[] = {
	opts_dir, own, opts_threads, opts_output, opts_base, NULL};

static const struct opt_program program = {
	"merge-lora",
	"-m DIR [-a DIR[:WEIGHT]]… [-o DIR] [ADAPTER_DIR | FILE | -]",
	"Adds LoRA adapters (a PEFT directory, or the train stream on standard input) into a "
	"model's "
	"weights.",
	"merge-lora -m model adapter -o merged\n"
	"train-step -m model prefs.mp | merge-lora -m model -o merged\n"
	"merge-lora -m model -a kind:0.7 -a brief:0.3 --dtype bfloat16 -o merged\n"
	"merge-lora -m model-nf4 --dtype bfloat16 adapter -o merged\n",
	tables,
};

struct run {
	struct st base;
	json_t *config;
	struct wish wish;
	char fingerprint[FINGERPRINT_LEN];
	struct source *sources;
	size_t nsources;
	struct plan plan;
	struct team *team;
	struct rewrite_loss *losses; /* of the report, or NULL */
	struct probe probe;
};

static int to_dir(void)
{
	return opts_common.output && strcmp(opts_common.output, "-") != 0;
}

/* ---- what comes in --------------------------------------------------------------------------- */

static int read_config(struct run *r, struct err *e)
{
	r->config = modeldir_read_config(opts_model.model, e);
	if (!r->config)
		return -1;
	const json_t *tied = json_object_get(r->config, "tie_word_embeddings");
	const json_t *quantised = json_object_get(r->config, "quantization_config");
	const char *dtype =
		json_string_value(json_object_get(r->config, modeldir_dtype_key(r->config)));
	r->wish.tied = json_is_boolean(tied) ? json_is_true(tied) : -1;
	r->wish.base_dtype = dtype ? dtype_by_torch_name(dtype) : -1;
	r->wish.quantised = quantised != NULL;
	struct bnb_config c;
	return quantised && bnb_read_config(&c, quantised, e)
		       ? err_prefix(e, "%s", opts_model.model)
		       : 0;
}

static int open_base(struct run *r, struct err *e)
{
	io_note_input(opts_model.model);
	r->wish.base = &r->base;
	return read_config(r, e) || st_open_dir(&r->base, opts_model.model, e) ||
			       fingerprint_model(opts_model.model, 0, r->fingerprint, e)
		       ? -1
		       : 0;
}

static int is_directory(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int add_source(struct run *r, const char *arg, struct err *e)
{
	struct source *s = &r->sources[r->nsources];
	char *dir;
	double weight;
	if (source_parse(arg, &dir, &weight))
		return err_usage(e, "--adapter '%s': the weight is not a number", arg);
	int rc = source_open_dir(s, dir, weight, e);
	mem_free(dir);
	r->nsources += !rc;
	return rc;
}

/* The -a directories; else the operand, or standard input. */
static int open_sources(struct run *r, const char *operand, struct err *e)
{
	r->sources = mem_zalloc(adapters.n + 1, sizeof *r->sources);
	for (size_t i = 0; i < adapters.n; i++)
		if (add_source(r, adapters.v[i], e))
			return -1;
	if (adapters.n)
		return 0;
	struct source *s = &r->sources[r->nsources];
	int rc = operand && is_directory(operand) ? source_open_dir(s, operand, 1, e)
						  : source_read_stream(s, operand, r->fingerprint,
							    opts_common.ignore_mismatch, e);
	r->nsources += !rc;
	return rc;
}

/* The model with its adapter on is what model_open opens: one adapter, as it is. */
static int check_probe(const struct run *r, struct err *e)
{
	if (!probe_rows || (r->nsources == 1 && r->sources[0].weight == 1 && r->sources[0].st.n))
		return 0;
	return err_usage(
		e, "--probe compares with one adapter, from a directory, without a weight");
}

static int plan(struct run *r, const char *operand, struct err *e)
{
	if (plan_base(&r->plan, &r->wish, e) || open_sources(r, operand, e) || check_probe(r, e) ||
		plan_adapters(&r->plan, &r->wish, r->sources, r->nsources, e) ||
		rewrite_plan(&r->plan.w, r->team, e))
		return -1;
	if (report || requantise)
		r->losses = mem_zalloc(r->plan.w.n, sizeof *r->losses);
	return 0;
}

/* config.json, when it must say something else than the base's; NULL: it need not. */
static char *new_config(const struct run *r, size_t *len)
{
	if (r->wish.dtype < 0 && !r->plan.untie)
		return NULL;
	return modeldir_config(r->config, r->wish.dtype, r->plan.untie,
		r->wish.dtype >= 0 ? json_null() : NULL, len);
}

/* ---- to a directory -------------------------------------------------------------------------- */

static int fill_dir(struct run *r, const struct outdir *d, struct err *e)
{
	size_t len;
	char *config = new_config(r, &len);
	int rc = modeldir_copy(d, opts_model.model, MODELDIR_ALL, e);
	if (!rc && config)
		rc = modeldir_write(d, "config.json", config, len, e);
	mem_free(config);
	struct rewrite *w = &r->plan.w;
	struct rewrite_sink sink = {0};
	if (rc || weights_create(&sink.dir, d, w->out, w->nout, w->shards, e))
		return -1;
	if (rewrite_run(w, &sink, r->team, r->losses, e)) {
		weights_abandon(sink.dir);
		return -1;
	}
	return weights_finish(sink.dir, e);
}

/* Before the directory gets its name: a probe that fails leaves nothing. */
static int probe(struct run *r, const struct outdir *d, struct err *e)
{
	r->probe = (struct probe){.base = probe_model ? probe_model : opts_model.model,
		.adapter = r->sources[0].name,
		.merged = d->tmp,
		.rows = probe_rows,
		.threads = (int)opts_common.threads,
		.ignore_mismatch = opts_common.ignore_mismatch};
	return probe_run(&r->probe, e);
}

/* The directory is claimed before an adapter is waited for: what cannot be written should be said
 * before hours of training have come down the pipe. */
static int merge_to_dir(struct run *r, const char *operand, struct err *e)
{
	struct outdir d;
	if (outdir_open(&d, opts_common.output, opts_common.force, e))
		return -1;
	if (plan(r, operand, e) || fill_dir(r, &d, e) || (probe_rows && probe(r, &d, e))) {
		outdir_abandon(&d);
		return -1;
	}
	return outdir_commit(&d, e);
}

/* ---- to a stream ----------------------------------------------------------------------------- */

static int stream_files(const struct run *r, struct stream_writer *w, struct err *e)
{
	struct modeldir_files f;
	if (modeldir_list(&f, opts_model.model, MODELDIR_ALL, e))
		return -1;
	int rc = 0;
	for (size_t i = 0; i < f.n && !rc; i++) {
		char *path = io_path(opts_model.model, f.v[i]);
		size_t len;
		char *text = strcmp(f.v[i], "config.json") == 0 ? new_config(r, &len) : NULL;
		if (!text)
			text = io_read_file(path, TENSORS_PIECE, &len, e);
		rc = text ? tensors_write_file(w, f.v[i], text, len, e) : -1;
		mem_free(text);
		mem_free(path);
	}
	modeldir_files_done(&f);
	return rc;
}

static int merge_to_stream(struct run *r, const char *operand, struct err *e)
{
	static const char *const matter[] = {"adapter", "dtype", "requantize", "codes", NULL};
	struct header h = {.kind = KIND_TENSORS};
	struct stream_writer *w;
	if (plan(r, operand, e))
		return -1;
	char *options = opts_history(&program, matter);
	header_add_stage(&h, program.name, options, r->fingerprint);
	mem_free(options);
	int rc = stream_create(&w, NULL, opts_common.gzip, &h, e);
	header_done(&h);
	if (rc)
		return -1;
	struct rewrite_sink sink = {.stream = w};
	if (stream_files(r, w, e) || rewrite_run(&r->plan.w, &sink, r->team, r->losses, e)) {
		stream_abandon(w);
		return -1;
	}
	return stream_finish(w, 0, e);
}

/* ---- the report ------------------------------------------------------------------------------ */

static double lost(const struct rewrite_loss *l)
{
	return l->norm > 0 ? sqrt(l->error / l->norm) : 0;
}

static double kept(const struct rewrite_loss *l)
{
	return l->norm > 0 ? l->along / l->norm : 1;
}

/* Of every delta: what rounding took, over its norm; and what of it is there in the end. */
static void print_report(const struct run *r)
{
	struct rewrite_loss all = {0};
	int aside = !to_dir();
	die_line(aside, "lost\tkept\ttensor");
	for (size_t i = 0; i < r->plan.w.n; i++) {
		const struct rewrite_loss *l = &r->losses[i];
		if (!r->plan.w.items[i].ndeltas)
			continue;
		die_line(aside, "%.6f\t%.6f\t%s", lost(l), kept(l), r->plan.w.items[i].name);
		all.error += l->error;
		all.norm += l->norm;
		all.along += l->along;
	}
	die_line(aside, "%.6f\t%.6f\tall", lost(&all), kept(&all));
}

static void print_probe(const struct run *r)
{
	die_line(0, "probe\tadapter\tmerged\tapart\tworst");
	for (int i = 0; i < PROBE_ROWS; i++) {
		const struct probe_sum *s = &r->probe.sum[i];
		double n = (double)s->n;
		if (s->n)
			die_line(0, "%s\t%.6f\t%.6f\t%.6g\t%.6g", probe_row_name[i], s->adapter / n,
				s->merged / n, s->apart / n, s->worst);
	}
}

/* ---- main ------------------------------------------------------------------------------------ */

static void run_done(struct run *r)
{
	team_free(r->team);
	plan_done(&r->plan);
	for (size_t i = 0; i < r->nsources; i++)
		source_done(&r->sources[i]);
	mem_free(r->sources);
	mem_free(r->losses);
	json_decref(r->config);
	st_close(&r->base);
	mem_free(adapters.v);
}

static void say_what(const struct run *r)
{
	const struct rewrite *w = &r->plan.w;
	size_t merged = 0;
	for (size_t i = 0; i < w->n; i++)
		merged += w->items[i].ndeltas > 0;
	die_verbose("adapters: %zu, added to %zu of %zu tensors", r->nsources, merged, w->n);
	if (r->plan.untie)
		die_note(
			"the output head was tied to the embedding and now has weights of its own");
}

int main(int argc, char **argv)
{
	die_init(program.name);
	int first = opts_parse(&program, argc, argv);
	if (!opts_model.model)
		die(STATUS_USAGE, "which model? -m DIR");
	if (argc - first > 1 || (argc > first && adapters.n))
		die(STATUS_USAGE, "one adapter as operand, or several with -a");
	const char *operand = argc > first ? argv[first] : NULL;
	if (to_dir() && opts_common.gzip)
		die(STATUS_USAGE, "-z compresses a stream, and '%s' is a directory",
			opts_common.output);

	if (requantise && strcmp(dtype_name, "keep") != 0)
		die(STATUS_USAGE, "--dtype gives floats, --requantize codes: one of them");
	if (probe_rows && !to_dir())
		die(STATUS_USAGE, "--probe opens the merged model: name a directory with -o");
	if (probe_model && !probe_rows)
		die(STATUS_USAGE, "--probe-model belongs to --probe");
	if (opts_given("codes") && !requantise)
		die(STATUS_USAGE, "--codes belongs to --requantize");

	struct err e = {0};
	struct run r = {.wish = {.dtype = dtype_by_torch_name(dtype_name),
				.requantise = requantise,
				.rule = strcmp(codes, "table") == 0 ? QUANT8_TABLE : QUANT8_EXACT}};
	int threads = (int)opts_common.threads;
	r.team = team_new(threads ? threads : team_cpus());
	if (open_base(&r, &e) ||
		(to_dir() ? merge_to_dir(&r, operand, &e) : merge_to_stream(&r, operand, &e)))
		die_err(&e);
	say_what(&r);
	if (r.losses)
		print_report(&r);
	if (probe_rows)
		print_probe(&r);
	run_done(&r);
	return STATUS_OK;
}
