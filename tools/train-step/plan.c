#include "tools/train-step/plan.h"

#include "common/die.h"

#include <stdio.h>
#include <unistd.h>

/* More tokens at once make no product faster; fewer leave threads idle. */
enum { TOKENS_MOST = 4096, TOKENS_LEAST = 256 };

/* What activations may take when nobody says: the products are at full speed long before. */
static const size_t usual_room = (size_t)512 << 20;

/* A row's prompt and sides at most, where every token that can be is a label. */
static size_t longest_tree(const struct model *m, const struct options *o)
{
	size_t n = o->max_length ? (size_t)o->max_length : model_config(m)->max_positions;
	return o->loss.needs & LOSS_PAIRS ? 2 * n : n;
}

static size_t choose_tokens(struct model *m, size_t room)
{
	size_t tokens = TOKENS_MOST, head;
	while (tokens > TOKENS_LEAST && workspace_bytes(m, tokens, tokens, 1, &head) > room)
		tokens -= TOKENS_LEAST;
	return tokens;
}

static size_t physical_memory(void)
{
	return (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
}

/* The activations that go with what else there is, in `most` bytes if they can. */
static void plan_batch(struct plan *p, struct model *m, size_t longest, size_t most)
{
	size_t fixed = p->weights + p->adapter + p->states, room = usual_room;
	if (most != SIZE_MAX)
		room = most > fixed ? most - fixed : 0;
	p->tokens = choose_tokens(m, room);
	size_t tokens = p->tokens > longest ? p->tokens : longest;
	p->activations = workspace_bytes(m, tokens, tokens, 1, &p->head) - p->head;
	p->total = fixed + p->activations + p->head;
}

int plan_make(struct plan *p, struct model *m, const struct options *o, struct err *e)
{
	const struct params *ps = model_params(m);
	size_t longest = longest_tree(m, o), most = o->max_memory ? o->max_memory : SIZE_MAX, one;
	*p = (struct plan){
		.weights = model_weight_bytes(m),
		.adapter = 2 * dtype_bytes(DT_F32, ps->total), /* values and gradients */
		.states = optim_bytes(&o->optim, ps, &one),
	};
	plan_batch(p, m, longest, most);
	if (optim_is_paged(&o->optim) &&
		p->total > (o->max_memory ? o->max_memory : physical_memory())) {
		p->paged = p->states - one;
		p->states = one;
		plan_batch(p, m, longest, most);
	}
	if (p->total > most)
		return err_set(e, STATUS_SYSTEM,
			"does not fit: %zu bytes are needed with --max-length %lld, --max-memory "
			"is %llu",
			p->total, (long long)o->max_length, (unsigned long long)o->max_memory);
	return 0;
}

int plan_print(const struct plan *p, struct err *e)
{
	printf("weights %zu\nadapter %zu\nstates %zu\nactivations %zu\nhead %zu\ntotal %zu\n",
		p->weights, p->adapter, p->states, p->activations, p->head, p->total);
	if (p->paged)
		printf("paged %zu\n", p->paged);
	return fflush(stdout) == 0 ? 0 : err_sys(e, "cannot write the plan");
}

void plan_note(const struct plan *p)
{
	const double mb = 1e-6;
	die_verbose("micro-batches of %zu tokens, or one row's", p->tokens);
	if (p->paged)
		die_note("%.0f MB of the optimizer's states are in a file in TMPDIR",
			(double)p->paged * mb);
	die_note("memory: at most %.0f MB (weights %.0f, adapter %.0f, states %.0f, activations "
		 "%.0f, head %.0f)",
		(double)p->total * mb, (double)p->weights * mb, (double)p->adapter * mb,
		(double)p->states * mb, (double)p->activations * mb, (double)p->head * mb);
}
