#include "common/str.h"

#include "common/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void str_reserve(struct str *b, size_t more)
{
	mem_grow(&b->s, &b->cap, b->len + more + 1, 1);
	b->s[b->len] = 0;
}

void str_add(struct str *b, const void *p, size_t len)
{
	str_reserve(b, len);
	if (len)
		memcpy(b->s + b->len, p, len);
	b->len += len;
	b->s[b->len] = 0;
}

void str_adds(struct str *b, const char *s)
{
	str_add(b, s, strlen(s));
}

void str_addc(struct str *b, char c)
{
	str_add(b, &c, 1);
}

void str_addf(struct str *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n <= 0)
		return;
	str_reserve(b, (size_t)n);
	va_start(ap, fmt);
	vsnprintf(b->s + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

void str_reset(struct str *b)
{
	str_cut(b, 0);
}

void str_cut(struct str *b, size_t len)
{
	if (len >= b->len)
		return;
	b->len = len;
	b->s[len] = 0;
}

void str_done(struct str *b)
{
	mem_free(b->s);
	*b = (struct str){0};
}

char *str_take(struct str *b)
{
	str_reserve(b, 0);
	char *s = b->s;
	*b = (struct str){0};
	return s;
}
