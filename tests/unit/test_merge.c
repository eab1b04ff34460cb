/* merge-lora's engine gives PEFT's bytes, whatever the threads, and an untied head. */
#include "common/io.h"
#include "common/mem.h"
#include "common/modeldir.h"
#include "kernels/merge.h"
#include "kernels/team.h"
#include "tests/tap.h"
#include "tools/merge-lora/plan.h"
#include "tools/merge-lora/sources.h"

#include <unistd.h>

#define MODELS "tests/golden/model/"
#define GOLDEN "tests/golden/merge/"

static char scratch[] = "/tmp/test_merge.XXXXXX";

static void must(int rc, const struct err *e)
{
	if (rc) {
		diag("%s", e->msg);
		exit(1);
	}
}

struct spec {
	const char *family;
	const char *adapters[2];
	double weights[2];
	int tied, dtype, threads;
};

/* Merges into the directory `out` and leaves it open in *s. Returns the plan's untie. */
static int merge(const struct spec *m, struct st *s)
{
	struct err e = {0};
	struct st base;
	struct source sources[2];
	struct plan plan;
	struct outdir d;
	struct rewrite_sink sink = {0};
	size_t n = 0;
	char *dir = mem_printf(MODELS "%s", m->family), *out = mem_printf("%s/out", scratch);
	must(st_open_dir(&base, dir, &e), &e);
	for (; n < 2 && m->adapters[n]; n++)
		must(source_open_dir(&sources[n], m->adapters[n], m->weights[n], &e), &e);
	struct team *team = team_new(m->threads);
	struct wish wish = {.base = &base, .tied = m->tied, .base_dtype = -1, .dtype = m->dtype};
	must(plan_base(&plan, &wish, &e) || plan_adapters(&plan, &wish, sources, n, &e) ||
			rewrite_plan(&plan.w, team, &e),
		&e);
	must(outdir_open(&d, out, 0, &e), &e);
	must(weights_create(&sink.dir, &d, plan.w.out, plan.w.nout, plan.w.shards, &e), &e);
	must(rewrite_run(&plan.w, &sink, team, NULL, &e), &e);
	team_free(team);
	must(weights_finish(sink.dir, &e), &e);
	must(outdir_commit(&d, &e), &e);
	must(st_open_dir(s, out, &e), &e);
	int untie = plan.untie;
	plan_done(&plan);
	for (size_t i = 0; i < n; i++)
		source_done(&sources[i]);
	st_close(&base);
	mem_free(dir);
	mem_free(out);
	return untie;
}

static void same_tensors(const struct st *got, const struct st *want, const char *claim)
{
	const char *bad = got->n == want->n ? NULL : "another number of tensors";
	for (size_t i = 0; i < want->n && !bad; i++) {
		const struct st_tensor *w = &want->t[i], *g = st_find(got, w->name);
		if (!g || g->dtype != w->dtype || g->bytes != w->bytes ||
			memcmp(g->data, w->data, w->bytes) != 0)
			bad = w->name;
	}
	if (!ok(!bad, "%s", claim))
		diag("%s", bad);
}

static void gives(const struct spec *m, const char *golden, const char *claim)
{
	struct err e = {0};
	struct st got, want;
	char *path = mem_printf(GOLDEN "%s.safetensors", golden);
	merge(m, &got);
	must(st_open_file(&want, path, &e), &e);
	same_tensors(&got, &want, claim);
	st_close(&got);
	st_close(&want);
	mem_free(path);
}

static void test_peft(void)
{
	static const struct {
		const char *family, *claim;
		int tied;
	} families[] = {
		{"llama", "f32, tied: PEFT's bytes", 1},
		{"llama3", "f32, two shards: PEFT's bytes", 0},
		{"linear", "f32, rsLoRA, biases: PEFT's bytes", 0},
		{"mistral", "f16: PEFT's bytes", 0},
		{"qwen2", "bf16, tied without saying so: PEFT's bytes", -1},
	};
	for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
		char *adapter = mem_printf(MODELS "%s/adapter", families[i].family);
		struct spec m = {families[i].family, {adapter}, {1}, families[i].tied, -1, 2};
		gives(&m, families[i].family, families[i].claim);
		mem_free(adapter);
	}
	gives(&(struct spec){"llama3", {MODELS "llama3/adapter"}, {1}, 0, DT_BF16, 1},
		"llama3-bf16", "another type for the result: one rounding");
	gives(&(struct spec){"llama3", {GOLDEN "patterns"}, {1}, 0, -1, 3}, "patterns",
		"rank and alpha patterns, rsLoRA, a regular expression: PEFT's bytes");
}

