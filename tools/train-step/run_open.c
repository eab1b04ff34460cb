/* How a run begins; run.c goes on. */
#include "common/die.h"
#include "common/fingerprint.h"
#include "common/mem.h"
#include "common/opts.h"
#include "tools/train-step/plan.h"
#include "tools/train-step/run.h"

#include <math.h>
#include <string.h>

/* ---- model -------------------------------------------------------------------------------------- */

static int open_model(struct run *r, struct err *e)
{
	struct adapter_config fresh = {0};
	const struct options *o = r->o;
	r->model_opts = (struct model_opts){
		.dir = opts_model.model,
		.device = opts_model.device,
		.kernels = opts_model.kernels,
		.precision = opts_model.precision,
		.threads = (int)opts_common.threads,
		.train = 1,
		.full = o->full,
		.seed = (uint64_t)o->seed,
		.plan = o->plan,
		.adapter = o->adapter,
	};
	if (!o->full && !o->adapter) {
		if (options_adapter(&fresh, e) < 0)
			return -1;
		r->model_opts.new_adapter = &fresh;
	}
	int rc = model_open(&r->m, &r->model_opts, e);
	adapter_config_done(&fresh);
	r->model_opts.new_adapter = NULL;
	if (rc < 0)
		return -1;
	if (model_adapter(r->m) && model_adapter(r->m)->unties)
		die_note("embedding and head are one tensor in the model and two with this adapter "
			 "(--ensure-weight-tying keeps --modules-to-save one)");
	opts_model.precision = model_precision(r->m);
	r->options = options_history();
	return 0;
}

static float dropout_rate(const struct run *r)
{
	const struct adapter *a = model_adapter(r->m);
	if (opts_given("lora-dropout") || !a)
		return (float)r->o->lora_dropout;
	return (float)a->config.dropout;
}

static void init_stepper(struct run *r, const struct plan *p)
{
	r->stepper = (struct stepper){
		.m = r->m,
		.ws = workspace_new(r->m),
		.loss = &r->o->loss,
		.max_tokens = p->tokens,
		.max_rows = r->o->micro_batch ? (size_t)r->o->micro_batch : SIZE_MAX,
		.dropout = dropout_rate(r),
		.seed = (uint64_t)r->o->seed,
	};
	workspace_recompute(r->stepper.ws, p->recompute);
}

static int open_reference(struct run *r, struct err *e)
{
	if (!(r->o->loss.needs & LOSS_REFERENCE))
		return 0;
	if (reference_init(&r->reference, r->m, &r->model_opts, r->o->ref_adapter, e) < 0)
		return -1;
	char *name = reference_describe(&r->reference);
	die_note("reference: %s (%s)", name, r->reference.fingerprint);
	mem_free(name);
	return 0;
}

/* ---- data --------------------------------------------------------------------------------------- */

static int load(
	struct run *r, struct data *d, char *const *paths, size_t n, int eval, struct err *e)
{
	char tokenizer[FINGERPRINT_LEN];
	if (fingerprint_tokenizer_if_any(opts_model.model, tokenizer, e) < 0)
		return -1;
	struct data_rules rules = {
		.needs = r->o->loss.needs,
		.vocab = model_config(r->m)->vocab,
		.max_length = (size_t)r->o->max_length,
		.tokenizer = tokenizer[0] ? tokenizer : NULL,
		.reference = r->reference.fingerprint,
		.ignore_mismatch = opts_common.ignore_mismatch,
		.skip_bad = opts_common.skip_bad,
		.rejects = eval ? NULL : opts_common.rejects,
		.shard_i = eval ? 1 : opts_common.shard_i,
		.shard_n = eval ? 1 : opts_common.shard_n,
	};
	return data_load(d, paths, n, &rules, e);
}

static int load_all(struct run *r, char *const *paths, size_t n, struct err *e)
{
	if (load(r, &r->data, paths, n, 0, e) < 0)
		return -1;
	if (r->o->eval_file) {
		char *path = (char *)(uintptr_t)r->o->eval_file;
		if (load(r, &r->eval, &path, 1, 1, e) < 0)
			return err_prefix(e, "--eval-file");
	}
	size_t batch = (size_t)r->o->batch_size;
	r->epoch_steps = (r->data.n + batch - 1) / batch;
	r->order = mem_alloc(r->data.n, sizeof *r->order);
	r->order_of = UINT64_MAX;
	return options_schedule(&r->schedule, r->epoch_steps, e);
}

/* ---- outputs ------------------------------------------------------------------------------------ */

static int open_places(struct run *r, uint64_t *resume, struct err *e)
{
	const char *out = opts_common.output,
		   *keep = r->o->checkpoint_dir ? r->o->checkpoint_dir : out;
	*resume = keep && r->o->resume ? checkpoint_newest(keep) : 0;
	if (out && place_open(&r->output, out, opts_common.force, keep == out && *resume, e) < 0)
		return -1;
	if (!keep)
		return 0;
	r->keep = keep == out ? &r->output : &r->checkpoints;
	return keep == out ? 0 : place_open(r->keep, keep, opts_common.force, *resume != 0, e);
}

static void replace(char **field, const char *value)
{
	mem_free(*field);
	*field = value ? mem_strdup(value) : NULL;
}

static int open_stream(struct run *r, struct err *e)
{
	struct header h;
	int reference = (r->o->loss.needs & LOSS_REFERENCE) != 0;
	header_copy(&h, &r->data.header);
	h.kind = KIND_TRAIN;
	h.json = 0;
	replace(&h.model, model_fingerprint(r->m));
	replace(&h.reference, reference ? r->reference.fingerprint : NULL);
	header_add_stage(&h, die_program(), r->options, model_reference(r->m));
	int rc = stream_create(&r->report.w, NULL, opts_common.gzip, &h, e);
	header_done(&h);
	return rc;
}

static int resume_from(struct run *r, uint64_t step, struct err *e)
{
	struct str log = {0};
	struct checkpoint c = run_checkpoint(r, &log);
	int rc = checkpoint_load(&c, r->keep->root, step, e);
	if (rc == 0)
		rc = report_replay(&r->report, log.s, log.len, e);
	str_done(&log);
	if (rc == 0)
		die_note("going on after step %llu", (unsigned long long)step);
	return rc;
}

int run_open(struct run *r, const struct options *o, char *const *paths, size_t n, struct err *e)
{
	uint64_t resume;
	struct plan plan;
	*r = (struct run){.o = o};
	if (open_model(r, e) < 0 || plan_make(&plan, r->m, o, e) < 0)
		return -1;
	die_verbose("%s", model_kernels(r->m)->describe(model_kctx(r->m)));
	if (o->plan)
		return plan_print(&plan, e);
	if (open_places(r, &resume, e) < 0 || open_reference(r, e) < 0 ||
		load_all(r, paths, n, e) < 0)
		return -1;
	init_stepper(r, &plan);
	if (optim_init(&r->optim, &o->optim, model_params(r->m), plan.paged > 0,
		    model_kernels(r->m), model_kctx(r->m), e) < 0 ||
		open_stream(r, e) < 0)
		return -1;
	plan_note(&plan);
	return resume ? resume_from(r, resume, e) : 0;
}
