#include "common/opts.h"

#include "common/die.h"
#include "common/mem.h"
#include "common/opts_int.h"
#include "common/str.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct opts_common opts_common = {.shard_i = 1, .shard_n = 1};
struct opts_model opts_model = {.device = "auto", .precision = "auto", .kernels = "auto"};

/* ---- the shared groups
 * ------------------------------------------------------------------------------------------- */

static int set_shard(const char *arg)
{
	const char *end;
	uint64_t i, n;
	if (opts_number(arg, &i, &end) || *end != '/' || opts_number(end + 1, &n, &end) || *end)
		return -1;
	if (i < 1 || i > n)
		return -1;
	opts_common.shard_i = i;
	opts_common.shard_n = n;
	return 0;
}

static int quiet, verbose;
const struct opt opts_base[] = {
	{NULL, 0, OPT_GROUP, NULL, NULL, "Messages"},
	{"quiet", 'q', OPT_FLAG, &quiet, NULL, "say nothing but warnings and errors"},
	{"verbose", 'v', OPT_FLAG, &verbose, NULL, "say what was chosen and why"},
	{"help", 'h', OPT_FLAG, NULL, NULL, "show this help and exit"},
	{"version", 'V', OPT_FLAG, NULL, NULL, "show version and build, and exit"},
	{0},
};

const struct opt opts_output[] = {
	{NULL, 0, OPT_GROUP, NULL, NULL, "Output"},
	{"output", 'o', OPT_STR, &opts_common.output, "PATH", "write to PATH, whole or not at all"},
	{"force", 'f', OPT_FLAG, &opts_common.force, NULL,
		"replace a directory that sluice did not write"},
	{"gzip", 'z', OPT_FLAG, &opts_common.gzip, NULL, "compress the stream"},
	{0},
};

#define OPT_THREADS                                                                                \
	{                                                                                          \
		"threads", 'j', OPT_INT, &opts_common.threads, "N",                                \
			"threads (default: the CPUs this process may use)"                         \
	}

const struct opt opts_filter[] = {
	{NULL, 0, OPT_GROUP, NULL, NULL, "Records"},
	{"shard", 0, OPT_CALL, (void *)(uintptr_t)set_shard, "I/N",
		"take only records I, I+N, ... of the input"},
	{"skip-bad", 0, OPT_FLAG, &opts_common.skip_bad, NULL,
		"go on after bad records, and count them"},
	{"rejects", 0, OPT_STR, &opts_common.rejects, "FILE",
		"keep bad records, with reasons, as a stream (implies --skip-bad)"},
	{"keep", 0, OPT_FLAG, &opts_common.keep, NULL, "keep the columns that this stage replaces"},
	{"ignore-mismatch", 0, OPT_FLAG, &opts_common.ignore_mismatch, NULL,
		"use input made with another tokenizer, template, model or limits"},
	OPT_THREADS,
	{0},
};

const struct opt opts_dir[] = {
	{"model", 'm', OPT_STR, &opts_model.model, "DIR",
		"the model: a Hugging Face model directory"},
	{0},
};

const struct opt opts_device[] = {
	{NULL, 0, OPT_GROUP, NULL, NULL, "Computing"},
	{"device", 0, OPT_STR, &opts_model.device, "auto|cpu|cuda[:N]",
		"where numbers are computed"},
	{"precision", 0, OPT_STR, &opts_model.precision, "auto|f32|bf16",
		"arithmetic of matrix products"},
	{"kernels", 0, OPT_STR, &opts_model.kernels, "auto|plain|…", "which kernels compute them"},
	OPT_THREADS,
	{0},
};

/* ---- walking the tables
 * ------------------------------------------------------------------------------------------ */

const struct opt *opts_row(const struct opt_program *p, size_t index)
{
	for (const struct opt *const *t = p->tables; *t; t++)
		for (const struct opt *o = *t; o->name || o->help; o++)
			if (!index--)
				return o;
	return NULL;
}

const struct opt *opts_by_name(const struct opt_program *p, const char *name, size_t len)
{
	const struct opt *o;
	for (size_t i = 0; (o = opts_row(p, i)); i++)
		if (o->name && strlen(o->name) == len && !memcmp(o->name, name, len))
			return o;
	return NULL;
}

/* What is refused is refused with and without "=value". */
static int argument(const struct opt *o)
{
	return o->kind == OPT_FLAG     ? no_argument
	       : o->kind == OPT_REFUSE ? optional_argument
				       : required_argument;
}

