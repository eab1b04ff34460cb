/* Forms with answers of which one is better: chosen and rejected by any name, transcripts, ranked lists. */
#include "tools/tmpl/shape_int.h"

#include "tools/tmpl/transcript.h"

#include <string.h>

static void set_pair(struct reader *r, int chat, struct jv prompt, struct jv chosen,
	struct jv rejected, const char *how)
{
	r->c.chat = chat;
	r->c.prompt = prompt;
	shape_answer(r, chosen, 1);
	shape_answer(r, rejected, 0);
	r->list->how = how;
}

/* ---- the prompt is what both begin with ---- */

static size_t shared_messages(struct jv a, struct jv b)
{
	size_t na = jv_list_len(a), nb = jv_list_len(b), max = (na < nb ? na : nb) - 1, n = 0;
	while (n < max && jv_equal(jv_list_at(a, n), jv_list_at(b, n)))
		n++;
	return n;
}

static void split_chats(struct reader *r, struct jv a, struct jv b, size_t n, const char *how)
{
	set_pair(r, 1, value_slice(r->arena, a, 0, n), value_slice(r->arena, a, n, jv_list_len(a)),
		value_slice(r->arena, b, n, jv_list_len(b)), how);
}

static struct jv behind(struct jv text, size_t at)
{
	return jv_str(text.u.s + at, text.len - at);
}

/* Whole characters; a blank at its end belongs to the answers. */
static void split_strings(struct reader *r, struct jv a, struct jv b)
{
	const char *s = a.u.s, *t = b.u.s;
	size_t n = 0;
	while (n < a.len && n < b.len && s[n] == t[n])
		n++;
	while (n > 0 &&
		((n < a.len && (s[n] & 0xc0) == 0x80) || (n < b.len && (t[n] & 0xc0) == 0x80)))
		n--;
	if (n > 0 && s[n - 1] == ' ')
		n--;
	set_pair(r, 0, jv_str(s, n), behind(a, n), behind(b, n),
		"the prompt is what both answers begin with");
}

/* ---- transcripts ---- */

/*
 * Two transcripts share turns up to an answer of the assistant's, where they part. Without a template
 * the markers themselves are the format, and the prompt ends behind the last "Assistant:".
 */
static int split_transcripts(struct reader *r, struct jv a, struct jv b, struct err *e)
{
	struct jv x = transcript_messages(r->arena, a), y = transcript_messages(r->arena, b);
	size_t n = shared_messages(x, y);
	while (n > 0 &&
		!(messages_role_is(x, n, "assistant") && messages_role_is(y, n, "assistant")))
		n--;
	if (n == 0)
		return err_data(e, "the transcripts have no turn in common");
	if (!messages_role_is(x, jv_list_len(x) - 1, "assistant") ||
		!messages_role_is(y, jv_list_len(y) - 1, "assistant"))
		return err_data(e, "a transcript ends with the human's words");
	if (r->want->templated || r->want->as_messages) {
		split_chats(r, x, y, n, "transcripts of Human and Assistant as messages");
		return 0;
	}
	size_t at = transcript_turn(a, n);
	if (transcript_turn(b, n) != at || memcmp(a.u.s, b.u.s, at) != 0)
		return err_data(e, "the transcripts have no turn in common");
	set_pair(r, 0, jv_str(a.u.s, at), behind(a, at), behind(b, at),
		"transcripts of Human and Assistant, cut behind the last 'Assistant:' in common");
	return 0;
}

/* ---- chosen and rejected ---- */

/* A list of messages that stands for the prompt, less an answer at its end. JV_MISSING: none. */
static int conversation(struct reader *r, struct jv *prompt, struct err *e)
{
	static const char *const names[] = {"messages", "conversations", "conversation"};
	*prompt = (struct jv){0};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (shape_peek(r, names[i]).type != JV_LIST)
			continue;
		if (shape_text_or_chat(r, shape_take(r, names[i]), names[i], prompt, e) < 0)
			return -1;
		size_t n = jv_list_len(*prompt);
		if (n > 1 && messages_role_is(*prompt, n - 1, "assistant"))
			*prompt = value_slice(r->arena, *prompt, 0, n - 1);
		return 0;
	}
	return 0;
}

/* How many messages of `prompt` both conversations begin with: all of them, or 0. */
static size_t repeated(struct jv prompt, struct jv a, struct jv b)
{
	size_t n = jv_list_len(prompt);
	if (n >= jv_list_len(a) || n >= jv_list_len(b))
		return 0;
	for (size_t i = 0; i < n; i++)
		if (!jv_equal(jv_list_at(prompt, i), jv_list_at(a, i)) ||
			!jv_equal(jv_list_at(prompt, i), jv_list_at(b, i)))
			return 0;
	return n;
}

static int no_boundary(struct err *e)
{
	return err_data(e, "an answer begins with a message of the user or the system, and the "
			   "prompt is not what both answers begin with");
}

