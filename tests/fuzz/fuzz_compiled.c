/*
 * Compiled tables that somebody has changed and mended the checksum of: they are refused, or what
 * they say reaches nothing that is not there. The input is a list of changes, 5 bytes each: where
 * (the first bit: in the head), what.
 */
#include "common/mem.h"
#include "common/tokenizer/compiled.h"
#include "common/tokenizer/tokenizer.h"
#include "tests/fuzz/fuzz.h"

#include <xxhash.h>

enum { SUM = sizeof(XXH128_canonical_t), HEAD = 512 };

static int append(void *out, const void *p, size_t n)
{
	if (n)
		str_add(out, p, n);
	return 0;
}

/* The file, and whose it is. */
static const struct str *image(char key[FINGERPRINT_LEN])
{
	static struct str out;
	static char print[FINGERPRINT_LEN];
	struct tokenizer *t;
	struct err e;
	if (!out.len && !tokenizer_load(&t, "tests/data/tiny-bpe", &e)) {
		compiled_write(t, append, &out);
		memcpy(print, tokenizer_fingerprint(t), sizeof print);
		tokenizer_free(t);
	}
	memcpy(key, print, sizeof print);
	return &out;
}

static void use(struct tokenizer *t)
{
	static const char text[] =
		"Hello world sentences 123 \xc3\xa9\xe4\xb8\xad aaaaaaaaaaaaaaaaaaaaaa";
	struct ntext in = {.s = text, .len = sizeof text - 1};
	uint32_t ids[sizeof text + BPE_SLACK], at[sizeof text + BPE_SLACK][2];
	struct bpe_state *st = bpe_state_new();
	struct err e;
	for (uint32_t id = 0; id < t->vocab.nids && id < 1000; id++) {
		size_t len;
		const char *s = vocab_token(&t->vocab, id, &len);
		t->bpe.byte_id[id % 256] = id;
		if (s)
			vocab_find(&t->vocab, s, len);
		merges_find(&t->bpe.merges, id, id + 1);
	}
	vocab_find(&t->vocab, "", 0);
	t->bpe.words = &t->vocab;
	t->bpe.bytes = t->bpe.byte_pairs != NULL;
	for (uint32_t from = 0, to; from < in.len; from = to) {
		to = from + 8 < in.len ? from + 8 : (uint32_t)in.len;
		struct span piece = {from, to};
		struct bpe_out out = {ids, at, 0};
		if (t->bpe.bytes)
			bpe_encode(&t->bpe, st, &in, &piece, 1, &out, &e);
	}
	bpe_state_free(st);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = {0};
	struct tokenizer *t = mem_zalloc(1, sizeof *t);
	const struct str *whole = image(t->fingerprint);
	str_add(&s, whole->s, whole->len);
	for (; size >= 5; data += 5, size -= 5) {
		uint32_t where = (uint32_t)data[0] | (uint32_t)data[1] << 8 |
				 (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
		size_t at = where >> 31 ? where % HEAD : where;
		s.s[SUM + at % (s.len - SUM)] = (char)data[4];
	}
	XXH128_canonical_t sum;
	XXH128_canonicalFromHash(&sum, XXH3_128bits(s.s + SUM, s.len - SUM));
	memcpy(s.s, &sum, SUM);
	char *exact = mem_dup(s.s, s.len);
	if (compiled_read(t, exact, s.len))
		use(t);
	str_done(&t->rest);
	mem_free(t);
	mem_free(exact);
	str_done(&s);
	return 0;
}

FUZZ_MAIN("compiled")
