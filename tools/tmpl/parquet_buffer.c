#include "tools/tmpl/parquet_buffer.h"

#include "common/mem.h"

/* Gigabytes only where thousands of columns have long pages. */
static const size_t ROOM_MAX = (size_t)2 << 30;

int pq_buffer_grow(struct pq_buffer *b, size_t n, struct pq_room *room, struct err *e)
{
	if (n <= b->cap)
		return 0;
	if (n > ROOM_MAX || room->held - b->cap > ROOM_MAX - n)
		return err_data(e, "its pages need more than %zu bytes at once", ROOM_MAX);
	room->held += n - b->cap;
	b->p = mem_resize(b->p, n, 1);
	b->cap = n;
	return 0;
}

void pq_buffer_done(struct pq_buffer *b, struct pq_room *room)
{
	room->held -= b->cap;
	mem_free(b->p);
	*b = (struct pq_buffer){0};
}