/* Lists that are whole conversations: the prompt is in them, whatever the row says beside. */
static int pair_of_conversations(
	struct reader *r, struct jv prompt, struct jv a, struct jv b, struct err *e)
{
	size_t n = prompt.type == JV_LIST ? repeated(prompt, a, b) : shared_messages(a, b);
	if (n == 0 || !shape_is_answer(value_slice(r->arena, a, n, jv_list_len(a))) ||
		!shape_is_answer(value_slice(r->arena, b, n, jv_list_len(b))))
		return no_boundary(e);
	split_chats(r, a, b, n, "the prompt is the messages that both answers begin with");
	return 0;
}

static int pair_of_chats(struct reader *r, struct jv chosen, struct jv rejected, struct err *e)
{
	const char *how = "explicit prompt";
	struct jv prompt = shape_take(r, "prompt");
	if (prompt.type && shape_text_or_chat(r, prompt, "prompt", &prompt, e) < 0)
		return -1;
	if (!shape_is_answer(chosen) || !shape_is_answer(rejected))
		return pair_of_conversations(r, prompt, chosen, rejected, e);
	if (!prompt.type) {
		how = "a conversation and the two messages that could follow it";
		if (conversation(r, &prompt, e) < 0)
			return -1;
	}
	if (!prompt.type) {
		how = "a question and lists of messages that answer it";
		prompt = shape_question(r);
	}
	if (!prompt.type) {
		split_chats(r, chosen, rejected, shared_messages(chosen, rejected),
			"the prompt is the messages that both answers begin with");
		return 0;
	}
	if (prompt.type == JV_STR) {
		prompt = messages_one(r->arena, "user", prompt);
		r->made = 1;
	}
	set_pair(r, 1, prompt, chosen, rejected, how);
	return 0;
}

static int pair_of_strings(struct reader *r, struct jv chosen, struct jv rejected, struct err *e)
{
	struct jv prompt = shape_take(r, "prompt");
	if (prompt.type && shape_text_or_chat(r, prompt, "prompt", &prompt, e) < 0)
		return -1;
	if (!prompt.type && conversation(r, &prompt, e) < 0)
		return -1;
	if (prompt.type == JV_LIST) {
		set_pair(r, 1, prompt, messages_one(r->arena, "assistant", chosen),
			messages_one(r->arena, "assistant", rejected),
			"a conversation and the two strings that could follow it");
		return 0;
	}
	if (prompt.type) {
		set_pair(r, 0, prompt, chosen, rejected, "explicit prompt");
		shape_open_transcript(r);
		return 0;
	}
	prompt = shape_question(r);
	if (prompt.type) {
		set_pair(r, 0, prompt, chosen, rejected, "a question and its two answers");
		return shape_speak(r, e);
	}
	if (transcript_is(chosen) && transcript_is(rejected))
		return split_transcripts(r, chosen, rejected, e);
	split_strings(r, chosen, rejected);
	return 0;
}

static int read_pair(struct reader *r, const char *better, const char *worse, struct err *e)
{
	struct jv chosen, rejected;
	int chat = shape_text_or_chat(r, shape_take(r, better), better, &chosen, e);
	int other =
		chat < 0 ? -1 : shape_text_or_chat(r, shape_take(r, worse), worse, &rejected, e);
	if (other < 0)
		return -1;
	if (chat != other)
		return err_data(e, "of '%s' and '%s' one is a string and one a list of messages",
			better, worse);
	return (chat ? pair_of_chats : pair_of_strings)(r, chosen, rejected, e);
}

int shape_read_chosen(struct reader *r, struct err *e)
{
	return read_pair(r, "chosen", "rejected", e);
}

int shape_read_chosen_messages(struct reader *r, struct err *e)
{
	return read_pair(r, "chosen_messages", "rejected_messages", e);
}

int shape_read_chosen_response(struct reader *r, struct err *e)
{
	return read_pair(r, "chosen_response", "rejected_response", e);
}

int shape_read_response_jk(struct reader *r, struct err *e)
{
	return read_pair(r, "response_j", "response_k", e);
}

/* PKU-SafeRLHF: which of the two is better stands beside them. */
int shape_read_response_01(struct reader *r, struct err *e)
{
	static const char *const names[] = {"response_0", "response_1"};
	struct jv better = shape_take(r, "better_response_id");
	if (better.type != JV_INT || better.u.i < 0 || better.u.i > 1)
		return err_data(e, "'better_response_id' is not 0 or 1");
	return read_pair(r, names[better.u.i], names[!better.u.i], e);
}

/* Stanford Human Preferences: `history` is the post, labels 1 prefers A. */
int shape_read_human_ref(struct reader *r, struct err *e)
{
	struct jv a = shape_take(r, "human_ref_A"), b = shape_take(r, "human_ref_B"),
		  label = shape_take(r, "labels"), history = shape_take(r, "history");
	if (a.type != JV_STR || b.type != JV_STR || history.type != JV_STR)
		return err_data(
			e, "'history', 'human_ref_A' and 'human_ref_B' are not all strings");
	if (label.type != JV_INT || label.u.i < 0 || label.u.i > 1)
		return err_data(e, "'labels' is not 0 or 1");
	set_pair(r, 0, history, label.u.i ? a : b, label.u.i ? b : a,
		"a post and two comments, of which 'labels' names the better");
	return shape_speak(r, e);
}

