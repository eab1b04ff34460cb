#include "tools/merge-lora/probe.h"

#include "common/example.h"
#include "common/fingerprint.h"
#include "common/mem.h"
#include "common/model/model.h"
#include "common/stream.h"

#include <math.h>
#include <string.h>

const char *const probe_row_name[PROBE_ROWS] = {[PROBE_CHOSEN] = "logps/chosen",
	[PROBE_REJECTED] = "logps/rejected",
	[PROBE_COMPLETION] = "logps/completion",
	[PROBE_ACCURACY] = "accuracy",
	[PROBE_KL] = "kl"};

/* Labels whose logits are held at once. */
enum { CHUNK = 32 };

/* One of the two models. */
struct side {
	struct model *m;
	struct workspace *ws;
	float *logits; /* [CHUNK, vocab] */
	double logps[2];
};

struct pass {
	struct probe *p;
	struct side side[2]; /* adapter on; merged */
	struct forest f;
	size_t nlabels[2]; /* of the record's one or two continuations */
};

static int side_open(
	struct side *s, const struct probe *p, const char *dir, const char *adapter, struct err *e)
{
	struct model_opts o = {
		.dir = dir, .adapter = adapter, .threads = p->threads, .precision = "f32"};
	if (model_open(&s->m, &o, e) < 0)
		return -1;
	s->ws = workspace_new(s->m);
	s->logits = mem_alloc(mem_mul(CHUNK, model_config(s->m)->vocab), sizeof *s->logits);
	return 0;
}

static void side_close(struct side *s)
{
	workspace_free(s->ws);
	mem_free(s->logits);
	model_close(s->m);
}

/* ---- a record -------------------------------------------------------------------------------- */

static void plant(struct pass *a, const struct example *ex)
{
	forest_reset(&a->f);
	int root = ex->nprompt ? forest_segment(&a->f, -1, ex->prompt, ex->nprompt, 0) : -1;
	for (int i = 0; i < ex->nsides; i++) {
		const struct example_side *s = &ex->side[i];
		int seg = forest_segment(&a->f, root, s->ids, s->n, 0);
		a->nlabels[i] = forest_label(&a->f, seg, 0, s->n, s->mask);
	}
}

static void add(struct probe_sum *s, double adapter, double merged, double apart)
{
	s->n++;
	s->adapter += adapter;
	s->merged += merged;
	s->apart += apart;
	s->worst = fmax(s->worst, apart);
}

/* log of the sum of exp(x[i]). */
static double log_sum(const float *x, size_t n)
{
	double most = (double)x[0], sum = 0;
	for (size_t i = 1; i < n; i++)
		most = fmax(most, (double)x[i]);
	for (size_t i = 0; i < n; i++)
		sum += exp((double)x[i] - most);
	return most + log(sum);
}

/* Label `at`, whose logits are row `row` of both: to the sums of the continuation that it is of. */
static void add_label(struct pass *a, size_t at, size_t row)
{
	size_t vocab = model_config(a->side[0].m)->vocab;
	const float *x = a->side[0].logits + row * vocab, *y = a->side[1].logits + row * vocab;
	double zx = log_sum(x, vocab), zy = log_sum(y, vocab), kl = 0;
	uint32_t target = a->f.labels[at].target;
	int which = at >= a->nlabels[0];
	a->side[0].logps[which] += (double)x[target] - zx;
	a->side[1].logps[which] += (double)y[target] - zy;
	for (size_t i = 0; i < vocab; i++) {
		double p = (double)x[i] - zx, q = (double)y[i] - zy;
		kl += exp(p) * (p - q);
	}
	kl = fmax(kl, 0); /* rounding */
	add(&a->p->sum[PROBE_KL], 0, kl, kl);
}

static int add_labels(struct pass *a, struct err *e)
{
	for (size_t at = 0, n; at < a->f.nlabels; at += n) {
		n = a->f.nlabels - at < CHUNK ? a->f.nlabels - at : CHUNK;
		for (int i = 0; i < 2; i++)
			if (model_logits(a->side[i].ws, at, n, a->side[i].logits, e) < 0)
				return -1;
		for (size_t row = 0; row < n; row++)
			add_label(a, at + row, row);
	}
	return 0;
}

static void add_record(struct pass *a, const struct example *ex)
{
	const double *x = a->side[0].logps, *y = a->side[1].logps;
	for (int i = 0; i < ex->nsides; i++) {
		const char *name = ex->side[i].name;
		int row = strcmp(name, "chosen") == 0	  ? PROBE_CHOSEN
			  : strcmp(name, "rejected") == 0 ? PROBE_REJECTED
							  : PROBE_COMPLETION;
		add(&a->p->sum[row], x[i], y[i], fabs(x[i] - y[i]));
	}
	if (ex->nsides == 2)
		add(&a->p->sum[PROBE_ACCURACY], x[0] > x[1], y[0] > y[1],
			(x[0] > x[1]) != (y[0] > y[1]));
}

static int probe_record(struct pass *a, struct record *rec, struct err *e)
{
	struct example ex;
	if (example_read(rec, model_config(a->side[0].m)->vocab, &ex, e) < 0)
		return -1;
	plant(a, &ex);
	for (int i = 0; i < 2; i++) {
		a->side[i].logps[0] = a->side[i].logps[1] = 0;
		if (model_logits_begin(a->side[i].ws, &a->f, e) < 0)
			return err_prefix(e, "%s", rec->where);
	}
	if (add_labels(a, e) < 0)
		return err_prefix(e, "%s", rec->where);
	add_record(a, &ex);
	return 0;
}

/* ---- all of them ----------------------------------------------------------------------------- */

static int check_tokenizer(const struct probe *p, const struct header *h, struct err *e)
{
	char ours[FINGERPRINT_LEN];
	if (fingerprint_tokenizer_if_any(p->base, ours, e) < 0)
		return -1;
	if (*ours)
		fingerprint_either(ours, h->tokenizer);
	return stream_check(
		h, "tokenizer", h->tokenizer, *ours ? ours : NULL, p->ignore_mismatch, e);
}

static int run(struct pass *a, struct stream_reader *r, struct err *e)
{
	struct record rec = {0};
	int rc;
	while ((rc = stream_read(r, &rec, e)) > 0)
		if (probe_record(a, &rec, e) < 0) {
			rc = -1;
			break;
		}
	record_done(&rec);
	return rc;
}

int probe_run(struct probe *p, struct err *e)
{
	char *const paths[] = {(char *)p->rows};
	struct stream_reader *r;
	struct pass a = {.p = p};
	if (stream_open(&r, paths, 1, 1 << KIND_TOKENS, 1, 1, e) < 0)
		return -1;
	int rc = check_tokenizer(p, stream_header(r), e) ||
				 side_open(&a.side[0], p, p->base, p->adapter, e) ||
				 side_open(&a.side[1], p, p->merged, NULL, e) || run(&a, r, e)
			 ? -1
			 : 0;
	for (int i = 0; i < 2; i++)
		side_close(&a.side[i]);
	forest_done(&a.f);
	stream_close(r);
	return rc;
}
