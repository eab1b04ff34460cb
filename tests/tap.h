/*
 * TAP from C: every check is one line, its description is the claim. `return tap_done();` from main.
 * tap_data() is where the real test data lie (SLUICE_TEST_DATA), NULL without: then tap_skip.
 */
#ifndef TESTS_TAP_H
#define TESTS_TAP_H

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tap_count, tap_failed;

__attribute__((format(printf, 2, 3), unused)) static int ok(int pass, const char *fmt, ...)
{
	va_list ap;
	printf("%sok %d - ", pass ? "" : "not ", ++tap_count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	tap_failed += !pass;
	return pass;
}

__attribute__((format(printf, 1, 2), unused)) static void diag(const char *fmt, ...)
{
	va_list ap;
	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

__attribute__((unused)) static int is_str(const char *got, const char *want, const char *what)
{
	int pass = got && want ? strcmp(got, want) == 0 : got == want;
	ok(pass, "%s", what);
	if (!pass)
		diag("got '%s', wanted '%s'", got ? got : "(null)", want ? want : "(null)");
	return pass;
}

__attribute__((unused)) static int is_int(long long got, long long want, const char *what)
{
	ok(got == want, "%s", what);
	if (got != want)
		diag("got %lld, wanted %lld", got, want);
	return got == want;
}

/* |got - want| <= tol; NaN never passes. */
__attribute__((unused)) static int is_near(double got, double want, double tol, const char *what)
{
	int pass = fabs(got - want) <= tol;
	ok(pass, "%s", what);
	if (!pass)
		diag("got %.9g, wanted %.9g, off by %.3g, allowed %.3g", got, want,
			fabs(got - want), tol);
	return pass;
}

__attribute__((unused)) static void tap_skip(const char *what, const char *why)
{
	printf("ok %d - %s # SKIP %s\n", ++tap_count, what, why);
}

__attribute__((unused)) static const char *tap_data(void)
{
	const char *d = getenv("SLUICE_TEST_DATA");
	return d && *d ? d : NULL;
}

__attribute__((unused)) static int tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed != 0;
}

#endif
