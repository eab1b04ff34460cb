/*
 * What is hashed, and in which order, is the fingerprint's definition: every item is preceded by
 * its length, so that no two different sequences of items are the same bytes. JSON files go in with
 * their keys sorted, without those that say who wrote them; tensors in the order of their names, so
 * that resharding changes nothing.
 */
#include "common/fingerprint.h"

#include "common/io.h"
#include "common/json.h"
#include "common/mapped.h"
#include "common/mem.h"
#include "common/safetensors.h"

#include <stdio.h>
#include <string.h>

#include <xxhash.h>

/* Of a tensor above SAMPLES * SAMPLE bytes only evenly spread samples are read: a page fault each,
 * which keeps a cold model in milliseconds. */
enum { SAMPLES = 4, SAMPLE = 256 };

struct fingerprint {
	XXH3_state_t *x;
};

struct fingerprint *fingerprint_new(void)
{
	struct fingerprint *f = mem_alloc(1, sizeof *f);
	f->x = XXH3_createState();
	if (!f->x)
		mem_mul(SIZE_MAX, 2); /* out of memory */
	XXH3_128bits_reset(f->x);
	return f;
}

static void add_bytes(struct fingerprint *f, const void *p, size_t n)
{
	if (n)
		XXH3_128bits_update(f->x, p, n);
}

static void add_size(struct fingerprint *f, size_t n)
{
	uint8_t b[8];
	for (int i = 0; i < 8; i++)
		b[i] = (uint8_t)((uint64_t)n >> 8 * i);
	add_bytes(f, b, sizeof b);
}

void fingerprint_add(struct fingerprint *f, const void *p, size_t n)
{
	add_size(f, n);
	add_bytes(f, p, n);
}

void fingerprint_end(struct fingerprint *f, char out[FINGERPRINT_LEN])
{
	XXH128_canonical_t c;
	XXH128_canonicalFromHash(&c, XXH3_128bits_digest(f->x));
	for (size_t i = 0; i < sizeof c.digest; i++)
		snprintf(out + 2 * i, 3, "%02x", c.digest[i]);
	XXH3_freeState(f->x);
	mem_free(f);
}

static void add_string(struct fingerprint *f, const char *s)
{
	fingerprint_add(f, s, strlen(s));
}

/* The value without `drop` (NULL-terminated keys of the top level). */
static void add_json(struct fingerprint *f, json_t *v, const char *const *drop)
{
	for (; *drop; drop++)
		json_object_del(v, *drop);
	struct str text = {0};
	json_write_pretty(&text, v, 1);
	fingerprint_add(f, text.s, text.len);
	str_done(&text);
}

static int add_json_file(struct fingerprint *f, const char *dir, const char *name,
	const char *const *drop, struct err *e)
{
	char *path = io_path(dir, name);
	json_t *v = json_read_file(path, e);
	mem_free(path);
	if (!v)
		return -1;
	add_json(f, v, drop);
	json_decref(v);
	return 0;
}

static void add_tensor(struct fingerprint *f, const struct st_tensor *t, int full)
{
	add_string(f, t->name);
	add_string(f, dtype_info[t->dtype].st_name);
	add_size(f, t->rank);
	for (size_t i = 0; i < t->rank; i++)
		add_size(f, t->shape[i]);
	const char *p = t->data;
	if (full || t->bytes <= SAMPLES * SAMPLE) {
		add_bytes(f, p, t->bytes);
		return;
	}
	size_t last = t->bytes - SAMPLE;
	for (size_t i = 0; i < SAMPLES; i++)
		add_bytes(f, p + last / (SAMPLES - 1) * i, SAMPLE);
	st_release(p, t->bytes);
}

static void add_tensors(struct fingerprint *f, const struct st *s, int full)
{
	add_size(f, s->n);
	for (size_t i = 0; i < s->n; i++)
		add_tensor(f, &s->t[i], full);
}

static void discard(struct fingerprint *f)
{
	char unused[FINGERPRINT_LEN];
	fingerprint_end(f, unused);
}

int fingerprint_model(const char *dir, int full, char out[FINGERPRINT_LEN], struct err *e)
{
	static const char *const drop[] = {"_name_or_path", "transformers_version", NULL};
	struct st s;
	if (st_open_dir(&s, dir, e))
		return -1;
	struct fingerprint *f = fingerprint_new();
	int rc = add_json_file(f, dir, "config.json", drop, e);
	if (rc) {
		discard(f);
	} else {
		add_tensors(f, &s, full);
		fingerprint_end(f, out);
	}
	st_close(&s);
	return rc;
}

