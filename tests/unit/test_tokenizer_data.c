/* Real tokenizers over real text, against digests of the library's answers and llama.cpp's vectors. */
#include "common/io.h"
#include "common/mem.h"
#include "common/tokenizer/tokenizer_int.h"
#include "common/tokenizer/unicode.h"
#include "tests/tap.h"
#include "common/utf8.h"

#include <zlib.h>

enum { PIECE = 16384 };

struct digest {
	unsigned long n, ids, offsets;
};

static int digest_text(
	struct encoder *enc, const char *s, size_t len, struct digest *d, struct err *e)
{
	struct encoding out = {0};
	int rc = 0;
	for (size_t at = 0, to; !rc && at < len; at = to) {
		to = at + PIECE < len ? at + PIECE : len;
		while (to < len && ((uint8_t)s[to] & 0xc0) == 0x80)
			to++;
		encoding_reset(&out);
		rc = tokenizer_encode(enc, s + at, to - at, 0, &out, e);
		d->n += out.n;
		d->ids = crc32(d->ids, (const Bytef *)out.ids, (uInt)(out.n * sizeof *out.ids));
		d->offsets = crc32(d->offsets, (const Bytef *)out.offsets,
			(uInt)(out.n * sizeof *out.offsets));
	}
	encoding_done(&out);
	return rc;
}

static void test_corpora(const char *data)
{
	FILE *f = fopen("tests/golden/tok/corpora.tsv", "r");
	char name[64], file[128], loaded[64] = "", *path;
	unsigned long n, ids, offsets;
	struct tokenizer *t = NULL;
	struct encoder *enc = NULL;
	struct err e = {0};
	int rows = 0;
	while (f && fscanf(f, "%63s %127s %lu %lx %lx", name, file, &n, &ids, &offsets) == 5) {
		if (strcmp(name, loaded) != 0) {
			encoder_free(enc);
			tokenizer_free(t);
			t = NULL;
			path = mem_printf("%s/tokenizers/%s", data, name);
			int good = tokenizer_load(&t, path, &e) == 0;
			mem_free(path);
			if (!ok(good, "%s loads", name)) {
				diag("%s", e.msg);
				fclose(f);
				return;
			}
			enc = encoder_new(t);
			snprintf(loaded, sizeof loaded, "%s", name);
		}
		size_t len;
		struct digest d = {0};
		path = mem_printf("%s/corpora/%s", data, file);
		char *text = io_read_file(path, 64 << 20, &len, &e);
		int good = text && !digest_text(enc, text, len, &d, &e);
		mem_free(path);
		mem_free(text);
		ok(good && d.n == n && d.ids == ids && d.offsets == offsets,
			"%s, %s: %lu ids and their offsets are the library's", name, file, n);
		rows++;
	}
	encoder_free(enc);
	tokenizer_free(t);
	if (f)
		fclose(f);
	ok(rows >= 10 * 12, "there were digests for ten tokenizers");
}

/* .inp: texts between separators; .out: a line of ids for each. */
static void test_vectors(const char *data, const char *vectors, const char *name)
{
	static const char cut[] = "\n__ggml_vocab_test__\n";
	struct err e = {0};
	size_t len, outlen;
	char *dir = mem_printf("%s/tokenizers/%s", data, name);
	char *in = mem_printf("%s/vectors/ggml-vocab-%s.gguf.inp", data, vectors);
	char *want = mem_printf("%s/vectors/ggml-vocab-%s.gguf.out", data, vectors);
	char *text = io_read_file(in, 1 << 20, &len, &e),
	     *ids = io_read_file(want, 1 << 20, &outlen, &e);
	struct tokenizer *t = NULL;
	int cases = 0, right = 0;
	if (text && ids && !tokenizer_load(&t, dir, &e)) {
		struct encoder *enc = encoder_new(t);
		struct encoding out = {0};
		char *line = ids, *s = text;
		for (; s <= text + len; cases++) {
			char *end = memmem(s, (size_t)(text + len - s), cut, sizeof cut - 1);
			size_t n = end ? (size_t)(end - s) : (size_t)(text + len - s), k = 0;
			encoding_reset(&out);
			int good = !tokenizer_encode(enc, s, n, 0, &out, &e);
			for (char *next; *line && *line != '\n'; line = next, k++) {
				long id = strtol(line, &next, 10);
				if (next == line)
					break;
				good &= k < out.n && out.ids[k] == (uint32_t)id;
				while (*next == ' ')
					next++;
			}
			line += *line == '\n';
			right += good && k == out.n;
			s += n + sizeof cut - 1;
		}
		encoding_done(&out);
		encoder_free(enc);
		tokenizer_free(t);
	}
	ok(cases > 40 && right == cases, "%s: %d of %d of llama.cpp's vectors", name, right, cases);
	mem_free(text);
	mem_free(ids);
	mem_free(dir);
	mem_free(in);
	mem_free(want);
}

