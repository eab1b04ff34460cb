/* The compiled tables in the user's cache: the same ids with them, and whatever has become of them without. */
#include "common/fingerprint.h"
#include "common/io.h"
#include "common/mem.h"
#include "common/tokenizer/compiled.h"
#include "common/tokenizer/tokenizer.h"
#include "tests/tap.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TINY "tests/data/tiny-bpe/tokenizer.json"

static char scratch[] = "/tmp/sluice-compiled-XXXXXX";
static const char text[] =
	"Hello  world's 123 <s>the</s> \xc3\xa9 \xe4\xb8\xad\xe6\x96\x87\n\n\t sentence";

static char *in_scratch(const char *name)
{
	return io_path(scratch, name);
}

static int put(const char *path, const char *s, size_t len)
{
	FILE *f = fopen(path, "wb");
	int good = f && fwrite(s, 1, len, f) == len;
	return f && !fclose(f) && good;
}

/* The tiny tokenizer, with blanks at its end until it is worth compiling. */
static int put_tokenizer(int more)
{
	struct err e;
	size_t len, to = COMPILED_LEAST + (size_t)more;
	char *s = io_read_file(TINY, 1 << 20, &len, &e), *path = in_scratch("tokenizer.json");
	char *padded = mem_alloc(to, 1);
	memset(padded, ' ', to);
	memcpy(padded, s, len);
	int good = put(path, padded, to);
	mem_free(s);
	mem_free(padded);
	mem_free(path);
	return good;
}

/* Ids of the text by the tokenizer in `dir`; *compiled: whether its tables came from the cache. */
static int ids_of(const char *dir, struct encoding *out, int *compiled)
{
	struct tokenizer *t;
	struct err e = {0};
	if (tokenizer_load(&t, dir, &e)) {
		diag("%s", e.msg);
		return -1;
	}
	struct encoder *enc = encoder_new(t);
	*compiled = t->compiled.p != NULL;
	encoding_reset(out);
	int rc = tokenizer_encode(enc, text, sizeof text - 1, 1, out, &e);
	encoder_free(enc);
	tokenizer_free(t);
	return rc;
}

static int same(const struct encoding *a, const struct encoding *b)
{
	return a->n == b->n && a->n && !memcmp(a->ids, b->ids, a->n * sizeof *a->ids) &&
	       !memcmp(a->offsets, b->offsets, a->n * sizeof *a->offsets);
}

/* How many entries the cache has; *path: of the last. */
static int entries(char **path)
{
	char *dir = in_scratch("cache/sluice");
	DIR *d = opendir(dir);
	int n = 0;
	for (struct dirent *f; d && (f = readdir(d));)
		if (strcmp(f->d_name, ".") != 0 && strcmp(f->d_name, "..") != 0) {
			n++;
			if (path) {
				mem_free(*path);
				*path = io_path(dir, f->d_name);
			}
		}
	if (d)
		closedir(d);
	mem_free(dir);
	return n;
}

static struct encoding want, got;

/* What is in the cache now is not used, gives the right ids, and is replaced by what is. */
static int shrugged_off(void)
{
	int first, second;
	return !ids_of(scratch, &got, &first) && same(&got, &want) && !first &&
	       !ids_of(scratch, &got, &second) && same(&got, &want) && second;
}

static void test_use(char **path)
{
	int compiled;
	struct stat st;
	ok(put_tokenizer(0) && !ids_of("tests/data/tiny-bpe", &want, &compiled) && !compiled &&
			entries(path) == 0,
		"a small tokenizer is parsed, and nothing is left");
	ok(!ids_of(scratch, &got, &compiled) && !compiled && same(&got, &want) &&
			entries(path) == 1,
		"a large one is parsed, and compiled");
	ok(!ids_of(scratch, &got, &compiled) && compiled && same(&got, &want) && entries(path) == 1,
		"the next time its tables are mapped: the same ids and offsets");
	char *dir = in_scratch("cache/sluice");
	ok(!stat(dir, &st) && (st.st_mode & 07777) == 0700, "the directory is the user's alone");
	mem_free(dir);
	put_tokenizer(1);
	ok(!ids_of(scratch, &got, &compiled) && !compiled && same(&got, &want) &&
			entries(NULL) == 2,
		"a tokenizer.json with one byte more is another");
	put_tokenizer(0);
}

static void test_damage(const char *path)
{
	size_t len;
	struct err e;
	struct tokenizer *t = mem_zalloc(1, sizeof *t);
	char *s = io_read_file(path, 64 << 20, &len, &e);
	memcpy(t->fingerprint, strrchr(path, '-') + 1, FINGERPRINT_LEN);
	ok(compiled_read(t, s, len) == 1, "a whole file is read");
	int refused = 1;
	for (size_t i = 0; i < len; i += i < 1024 ? 1 : 3001) {
		s[i] ^= 1 << i % 8;
		refused &= !compiled_read(t, s, len);
		s[i] ^= 1 << i % 8;
	}
	ok(refused, "with a bit changed anywhere it is not");
	for (size_t n = 0; n < len; n += n < 1024 ? 1 : 30011) {
		char *cut = mem_dup(s, n);
		refused &= !compiled_read(t, cut, n);
		mem_free(cut);
	}
	ok(refused, "cut anywhere it is not");
	t->fingerprint[0] ^= 1;
	ok(!compiled_read(t, s, len), "that of another tokenizer is not");
	s[len / 2] ^= 4;
	put(path, s, len);
	ok(shrugged_off(), "a damaged file is parsed around, and replaced");
	put(path, s, len / 3);
	ok(shrugged_off(), "a cut one too");
	put(path, s, 0);
	ok(shrugged_off(), "an empty one too");
	chmod(path, 0666);
	ok(shrugged_off(), "one that others may write too");
	mem_free(s);
	str_done(&t->rest);
	mem_free(t);
}

