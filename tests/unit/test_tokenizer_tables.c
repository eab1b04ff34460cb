/* The list of merges, read in parts from its text: the same ids, order and errors wherever it is cut. */
#include "common/io.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/tokenizer/bpe_list.h"
#include "common/tokenizer/json_tables.h"
#include "tests/tap.h"

#include <unistd.h>

static uint32_t rnd(uint32_t below)
{
	static uint64_t state = 1;
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33) % below;
}

/* Tokens that look like JSON; all pairs of them are tokens too. */
static const char *const atoms[] = {"a", ",", "\"", "\\", "[", "]", "\xc3\xa9", "\xf0\x9f\x98\x80",
	"{}", "\n", "long enough\xc2\xa0to be behind a vector's end"};
enum { ATOMS = sizeof atoms / sizeof *atoms };

static void make_vocab(struct vocab *v)
{
	struct err e;
	for (uint32_t i = 0; i < ATOMS * (ATOMS + 1); i++) {
		struct str s = {0};
		if (i >= ATOMS)
			str_adds(&s, atoms[i / ATOMS - 1]);
		str_adds(&s, atoms[i % ATOMS]);
		for (char *p = s.s; *p; p++)
			*p = (char)(*p == ' ' ? '_' : *p);
		vocab_add(v, s.s, s.len, i, &e);
		str_done(&s);
	}
	vocab_index(v, &e);
}

static void blanks(struct str *s)
{
	for (uint32_t n = rnd(8) ? 0 : rnd(3); n; n--)
		str_addc(s, " \n\t\r"[rnd(4)]);
}

static void put_string(struct str *out, const char *s, size_t len)
{
	struct str text = {0};
	json_write_string(&text, s, len);
	for (size_t i = 0; i < text.len; i++)
		if (text.s[i] == 'a' && !rnd(3))
			str_adds(out, "\\u0061");
		else
			str_addc(out, text.s[i]);
	str_done(&text);
}

/* The pair of two atoms, in one notation or the other. */
static void put_merge(struct str *out, const struct vocab *v, uint32_t a, uint32_t b)
{
	size_t na = 0, nb = 0;
	const char *sa = vocab_token(v, a, &na), *sb = vocab_token(v, b, &nb);
	if (rnd(2)) {
		struct str both = {0};
		str_add(&both, sa, na);
		str_addc(&both, ' ');
		str_add(&both, sb, nb);
		put_string(out, both.s, both.len);
		str_done(&both);
		return;
	}
	str_addc(out, '[');
	blanks(out);
	put_string(out, sa, na);
	blanks(out);
	str_addc(out, ',');
	put_string(out, sb, nb);
	str_addc(out, ']');
}

/* Reads it; the parts in any order, as threads would. */
static int list_read(
	struct bpe_list *l, const struct str *text, const struct vocab *v, struct err *e)
{
	char *exact = mem_dup(text->s, text->len);
	int rc = bpe_list_open(l, (struct json_text){exact, text->len}, v, 0, e);
	for (size_t i = l->nparts; !rc && i-- > 0;)
		bpe_list_read(l, i);
	rc = rc ? rc : bpe_list_join(l, e);
	mem_free(exact);
	return rc;
}

static void test_parts(const struct vocab *v)
{
	int same = 1, said = 1;
	size_t several = 0;
	for (int round = 0; round < 4000; round++) {
		uint32_t want[256][2], n = rnd(round % 4 ? 20 : 256), bad = rnd(2 * n + 1);
		struct bpe_list l;
		struct err e = {0};
		struct str text = {0};
		char number[40];
		blanks(&text);
		str_addc(&text, '[');
		for (uint32_t i = 0; i < n; i++) {
			if (i)
				str_addc(&text, ',');
			blanks(&text);
			for (int k = 0; k < 2; k++)
				want[i][k] = rnd(ATOMS);
			if (i == bad)
				str_adds(&text, rnd(2) ? "\"a nothing\"" : "\"a\"");
			else
				put_merge(&text, v, want[i][0], want[i][1]);
			blanks(&text);
		}
		str_addc(&text, ']');
		blanks(&text);
		int rc = list_read(&l, &text, v, &e);
		several += l.nparts > 1;
		snprintf(number, sizeof number, "merges: number %u:", bad + 1);
		if (bad < n)
			said &= rc && strstr(e.msg, number);
		else
			same &= !rc && l.n == n;
		for (uint32_t i = 0; !rc && same && i < n; i++)
			same = l.v[i].a == want[i][0] && l.v[i].b == want[i][1] &&
			       l.v[i].id == (want[i][0] + 1) * ATOMS + want[i][1];
		bpe_list_done(&l);
		str_done(&text);
	}
	ok(same && several > 2000, "cut into parts a list is what it was (%zu were)", several);
	ok(said, "what is wrong is said by its place in the whole list");
}

