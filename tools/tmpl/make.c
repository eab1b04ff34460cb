/*
 * Prompt and answer of a conversation. The prompt is the conversation up to the answer, rendered with
 * the generation prompt; the whole is rendered too, and must begin with it: the answer is the rest.
 * Some templates write something into the generation prompt that a finished turn does not have (an
 * opening tag of reasoning): there the prompt ends where the two part, counted and said. A template
 * that writes earlier turns differently once later ones exist is an error: no boundary would be right.
 */
#include "tools/tmpl/make.h"

#include "common/field.h"
#include "common/stream.h"
#include "tools/tmpl/rows.h"

#include <string.h>

void maker_init(struct maker *m, const struct make_plan *plan)
{
	*m = (struct maker){.plan = plan, .chat = chat_new(plan->templ)};
}

void maker_done(struct maker *m)
{
	str_done(&m->head);
	str_done(&m->full[0]);
	str_done(&m->full[1]);
	str_done(&m->turn);
	mem_free(m->spans.v);
	shape_list_done(&m->list);
	arena_done(&m->arena);
	chat_free(m->chat);
}

static void set_text(struct record *out, const char *key, const struct str *s, size_t from)
{
	record_set_str(out, key, s->s ? s->s + from : "", s->len - from);
}

static const struct jv nothing = {.type = JV_MISSING};

static size_t common_prefix(const struct str *a, const struct str *b)
{
	enum { BLOCK = 32 };
	size_t n = a->len < b->len ? a->len : b->len, i = 0;
	while (n - i >= BLOCK && !memcmp(a->s + i, b->s + i, BLOCK))
		i += BLOCK;
	while (i < n && a->s[i] == b->s[i])
		i++;
	while (i > 0 && i < a->len && (a->s[i] & 0xc0) == 0x80)
		i--;
	return i;
}

static int begins(const struct str *text, const struct str *with)
{
	return text->len >= with->len && (!with->len || !memcmp(text->s, with->s, with->len));
}

/* ---- prompt and answers ---- */

static const char *const pair_names[] = {"chosen", "rejected"}, *const one_name[] = {"completion"};

/* Where the prompt ends in m->head, given the whole conversations in m->full. */
static int boundary(struct maker *m, const struct shape_row *s, const struct chat_extra *x,
	size_t *at, struct err *e)
{
	size_t split = m->head.len;
	for (size_t i = 0; i < s->nanswers; i++) {
		size_t n = common_prefix(&m->head, &m->full[i]);
		split = n < split ? n : split;
	}
	*at = split;
	if (split == m->head.len)
		return 0;
	/* They part: only within what the generation prompt adds is that no harm. */
	str_reset(&m->turn);
	if (jv_list_len(s->prompt) &&
		chat_render(m->chat, s->prompt, nothing, x, CHAT_WHOLE, &m->turn, NULL, e) < 0)
		return -1;
	if (m->plan->continue_final || !begins(&m->head, &m->turn) || split < m->turn.len)
		return err_data(e,
			"the chat template writes the prompt differently once an answer "
			"follows (they part at byte %zu of %zu): no boundary between them "
			"is right",
			split, m->head.len);
	m->parted++;
	return 0;
}

/*
 * Turns that are not to be trained on: weight 0 (OpenAI), loss_weight 0 (LLaMA-Factory), train false
 * (axolotl). 1, 0; -1: a weight between.
 */
static int is_muted(struct jv message, struct err *e)
{
	static const char *const names[] = {"weight", "loss_weight", "train"};
	int muted = 0;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct jv v = value_get(message, names[i]);
		double weight = v.type == JV_FLOAT ? v.u.f : (double)v.u.i;
		if (!value_given(v))
			continue;
		if (v.type != JV_FLOAT && v.type != JV_INT && v.type != JV_BOOL)
			return err_data(e, "'%s' is not a number", names[i]);
		if (weight != 0 && weight != 1)
			return err_data(e, "'%s' is %g: a turn is trained on or not (1 or 0)",
				names[i], weight);
		muted |= weight == 0;
	}
	return muted;
}

static int any_muted(struct jv messages, struct err *e)
{
	int any = 0;
	for (size_t i = 0; any >= 0 && i < jv_list_len(messages); i++) {
		struct jv m = jv_list_at(messages, i);
		int muted = value_is(value_get(m, "role"), "assistant") ? is_muted(m, e) : 0;
		any = muted < 0 ? -1 : any | muted;
	}
	return any;
}

