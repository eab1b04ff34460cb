/*
 * tokenizer.json as a hostile file: what loads must encode and decode without a fault, as the file says and as
 * transformers would have it. The input is the file; a text of every kind goes through whatever it turns out to be.
 */
#include "common/mem.h"
#include "common/tokenizer/tokenizer.h"
#include "tests/fuzz/fuzz.h"

#include <unistd.h>
#include <zlib.h>

static const char text[] =
	"Hello  world's 123 <s>the</s> \xc3\xa9"
	"e\xcc\x81 \xe4\xb8\xad\xe6\x96\x87\n\n\t"
	"\xf0\x9f\x98\x80 -- aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa "
	"\xe2\x96\x81x \xef\xac\x81 <mask> hello";

static const char *directory(void)
{
	static char dir[] = "/tmp/sluice-fuzz-XXXXXX";
	static int made;
	if (!made && mkdtemp(dir)) {
		char path[64];
		snprintf(path, sizeof path, "%s/tokenizer_config.json", dir);
		FILE *f = fopen(path, "w");
		if (f) {
			fputs("{\"tokenizer_class\": \"LlamaTokenizer\", \"add_bos_token\": true}",
				f);
			fclose(f);
		}
		made = 1;
	}
	return dir;
}

/* The ids, in one number. */
static unsigned long use(const struct tokenizer *t)
{
	struct err e = {0};
	struct encoder *enc = encoder_new(t);
	struct encoding out = {0};
	struct str back = {0};
	struct encoding again = {0}; /* what came before is remembered */
	unsigned long sum = 0;
	if (!tokenizer_encode(enc, text, sizeof text - 1, 1, &out, &e)) {
		if (tokenizer_encode(enc, text, sizeof text - 1, 1, &again, &e) ||
			again.n != out.n ||
			(out.n && (memcmp(again.ids, out.ids, out.n * sizeof *out.ids) ||
					  memcmp(again.offsets, out.offsets,
						  out.n * sizeof *out.offsets))))
			abort();
		for (size_t i = 0; i < out.n; i++)
			if (out.offsets[i][0] > out.offsets[i][1] ||
				out.offsets[i][1] >= sizeof text)
				abort();
		tokenizer_decode(enc, out.ids, out.n, 1, &back, &e);
	}
	sum = crc32_z(sum, (const Bytef *)out.ids, out.n * sizeof *out.ids);
	encoding_done(&out);
	encoding_done(&again);
	str_done(&back);
	encoder_free(enc);
	return sum;
}

static unsigned long compat(struct tokenizer *with)
{
	struct tokenizer *t;
	struct err e = {0};
	if (tokenizer_load_compat(&t, directory(), with, &e))
		return 1;
	unsigned long sum = use(t);
	tokenizer_free(t);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	snprintf(path, sizeof path, "%s/tokenizer.json", directory());
	FILE *f = fopen(path, "wb");
	if (!f)
		return 0;
	fwrite(data, 1, size, f);
	fclose(f);
	struct tokenizer *t = NULL;
	struct err e = {0};
	if (tokenizer_load(&t, directory(), &e) == 0)
		use(t);
	/* With its tables shared and with its own. */
	if (compat(t) != compat(NULL))
		abort();
	tokenizer_free(t);
	unlink(path);
	return 0;
}

FUZZ_MAIN("tokenizer")
