/*
 * The values of a tensor as the result has them before any quantising: read or dequantised, with what
 * adapters add. Deltas are made of whole rows, units of 4-bit codes of whole blocks: a unit that begins
 * within a row computes that row and takes its part.
 */
#include "common/rewrite_int.h"

#include "common/mem.h"

#include <string.h>

/* Elements of a unit: large enough that a write costs nothing against its bytes, small enough to share
 * a tensor out evenly and to stay in cache. */
enum { UNIT_COPY = 1 << 19, UNIT_CODES = 1 << 17 };

/* ---- rooms ----------------------------------------------------------------------------------- */

void *room(struct rooms *r, enum place place, size_t n, size_t size)
{
	size_t need = mem_mul(n, size);
	if (need > r->cap[place] || !r->v[place]) {
		mem_free(r->v[place]);
		r->v[place] = mem_alloc(need + 1, 1);
		r->cap[place] = need;
	}
	return r->v[place];
}

struct rooms *rooms_new(struct team *team)
{
	return mem_zalloc((size_t)team_size(team), sizeof(struct rooms));
}

void rooms_free(struct rooms *r, struct team *team)
{
	for (int i = 0; i < team_size(team); i++)
		for (int place = 0; place < ROOM_COUNT; place++)
			mem_free(r[i].v[place]);
	mem_free(r);
}

/* ---- deltas ---------------------------------------------------------------------------------- */

static float *as_f32(const struct st_tensor *t)
{
	float *v = mem_alloc(t->elements, sizeof *v);
	dtype_to_f32(t->dtype, t->data, v, t->elements);
	return v;
}

static float *transposed(const struct st_tensor *t)
{
	size_t rows = t->shape[0], cols = t->shape[1];
	float *v = as_f32(t), *out = mem_alloc(t->elements, sizeof *out);
	for (size_t i = 0; i < rows; i++)
		for (size_t j = 0; j < cols; j++)
			out[j * rows + i] = v[i * cols + j];
	mem_free(v);
	return out;
}

static struct merge_part part_open(const struct delta *d, size_t cols, enum dtype as)
{
	if (!d->a) {
		float *one = mem_alloc(1, sizeof *one);
		*one = 1;
		return (struct merge_part){
			.b = as_f32(d->b), .a = one, .r = 1, .scale = d->scale, .as = DT_F32};
	}
	size_t r = d->a->shape[0];
	float *left = d->embedding ? transposed(d->a) : as_f32(d->b);
	float *right = d->embedding ? transposed(d->b) : as_f32(d->a);
	float *packed = mem_alloc(mem_mul(r, cols), sizeof *packed);
	merge_pack(right, r, cols, packed);
	mem_free(right);
	return (struct merge_part){left, packed, r, d->scale, d->embedding ? as : DT_F32};
}

void values_open(struct values *v, const struct rewrite_item *it)
{
	*v = (struct values){.it = it, .rows = it->in->elements, .cols = 1};
	if (it->from) {
		v->rows = it->from->d.n;
		v->cols = it->from->d.k;
	} else if (it->in->rank == 2) {
		v->rows = it->in->shape[0];
		v->cols = it->in->shape[1];
	}
	v->parts = mem_zalloc(it->ndeltas, sizeof *v->parts);
	for (size_t i = 0; i < it->ndeltas; i++) {
		const struct delta *d = &it->deltas[i];
		v->parts[i] = part_open(d, v->cols, it->dtype);
		if (d->magnitude)
			v->magnitude = as_f32(d->magnitude);
	}
}

void values_done(struct values *v)
{
	for (size_t i = 0; i < v->it->ndeltas; i++) {
		mem_free((void *)v->parts[i].a);
		mem_free((void *)v->parts[i].b);
	}
	mem_free(v->parts);
	mem_free(v->magnitude);
}

size_t values_count(const struct values *v)
{
	return v->rows * v->cols;
}

size_t values_unit(const struct values *v)
{
	const struct rewrite_item *it = v->it;
	if (it->quantise && it->form.type != DT_INT8) {
		size_t group = it->form.blocksize * QUANT_NESTED_BLOCK;
		return group > UNIT_CODES ? group : UNIT_CODES;
	}
	if (!it->quantise && !it->ndeltas)
		return UNIT_COPY;
	size_t most = it->quantise ? UNIT_CODES : UNIT_COPY;
	return v->cols < most && v->cols ? most / v->cols * v->cols : v->cols + !v->cols;
}

