/*
 * A tensor is cut into units that a team of threads computes. A unit's result goes to its place in the
 * file from the thread that made it, so that computing and writing overlap; or into the piece that
 * becomes the next record of a stream. Statistics are small and kept until the tensor is done. Pages of
 * the base are given back when they have been used, and those that the kernel brought along at a tensor's
 * end: resident memory does not grow with the model.
 */
#include "common/rewrite_int.h"

#include "common/mem.h"
#include "common/tensors.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

struct job {
	const struct rewrite *w;
	const struct rewrite_item *it;
	const struct rewrite_sink *sink;
	struct values v;
	struct rooms *rooms;
	size_t unit;	    /* elements */
	size_t first, last; /* elements of this run: all, or a piece's */
	char *piece;	    /* of a stream */
	/* Statistics of the whole tensor: absmax or SCB, and nested. */
	float *absmax, *nested;
	uint8_t *absmax_q;
	float map[256];
	struct rewrite_loss *losses; /* one a unit, or NULL */
	pthread_mutex_t lock;
	int failed; /* under lock, with e */
	struct err *e;
};

static const struct st_tensor *result(const struct job *j)
{
	return &j->w->out[j->it->out[PART_WEIGHT]];
}

static int is_4bit(const struct rewrite_item *it)
{
	return it->quantise && it->form.type != DT_INT8;
}

/* Bytes of n elements of the result; n is even but at the end. */
static size_t result_bytes(const struct job *j, size_t n)
{
	return is_4bit(j->it) ? (n + 1) / 2 : dtype_bytes(result(j)->dtype, n);
}

/* ---- a unit quantised ------------------------------------------------------------------------ */

/* Values of elements from `from` on to dst; *d says how to read them. */
static int encode4(const struct job *j, const void *src, size_t from, size_t n, void *dst,
	struct kweight_desc *d)
{
	const struct quant_form *f = &j->it->form;
	size_t at = from / f->blocksize, blocks = (n + f->blocksize - 1) / f->blocksize;
	float *absmax = j->absmax + at;
	if (quant4_encode(f->type, j->it->dtype, src, n, f->blocksize, dst, absmax))
		return -1;
	*d = (struct kweight_desc){.dtype = f->type,
		.data = dst,
		.values = j->it->dtype,
		.blocksize = f->blocksize,
		.absmax = absmax};
	if (!f->nested)
		return 0;
	for (size_t i = 0; i < blocks; i++)
		absmax[i] -= j->it->offset;
	float *nested = j->nested + at / QUANT_NESTED_BLOCK;
	quant8_encode(
		f->rule, j->map, absmax, blocks, QUANT_NESTED_BLOCK, j->absmax_q + at, nested);
	d->absmax_q = j->absmax_q + at;
	d->nested_absmax = nested;
	d->nested_map = j->map;
	d->nested_blocksize = QUANT_NESTED_BLOCK;
	d->nested_offset = j->it->offset;
	return 0;
}

static int encode8(const struct job *j, const void *src, size_t from, size_t n, void *dst,
	struct kweight_desc *d)
{
	size_t cols = j->v.cols, row = from / cols;
	*d = (struct kweight_desc){
		.dtype = DT_INT8, .k = cols, .data = dst, .scb = j->absmax + row};
	return quant_int8_encode(j->it->dtype, src, n / cols, cols, dst, j->absmax + row);
}

/* ---- how much is lost ------------------------------------------------------------------------ */

static void add_loss(struct rewrite_loss *l, const float *base, const float *want, const float *is,
	size_t n, size_t block)
{
	double sums[3] = {0};
	merge_compare(base, want, is, n, sums);
	double relative = sums[1] > 0 ? sqrt(sums[0] / sums[1]) : 0;
	l->error += sums[0];
	l->norm += sums[1];
	l->along += sums[2];
	if (relative > l->worst) {
		l->worst = relative;
		l->at = block;
	}
}

/* The unit from element `from` on, written as p (codes: as d says); sum: what it should be, NULL when that
 * is the base. */