/* ---- ranked lists ---- */

enum { ANSWERS_MAX = 256 };

struct score_name {
	const char *name;
	double sign; /* -1: a lower number is better */
};
static const struct score_name score_names[] = {
	{"overall_score", 1}, {"score", 1}, {"rating", 1}, {"reward", 1}, {"rank", -1}, {NULL, 0}};
static const struct score_name score_lists[] = {{"overall_scores", 1}, {"scores", 1},
	{"ratings", 1}, {"rating", 1}, {"rewards", 1}, {"ranks", -1}, {"rank", -1}, {NULL, 0}};
static const char *const answer_lists[] = {
	"completions", "responses", "answers", "generations", "candidates", "outputs", NULL};
static const char *const answer_texts[] = {
	"response", "text", "content", "completion", "answer", "output", "generation", NULL};

/* The first of the names that v has, with its value. */
static const char *find(struct jv v, const char *const *names, struct jv *value)
{
	for (; *names; names++)
		if ((*value = value_get(v, *names)).type > JV_NONE)
			return *names;
	return NULL;
}

static const struct score_name *find_score(
	struct jv v, const struct score_name *s, struct jv *value)
{
	for (; s->name; s++)
		if ((*value = value_get(v, s->name)).type > JV_NONE)
			return s;
	return NULL;
}

static int is_list(struct jv v)
{
	return v.type == JV_LIST && jv_list_len(v) > 0;
}

int shape_is_ranked(const struct reader *r)
{
	struct jv list, v;
	if (!find(r->row, answer_lists, &list) || !is_list(list))
		return 0;
	struct jv first = jv_list_at(list, 0);
	if (first.type == JV_DICT && find(first, answer_texts, &v) &&
		find_score(first, score_names, &v))
		return 1;
	return find_score(r->row, score_lists, &v) && is_list(v);
}

static int number(struct jv v, double *out)
{
	*out = v.type == JV_INT ? (double)v.u.i : v.u.f;
	return v.type == JV_INT || v.type == JV_FLOAT;
}

/* Best first; answers of one score keep their order. */
static void sort_answers(struct content *c)
{
	for (size_t i = 1; i < c->n; i++) {
		struct answer a = c->answer[i];
		size_t k = i;
		for (; k > 0 && c->answer[k - 1].score < a.score; k--)
			c->answer[k] = c->answer[k - 1];
		c->answer[k] = a;
	}
}

static int ranked_prompt(struct reader *r, struct err *e)
{
	struct content *c = &r->c;
	struct jv prompt = shape_take(r, "prompt");
	int question = !prompt.type;
	if (question)
		prompt = shape_question(r);
	if (!prompt.type)
		return err_data(e, "answers without a 'prompt', 'instruction' or 'question'");
	c->chat = shape_text_or_chat(r, prompt, "prompt", &c->prompt, e);
	if (c->chat < 0)
		return -1;
	for (size_t i = 0; c->chat && i < c->n; i++)
		c->answer[i].v = messages_one(r->arena, "assistant", c->answer[i].v);
	r->list->how = "a ranked list of answers";
	shape_open_transcript(r);
	return question ? shape_speak(r, e) : 0;
}

int shape_read_ranked(struct reader *r, struct err *e)
{
	struct jv list, scores = {0}, score;
	const char *column = find(r->row, answer_lists, &list);
	shape_take(r, column);
	const struct score_name *beside = find_score(r->row, score_lists, &scores);
	if (beside && is_list(scores))
		shape_take(r, beside->name);
	else
		beside = NULL;
	size_t n = jv_list_len(list);
	if (n > ANSWERS_MAX)
		return err_data(e, "'%s': %zu answers, more than %d", column, n, ANSWERS_MAX);
	if (beside && jv_list_len(scores) != n)
		return err_data(e, "'%s' has %zu answers, '%s' %zu numbers", column, n,
			beside->name, jv_list_len(scores));
	for (size_t i = 0; i < n; i++) {
		struct jv v = jv_list_at(list, i), text = v;
		const struct score_name *s = beside;
		double value;
		if (v.type == JV_DICT && !find(v, answer_texts, &text))
			text = (struct jv){0};
		if (text.type != JV_STR)
			return err_data(e, "'%s': answer %zu is no text", column, i + 1);
		if (beside)
			score = jv_list_at(scores, i);
		else
			s = find_score(v, score_names, &score);
		if (!s || !number(score, &value))
			return err_data(e, "'%s': answer %zu has no score", column, i + 1);
		shape_answer(r, text, s->sign * value);
	}
	sort_answers(&r->c);
	return ranked_prompt(r, e);
}
