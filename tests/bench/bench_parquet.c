/*
 * How fast a Parquet file becomes rows of JSON text, in seconds of one core; the best of five passes.
 * BENCH_PARQUET names the file; without it the real ones of SLUICE_TEST_DATA, which are small.
 */
#include "common/mem.h"
#include "tools/tmpl/parquet.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void stop(const struct err *e)
{
	fprintf(stderr, "%s\n", e->msg);
	exit(1);
}

/* Bytes of text. */
static size_t pass(const char *path, size_t *rows)
{
	struct err e = {0};
	struct input *in;
	struct parquet *p;
	struct str row = {0};
	size_t bytes = 0;
	int got;
	if (input_open(&in, path, 0, &e) < 0 || parquet_open(&p, in, &e) < 0)
		stop(&e);
	for (*rows = 0; (got = parquet_next(p, &row, &e)) == 1; ++*rows)
		bytes += row.len + 1;
	if (got < 0)
		stop(&e);
	parquet_close(p);
	input_close(in);
	str_done(&row);
	return bytes;
}

static void measure(const char *path)
{
	size_t rows, bytes = 0;
	double best = 1e9;
	for (int i = 0; i < 5; i++) {
		double from = now();
		bytes = pass(path, &rows);
		double took = now() - from;
		best = took < best ? took : best;
	}
	printf("  %-60s %8zu rows %8.1f MB of text %8.0f MB/s a core\n", path, rows,
		(double)bytes / 1e6, (double)bytes / 1e6 / best);
}

int main(void)
{
	static const char *const files[] = {"shapes/orpo_dpo_mix", "shapes/ultrafeedback_binarized",
		"ms_marco_v2.1_validation_10"};
	const char *one = getenv("BENCH_PARQUET"), *data = getenv("SLUICE_TEST_DATA");
	printf("parquet: rows as JSON text\n");
	if (one && *one) {
		measure(one);
		return 0;
	}
	if (!data || !*data)
		printf("  needs BENCH_PARQUET or SLUICE_TEST_DATA\n");
	for (size_t i = 0; data && *data && i < sizeof files / sizeof *files; i++) {
		char *path = mem_printf("%s/datasets/%s.parquet", data, files[i]);
		measure(path);
		mem_free(path);
	}
	return 0;
}