/* Merging from whole characters gives what merging from bytes gives: random texts of the characters that the model
 * begins with, of their neighbours, and of any. */
static void test_ready(const char *data, const char *name)
{
	struct tokenizer *t;
	struct err e = {0};
	char *dir = mem_printf("%s/tokenizers/%s", data, name);
	uint32_t *none = mem_zalloc(BPE_CHARS, sizeof *none), seed = 1, chars = 0;
	int same = !tokenizer_load(&t, dir, &e);
	mem_free(dir);
	if (!ok(same, "%s loads again", name))
		return;
	uint32_t *ready = t->bpe.ready, *list = mem_alloc(BPE_CHARS, sizeof *list);
	for (uint32_t c = 0; c < BPE_CHARS; c++)
		if (ready[c])
			list[chars++] = c;
	struct encoder *whole = encoder_new(t), *bytes_only = encoder_new(t);
	struct encoding a = {.ids_only = 1}, b = {.ids_only = 1};
	struct str s = {0};
	for (int i = 0; same && chars && i < 60000; i++) {
		str_reset(&s);
		for (int n = 1 + i % 23; n; n--) {
			char bytes[4];
			seed = seed * 1664525u + 1013904223u;
			uint32_t r = seed >> 8, c = list[r % chars];
			if (r % 5 == 0)
				c = c > 0x80 ? c + 1 : c;
			if (r % 11 == 0)
				c = r % 3 ? ' ' : 'a' + r % 26;
			if (c >= 0xd800 && c < 0xe000)
				c = 'x';
			str_add(&s, bytes, utf8_put(c, bytes));
		}
		a.n = b.n = 0;
		same = !tokenizer_encode(whole, s.s, s.len, 0, &a, &e);
		t->bpe.ready = none;
		same &= !tokenizer_encode(bytes_only, s.s, s.len, 0, &b, &e) && a.n == b.n &&
			!memcmp(a.ids, b.ids, a.n * sizeof *a.ids);
		t->bpe.ready = ready;
		if (!same)
			diag("'%s'", s.s);
	}
	ok(same && chars > 100, "%s: %u characters may be merged whole first", name,
		(unsigned)chars);
	encoding_done(&a);
	encoding_done(&b);
	str_done(&s);
	encoder_free(whole);
	encoder_free(bytes_only);
	mem_free(list);
	mem_free(none);
	tokenizer_free(t);
}

int main(void)
{
	const char *data = tap_data();
	if (!data) {
		tap_skip("real tokenizers over real text", "SLUICE_TEST_DATA is not set");
		return tap_done();
	}
	test_vectors(data, "llama-bpe", "llama-3.2");
	test_vectors(data, "qwen2", "qwen2.5");
	test_vectors(data, "gpt-2", "gpt2-hf");
	test_vectors(data, "phi-3", "phi-3-mini");
	test_ready(data, "llama-3.2");
	test_ready(data, "qwen2.5");
	test_ready(data, "gpt2-hf");
	test_corpora(data);
	return tap_done();
}
