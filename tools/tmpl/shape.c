#include "tools/tmpl/shape.h"

#include "common/str.h"

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

void shape_done(struct shape_row *s)
{
	json_decref(s->prompt);
	for (size_t i = 0; i < s->nanswers; i++)
		json_decref(s->answer[i]);
	*s = (struct shape_row){0};
}

static int has(const json_t *row, const char *column)
{
	const json_t *v = json_object_get(row, column);
	return v && !json_is_null(v);
}

static int no_shape(const json_t *row, struct err *e)
{
	struct str names = {0};
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)row, key, v)
	{
		str_addf(&names, " %.60s", key);
		if (names.len > 400)
			break;
	}
	err_data(e,
		"not a row that is known: its columns are%s; wanted are prompt, chosen, rejected; "
		"prompt, completion; messages; text; or a prompt alone (--map FIELD=COLUMN "
		"renames)",
		names.s ? names.s : " none");
	str_done(&names);
	return -1;
}

static int recognise(const json_t *row, struct err *e)
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
static int is_chat(const json_t *v, const char *column, struct err *e)
{
	if (json_is_string(v))
		return 0;
	if (!json_is_array(v))
		return err_data(e, "'%s' is neither a string nor a list of messages", column);
	for (size_t i = 0; i < json_array_size(v); i++) {
		const json_t *m = json_array_get(v, i);
		if (!json_is_object(m) || !json_is_string(json_object_get(m, "role")))
			return err_data(e, "'%s': message %zu has no role", column, i + 1);
	}
	if (json_array_size(v) == 0)
		return err_data(e, "'%s' is an empty list", column);
	return 1;
}

static json_t *one_message(const char *role, json_t *content)
{
	return json_pack("[{s:s, s:O}]", "role", role, "content", content);
}

static int get(json_t **v, const json_t *row, const char *column, struct err *e)
{
	*v = json_object_get(row, column);
	if (!*v || json_is_null(*v))
		return err_data(e, "no '%s' in the row", column);
	return is_chat(*v, column, e);
}

/* ---- prompt and answers ---- */

static json_t *slice(const json_t *list, size_t from, size_t to)
{
	json_t *out = json_array();
	for (size_t i = from; i < to; i++)
		json_array_append(out, json_array_get(list, i));
	return out;
}

/* What both conversations begin with is the prompt; each keeps at least its last message. */
static void split_chats(struct shape_row *s, const json_t *chosen, const json_t *rejected)
{
	size_t a = json_array_size(chosen), b = json_array_size(rejected);
	size_t max = (a < b ? a : b) - 1, n = 0;
	while (n < max && json_equal(json_array_get(chosen, n), json_array_get(rejected, n)))
		n++;
	s->prompt = slice(chosen, 0, n);
	s->answer[0] = slice(chosen, n, a);
	s->answer[1] = slice(rejected, n, b);
	s->nanswers = 2;
	s->how = "the prompt is the messages that both answers begin with";
}

/* What both strings begin with, whole characters; a blank at its end belongs to the answers. */
static void split_strings(struct shape_row *s, const json_t *chosen, const json_t *rejected)
{
	const char *a = json_string_value(chosen), *b = json_string_value(rejected);
	size_t na = json_string_length(chosen), nb = json_string_length(rejected), n = 0;
	while (n < na && n < nb && a[n] == b[n])
		n++;
	while (n > 0 && ((n < na && (a[n] & 0xc0) == 0x80) || (n < nb && (b[n] & 0xc0) == 0x80)))
		n--;
	if (n > 0 && a[n - 1] == ' ')
		n--;
	s->prompt = json_stringn(a, n);
	s->answer[0] = json_stringn(a + n, na - n);
	s->answer[1] = json_stringn(b + n, nb - n);
	s->nanswers = 2;
	s->how = "the prompt is what both answers begin with";
}