static int make_answers(struct maker *m, const struct shape_row *s, const struct chat_extra *x,
	struct record *out, struct err *e)
{
	const char *const *names = s->nanswers == 2 ? pair_names : one_name;
	enum chat_end end = m->plan->continue_final ? CHAT_CONTINUE : CHAT_PROMPT;
	str_reset(&m->head);
	if (jv_list_len(s->prompt) &&
		chat_render(m->chat, s->prompt, nothing, x, end, &m->head, NULL, e) < 0)
		return err_prefix(e, "'prompt'");
	for (size_t i = 0; i < s->nanswers; i++) {
		str_reset(&m->full[i]);
		int muted = any_muted(s->answer[i], e);
		if (muted)
			return muted < 0 ? -1
					 : err_data(e,
						   "'%s' is not to be trained on: its weight is 0",
						   names[i]);
		if (chat_render(m->chat, s->prompt, s->answer[i], x, CHAT_WHOLE, &m->full[i], NULL,
			    e) < 0)
			return err_prefix(e, "'%s'", names[i]);
	}
	size_t at;
	if (boundary(m, s, x, &at, e) < 0)
		return -1;
	str_cut(&m->head, at);
	set_text(out, "prompt", &m->head, 0);
	for (size_t i = 0; i < s->nanswers; i++)
		set_text(out, names[i], &m->full[i], at);
	return 0;
}

/* ---- one conversation ---- */

static void add_span(struct jinja_spans *s, size_t from, size_t to)
{
	mem_grow(&s->v, &s->cap, s->n + 1, sizeof *s->v);
	s->v[s->n++] = (struct jinja_span){from, to};
}

/* Proofs render once a turn: what a conversation of 2000 messages takes, so that none takes for ever. */
#define PROOF_STEPS_MAX (5 * JINJA_STEPS_MAX)

/* 1, or 0: the template refuses, or the proof has taken too long. */
static int render_part(struct maker *m, struct jv part, const struct chat_extra *x,
	enum chat_end end, struct str *out, uint64_t *steps)
{
	struct err e = {0};
	str_reset(out);
	if (*steps > PROOF_STEPS_MAX ||
		chat_render(m->chat, part, nothing, x, end, out, NULL, &e) < 0)
		return 0;
	*steps += chat_steps(m->chat);
	return 1;
}

/*
 * The assistant's words where the template does not mark them: a turn is what rendering up to and with
 * it adds to rendering up to it with the generation prompt, proved when each is a prefix of the next
 * and of the text that was made, which is in m->full[0]; complete: that is the whole conversation. 1
 * proved, 0 not.
 */
static int prove_spans(
	struct maker *m, struct jv messages, const struct chat_extra *x, int complete)
{
	struct err e = {0};
	size_t n = jv_list_len(messages);
	struct jv so_far = jv_list(&m->arena, n);
	uint64_t steps = 0;
	m->spans.n = 0;
	for (size_t i = 0; i < n; i++) {
		struct jv msg = jv_list_at(messages, i);
		int spoken = value_is(value_get(msg, "role"), "assistant");
		struct str *turn = complete && i + 1 == n ? &m->full[0] : &m->turn;
		str_reset(&m->head);
		if (spoken && i > 0 && !render_part(m, so_far, x, CHAT_PROMPT, &m->head, &steps))
			return 0;
		jv_list_add(&m->arena, so_far, msg);
		if (!spoken)
			continue;
		if (turn == &m->turn && !render_part(m, so_far, x, CHAT_WHOLE, turn, &steps))
			return 0;
		if (!m->head.len || !begins(turn, &m->head) || !begins(&m->full[0], turn))
			return 0;
		if (!is_muted(msg, &e))
			add_span(&m->spans, m->head.len, turn->len);
	}
	return 1;
}

static void set_spans(struct maker *m, struct record *out)
{
	struct err none = {0};
	struct jv list = jv_list(&m->arena, m->spans.n);
	for (size_t i = 0; i < m->spans.n; i++) {
		struct jv span = jv_list(&m->arena, 2);
		jv_list_add(&m->arena, span, jv_int((int64_t)m->spans.v[i].from));
		jv_list_add(&m->arena, span, jv_int((int64_t)m->spans.v[i].to));
		jv_list_add(&m->arena, list, span);
	}
	value_set(out, "spans", list, &none); /* not deep: cannot fail */
}

