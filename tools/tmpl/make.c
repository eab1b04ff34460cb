/*
 * Prompt and answer of a conversation. The prompt is the conversation up to the answer, rendered with
 * the generation prompt; the whole is rendered too, and must begin with it: the answer is the rest.
 * Some templates write something into the generation prompt that a finished turn does not have (an
 * opening tag of reasoning): there the prompt ends where the two part, counted and said. A template
 * that writes earlier turns differently once later ones exist is an error: no boundary would be right.
 */
#include "tools/tmpl/make.h"

#include "common/field.h"
#include "common/json.h"
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
	chat_free(m->chat);
}

static void set_text(struct record *out, const char *key, const struct str *s, size_t from)
{
	record_set_str(out, key, s->s ? s->s + from : "", s->len - from);
}

static void set_json_text(struct record *out, const char *key, const json_t *s)
{
	record_set_str(out, key, json_string_value(s), json_string_length(s));
}

static size_t common_prefix(const struct str *a, const struct str *b)
{
	size_t n = a->len < b->len ? a->len : b->len, i = 0;
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
	if (json_array_size(s->prompt) &&
		chat_render(m->chat, s->prompt, NULL, x, CHAT_WHOLE, &m->turn, NULL, e) < 0)
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

static int make_answers(struct maker *m, const struct shape_row *s, const struct chat_extra *x,
	struct record *out, struct err *e)
{
	const char *const *names = s->nanswers == 2 ? pair_names : one_name;
	enum chat_end end = m->plan->continue_final ? CHAT_CONTINUE : CHAT_PROMPT;
	str_reset(&m->head);
	if (json_array_size(s->prompt) &&
		chat_render(m->chat, s->prompt, NULL, x, end, &m->head, NULL, e) < 0)
		return err_prefix(e, "'prompt'");
	for (size_t i = 0; i < s->nanswers; i++) {
		str_reset(&m->full[i]);
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

/*
 * The assistant's words where the template does not mark them: a turn is what rendering up to and with
 * it adds to rendering up to it with the generation prompt, proved when each is a prefix of the next
 * and of the whole, which is in m->full[0]. 1 proved, 0 not, -1.
 */
static int prove_spans(struct maker *m, const json_t *messages, const struct chat_extra *x)
{
	struct err e = {0};
	json_t *so_far = json_array();
	int rc = 1;
	m->spans.n = 0;
	for (size_t i = 0; rc == 1 && i < json_array_size(messages); i++) {
		json_t *msg = json_array_get(messages, i);
		const char *role = json_string_value(json_object_get(msg, "role"));
		int spoken = !strcmp(role, "assistant");
		str_reset(&m->head);
		if (spoken && json_array_size(so_far) &&
			chat_render(m->chat, so_far, NULL, x, CHAT_PROMPT, &m->head, NULL, &e) < 0)
			rc = 0;
		json_array_append(so_far, msg);
		if (!spoken || !rc)
			continue;
		str_reset(&m->turn);
		if (chat_render(m->chat, so_far, NULL, x, CHAT_WHOLE, &m->turn, NULL, &e) < 0 ||
			!m->head.len || !begins(&m->turn, &m->head) ||
			!begins(&m->full[0], &m->turn))
			rc = 0;
		else
			add_span(&m->spans, m->head.len, m->turn.len);
	}
	json_decref(so_far);
	return rc;
}

static void set_spans(struct record *out, const struct jinja_spans *spans)
{
	struct err none = {0};
	json_t *list = json_array();
	for (size_t i = 0; i < spans->n; i++)
		json_array_append_new(list, json_pack("[I, I]", (json_int_t)spans->v[i].from,
						    (json_int_t)spans->v[i].to));
	record_set_json(out, "spans", list, &none); /* not deep: cannot fail */
	json_decref(list);
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
	if (chat_render(m->chat, s->prompt, NULL, x, end, &m->full[0], marked ? &m->spans : NULL,
		    e) < 0)
		return err_prefix(e, "'messages'");
	set_text(out, "text", &m->full[0], 0);
	if (marked || prove_spans(m, s->prompt, x))
		set_spans(out, &m->spans);
	else
		m->unproved++;
	return 0;
}

static int make_prompt(struct maker *m, const struct shape_row *s, const struct chat_extra *x,
	struct record *out, struct err *e)
{
	str_reset(&m->head);
	if (chat_render(m->chat, s->prompt, NULL, x,
		    m->plan->continue_final ? CHAT_CONTINUE : CHAT_PROMPT, &m->head, NULL, e) < 0)
		return err_prefix(e, "'prompt'");
	set_text(out, "prompt", &m->head, 0);
	return 0;
}

/* ---- rows ---- */

static int make_chat(struct maker *m, const struct shape_row *s, const json_t *row,
	struct record *out, struct err *e)
{
	if (!m->plan->templ->plain)
		return err_data(e,
			"lists of messages need a chat template and the model has none: give "
			"one with --chat-template (chatml, or a file)");
	json_t *tools = json_object_get(row, "tools"), *parsed = NULL;
	if (json_is_string(tools)) {
		tools = parsed =
			json_read_bytes(json_string_value(tools), json_string_length(tools), e);
		if (!parsed)
			return err_prefix(e, "'tools'");
	}
	struct chat_extra x = {tools, json_object_get(row, "chat_template_kwargs")};
	int rc = s->nanswers		      ? make_answers(m, s, &x, out, e)
		 : s->shape == SHAPE_MESSAGES ? make_conversation(m, s, &x, out, e)
					      : make_prompt(m, s, &x, out, e);
	json_decref(parsed);
	if (rc < 0)
		return -1;
	record_set_bool(out, "_templated", 1);
	return 0;
}

static void make_plain(struct maker *m, const struct shape_row *s, struct record *out)
{
	const char *const *names = s->nanswers == 2 ? pair_names : one_name;
	set_json_text(out, s->shape == SHAPE_TEXT ? "text" : "prompt", s->prompt);
	for (size_t i = 0; i < s->nanswers; i++)
		set_json_text(out, names[i], s->answer[i]);
	m->plain++;
}

/* The columns that the row's shape does not take go along. */
static int pass_columns(const struct maker *m, const struct shape_row *s, const json_t *row,
	struct record *out, struct err *e)
{
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)row, key, v)
	{
		int chat_only = !strcmp(key, "tools") || !strcmp(key, "chat_template_kwargs");
		int label = s->shape == SHAPE_COMPLETION && !strcmp(key, "label");
		int replaced = shape_uses(s, key) || (s->chat && chat_only);
		int own_name = chat_only || !strcmp(key, "messages"); /* not a field's */
		if (replaced && !label && !(own_name && m->plan->keep))
			continue;
		int reserved = !label && field_reserved(key, strlen(key), 1 << KIND_TEXT);
		if (reserved && json_is_null(v))
			continue;
		if (reserved)
			return err_data(e,
				"column '%s' has a name that means something in the stream: "
				"rename it first (jq -c '.my_%s = .%s | del(.%s)')",
				key, key, key, key);
		if (record_set_json(out, key, v, e) < 0)
			return -1;
	}
	return 0;
}

/* --map: the column takes the field's name, in place of what had it. */
static int rename_columns(const struct make_plan *p, json_t *row, struct err *e)
{
	for (size_t i = 0; i < p->nmaps; i++) {
		json_t *v = json_object_get(row, p->maps[i].column);
		if (!v)
			return err_data(e, "no column '%s' (--map %s=%s)", p->maps[i].column,
				p->maps[i].field, p->maps[i].column);
		json_incref(v);
		json_object_del(row, p->maps[i].column);
		json_object_set_new(row, p->maps[i].field, v);
	}
	return 0;
}

static int make(struct maker *m, json_t *row, struct record *out, struct err *e)
{
	struct shape_row s;
	if (rename_columns(m->plan, row, e) < 0 ||
		shape_find(&s, row, m->plan->type, m->plan->as_messages, e) < 0)
		return -1;
	m->shape = s.shape;
	m->how = s.how;
	m->templated = s.chat;
	int rc = 0;
	if (s.chat)
		rc = make_chat(m, &s, row, out, e);
	else
		make_plain(m, &s, out);
	if (rc == 0)
		rc = pass_columns(m, &s, row, out, e);
	shape_done(&s);
	m->rows++;
	return rc;
}

/* The record of a row that cannot be used, for the rejects: its columns as they were. */
static void show_columns(struct record *in, const json_t *row)
{
	const char *key;
	json_t *v;
	struct err none = {0};
	record_remove(in, ROW_FIELD);
	json_object_foreach((json_t *)row, key, v)
	{
		if (key[0] != '_' && strcmp(key, "sluice"))
			record_set_json(in, key, v, &none); /* too deep: left out */
	}
}

int maker_make(struct maker *m, struct record *in, struct record *out, struct err *e)
{
	const char *text, *source;
	size_t len, nsource;
	if (record_str(in, "_source", &source, &nsource, e) != 1)
		return -1;
	if (record_str(in, ROW_FIELD, &text, &len, e) != 1)
		return err_data(e, "the row is not valid UTF-8");
	json_t *row = json_read_bytes(text, len, e);
	if (!row)
		return -1;
	int rc = json_is_object(row) ? make(m, row, out, e) : err_data(e, "is not a JSON object");
	if (rc < 0)
		show_columns(in, row);
	else
		record_set_str(out, "_source", source, nsource);
	json_decref(row);
	return rc;
}