static void measure(const struct job *j, const struct kweight_desc *d, const void *p,
	const float *sum, size_t from, size_t n, struct rooms *r)
{
	size_t block = is_4bit(j->it) ? j->it->form.blocksize : j->v.cols;
	float *is = room(r, ROOM_WRITTEN, n, sizeof *is);
	const float *base = values_base(&j->v, from, n, r), *want = sum ? sum : base;
	if (j->it->quantise)
		quant_decode(d, 0, n, is);
	else
		dtype_to_f32(j->it->dtype, p, is, n);
	for (size_t i = 0; i < n; i += block)
		add_loss(&j->losses[from / j->unit], sum ? base + i : NULL, want + i, is + i,
			n - i < block ? n - i : block, (from + i) / block);
}

/* ---- a unit ---------------------------------------------------------------------------------- */

/* Elements [from, from + n) of the result: where they can be read. NULL: something is not finite. */
static const void *compute(const struct job *j, size_t from, size_t n, struct rooms *r)
{
	const float *sum = NULL;
	const void *p = values_see(&j->v, from, n, r, j->losses ? &sum : NULL);
	struct kweight_desc d = {0};
	if (p && j->it->quantise) {
		void *codes = room(r, ROOM_RESULT, result_bytes(j, n), 1);
		int bad = is_4bit(j->it) ? encode4(j, p, from, n, codes, &d)
					 : encode8(j, p, from, n, codes, &d);
		p = bad ? NULL : codes;
	} else if (p && !j->it->ndeltas && !j->it->codes && !merge_finite(j->it->dtype, p, n)) {
		p = NULL;
	}
	if (p && j->losses)
		measure(j, &d, p, sum, from, n, r);
	return p;
}

static int do_unit(const struct job *j, size_t from, size_t n, struct rooms *r, struct err *e)
{
	size_t at = result_bytes(j, from), len = result_bytes(j, n);
	const void *p = compute(j, from, n, r);
	if (!p)
		return values_fault(&j->v, e);
	if (j->piece)
		memcpy(j->piece + (at - result_bytes(j, j->first)), p, len);
	else if (weights_put(j->sink->dir, j->it->out[PART_WEIGHT], at, p, len, e))
		return -1;
	values_release(&j->v, from, n);
	return 0;
}

static void unit_task(void *arg, size_t i, int worker)
{
	struct job *j = arg;
	struct err e;
	size_t from = j->first + i * j->unit;
	size_t n = j->last - from < j->unit ? j->last - from : j->unit;
	pthread_mutex_lock(&j->lock);
	int stop = j->failed;
	pthread_mutex_unlock(&j->lock);
	if (stop || do_unit(j, from, n, &j->rooms[worker], &e) == 0)
		return;
	pthread_mutex_lock(&j->lock);
	if (!j->failed)
		*j->e = e;
	j->failed = 1;
	pthread_mutex_unlock(&j->lock);
}

static int do_units(struct job *j, struct team *team)
{
	team_run(team, (j->last - j->first + j->unit - 1) / j->unit, unit_task, j);
	return j->failed ? -1 : 0;
}

/* ---- a tensor -------------------------------------------------------------------------------- */

static int put_part(struct job *j, enum part part, const void *p, struct err *e)
{
	const struct st_tensor *t = &j->w->out[j->it->out[part]];
	if (j->sink->dir)
		return weights_put(j->sink->dir, j->it->out[part], 0, p, t->bytes, e);
	struct st_tensor with_data = *t;
	with_data.data = p;
	return tensors_write(j->sink->stream, &with_data, e);
}

static int put_parts(struct job *j, struct err *e)
{
	const struct quant_form *f = &j->it->form;
	if (!j->it->quantise)
		return 0;
	if (f->type == DT_INT8)
		return put_part(j, PART_ABSMAX, j->absmax, e) || put_part(j, PART_MAP, "", e) ? -1
											      : 0;
	if (put_part(j, PART_ABSMAX, f->nested ? (void *)j->absmax_q : j->absmax, e) ||
		put_part(j, PART_MAP, quant4_map(f->type), e) ||
		put_part(j, PART_STATE, j->it->state, e))
		return -1;
	if (!f->nested)
		return 0;
	return put_part(j, PART_NESTED_ABSMAX, j->nested, e) ||
			       put_part(j, PART_NESTED_MAP, j->map, e)
		       ? -1
		       : 0;
}

