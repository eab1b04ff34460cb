#include "tools/refscore/score.h"

#include "common/mem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A cached sum may differ from a new one by rounding: other kernels, another machine. Ten times what was
 * seen between OpenBLAS's products and ours: 4e-4 on sums of 3000 (270 tokens, the 135M shape). */
static const double VERIFY_ABSOLUTE = 1e-3, VERIFY_RELATIVE = 1e-6;

static size_t example_tokens(const struct example *ex)
{
	size_t n = ex->nprompt;
	for (int i = 0; i < ex->nsides; i++)
		n += ex->side[i].n;
	return n;
}

static int check_window(const struct scorer *s, const struct pending *p, struct err *e)
{
	size_t window = model_config(s->m)->window;
	for (int i = 0; window && i < p->ex.nsides; i++) {
		if (p->ex.nprompt + p->ex.side[i].n > window)
			return err_data(e,
				"%s: longer than the model's sliding window of %zu tokens",
				p->rec.where, window);
	}
	return 0;
}

static int same_prompt(const struct example *a, const struct example *b)
{
	return a->nprompt == b->nprompt && a->nprompt &&
	       memcmp(a->prompt, b->prompt, a->nprompt * sizeof *a->prompt) == 0;
}

/* The record's segments and labels, under the last record's prompt where it is the same. */
static void plant(struct scorer *s, struct pending *p)
{
	const struct example *ex = &p->ex;
	uint32_t id = (uint32_t)s->n;
	if (!ex->nprompt)
		s->root = -1;
	else if (!s->n || !same_prompt(ex, &s->v[s->n - 1].ex))
		s->root = forest_segment(&s->f, -1, ex->prompt, ex->nprompt, id);
	p->nlabels[1] = 0;
	for (int i = 0; i < ex->nsides; i++) {
		const struct example_side *side = &ex->side[i];
		int seg = forest_segment(&s->f, s->root, side->ids, side->n, id);
		p->nlabels[i] = forest_label(&s->f, seg, 0, side->n, side->mask);
	}
}

int score_add(struct scorer *s, const struct record *rec, struct err *e)
{
	if (s->n == s->cap) {
		mem_grow(&s->v, &s->cap, s->n + 1, sizeof *s->v);
		memset(s->v + s->n, 0, (s->cap - s->n) * sizeof *s->v);
	}
	struct pending *p = &s->v[s->n];
	record_copy(&p->rec, rec);
	if (example_read(&p->rec, model_config(s->m)->vocab, &p->ex, e) < 0 ||
		check_window(s, p, e) < 0)
		return STREAM_BAD;
	if (s->n && s->f.ntok + example_tokens(&p->ex) > s->max_tokens) {
		size_t at = s->n;
		if (score_flush(s, e) < 0)
			return -1;
		struct pending first = s->v[at];
		s->v[at] = s->v[0];
		s->v[0] = first;
		p = &s->v[0];
	}
	plant(s, p);
	s->n++;
	return 0;
}

/* ---- from log-probs to fields ---- */

static double sum(const struct klabel_out *out, size_t n)
{
	double total = 0;
	for (size_t i = 0; i < n; i++)
		total += out[i].logp;
	return total;
}

static void add_fields(
	const struct scorer *s, struct pending *p, int i, const struct klabel_out *out)
{
	const struct example_side *side = &p->ex.side[i];
	char *key = mem_printf("%s_%s_logps", s->prefix, side->name);
	record_set_f64(&p->rec, key, sum(out, p->nlabels[i]));
	mem_free(key);
	if (!s->per_token)
		return;
	float *v = mem_zalloc(side->n, sizeof *v);
	for (size_t t = p->ex.nprompt ? 0 : 1; t < side->n; t++) {
		if (!side->mask || side->mask[t])
			v[t] = (float)out++->logp;
	}
	key = mem_printf("%s_%s_token_logps", s->prefix, side->name);
	record_set_f32s(&p->rec, key, v, side->n);
	mem_free(key);
	mem_free(v);
}

static int verify_field(
	struct scorer *s, struct pending *p, int i, const struct klabel_out *out, struct err *e)
{
	char key[100];
	double cached, now = sum(out, p->nlabels[i]);
	snprintf(key, sizeof key, "%s_%s_logps", s->prefix, p->ex.side[i].name);
	int rc = record_f64(&p->rec, key, &cached, e);
	if (rc <= 0)
		return rc ? -1 : err_data(e, "%s: there is no '%s' to verify", p->rec.where, key);
	double off = fabs(cached - now);
	if (!(off <= VERIFY_ABSOLUTE + VERIFY_RELATIVE * fabs(now)))
		return err_data(e, "%s: '%s' is %.9g, but the model gives %.9g", p->rec.where, key,
			cached, now);
	s->worst = fmax(s->worst, off);
	return 0;
}

static int finish_record(
	struct scorer *s, struct pending *p, const struct klabel_out *out, struct err *e)
{
	for (int i = 0; i < p->ex.nsides; i++) {
		if (!s->verifying)
			add_fields(s, p, i, out);
		else if (s->records < s->verify && verify_field(s, p, i, out, e) < 0)
			return -1;
		out += p->nlabels[i];
	}
	s->records++;
	return stream_write(s->w, &p->rec, e);
}

/* Puts the record in front whose log-prob is the first that is not finite. */
static int name_record(const struct scorer *s, struct err *e)
{
	size_t i = 0;
	while (isfinite(s->out[i].logp))
		i++;
	size_t r = 0;
	for (; i >= s->v[r].nlabels[0] + s->v[r].nlabels[1]; r++)
		i -= s->v[r].nlabels[0] + s->v[r].nlabels[1];
	return err_prefix(e, "%s", s->v[r].rec.where);
}

/* Beyond the records to verify there is nothing to compute. */
static int run(struct scorer *s, struct err *e)
{
	if (s->verifying && s->records >= s->verify)
		return 0;
	mem_grow(&s->out, &s->out_cap, s->f.nlabels, sizeof *s->out);
	int rc = model_forward(s->m, s->ws, &s->f, 0, 0, 0, 0, 0, s->out, e);
	s->tokens += s->f.ntok;
	return rc == MODEL_NOT_FINITE ? name_record(s, e) : rc;
}

int score_flush(struct scorer *s, struct err *e)
{
	int rc = s->n ? run(s, e) : 0;
	const struct klabel_out *out = s->out;
	for (size_t i = 0; i < s->n && rc == 0; i++) {
		rc = finish_record(s, &s->v[i], out, e);
		out += s->v[i].nlabels[0] + s->v[i].nlabels[1];
	}
	s->n = 0;
	forest_reset(&s->f);
	return rc;
}

void scorer_done(struct scorer *s)
{
	for (size_t i = 0; i < s->cap; i++)
		record_done(&s->v[i].rec);
	mem_free(s->v);
	mem_free(s->out);
	forest_done(&s->f);
	workspace_free(s->ws);
}
