/* A tokenizer directory → struct tokenizer. Each part is read by its own file; this one knows the order. */
#include "common/tokenizer/tokenizer_int.h"

#include "common/io.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/tokenizer/classes.h"
#include "common/tokenizer/compiled.h"
#include "common/tokenizer/json_tables.h"
#include "common/tokenizer/model.h"
#include "common/tokenizer/unicode.h"
#include "common/tokenizer/words.h"
#include "common/utf8.h"

#include <string.h>

#define FILE_LIMIT ((size_t)512 << 20)

/* ---- members of a part --------------------------------------------------------------------------- */

int part_bool(const json_t *v, const char *key, int otherwise, int *out, struct err *e)
{
	const json_t *x = json_object_get(v, key);
	*out = otherwise;
	if (!x || json_is_null(x))
		return otherwise == PART_NEEDED ? err_data(e, "'%s' is not there", key) : 0;
	if (!json_is_boolean(x))
		return err_data(e, "'%s' is not true or false", key);
	*out = json_is_true(x);
	return 0;
}

int part_size(const json_t *v, const char *key, size_t otherwise, size_t *out, struct err *e)
{
	const json_t *x = json_object_get(v, key);
	*out = otherwise;
	if (!x || json_is_null(x))
		return 0;
	if (!json_is_integer(x) || json_integer_value(x) < 0)
		return err_data(e, "'%s' is not a number of things", key);
	*out = (size_t)json_integer_value(x);
	return 0;
}

int part_text(const json_t *v, const char *key, char **out, size_t *len, struct err *e)
{
	const json_t *x = json_object_get(v, key);
	*out = NULL;
	*len = 0;
	if (!x || json_is_null(x))
		return 0;
	if (!json_is_string(x))
		return err_data(e, "'%s' is not a string", key);
	*len = json_string_length(x);
	*out = mem_strndup(json_string_value(x), *len);
	return 0;
}

int part_char(const json_t *v, const char *key, uint32_t otherwise, uint32_t *out, struct err *e)
{
	const json_t *x = json_object_get(v, key);
	*out = otherwise;
	if (!x || json_is_null(x))
		return 0;
	const char *s = json_string_value(x);
	size_t i = 0;
	if (!s || !json_string_length(x) || uni_len((uint8_t)*s) != json_string_length(x))
		return err_data(e, "'%s' is not one character", key);
	*out = uni_next((const uint8_t *)s, &i);
	return 0;
}

enum { SEQUENCE_DEPTH = 8 };

static int each(const json_t *v, const char *what, const char *list, int depth,
	int (*fn)(void *arg, const char *type, const json_t *v, struct err *e), void *arg,
	struct err *e)
{
	if (!v || json_is_null(v))
		return 0;
	const char *type = json_string_value(json_object_get(v, "type"));
	if (!type)
		return err_data(e, "%s: there is no 'type'", what);
	if (strcmp(type, "Sequence") == 0) {
		const json_t *items = json_object_get(v, list), *item;
		size_t i;
		if (!json_is_array(items))
			return err_data(e, "%s: Sequence: '%s' is not an array", what, list);
		if (depth == SEQUENCE_DEPTH)
			return err_data(e, "%s: sequences in sequences deeper than %d", what,
				SEQUENCE_DEPTH);
		json_array_foreach(items, i,
			item) if (each(item, what, list, depth + 1, fn, arg, e)) return -1;
		return 0;
	}
	int rc = fn(arg, type, v, e);
	if (rc == PART_UNKNOWN)
		return err_data(e, "%s '%.60s' is not implemented", what, type);
	return rc ? err_prefix(e, "%s %s", what, type) : 0;
}

int part_each(const json_t *v, const char *what, const char *list,
	int (*fn)(void *arg, const char *type, const json_t *v, struct err *e), void *arg,
	struct err *e)
{
	return each(v, what, list, 0, fn, arg, e);
}

