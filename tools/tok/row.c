/*
 * Prompt and answers. The boundary between them is proved, never cut by length alone: the prompt is
 * encoded by itself and with each answer, and the answer is what follows the ids that agree. Where
 * they part before the prompt's end (a merge over the seam), the split moves there, for a pair to the
 * earlier of both, so that both answers follow one prompt. TRL 1.16 splits at the same place. With
 * plan->classic a pair's texts are encoded apart, and there is no boundary to prove.
 */
#include "tools/tok/row.h"

#include "common/mem.h"

#include <string.h>

void row_init(struct row *r, const struct row_plan *plan)
{
	*r = (struct row){.plan = plan, .enc = encoder_new(plan->t)};
	r->prompt.ids_only = !plan->assistant_only; /* spans are compared with offsets */
	for (int i = 0; i < SIDES; i++)
		r->side[i].ids_only = 1;
	r->theirs.ids_only = 1;
	if (plan->compat)
		r->compat = encoder_new(plan->compat);
}

void row_done(struct row *r)
{
	encoding_done(&r->prompt);
	encoding_done(&r->theirs);
	encoder_free(r->compat);
	for (int i = 0; i < SIDES; i++)
		encoding_done(&r->side[i]);
	mem_free(r->mask);
	encoder_free(r->enc);
}

struct text {
	const char *s;
	size_t len;
};

static int encode_by(const struct row_rule *rule, enum special special, struct encoder *enc,
	const struct text *t, int templated, struct encoding *out, struct err *e)
{
	return special == SPECIAL_AUTO
		       ? row_rule_encode(rule, enc, t->s, t->len, templated, out, e)
		       : tokenizer_encode(enc, t->s, t->len, special == SPECIAL_YES, out, e);
}

/* Whether plan->compat makes other ids of a text that begins a row; once it did, nobody asks again. */
static void compare(struct row *r, const struct text *t, enum special special, int templated,
	const struct encoding *ours)
{
	struct err none = {0};
	if (!r->compat)
		return;
	encoding_reset(&r->theirs);
	r->differs =
		encode_by(&r->plan->compat_rule, special, r->compat, t, templated, &r->theirs,
			&none) < 0 ||
		r->theirs.n != ours->n ||
		(ours->n && memcmp(r->theirs.ids, ours->ids, ours->n * sizeof *ours->ids) != 0);
	if (r->differs) {
		encoder_free(r->compat);
		r->compat = NULL;
	}
}

/* The ids of a text that begins a row. `special` other than auto is for text rows. */
static int encode(struct row *r, const struct text *t, enum special special, int templated,
	struct encoding *out, struct err *e)
{
	encoding_reset(out);
	if (encode_by(&r->plan->rule, special, r->enc, t, templated, out, e) < 0)
		return -1;
	compare(r, t, special, templated, out);
	return 0;
}

/* 1 when the record has the column. */
static int get(struct record *rec, const char *key, struct text *t, struct err *e)
{
	return record_str(rec, key, &t->s, &t->len, e);
}

/* ---- limits ---- */

static size_t longest(const struct row *r)
{
	size_t n = 0;
	for (size_t i = 0; i < r->nsides; i++)
		n = r->ntail[i] > n ? r->ntail[i] : n;
	return n;
}

/* Whether anything was cut. */
static int cut_prompt(struct row *r, size_t keep)
{
	if (r->nhead <= keep)
		return 0;
	r->head += r->nhead - keep; /* its end: what was asked last */
	r->nhead = keep;
	return 1;
}

static int cut_answer(struct row *r, size_t side, size_t keep, int end)
{
	if (r->ntail[side] <= keep)
		return 0;
	if (end)
		r->tail[side] += r->ntail[side] - keep;
	r->ntail[side] = keep;
	return 1;
}

/*
 * keep_start cuts answers at their end. keep_end cuts the shared prompt's beginning until the longer
 * answer fits, but for one id, from which the answer's first is predicted; then answers lose theirs.
 */
static int cut_total(struct row *r, size_t max, int *end_cut, struct err *e)
{
	int cut = 0;
	if (r->plan->keep_end) {
		size_t tail = longest(r);
		cut |= cut_prompt(r, tail + 1 < max ? max - tail : 1);
		if (r->nhead == max)
			return err_data(e, "--max-length %zu leaves no room for an answer", max);
		for (size_t i = 0; i < r->nsides; i++)
			cut |= cut_answer(r, i, max - r->nhead, 1);
		return cut;
	}
	if (r->nhead >= max)
		return err_data(e, "the prompt's %zu tokens fill --max-length %zu", r->nhead, max);
	for (size_t i = 0; i < r->nsides; i++)
		*end_cut |= cut_answer(r, i, max - r->nhead, 0);
	return cut | *end_cut;
}

