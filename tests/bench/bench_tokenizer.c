/*
 * How fast text becomes ids, in seconds of one core (so that a busy machine matters little).
 *
 *	bench_tokenizer DIR FILE…	a line a file: name, seconds to load, MB/s of the first pass and of the best
 *					of the later ones over documents of a thousand characters, how many ids, their
 *					CRC-32 (as tests/oracle/tok_speed.py), MB/s with offsets, of the file at once
 *	bench_tokenizer			the tokenizers and texts of SLUICE_TEST_DATA, as a table
 */
#include "common/io.h"
#include "common/mem.h"
#include "common/tokenizer/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

enum { PASSES = 7, DOCUMENT = 1000 };

struct text {
	char *s;
	size_t len, *ends, n, cap; /* documents end where lines do */
};

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int read_text(struct text *t, const char *path)
{
	struct err e;
	*t = (struct text){0};
	t->s = io_read_file(path, 64 << 20, &t->len, &e);
	size_t chars = 0;
	for (size_t i = 0; t->s && i < t->len; i++) {
		chars += ((unsigned char)t->s[i] & 0xc0) != 0x80;
		if ((t->s[i] != '\n' || chars < DOCUMENT) && i + 1 < t->len)
			continue;
		mem_grow(&t->ends, &t->cap, t->n + 1, sizeof *t->ends);
		t->ends[t->n++] = i + 1;
		chars = 0;
	}
	return t->s ? 0 : -1;
}

static void encode(
	struct encoder *enc, const struct text *t, size_t from, size_t to, struct encoding *out)
{
	struct err e = {0};
	if (tokenizer_encode(enc, t->s + from, to - from, 0, out, &e)) {
		fprintf(stderr, "%s\n", e.msg);
		exit(1);
	}
}

static double pass(struct encoder *enc, const struct text *t, struct encoding *out)
{
	double from = now();
	for (size_t i = 0; i < t->n; i++) {
		encoding_reset(out);
		encode(enc, t, i ? t->ends[i - 1] : 0, t->ends[i], out);
	}
	return now() - from;
}

struct figures {
	double first, ids, offsets, whole; /* MB/s */
	size_t n;
	unsigned long crc;
};

static void least(double *best, double s)
{
	*best = s < *best ? s : *best;
}

static void measure(const struct tokenizer *t, const struct text *text, struct figures *f)
{
	struct encoder *enc = encoder_new(t);
	struct encoding out = {.ids_only = 1}, full = {0}, all = {.ids_only = 1};
	double mb = (double)text->len / 1e6, ids = 1e9, offsets = 1e9, whole = 1e9;
	*f = (struct figures){.first = mb / pass(enc, text, &out)};
	for (int i = 0; i < PASSES; i++) {
		least(&ids, pass(enc, text, &out));
		least(&offsets, pass(enc, text, &full));
		double from = now();
		encoding_reset(&all);
		encode(enc, text, 0, text->len, &all);
		least(&whole, now() - from);
	}
	f->ids = mb / ids;
	f->offsets = mb / offsets;
	f->whole = mb / whole;
	for (size_t i = 0; i < text->n; i++) {
		encoding_reset(&out);
		encode(enc, text, i ? text->ends[i - 1] : 0, text->ends[i], &out);
		f->crc = crc32_z(f->crc, (const Bytef *)out.ids, out.n * sizeof *out.ids);
		f->n += out.n;
	}
	encoding_done(&out);
	encoding_done(&full);
	encoding_done(&all);
	encoder_free(enc);
}

/* One line a file; table: for people. */
static void measure_files(const char *dir, char *const *files, int table)
{
	struct tokenizer *t;
	struct err e = {0};
	double from = now();
	if (tokenizer_load(&t, dir, &e)) {
		fprintf(stderr, "%s\n", e.msg);
		return;
	}
	double load = now() - from;
	if (table)
		printf("%s, opened in %.1f ms\n", strrchr(dir, '/') + 1, 1e3 * load);
	for (; *files; files++) {
		struct text text;
		struct figures f;
		const char *slash = strrchr(*files, '/'), *name = slash ? slash + 1 : *files;
		if (!read_text(&text, *files)) {
			measure(t, &text, &f);
			if (table)
				printf("  %-24s %6.2f MB %8.0f %8.0f %8.0f %8.0f\n", name,
					(double)text.len / 1e6, f.first, f.ids, f.offsets, f.whole);
			else
				printf("%s\t%.5f\t%.1f\t%.1f\t%zu\t%08lx\t%.1f\t%.1f\n", name, load,
					f.first, f.ids, f.n, f.crc, f.offsets, f.whole);
		}
		mem_free(text.s);
		mem_free(text.ends);
	}
	tokenizer_free(t);
}

int main(int argc, char **argv)
{
	static const char *const names[] = {
		"llama-3.2", "qwen2.5", "smollm2", "tinyllama", "phi-3-mini", "gpt2-hf", NULL};
	static const char *const texts[] = {"war-and-peace.txt", "udhr_selected_full.txt",
		"code/humaneval-python.jsonl", "code/humaneval-cpp.jsonl"};
	const char *data = getenv("SLUICE_TEST_DATA");
	if (argc > 2) {
		measure_files(argv[1], argv + 2, 0);
		return 0;
	}
	if (!data || !*data) {
		printf("tokenizer: needs SLUICE_TEST_DATA\n");
		return 0;
	}
	char *files[5] = {0};
	for (int i = 0; i < 4; i++)
		files[i] = mem_printf("%s/corpora/%s", data, texts[i]);
	printf("tokenizer: MB/s a core, documents of 1 kB         first      ids  offsets    "
	       "whole\n");
	for (int i = 0; names[i]; i++) {
		char *dir = mem_printf("%s/tokenizers/%s", data, names[i]);
		measure_files(dir, files, 1);
		mem_free(dir);
	}
	for (int i = 0; i < 4; i++)
		mem_free(files[i]);
	return 0;
}
