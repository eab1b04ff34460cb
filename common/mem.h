/*
 * Allocation that ends the program (status 3, saying how much was asked for) when memory is out,
 * with overflow-checked products, and an arena for what lives as long as one record.
 */
#ifndef COMMON_MEM_H
#define COMMON_MEM_H

#include <stddef.h>

/* a * b; ends the program when the product does not fit. */
size_t mem_mul(size_t a, size_t b);

/* Uninitialised, zeroed, resized; n items of `size` bytes. n == 0 gives a valid pointer. */
void *mem_alloc(size_t n, size_t size);
void *mem_zalloc(size_t n, size_t size);
void *mem_resize(void *p, size_t n, size_t size);
void mem_free(void *p);
/* Uninitialised too, for what is looked into all over: from a cache line's beginning, and when it is large on
 * huge pages where there are any. */
void *mem_table(size_t n, size_t size);

void *mem_dup(const void *p, size_t len);
char *mem_strdup(const char *s);
char *mem_strndup(const char *s, size_t len); /* adds the NUL */

/* printf into a new string that the caller frees. */
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Grows an array to hold at least `need` items, by doubling: mem_grow(&a->v, &a->cap, need,
 * sizeof *a->v). `vp` is the address of the array pointer.
 */
void mem_grow(void *vp, size_t *cap, size_t need, size_t size);

/*
 * Memory given out piece by piece and taken back all at once. Zero-initialise; arena_reset at the
 * top of a record loop keeps the blocks for reuse; arena_done gives them back.
 */
struct arena {
	struct arena_block *first, *cur;
};
void *arena_alloc(struct arena *a, size_t n, size_t size); /* 16-byte aligned, uninitialised */
void *arena_dup(struct arena *a, const void *p, size_t len);
char *arena_strndup(struct arena *a, const char *s, size_t len);
void arena_reset(struct arena *a);
void arena_done(struct arena *a);

#endif
