/*
 * Hostile text through tokenizers that load: those of fuzz_tokenizer's corpus, the sample's, and the real ones where
 * SLUICE_TEST_DATA is set. Besides the sanitizers' there are claims of its own: what is asked in two ways is
 * the same, places lie within the text, and byte-level BPE loses nothing.
 *
 * The input is UTF-8; a byte that is none stands for something telling. A hash of it says which tokenizer, and
 * how often the text comes again.
 */
#include "common/mem.h"
#include "common/tokenizer/tokenizer_int.h"
#include "common/utf8.h"
#include "tests/fuzz/fuzz.h"

#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

static const char *const telling[] = {"<s>", "</s>", "<|endoftext|>", "<|im_start|>user\n", "<unk>",
	"[SEP]", " <mask> ", "<extra_id_0>", "\xe2\x96\x81", "\xe2\x96\x81\xe2\x96\x81", "  ",
	"\t\n", "\r\n", "\xe3\x80\x80", "\xcc\x81", "\xcc\xa3\xcc\x81", "'s", "'\xc5\xbf", "<0x0A>",
	"123456", "\xe4\xb8\xad\xe6\x96\x87", "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab",
	"\xef\xac\x81", "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9",
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "\xc4\xa0"};

struct subject {
	char name[64];
	struct tokenizer *t;
	struct encoder *enc; /* used again and again */
	int lossless;
};
static struct subject subjects[64];
static size_t nsubjects;

/* ---- the tokenizers --------------------------------------------------------------------------- */

/* Nothing but bytes into pieces and back: text comes back as it was. */
static int is_lossless(const struct tokenizer *t)
{
	if (!t->bpe.bytes || t->nnorms || t->ndecoders != 1 ||
		strcmp(t->decoders[0].kind->type, "ByteLevel") != 0)
		return 0;
	for (int b = 0; b < 256; b++)
		if (t->bpe.byte_id[b] == UINT32_MAX)
			return 0;
	for (size_t i = 0; i < t->npretoks; i++)
		if (t->pretoks[i].prefix || (!t->pretoks[i].split && !t->pretoks[i].behavior))
			return 0; /* 0: Removed */
	for (size_t i = 0; i < t->added.n; i++)
		if (t->added.v[i].lstrip || t->added.v[i].rstrip)
			return 0;
	return 1;
}

static void add_subject(const char *dir, const char *name)
{
	struct subject *s = &subjects[nsubjects];
	struct err e = {0};
	if (nsubjects == sizeof subjects / sizeof *subjects || tokenizer_load(&s->t, dir, &e))
		return;
	snprintf(s->name, sizeof s->name, "%s", name);
	s->enc = encoder_new(s->t);
	s->lossless = is_lossless(s->t);
	nsubjects++;
}

/* Every file of the corpus as the tokenizer.json of a directory. */
static void add_files(const char *corpus)
{
	char dir[] = "/tmp/sluice-fuzz-XXXXXX";
	DIR *d = opendir(corpus);
	if (!d || !mkdtemp(dir))
		return;
	char *link = mem_printf("%s/tokenizer.json", dir), *here = getcwd(NULL, 0);
	for (struct dirent *f; (f = readdir(d));) {
		char *target = mem_printf("%s/%s/%s", here, corpus, f->d_name);
		if (f->d_name[0] != '.' && !symlink(target, link)) {
			add_subject(dir, f->d_name);
			unlink(link);
		}
		mem_free(target);
	}
	closedir(d);
	rmdir(dir);
	free(here);
	mem_free(link);
}

static void add_directories(const char *data)
{
	char *path = mem_printf("%s/tokenizers", data);
	DIR *d = opendir(path);
	for (struct dirent *f; d && (f = readdir(d));) {
		char *dir = mem_printf("%s/%s", path, f->d_name);
		if (f->d_name[0] != '.')
			add_subject(dir, f->d_name);
		mem_free(dir);
	}
	if (d)
		closedir(d);
	mem_free(path);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct subject *)a)->name, ((const struct subject *)b)->name);
}

static void setup(void)
{
	if (nsubjects)
		return;
	add_subject("tests/data/tiny-bpe", "tiny-bpe");
	add_files("tests/fuzz/corpus/tokenizer");
	if (getenv("SLUICE_TEST_DATA"))
		add_directories(getenv("SLUICE_TEST_DATA"));
	qsort(subjects, nsubjects, sizeof *subjects, by_name);
}