int fingerprint_adapter(const char *dir, char out[FINGERPRINT_LEN], struct err *e)
{
	static const char *const drop[] = {"auto_mapping", "base_model_name_or_path",
		"inference_mode", "peft_version", "revision", NULL};
	struct st s;
	char *path = io_path(dir, "adapter_model.safetensors");
	int rc = st_open_file(&s, path, e);
	mem_free(path);
	if (rc)
		return -1;
	struct fingerprint *f = fingerprint_new();
	rc = add_json_file(f, dir, "adapter_config.json", drop, e);
	if (rc) {
		discard(f);
	} else {
		add_tensors(f, &s, 1);
		fingerprint_end(f, out);
	}
	st_close(&s);
	return rc;
}

/* A special token is a string or an object with its "content". */
static const char *token_text(const json_t *config, const char *key)
{
	const json_t *v = json_object_get(config, key);
	const char *s = json_string_value(json_is_object(v) ? json_object_get(v, "content") : v);
	return s ? s : "";
}

static const char *flag_text(const json_t *config, const char *key)
{
	const json_t *v = json_object_get(config, key);
	return json_is_true(v) ? "true" : json_is_false(v) ? "false" : "";
}

void fingerprint_tokenizer_file(
	const void *p, size_t len, const json_t *config, char out[FINGERPRINT_LEN])
{
	struct fingerprint *f = fingerprint_new();
	fingerprint_add(f, p, len);
	add_string(f, token_text(config, "bos_token"));
	add_string(f, token_text(config, "eos_token"));
	add_string(f, flag_text(config, "add_bos_token"));
	add_string(f, flag_text(config, "add_eos_token"));
	fingerprint_end(f, out);
}

void fingerprint_tokenizer_tables(const void *vocab, size_t nvocab, const void *merges,
	size_t nmerges, char out[FINGERPRINT_LEN])
{
	struct fingerprint *f = fingerprint_new();
	fingerprint_add(f, vocab, nvocab);
	fingerprint_add(f, merges, nmerges);
	fingerprint_end(f, out);
}

static int map_file(struct mapped *m, const char *dir, const char *name, struct err *e)
{
	char *path = io_path(dir, name);
	int rc = mapped_open(m, path, e);
	mem_free(path);
	return rc;
}

static int of_file(const char *dir, char out[FINGERPRINT_LEN], struct err *e)
{
	char *path = io_path(dir, "tokenizer_config.json");
	json_t *config = NULL;
	struct mapped file = {0};
	int rc = io_exists(path) && !(config = json_read_file(path, e)) ? -1 : 0;
	mem_free(path);
	if (!rc)
		rc = map_file(&file, dir, "tokenizer.json", e);
	if (!rc)
		fingerprint_tokenizer_file(file.p, file.len, config, out);
	mapped_close(&file);
	json_decref(config);
	return rc;
}

static int of_tables(const char *dir, char out[FINGERPRINT_LEN], struct err *e)
{
	struct mapped vocab = {0}, merges = {0};
	int bad = map_file(&vocab, dir, "vocab.json", e) || map_file(&merges, dir, "merges.txt", e);
	if (!bad)
		fingerprint_tokenizer_tables(vocab.p, vocab.len, merges.p, merges.len, out);
	mapped_close(&vocab);
	mapped_close(&merges);
	return bad ? -1 : 0;
}

static int has(const char *dir, const char *name)
{
	char *path = io_path(dir, name);
	int there = io_exists(path);
	mem_free(path);
	return there;
}

int fingerprint_tokenizer(const char *dir, char out[FINGERPRINT_LEN], struct err *e)
{
	int tables = !has(dir, "tokenizer.json") && has(dir, "merges.txt");
	return (tables ? of_tables : of_file)(dir, out, e);
}

int fingerprint_tokenizer_if_any(const char *dir, char out[FINGERPRINT_LEN], struct err *e)
{
	out[0] = 0;
	return has(dir, "tokenizer.json") || has(dir, "merges.txt")
		       ? fingerprint_tokenizer(dir, out, e)
		       : 0;
}

void fingerprint_compat(char print[FINGERPRINT_LEN])
{
	struct fingerprint *f = fingerprint_new();
	add_string(f, print);
	add_string(f, "transformers");
	fingerprint_end(f, print);
}

void fingerprint_either(char print[FINGERPRINT_LEN], const char *theirs)
{
	char compat[FINGERPRINT_LEN];
	memcpy(compat, print, sizeof compat);
	fingerprint_compat(compat);
	if (theirs && !strcmp(theirs, compat))
		memcpy(print, compat, sizeof compat);
}
