/*
 * How fast text becomes ids, in seconds of one core (so that a busy machine matters little): opening the
 * tokenizer, a whole file at once, and documents of a kilobyte; each the best of five passes, the first pass
 * apart. Real data from SLUICE_TEST_DATA.
 */
#include "common/io.h"
#include "common/mem.h"
#include "common/tokenizer/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds for all of s in pieces of about `piece` bytes. */
static double pass(
	struct encoder *enc, struct encoding *out, const char *s, size_t len, size_t piece)
{
	struct err e = {0};
	double from = now();
	for (size_t at = 0, to; at < len; at = to) {
		to = at + piece < len ? at + piece : len;
		while (to < len && ((unsigned char)s[to] & 0xc0) == 0x80)
			to++;
		encoding_reset(out);
		if (tokenizer_encode(enc, s + at, to - at, 0, out, &e)) {
			fprintf(stderr, "%s\n", e.msg);
			exit(1);
		}
	}
	return now() - from;
}

static void measure(const struct tokenizer *t, const char *data, const char *name)
{
	struct err e = {0};
	size_t len;
	char *path = mem_printf("%s/corpora/%s", data, name),
	     *s = io_read_file(path, 64 << 20, &len, &e);
	mem_free(path);
	if (!s)
		return;
	struct encoder *enc = encoder_new(t);
	struct encoding out = {0};
	double first = pass(enc, &out, s, len, len), whole = first, small = 1e9;
	for (int i = 0; i < 5; i++) {
		double w = pass(enc, &out, s, len, len), d = pass(enc, &out, s, len, 1000);
		whole = w < whole ? w : whole;
		small = d < small ? d : small;
	}
	double mb = (double)len / 1e6;
	printf("  %-32s %6.2f MB %8.0f %8.0f %8.0f\n", name, mb, mb / first, mb / whole,
		mb / small);
	encoding_done(&out);
	encoder_free(enc);
	mem_free(s);
}

int main(void)
{
	static const char *const names[] = {
		"llama-3.2", "qwen2.5", "smollm2", "tinyllama", "phi-3-mini", "gpt2-hf", NULL};
	static const char *const files[] = {"war-and-peace.txt", "udhr_selected_full.txt",
		"code/humaneval-python.jsonl", "code/humaneval-cpp.jsonl", NULL};
	const char *data = getenv("SLUICE_TEST_DATA");
	if (!data || !*data) {
		printf("tokenizer: needs SLUICE_TEST_DATA\n");
		return 0;
	}
	printf("tokenizer: MB/s a core                        first    whole     1 kB\n");
	for (int i = 0; names[i]; i++) {
		struct err e = {0};
		struct tokenizer *t;
		char *dir = mem_printf("%s/tokenizers/%s", data, names[i]);
		double from = now();
		if (!tokenizer_load(&t, dir, &e)) {
			printf("%s: opened in %.0f ms\n", names[i], 1e3 * (now() - from));
			for (int k = 0; files[k]; k++)
				measure(t, data, files[k]);
			tokenizer_free(t);
		}
		mem_free(dir);
	}
	return 0;
}
