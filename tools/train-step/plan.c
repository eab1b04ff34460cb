#include "tools/train-step/plan.h"

#include "common/die.h"

#include <stdio.h>
#include <unistd.h>

/* More tokens at once make no product faster. */
enum { TOKENS_MOST = 4096 };

/* What activations may take when nobody says: the products are at full speed long before. */
static const size_t usual_room = (size_t)512 << 20;

/* A row's prompt and sides at most, where every token that can be is a label. */
static size_t longest_tree(const struct model *m, const struct options *o)
{
	size_t n = o->max_length ? (size_t)o->max_length : model_config(m)->max_positions;
	return o->loss.needs & LOSS_PAIRS ? 2 * n : n;
}

static size_t physical_memory(void)
{
	return (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
}

static void count_batch(struct plan *p, struct model *m)
{
	size_t bytes = workspace_bytes(m, p->tokens, p->tokens, 1, p->recompute, &p->head);
	p->activations = bytes - p->head;
	p->total = p->weights + p->adapter + p->states + bytes;
}

/* Tokens at once: so many of the longest trees as stay within `limit`, at least one. */
static void choose_batch(
	struct plan *p, struct model *m, const struct options *o, size_t longest, size_t limit)
{
	size_t room = o->max_memory ? SIZE_MAX : usual_room;
	for (size_t trees = TOKENS_MOST / longest; trees > 1; trees--) {
		p->tokens = trees * longest;
		count_batch(p, m);
		if (p->total <= limit && p->activations + p->head <= room)
			return;
	}
	p->tokens = longest;
	count_batch(p, m);
}

/* From what costs least time to what costs most: smaller micro-batches, states in files, activations made
 * again, of no more layers than must be. */
int plan_make(struct plan *p, struct model *m, const struct options *o, struct err *e)
{
	const struct params *ps = model_params(m);
	size_t longest = longest_tree(m, o), one;
	size_t limit = o->max_memory ? o->max_memory : physical_memory();
	*p = (struct plan){
		.weights = model_weight_bytes(m),
		.adapter = 2 * dtype_bytes(DT_F32, ps->total), /* values and gradients */
		.states = optim_bytes(&o->optim, ps, &one),
	};
	choose_batch(p, m, o, longest, limit);
	if (p->total > limit && optim_is_paged(&o->optim)) {
		p->paged = p->states - one;
		p->states = one;
		choose_batch(p, m, o, longest, limit);
	}
	while (p->total > limit && p->recompute + 1 < model_config(m)->layers) {
		p->recompute++;
		count_batch(p, m);
	}
	if (p->total <= limit || (o->plan && !o->max_memory))
		return 0;
	return err_set(e, STATUS_SYSTEM,
		"does not fit: at least %zu bytes are needed with --max-length %lld, %s %zu",
		p->total, (long long)o->max_length,
		o->max_memory ? "--max-memory is" : "this machine has", limit);
}

int plan_print(const struct plan *p, struct err *e)
{
	printf("weights %zu\nadapter %zu\nstates %zu\nactivations %zu\nhead %zu\ntotal %zu\n",
		p->weights, p->adapter, p->states, p->activations, p->head, p->total);
	if (p->paged)
		printf("paged %zu\n", p->paged);
	if (p->recompute)
		printf("recompute %zu\n", p->recompute);
	return fflush(stdout) == 0 ? 0 : err_sys(e, "cannot write the plan");
}

void plan_note(const struct plan *p)
{
	const double mb = 1e-6;
	die_verbose("micro-batches of %zu tokens, or one row's", p->tokens);
	if (p->paged)
		die_note("%.0f MB of the optimizer's states are in a file in TMPDIR",
			(double)p->paged * mb);
	if (p->recompute)
		die_note("activations of %zu layers are made again in the backward", p->recompute);
	die_note("memory: at most %.0f MB (weights %.0f, adapter %.0f, states %.0f, activations "
		 "%.0f, head %.0f)",
		(double)p->total * mb, (double)p->weights * mb, (double)p->adapter * mb,
		(double)p->states * mb, (double)p->activations * mb, (double)p->head * mb);
}
