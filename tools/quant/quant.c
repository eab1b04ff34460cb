/* quant: a model's linear layers in 4 or 8 bits, in bitsandbytes' own bytes; and back. */
#include "common/die.h"
#include "common/mem.h"
#include "common/opts.h"
#include "tools/quant/config.h"
#include "tools/quant/source.h"
#include "tools/quant/plan.h"

#include <math.h>
#include <string.h>

static const char *type, *storage = "uint8", *compute = "bfloat16", *skip, *codes = "exact",
			 *dtype_name = "keep";
static int64_t blocksize = 64;
static int double_quant, dequantize, report;

static const struct opt own[] = {
	{"type", 't', OPT_STR, &type, "nf4|fp4|int8", "what the weights become"},
	{"blocksize", 0, OPT_INT, &blocksize, "N",
		"values that share a scale, in 4 bits: 32, 64 … 4096 (default: 64)"},
	{"double-quant", 0, OPT_FLAG, &double_quant, NULL, "quantise the scales, too (4 bits)"},
	{"codes", 0, OPT_STR, &codes, "exact|table",
		"scales to the nearest code, or as bitsandbytes' CPU library does (default: "
		"exact)"},
	{"quant-storage", 0, OPT_STR, &storage, "uint8|int8|bfloat16|float16|float32|float64",
		"type that holds the 4-bit codes (default: uint8)"},
	{"compute-dtype", 0, OPT_STR, &compute, "float32|bfloat16|float16",
		"what transformers is told to compute in (default: bfloat16)"},
	{"skip-modules", 0, OPT_STR, &skip, "NAME,…",
		"leave these as they are, in place of transformers' own list (lm_head)"},
	{"dtype", 0, OPT_STR, &dtype_name, "keep|float32|bfloat16|float16",
		"convert every float first; with --dequantize, of the result (default: keep)"},
	{"dequantize", 0, OPT_FLAG, &dequantize, NULL, "give the float model back"},
	{"report", 0, OPT_FLAG, &report, NULL,
		"print every weight's error: relative, and that of the worst block"},
	{0},
};

static const struct opt *const tables[] = {
	opts_dir, own, opts_threads, opts_output, opts_base, NULL};

static const struct opt_program program = {
	"quant",
	"-m DIR -t nf4|fp4|int8 [-o DIR]",
	"Quantises a model's linear layers as bitsandbytes does; '-m -' and '-o -' are tensors "
	"streams.",
	"quant -m model -t nf4 --double-quant -o model-nf4\n"
	"quant -m model -t int8 --report -o model-int8\n"
	"quant -m model-nf4 --dequantize -o model-again\n",
	tables,
};

/* Names that could be left out of the header: what changes no byte. */
static const char *const matter[] = {"type", "blocksize", "double-quant", "codes", "quant-storage",
	"compute-dtype", "skip-modules", "dtype", "dequantize", NULL};

struct run {
	struct source source;
	struct quant_form form;
	int dtype;
	struct pick *pick;
	struct rewrite plan;
	struct team *team;
	struct rewrite_loss *losses; /* --report */
};

static int to_dir(void)
{
	return opts_common.output && strcmp(opts_common.output, "-") != 0;
}

/* ---- the command line ------------------------------------------------------------------------ */

static void check_block_options(void)
{
	if (blocksize < QUANT_BLOCK_MIN || blocksize > QUANT_BLOCK_MAX ||
		(blocksize & (blocksize - 1)))
		die(STATUS_USAGE, "--blocksize is a power of two from %d to %d", QUANT_BLOCK_MIN,
			QUANT_BLOCK_MAX);
	static const char *const four[] = {
		"blocksize", "double-quant", "quant-storage", "compute-dtype", "codes"};
	for (size_t i = 0; type && strcmp(type, "int8") == 0 && i < sizeof four / sizeof *four; i++)
		if (opts_given(four[i]))
			die(STATUS_USAGE, "--%s belongs to 4 bits, and the type is int8", four[i]);
	if (opts_given("codes") && !double_quant)
		die(STATUS_USAGE, "--codes belongs to --double-quant");
}

static void check_options(int operands)
{
	if (operands)
		die(STATUS_USAGE, "the model is named with -m, not as an operand");
	if (!opts_model.model)
		die(STATUS_USAGE, "which model? -m DIR, or -m - for a stream");
	if (!type == !dequantize)
		die(STATUS_USAGE, "-t nf4, -t fp4, -t int8, or --dequantize: one of them");
	if (dequantize && (report || skip || double_quant))
		die(STATUS_USAGE,
			"--dequantize takes no --report, --skip-modules or --double-quant");
	check_block_options();
	if (to_dir() && opts_common.gzip)
		die(STATUS_USAGE, "-z compresses a stream, and '%s' is a directory",
			opts_common.output);
}

static struct quant_form form(void)
{
	struct quant_form s = {.type = DT_NF4,
		.blocksize = (size_t)blocksize,
		.nested = double_quant,
		.storage = (enum dtype)dtype_by_torch_name(storage),
		.rule = strcmp(codes, "table") == 0 ? QUANT8_TABLE : QUANT8_EXACT};
	if (type && strcmp(type, "fp4") == 0)
		s.type = DT_FP4;
	if (type && strcmp(type, "int8") == 0)
		s.type = DT_INT8;
	return s;
}

/* ---- the result ------------------------------------------------------------------------------ */

