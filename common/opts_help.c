/* What the option tables print: --help, --version, and the lines that shell completion is made
 * from. */
#include "common/opts_int.h"

#include "common/die.h"
#include "common/version.h"

#include <gnu/libc-version.h>
#include <jansson.h>
#include <msgpack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { HELP_COLUMN = 28 };

static _Noreturn void end_output(void)
{
	if (fflush(stdout) || ferror(stdout))
		die(STATUS_SYSTEM, "cannot write to standard output");
	exit(STATUS_OK);
}

static int is_shown(const struct opt_program *p, const struct opt *o)
{
	return o->kind != OPT_REFUSE && opts_by_name(p, o->name, strlen(o->name)) == o;
}

static void print_option(const struct opt *o)
{
	char left[120];
	char letter[] = {
		o->letter ? '-' : ' ', o->letter ? o->letter : ' ', o->letter ? ',' : ' ', 0};
	snprintf(left, sizeof left, "  %s --%s%s%s", letter, o->name, o->arg ? " " : "",
		o->arg ? o->arg : "");
	int columns = 0;
	for (const char *c = left; *c; c++)
		columns += (*c & 0xc0) != 0x80; /* not the rest of a UTF-8 sequence */
	if (columns < HELP_COLUMN - 1)
		printf("%s%*s%s\n", left, HELP_COLUMN - columns, "", o->help);
	else
		printf("%s\n%*s%s\n", left, HELP_COLUMN, "", o->help);
}

void opts_help(const struct opt_program *p)
{
	printf("usage: %s %s\n%s\n", p->name, p->usage, p->summary);
	const struct opt *o;
	const char *heading = "Options";
	for (size_t i = 0; (o = opts_row(p, i)); i++) {
		if (o->kind == OPT_GROUP) {
			heading = o->help;
			continue;
		}
		if (!is_shown(p, o))
			continue;
		if (heading)
			printf("\n%s:\n", heading);
		heading = NULL;
		print_option(o);
	}
	if (p->examples)
		printf("\nExamples:\n%s%s", p->examples,
			p->examples[strlen(p->examples) - 1] == '\n' ? "" : "\n");
	printf("\nManual: man %s. The stream that programs exchange: man sluice-stream.\n",
		p->name);
	end_output();
}

void opts_version(const struct opt_program *p)
{
	printf("%s (sluice) %s\n", p->name, SLUICE_VERSION);
	printf("built by %s %s for %s; jansson %s, msgpack-c %s, zlib %s, glibc %s\n",
#ifdef __clang__
		"clang", __clang_version__,
#else
		"gcc", __VERSION__,
#endif
#if defined __x86_64__
		"x86-64",
#elif defined __aarch64__
		"aarch64",
#else
		"another CPU",
#endif
		JANSSON_VERSION, MSGPACK_VERSION, zlibVersion(), gnu_get_libc_version());
	end_output();
}

void opts_list(const struct opt_program *p)
{
	const struct opt *o;
	for (size_t i = 0; (o = opts_row(p, i)); i++) {
		if (o->kind == OPT_GROUP || !is_shown(p, o))
			continue;
		char letter[] = {o->letter ? '-' : 0, o->letter, 0};
		printf("--%s\t%s\t%s\t%s\n", o->name, letter, o->arg ? o->arg : "", o->help);
	}
	end_output();
}