/* ---- tokenizer.json -------------------------------------------------------------------------------- */

/* Where a tokenizer comes from and how it is read. */
struct source {
	const char *dir;
	struct configs configs;
	int from_file;		/* there is a tokenizer.json */
	int as_classes;		/* what transformers makes of it */
	struct tokenizer *with; /* the same, but not as_classes; NULL: not there */
	char *first;		/* without tokenizer.json: the token with id 0 */
};

static int load_root(struct tokenizer *t, json_t *root, const struct model_json *model,
	const struct build *b, struct err *e)
{
	const char *version = json_string_value(json_object_get(root, "version"));
	if (version && strcmp(version, "1.0") != 0)
		return err_data(e, "version '%.20s' is not 1.0", version);
	if (norm_load(t, json_object_get(root, "normalizer"), e) ||
		pretok_load(t, json_object_get(root, "pre_tokenizer"), e) ||
		model_load(t, model, e) ||
		added_load(t, json_object_get(root, "added_tokens"), e) ||
		(b && classes_post(b, root, t, e)) ||
		post_load(t, json_object_get(root, "post_processor"), e) ||
		decoder_load(t, json_object_get(root, "decoder"), e))
		return -1;
	if (b) {
		if (json_is_true(json_object_get(root, "split_special_tokens")))
			added_split_special(&t->added);
		t->bos = classes_token(b, t, "bos_token");
		t->eos = classes_token(b, t, "eos_token");
	}
	return 0;
}

static int load_parts(struct tokenizer *t, const struct source *from, struct json_text rest,
	struct model_json model, struct err *e)
{
	struct build b = {0};
	json_t *root = json_read_bytes(rest.s, rest.len, e);
	int rc = root ? 0 : -1;
	if (root && from->as_classes)
		rc = classes_apply(&b, root, &from->configs, from->from_file, from->first, e);
	else if (root)
		t->class = classes_differ(root, &from->configs);
	model.options = json_object_get(root, "model");
	if (!rc)
		rc = load_root(t, root, &model, from->as_classes ? &b : NULL, e);
	classes_done(&b);
	json_decref(root);
	return rc;
}

/* With the compiled tables, or without them and so that they are there the next time. */
static int load_file(
	struct tokenizer *t, const struct source *from, struct json_text file, struct err *e)
{
	struct model_json model = {0};
	char after[FINGERPRINT_LEN];
	fingerprint_tokenizer_file(file.s, file.len, from->configs.tokenizer, t->fingerprint);
	int large = file.len >= COMPILED_LEAST && !from->as_classes;
	int there = large && compiled_open(t);
	if (!there && json_tables_find(file.s, file.len, &model.vocab, &model.merges, &t->rest, e))
		return -1;
	if (load_parts(t, from, (struct json_text){t->rest.s, t->rest.len}, model, e))
		return -1;
	if (large && !there && !t->model->encode) { /* BPE */
		/* Whoever writes to the file meanwhile changes nothing but this time. */
		fingerprint_tokenizer_file(file.s, file.len, from->configs.tokenizer, after);
		t->unsaved = !strcmp(t->fingerprint, after);
	}
	return 0;
}

static int open_file(struct tokenizer *t, struct source *from, struct err *e)
{
	char *path = io_path(from->dir, "tokenizer.json");
	struct mapped file;
	if (mapped_open(&file, path, e)) {
		mem_free(path);
		return -1;
	}
	int rc = file.len > FILE_LIMIT ? err_data(e, "larger than %zu bytes", FILE_LIMIT) : 0;
	if (!rc) {
		mapped_want_all(&file);
		rc = load_file(t, from, (struct json_text){file.p, file.len}, e);
	}
	if (rc)
		err_prefix(e, "%s", path);
	mem_free(path);
	mapped_close(&file);
	return rc;
}

/* ---- vocab.json and merges.txt --------------------------------------------------------------------- */