static int make_plan(struct run *r, struct err *e)
{
	const json_t *config = r->source.config;
	if (config_check(config, dequantize, e))
		return err_prefix(e, "%s", opts_model.model);
	if (dequantize) {
		if (plan_decode(&r->plan, r->dtype, &r->source.st, config_dtype(config), e))
			return -1;
	} else if (pick_new(&r->pick, skip, e) ||
		   plan_encode(&r->plan, &r->form, r->dtype, &r->source.st, r->pick, e)) {
		return -1;
	}
	if (report)
		r->losses = mem_zalloc(r->plan.n, sizeof *r->losses);
	return rewrite_plan(&r->plan, r->team, e);
}

static char *new_config(const struct run *r, size_t *len)
{
	const json_t *config = r->source.config;
	return dequantize ? modeldir_config(config, r->dtype, 0, json_null(), len)
			  : config_quantised(config, &r->form, r->dtype, compute, skip, len);
}

static int fill_dir(struct run *r, const struct outdir *d, struct err *e)
{
	size_t len;
	char *config = new_config(r, &len);
	int rc = source_copy_files(&r->source, d, e) ||
				 modeldir_write(d, "config.json", config, len, e)
			 ? -1
			 : 0;
	mem_free(config);
	struct rewrite_sink sink = {0};
	if (rc || weights_create(&sink.dir, d, r->plan.out, r->plan.nout, r->plan.shards, e))
		return -1;
	if (rewrite_run(&r->plan, &sink, r->team, r->losses, e)) {
		weights_abandon(sink.dir);
		return -1;
	}
	return weights_finish(sink.dir, e);
}

/* The directory is claimed first: what cannot be written should be said before a stream is read. */
static int to_directory(struct run *r, struct err *e)
{
	struct outdir d;
	if (strcmp(opts_model.model, "-") != 0)
		io_note_input(opts_model.model);
	if (outdir_open(&d, opts_common.output, opts_common.force, e))
		return -1;
	if (source_open(&r->source, opts_model.model, e) || make_plan(r, e) || fill_dir(r, &d, e)) {
		outdir_abandon(&d);
		return -1;
	}
	return outdir_commit(&d, e);
}

static int to_stream(struct run *r, struct err *e)
{
	struct rewrite_sink sink = {0};
	if (source_open(&r->source, opts_model.model, e) || make_plan(r, e))
		return -1;
	char *options = opts_history(&program, matter);
	header_add_stage(&r->source.header, program.name, options, r->source.fingerprint);
	mem_free(options);
	if (stream_create(&sink.stream, NULL, opts_common.gzip, &r->source.header, e))
		return -1;
	size_t len;
	char *config = new_config(r, &len);
	int rc = tensors_write_file(sink.stream, "config.json", config, len, e) ||
				 source_stream_files(&r->source, sink.stream, e) ||
				 rewrite_run(&r->plan, &sink, r->team, r->losses, e)
			 ? -1
			 : 0;
	mem_free(config);
	if (!rc)
		return stream_finish(sink.stream, 0, e);
	stream_abandon(sink.stream);
	return -1;
}

/* ---- the report ------------------------------------------------------------------------------ */

static double relative(const struct rewrite_loss *l)
{
	return l->norm > 0 ? sqrt(l->error / l->norm) : 0;
}

static void print_report(const struct run *r)
{
	struct rewrite_loss all = {0};
	int aside = !to_dir();
	die_line(aside, "relative\tworst\tblock\ttensor");
	for (size_t i = 0; i < r->plan.n; i++) {
		const struct rewrite_loss *l = &r->losses[i];
		if (!rewrite_changes(&r->plan.items[i]))
			continue;
		die_line(aside, "%.6f\t%.6f\t%zu\t%s", relative(l), l->worst, l->at,
			r->plan.items[i].in->name);
		all.error += l->error;
		all.norm += l->norm;
	}
	die_line(aside, "%.6f\t\t\tall", relative(&all));
}

/* A list of the user's takes the place of transformers'. */
static void note_head(const struct run *r)
{
	for (size_t i = 0; skip && i < r->plan.n; i++)
		if (rewrite_changes(&r->plan.items[i]) &&
			strcmp(r->plan.items[i].in->name, "lm_head.weight") == 0)
			die_note("the output head is quantised too, as transformers does when "
				 "modules are named: add lm_head to --skip-modules to keep it");
}

int main(int argc, char **argv)
{
	die_init(program.name);
	check_options(argc - opts_parse(&program, argc, argv));
	struct err e = {0};
	struct run r = {.form = form(), .dtype = dtype_by_torch_name(dtype_name)};
	int threads = (int)opts_common.threads;
	r.team = team_new(threads ? threads : team_cpus());
	if (to_dir() ? to_directory(&r, &e) : to_stream(&r, &e))
		die_err(&e);
	note_head(&r);
	size_t changed = 0;
	for (size_t i = 0; i < r.plan.n; i++)
		changed += rewrite_changes(&r.plan.items[i]);
	die_verbose("%zu of %zu tensors %s", changed, r.plan.n,
		dequantize ? "dequantised" : "quantised");
	if (r.losses)
		print_report(&r);
	team_free(r.team);
	rewrite_done(&r.plan);
	pick_free(r.pick);
	source_done(&r.source);
	mem_free(r.losses);
	return STATUS_OK;
}