/* ---- values ---------------------------------------------------------------------------------- */

/* The base's elements, as they lie or decoded to f32. */
static const void *base_see(
	const struct values *v, size_t from, size_t n, struct rooms *r, enum dtype *t)
{
	const struct rewrite_item *it = v->it;
	*t = it->from ? DT_F32 : it->in->dtype;
	if (!it->from)
		return (const char *)it->in->data + dtype_bytes(*t, from);
	float *values = room(r, ROOM_BASE, n, sizeof *values);
	quant_decode(&it->from->d, from, n, values);
	return values;
}

static struct merge_part *parts_at(const struct values *v, size_t row, struct rooms *r)
{
	size_t n = v->it->ndeltas;
	struct merge_part *parts = room(r, ROOM_PARTS, n, sizeof *parts);
	for (size_t i = 0; i < n; i++) {
		parts[i] = v->parts[i];
		parts[i].b += row * parts[i].r;
	}
	return parts;
}

/* Whole rows of base and deltas; of DoRA, which asks for f32, as long as they should be. */
static int add_rows(
	const struct values *v, size_t row, size_t rows, struct rooms *r, enum dtype to, void *dst)
{
	enum dtype t;
	const void *base = base_see(v, row * v->cols, rows * v->cols, r, &t);
	if (merge_rows(t, base, to, dst, rows, v->cols, parts_at(v, row, r), v->it->ndeltas))
		return -1;
	if (v->magnitude)
		merge_rescale(dst, rows, v->cols, v->magnitude + row);
	return 0;
}

static const void *sums_see(
	const struct values *v, size_t from, size_t n, struct rooms *r, const float **sum)
{
	size_t row = from / v->cols, rows = (from + n + v->cols - 1) / v->cols - row;
	size_t all = rows * v->cols, skip = from - row * v->cols;
	enum dtype to = v->it->dtype, first = sum || v->magnitude ? DT_F32 : to;
	char *sums = room(r, ROOM_SUM, all, dtype_bytes(first, 1));
	if (add_rows(v, row, rows, r, first, sums))
		return NULL;
	sums += dtype_bytes(first, skip);
	if (sum)
		*sum = (const float *)(const void *)sums;
	if (first == to && !v->magnitude)
		return sums;
	void *dst = room(r, ROOM_ROWS, n, dtype_bytes(to, 1));
	return merge_rows(first, sums, to, dst, 1, n, NULL, 0) ? NULL : dst;
}

const void *values_see(
	const struct values *v, size_t from, size_t n, struct rooms *r, const float **sum)
{
	enum dtype t, to = v->it->dtype;
	if (v->it->ndeltas)
		return sums_see(v, from, n, r, sum);
	const void *base = base_see(v, from, n, r, &t);
	if (t == to)
		return base;
	void *dst = room(r, ROOM_VALUES, n, dtype_bytes(to, 1));
	return merge_rows(t, base, to, dst, 1, n, NULL, 0) ? NULL : dst;
}

const float *values_base(const struct values *v, size_t from, size_t n, struct rooms *r)
{
	enum dtype t;
	const void *base = base_see(v, from, n, r, &t);
	if (v->it->from)
		return base;
	float *own = room(r, ROOM_BASE, n, sizeof *own);
	dtype_to_f32(t, base, own, n);
	return own;
}

void values_release(const struct values *v, size_t from, size_t n)
{
	const struct st_tensor *in = v->it->in;
	enum dtype t = v->it->from ? v->it->from->d.dtype : in->dtype;
	if (v->it->in_memory)
		return;
	st_release((const char *)in->data + dtype_bytes(t, from), dtype_bytes(t, n));
}

int values_fault(const struct values *v, struct err *e)
{
	const struct rewrite_item *it = v->it;
	size_t n = values_count(v), step = UNIT_COPY;
	struct rooms r = {0};
	int finite = 1;
	for (size_t i = 0; i < n && finite; i += step) {
		enum dtype t;
		size_t len = n - i < step ? n - i : step;
		const void *base = base_see(v, i, len, &r, &t);
		finite = merge_finite(t, base, len);
	}
	mem_free(r.v[ROOM_BASE]);
	if (!finite)
		return err_data(e, "tensor '%s' is not finite", it->in->name);
	return err_data(e, "tensor '%s': the result is too large for %s", it->name,
		it->quantise && it->form.type == DT_INT8 ? "int8, which goes through float16"
							 : dtype_info[it->dtype].torch_name);
}