/* ---- values
 * --------------------------------------------------------------------------------------------------------
 */

int opts_number(const char *s, uint64_t *out, const char **end)
{
	uint64_t n = 0;
	const char *p = s;
	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(n, 10, &n) ||
			__builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
			return -1;
	*out = n;
	*end = p;
	return p == s ? -1 : 0;
}

static int set_int(int64_t *out, const char *arg)
{
	uint64_t n;
	const char *end;
	if (opts_number(arg, &n, &end) || *end || n > INT64_MAX)
		return -1;
	*out = (int64_t)n;
	return 0;
}

static int set_size(uint64_t *out, const char *arg)
{
	static const char suffixes[] = "KMGT";
	const char *end, *suffix;
	uint64_t n;
	if (opts_number(arg, &n, &end))
		return -1;
	if (*end && (suffix = strchr(suffixes, toupper((unsigned char)*end)))) {
		unsigned shift = 10 * (unsigned)(suffix - suffixes + 1);
		if (n > UINT64_MAX >> shift)
			return -1;
		n <<= shift;
		end++;
	}
	*out = n;
	return *end ? -1 : 0;
}

/* strtod minus hexadecimal, infinity and NaN. No program calls setlocale, so the point is a point.
 */
static int set_real(double *out, const char *arg)
{
	char *end;
	if (!*arg || strspn(arg, "0123456789+-.eE") != strlen(arg))
		return -1;
	errno = 0;
	double v = strtod(arg, &end);
	if (*end || !isfinite(v))
		return -1;
	*out = v;
	return 0;
}

/* "a|b|c" in the arg column, all lower case, is the list of what is allowed. */
static int is_choice(const struct opt *o)
{
	return o->arg && strchr(o->arg, '|') &&
	       strspn(o->arg, "abcdefghijklmnopqrstuvwxyz0123456789_-|") == strlen(o->arg);
}

static int in_choice(const char *choices, const char *arg)
{
	size_t n = strlen(arg);
	for (const char *c = choices; c; c = strchr(c, '|') ? strchr(c, '|') + 1 : NULL)
		if (!strncmp(c, arg, n) && (c[n] == '|' || !c[n]))
			return n > 0;
	return 0;
}

static _Noreturn void bad_argument(const char *name, const struct opt *o, const char *arg)
{
	static const char *const wanted[] = {
		[OPT_INT] = "a whole number",
		[OPT_SIZE] = "a number of bytes, such as 512M",
		[OPT_REAL] = "a number",
	};
	int kind = o->kind == OPT_INT || o->kind == OPT_SIZE || o->kind == OPT_REAL;
	die(STATUS_USAGE, "%s wants %s, not '%s'; try '%s --help'", name,
		kind ? wanted[o->kind] : o->arg, arg, die_program());
}

/* `name` is how the message calls it: "option '--beta'", "SLUICE_THREADS". */
static void set(const struct opt *o, const char *name, const char *arg)
{
	int bad = 0;
	switch (o->kind) {
	case OPT_FLAG:
		if (o->var)
			*(int *)o->var = 1;
		break;
	case OPT_INT:
		bad = set_int(o->var, arg);
		break;
	case OPT_SIZE:
		bad = set_size(o->var, arg);
		break;
	case OPT_REAL:
		bad = set_real(o->var, arg);
		break;
	case OPT_STR:
		bad = is_choice(o) && !in_choice(o->arg, arg);
		*(const char **)o->var = arg;
		break;
	case OPT_LIST: {
		struct opt_list *l = o->var;
		mem_grow(&l->v, &l->cap, l->n + 1, sizeof *l->v);
		l->v[l->n++] = arg;
		break;
	}
	case OPT_CALL:
		bad = ((int (*)(const char *))(uintptr_t)o->var)(arg);
		break;
	case OPT_REFUSE:
		die(STATUS_USAGE, "%s: %s", name, o->help);
	case OPT_GROUP:
		break;
	}
	if (bad)
		bad_argument(name, o, arg);
}

/* ---- the command line
 * ------------------------------------------------------------------------------------------------
 */

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
			set(o, names[i][1], value);
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
	set(o, name, arg);
	mem_grow(&given, &given_cap, ngiven + 1, sizeof *given);
	given[ngiven++] = (struct given){o, arg};
}

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
	if (quiet)
		die_set_quiet();
	if (verbose)
		die_set_verbose();
	return optind;
}

/* ---- history
 * -------------------------------------------------------------------------------------------------------
 */

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
