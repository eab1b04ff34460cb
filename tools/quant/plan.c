#include "tools/quant/plan.h"

static struct rewrite_item *add_item(struct rewrite *w, const struct st_tensor *in, int dtype)
{
	struct rewrite_item *it = rewrite_add(w, in);
	if (dtype >= 0 && dtype_info[in->dtype].is_float)
		it->dtype = (enum dtype)dtype;
	return it;
}

static int check_changes(const struct rewrite *w, struct err *e)
{
	for (size_t i = 0; i < w->n; i++)
		if (rewrite_changes(&w->items[i]))
			return 0;
	return err_data(e, "the model has no weights for that");
}

int plan_encode(struct rewrite *w, const struct quant_form *form, int dtype, const struct st *base,
	const struct pick *pick, struct err *e)
{
	for (size_t i = 0; i < base->n; i++) {
		struct rewrite_item *it = add_item(w, &base->t[i], dtype);
		it->form = *form;
		it->quantise = pick_weight(pick, it->in, e);
		if (it->quantise < 0)
			return -1;
		if (it->quantise && it->dtype == DT_F64)
			return err_data(e,
				"tensor '%s' is float64: '--dtype float32' makes it usable",
				it->in->name);
	}
	return check_changes(w, e);
}

int plan_decode(struct rewrite *w, int dtype, const struct st *base, int model, struct err *e)
{
	for (size_t i = 0; i < base->n; i++) {
		const struct st_tensor *in = &base->t[i];
		if (bnb_has_part(base, in->name))
			continue;
		struct rewrite_item *it = add_item(w, in, dtype);
		int rc = bnb_open(&it->from, base, in->name, e);
		if (rc < 0)
			return -1;
		if (rc)
			it->dtype = bnb_values(it->from, dtype, model);
	}
	return check_changes(w, e);
}
