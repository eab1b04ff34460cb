/* What opts.c, opts_table.c, opts_shared.c and opts_help.c share. */
#ifndef COMMON_OPTS_INT_H
#define COMMON_OPTS_INT_H

#include "common/opts.h"

/* The program's rows, all tables one after the other; NULL behind the last. */
const struct opt *opts_row(const struct opt_program *p, size_t index);
/* The first of that name. */
const struct opt *opts_by_name(const struct opt_program *p, const char *name, size_t len);

/* Decimal digits from s; *end behind them. -1: none, or too large. */
int opts_number(const char *s, uint64_t *out, const char **end);

/* Gives the row its value, or dies. `name` is how the message calls it: "option '--beta'",
 * "SLUICE_THREADS". */
void opts_set(const struct opt *o, const char *name, const char *arg);

_Noreturn void opts_help(const struct opt_program *p);
_Noreturn void opts_version(const struct opt_program *p);
_Noreturn void opts_list(const struct opt_program *p);

#endif