static int limit(struct row *r, struct err *e)
{
	const struct row_plan *p = r->plan;
	int cut = 0, end_cut = 0;
	if (p->max_prompt)
		cut |= cut_prompt(r, p->max_prompt);
	for (size_t i = 0; p->max_completion && i < r->nsides; i++)
		end_cut |= cut_answer(r, i, p->max_completion, 0);
	if (p->max_length) {
		int rc = cut_total(r, p->max_length, &end_cut, e);
		if (rc < 0)
			return -1;
		cut |= rc;
	}
	r->cut += (uint64_t)(cut || end_cut);
	for (size_t i = 0; !end_cut && i < r->nsides; i++) {
		/* A template may end its turn with a newline after the stop token. */
		const uint32_t *end = r->tail[i] + r->ntail[i];
		int stop = row_rule_is_stop(&p->rule, end[-1]) ||
			   (r->ntail[i] > 1 && row_rule_is_stop(&p->rule, end[-2]));
		r->ends++;
		r->stops += (uint64_t)stop;
	}
	return 0;
}

/* ---- prompt and answers ---- */

static size_t agree(const struct encoding *a, const struct encoding *b)
{
	size_t n = a->n < b->n ? a->n : b->n, i = 0;
	while (i < n && a->ids[i] == b->ids[i])
		i++;
	return i;
}

static int encode_side(struct row *r, size_t i, const struct text *prompt,
	const struct text *answer, int templated, struct record *rec, struct err *e)
{
	char *both = arena_alloc(&rec->arena, prompt->len + answer->len + 1, 1);
	memcpy(both, prompt->s, prompt->len);
	memcpy(both + prompt->len, answer->s, answer->len);
	struct text t = {both, prompt->len + answer->len};
	encoding_reset(&r->side[i]);
	if (row_rule_encode_after(
		    &r->plan->rule, r->enc, &r->prompt, t.s, t.len, templated, &r->side[i], e) < 0)
		return -1;
	compare(r, &t, SPECIAL_AUTO, templated, &r->side[i]);
	row_rule_end(&r->plan->rule, templated, &r->side[i]);
	return 0;
}

/* Where the prompt's own ids and those with each answer begin to differ. */
static int encode_together(struct row *r, struct record *rec, const struct text *prompt,
	const struct text *answers, int templated, struct err *e)
{
	if (encode(r, prompt, SPECIAL_AUTO, templated, &r->prompt, e) < 0)
		return -1;
	size_t split = r->prompt.n;
	for (size_t i = 0; i < r->nsides; i++) {
		if (encode_side(r, i, prompt, &answers[i], templated, rec, e) < 0)
			return -1;
		size_t n = agree(&r->prompt, &r->side[i]);
		split = n < split ? n : split;
	}
	r->seams += split < r->prompt.n;
	r->nhead = split;
	for (size_t i = 0; i < r->nsides; i++) {
		r->tail[i] = r->side[i].ids + split;
		r->ntail[i] = r->side[i].n - split;
	}
	return 0;
}

/* Each text by itself, nothing added; but EOS goes behind every answer that no template made. */
static int encode_apart(struct row *r, const struct text *prompt, const struct text *answers,
	int templated, struct err *e)
{
	const struct row_rule *rule = &r->plan->rule;
	if (encode(r, prompt, SPECIAL_AUTO, 1, &r->prompt, e) < 0)
		return -1;
	r->nhead = r->prompt.n;
	for (size_t i = 0; i < r->nsides; i++) {
		if (encode(r, &answers[i], SPECIAL_AUTO, 1, &r->side[i], e) < 0)
			return -1;
		if (!templated && rule->eos >= 0)
			encoding_add(&r->side[i], (uint32_t)rule->eos, 0, 0);
		r->tail[i] = r->side[i].ids;
		r->ntail[i] = r->side[i].n;
	}
	return 0;
}

