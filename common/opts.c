#include "common/opts_int.h"

#include "common/die.h"
#include "common/mem.h"
#include "common/str.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the command line ---- */

/* What is refused is refused with and without "=value". */
static int argument(const struct opt *o)
{
	return o->kind == OPT_FLAG     ? no_argument
	       : o->kind == OPT_REFUSE ? optional_argument
				       : required_argument;
}

/* What was given: the row and its argument, for opts_given and opts_history. */
static struct given {
	const struct opt *o;
	const char *arg;
} * given;
static size_t ngiven, given_cap;

static const struct given *find_given(const char *name)
{
	for (size_t i = ngiven; i; i--)
		if (!strcmp(given[i - 1].o->name, name))
			return &given[i - 1];
	return NULL;
}

int opts_given(const char *name)
{
	return find_given(name) != NULL;
}

static void from_environment(const struct opt_program *p)
{
	static const char *const names[][2] = {
		{"threads", "SLUICE_THREADS"},
		{"device", "SLUICE_DEVICE"},
		{"kernels", "SLUICE_KERNELS"},
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const struct opt *o = opts_by_name(p, names[i][0], strlen(names[i][0]));
		const char *value = getenv(names[i][1]);
		if (o && value && *value)
			opts_set(o, names[i][1], value);
	}
}

/* Edits that turn a into b, at most `most`: for "did you mean". `-` and `_` count as the same. */
static int distance(const char *a, const char *b, int most)
{
	while (*a && (*a == *b || (*a == '_' && *b == '-')))
		a++, b++;
	if (!*a && !*b)
		return 0;
	if (!most)
		return 1;
	int best = most + 1, d;
	if (*a && (d = 1 + distance(a + 1, b, most - 1)) < best)
		best = d;
	if (*b && (d = 1 + distance(a, b + 1, most - 1)) < best)
		best = d;
	if (*a && *b && (d = 1 + distance(a + 1, b + 1, most - 1)) < best)
		best = d;
	return best;
}

static _Noreturn void unknown(const struct opt_program *p, const char *typed)
{
	size_t len = strcspn(typed, "=");
	char *name = mem_strndup(typed, len);
	const struct opt *o, *near = NULL;
	int least = 3;
	for (size_t i = 0; (o = opts_row(p, i)); i++) {
		if (!o->name)
			continue;
		/* A beginning of the whole name is nearer than any misspelling. */
		int d = len > 1 && !strncmp(o->name, name, len) ? 0 : distance(name, o->name, 2);
		if (d < least) {
			least = d;
			near = o;
		}
	}
	if (near)
		die(STATUS_USAGE, "unknown option '--%s' (did you mean '--%s'?); try '%s --help'",
			name, near->name, p->name);
	die(STATUS_USAGE, "unknown option '--%s'; try '%s --help'", name, p->name);
}

/* getopt_long's tables from ours; a long option's code is FIRST_LONG + its row. */
enum { FIRST_LONG = 256 };

static struct option *long_table(const struct opt_program *p, struct str *letters)
{
	struct option *t = NULL;
	size_t n = 0, cap = 0;
	const struct opt *o;
	str_adds(letters, ":"); /* a missing argument is told from an unknown option */
	for (size_t i = 0; (o = opts_row(p, i)); i++) {
		if (!o->name || opts_by_name(p, o->name, strlen(o->name)) != o)
			continue;
		mem_grow(&t, &cap, n + 2, sizeof *t);
		t[n++] = (struct option){o->name, argument(o), NULL, FIRST_LONG + (int)i};
		if (o->letter) {
			str_addc(letters, o->letter);
			if (argument(o) == required_argument)
				str_addc(letters, ':');
		}
	}
	mem_grow(&t, &cap, n + 1, sizeof *t);
	t[n] = (struct option){0};
	return t;
}

static const struct opt *by_letter(const struct opt_program *p, int c)
{
	const struct opt *o;
	for (size_t i = 0; (o = opts_row(p, i)); i++)
		if (o->name && o->letter == c)
			return o;
	return NULL;
}

static void one_option(
	const struct opt_program *p, const struct opt *o, const char *arg, const char *name)
{
	if (!strcmp(o->name, "help") && !o->var)
		opts_help(p);
	if (!strcmp(o->name, "version") && !o->var)
		opts_version(p);
	opts_set(o, name, arg);
	mem_grow(&given, &given_cap, ngiven + 1, sizeof *given);
	given[ngiven++] = (struct given){o, arg};
}

