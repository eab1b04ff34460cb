/*
 * transformers 5.23 converts every nn.Linear whose path does not match a pattern: the pattern, as a
 * regular expression, matches from the start up to a boundary ("model.layers.1" leaves out layer 1 and
 * not 10 to 19, as it did before version 5), or the path ends with it, letter for letter. Without
 * patterns of the user's it leaves out the output head, and what is tied to it. The user's replace
 * that list: who names modules must name the head, too.
 */
#include "tools/quant/pick.h"

#include "common/mem.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#define BOUNDARY "(?:(?<=\\.)|(?=\\.|$))"

struct pattern {
	char *text;
	pcre2_code *code;
};

struct pick {
	struct pattern *v;
	size_t n;
};

static int add(struct pick *p, const char *text, size_t len, struct err *e)
{
	struct pattern *t = &p->v[p->n++];
	t->text = mem_strndup(text, len);
	char *full = mem_printf("(?:%s)" BOUNDARY, t->text);
	int code;
	PCRE2_SIZE at;
	t->code = pcre2_compile((PCRE2_SPTR)full, PCRE2_ZERO_TERMINATED,
		PCRE2_ANCHORED | PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, &code, &at, NULL);
	mem_free(full);
	if (t->code)
		return 0;
	PCRE2_UCHAR why[200];
	pcre2_get_error_message(code, why, sizeof why);
	return err_usage(e, "--skip-modules '%s': %s", t->text, (char *)why);
}

int pick_new(struct pick **out, const char *names, struct err *e)
{
	if (!names)
		names = "lm_head";
	struct pick *p = mem_zalloc(1, sizeof *p);
	p->v = mem_zalloc(strlen(names) + 1, sizeof *p->v);
	int rc = 0;
	for (const char *s = names; !rc && *s;) {
		size_t len = strcspn(s, ",");
		if (len)
			rc = add(p, s, len, e);
		s += len + (s[len] == ',');
	}
	if (rc)
		pick_free(p);
	else
		*out = p;
	return rc;
}

void pick_free(struct pick *p)
{
	for (size_t i = 0; p && i < p->n; i++) {
		mem_free(p->v[i].text);
		pcre2_code_free(p->v[i].code);
	}
	if (p)
		mem_free(p->v);
	mem_free(p);
}

static int ends_with(const char *s, size_t n, const char *end)
{
	size_t m = strlen(end);
	return n >= m && memcmp(s + n - m, end, m) == 0;
}

/* 1, 0, or -1 when the pattern is too much work. */
static int matches(const struct pattern *t, const char *module, size_t n)
{
	if (ends_with(module, n, t->text))
		return 1;
	pcre2_match_data *m = pcre2_match_data_create_from_pattern(t->code, NULL);
	int rc = m ? pcre2_match(t->code, (PCRE2_SPTR)module, n, 0, 0, m, NULL) : -2;
	pcre2_match_data_free(m);
	return rc > 0 ? 1 : rc == PCRE2_ERROR_NOMATCH ? 0 : -1;
}

/* What has a matrix and is no nn.Linear. */
static int is_embedding(const char *last, size_t n)
{
	return memmem(last, n, "embed", 5) ||
	       (n == 3 && (!memcmp(last, "wte", 3) || !memcmp(last, "wpe", 3)));
}

int pick_weight(const struct pick *p, const struct st_tensor *t, struct err *e)
{
	static const char end[] = ".weight";
	size_t n = strlen(t->name);
	if (t->rank != 2 || !ends_with(t->name, n, end) || !dtype_info[t->dtype].is_float ||
		!t->elements)
		return 0;
	n -= sizeof end - 1;
	const char *dot = memrchr(t->name, '.', n), *last = dot ? dot + 1 : t->name;
	if (is_embedding(last, n - (size_t)(last - t->name)))
		return 0;
	if (ends_with(t->name, n, "c_attn"))
		return err_data(e,
			"tensor '%s' is a Conv1D, whose matrix lies the other way round: "
			"such models are not quantised",
			t->name);
	for (size_t i = 0; i < p->n; i++) {
		int rc = matches(&p->v[i], t->name, n);
		if (rc)
			return rc > 0 ? 0
				      : err_data(e,
						"--skip-modules '%s' cannot be matched with '%s'",
						p->v[i].text, t->name);
	}
	return 1;
}