/* Whether a conversation begins with the prompt that its row also gives as a string. */
static int repeats(const json_t *chat, const json_t *prompt)
{
	for (size_t i = 0; i + 1 < json_array_size(chat); i++) {
		const json_t *m = json_array_get(chat, i);
		const char *role = json_string_value(json_object_get(m, "role"));
		if (!strcmp(role, "user") && json_equal(json_object_get(m, "content"), prompt))
			return 1;
	}
	return 0;
}

static int preference(struct shape_row *s, const json_t *row, struct err *e)
{
	json_t *prompt = NULL, *chosen, *rejected;
	int chat = get(&chosen, row, "chosen", e), other = get(&rejected, row, "rejected", e);
	if (chat < 0 || other < 0)
		return -1;
	if (chat != other)
		return err_data(e, "of 'chosen' and 'rejected' one is a string and one a list of "
				   "messages");
	s->chat = chat;
	int prompt_chat = has(row, "prompt") ? get(&prompt, row, "prompt", e) : 0;
	if (prompt_chat < 0)
		return -1;
	if (!prompt ||
		(chat && !prompt_chat && repeats(chosen, prompt) && repeats(rejected, prompt))) {
		(chat ? split_chats : split_strings)(s, chosen, rejected);
		return 0;
	}
	if (prompt_chat && !chat)
		return err_data(e, "'prompt' is a list of messages but the answers are strings");
	s->prompt = chat && !prompt_chat ? one_message("user", prompt) : json_incref(prompt);
	s->answer[0] = json_incref(chosen);
	s->answer[1] = json_incref(rejected);
	s->nanswers = 2;
	s->how = chat && !prompt_chat ? "explicit prompt, a string beside lists of messages"
				      : "explicit prompt";
	return 0;
}

static int completion(struct shape_row *s, const json_t *row, struct err *e)
{
	json_t *prompt, *answer;
	int prompt_chat = get(&prompt, row, "prompt", e);
	int chat = prompt_chat < 0 ? -1 : get(&answer, row, "completion", e);
	if (chat < 0)
		return -1;
	if (prompt_chat && !chat)
		return err_data(e, "'prompt' is a list of messages but 'completion' is a string");
	const json_t *label = json_object_get(row, "label");
	if (label && !json_is_boolean(label))
		return err_data(e, "'label' is not true or false");
	s->chat = chat;
	s->prompt = chat && !prompt_chat ? one_message("user", prompt) : json_incref(prompt);
	s->answer[0] = json_incref(answer);
	s->nanswers = 1;
	s->how = label ? "prompt, completion and label" : "prompt and completion";
	return 0;
}

static int single(struct shape_row *s, const json_t *row, const char *column, struct err *e)
{
	json_t *v;
	s->chat = get(&v, row, column, e);
	if (s->chat < 0)
		return -1;
	if (s->shape == SHAPE_MESSAGES && !s->chat)
		return err_data(e, "'messages' is not a list of messages");
	if (s->shape == SHAPE_TEXT && s->chat)
		return err_data(e, "'text' is not a string");
	s->prompt = json_incref(v);
	s->how = column;
	return 0;
}

/* A string prompt becomes the user's message, string answers the assistant's. */
static void make_messages(struct shape_row *s)
{
	if (s->chat || s->shape == SHAPE_TEXT)
		return;
	json_t *was = s->prompt;
	s->prompt = one_message("user", was);
	json_decref(was);
	for (size_t i = 0; i < s->nanswers; i++) {
		was = s->answer[i];
		s->answer[i] = one_message("assistant", was);
		json_decref(was);
	}
	s->chat = 1;
}

int shape_find(
	struct shape_row *s, const json_t *row, enum shape want, int as_messages, struct err *e)
{
	*s = (struct shape_row){0};
	int shape = want == SHAPE_AUTO ? recognise(row, e) : (int)want;
	if (shape < 0)
		return -1;
	s->shape = (enum shape)shape;
	int rc = -1;
	switch (s->shape) {
	case SHAPE_PREFERENCE:
		rc = preference(s, row, e);
		break;
	case SHAPE_COMPLETION:
		rc = completion(s, row, e);
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
	if (rc < 0) {
		shape_done(s);
		return -1;
	}
	if (as_messages)
		make_messages(s);
	return 0;
}
