/* Templates made to hang, to eat memory or to overflow the stack end with an error that names the line. */
#include "common/mem.h"
#include "tests/tap.h"
#include "tools/tmpl/jinja.h"

static const struct {
	const char *claim, *text, *why;
} templates[] = {
	{"endless loops",
		"\n{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
		"line 2: the template runs too long"},
	{"a macro that calls itself", "{% macro m(x) %}{{ m(x + 1) }}{% endmacro %}{{ m(0) }}",
		"too deeply"},
	{"a loop that calls itself", "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
		"too deeply"},
	{"generators over generators",
		"{% set n = namespace(g=[1]) %}{% for i in range(99999) %}"
		"{% set n.g = n.g|map('string') %}{% endfor %}{{ n.g|list }}",
		"too deeply"},
	{"a value nested too deep to print",
		"{% set n = namespace(v=[]) %}{% for i in range(99999) %}{% set n.v = [n.v] %}"
		"{% endfor %}{{ n.v }}",
		"too deeply to print"},
	{"a list that holds itself many times over, printed",
		"{% set n = namespace(v=[1]) %}{% for i in range(60) %}{% set n.v = [n.v, n.v] %}"
		"{% endfor %}{{ n.v }}",
		"too much memory"},
	{"the same as a key",
		"{% set n = namespace(v=(1,)) %}{% for i in range(60) %}{% set n.v = (n.v, n.v) %}"
		"{% endfor %}{{ {n.v: 1} }}",
		"too long"},
	{"the same compared",
		"{% set n = namespace(v=[1], w=[1]) %}{% for i in range(60) %}"
		"{% set n.v = [n.v, n.v] %}{% set n.w = [n.w, n.w] %}{% endfor %}{{ n.v == n.w }}",
		"too long"},
	{"text doubled again and again",
		"{% set n = namespace(s='aaaaaaaa') %}{% for i in range(60) %}"
		"{% set n.s = n.s ~ n.s %}{% endfor %}",
		"too much memory"},
	{"a huge repetition", "{{ 'a' * 10**12 }}", "too much memory"},
	{"a huge range", "{{ range(10**9) }}", "Range too big"},
	{"a huge width", "{{ '%999999999d' % 1 }}", "width"},
	{"long text walked over again and again",
		"{% set s = 'ab' * 3000000 %}{% for i in range(99999) %}{% set t = s.isalpha() %}"
		"{% endfor %}",
		"too long"},
	{"integers that overflow", "{{ 2 ** 63 }}", "beyond 64 bits"},
	{"a namespace that holds itself",
		"{% set a = namespace() %}{% set a.b = a %}{{ a }}{{ a.b.b.c.d }}",
		"has no attribute"},
};

static void check(const char *claim, const char *text, size_t len, const char *why)
{
	struct err e = {0};
	struct jinja *t;
	struct str out = {0};
	struct arena a = {0};
	int rc = jinja_compile(&t, text, len, &e);
	if (rc == 0) {
		struct jinja_run *r = jinja_run_new(t);
		rc = jinja_render(r, jv_dict(&a, 1), &out, NULL, &e);
		jinja_run_free(r);
		jinja_free(t);
	}
	if (!ok(rc < 0 && strstr(e.msg, why) && !strncmp(e.msg, "line ", 5), "%s: an error", claim))
		diag("%s", rc < 0 ? e.msg : "rendered");
	str_done(&out);
	arena_done(&a);
}

/* unit repeated n times between two ends */
static void repeated(const char *claim, const char *head, const char *unit, size_t n,
	const char *tail, const char *why)
{
	struct str s = {0};
	str_adds(&s, head);
	for (size_t i = 0; i < n; i++)
		str_adds(&s, unit);
	str_adds(&s, tail);
	check(claim, s.s, s.len, why);
	str_done(&s);
}

int main(void)
{
	for (size_t i = 0; i < sizeof templates / sizeof *templates; i++)
		check(templates[i].claim, templates[i].text, strlen(templates[i].text),
			templates[i].why);
	repeated("brackets in brackets", "{{ ", "(", 100000, "", "too deeply");
	repeated("a long sum", "{{ 1", "+1", 100000, " }}", "too deep");
	repeated("a long path", "{{ a", ".b", 100000, " }}", "too deep");
	repeated("a long chain of not", "{{ ", "not ", 100000, "1 }}", "too deeply");
	repeated("blocks in blocks", "", "{% if 1 %}", 100000, "", "too deeply");
	repeated("too long a template", "", "0123456789abcdef", 1 << 19, "", "bytes long");
	return tap_done();
}