static void test_weights(void)
{
	struct st one, halves;
	char *a = mem_printf("%s/out", scratch), *b = mem_printf("%s/one", scratch);
	struct err e = {0};
	merge(&(struct spec){"linear", {MODELS "linear/adapter"}, {1}, 0, -1, 1}, &one);
	st_close(&one);
	must(rename(a, b), &e);
	must(st_open_dir(&one, b, &e), &e);
	merge(&(struct spec){"linear", {MODELS "linear/adapter", MODELS "linear/adapter"},
		      {0.5, 0.5}, 0, -1, 2},
		&halves);
	same_tensors(&halves, &one, "two halves of an adapter are the adapter");
	st_close(&halves);
	merge(&(struct spec){"linear", {MODELS "linear/adapter", MODELS "linear/adapter"}, {1, -1},
		      0, -1, 2},
		&halves);
	struct st base;
	must(st_open_dir(&base, MODELS "linear", &e), &e);
	same_tensors(&halves, &base, "an adapter and its negative are the base");
	st_close(&base);
	st_close(&halves);
	st_close(&one);
	mem_free(a);
	mem_free(b);
}

static void test_head(void)
{
	struct spec m = {"llama", {GOLDEN "head"}, {1}, 1, -1, 2};
	struct st s;
	ok(merge(&m, &s) == 1, "an adapter on a tied head unties it");
	st_close(&s);
	gives(&m, "head", "the head is the embedding and the delta, the embedding stays");
	struct st base;
	struct err e = {0};
	struct source src;
	struct plan p;
	must(st_open_dir(&base, MODELS "qwen2", &e), &e);
	must(source_open_dir(&src, GOLDEN "head", 1, &e), &e);
	struct wish wish = {.base = &base, .tied = 1, .dtype = -1};
	ok(plan_base(&p, &wish, &e) == 0 && plan_adapters(&p, &wish, &src, 1, &e) == -1 &&
			e.status == STATUS_DATA && strstr(e.msg, GOLDEN "head") &&
			strstr(e.msg, "lm_head"),
		"an adapter of another model is refused by its tensor's name");
	plan_done(&p);
	source_done(&src);
	st_close(&base);
}

static void test_parse(void)
{
	char *dir;
	double w;
	ok(source_parse("/no/dir:0.25", &dir, &w) == 0 && w == 0.25 && !strcmp(dir, "/no/dir"),
		"DIR:WEIGHT");
	mem_free(dir);
	ok(source_parse("/no/dir", &dir, &w) == 0 && w == 1 && !strcmp(dir, "/no/dir"), "DIR");
	mem_free(dir);
	ok(source_parse("/no/dir:x", &dir, &w) == -1 && source_parse("/no:nan", &dir, &w) == -1 &&
			source_parse("/no/dir:", &dir, &w) == -1,
		"weights that are no numbers");
	char *odd = mem_printf("%s/a:1", scratch);
	FILE *f = fopen(odd, "w");
	if (f)
		fclose(f);
	ok(source_parse(odd, &dir, &w) == 0 && w == 1 && !strcmp(dir, odd),
		"a path with a colon that exists is a path");
	mem_free(dir);
	mem_free(odd);
}

int main(void)
{
	if (!mkdtemp(scratch))
		return 3;
	test_peft();
	test_weights();
	test_head();
	test_parse();
	char *cmd = mem_printf("rm -rf '%s'", scratch);
	int rc = system(cmd);
	mem_free(cmd);
	return tap_done() || rc;
}