static void test_places(char **path)
{
	int compiled, good = 1;
	char *cache = in_scratch("cache"), *deep = in_scratch("not/there"),
	     *file = in_scratch("file");
	char *home = in_scratch("home"), *of_home = in_scratch("home/.cache/sluice");
	struct stat st;
	const char *const places[] = {deep, file, "relative"};
	put(file, "", 0);
	for (int i = 0; i < 3; i++) {
		setenv("XDG_CACHE_HOME", places[i], 1);
		unsetenv("HOME");
		for (int k = 0; k < 2; k++)
			good &= !ids_of(scratch, &got, &compiled) && same(&got, &want) && !compiled;
	}
	ok(good && stat(deep, &st) && stat("relative", &st),
		"where there is no place for it, it is parsed");
	unsetenv("XDG_CACHE_HOME");
	setenv("HOME", home, 1);
	mkdir(home, 0755);
	good = !ids_of(scratch, &got, &compiled) && !ids_of(scratch, &got, &compiled) && compiled;
	ok(good && same(&got, &want) && !stat(of_home, &st),
		"without XDG_CACHE_HOME it is in ~/.cache");
	setenv("XDG_CACHE_HOME", cache, 1);
	chmod(cache, 0777);
	ok(!ids_of(scratch, &got, &compiled) && !compiled && same(&got, &want),
		"a directory in which others may write is not used");
	chmod(cache, 0700);
	entries(path);
	mem_free(cache);
	mem_free(deep);
	mem_free(file);
	mem_free(home);
	mem_free(of_home);
}

static int encode(const struct tokenizer *t, struct encoding *out)
{
	struct err e = {0};
	struct encoder *enc = encoder_new(t);
	encoding_reset(out);
	int rc = tokenizer_encode(enc, text, sizeof text - 1, 1, out, &e);
	encoder_free(enc);
	return rc;
}

/* Whether transformers' twin of the scratch tokenizer borrows its tables or not, as it should, and gives
 * the ids that it gives with tables of its own, even when it is the last. */
static int is_twin(int borrows)
{
	struct tokenizer *t = NULL, *twin = NULL, *own = NULL;
	struct err e = {0};
	char print[FINGERPRINT_LEN];
	int good = !tokenizer_load(&t, scratch, &e) && tokenizer_class(t) &&
		   !fingerprint_tokenizer(scratch, print, &e) &&
		   !strcmp(print, tokenizer_fingerprint(t)) &&
		   !tokenizer_load_compat(&twin, scratch, t, &e) &&
		   !tokenizer_load_compat(&own, scratch, NULL, &e);
	good = good && (twin->shares == t) == borrows && !own->shares &&
	       !strcmp(print, tokenizer_fingerprint(twin));
	tokenizer_free(t);
	good = good && !encode(twin, &got) && !encode(own, &want) && same(&got, &want);
	tokenizer_free(twin);
	tokenizer_free(own);
	if (!good)
		diag("%s", e.msg);
	return good;
}

static void test_twin(void)
{
	static const char config[] = "{\"tokenizer_class\": \"GPT2Tokenizer\"}";
	static const char option[] = "\"ignore_merges\":";
	char *path = in_scratch("tokenizer_config.json"), *file = in_scratch("tokenizer.json");
	struct err e;
	size_t len;
	put(path, config, sizeof config - 1);
	ok(is_twin(1) && is_twin(1),
		"a twin has the tables of the file's tokenizer, parsed or mapped");
	char *s = io_read_file(file, 64 << 20, &len, &e), *at = strstr(s, option);
	at = at ? strstr(at, "false") : NULL;
	if (at)
		memcpy(at, "true ", 5);
	put(file, s, len);
	ok(at && is_twin(0), "where its class would make others, it makes them");
	unlink(path);
	mem_free(s);
	mem_free(path);
	mem_free(file);
}

/* Many at once, all of which find nothing and write. */
static void test_race(void)
{
	enum { MANY = 12 };
	int good = 1, compiled, status;
	char *dir = in_scratch("cache/sluice"), *path = NULL;
	while (entries(&path))
		unlink(path);
	fflush(stdout);
	for (int i = 0; i < MANY; i++)
		if (!fork()) {
			int right = 1;
			for (int k = 0; k < 5; k++)
				right &= !ids_of(scratch, &got, &compiled) && same(&got, &want);
			_exit(!right);
		}
	for (int i = 0; i < MANY; i++)
		good &= wait(&status) > 0 && status == 0;
	ok(good && entries(NULL) == 1, "a dozen at once get the same ids, and leave one file");
	ok(!ids_of(scratch, &got, &compiled) && compiled && same(&got, &want), "which is right");
	mem_free(path);
	mem_free(dir);
}

int main(void)
{
	char *path = NULL, *command = NULL;
	if (!ok(mkdtemp(scratch) != NULL, "there is a directory to write in"))
		return tap_done();
	char *cache = in_scratch("cache");
	setenv("XDG_CACHE_HOME", cache, 1);
	umask(022);
	test_use(&path);
	test_damage(path);
	test_places(&path);
	test_race();
	test_twin();
	encoding_done(&want);
	encoding_done(&got);
	command = mem_printf("rm -rf '%s'", scratch);
	ok(system(command) == 0, "and all is taken away");
	mem_free(command);
	mem_free(cache);
	mem_free(path);
	return tap_done();
}
