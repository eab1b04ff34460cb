#include "tools/gen/prompt.h"

#include "common/mp.h"

static int is_array(const struct field *f)
{
	struct mp at = {f->val, f->val + f->vallen};
	struct mp_value v;
	return mp_next(&at, &v) == 0 && v.type == MP_ARRAY;
}

static int is_messages(const struct record *rec)
{
	const struct field *prompt = record_get(rec, "prompt");
	return record_get(rec, "messages") || (prompt && is_array(prompt));
}

static int from_text_ids(struct record *rec, size_t *n, struct err *e)
{
	const uint8_t *mask;
	size_t nmask = 0;
	int rc = record_bytes(rec, "completion_mask", &mask, &nmask, e);
	for (size_t i = 0; rc > 0 && i < nmask && i < *n; i++) {
		if (mask[i])
			*n = i;
	}
	return rc < 0 ? -1 : 0;
}

static int encode(
	struct prompt *p, struct record *rec, const uint32_t **ids, size_t *n, struct err *e)
{
	const char *text;
	size_t len;
	int templated = 0;
	if (is_messages(rec))
		return err_data(e,
			"%s: messages need the chat template first: tmpl -m %s "
			"--add-generation-prompt | gen -m %s",
			rec->where, p->dir, p->dir);
	int rc = record_str(rec, "prompt", &text, &len, e);
	if (rc <= 0)
		return rc < 0 ? -1 : err_data(e, "%s: there is no 'prompt'", rec->where);
	if (record_bool(rec, "_templated", &templated, e) < 0)
		return -1;
	encoding_reset(&p->ids);
	if (row_rule_encode(p->rule, p->enc, text, len, templated, &p->ids, e) < 0)
		return err_prefix(e, "%s", rec->where);
	*ids = p->ids.ids;
	*n = p->ids.n;
	return 0;
}

static int check(const struct prompt *p, const struct record *rec, const uint32_t *ids, size_t n,
	struct err *e)
{
	const struct model_config *c = p->config;
	if (n == 0)
		return err_data(e, "%s: the prompt is empty", rec->where);
	if (c->window && n + p->max_new > c->window)
		return err_data(e,
			"%s: prompt and --max-new-tokens are %zu tokens, the model's sliding "
			"window %zu",
			rec->where, n + p->max_new, c->window);
	for (size_t i = 0; i < n; i++) {
		if (ids[i] >= c->vocab)
			return err_data(e, "%s: token %u is beyond the model's vocabulary of %zu",
				rec->where, ids[i], c->vocab);
	}
	return 0;
}

int prompt_read(
	struct prompt *p, struct record *rec, const uint32_t **ids, size_t *n, struct err *e)
{
	int rc = record_u32s(rec, "prompt_ids", ids, n, e);
	if (rc == 0 && (rc = record_u32s(rec, "input_ids", ids, n, e)) > 0)
		rc = from_text_ids(rec, n, e) < 0 ? -1 : 1;
	if (rc < 0 || (rc == 0 && encode(p, rec, ids, n, e) < 0))
		return -1;
	return check(p, rec, *ids, *n, e);
}

void prompt_done(struct prompt *p)
{
	encoding_done(&p->ids);
}
