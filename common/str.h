/*
 * Growable bytes with a length. Invariants: s is NULL only while cap is 0; otherwise s[len] is 0,
 * so it can be read as a C string when it holds no NUL. Zero-initialise; str_done frees.
 */
#ifndef COMMON_STR_H
#define COMMON_STR_H

#include <stddef.h>

struct str {
	char *s;
	size_t len, cap;
};

void str_add(struct str *b, const void *p, size_t len);
void str_adds(struct str *b, const char *s);
void str_addc(struct str *b, char c);
void str_addf(struct str *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void str_reserve(struct str *b, size_t more); /* room for `more` bytes and the NUL */
void str_reset(struct str *b);		      /* empty, keeps the memory */
void str_cut(struct str *b, size_t len);      /* shortens to len */
void str_done(struct str *b);

/* The bytes as a heap string of the caller's; *b is empty afterwards. */
char *str_take(struct str *b);

#endif