static int make_conversation(struct maker *m, const struct shape_row *s, const struct chat_extra *x,
	struct record *out, struct err *e)
{
	int marked = chat_marks_generation(m->chat, x);
	enum chat_end end = m->plan->continue_final	     ? CHAT_CONTINUE
			    : m->plan->add_generation_prompt ? CHAT_PROMPT
							     : CHAT_WHOLE;
	str_reset(&m->full[0]);
	m->spans.n = 0;
	if (chat_render(m->chat, s->prompt, nothing, x, end, &m->full[0], marked ? &m->spans : NULL,
		    e) < 0)
		return err_prefix(e, "'messages'");
	set_text(out, "text", &m->full[0], 0);
	int muted = any_muted(s->prompt, e);
	if (muted < 0)
		return -1;
	if ((marked && !muted) || prove_spans(m, s->prompt, x, end == CHAT_WHOLE))
		set_spans(m, out);
	else if (muted)
		return err_data(e,
			"some turns are not to be trained on, and the chat template does "
			"not let them be told from the others");
	else
		m->unproved++;
	return 0;
}

static int make_prompt(struct maker *m, const struct shape_row *s, const struct chat_extra *x,
	struct record *out, struct err *e)
{
	str_reset(&m->head);
	if (chat_render(m->chat, s->prompt, nothing, x,
		    m->plan->continue_final ? CHAT_CONTINUE : CHAT_PROMPT, &m->head, NULL, e) < 0)
		return err_prefix(e, "'prompt'");
	set_text(out, "prompt", &m->head, 0);
	return 0;
}

/* ---- rows ---- */

/* A list or an object, perhaps as JSON text; "" and null are none. */
static int read_extra(struct maker *m, struct jv row, const char *column, enum jv_type type,
	struct jv *v, struct err *e)
{
	*v = value_get(row, column);
	if (v->type == JV_STR && v->len && value_parse(v, &m->arena, v->u.s, v->len, e) < 0)
		return err_prefix(e, "'%s'", column);
	if (!value_given(*v) || (v->type == JV_STR && !v->len))
		*v = nothing;
	else if (v->type != type)
		return err_data(
			e, "'%s' is not %s", column, type == JV_LIST ? "a list" : "an object");
	return 0;
}

static int make_chat(struct maker *m, const struct shape_row *s, struct jv row, struct record *out,
	struct err *e)
{
	if (!m->plan->templ->plain)
		return err_data(e,
			"lists of messages need a chat template and the model has none: give "
			"one with --chat-template (chatml, or a file)");
	struct chat_extra x;
	if (read_extra(m, row, "tools", JV_LIST, &x.tools, e) < 0 ||
		read_extra(m, row, "chat_template_kwargs", JV_DICT, &x.kwargs, e) < 0)
		return -1;
	int rc = s->nanswers		      ? make_answers(m, s, &x, out, e)
		 : s->shape == SHAPE_MESSAGES ? make_conversation(m, s, &x, out, e)
					      : make_prompt(m, s, &x, out, e);
	if (rc < 0)
		return -1;
	record_set_bool(out, "_templated", 1);
	return 0;
}

static void make_plain(const struct shape_row *s, struct record *out)
{
	const char *const *names = s->nanswers == 2 ? pair_names : one_name;
	record_set_str(
		out, s->shape == SHAPE_TEXT ? "text" : "prompt", s->prompt.u.s, s->prompt.len);
	for (size_t i = 0; i < s->nanswers; i++)
		record_set_str(out, names[i], s->answer[i].u.s, s->answer[i].len);
}

/* A column that the examples do not take goes along. */
static int pass_column(struct maker *m, const struct shape_row *s, struct jv key, struct jv v,
	struct record *out, struct err *e)
{
	const char *name = arena_strndup(&m->arena, key.u.s, key.len);
	int chat_only = !strcmp(name, "tools") || !strcmp(name, "chat_template_kwargs");
	int taken = shape_takes(&m->list, key) || (s->chat && chat_only);
	int reserved = field_reserved(name, key.len, 1 << KIND_TEXT);
	if (!strcmp(name, "__index_level_0__")) /* pandas' row number, not the user's */
		return 0;
	if ((taken && (reserved || !m->plan->keep)) || (reserved && v.type == JV_NONE))
		return 0;
	if (reserved)
		return err_data(e,
			"column '%s' has a name that means something in the stream: "
			"--map my_%s=%s renames it",
			name, name, name);
	return value_set(out, name, v, e);
}

