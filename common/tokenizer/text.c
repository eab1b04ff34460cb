/* Text under way through the normalizers and pre-tokenizers: bytes with the places they came from. */
#include "common/tokenizer/tokenizer_int.h"

#include "common/mem.h"

#include <string.h>

void nbuf_reset(struct nbuf *b)
{
	str_reserve(&b->text, 0);
	str_reset(&b->text);
}

void nbuf_done(struct nbuf *b)
{
	str_done(&b->text);
	mem_free(b->align);
	*b = (struct nbuf){0};
}

void nbuf_put(struct nbuf *b, const void *p, size_t n, struct span at)
{
	mem_grow(&b->align, &b->cap, b->text.len + n, sizeof *b->align);
	for (size_t i = 0; i < n; i++)
		b->align[b->text.len + i] = at;
	str_add(&b->text, p, n);
}

void nbuf_copy(struct nbuf *b, const struct ntext *t, size_t from, size_t to)
{
	if (from == to)
		return;
	mem_grow(&b->align, &b->cap, b->text.len + (to - from), sizeof *b->align);
	struct span *at = b->align + b->text.len;
	if (t->align)
		memcpy(at, t->align + from, (to - from) * sizeof *at);
	else
		for (size_t i = from; i < to;) {
			struct span c = ntext_at(t, i);
			for (; i < to && t->base + i < c.to; i++)
				*at++ = c;
		}
	str_add(&b->text, t->s + from, to - from);
}

struct ntext nbuf_text(const struct nbuf *b)
{
	return (struct ntext){.s = b->text.s, .len = b->text.len, .align = b->align};
}

struct span *spans_room(struct spans *s, size_t more)
{
	if (s->n + more > s->cap)
		mem_grow(&s->v, &s->cap, s->n + more, sizeof *s->v);
	return s->v + s->n;
}

void spans_add(struct spans *s, size_t from, size_t to)
{
	spans_room(s, 1);
	s->v[s->n++] = (struct span){(uint32_t)from, (uint32_t)to};
}
