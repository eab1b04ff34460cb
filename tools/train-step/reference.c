#include "tools/train-step/reference.h"

#include "common/mem.h"

#include <math.h>
#include <string.h>

static size_t arena_bytes(const struct reference *r)
{
	return dtype_bytes(DT_F32, model_params(r->policy)->total);
}

static int device_failed(struct err *e)
{
	return err_set(e, STATUS_SYSTEM, "the device failed while switching to the reference");
}

static int keep_initial(struct reference *r, struct err *e)
{
	r->initial = mem_alloc(arena_bytes(r), 1);
	r->trained = mem_alloc(arena_bytes(r), 1);
	const struct kernels *k = model_kernels(r->policy);
	if (k->read(model_kctx(r->policy), r->initial, model_params(r->policy)->value.p,
		    arena_bytes(r)) < 0)
		return device_failed(e);
	return 0;
}

static int open_other(struct reference *r, struct err *e)
{
	struct model_opts o = *r->opts;
	o.train = o.full = 0;
	o.new_adapter = NULL;
	o.adapter = r->adapter;
	if (model_open(&r->other, &o, e) < 0)
		return -1;
	r->ws = workspace_new(r->other);
	return 0;
}

int reference_init(struct reference *r, struct model *policy, const struct model_opts *opts,
	const char *choice, struct err *e)
{
	*r = (struct reference){.policy = policy, .opts = opts};
	const char *name = model_reference(policy);
	int rc = 0;
	if (choice && strcmp(choice, "initial") != 0 && strcmp(choice, "none") != 0) {
		r->how = REF_OTHER;
		r->adapter = choice;
		rc = open_other(r, e);
		if (rc < 0)
			return err_prefix(e, "the reference");
		name = model_reference(r->other);
	} else if (opts->full) {
		r->how = REF_OTHER; /* opened when a row needs it */
	} else if (opts->adapter && (!choice || strcmp(choice, "none") != 0)) {
		r->how = REF_INITIAL;
		rc = keep_initial(r, e);
	} else {
		r->how = REF_BARE;
		name = model_base_reference(policy);
	}
	snprintf(r->fingerprint, sizeof r->fingerprint, "%s", name);
	return rc;
}

char *reference_describe(const struct reference *r)
{
	const char *adapter = r->how == REF_INITIAL ? r->opts->adapter : r->adapter;
	if (adapter)
		return mem_printf("%s with the adapter %s", r->opts->dir, adapter);
	return mem_strdup(r->opts->dir);
}

/* ---- filling in ---- */

static int known(const struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (isnan(b->loss[i].ref[0]))
			return 0;
	return 1;
}

/* Puts `values` into the arena, keeping what is there in `keep` when not NULL. */
static int swap_in(struct reference *r, const float *values, float *keep, struct err *e)
{
	struct model *m = r->policy;
	const struct kernels *k = model_kernels(m);
	void *arena = model_params(m)->value.p;
	if ((keep && k->read(model_kctx(m), keep, arena, arena_bytes(r)) < 0) ||
		k->write(model_kctx(m), arena, values, arena_bytes(r)) < 0)
		return device_failed(e);
	return model_refresh(m, e);
}

static int logps(struct reference *r, struct stepper *s, const struct batch *b, struct err *e)
{
	int rc;
	switch (r->how) {
	case REF_BARE:
		model_adapter_enable(r->policy, 0);
		rc = step_logps(s, r->policy, s->ws, b, e);
		model_adapter_enable(r->policy, 1);
		return rc;
	case REF_INITIAL:
		if (swap_in(r, r->initial, r->trained, e) < 0 ||
			step_logps(s, r->policy, s->ws, b, e) < 0)
			return -1;
		return swap_in(r, r->trained, NULL, e);
	case REF_OTHER:
		if (!r->other && open_other(r, e) < 0)
			return -1;
		return step_logps(s, r->other, r->ws, b, e);
	}
	return -1;
}

int reference_fill(
	struct reference *r, struct stepper *s, struct data *d, struct batch *b, struct err *e)
{
	if (known(b))
		return 0;
	if (logps(r, s, b, e) < 0)
		return err_prefix(e, "the reference");
	struct loss_batch all = {.label = s->label};
	for (size_t i = 0; i < b->n; i++) {
		struct loss_row *row = &b->loss[i];
		if (!isnan(row->ref[0]))
			continue;
		for (int side = 0; side < 2; side++)
			row->ref[side] = loss_sum(&all, row->side[side]);
		memcpy(d->ref[b->rows[i].index], row->ref, sizeof row->ref);
	}
	return 0;
}

void reference_done(struct reference *r)
{
	if (r->ws)
		workspace_free(r->ws);
	if (r->other)
		model_close(r->other);
	mem_free(r->initial);
	mem_free(r->trained);
	*r = (struct reference){0};
}