/* ---- the claims ------------------------------------------------------------------------------- */

static void claim(int holds, const struct subject *s, const struct str *text, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "%s: not so: %s; text:", s->name, what);
	for (size_t i = 0; i < text->len; i++)
		fprintf(stderr, "%02x", (uint8_t)text->s[i]);
	fputc('\n', stderr);
	abort();
}

static int is_edge(const struct str *text, size_t at)
{
	return at == text->len || (at < text->len && ((uint8_t)text->s[at] & 0xc0) != 0x80);
}

static int same(const struct encoding *a, const struct encoding *b)
{
	return a->n == b->n && (!a->n || !memcmp(a->ids, b->ids, a->n * sizeof *a->ids));
}

static void check_tokens(const struct subject *s, const struct str *text, const struct encoding *x)
{
	for (size_t i = 0; i < x->n; i++) {
		const uint32_t *at = x->offsets[i];
		size_t len;
		claim(x->ids[i] < tokenizer_vocab_size(s->t) &&
				tokenizer_token(s->t, x->ids[i], &len),
			s, text, "an id is of a token");
		claim(at[0] <= at[1] && is_edge(text, at[0]) && is_edge(text, at[1]), s, text,
			"places are between characters");
		claim(!s->lossless || !i || (at[0] >= at[-2] && at[1] >= at[-1]), s, text,
			"places go forward");
	}
}

static void check(struct subject *s, const struct str *text, uint64_t hash)
{
	struct encoding places = {0}, ids = {.ids_only = 1}, part = {.ids_only = 1},
			after = {.ids_only = 1};
	struct str back = {0};
	struct err e = {0};
	struct encoder *fresh = hash >> 40 & 63 ? NULL : encoder_new(s->t);
	size_t cut = (hash >> 32) % (text->len + 1);
	while (!is_edge(text, cut))
		cut--;
	int bad = tokenizer_encode(s->enc, text->s, text->len, 0, &places, &e);
	claim(bad == tokenizer_encode(fresh ? fresh : s->enc, text->s, text->len, 0, &ids, &e), s,
		text, "errors are errors without places");
	if (!bad) {
		claim(same(&places, &ids), s, text, "ids are the same without places");
		check_tokens(s, text, &places);
		if (!tokenizer_encode(s->enc, text->s, cut, 0, &part, &e)) {
			claim(!tokenizer_encode_after(
				      s->enc, &part, text->s, text->len, &after, &e) &&
					same(&after, &ids),
				s, text, "ids are the same after a beginning");
		}
		if (!tokenizer_decode(s->enc, ids.ids, ids.n, 0, &back, &e))
			claim(!s->lossless || (back.len == text->len &&
						      !memcmp(back.s, text->s, text->len)),
				s, text, "decoded it is the same");
		str_reset(&back);
		tokenizer_decode(s->enc, ids.ids, ids.n, 1, &back, &e);
		encoding_reset(&places);
		tokenizer_encode(s->enc, text->s, text->len, 1, &places, &e);
	}
	encoding_done(&places);
	encoding_done(&ids);
	encoding_done(&part);
	encoding_done(&after);
	str_done(&back);
	encoder_free(fresh);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {0};
	setup();
	str_reserve(&text, 0);
	for (size_t i = 0; i < size;) {
		size_t good = utf8_valid_prefix((const char *)data + i, size - i);
		str_add(&text, data + i, good);
		i += good;
		if (i < size)
			str_adds(&text, telling[data[i++] % (sizeof telling / sizeof *telling)]);
	}
	uint64_t hash = XXH3_64bits(data, size);
	size_t once = text.len, again = hash >> 46 & 7 ? 0 : (hash >> 49) % 40;
	str_reserve(&text, again * once);
	for (; again; again--)
		str_add(&text, text.s, once);
	char *exact = mem_dup(text.s, text.len);
	check(&subjects[(hash & 0xffffffff) % nsubjects],
		&(struct str){.s = exact, .len = text.len}, hash);
	mem_free(exact);
	str_done(&text);
	return 0;
}

FUZZ_MAIN("text")
