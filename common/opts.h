/*
 * Options as a table: one row parses an option, prints its line of --help, and feeds the shell
 * completion (--list-options, hidden) and the lint that compares man pages. getopt_long underneath.
 * A program's table is its own rows followed by the shared groups it takes.
 */
#ifndef COMMON_OPTS_H
#define COMMON_OPTS_H

#include <stddef.h>
#include <stdint.h>

enum opt_kind {
	OPT_FLAG,   /* int *:       set to 1 */
	OPT_INT,    /* int64_t *:   decimal integer >= 0 */
	OPT_SIZE,   /* uint64_t *:  bytes, with K M G T (1024) suffixes */
	OPT_REAL,   /* double *:    decimal, locale-independent */
	OPT_STR,    /* const char **: last one wins */
	OPT_LIST,   /* struct opt_list *: repeated */
	OPT_CALL,   /* int (*)(const char *arg): 0, or -1 = bad argument; takes an argument */
	OPT_REFUSE, /* a peer's option that means nothing here: dies with `help` (the way out),
		       status 2 */
	OPT_GROUP,  /* a heading in --help: only `help` is used */
};

struct opt_list {
	const char **v;
	size_t n, cap;
};

struct opt {
	const char *name; /* "max-length"; NULL only in OPT_GROUP */
	char letter;	  /* 0: none */
	enum opt_kind kind;
	void *var;
	const char *arg;  /* "N", "DIR", "keep_start|keep_end": shown in help; a|b|c is checked */
	const char *help; /* one line */
};

struct opt_program {
	const char *name;     /* "tok" */
	const char *usage;    /* "[-m DIR] [FILE…]" */
	const char *summary;  /* one sentence */
	const char *examples; /* lines, may be NULL */
	/* NULL-terminated list of tables, each ending with a zero row. */
	const struct opt *const *tables;
};

/* Parses; dies with status 2 on what is wrong, prints and exits 0 for -h, -V and --list-options.
 * The operands are argv[returned …]. The SLUICE_… variables count only for options that the program
 * has, and an option is stronger. A row named twice (-j) is taken once. */
int opts_parse(const struct opt_program *p, int argc, char **argv);

/* Whether the option was given on the command line (by long name). */
int opts_given(const char *name);

/* The options that change results, for the stream's history: names (NULL-terminated) are those that
 * matter. Returns "name=value …" with the values in force, given or default, so that two runs that
 * did the same say the same; flags and strings that are not set are left out, and OPT_CALL appears
 * as it was given. The caller frees. */
char *opts_history(const struct opt_program *p, const char *const *names);

/* ---- shared groups (cli.md "All programs") ---- */

struct opts_common {
	const char *output; /* -o, NULL: standard output */
	int force, gzip, skip_bad, keep, ignore_mismatch, quiet, verbose;
	const char *rejects;	   /* --rejects FILE */
	uint64_t shard_i, shard_n; /* --shard I/N; 1/1 */
	int64_t threads;	   /* -j; SLUICE_THREADS; 0: the CPUs this process may use */
};
extern struct opts_common opts_common;
extern const struct opt opts_base[];	/* -q -v -h -V */
extern const struct opt opts_output[];	/* -o -f -z */
extern const struct opt opts_shard[];	/* --shard */
extern const struct opt opts_threads[]; /* --threads */
extern const struct opt opts_filter[];	/* that, --skip-bad --rejects --keep --ignore-mismatch -j */

struct opts_model {
	const char *model;			  /* -m */
	const char *device, *precision, *kernels; /* SLUICE_DEVICE, SLUICE_KERNELS */
};
extern struct opts_model opts_model;
extern const struct opt opts_dir[];    /* -m */
extern const struct opt opts_device[]; /* --device --precision --kernels -j */

#endif
