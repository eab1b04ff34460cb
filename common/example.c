#include "common/example.h"

static int need_ids(
	struct record *rec, const char *key, const uint32_t **ids, size_t *n, struct err *e)
{
	int rc = record_u32s(rec, key, ids, n, e);
	return rc == 0 ? err_data(e, "%s: there is no '%s'", rec->where, key) : rc < 0 ? -1 : 0;
}

static int read_side(
	struct record *rec, const char *key, const char *name, struct example *ex, struct err *e)
{
	struct example_side *s = &ex->side[ex->nsides++];
	s->name = name;
	return need_ids(rec, key, &s->ids, &s->n, e);
}

static int read_text(struct record *rec, struct example *ex, struct err *e)
{
	struct example_side *s = &ex->side[0];
	size_t n = 0;
	if (read_side(rec, "input_ids", "completion", ex, e) < 0)
		return -1;
	int rc = record_bytes(rec, "completion_mask", &s->mask, &n, e);
	if (rc > 0 && n != s->n)
		return err_data(e, "%s: 'completion_mask' has %zu entries for %zu 'input_ids'",
			rec->where, n, s->n);
	return rc < 0 ? -1 : 0;
}

static int read_fields(struct record *rec, struct example *ex, struct err *e)
{
	int pair = record_get(rec, "chosen_ids") || record_get(rec, "rejected_ids");
	if (!pair && !record_get(rec, "completion_ids"))
		return read_text(rec, ex, e);
	if (need_ids(rec, "prompt_ids", &ex->prompt, &ex->nprompt, e) < 0)
		return -1;
	if (!pair)
		return read_side(rec, "completion_ids", "completion", ex, e);
	if (read_side(rec, "chosen_ids", "chosen", ex, e) < 0)
		return -1;
	return record_get(rec, "rejected_ids") ? read_side(rec, "rejected_ids", "rejected", ex, e)
					       : 0;
}

static int check_ids(
	const struct record *rec, const uint32_t *ids, size_t n, size_t vocab, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		if (ids[i] >= vocab)
			return err_data(e, "%s: token %u is beyond the model's vocabulary of %zu",
				rec->where, ids[i], vocab);
	}
	return 0;
}

static int has_label(const struct example *ex, const struct example_side *s)
{
	for (size_t i = ex->nprompt ? 0 : 1; i < s->n; i++) {
		if (!s->mask || s->mask[i])
			return 1;
	}
	return 0;
}

int example_read(struct record *rec, size_t vocab, struct example *ex, struct err *e)
{
	*ex = (struct example){0};
	if (read_fields(rec, ex, e) < 0 || check_ids(rec, ex->prompt, ex->nprompt, vocab, e) < 0)
		return -1;
	for (int i = 0; i < ex->nsides; i++) {
		const struct example_side *s = &ex->side[i];
		if (s->n == 0)
			return err_data(e, "%s: the %s is empty", rec->where,
				ex->nsides == 1 ? "completion" : s->name);
		if (check_ids(rec, s->ids, s->n, vocab, e) < 0)
			return -1;
		if (!has_label(ex, s))
			return err_data(e, "%s: no token of the %s is to be predicted", rec->where,
				s->name);
	}
	return 0;
}
