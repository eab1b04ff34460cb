/* A tokenizer directory → struct tokenizer. Each part is read by its own file; this one knows the order. */
#include "common/tokenizer/tokenizer_int.h"

#include "common/io.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/tokenizer/compiled.h"
#include "common/tokenizer/model.h"
#include "common/tokenizer/unicode.h"

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

static int load_parts(
	struct tokenizer *t, struct json_text rest, struct model_json model, struct err *e)
{
	json_t *root = json_read_bytes(rest.s, rest.len, e);
	if (!root)
		return -1;
	model.options = json_object_get(root, "model");
	const char *version = json_string_value(json_object_get(root, "version"));
	int rc = -1;
	if (version && strcmp(version, "1.0") != 0)
		err_data(e, "version '%.20s' is not 1.0", version);
	else if (!norm_load(t, json_object_get(root, "normalizer"), e) &&
		 !pretok_load(t, json_object_get(root, "pre_tokenizer"), e) &&
		 !model_load(t, &model, e) &&
		 !added_load(t, json_object_get(root, "added_tokens"), e) &&
		 !post_load(t, json_object_get(root, "post_processor"), e) &&
		 !decoder_load(t, json_object_get(root, "decoder"), e))
		rc = 0;
	json_decref(root);
	return rc;
}

static int parse_file(struct tokenizer *t, struct json_text file, struct str *rest, struct err *e)
{
	struct model_json model = {0};
	if (json_tables_find(file.s, file.len, &model.vocab, &model.merges, rest, e))
		return -1;
	return load_parts(t, (struct json_text){rest->s, rest->len}, model, e);
}

static void make_key(struct json_text file, char key[FINGERPRINT_LEN])
{
	struct fingerprint *f = fingerprint_new();
	fingerprint_add(f, file.s, file.len);
	fingerprint_end(f, key);
}

/* With the compiled tables, or without them and so that they are there the next time. */
static int load_file(struct tokenizer *t, struct json_text file, struct err *e)
{
	struct json_text known;
	struct str rest = {0};
	char key[FINGERPRINT_LEN], after[FINGERPRINT_LEN];
	int large = file.len >= COMPILED_LEAST;
	if (large)
		make_key(file, key);
	if (large && compiled_open(t, key, &known))
		return load_parts(t, known, (struct model_json){0}, e);
	int rc = parse_file(t, file, &rest, e);
	if (!rc && large && !t->model->encode) { /* BPE */
		/* Whoever writes to the file meanwhile changes nothing but this time. */
		make_key(file, after);
		if (!strcmp(key, after))
			compiled_save(t, key, (struct json_text){rest.s, rest.len});
	}
	str_done(&rest);
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

static int load_names(struct tokenizer *t, const char *dir, struct err *e)
{
	static const char *const files[] = {"tokenizer_config.json", "special_tokens_map.json"};
	for (size_t i = 0; i < t->nposts; i++) {
		const struct post *p = &t->posts[i];
		t->adds_bos |= p->nbefore > 0;
		t->adds_eos |= p->nafter > 0;
		if (p->nbefore)
			t->bos = p->before[0];
		if (p->nafter)
			t->eos = p->after[p->nafter - 1];
	}
	for (int i = 0; i < 2; i++) {
		char *path = io_path(dir, files[i]);
		json_t *config = NULL;
		int there = io_exists(path);
		if (there)
			config = json_read_file(path, e);
		mem_free(path);
		if (there && !config)
			return -1;
		if (t->bos < 0)
			t->bos = named(t, config, "bos_token");
		if (t->eos < 0)
			t->eos = named(t, config, "eos_token");
		if (json_is_true(json_object_get(config, "add_bos_token")) && t->bos >= 0)
			t->adds_bos = 1;
		json_decref(config);
	}
	return 0;
}

/* ---- the whole ------------------------------------------------------------------------------------- */

int tokenizer_load(struct tokenizer **out, const char *dir, struct err *e)
{
	char *path = io_path(dir, "tokenizer.json");
	struct mapped file;
	if (mapped_open(&file, path, e)) {
		mem_free(path);
		return -1;
	}
	struct tokenizer *t = mem_zalloc(1, sizeof *t);
	t->bos = t->eos = -1;
	int rc = file.len > FILE_LIMIT ? err_data(e, "larger than %zu bytes", FILE_LIMIT)
				       : load_file(t, (struct json_text){file.p, file.len}, e);
	if (rc)
		err_prefix(e, "%s", path);
	else
		rc = load_names(t, dir, e);
	mapped_close(&file);
	mem_free(path);
	if (rc) {
		tokenizer_free(t);
		return -1;
	}
	*out = t;
	return 0;
}

void tokenizer_free(struct tokenizer *t)
{
	if (!t)
		return;
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
	compiled_close(t);
	bpe_done(&t->bpe);
	model_done(t);
	vocab_done(&t->vocab);
	mem_free(t);
}
