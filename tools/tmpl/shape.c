#include "tools/tmpl/shape.h"

#include <string.h>

static const struct {
	const char *name;
	enum shape shape;
	const char *columns[3]; /* that the shape takes */
} shapes[] = {
	{"auto", SHAPE_AUTO, {0}},
	{"preference", SHAPE_PREFERENCE, {"prompt", "chosen", "rejected"}},
	{"prompt-completion", SHAPE_COMPLETION, {"prompt", "completion"}},
	{"unpaired", SHAPE_COMPLETION, {"prompt", "completion"}},
	{"messages", SHAPE_MESSAGES, {"messages"}},
	{"text", SHAPE_TEXT, {"text"}},
	{"prompt", SHAPE_PROMPT, {"prompt"}},
};
enum { NSHAPES = sizeof shapes / sizeof *shapes };

int shape_by_name(const char *name)
{
	for (size_t i = 0; i < NSHAPES; i++)
		if (!strcmp(shapes[i].name, name))
			return (int)shapes[i].shape;
	return -1;
}

const char *shape_name(enum shape s)
{
	for (size_t i = 0; i < NSHAPES; i++)
		if (shapes[i].shape == s)
			return shapes[i].name;
	return "?";
}

int shape_uses(const struct shape_row *s, const char *column)
{
	for (size_t i = 0; i < NSHAPES; i++) {
		if (shapes[i].shape != s->shape)
			continue;
		for (size_t k = 0; k < 3 && shapes[i].columns[k]; k++)
			if (!strcmp(shapes[i].columns[k], column))
				return 1;
	}
	return 0;
}

static int no_shape(struct jv row, struct err *e)
{
	struct str names = {0};
	struct jv key, v;
	for (size_t i = 0; i < jv_dict_len(row) && names.len <= 400; i++) {
		jv_dict_at(row, i, &key, &v);
		str_addf(&names, " %.*s", (int)(key.len < 60 ? key.len : 60), key.u.s);
	}
	err_data(e,
		"not a row that is known: its columns are%s; wanted are prompt, chosen, rejected; "
		"prompt, completion; messages; text; or a prompt alone (--map FIELD=COLUMN "
		"renames)",
		names.s ? names.s : " none");
	str_done(&names);
	return -1;
}

static int has(struct jv row, const char *column)
{
	return value_given(value_get(row, column));
}

static int recognise(struct jv row, struct err *e)
{
	if (has(row, "chosen") || has(row, "rejected"))
		return SHAPE_PREFERENCE;
	if (has(row, "completion"))
		return SHAPE_COMPLETION;
	if (has(row, "messages"))
		return SHAPE_MESSAGES;
	if (has(row, "text"))
		return SHAPE_TEXT;
	if (has(row, "prompt"))
		return SHAPE_PROMPT;
	return no_shape(row, e);
}

/* A list of messages, or a string: 1, 0; -1 neither. */
static int is_chat(struct jv v, const char *column, struct err *e)
{
	if (v.type == JV_STR)
		return 0;
	if (v.type != JV_LIST)
		return err_data(e, "'%s' is neither a string nor a list of messages", column);
	for (size_t i = 0; i < jv_list_len(v); i++)
		if (value_get(jv_list_at(v, i), "role").type != JV_STR)
			return err_data(e, "'%s': message %zu has no role", column, i + 1);
	if (jv_list_len(v) == 0)
		return err_data(e, "'%s' is an empty list", column);
	return 1;
}

static struct jv one_message(struct arena *a, const char *role, struct jv content)
{
	struct jv message = jv_dict(a, 2), list = jv_list(a, 1);
	value_put(a, message, "role", jv_str(role, strlen(role)));
	value_put(a, message, "content", content);
	jv_list_add(a, list, message);
	return list;
}

static int get(struct jv *v, struct jv row, const char *column, struct err *e)
{
	*v = value_get(row, column);
	return value_given(*v) ? is_chat(*v, column, e) : err_data(e, "no '%s' in the row", column);
}

/* ---- prompt and answers ---- */

/* What both conversations begin with is the prompt; each keeps at least its last message. */
static void split_chats(struct shape_row *s, struct arena *a, struct jv chosen, struct jv rejected)
{
	size_t nc = jv_list_len(chosen), nr = jv_list_len(rejected);
	size_t max = (nc < nr ? nc : nr) - 1, n = 0;
	while (n < max && jv_equal(jv_list_at(chosen, n), jv_list_at(rejected, n)))
		n++;
	s->prompt = value_slice(a, chosen, 0, n);
	s->answer[0] = value_slice(a, chosen, n, nc);
	s->answer[1] = value_slice(a, rejected, n, nr);
	s->nanswers = 2;
	s->how = "the prompt is the messages that both answers begin with";
}

