/*
 * A fuzz target is one file tests/fuzz/fuzz_NAME.c that defines LLVMFuzzerTestOneInput and ends with
 * FUZZ_MAIN("NAME"). It is a test: every file of tests/fuzz/corpus/NAME, then mutations of them from a
 * fixed seed (FUZZ_RUNS of them, FUZZ_SEED another seed); the sanitizers are the judge. Compiled with
 * -DFUZZ_LIBFUZZER -fsanitize=fuzzer the same file is a libFuzzer target. An input that once broke
 * something stays in the corpus.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "tests/tap.h"

#include <dirent.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifdef FUZZ_LIBFUZZER
#define FUZZ_MAIN(name)
#else
#define FUZZ_MAIN(name)                                                                            \
	int main(void)                                                                             \
	{                                                                                          \
		return fuzz_run(name);                                                             \
	}

enum { FUZZ_MAX = 1 << 20, FUZZ_FILES = 1000 };

struct fuzz_input {
	uint8_t *data;
	size_t size;
};

static uint64_t fuzz_state;

static uint64_t fuzz_random(uint64_t below)
{
	fuzz_state ^= fuzz_state << 13; /* xorshift64 */
	fuzz_state ^= fuzz_state >> 7;
	fuzz_state ^= fuzz_state << 17;
	return below ? fuzz_state % below : 0;
}

static struct fuzz_input fuzz_read(const char *path)
{
	struct fuzz_input in = {malloc(FUZZ_MAX), 0};
	FILE *f = fopen(path, "rb");
	if (f && in.data)
		in.size = fread(in.data, 1, FUZZ_MAX, f);
	if (f)
		fclose(f);
	return in;
}

/* One to eight changes: bytes that mean something to lengths and texts, cuts, repeats, a piece of
 * another input. */
static size_t fuzz_mutate(uint8_t *p, size_t n, const struct fuzz_input *other)
{
	static const uint8_t telling[] = {
		0, 1, 0x7f, 0x80, 0xff, '0', '9', '-', '"', '{', '}', '[', ']', '\\'};
	for (uint64_t k = 1 + fuzz_random(8); k; k--) {
		size_t at = fuzz_random(n + 1), len = 1 + fuzz_random(8);
		switch (fuzz_random(6)) {
		case 0:
			if (at < n)
				p[at] = telling[fuzz_random(sizeof telling)];
			break;
		case 1:
			if (at < n)
				p[at] ^= (uint8_t)(1u << fuzz_random(8));
			break;
		case 2: /* cut out */
			len = len < n - at ? len : n - at;
			memmove(p + at, p + at + len, n - at - len);
			n -= len;
			break;
		case 3: /* the same again */
			len = len < n - at ? len : n - at;
			if (n + len <= FUZZ_MAX) {
				memmove(p + at + len, p + at, n - at);
				n += len;
			}
			break;
		case 4:
			if (fuzz_random(8) == 0)
				n = at; /* the end is missing */
			break;
		default:
			len = len < n - at ? len : n - at;
			if (len <= other->size)
				memcpy(p + at, other->data + fuzz_random(other->size - len + 1),
					len);
		}
	}
	return n;
}

static uint64_t fuzz_setting(const char *name, uint64_t otherwise)
{
	const char *v = getenv(name);
	return v ? strtoull(v, NULL, 10) : otherwise;
}

static int fuzz_run(const char *name)
{
	static struct fuzz_input in[FUZZ_FILES];
	size_t n = 0;
	char dir[200], path[600];
	snprintf(dir, sizeof dir, "tests/fuzz/corpus/%s", name);
	DIR *d = opendir(dir);
	for (struct dirent *f; d && (f = readdir(d)) && n < FUZZ_FILES;)
		if (f->d_name[0] != '.') {
			snprintf(path, sizeof path, "%s/%s", dir, f->d_name);
			in[n++] = fuzz_read(path);
		}
	if (d)
		closedir(d);
	for (size_t i = 0; i < n; i++)
		LLVMFuzzerTestOneInput(in[i].data, in[i].size);
	ok(n > 0, "%s: the corpus is read, %zu inputs", name, n);

	uint64_t runs = n ? fuzz_setting("FUZZ_RUNS", 3000) : 0;
	fuzz_state = fuzz_setting("FUZZ_SEED", 1) * 0x9e3779b97f4a7c15 + 1;
	uint8_t *p = malloc(FUZZ_MAX);
	for (uint64_t i = 0; i < runs && p; i++) {
		const struct fuzz_input *from = &in[fuzz_random(n)];
		memcpy(p, from->data, from->size);
		size_t size = fuzz_mutate(p, from->size, &in[fuzz_random(n)]);
		/* A copy of its own, so that one byte beyond the end is beyond an allocation. */
		uint8_t *exact = malloc(size ? size : 1);
		memcpy(exact, p, size);
		LLVMFuzzerTestOneInput(exact, size);
		free(exact);
	}
	ok(1, "%s: %llu mutations are survived", name, (unsigned long long)runs);
	free(p);
	for (size_t i = 0; i < n; i++)
		free(in[i].data);
	return tap_done();
}
#endif

#endif
