/*
 * How code below main() says what went wrong. A function returns 0 or -1 (or a pointer or NULL)
 * and fills a struct err once, at the place that knows; callers may put context in front of it.
 * Only main() turns an error into a message and an exit status (die.h).
 */
#ifndef COMMON_ERR_H
#define COMMON_ERR_H

/* Exit statuses of every program; 128+n is signal n. */
enum {
	STATUS_OK = 0,
	STATUS_DATA = 1,   /* the data is at fault: bad record, truncated stream, mismatch */
	STATUS_USAGE = 2,  /* the command line is at fault */
	STATUS_SYSTEM = 3, /* the system is at fault: I/O, memory, no such device, does not fit */
};

struct err {
	int status; /* one of the above; 0 while nothing has gone wrong */
	char msg[1000];
};

/* Each fills *e and returns -1, so that `return err_data(e, …)` reads well. Messages are lower
 * case, without a full stop, the subject in single quotes. */
int err_set(struct err *e, int status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int err_data(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int err_usage(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* STATUS_SYSTEM; appends ": " and strerror(errno). */
int err_sys(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "context: " in front of what is there, e.g. "prefs.jsonl:12: ". Returns -1. */
int err_prefix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