/* What both strings begin with, whole characters; a blank at its end belongs to the answers. */
static void split_strings(struct shape_row *s, struct jv chosen, struct jv rejected)
{
	const char *a = chosen.u.s, *b = rejected.u.s;
	size_t na = chosen.len, nb = rejected.len, n = 0;
	while (n < na && n < nb && a[n] == b[n])
		n++;
	while (n > 0 && ((n < na && (a[n] & 0xc0) == 0x80) || (n < nb && (b[n] & 0xc0) == 0x80)))
		n--;
	if (n > 0 && a[n - 1] == ' ')
		n--;
	s->prompt = jv_str(a, n);
	s->answer[0] = jv_str(a + n, na - n);
	s->answer[1] = jv_str(b + n, nb - n);
	s->nanswers = 2;
	s->how = "the prompt is what both answers begin with";
}

/* Whether a conversation begins with the prompt that its row also gives as a string. */
static int repeats(struct jv chat, struct jv prompt)
{
	for (size_t i = 0; i + 1 < jv_list_len(chat); i++) {
		struct jv m = jv_list_at(chat, i);
		if (value_is(value_get(m, "role"), "user") &&
			jv_equal(value_get(m, "content"), prompt))
			return 1;
	}
	return 0;
}

static int preference(struct shape_row *s, struct arena *a, struct jv row, struct err *e)
{
	struct jv prompt = value_get(row, "prompt"), chosen, rejected;
	int chat = get(&chosen, row, "chosen", e), other = get(&rejected, row, "rejected", e);
	if (chat < 0 || other < 0)
		return -1;
	if (chat != other)
		return err_data(e, "of 'chosen' and 'rejected' one is a string and one a list of "
				   "messages");
	s->chat = chat;
	int prompt_chat = value_given(prompt) ? is_chat(prompt, "prompt", e) : 0;
	if (prompt_chat < 0)
		return -1;
	if (!value_given(prompt) ||
		(chat && !prompt_chat && repeats(chosen, prompt) && repeats(rejected, prompt))) {
		if (chat)
			split_chats(s, a, chosen, rejected);
		else
			split_strings(s, chosen, rejected);
		return 0;
	}
	if (prompt_chat && !chat)
		return err_data(e, "'prompt' is a list of messages but the answers are strings");
	s->prompt = chat && !prompt_chat ? one_message(a, "user", prompt) : prompt;
	s->answer[0] = chosen;
	s->answer[1] = rejected;
	s->nanswers = 2;
	s->how = chat && !prompt_chat ? "explicit prompt, a string beside lists of messages"
				      : "explicit prompt";
	return 0;
}

static int completion(struct shape_row *s, struct arena *a, struct jv row, struct err *e)
{
	struct jv prompt, answer, label = value_get(row, "label");
	int prompt_chat = get(&prompt, row, "prompt", e);
	int chat = prompt_chat < 0 ? -1 : get(&answer, row, "completion", e);
	if (chat < 0)
		return -1;
	if (prompt_chat && !chat)
		return err_data(e, "'prompt' is a list of messages but 'completion' is a string");
	if (label.type != JV_MISSING && label.type != JV_BOOL)
		return err_data(e, "'label' is not true or false");
	s->chat = chat;
	s->prompt = chat && !prompt_chat ? one_message(a, "user", prompt) : prompt;
	s->answer[0] = answer;
	s->nanswers = 1;
	s->how = label.type == JV_BOOL ? "prompt, completion and label" : "prompt and completion";
	return 0;
}

static int single(struct shape_row *s, struct jv row, const char *column, struct err *e)
{
	s->chat = get(&s->prompt, row, column, e);
	if (s->chat < 0)
		return -1;
	if (s->shape == SHAPE_MESSAGES && !s->chat)
		return err_data(e, "'messages' is not a list of messages");
	if (s->shape == SHAPE_TEXT && s->chat)
		return err_data(e, "'text' is not a string");
	s->how = column;
	return 0;
}

/* A string prompt becomes the user's message, string answers the assistant's. */
static void make_messages(struct shape_row *s, struct arena *a)
{
	if (s->chat || s->shape == SHAPE_TEXT)
		return;
	s->prompt = one_message(a, "user", s->prompt);
	for (size_t i = 0; i < s->nanswers; i++)
		s->answer[i] = one_message(a, "assistant", s->answer[i]);
	s->chat = 1;
}

int shape_find(struct shape_row *s, struct arena *a, struct jv row, enum shape want,
	int as_messages, struct err *e)
{
	*s = (struct shape_row){0};
	int shape = want == SHAPE_AUTO ? recognise(row, e) : (int)want, rc;
	if (shape < 0)
		return -1;
	s->shape = (enum shape)shape;
	switch (s->shape) {
	case SHAPE_PREFERENCE:
		rc = preference(s, a, row, e);
		break;
	case SHAPE_COMPLETION:
		rc = completion(s, a, row, e);
		break;
	case SHAPE_MESSAGES:
		rc = single(s, row, "messages", e);
		break;
	case SHAPE_TEXT:
		rc = single(s, row, "text", e);
		break;
	default:
		rc = single(s, row, "prompt", e);
	}
	if (rc == 0 && as_messages)
		make_messages(s, a);
	return rc;
}
