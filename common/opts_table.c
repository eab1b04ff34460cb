/* A row of the option tables: finding it, and giving it its value. */
#include "common/opts_int.h"

#include "common/die.h"
#include "common/mem.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* strtod minus hexadecimal, infinity and NaN. No program calls setlocale, so the point is one. */
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

void opts_set(const struct opt *o, const char *name, const char *arg)
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