/* The lines of merges.txt as the array that tokenizer.json has. */
static void merges_array(struct str *out, const char *s, size_t len)
{
	const char *end = s + len, *next;
	str_addc(out, '[');
	for (; s < end; s = next) {
		const char *eol = memchr(s, '\n', (size_t)(end - s));
		next = eol ? eol + 1 : end;
		eol = eol ? eol : end;
		eol -= eol > s && eol[-1] == '\r';
		if (eol - s >= 8 && !memcmp(s, "#version", 8))
			continue;
		if (out->len > 1)
			str_addc(out, ',');
		json_write_string(out, s, (size_t)(eol - s));
	}
	str_addc(out, ']');
}

/* The token whose id is 0. */
static char *first_token(struct json_text vocab)
{
	struct vocab v = {0};
	struct err e = {0};
	size_t len;
	const char *s = json_tables_vocab(vocab, &v, &e) ? NULL : vocab_token(&v, 0, &len);
	char *copy = s ? mem_strndup(s, len) : NULL;
	vocab_done(&v);
	return copy;
}

static int load_tables(struct tokenizer *t, struct source *from, struct err *e)
{
	char *vocab_path = io_path(from->dir, "vocab.json");
	char *merges_path = io_path(from->dir, "merges.txt");
	struct str merges = {0};
	size_t nvocab, nmerges;
	int rc = -1;
	char *vocab = io_read_file(vocab_path, FILE_LIMIT, &nvocab, e);
	char *lines = vocab ? io_read_file(merges_path, FILE_LIMIT, &nmerges, e) : NULL;
	if (lines && (!utf8_valid(vocab, nvocab) || !utf8_valid(lines, nmerges))) {
		err_data(e, "%s: vocab.json or merges.txt is not valid UTF-8", from->dir);
	} else if (lines) {
		merges_array(&merges, lines, nmerges);
		struct model_json model = {
			.vocab = {vocab, nvocab}, .merges = {merges.s, merges.len}};
		from->first = first_token(model.vocab);
		fingerprint_tokenizer_tables(vocab, nvocab, lines, nmerges, t->fingerprint);
		rc = load_parts(t, from, (struct json_text){"{}", 2}, model, e);
		if (rc)
			err_prefix(e, "%s", from->dir);
	}
	str_done(&merges);
	mem_free(from->first);
	mem_free(vocab);
	mem_free(lines);
	mem_free(vocab_path);
	mem_free(merges_path);
	return rc;
}

/* ---- BOS and EOS ----------------------------------------------------------------------------------- */

/* A name there is a string or an object with `content`. */
static long named(const struct tokenizer *t, const json_t *config, const char *key)
{
	const json_t *v = json_object_get(config, key);
	if (json_is_object(v))
		v = json_object_get(v, "content");
	return json_is_string(v) ? tokenizer_id(t, json_string_value(v), json_string_length(v))
				 : -1;
}

static void load_names(struct tokenizer *t, const struct configs *c)
{
	for (size_t i = 0; i < t->nposts; i++) {
		const struct post *p = &t->posts[i];
		t->adds_bos |= p->nbefore > 0;
		t->adds_eos |= p->nafter > 0;
		if (p->nbefore)
			t->bos = p->before[0];
		if (p->nafter)
			t->eos = p->after[p->nafter - 1];
	}
	const json_t *const configs[] = {c->tokenizer, c->special};
	for (int i = 0; i < 2; i++) {
		if (t->bos < 0)
			t->bos = named(t, configs[i], "bos_token");
		if (t->eos < 0)
			t->eos = named(t, configs[i], "eos_token");
	}
}

/* ---- the whole ------------------------------------------------------------------------------------- */

static struct tokenizer *new_tokenizer(void)
{
	struct tokenizer *t = mem_zalloc(1, sizeof *t);
	t->bos = t->eos = -1;
	return t;
}