static int pass_columns(struct maker *m, const struct shape_row *s, struct jv row,
	struct record *out, struct err *e)
{
	for (size_t i = 0; i < jv_dict_len(row); i++) {
		struct jv key, v;
		jv_dict_at(row, i, &key, &v);
		if (memchr(key.u.s, 0, key.len))
			return err_data(e, "a column's name with a NUL in it");
		if (pass_column(m, s, key, v, out, e) < 0)
			return -1;
	}
	return 0;
}

/* --map: the column takes the field's name, in place of what had it. */
static int rename_column(
	struct arena *a, struct jv *row, const struct column_map *map, struct err *e)
{
	struct jv column = value_get(*row, map->column), key, v, out;
	if (column.type == JV_MISSING)
		return err_data(
			e, "no column '%s' (--map %s=%s)", map->column, map->field, map->column);
	out = jv_dict(a, jv_dict_len(*row));
	for (size_t i = 0; i < jv_dict_len(*row); i++) {
		jv_dict_at(*row, i, &key, &v);
		if (!value_is(key, map->column))
			jv_dict_set(a, out, key, v);
	}
	value_put(a, out, map->field, column);
	*row = out;
	return 0;
}

static int make_example(struct maker *m, const struct shape_row *s, struct jv row,
	struct record *out, struct err *e)
{
	if (!s->chat)
		make_plain(s, out);
	else if (make_chat(m, s, row, out, e) < 0)
		return -1;
	if (s->label >= 0)
		record_set_bool(out, "label", s->label);
	return pass_columns(m, s, row, out, e);
}

void readings_add(struct readings *all, const struct reading *r)
{
	struct reading *at = all->v, *end = at + all->n;
	while (at < end &&
		(at->how != r->how || at->shape != r->shape || at->templated != r->templated))
		at++;
	if (at < end)
		at->rows += r->rows;
	else if (all->n < READINGS)
		all->v[all->n++] = *r;
}

static int make(struct maker *m, struct jv row, const char *source, size_t nsource,
	struct record *(*fresh)(void *arg), void *arg, struct err *e)
{
	for (size_t i = 0; i < m->plan->nmaps; i++)
		if (rename_column(&m->arena, &row, &m->plan->maps[i], e) < 0)
			return -1;
	if (shape_read(&m->list, &m->arena, row, &m->plan->want, e) < 0)
		return -1;
	uint64_t parted = m->parted, unproved = m->unproved;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < m->list.n; i++) {
		struct record *out = fresh(arg);
		rc = make_example(m, &m->list.v[i], row, out, e);
		record_set_str(out, "_source", source, nsource);
	}
	/* Rows are counted, not what is made of them. */
	m->parted = parted + (rc == 0 && m->parted > parted);
	m->unproved = unproved + (rc == 0 && m->unproved > unproved);
	if (rc < 0)
		return -1;
	m->rows++;
	const struct shape_row *s = &m->list.v[0];
	m->plain += !s->chat;
	m->last = (struct reading){s->shape, m->list.how, s->chat, 1};
	readings_add(&m->readings, &m->last);
	return 0;
}

/* The record of a row that cannot be used, for the rejects: its columns as they were. */
static void show_columns(struct arena *a, struct record *in, struct jv row)
{
	struct err none = {0};
	record_remove(in, ROW_FIELD);
	for (size_t i = 0; row.type == JV_DICT && i < jv_dict_len(row); i++) {
		struct jv key, v;
		jv_dict_at(row, i, &key, &v);
		int own = (key.len && key.u.s[0] == '_') || value_is(key, STREAM_KEY);
		if (!own && !memchr(key.u.s, 0, key.len)) /* too deep: left out */
			value_set(in, arena_strndup(a, key.u.s, key.len), v, &none);
	}
}

int maker_make(struct maker *m, struct record *in, struct record *(*fresh)(void *arg), void *arg,
	struct err *e)
{
	const char *text, *source;
	struct jv row;
	size_t len, nsource;
	if (record_str(in, "_source", &source, &nsource, e) != 1)
		return -1;
	if (record_str(in, ROW_FIELD, &text, &len, e) != 1)
		return err_data(e, "the row is not valid UTF-8");
	arena_reset(&m->arena);
	if (value_parse(&row, &m->arena, text, len, e) < 0)
		return -1;
	int rc = row.type == JV_DICT ? make(m, row, source, nsource, fresh, arg, e)
				     : err_data(e, "is not a JSON object");
	if (rc < 0)
		show_columns(&m->arena, in, row);
	return rc;
}