static int encode_sides(struct row *r, struct record *rec, const struct text *prompt,
	const char *const *names, int templated, struct err *e)
{
	struct text answers[SIDES];
	for (size_t i = 0; i < r->nsides; i++) {
		int rc = get(rec, names[i], &answers[i], e);
		if (rc < 0)
			return -1;
		if (rc == 0)
			return err_data(e, "no '%s' beside '%s'", names[i], names[1 - i]);
		if (answers[i].len == 0)
			return err_data(e, "'%s' is empty", names[i]);
	}
	if ((r->plan->classic && r->nsides == 2
			    ? encode_apart(r, prompt, answers, templated, e)
			    : encode_together(r, rec, prompt, answers, templated, e)) < 0)
		return -1;
	r->head = r->prompt.ids;
	for (size_t i = 0; i < r->nsides; i++)
		if (r->ntail[i] == 0)
			return err_data(e, "'%s' adds no token to the prompt", names[i]);
	return limit(r, e);
}

static void drop_text(const struct row *r, struct record *rec)
{
	static const char *const text[] = {
		"prompt", "chosen", "rejected", "completion", "text", "spans", "_templated"};
	for (size_t i = 0; !r->plan->keep && i < sizeof text / sizeof *text; i++)
		record_remove(rec, text[i]);
}

static int encode_pair(
	struct row *r, struct record *rec, const struct text *prompt, int templated, struct err *e)
{
	static const char *const names[] = {"chosen", "rejected"};
	r->nsides = 2;
	if (encode_sides(r, rec, prompt, names, templated, e) < 0)
		return -1;
	drop_text(r, rec);
	record_set_u32s(rec, "prompt_ids", r->head, r->nhead);
	record_set_u32s(rec, "chosen_ids", r->tail[0], r->ntail[0]);
	record_set_u32s(rec, "rejected_ids", r->tail[1], r->ntail[1]);
	return 0;
}

static uint8_t *new_mask(struct row *r, size_t n, int value)
{
	mem_grow(&r->mask, &r->cap_mask, n + 1, 1);
	memset(r->mask, value, n);
	return r->mask;
}

static int encode_completion(
	struct row *r, struct record *rec, const struct text *prompt, int templated, struct err *e)
{
	static const char *const names[] = {"completion", "prompt"};
	r->nsides = 1;
	if (encode_sides(r, rec, prompt, names, templated, e) < 0)
		return -1;
	drop_text(r, rec);
	if (!r->plan->train_prompt) {
		record_set_u32s(rec, "prompt_ids", r->head, r->nhead);
		record_set_u32s(rec, "completion_ids", r->tail[0], r->ntail[0]);
		return 0;
	}
	size_t n = r->nhead + r->ntail[0];
	uint32_t *ids = arena_alloc(&rec->arena, n, sizeof *ids);
	memcpy(ids, r->head, r->nhead * sizeof *ids);
	memcpy(ids + r->nhead, r->tail[0], r->ntail[0] * sizeof *ids);
	r->nsides = 0;
	r->head = ids;
	r->nhead = n;
	record_set_u32s(rec, "input_ids", ids, n);
	record_set_bytes(rec, "completion_mask", new_mask(r, n, 1), n);
	return 0;
}

static int encode_prompt(
	struct row *r, struct record *rec, const struct text *prompt, int templated, struct err *e)
{
	if (encode(r, prompt, SPECIAL_AUTO, templated, &r->prompt, e) < 0)
		return -1;
	r->nsides = 0;
	r->head = r->prompt.ids;
	r->nhead = r->prompt.n;
	new_mask(r, r->nhead, 0);
	if (r->nhead == 0)
		return err_data(e, "'prompt' is empty");
	if (limit(r, e) < 0)
		return -1;
	drop_text(r, rec);
	record_set_u32s(rec, "prompt_ids", r->head, r->nhead);
	return 0;
}

/* ---- text rows ---- */

/* Tokens that share a byte with [from, to): where the tokenizer trims offsets, those of blanks are
 * empty and stand where the blanks end. */
static int in_span(const uint32_t at[2], size_t from, size_t to)
{
	return at[1] > from && (at[0] < to || (at[0] == to && at[1] == to));
}

/* A token is the assistant's when it shares a byte with a span: transformers marks from the token of
 * the span's first character to that of its last. EOS that was added is, when a span reaches it. */
