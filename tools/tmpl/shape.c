/* The forms in which datasets come, and what each kind of example takes from one. */
#include "tools/tmpl/shape_int.h"

#include "common/str.h"

#include <string.h>

static const char *const shape_names[] = {
	[SHAPE_AUTO] = "auto",
	[SHAPE_PREFERENCE] = "preference",
	[SHAPE_UNPAIRED] = "unpaired",
	[SHAPE_COMPLETION] = "prompt-completion",
	[SHAPE_MESSAGES] = "messages",
	[SHAPE_TEXT] = "text",
	[SHAPE_PROMPT] = "prompt",
};
enum { NSHAPES = sizeof shape_names / sizeof *shape_names };

int shape_by_name(const char *name)
{
	for (int i = 0; i < NSHAPES; i++)
		if (!strcmp(shape_names[i], name))
			return i;
	return -1;
}

const char *shape_name(enum shape s)
{
	return shape_names[s];
}

/* ---- forms ---- */

static int is_prompt_alone(const struct reader *r)
{
	static const char *const answers[] = {
		"chosen", "rejected", "completion", "completions", "responses"};
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
		if (shape_has(r, answers[i]))
			return 0;
	return 1;
}

/* The first that has the columns is the row's. */
static const struct form {
	enum shape kind; /* what it is by itself; completions with a label are unpaired */
	const char *needs[2];
	int (*fits)(const struct reader *r); /* further conditions, or NULL */
	int (*read)(struct reader *r, struct err *e);
} forms[] = {
	{SHAPE_PREFERENCE, {"chosen"}, NULL, shape_read_chosen},
	{SHAPE_PREFERENCE, {"rejected"}, NULL, shape_read_chosen},
	{SHAPE_PREFERENCE, {"chosen_messages", "rejected_messages"}, NULL,
		shape_read_chosen_messages},
	{SHAPE_PREFERENCE, {"chosen_response", "rejected_response"}, NULL,
		shape_read_chosen_response},
	{SHAPE_PREFERENCE, {"response_j", "response_k"}, NULL, shape_read_response_jk},
	{SHAPE_PREFERENCE, {"response_0", "better_response_id"}, NULL, shape_read_response_01},
	{SHAPE_PREFERENCE, {"human_ref_A", "labels"}, NULL, shape_read_human_ref},
	{SHAPE_PREFERENCE, {0}, shape_is_ranked, shape_read_ranked},
	{SHAPE_COMPLETION, {"completion"}, NULL, shape_read_completion},
	{SHAPE_MESSAGES, {"messages"}, NULL, shape_read_conversation},
	{SHAPE_MESSAGES, {"conversations"}, NULL, shape_read_conversation},
	{SHAPE_MESSAGES, {"conversation"}, NULL, shape_read_conversation},
	{SHAPE_COMPLETION, {"instruction", "output"}, NULL, shape_read_instruction},
	{SHAPE_COMPLETION, {"instruction", "response"}, NULL, shape_read_instruction},
	{SHAPE_COMPLETION, {"instruction", "answer"}, NULL, shape_read_instruction},
	{SHAPE_COMPLETION, {"question", "answer"}, NULL, shape_read_instruction},
	{SHAPE_COMPLETION, {"question", "output"}, NULL, shape_read_instruction},
	{SHAPE_COMPLETION, {"question", "response"}, NULL, shape_read_instruction},
	{SHAPE_COMPLETION, {"query", "response"}, NULL, shape_read_instruction},
	{SHAPE_COMPLETION, {"query", "output"}, NULL, shape_read_instruction},
	{SHAPE_COMPLETION, {"query", "answer"}, NULL, shape_read_instruction},
	{SHAPE_COMPLETION, {"prompt", "response"}, NULL, shape_read_instruction},
	{SHAPE_TEXT, {"text"}, NULL, shape_read_text},
	{SHAPE_PROMPT, {"turns"}, NULL, shape_read_turns},
	{SHAPE_PROMPT, {"prompt"}, is_prompt_alone, shape_read_prompt},
	{SHAPE_PROMPT, {"instruction"}, is_prompt_alone, shape_read_prompt},
	{SHAPE_PROMPT, {"question"}, is_prompt_alone, shape_read_prompt},
	{SHAPE_PROMPT, {"query"}, is_prompt_alone, shape_read_prompt},
};

