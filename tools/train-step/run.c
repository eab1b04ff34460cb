#include "tools/train-step/run.h"

#include "common/die.h"
#include "common/mem.h"
#include "common/opts.h"
#include "common/sig.h"
#include "tools/train-step/order.h"

#include <math.h>
#include <string.h>

static struct output_model what(const struct run *r)
{
	return (struct output_model){r->m, opts_model.model, r->o->full};
}

struct checkpoint run_checkpoint(struct run *r, struct str *log)
{
	return (struct checkpoint){r->keep, what(r), &r->optim, &r->data, r->options, &r->at, log};
}

static double epoch_of(const struct run *r)
{
	return (double)r->at.step / (double)r->epoch_steps;
}

/* ---- a step ---------------------------------------------------------------------------------------- */

/* Rows idx[n] of d with their reference, as r->batch. */
static int load_batch(struct run *r, struct data *d, const uint32_t *idx, size_t n, struct err *e)
{
	if (batch_load(&r->batch, d, idx, n, r->o->loss.needs, e) < 0)
		return -1;
	if (!(r->o->loss.needs & LOSS_REFERENCE))
		return 0;
	return reference_fill(&r->reference, &r->stepper, d, &r->batch, e);
}

static int next_batch(struct run *r, struct err *e)
{
	uint64_t epoch = r->at.step / r->epoch_steps;
	size_t size = (size_t)r->o->batch_size, from = (size_t)(r->at.step % r->epoch_steps) * size;
	if (r->order_of != epoch)
		order_epoch(r->order, r->data.n, (uint64_t)r->o->seed, epoch, !r->o->no_shuffle);
	r->order_of = epoch;
	return load_batch(
		r, &r->data, r->order + from, r->data.n - from < size ? r->data.n - from : size, e);
}

static int update(struct run *r, double *norm, double *lr, struct err *e)
{
	if (optim_norm(&r->optim, norm, e) < 0)
		return -1;
	if (!isfinite(*norm))
		return err_data(e, "step %llu: the gradient is not finite (first row: %s)",
			(unsigned long long)r->at.step + 1, r->batch.rows[0].where);
	/* torch's clip_grad_norm_ */
	double coef = r->o->max_grad_norm > 0 ? fmin(1, r->o->max_grad_norm / (*norm + 1e-6)) : 1;
	*lr = schedule_rate(&r->schedule, r->at.step);
	if (optim_step(&r->optim, *lr, coef, r->at.step + 1, e) < 0)
		return -1;
	return model_refresh(r->m, e);
}

static int log_step(struct run *r, double norm, double lr, struct err *e)
{
	struct metrics *m = &r->at.window;
	json_t *o = report_new(r->at.step, epoch_of(r));
	double loss = metric_mean(&m->v[0]);
	report_number(o, m->v[0].name, loss);
	report_number(o, "grad_norm", norm);
	report_number(o, "learning_rate", lr);
	for (size_t i = 1; i < m->n; i++)
		report_number(o, m->v[i].name, metric_mean(&m->v[i]));
	report_count(o, "num_tokens", r->at.tokens);
	metrics_reset(m);
	if (report_put(&r->report, o, e) < 0)
		return -1;
	return report_progress(&r->report, r->at.step, epoch_of(r), loss, r->at.tokens, e);
}

static int one_step(struct run *r, struct err *e)
{
	double loss = 0, norm = 0, lr = 0;
	struct metrics m = {0};
	if (next_batch(r, e) < 0 ||
		step_run(&r->stepper, &r->batch, 1, r->at.step, &loss, &m, e) < 0 ||
		update(r, &norm, &lr, e) < 0)
		return -1;
	r->at.step++;
	r->at.tokens += r->batch.tokens;
	metrics_add(&r->at.window, "loss", loss);
	for (size_t i = 0; i < m.n; i++)
		metrics_add(&r->at.window, m.v[i].name, m.v[i].sum);
	metrics_reset(&m);
	return r->at.step % (uint64_t)r->o->logging_steps ? 0 : log_step(r, norm, lr, e);
}

