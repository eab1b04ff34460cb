/* Every part of tokenizer.json that is implemented, against the library's answers (golden/tok/parts.jsonl). */
#include "common/json.h"
#include "common/mem.h"
#include "common/tokenizer/tokenizer.h"
#include "tests/tap.h"

#include <unistd.h>

static char dir[] = "/tmp/sluice-parts-XXXXXX";

static int same_text(const json_t *want, const struct str *got)
{
	return json_string_length(want) == got->len &&
	       (!got->len || !memcmp(json_string_value(want), got->s, got->len));
}

static int same_encoding(const json_t *c, const struct encoding *got)
{
	const json_t *ids = json_object_get(c, "ids"), *offsets = json_object_get(c, "offsets");
	if (json_array_size(ids) != got->n)
		return 0;
	for (size_t i = 0; i < got->n; i++)
		if (json_integer_value(json_array_get(ids, i)) != got->ids[i] ||
			json_integer_value(json_array_get(offsets, 2 * i)) != got->offsets[i][0] ||
			json_integer_value(json_array_get(offsets, 2 * i + 1)) !=
				got->offsets[i][1])
			return 0;
	return 1;
}

static int check_case(struct encoder *enc, const json_t *c)
{
	struct encoding got = {0};
	struct str decoded = {0}, skipped = {0};
	struct err e = {0};
	const json_t *text = json_object_get(c, "text");
	const json_t *plain_text = json_object_get(c, "decoded");
	const json_t *skipped_text = json_object_get(c, "skipped"); /* not there: the same */
	const char *s = json_string_value(text);
	size_t n = json_string_length(text);
	int good = 0;
	if (tokenizer_encode(enc, s, n, 1, &got, &e) ||
		tokenizer_decode(enc, got.ids, got.n, 0, &decoded, &e) ||
		tokenizer_decode(enc, got.ids, got.n, 1, &skipped, &e)) {
		diag("%s", e.msg);
	} else {
		good = same_encoding(c, &got) && same_text(plain_text, &decoded) &&
		       same_text(skipped_text ? skipped_text : plain_text, &skipped);
		struct encoding plain = {0};
		good &= !tokenizer_encode(enc, s, n, 0, &plain, &e) &&
			(size_t)json_integer_value(json_object_get(c, "plain")) == plain.n;
		encoding_done(&plain);
	}
	if (!good) {
		struct str line = {0};
		for (size_t i = 0; i < got.n; i++)
			str_addf(&line, " %u[%u,%u]", got.ids[i], got.offsets[i][0],
				got.offsets[i][1]);
		diag("text '%s': got%s, '%s', '%s'", s, line.s ? line.s : "",
			decoded.s ? decoded.s : "", skipped.s ? skipped.s : "");
		str_reset(&line);
		json_write(&line, c, 1);
		diag("wanted %s", line.s);
		str_done(&line);
	}
	encoding_done(&got);
	str_done(&decoded);
	str_done(&skipped);
	return good;
}

/* models: of the lines before. A line's model may be the number of one of them. */
static void check_line(const char *line, size_t len, json_t *models)
{
	struct err e = {0};
	json_t *row = json_read_bytes(line, len, &e), *c;
	json_t *config = json_object_get(row, "tokenizer"),
	       *model = json_object_get(config, "model");
	if (json_is_integer(model))
		json_object_set(
			config, "model", json_array_get(models, (size_t)json_integer_value(model)));
	json_array_append(models, json_object_get(config, "model"));
	if (!row) {
		ok(0, "a line is JSON: %s", e.msg);
		return;
	}
	char path[200];
	snprintf(path, sizeof path, "%s/tokenizer.json", dir);
	FILE *f = fopen(path, "w");
	if (f) {
		json_dumpf(config, f, JSON_COMPACT);
		fclose(f);
	}
	struct tokenizer *t;
	const char *name = json_string_value(json_object_get(row, "name"));
	int good = tokenizer_load(&t, dir, &e) == 0;
	if (!good) {
		diag("%s", e.msg);
	} else {
		struct encoder *enc = encoder_new(t);
		size_t i;
		json_array_foreach(json_object_get(row, "cases"), i, c) good &= check_case(enc, c);
		encoder_free(enc);
		tokenizer_free(t);
	}
	ok(good, "%s: ids, offsets and texts are the library's", name);
	json_decref(row);
	unlink(path);
}

int main(void)
{
	FILE *f = fopen("tests/golden/tok/parts.jsonl", "r");
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	json_t *models = json_array();
	if (!f || !mkdtemp(dir)) {
		ok(0, "the golden file and a directory to write in are there");
		return tap_done();
	}
	while ((n = getline(&line, &cap, f)) > 0)
		check_line(line, (size_t)n, models);
	json_decref(models);
	free(line);
	fclose(f);
	rmdir(dir);
	return tap_done();
}
