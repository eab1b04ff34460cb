/* Texts word by word (words.h) against the same texts as a whole: every model with every normalizer and
 * pre-tokenizer that goes with it, on random texts that are full of what may stand beside a blank. The models
 * and maps are those of golden/tok/parts.jsonl, whose ids as a whole are held against the library's. */
#include "common/json.h"
#include "common/mem.h"
#include "common/tokenizer/tokenizer_int.h"
#include "tests/tap.h"

#include <unistd.h>

enum { TEXTS = 400 };

static uint64_t state = 88172645463325252u;
static char dir[] = "/tmp/sluice-words-XXXXXX";

static uint64_t rnd(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

/* ---- texts ---------------------------------------------------------------------------------------- */

/* Blanks of all kinds, what joins a grapheme before or behind one, what vanishes or grows. */
static const char *const bits[] = {" ", " ", " ", " ", "  ", "\n", "\r\n", "\r", "\t", "\v", "\f",
	"\xc2\xa0", "\xe3\x80\x80", "\xe2\x80\xa8", "\xc2\x85", "\xe2\x96\x81", "\xe2\x96\x81",
	"\xcc\x88", "\xcc\x81\xcc\xa3", "\xe2\x80\x8d", "\xef\xb8\x8f", "\xd8\x80", "\xdb\x9d",
	"\xe0\xb5\x8e", "\xe0\xa4\xbe", "\xc2\xad", "\xe2\x80\x8b", "\xef\xbb\xbf", "\x01", "\x7f",
	"\xc3\xa9", "\xc3\x85", "\xef\xac\x81", "\xe2\x80\xa6", "\xc2\xa8", "\xef\xbe\x9e",
	"\xe2\x80\x9c", "\xe2\x80\x9d", "\xe4\xb8\xad", "\xe6\x96\x87", "\xed\x95\x9c",
	"\xf0\x9f\x91\xa9", "\xf0\x9f\x87\xa9", "\xc4\xb0", "\xc4\x81", "\xe1\xba\x81", "hello",
	"world", "the", "He", "WORLD", "l", "o", "e", "e", "t", "1", "12", ",", ".", "!", "'s",
	"##", "<s>", "aaaaaaaaaaaaaaaa", "hellohellohellohellohellohellohellohellohellohellohello"};

static void some_text(struct str *s)
{
	str_reset(s);
	str_reserve(s, 0);
	for (size_t n = 1 + rnd(rnd(8) ? 24 : 400); n; n--)
		str_adds(s, bits[rnd(sizeof bits / sizeof *bits)]);
}

/* ---- one tokenizer -------------------------------------------------------------------------------- */

static int same_encoding(const struct encoding *a, const struct encoding *b, int offsets)
{
	return a->n == b->n && (!a->n || !memcmp(a->ids, b->ids, a->n * sizeof *a->ids)) &&
	       (!offsets || !a->n || !memcmp(a->offsets, b->offsets, a->n * sizeof *a->offsets));
}

static void show(const char *what, const struct encoding *x)
{
	struct str s = {0};
	str_reserve(&s, 0);
	for (size_t i = 0; i < x->n && i < 40; i++)
		str_addf(&s, " %u[%u,%u)", x->ids[i], x->offsets[i][0], x->offsets[i][1]);
	diag("%s%s", what, s.s);
	str_done(&s);
}

/* The same encoder all along, so that words come again; without offsets, and with. */
static int same_texts(struct tokenizer *t)
{
	struct words *words = t->words;
	struct encoder *by_word = encoder_new(t);
	t->words = NULL;
	struct encoder *whole = encoder_new(t);
	struct encoding a = {0}, b = {0}, ids = {.ids_only = 1};
	struct str s = {0};
	struct err e = {0};
	int same = 1;
	for (int i = 0; same && i < TEXTS; i++) {
		some_text(&s);
		encoding_reset(&a);
		encoding_reset(&b);
		encoding_reset(&ids);
		t->words = words;
		int failed = tokenizer_encode(by_word, s.s, s.len, 0, &a, &e) != 0;
		int again = tokenizer_encode(by_word, s.s, s.len, 0, &ids, &e) != 0;
		t->words = NULL;
		int wanted = tokenizer_encode(whole, s.s, s.len, 0, &b, &e) != 0;
		same = failed == wanted && again == wanted &&
		       (wanted || (same_encoding(&a, &b, 1) && same_encoding(&ids, &b, 0)));
		if (!same) {
			struct str line = {0};
			str_reserve(&line, 0);
			json_write_string(&line, s.s, s.len);
			diag("%s", line.s);
			show("by word:", &a);
			show("whole:  ", &b);
			str_done(&line);
		}
	}
	t->words = words;
	encoder_free(by_word);
	encoder_free(whole);
	encoding_done(&a);
	encoding_done(&b);
	encoding_done(&ids);
	str_done(&s);
	return same;
}

/* Borrows all of them. -1: it does not load; 0: it has no words; 1: it has, *same says how they are. */
static int check(json_t *model, json_t *normalizer, json_t *pretokenizer, json_t *post, int *same)
{
	json_t *config = json_pack("{s:O, s:O?, s:O?, s:O?, s:[]}", "model", model, "normalizer",
		normalizer, "pre_tokenizer", pretokenizer, "post_processor", post, "added_tokens");
	char path[200];
	snprintf(path, sizeof path, "%s/tokenizer.json", dir);
	FILE *f = fopen(path, "w");
	if (f) {
		json_dumpf(config, f, JSON_COMPACT);
		fclose(f);
	}
	json_decref(config);
	struct tokenizer *t;
	struct err e = {0};
	if (tokenizer_load(&t, dir, &e)) {
		diag("%s", e.msg);
		return -1;
	}
	int any = t->words != NULL;
	*same = !any || same_texts(t);
	tokenizer_free(t);
	return any;
}

/* ---- all of them ---------------------------------------------------------------------------------- */

#define MARKS	       "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"\xe2\x96\x81\"}"
#define FRONT	       "{\"type\":\"Prepend\",\"prepend\":\"\xe2\x96\x81\"}"
#define SEQUENCE(list) "{\"type\":\"Sequence\",\"normalizers\":[" list "]}"
#define BERT(clean, accents, lower)                                                                \
	"{\"type\":\"BertNormalizer\",\"clean_text\":" clean ",\"handle_chinese_chars\":true,"     \
	"\"strip_accents\":" accents ",\"lowercase\":" lower "}"
static const char *const normalizers[] = {"null", SEQUENCE(FRONT "," MARKS),
	SEQUENCE(MARKS "," FRONT), MARKS, "{\"type\":\"NFC\"}", "{\"type\":\"NFD\"}",
	"{\"type\":\"NFKC\"}", "{\"type\":\"NFKD\"}", "{\"type\":\"Lowercase\"}",
	"{\"type\":\"StripAccents\"}", "{\"type\":\"Nmt\"}", BERT("true", "null", "true"),
	BERT("true", "false", "false"), BERT("false", "true", "true"),
	SEQUENCE("{\"type\":\"NFKD\"},{\"type\":\"StripAccents\"},{\"type\":\"Lowercase\"}"),
	"{\"type\":\"Strip\",\"strip_left\":true,\"strip_right\":true}",
	"{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" {2,}\"},\"content\":\" \"}",
	"{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"e +[et]\"},\"content\":\"l o\"}",
	"{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"e\"}",
	"{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"\"}"};

#define METASPACE(scheme, split)                                                                   \
	"{\"type\":\"Metaspace\",\"replacement\":\"\xe2\x96\x81\",\"prepend_scheme\":\"" scheme    \
	"\",\"split\":" split "}"
#define BOTH(a, b) "{\"type\":\"Sequence\",\"pretokenizers\":[" a "," b "]}"
#define SPACES	   "{\"type\":\"WhitespaceSplit\"}"
static const char *const pretokenizers[] = {"null", SPACES, "{\"type\":\"Whitespace\"}",
	"{\"type\":\"BertPreTokenizer\"}", METASPACE("always", "true"), METASPACE("first", "true"),
	METASPACE("never", "true"), METASPACE("always", "false"), METASPACE("first", "false"),
	METASPACE("never", "false"), BOTH(SPACES, METASPACE("always", "true")),
	BOTH(SPACES, METASPACE("first", "true")),
	BOTH(SPACES, "{\"type\":\"Digits\",\"individual_digits\":true}"),
	"{\"type\":\"Metaspace\",\"replacement\":\"e\",\"prepend_scheme\":\"first\",\"split\":"
	"false}",
	"{\"type\":\"Split\",\"pattern\":{\"String\":\" \"},\"behavior\":\"MergedWithPrevious\","
	"\"invert\":false}"};

struct golden {
	json_t *models, *names, *more; /* normalizers that carry a map */
};

/* Alone, before another, and behind some that change what stands beside a blank. */
static void add_map(json_t *list, json_t *map)
{
	json_array_append(list, map);
	json_array_append_new(list, json_pack("{s:s, s:[O, {s:s}]}", "type", "Sequence",
					    "normalizers", map, "type", "Lowercase"));
	json_array_append_new(list, json_pack("{s:s, s:[{s:s}, O]}", "type", "Sequence",
					    "normalizers", "type", "Nmt", map));
}

static void read_golden(struct golden *g)
{
	FILE *f = fopen("tests/golden/tok/parts.jsonl", "r");
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	*g = (struct golden){.models = json_array(), .names = json_object(), .more = json_array()};
	while (f && (n = getline(&line, &cap, f)) > 0) {
		struct err e;
		json_t *row = json_read_bytes(line, (size_t)n, &e);
		json_t *config = json_object_get(row, "tokenizer");
		json_t *model = json_object_get(config, "model");
		const char *name = json_string_value(json_object_get(row, "name"));
		if (json_is_integer(model))
			model = json_array_get(g->models, (size_t)json_integer_value(model));
		json_array_append(g->models, model);
		if (name)
			json_object_set(g->names, name, model);
		if (name && !strncmp(name, "Precompiled", 11) && !strstr(name, "sequence"))
			add_map(g->more, json_object_get(config, "normalizer"));
		json_decref(row);
	}
	free(line);
	if (f)
		fclose(f);
}

/* With a merge that reaches across a mark, before all others. */
static json_t *with_joined(const json_t *model)
{
	json_t *copy = json_deep_copy(model), *vocab = json_object_get(copy, "vocab");
	json_object_set_new(
		vocab, "e\xe2\x96\x81", json_integer((json_int_t)json_object_size(vocab)));
	json_array_insert_new(json_object_get(copy, "merges"), 0,
		json_is_string(json_array_get(json_object_get(copy, "merges"), 0))
			? json_string("e \xe2\x96\x81")
			: json_pack("[s, s]", "e", "\xe2\x96\x81"));
	return copy;
}

/* least: of so many combinations words are known, or the test would say nothing. */
static void test_model(const char *name, json_t *model, json_t *all, json_t *post, int least)
{
	size_t i, k;
	json_t *normalizer;
	int any = 0, good = 1;
	json_array_foreach(all, i, normalizer)
	{
		for (k = 0; k < sizeof pretokenizers / sizeof *pretokenizers; k++) {
			json_t *p = json_loads(pretokenizers[k], JSON_DECODE_ANY, NULL);
			int same = 0, rc = check(model, normalizer, p, post, &same);
			any += rc > 0;
			if (rc < 0 || !same) {
				diag("%s behind normalizer %zu", pretokenizers[k], i);
				good = 0;
			}
			json_decref(p);
		}
	}
	ok(good && any >= least, "%s: %d combinations give the same ids and places word by word",
		name, any);
}

int main(void)
{
	static const struct {
		const char *name;
		int least;
	} models[] = {{"byte fallback", 100}, {"SentencePiece-style", 100}, {"Unigram", 80},
		{"Unigram, byte_fallback", 80}, {"WordPiece", 80}, {"WordLevel", 80}};
	struct golden g;
	if (!mkdtemp(dir)) {
		ok(0, "there is a directory to write in");
		return tap_done();
	}
	setenv("XDG_CACHE_HOME", "/dev/null", 1);
	read_golden(&g);
	json_t *all = json_array();
	for (size_t i = 0; i < sizeof normalizers / sizeof *normalizers; i++)
		json_array_append_new(all, json_loads(normalizers[i], JSON_DECODE_ANY, NULL));
	json_array_extend(all, g.more);
	for (size_t i = 0; i < sizeof models / sizeof *models; i++)
		test_model(models[i].name, json_object_get(g.names, models[i].name), all, NULL,
			models[i].least);
	json_t *joined = with_joined(json_object_get(g.names, "SentencePiece-style"));
	test_model("merges across a mark", joined, all, NULL, 100);
	json_t *trim = json_pack(
		"{s:s, s:b, s:b}", "type", "ByteLevel", "add_prefix_space", 0, "trim_offsets", 1);
	test_model("Unigram, offsets trimmed", json_object_get(g.names, "Unigram"), all, trim, 0);
	json_decref(trim);
	json_decref(joined);
	json_decref(g.models);
	json_decref(g.names);
	json_decref(g.more);
	json_decref(all);
	char path[200];
	snprintf(path, sizeof path, "%s/tokenizer.json", dir);
	unlink(path);
	rmdir(dir);
	return tap_done();
}