/* ---- between steps --------------------------------------------------------------------------------- */

/* Metrics are means over the batches, the loss over the rows, as the peers' evaluation has them. */
static int evaluate(struct run *r, struct err *e)
{
	struct metrics m = {0};
	double sum = 0;
	size_t size = (size_t)r->o->batch_size, n;
	uint32_t *idx = mem_alloc(r->eval.n, sizeof *idx);
	order_epoch(idx, r->eval.n, 0, 0, 0);
	int rc = 0;
	for (size_t from = 0; rc == 0 && from < r->eval.n; from += n) {
		double loss = 0;
		n = r->eval.n - from < size ? r->eval.n - from : size;
		rc = load_batch(r, &r->eval, idx + from, n, e);
		if (rc == 0)
			rc = step_run(&r->stepper, &r->batch, 0, 0, &loss, &m, e);
		sum += loss * (double)n;
	}
	mem_free(idx);
	json_t *o = report_new(r->at.step, epoch_of(r));
	report_number(o, "eval_loss", sum / (double)r->eval.n);
	for (size_t i = 0; i < m.n; i++) {
		char *name = mem_printf("eval_%s", m.v[i].name);
		report_number(o, name, metric_mean(&m.v[i]));
		mem_free(name);
	}
	metrics_reset(&m);
	return rc == 0 ? report_put(&r->report, o, e) : rc;
}

static int save(struct run *r, struct err *e)
{
	struct checkpoint c = run_checkpoint(r, &r->report.log);
	return checkpoint_save(&c, (uint64_t)r->o->save_total_limit, e);
}

static int due(uint64_t step, int64_t every, int at_end)
{
	return at_end || (every && step % (uint64_t)every == 0);
}

int run_train(struct run *r, struct err *e)
{
	uint64_t total = r->schedule.total;
	if (report_start(&r->report, r->o->timing, r->at.step, total, r->at.tokens, e) < 0)
		return -1;
	sig_stop_install();
	while (r->at.step < total) {
		if (one_step(r, e) < 0)
			return -1;
		int end = r->at.step == total, stop = sig_stop_requested() != 0;
		if (r->o->eval_file && due(r->at.step, r->o->eval_steps, end) && evaluate(r, e) < 0)
			return -1;
		if (r->keep &&
			due(r->at.step, r->o->save_steps, stop || (end && r->o->save_steps)) &&
			save(r, e) < 0)
			return -1;
		if (stop)
			return 1;
	}
	return report_end(&r->report, r->at.step, r->at.tokens, e);
}

/* ---- the end ----------------------------------------------------------------------------------------- */

static int fill(const struct outdir *d, void *arg, struct err *e)
{
	return output_directory(arg, d, 0, e);
}

int run_finish(struct run *r, struct err *e)
{
	struct output_model o = what(r);
	int in_stream = !o.full || !r->output.root;
	if (in_stream && output_stream(&o, r->report.w, e) < 0)
		return -1;
	if (r->output.root && place_finish(&r->output, output_last_file(&o), fill, &o, e) < 0)
		return -1;
	struct stream_writer *w = r->report.w;
	r->report.w = NULL;
	return stream_finish(w, r->data.skipped, e);
}

void run_close(struct run *r)
{
	report_done(&r->report);
	place_done(&r->checkpoints);
	place_done(&r->output);
	metrics_reset(&r->at.window);
	optim_done(&r->optim);
	reference_done(&r->reference);
	stepper_done(&r->stepper);
	if (r->stepper.ws)
		workspace_free(r->stepper.ws);
	batch_done(&r->batch);
	data_done(&r->data);
	data_done(&r->eval);
	if (r->m)
		model_close(r->m);
	mem_free(r->order);
	mem_free(r->options);
}