/* Elements of a piece: whole units whose result is at most TENSORS_PIECE bytes, or one unit. */
static size_t piece_elements(const struct job *j)
{
	size_t bytes = result_bytes(j, j->unit);
	return bytes < TENSORS_PIECE ? TENSORS_PIECE / bytes * j->unit : j->unit;
}

static int stream_pieces(struct job *j, struct team *team, struct err *e)
{
	size_t n = values_count(&j->v), step = piece_elements(j), cap = 0;
	do { /* an empty tensor is one empty piece */
		j->last = n - j->first < step ? n : j->first + step;
		size_t at = result_bytes(j, j->first), len = result_bytes(j, j->last) - at;
		mem_grow(&j->piece, &cap, len + 1, 1);
		if (do_units(j, team) ||
			tensors_write_piece(j->sink->stream, result(j), at, j->piece, len, e))
			return -1;
		j->first = j->last;
	} while (j->first < n);
	return 0;
}

static int do_tensor(struct job *j, struct team *team, struct err *e)
{
	j->last = values_count(&j->v);
	if (j->sink->dir ? do_units(j, team) : stream_pieces(j, team, e))
		return -1;
	return put_parts(j, e);
}

static void sum_losses(struct rewrite_loss *sum, const struct rewrite_loss *l, size_t n)
{
	*sum = (struct rewrite_loss){0};
	for (size_t i = 0; i < n; i++) {
		sum->error += l[i].error;
		sum->norm += l[i].norm;
		sum->along += l[i].along;
		if (l[i].worst > sum->worst) {
			sum->worst = l[i].worst;
			sum->at = l[i].at;
		}
	}
}

static void statistics_open(struct job *j)
{
	const struct quant_form *f = &j->it->form;
	size_t n = 0;
	if (is_4bit(j->it))
		n = (values_count(&j->v) + f->blocksize - 1) / f->blocksize;
	else if (j->it->quantise)
		n = j->v.rows;
	j->absmax = mem_alloc(n, sizeof *j->absmax);
	j->absmax_q = mem_alloc(n, 1);
	j->nested = mem_alloc(n / QUANT_NESTED_BLOCK + 1, sizeof *j->nested);
	quant8_map(1, j->map);
}

static int do_item(const struct rewrite *w, const struct rewrite_item *it,
	const struct rewrite_sink *sink, struct team *team, struct rooms *rooms,
	struct rewrite_loss *loss, struct err *e)
{
	struct job j = {.w = w, .it = it, .sink = sink, .rooms = rooms, .e = e};
	values_open(&j.v, it);
	j.unit = values_unit(&j.v);
	statistics_open(&j);
	size_t units = (values_count(&j.v) + j.unit - 1) / j.unit;
	if (loss && (it->quantise || it->ndeltas))
		j.losses = mem_zalloc(units, sizeof *j.losses);
	pthread_mutex_init(&j.lock, NULL);
	int rc = do_tensor(&j, team, e);
	if (j.losses)
		sum_losses(loss, j.losses, units);
	pthread_mutex_destroy(&j.lock);
	values_release(&j.v, 0, values_count(&j.v));
	mem_free(j.losses);
	mem_free(j.absmax);
	mem_free(j.absmax_q);
	mem_free(j.nested);
	mem_free(j.piece);
	values_done(&j.v);
	return rc;
}

int rewrite_run(const struct rewrite *w, const struct rewrite_sink *sink, struct team *team,
	struct rewrite_loss *losses, struct err *e)
{
	struct rooms *rooms = rooms_new(team);
	int rc = 0;
	for (size_t i = 0; i < w->n && !rc; i++)
		rc = do_item(w, &w->items[i], sink, team, rooms, losses ? &losses[i] : NULL, e);
	rooms_free(rooms, team);
	return rc;
}
