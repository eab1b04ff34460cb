#include "common/die.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *program = "sluice";
static int quiet, verbose, progress_shown;

void die_init(const char *name)
{
	program = name;
	/* A descriptor that the parent closed must not be given to the next file that is opened: what
	 * stands in for it fails, in both directions. */
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd)
			abort();
	/* A parent may have ignored SIGPIPE; `tok … | head -1` must end quietly with 141. */
	signal(SIGPIPE, SIG_DFL);
}

const char *die_program(void)
{
	return program;
}

void die_set_quiet(void)
{
	quiet = 1;
}

void die_set_verbose(void)
{
	verbose = 1;
}

static void say(const char *kind, const char *fmt, va_list ap)
{
	char line[1400];
	int n = snprintf(
		line, sizeof line, "%s%s: %s", progress_shown ? "\r\033[K" : "", program, kind);
	size_t text = progress_shown ? 4 : 0;
	progress_shown = 0;
	int m = vsnprintf(line + n, sizeof line - (size_t)n - 1, fmt, ap);
	size_t len = (size_t)n + (m > 0 ? (size_t)m : 0);
	if (len > sizeof line - 2)
		len = sizeof line - 2;
	for (size_t i = text; i < len; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[len++] = '\n';
	if (write(STDERR_FILENO, line, len) < 0)
		return; /* nowhere left to say it */
}

void die(int status, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	say("", fmt, ap);
	va_end(ap);
	exit(status);
}

void die_err(const struct err *e)
{
	die(e->status ? e->status : STATUS_SYSTEM, "%s", e->msg);
}

static void say_words(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	say("", fmt, ap);
	va_end(ap);
}

void die_report(const struct err *e)
{
	say_words("%s", e->msg);
}

void die_warn(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	say("warning: ", fmt, ap);
	va_end(ap);
}

void die_note(const char *fmt, ...)
{
	if (quiet)
		return;
	va_list ap;
	va_start(ap, fmt);
	say("", fmt, ap);
	va_end(ap);
}

void die_verbose(const char *fmt, ...)
{
	if (!verbose)
		return;
	va_list ap;
	va_start(ap, fmt);
	say("", fmt, ap);
	va_end(ap);
}

void die_line(int aside, const char *fmt, ...)
{
	char line[1000];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	for (char *tab = line; aside && (tab = strchr(tab, '\t'));)
		*tab = ' '; /* a message has no control characters */
	if (aside)
		die_note("%s", line);
	else if (printf("%s\n", line) < 0 || fflush(stdout))
		die(STATUS_SYSTEM, "cannot write the report");
}

void die_progress(const char *fmt, ...)
{
	static double last;
	static int terminal = -1;
	if (terminal < 0)
		terminal = isatty(STDERR_FILENO);
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	double t = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
	if (quiet || !terminal || t - last < 0.25)
		return;
	last = t;
	progress_shown = 1;
	char line[200];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	dprintf(STDERR_FILENO, "\r\033[K%s: %s", program, line);
}

void die_at_exit(void (*fn)(void))
{
	if (atexit(fn) != 0)
		abort();
}
