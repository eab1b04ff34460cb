#include "common/tokenizer/window.h"

#include "common/mem.h"

#include <string.h>

enum { STRETCH = 4096 }; /* bytes: with their bits they stay in the first-level cache */

void window_init(struct window *w)
{
	*w = (struct window){0};
	for (int view = 0; view < UNI_VIEWS; view++)
		w->pages[view].view = (enum uni_view)view;
}

void window_done(struct window *w)
{
	mem_free(w->block);
	for (int view = 0; view < UNI_VIEWS; view++)
		uni_pages_done(&w->pages[view]);
}

static void set(struct window *w, size_t from, size_t to, unsigned classes)
{
	for (; classes; classes &= classes - 1) {
		unsigned c = (unsigned)__builtin_ctz(classes);
		for (size_t i = from, next; i < to; i = next) {
			size_t bit = i % TEXT_BLOCK;
			next = i - bit + TEXT_BLOCK < to ? i - bit + TEXT_BLOCK : to;
			w->block[i / TEXT_BLOCK].is[c] |= ~(uint64_t)0 >> (TEXT_BLOCK - (next - i))
										  << bit;
		}
	}
}

/* The classes of longer characters, run by run; n bytes of the window. */
static void add_wide(struct window *w, size_t n)
{
	const uint8_t *s = w->s + w->from;
	for (size_t i = 0; i < n;) {
		uint64_t wide = w->block[i / TEXT_BLOCK].is[TEXT_WIDE] >> i % TEXT_BLOCK;
		if (!wide) {
			i += TEXT_BLOCK - i % TEXT_BLOCK;
			continue;
		}
		i += (size_t)__builtin_ctzll(wide);
		size_t from = i;
		unsigned was = 0;
		while (i < n && s[i] >= 0x80) {
			size_t at = i;
			unsigned is = uni_flags(&w->pages[w->view], uni_next(s, &i)) & UNI_CLASSES;
			if (is == was)
				continue;
			set(w, from, at, was);
			from = at;
			was = is;
		}
		set(w, from, i, was);
	}
}

void window_move(struct window *w, size_t from)
{
	size_t size = from == w->from && w->to > from ? 2 * (w->to - from) : STRETCH;
	size_t n = size < w->len - from ? size : w->len - from, blocks = n / TEXT_BLOCK + 2;
	mem_grow(&w->block, &w->cap, blocks, sizeof *w->block);
	w->from = from;
	w->to = from + n;
	text_classify(w->s + from, n, w->block);
	/* One more, for runs that end at a block's end, and characters that go over the window's.
	 */
	size_t used = (n + TEXT_BLOCK - 1) / TEXT_BLOCK;
	memset(w->block + used, 0, (blocks - used) * sizeof *w->block);
	add_wide(w, n);
}

void window_begin(struct window *w, const char *s, size_t len, enum uni_view view)
{
	w->s = (const uint8_t *)s;
	w->len = len;
	w->view = view;
	w->from = w->to = 0;
	window_move(w, 0);
}

size_t window_last(const struct window *w, size_t from, size_t to, enum text_class c)
{
	from -= w->from;
	to -= w->from;
	while (to > from) {
		size_t first = (to - 1) / TEXT_BLOCK * TEXT_BLOCK;
		uint64_t is = w->block[first / TEXT_BLOCK].is[c] &
			      ~(uint64_t)0 >> (TEXT_BLOCK - (to - first));
		if (is) {
			size_t last = first + TEXT_BLOCK - (size_t)__builtin_clzll(is);
			return last > from ? w->from + last : 0;
		}
		to = first;
	}
	return 0;
}