/* Nothing but the parts anew, where the tables are those that from->with has; NULL: they are not. */
static struct tokenizer *load_shared(const struct source *from)
{
	struct tokenizer *with = from->with;
	struct err none = {0};
	if (!with || !from->from_file || with->model->encode)
		return NULL;
	struct tokenizer *t = new_tokenizer();
	compiled_share(t, with);
	memcpy(t->fingerprint, with->fingerprint, sizeof t->fingerprint);
	if (!load_parts(t, from, (struct json_text){with->rest.s, with->rest.len},
		    (struct model_json){0}, &none))
		return t;
	tokenizer_free(t);
	return NULL;
}

static struct tokenizer *load_from(struct source *from, struct err *e)
{
	struct tokenizer *t = load_shared(from);
	if (t)
		return t;
	t = new_tokenizer();
	if (!(from->from_file ? open_file : load_tables)(t, from, e))
		return t;
	tokenizer_free(t);
	return NULL;
}

/* Other forms of a tokenizer, from which transformers makes a tokenizer.json. */
static int refuse_other_forms(const char *dir, struct err *e)
{
	static const char *const forms[] = {
		"tokenizer.model", "spiece.model", "tekken.json", "vocab.txt", NULL};
	for (size_t i = 0; forms[i]; i++) {
		char *path = io_path(dir, forms[i]);
		int there = io_exists(path);
		mem_free(path);
		if (there)
			return err_data(e,
				"%s: there is no tokenizer.json, and '%s' is not read: "
				"transformers' "
				"AutoTokenizer.from_pretrained(…).save_pretrained(…) makes one of "
				"it",
				dir, forms[i]);
	}
	return 0;
}

static int load(struct tokenizer **out, const char *dir, int as_classes, struct tokenizer *with,
	struct err *e)
{
	char *path = io_path(dir, "tokenizer.json"), *merges = io_path(dir, "merges.txt");
	struct source from = {
		.dir = dir, .from_file = io_exists(path) || !io_exists(merges), .with = with};
	from.as_classes = as_classes || !from.from_file;
	int rc = from.from_file && !io_exists(path) ? refuse_other_forms(dir, e) : 0;
	if (!rc)
		rc = configs_open(&from.configs, dir, e);
	if (!rc && !(*out = load_from(&from, e)))
		rc = -1;
	if (!rc) {
		load_names(*out, &from.configs);
		(*out)->words = words_find(*out);
	}
	configs_close(&from.configs);
	mem_free(path);
	mem_free(merges);
	return rc;
}

int tokenizer_load(struct tokenizer **t, const char *dir, struct err *e)
{
	return load(t, dir, 0, NULL, e);
}

int tokenizer_load_compat(
	struct tokenizer **t, const char *dir, struct tokenizer *with, struct err *e)
{
	return load(t, dir, 1, with, e);
}

const char *tokenizer_class(const struct tokenizer *t)
{
	return t->class;
}

const char *tokenizer_fingerprint(const struct tokenizer *t)
{
	return t->fingerprint;
}

void tokenizer_free(struct tokenizer *t)
{
	if (!t || t->refs--)
		return;
	if (t->unsaved)
		compiled_save(t);
	for (size_t i = 0; i < t->nnorms; i++)
		norm_done(&t->norms[i]);
	for (size_t i = 0; i < t->npretoks; i++)
		pretok_done(&t->pretoks[i]);
	for (size_t i = 0; i < t->nposts; i++)
		post_done(&t->posts[i]);
	for (size_t i = 0; i < t->ndecoders; i++)
		decoder_done(&t->decoders[i]);
	mem_free(t->norms);
	mem_free(t->pretoks);
	mem_free(t->posts);
	mem_free(t->decoders);
	added_done(&t->added);
	mem_free(t->words);
	compiled_close(t);
	bpe_done(&t->bpe);
	model_done(t);
	vocab_done(&t->vocab);
	str_done(&t->rest);
	mem_free(t);
}