#define BIT(shape) (1u << (shape))

/* What a form of one kind can give, itself included. */
static const unsigned gives[NSHAPES] = {
	[SHAPE_PREFERENCE] = BIT(SHAPE_PREFERENCE) | BIT(SHAPE_UNPAIRED) | BIT(SHAPE_COMPLETION) |
			     BIT(SHAPE_MESSAGES) | BIT(SHAPE_PROMPT),
	[SHAPE_COMPLETION] = BIT(SHAPE_COMPLETION) | BIT(SHAPE_UNPAIRED) | BIT(SHAPE_MESSAGES) |
			     BIT(SHAPE_PROMPT),
	[SHAPE_MESSAGES] = BIT(SHAPE_MESSAGES) | BIT(SHAPE_COMPLETION) | BIT(SHAPE_UNPAIRED) |
			   BIT(SHAPE_PROMPT),
	[SHAPE_TEXT] = BIT(SHAPE_TEXT),
	[SHAPE_PROMPT] = BIT(SHAPE_PROMPT),
};

static int fits(const struct form *f, const struct reader *r)
{
	for (size_t k = 0; k < 2 && f->needs[k]; k++)
		if (!shape_has(r, f->needs[k]))
			return 0;
	return !f->fits || f->fits(r);
}

/* A form of the wanted kind before one that can be made into it. */
static const struct form *choose(const struct reader *r, enum shape want)
{
	const struct form *other = NULL;
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		const struct form *f = &forms[i];
		if (!fits(f, r))
			continue;
		if (want == SHAPE_AUTO || f->kind == want)
			return f;
		if (!other && (gives[f->kind] & BIT(want)))
			other = f;
	}
	return other;
}

static int no_form(const struct reader *r, struct err *e)
{
	struct str names = {0};
	for (size_t i = 0; i < jv_dict_len(r->row) && names.len < 400; i++) {
		struct jv key, value;
		jv_dict_at(r->row, i, &key, &value);
		str_addf(&names, " %.*s", value_head(key, 60), key.u.s);
	}
	if (r->want->type == SHAPE_AUTO)
		err_data(e,
			"not a row that is known: its columns are%s; wanted are prompt, chosen, "
			"rejected; prompt, completion; messages; text; a prompt alone, or their "
			"like (--map FIELD=COLUMN renames)",
			names.s ? names.s : " none");
	else
		err_data(e, "no %s row can be made of the columns%s (--map FIELD=COLUMN renames)",
			shape_name(r->want->type), names.s ? names.s : ": there are none");
	str_done(&names);
	return -1;
}

/* ---- examples ---- */

static struct shape_row *add(struct reader *r, enum shape shape)
{
	struct shape_list *l = r->list;
	mem_grow(&l->v, &l->cap, l->n + 1, sizeof *l->v);
	struct shape_row *s = &l->v[l->n++];
	*s = (struct shape_row){
		.shape = shape, .chat = r->c.chat, .prompt = r->c.prompt, .label = -1};
	return s;
}

static void add_pair(struct reader *r, const struct answer *better, const struct answer *worse)
{
	struct shape_row *s = add(r, SHAPE_PREFERENCE);
	s->answer[0] = better->v;
	s->answer[1] = worse->v;
	s->nanswers = 2;
}

static void add_completion(struct reader *r, enum shape shape, struct jv answer, int label)
{
	struct shape_row *s = add(r, shape);
	s->answer[0] = answer;
	s->nanswers = 1;
	s->label = label;
}

static int add_pairs(struct reader *r, struct err *e)
{
	const struct answer *a = r->c.answer;
	size_t n = r->c.n;
	if (n < 2)
		return err_data(e, "one answer is no pair");
	if (!(a[0].score > a[n - 1].score))
		return err_data(e, "no answer is better than another");
	if (!r->want->all_pairs) {
		add_pair(r, &a[0], &a[n - 1]);
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n; k++)
			if (a[i].score > a[k].score)
				add_pair(r, &a[i], &a[k]);
	return 0;
}

