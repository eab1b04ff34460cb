/* What changes a fingerprint, and what does not. */
#include "common/fingerprint.h"

#include "common/io.h"
#include "common/mem.h"
#include "common/modeldir.h"
#include "tests/tap.h"

#include <unistd.h>

enum { BIG = 100000 };

static char scratch[] = "/tmp/test_fingerprint.XXXXXX";
static struct err err;
static char big[BIG];
static struct st_tensor table[] = {
	{.name = (char *)"a", .dtype = DT_U8, .shape = {BIG}, .rank = 1, .data = big},
	{.name = (char *)"b", .dtype = DT_U8, .shape = {4}, .rank = 1, .data = "four", .file = 1},
};

static char *in(const char *name)
{
	return mem_printf("%s/%s", scratch, name);
}

static void put(const char *name, const char *text)
{
	char *path = in(name);
	FILE *f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f))
		exit(3);
	mem_free(path);
}

/* Writes the table as a model directory in `shards` files and names it. */
static void model(const char *config, size_t shards, int full, char out[FINGERPRINT_LEN])
{
	struct outdir d;
	struct weights_writer *w;
	char *path = in("model");
	table[1].file = shards - 1;
	int rc = outdir_open(&d, path, 0, &err) ||
		 modeldir_write(&d, "config.json", config, strlen(config), &err);
	for (size_t i = 0; i < 2; i++)
		st_size(&table[i], &err);
	rc = rc || weights_create(&w, &d, table, 2, shards, &err);
	for (size_t i = 0; i < 2 && !rc; i++)
		rc = weights_put(w, i, 0, table[i].data, table[i].bytes, &err);
	rc = rc || weights_finish(w, &err) || outdir_commit(&d, &err) ||
	     fingerprint_model(path, full, out, &err);
	if (rc)
		diag("%s", err.msg);
	mem_free(path);
}

static void test_model(void)
{
	char first[FINGERPRINT_LEN], other[FINGERPRINT_LEN], full[FINGERPRINT_LEN];
	model("{\"a\": 1, \"b\": [2]}", 1, 0, first);
	is_int((long long)strlen(first), 32, "32 digits");
	model("{\"b\":[2],\n\"a\":1, \"transformers_version\": \"9\"}", 2, 0, other);
	is_str(other, first, "shards, key order, blanks and the writer's version change nothing");
	model("{\"a\": 1, \"b\": [3]}", 1, 0, other);
	ok(strcmp(other, first) != 0, "a value of config.json does");
	model("{\"a\": 1, \"b\": [2]}", 1, 1, full);
	big[BIG - 1] = 1;
	model("{\"a\": 1, \"b\": [2]}", 1, 0, other);
	ok(strcmp(other, first) != 0, "so does a sampled byte");
	big[BIG - 1] = 0;
	big[1000] = 1;
	model("{\"a\": 1, \"b\": [2]}", 1, 0, other);
	is_str(other, first, "a byte between the samples does not");
	model("{\"a\": 1, \"b\": [2]}", 1, 1, other);
	ok(strcmp(other, full) != 0, "unless all are asked for");
	big[1000] = 0;
	table[1].data = "five";
	model("{\"a\": 1, \"b\": [2]}", 1, 0, other);
	ok(strcmp(other, first) != 0, "small tensors are read whole");
	table[1].name = (char *)"c";
	table[1].data = "four";
	model("{\"a\": 1, \"b\": [2]}", 1, 0, other);
	ok(strcmp(other, first) != 0, "names count");
}

static void test_tokenizer(void)
{
	char a[FINGERPRINT_LEN], b[FINGERPRINT_LEN];
	ok(fingerprint_tokenizer(scratch, a, &err) == -1 && err.status == STATUS_SYSTEM,
		"no tokenizer.json");
	put("tokenizer.json", "{\"model\": {}}");
	ok(!fingerprint_tokenizer(scratch, a, &err), "tokenizer.json alone");
	put("tokenizer_config.json", "{\"model_max_length\": 7, \"chat_template\": \"x\"}");
	ok(!fingerprint_tokenizer(scratch, b, &err) && !strcmp(a, b),
		"a config that says nothing of ids changes nothing");
	put("tokenizer_config.json", "{\"bos_token\": \"<s>\", \"add_bos_token\": true}");
	ok(!fingerprint_tokenizer(scratch, b, &err) && strcmp(a, b) != 0, "its BOS does");
	put("tokenizer_config.json", "{\"add_bos_token\": true, \"bos_token\": {\"content\": "
				     "\"<s>\", \"lstrip\": false}}");
	ok(!fingerprint_tokenizer(scratch, a, &err) && !strcmp(a, b), "in either spelling");
	put("tokenizer.json", "{\"model\":{}}");
	ok(!fingerprint_tokenizer(scratch, a, &err) && strcmp(a, b) != 0, "so does every byte");
	put("tokenizer_config.json", "{");
	ok(fingerprint_tokenizer(scratch, a, &err) == -1 && err.status == STATUS_DATA,
		"a broken config is an error");
}

int main(void)
{
	if (!mkdtemp(scratch))
		return 3;
	test_model();
	test_tokenizer();
	char *cmd = mem_printf("rm -rf '%s'", scratch);
	int rc = system(cmd);
	mem_free(cmd);
	return tap_done() || rc;
}
