/*
 * A base's tensors become items; a quantised weight and its parts one. Adapters (adapt.c) then add to
 * them or take their place. What is still as it was keeps its bytes, parts and all.
 */
#include "tools/merge-lora/plan.h"

#include "common/mem.h"
#include "tools/merge-lora/adapt.h"

/* ---- the base -------------------------------------------------------------------------------- */

static int add_base(
	struct plan *p, const struct wish *wish, const struct st_tensor *in, struct err *e)
{
	if (bnb_has_part(wish->base, in->name))
		return 0; /* its weight brings it */
	struct rewrite_item *it = rewrite_add(&p->w, in);
	int quantised = bnb_open(&it->from, wish->base, in->name, e);
	if (quantised < 0)
		return -1;
	if (quantised)
		it->dtype = bnb_values(it->from, wish->dtype, wish->base_dtype);
	else if (wish->dtype >= 0 && dtype_info[in->dtype].is_float)
		it->dtype = (enum dtype)wish->dtype;
	return 0;
}

static int has_quantised(const struct plan *p)
{
	for (size_t i = 0; i < p->w.n; i++)
		if (p->w.items[i].from)
			return 1;
	return 0;
}

static int check_wish(const struct plan *p, const struct wish *wish, struct err *e)
{
	int quantised = has_quantised(p);
	if (wish->quantised && !quantised)
		return err_data(e,
			"config.json says that the base is quantised, but it has no such "
			"weights");
	if (quantised && !wish->requantise && wish->dtype < 0)
		return err_usage(e,
			"the base is quantised: '--dtype bfloat16' writes its dequantised weights "
			"plus the adapter, '--requantize' quantises the sum again");
	if (wish->requantise && !quantised)
		return err_usage(e, "--requantize: the base is not quantised");
	return 0;
}

/* ---- back to where it came from -------------------------------------------------------------- */

/* PEFT quantises the sum in f32; of DoRA, which it rounds first, in the type of the base's values. */
static void requantise(struct rewrite_item *it, const struct wish *wish)
{
	const struct kweight_desc *d = &it->from->d;
	int dora = it->deltas[0].magnitude != NULL;
	it->quantise = 1;
	it->dtype = dora && d->dtype != DT_INT8 ? d->values : DT_F32;
	it->form = (struct quant_form){.type = d->dtype,
		.blocksize = d->blocksize,
		.nested = d->absmax_q != NULL,
		.storage = it->in->dtype,
		.rule = wish->rule};
}

static void keep_bytes(struct rewrite_item *it)
{
	bnb_free(it->from);
	it->from = NULL;
	it->codes = 1;
	it->dtype = it->in->dtype;
}

/* Parts of the weights that keep their bytes. */
static void add_parts(struct plan *p, const struct st *base)
{
	for (size_t i = 0; i < base->n; i++) {
		size_t stem;
		if (!bnb_has_part(base, base->t[i].name))
			continue;
		bnb_is_part(base->t[i].name, &stem);
		char *weight = mem_printf("%.*s.weight", (int)stem, base->t[i].name);
		if (!rewrite_changes(rewrite_find(&p->w, weight)))
			rewrite_add(&p->w, &base->t[i]);
		mem_free(weight);
	}
}

static void back_to_codes(struct plan *p, const struct wish *wish)
{
	for (size_t i = 0; i < p->w.n; i++) {
		struct rewrite_item *it = &p->w.items[i];
		if (it->from && it->ndeltas)
			requantise(it, wish);
		else if (it->from)
			keep_bytes(it);
	}
	add_parts(p, wish->base);
}

int plan_base(struct plan *p, const struct wish *wish, struct err *e)
{
	*p = (struct plan){0};
	for (size_t i = 0; i < wish->base->n; i++)
		if (add_base(p, wish, &wish->base->t[i], e))
			return -1;
	return check_wish(p, wish, e);
}

int plan_adapters(struct plan *p, const struct wish *wish, const struct source *s, size_t nsources,
	struct err *e)
{
	for (size_t i = 0; i < nsources; i++)
		if (adapt(p, wish, &s[i], nsources, e))
			return err_prefix(e, "%s", s[i].name);
	if (wish->requantise)
		back_to_codes(p, wish);
	return 0;
}

void plan_done(struct plan *p)
{
	rewrite_done(&p->w);
}
