/*
 * The only place that writes diagnostics: "program: file:record: what" on standard error, one
 * write a message, control characters replaced. Called by main() and its file, never below.
 */
#ifndef COMMON_DIE_H
#define COMMON_DIE_H

#include "common/err.h"

/* Call first: the program's name is a constant, not argv[0]. Also restores SIGPIPE's default
 * and holds the standard descriptors' places. */
void die_init(const char *program);
const char *die_program(void);

/* -q: notes are silenced (warnings and errors never are); -v: die_verbose speaks. */
void die_set_quiet(void);
void die_set_verbose(void);

_Noreturn void die(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
_Noreturn void die_err(const struct err *e);

/* Prints the error and goes on: for records that --skip-bad leaves out, files that --check finds bad. */
void die_report(const struct err *e);

void die_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));    /* "warning: …" */
void die_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));    /* unless -q */
void die_verbose(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* with -v */

/* A line of a table that was asked for: on standard output; or, where `aside` because a stream goes
 * there, a note with spaces for tabs. */
void die_line(int aside, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* How far it is, on one line that the next one replaces: only on a terminal, not with -q, at most a
 * few times a second. */
void die_progress(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Registered by what must clean up (temporary files, outfile.h); run by die() and at exit. */
void die_at_exit(void (*fn)(void));

#endif
