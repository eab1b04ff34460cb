/*
 * What common/tokenizer makes of many texts, for the scripts that compare it with the library: tok_fuzz.py speaks to it.
 *
 *	tok_answers DIR [compat]
 *
 * Standard input is a text after the other, each behind its length; standard output an answer for each: how many ids, the
 * ids with and how many without the post-processor's, places of the former in characters, and two texts behind their
 * lengths: decoded, and decoded without special tokens. Numbers are u32 of the machine's order. A text that is an error
 * has UINT32_MAX ids and its message. A tokenizer that is refused: status 1, the reason on standard error.
 */
#include "common/mem.h"
#include "common/tokenizer/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put(uint32_t n)
{
	fwrite(&n, sizeof n, 1, stdout);
}

static void put_text(const char *s, size_t n)
{
	put((uint32_t)n);
	fwrite(s, 1, n, stdout);
}

static void put_ids(const struct encoding *x)
{
	put((uint32_t)x->n);
	if (x->n)
		fwrite(x->ids, sizeof *x->ids, x->n, stdout);
}

/* Places in bytes as places in characters; UINT32_MAX: within one. */
static void put_places(const struct encoding *x, const char *text, size_t len)
{
	uint32_t *chars = mem_alloc(len + 1, sizeof *chars), seen = 0;
	for (size_t i = 0; i < len; i++)
		chars[i] = ((unsigned char)text[i] & 0xc0) == 0x80 ? UINT32_MAX : seen++;
	chars[len] = seen;
	for (size_t i = 0; i < x->n; i++) {
		put(chars[x->offsets[i][0]]);
		put(chars[x->offsets[i][1]]);
	}
	mem_free(chars);
}

static int same_ids(const struct encoding *a, const struct encoding *b)
{
	return a->n == b->n && (!a->n || !memcmp(a->ids, b->ids, a->n * sizeof *a->ids));
}

struct answer {
	struct encoding special, plain, ids_only;
	struct str decoded, skipped;
};

static int make(struct encoder *enc, struct answer *a, const char *s, size_t n, struct err *e)
{
	encoding_reset(&a->special);
	encoding_reset(&a->plain);
	encoding_reset(&a->ids_only);
	str_reset(&a->decoded);
	str_reset(&a->skipped);
	if (tokenizer_encode(enc, s, n, 1, &a->special, e) ||
		tokenizer_encode(enc, s, n, 0, &a->plain, e) ||
		tokenizer_encode(enc, s, n, 0, &a->ids_only, e) ||
		tokenizer_decode(enc, a->special.ids, a->special.n, 0, &a->decoded, e) ||
		tokenizer_decode(enc, a->special.ids, a->special.n, 1, &a->skipped, e))
		return -1;
	return same_ids(&a->plain, &a->ids_only) ? 0 : err_data(e, "other ids without places");
}

static void answer(struct encoder *enc, struct answer *a, const char *s, size_t n)
{
	struct err e = {0};
	if (make(enc, a, s, n, &e)) {
		put(UINT32_MAX);
		put_text(e.msg, strlen(e.msg));
		return;
	}
	put_ids(&a->special);
	put_places(&a->special, s, n);
	put_ids(&a->plain);
	put_text(a->decoded.s, a->decoded.len);
	put_text(a->skipped.s, a->skipped.len);
}

int main(int argc, char **argv)
{
	struct tokenizer *t;
	struct err e = {0};
	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: tok_answers DIR [compat]\n");
		return 2;
	}
	if (argc > 2 ? tokenizer_load_compat(&t, argv[1], NULL, &e)
		     : tokenizer_load(&t, argv[1], &e)) {
		fprintf(stderr, "%s\n", e.msg);
		return 1;
	}
	struct encoder *enc = encoder_new(t);
	struct answer a = {.ids_only = {.ids_only = 1}};
	for (uint32_t n; fread(&n, sizeof n, 1, stdin) == 1;) {
		char *text = mem_alloc(n, 1);
		if (fread(text, 1, n, stdin) != n)
			return 1;
		answer(enc, &a, text, n);
		mem_free(text);
	}
	encoding_done(&a.special);
	encoding_done(&a.plain);
	encoding_done(&a.ids_only);
	str_done(&a.decoded);
	str_done(&a.skipped);
	encoder_free(enc);
	tokenizer_free(t);
	return fflush(stdout) || ferror(stdout);
}
