/*
 * How long a conversation takes to become text, in microseconds of one core (so that a busy machine matters
 * little): prompt and chosen answer of rows of preferences, messages as values already, template compiled; the
 * best of many passes. `bench_tmpl TEMPLATE ROWS` prints the one number, for a template's file and JSON lines
 * with prompt and chosen as strings; without arguments, real data from SLUICE_TEST_DATA.
 */
#include "common/io.h"
#include "common/jsonl.h"
#include "tools/tmpl/chat.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROWS = 500, PASSES = 40 };

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void must(int rc, const struct err *e)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "bench_tmpl: %s\n", e->msg);
	exit(1);
}

static void add_message(struct arena *a, struct jv list, const char *role, struct jv content)
{
	struct jv m = jv_dict(a, 2);
	value_put(a, m, "role", jv_str(role, strlen(role)));
	value_put(a, m, "content", content);
	jv_list_add(a, list, m);
}

/* A list of conversations, in the arena. */
static struct jv read_talks(struct arena *a, const char *path)
{
	struct err e = {0};
	struct jsonl lines = {.limit = 64 << 20};
	struct jv talks = jv_list(a, ROWS), row;
	const char *text;
	size_t len;
	must(input_open(&lines.in, path, 0, &e), &e);
	while (jv_list_len(talks) < ROWS && jsonl_next(&lines, &text, &len, &e) > 0) {
		must(value_parse(&row, a, arena_dup(a, text, len), len, &e), &e);
		struct jv talk = jv_list(a, 2);
		add_message(a, talk, "user", value_get(row, "prompt"));
		add_message(a, talk, "assistant", value_get(row, "chosen"));
		jv_list_add(a, talks, talk);
	}
	jsonl_done(&lines);
	input_close(lines.in);
	return talks;
}

/* Microseconds a conversation; *bytes: of all texts. */
static double measure(const char *path, struct jv talks, size_t *bytes)
{
	struct err e = {0};
	size_t len;
	char *text = io_read_file(path, 4 << 20, &len, &e);
	must(text ? 0 : -1, &e);
	struct source s = {.plain = text, .tools = text, .from = path, .special = json_object()};
	json_object_set_new(s.special, "bos_token", json_string("<s>"));
	struct chat_template t = {0};
	must(chat_template_compile(&t, &s, &e), &e);
	struct chat *c = chat_new(&t);
	struct jv none = {.type = JV_MISSING};
	struct str out = {0};
	double best = 1e9;
	for (int pass = 0; pass < PASSES; pass++) {
		double from = now();
		*bytes = 0;
		for (size_t i = 0; i < jv_list_len(talks); i++) {
			str_reset(&out);
			must(chat_render(c, jv_list_at(talks, i), none, NULL, CHAT_WHOLE, &out,
				     NULL, &e),
				&e);
			*bytes += out.len;
		}
		double took = now() - from;
		best = took < best ? took : best;
	}
	str_done(&out);
	chat_free(c);
	chat_template_done(&t);
	json_decref(s.special);
	mem_free(text);
	return best * 1e6 / (double)jv_list_len(talks);
}

int main(int argc, char **argv)
{
	static const char *const names[] = {"meta-llama-Llama-3.2-3B-Instruct",
		"Qwen-Qwen2.5-7B-Instruct", "Qwen-Qwen3-0.6B", "google-gemma-2-2b-it", NULL};
	const char *data = getenv("SLUICE_TEST_DATA");
	struct arena a = {0};
	size_t bytes;
	if (argc == 3) {
		printf("%.3f\n", measure(argv[1], read_talks(&a, argv[2]), &bytes));
		arena_done(&a);
		return 0;
	}
	if (!data || !*data) {
		printf("templates: needs SLUICE_TEST_DATA\n");
		return 0;
	}
	printf("templates: µs a conversation of UltraFeedback, and MB/s of text\n");
	char *rows = mem_printf("%s/datasets/ultrafeedback_train_clean.jsonl", data);
	struct jv talks = read_talks(&a, rows);
	for (int i = 0; names[i]; i++) {
		char *path = mem_printf("%s/templates/llama.cpp/%s.jinja", data, names[i]);
		double us = measure(path, talks, &bytes);
		printf("  %-34s %6.2f %8.0f\n", names[i], us,
			(double)bytes / us / (double)jv_list_len(talks));
		mem_free(path);
	}
	mem_free(rows);
	arena_done(&a);
	return 0;
}