/* More is a slip of the finger that would stall the machine. */
enum { THREADS_MOST = 1024 };

int opts_parse(const struct opt_program *p, int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--list-options"))
		opts_list(p);
	from_environment(p);

	struct str letters = {0};
	struct option *table = long_table(p, &letters);
	ngiven = 0;
	opterr = 0;
	optind = 0; /* glibc: begin anew */
	int c;
	while ((c = getopt_long(argc, argv, letters.s, table, NULL)) != -1) {
		/* The element that the option was read from: the one before, or before its
		 * argument. */
		const char *typed = argv[optind - 1];
		if (c == '?' || c == ':') {
			const struct opt *o = optopt >= FIRST_LONG
						      ? opts_row(p, (size_t)(optopt - FIRST_LONG))
						      : by_letter(p, optopt);
			if (c == ':' && optopt < FIRST_LONG)
				die(STATUS_USAGE, "option '-%c' wants %s; try '%s --help'", optopt,
					o->arg, p->name);
			if (!optopt || (o && optopt >= FIRST_LONG &&
					       strcspn(typed + 2, "=") != strlen(o->name)))
				unknown(p, typed + 2);
			if (c == ':')
				die(STATUS_USAGE, "option '--%s' wants %s; try '%s --help'",
					o->name, o->arg, p->name);
			if (o)
				die(STATUS_USAGE,
					"option '--%s' takes no argument; try '%s --help'", o->name,
					p->name);
			die(STATUS_USAGE, "unknown option '-%c'; try '%s --help'", optopt, p->name);
		}
		char name[80];
		const struct opt *o;
		if (c >= FIRST_LONG) {
			o = opts_row(p, (size_t)(c - FIRST_LONG));
			if (optarg == argv[optind - 1])
				typed = argv[optind - 2];
			if (strcspn(typed + 2, "=") != strlen(o->name))
				unknown(p,
					typed + 2); /* getopt_long takes abbreviations, we do not */
			snprintf(name, sizeof name, "option '--%s'", o->name);
		} else {
			o = by_letter(p, c);
			snprintf(name, sizeof name, "option '-%c'", c);
		}
		one_option(p, o, optarg, name);
	}
	mem_free(table);
	str_done(&letters);
	if (opts_common.rejects)
		opts_common.skip_bad = 1;
	if (opts_common.quiet)
		die_set_quiet();
	if (opts_common.verbose)
		die_set_verbose();
	if (opts_common.threads > THREADS_MOST)
		die(STATUS_USAGE, "%lld threads are more than any machine has; at most %d",
			(long long)opts_common.threads, THREADS_MOST);
	return optind;
}

/* ---- history ---- */

static void add_value(struct str *out, const struct opt *o)
{
	const struct given *g = find_given(o->name);
	struct str v = {0};
	switch (o->kind) {
	case OPT_FLAG:
		if (!*(int *)o->var)
			return;
		break;
	case OPT_INT:
		str_addf(&v, "=%lld", (long long)*(int64_t *)o->var);
		break;
	case OPT_SIZE:
		str_addf(&v, "=%llu", (unsigned long long)*(uint64_t *)o->var);
		break;
	case OPT_REAL:
		str_addf(&v, "=%.17g", *(double *)o->var);
		break;
	case OPT_STR:
		if (!*(const char **)o->var)
			return;
		str_addf(&v, "=%s", *(const char **)o->var);
		break;
	case OPT_LIST: {
		const struct opt_list *l = o->var;
		for (size_t i = 0; i < l->n; i++)
			str_addf(&v, "%c%s", i ? ',' : '=', l->v[i]);
		if (!l->n)
			return;
		break;
	}
	default:
		if (!g)
			return;
		str_addf(&v, "=%s", g->arg);
	}
	str_addf(out, "%s%s%s", out->len ? " " : "", o->name, v.len ? v.s : "");
	str_done(&v);
}

char *opts_history(const struct opt_program *p, const char *const *names)
{
	struct str out = {0};
	for (; *names; names++)
		add_value(&out, opts_by_name(p, *names, strlen(*names)));
	return str_take(&out);
}
