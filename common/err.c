#include "common/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int fill(struct err *e, int status, const char *fmt, va_list ap)
{
	e->status = status;
	vsnprintf(e->msg, sizeof e->msg, fmt, ap);
	return -1;
}

int err_set(struct err *e, int status, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fill(e, status, fmt, ap);
	va_end(ap);
	return -1;
}

int err_data(struct err *e, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fill(e, STATUS_DATA, fmt, ap);
	va_end(ap);
	return -1;
}

int err_usage(struct err *e, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fill(e, STATUS_USAGE, fmt, ap);
	va_end(ap);
	return -1;
}

int err_sys(struct err *e, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;
	va_start(ap, fmt);
	fill(e, STATUS_SYSTEM, fmt, ap);
	va_end(ap);
	size_t n = strlen(e->msg);
	snprintf(e->msg + n, sizeof e->msg - n, ": %s", strerror(saved));
	return -1;
}

int err_prefix(struct err *e, const char *fmt, ...)
{
	char was[sizeof e->msg];
	memcpy(was, e->msg, sizeof was);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof e->msg, fmt, ap);
	va_end(ap);
	size_t n = strlen(e->msg);
	snprintf(e->msg + n, sizeof e->msg - n, ": %s", was);
	return -1;
}