/* A pair's halves, or those of a ranked list: the best are wanted, the others not. */
static int add_halves(struct reader *r, struct err *e)
{
	const struct answer *a = r->c.answer;
	size_t n = r->c.n, step = r->want->all_pairs ? 1 : n - 1;
	if (n == 1 && r->c.label < 0)
		return err_data(e, "no 'label' in the row");
	if (n == 1) {
		add_completion(r, SHAPE_UNPAIRED, a[0].v, r->c.label);
		return 0;
	}
	if (!(a[0].score > a[n - 1].score))
		return err_data(e, "no answer is better than another");
	for (size_t i = 0; i < n; i += step)
		add_completion(r, SHAPE_UNPAIRED, a[i].v, !(a[i].score < a[0].score));
	return 0;
}

/* A whole conversation becomes the prompt and its last answer. */
static int split_answer(struct reader *r, struct err *e)
{
	struct content *c = &r->c;
	size_t n = jv_list_len(c->prompt);
	if (n < 2 || !messages_role_is(c->prompt, n - 1, "assistant"))
		return err_data(
			e, "the conversation does not end with an answer of the assistant's");
	shape_answer(r, value_slice(r->arena, c->prompt, n - 1, n), 0);
	c->prompt = value_slice(r->arena, c->prompt, 0, n - 1);
	c->whole = 0;
	return 0;
}

static int add_conversation(struct reader *r, struct err *e)
{
	struct content *c = &r->c;
	if (!c->chat)
		return err_data(e, "prompt and answer are plain strings: --as-messages makes "
				   "messages of them");
	struct jv all = c->whole ? c->prompt : messages_join(r->arena, c->prompt, c->answer[0].v);
	add(r, SHAPE_MESSAGES)->prompt = all;
	return 0;
}

/* The prompt alone; of a conversation what stands before the answer. */
static int add_prompt(struct reader *r, struct err *e)
{
	struct content *c = &r->c;
	size_t n = c->whole ? jv_list_len(c->prompt) : 0;
	if (n > 1 && messages_role_is(c->prompt, n - 1, "assistant"))
		c->prompt = value_slice(r->arena, c->prompt, 0, n - 1);
	if (c->chat && !jv_list_len(c->prompt))
		return err_data(e, "the row has no prompt");
	add(r, SHAPE_PROMPT);
	return 0;
}

static enum shape natural(const struct content *c)
{
	if (c->n > 1)
		return SHAPE_PREFERENCE;
	if (c->label >= 0)
		return SHAPE_UNPAIRED;
	if (c->n == 1)
		return SHAPE_COMPLETION;
	return !c->whole ? SHAPE_PROMPT : c->chat ? SHAPE_MESSAGES : SHAPE_TEXT;
}

static int make(struct reader *r, struct err *e)
{
	enum shape want = r->want->type == SHAPE_AUTO ? natural(&r->c) : r->want->type;
	if (r->c.whole && (want == SHAPE_UNPAIRED || want == SHAPE_COMPLETION) &&
		split_answer(r, e) < 0)
		return -1;
	switch (want) {
	case SHAPE_PREFERENCE:
		return add_pairs(r, e);
	case SHAPE_UNPAIRED:
		return add_halves(r, e);
	case SHAPE_COMPLETION:
		add_completion(r, SHAPE_COMPLETION, r->c.answer[0].v, r->c.label);
		return 0;
	case SHAPE_MESSAGES:
		return add_conversation(r, e);
	case SHAPE_PROMPT:
		return add_prompt(r, e);
	default:
		add(r, SHAPE_TEXT);
		return 0;
	}
}

int shape_read(struct shape_list *l, struct arena *a, struct jv row, const struct shape_want *want,
	struct err *e)
{
	struct reader r = {.arena = a, .row = row, .want = want, .list = l, .c = {.label = -1}};
	l->n = l->ntaken = 0;
	const struct form *f = choose(&r, want->type);
	if (!f)
		return no_form(&r, e);
	r.needs = f->needs;
	if (f->read(&r, e) < 0)
		return -1;
	if (want->as_messages && f->kind != SHAPE_TEXT && shape_make_messages(&r, e) < 0)
		return -1;
	shape_add_system(&r);
	return make(&r, e);
}

int shape_takes(const struct shape_list *l, struct jv column)
{
	for (size_t i = 0; i < l->ntaken; i++)
		if (value_is(column, l->taken[i]))
			return 1;
	return 0;
}

void shape_list_done(struct shape_list *l)
{
	mem_free(l->v);
	*l = (struct shape_list){0};
}