static int mask_spans(struct row *r, struct record *rec, size_t len, int ended, struct err *e)
{
	struct err none = {0};
	json_t *spans = record_json(rec, "spans", &none);
	if (none.status) {
		*e = none;
		return -1;
	}
	if (!spans)
		return err_data(e,
			"no 'spans' to tell the assistant's words: the chat template marks "
			"none");
	int rc = json_is_array(spans) ? 0 : -1;
	size_t token = 0;
	long last = 0;
	for (size_t i = 0; rc == 0 && i < json_array_size(spans); i++) {
		json_t *s = json_array_get(spans, i);
		json_t *a = json_array_get(s, 0), *b = json_array_get(s, 1);
		long from = (long)json_integer_value(a), to = (long)json_integer_value(b);
		if (json_array_size(s) != 2 || !json_is_integer(a) || !json_is_integer(b) ||
			from < last || to < from || (size_t)to > len) {
			rc = -1;
			break;
		}
		last = to;
		while (token < r->prompt.n && r->prompt.offsets[token][1] <= (size_t)from)
			token++;
		for (size_t t = token; t < r->prompt.n && r->prompt.offsets[t][0] <= (size_t)to;
			t++)
			r->mask[t] |=
				(uint8_t)in_span(r->prompt.offsets[t], (size_t)from, (size_t)to);
	}
	if (ended && rc == 0 && len && (size_t)last == len)
		r->mask[r->prompt.n - 1] = 1;
	json_decref(spans);
	return rc == 0 ? 0
		       : err_data(e, "'spans' are not ascending [from, to] pairs within the text");
}

static int any(const uint8_t *mask, size_t n)
{
	return memchr(mask, 1, n) != NULL;
}

static int encode_text(
	struct row *r, struct record *rec, const struct text *text, int templated, struct err *e)
{
	const struct row_plan *p = r->plan;
	struct encoding *enc = &r->prompt;
	if (encode(r, text, p->special, templated, enc, e) < 0)
		return -1;
	size_t n = enc->n;
	if (p->special == SPECIAL_AUTO)
		row_rule_end(&p->rule, templated, enc);
	new_mask(r, enc->n, !p->assistant_only);
	if (p->assistant_only && mask_spans(r, rec, text->len, enc->n > n, e) < 0)
		return -1;
	r->nsides = 0;
	r->head = enc->ids;
	r->nhead = enc->n;
	size_t from = 0;
	if (p->max_length && enc->n > p->max_length) {
		from = p->keep_end ? enc->n - p->max_length : 0;
		r->head += from;
		r->nhead = p->max_length;
		r->cut++;
	}
	memmove(r->mask, r->mask + from, r->nhead);
	/* Encoding what the library would encode may well give nothing. */
	if (p->special == SPECIAL_AUTO && !any(r->mask, r->nhead))
		return err_data(e, r->nhead ? "no token to train on" : "'text' is empty");
	drop_text(r, rec);
	record_set_u32s(rec, "input_ids", r->head, r->nhead);
	record_set_bytes(rec, "completion_mask", r->mask, r->nhead);
	return 0;
}

int row_encode(struct row *r, struct record *rec, struct err *e)
{
	struct text prompt = {"", 0}, other;
	int templated = 0;
	if (record_bool(rec, "_templated", &templated, e) < 0)
		return -1;
	r->rows++;
	r->differs = 0;
	int has_text = get(rec, "text", &other, e);
	if (has_text < 0)
		return -1;
	if (has_text)
		return encode_text(r, rec, &other, templated, e);
	int has_prompt = get(rec, "prompt", &prompt, e);
	if (has_prompt < 0)
		return -1;
	if (record_get(rec, "chosen") || record_get(rec, "rejected"))
		return encode_pair(r, rec, &prompt, templated, e);
	if (record_get(rec, "completion"))
		return encode_completion(r, rec, &prompt, templated, e);
	if (has_prompt)
		return encode_prompt(r, rec, &prompt, templated, e);
	return err_data(e, "nothing to encode: no 'text', 'prompt', 'chosen' or 'completion'");
}

int row_decode(struct row *r, struct record *rec, struct err *e)
{
	const uint32_t *ids;
	size_t n;
	int rc = record_u32s(rec, "input_ids", &ids, &n, e);
	if (rc == 0)
		return err_data(e, "no 'input_ids' to decode");
	if (rc < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		size_t len;
		if (!tokenizer_token(r->plan->t, ids[i], &len))
			return err_data(e, "id %u is no token of this tokenizer", ids[i]);
	}
	struct str text = {0};
	rc = tokenizer_decode(r->enc, ids, n, 0, &text, e);
	if (rc == 0) {
		if (!r->plan->keep) {
			record_remove(rec, "input_ids");
			record_remove(rec, "completion_mask");
		}
		record_set_str(rec, "text", text.s ? text.s : "", text.len);
		r->rows++;
	}
	str_done(&text);
	return rc;
}
