#include "common/mem.h"

#include "common/die.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE  ((size_t)2 << 20)
#define CACHE_LINE ((size_t)64)

static void *must(void *p, size_t bytes)
{
	if (!p)
		die(STATUS_SYSTEM, "out of memory (asked for %zu bytes)", bytes);
	return p;
}

size_t mem_mul(size_t a, size_t b)
{
	size_t r;
	if (__builtin_mul_overflow(a, b, &r))
		die(STATUS_SYSTEM, "out of memory (asked for %zu times %zu bytes)", a, b);
	return r;
}

void *mem_alloc(size_t n, size_t size)
{
	size_t bytes = mem_mul(n, size);
	return must(malloc(bytes ? bytes : 1), bytes);
}

void *mem_zalloc(size_t n, size_t size)
{
	size_t bytes = mem_mul(n, size);
	return must(calloc(1, bytes ? bytes : 1), bytes);
}

void *mem_resize(void *p, size_t n, size_t size)
{
	size_t bytes = mem_mul(n, size);
	return must(realloc(p, bytes ? bytes : 1), bytes);
}

void *mem_table(size_t n, size_t size)
{
	size_t bytes = mem_mul(n, size), page = bytes < HUGE_PAGE / 2 ? CACHE_LINE : HUGE_PAGE;
	size_t whole = mem_mul(bytes / page + 1, page);
	void *p = must(aligned_alloc(page, whole), whole);
	if (page == HUGE_PAGE)
		madvise(p, whole, MADV_HUGEPAGE); /* where there are none: as well */
	return p;
}

void mem_free(void *p)
{
	free(p);
}

void *mem_dup(const void *p, size_t len)
{
	void *q = mem_alloc(len, 1);
	if (len)
		memcpy(q, p, len);
	return q;
}

char *mem_strndup(const char *s, size_t len)
{
	char *q = mem_alloc(len + 1, 1);
	if (len)
		memcpy(q, s, len);
	q[len] = 0;
	return q;
}

char *mem_strdup(const char *s)
{
	return mem_strndup(s, strlen(s));
}

char *mem_printf(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		n = 0;
	char *s = mem_alloc((size_t)n + 1, 1);
	va_start(ap, fmt);
	vsnprintf(s, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return s;
}

void mem_grow(void *vp, size_t *cap, size_t need, size_t size)
{
	if (need <= *cap)
		return;
	size_t want = *cap ? *cap : 8;
	while (want < need)
		want = mem_mul(want, 2);
	void *p;
	memcpy(&p, vp, sizeof p);
	p = mem_resize(p, want, size);
	memcpy(vp, &p, sizeof p);
	*cap = want;
}

struct arena_block {
	struct arena_block *next;
	size_t cap, used;
	_Alignas(16) char data[];
};

enum { ARENA_BLOCK = 64 * 1024 };

void *arena_alloc(struct arena *a, size_t n, size_t size)
{
	size_t bytes = mem_mul(n, size);
	if (bytes > SIZE_MAX - 15)
		mem_mul(SIZE_MAX, 2);
	bytes = (bytes + 15) & ~(size_t)15;
	while (a->cur && a->cur->cap - a->cur->used < bytes && a->cur->next) {
		a->cur = a->cur->next;
		a->cur->used = 0;
	}
	if (!a->cur || a->cur->cap - a->cur->used < bytes) {
		size_t cap = bytes > ARENA_BLOCK ? bytes : ARENA_BLOCK;
		struct arena_block *b = mem_alloc(1, sizeof *b + cap);
		b->cap = cap;
		b->used = 0;
		b->next = NULL;
		if (a->cur)
			a->cur->next = b; /* cur is the last block here */
		else
			a->first = b;
		a->cur = b;
	}
	void *p = a->cur->data + a->cur->used;
	a->cur->used += bytes;
	return p;
}

void *arena_dup(struct arena *a, const void *p, size_t len)
{
	void *q = arena_alloc(a, len, 1);
	if (len)
		memcpy(q, p, len);
	return q;
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *q = arena_alloc(a, len + 1, 1);
	if (len)
		memcpy(q, s, len);
	q[len] = 0;
	return q;
}

void arena_reset(struct arena *a)
{
	a->cur = a->first;
	if (a->cur)
		a->cur->used = 0;
}

void arena_done(struct arena *a)
{
	for (struct arena_block *b = a->first, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	a->first = a->cur = NULL;
}