static void test_refused(const struct vocab *v)
{
	static const char *const texts[] = {"", "{}", "[", "[,]", "[,\"a a\"]", "[\"a a\",]",
		"[\"a a\" \"a a\"]", "[\"a a\",,\"a a\"]", "[\"a a\"] \"a a\"", "[\"a a\"]]",
		"[\"a a\"}", "[\"a a\", ]", "[\"a a\",\"a a\",\"a a\",\"a a\",]", "[[\"a\",\"a\"]",
		"[[\"a\",\"a\",\"a\"]]", "[[\"a\"]]", "[\"a a]", "[\"a a\\\"]", "[\"a  a\"]",
		"[\"a\ta\"]", "[\"\\ud800 a\"]", "[\"\\u12 a\"]", "[\"\\x a\"]", "[1]", "null"};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct bpe_list l;
		struct err e = {0};
		struct str text = {0};
		str_adds(&text, texts[i]);
		ok(list_read(&l, &text, v, &e) && e.status == STATUS_DATA, "refused: %s", texts[i]);
		bpe_list_done(&l);
		str_done(&text);
	}
}

/* A token that the file has twice has the id that came last, as in the library (0.23.3). */
static void test_twice(void)
{
	static const char text[] = "{\"a\":0,\"b\":1,\"ab\":5,\"ab\":2,\"c\":3,\"c\":6}";
	static const char list[] = "[\"a b\"]";
	struct vocab v = {0};
	struct err e = {0};
	struct bpe_list l;
	struct str merges = {0};
	size_t len;
	str_adds(&merges, list);
	int good = !json_tables_vocab((struct json_text){text, sizeof text - 1}, &v, &e) &&
		   !vocab_index(&v, &e);
	vocab_drop_others(&v);
	ok(good && vocab_find(&v, "ab", 2) == 2 && vocab_find(&v, "c", 1) == 6,
		"of a token that comes twice the last id counts");
	ok(!vocab_token(&v, 5, &len) && !vocab_token(&v, 3, &len) && vocab_token(&v, 2, &len) &&
			v.count == 4,
		"the others are none");
	ok(!list_read(&l, &merges, &v, &e) && l.n == 1 && l.v[0].id == 2,
		"and what merges make has that id");
	bpe_list_done(&l);
	str_done(&merges);
	vocab_done(&v);
}

/* Pairs that all begin to be looked for in the same few slots. */
static void test_chosen(void)
{
	enum { SIDES = 80, MERGES = SIDES * SIDES };
	static uint32_t side[2]
			    [SIDES]; /* ids whose hashes begin with zeros, so that their sums do */
	size_t n[2] = {0, 0};
	struct err e = {0};
	struct str text = {0};
	for (int k = 0; k < 2; k++)
		for (uint32_t id = 1 + (uint32_t)k; id < 1 << 22 && n[k] < SIDES; id += 2)
			if (((uint64_t)id << 24 * k) * 0x9e3779b97f4a7c15u >> 50 == 0)
				side[k][n[k]++] = id;
	str_adds(&text, "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"z\":0");
	for (int k = 0; k < 2; k++)
		for (size_t i = 0; i < SIDES; i++)
			str_addf(&text, ",\"%c%zu\":%u", "ab"[k], i, side[k][i]);
	for (uint32_t i = 0, id = 0; i < MERGES; i++, id++) {
		for (int again = 1; again;) {
			again = id == 0;
			for (size_t k = 0; k < 2 * SIDES; k++)
				again |= side[k / SIDES][k % SIDES] == id;
			id += (uint32_t)again;
		}
		str_addf(&text, ",\"a%ub%u\":%u", i / SIDES, i % SIDES, id);
	}
	str_adds(&text, "},\"merges\":[");
	for (uint32_t i = 0; i < MERGES; i++)
		str_addf(&text, "%s\"a%u b%u\"", i ? "," : "", i / SIDES, i % SIDES);
	str_adds(&text, "]}}");
	char dir[] = "/tmp/sluice-tables-XXXXXX", *path;
	if (!ok(n[0] == SIDES && n[1] == SIDES && mkdtemp(dir), "there are such ids"))
		return;
	path = io_path(dir, "tokenizer.json");
	FILE *f = fopen(path, "w");
	struct tokenizer *t = NULL;
	ok(f && fwrite(text.s, 1, text.len, f) == text.len && !fclose(f) &&
			tokenizer_load(&t, dir, &e) && strstr(e.msg, "chosen to be slow"),
		"merges that all hash alike are refused");
	diag("%s", e.msg);
	tokenizer_free(t);
	unlink(path);
	rmdir(dir);
	mem_free(path);
	str_done(&text);
}

int main(void)
{
	struct vocab v = {0};
	make_vocab(&v);
	test_parts(&v);
	test_refused(&v);
	test_chosen();
	test_twice();
	vocab_done(&v);
	return tap_done();
}
