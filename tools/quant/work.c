/*
 * A tensor is worked on in pieces of at most TENSORS_PIECE bytes of result, a piece in units. A unit's
 * result goes into the piece, and to its place in the file from the thread that made it; a stream
 * gets the piece as a record. Statistics are small and kept until the tensor is done. Pages of the
 * base are given back when they have been used: resident memory does not grow with the model.
 */
#include "tools/quant/work.h"

#include "common/mem.h"
#include "common/tensors.h"
#include "kernels/merge.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

struct job {
	const struct plan *p;
	const struct item *it;
	struct sink *sink;
	size_t unit;	    /* elements of a task: whole blocks, or rows */
	size_t first, last; /* elements of this piece */
	char *piece;
	/* Statistics of the whole tensor: absmax or SCB, and nested. */
	float *absmax, *nested;
	uint8_t *absmax_q;
	float map[256];
	struct loss *losses; /* one a unit, or NULL */
	pthread_mutex_t lock;
	int failed; /* under lock, with e */
	struct err *e;
};

static const struct st_tensor *result(const struct job *j)
{
	return &j->p->out[j->it->out[PART_WEIGHT]];
}

/* Bytes of n elements of the result; n is even but at the end. */
static size_t result_bytes(const struct job *j, size_t n)
{
	return j->it->action == ENCODE4 ? (n + 1) / 2 : dtype_bytes(result(j)->dtype, n);
}

static size_t elements(const struct item *it)
{
	return it->action == DECODE ? it->from->d.n * it->from->d.k : it->in->elements;
}

static int not_finite(const struct job *j, struct err *e)
{
	const struct st_tensor *in = j->it->in;
	if (!merge_finite(in->dtype, in->data, in->elements) || j->it->action == DECODE)
		return err_data(e, "tensor '%s' is not finite", in->name);
	return err_data(e, "tensor '%s' has values too large for %s", in->name,
		j->it->action == ENCODE8 ? "int8, which goes through float16"
					 : dtype_info[j->it->dtype].torch_name);
}

/* ---- how much is lost ------------------------------------------------------------------------ */

static void add_loss(struct loss *l, const float *was, const float *is, size_t n, size_t block)
{
	double error = 0, norm = 0;
	for (size_t i = 0; i < n; i++) {
		double d = (double)was[i] - (double)is[i];
		error += d * d;
		norm += (double)was[i] * (double)was[i];
	}
	double relative = norm > 0 ? sqrt(error / norm) : 0;
	l->error += error;
	l->norm += norm;
	if (relative > l->worst) {
		l->worst = relative;
		l->at = block;
	}
}

/* The unit from element `from` on, whose statistics begin at d's. src: its values before. */
static void measure(
	const struct job *j, const struct kweight_desc *d, const void *src, size_t from, size_t n)
{
	size_t block = d->dtype == DT_INT8 ? d->k : d->blocksize;
	float *was = mem_alloc(block, sizeof *was), *is = mem_alloc(block, sizeof *is);
	for (size_t i = 0; i < n; i += block) {
		size_t len = n - i < block ? n - i : block;
		dtype_to_f32(
			j->it->dtype, (const char *)src + dtype_bytes(j->it->dtype, i), was, len);
		quant_decode(d, i, len, is);
		add_loss(&j->losses[from / j->unit], was, is, len, (from + i) / block);
	}
	mem_free(was);
	mem_free(is);
}

/* ---- a unit ---------------------------------------------------------------------------------- */

static int encode4(const struct job *j, const void *src, size_t from, size_t n, void *dst)
{
	const struct settings *set = &j->p->set;
	size_t at = from / set->blocksize, blocks = (n + set->blocksize - 1) / set->blocksize;
	float *absmax = j->absmax + at;
	if (quant4_encode(set->type, j->it->dtype, src, n, set->blocksize, dst, absmax))
		return -1;
	struct kweight_desc d = {.dtype = set->type,
		.data = dst,
		.values = j->it->dtype,
		.blocksize = set->blocksize,
		.absmax = absmax};
	if (set->nested) {
		for (size_t i = 0; i < blocks; i++)
			absmax[i] -= j->it->offset;
		float *nested = j->nested + at / QUANT_NESTED_BLOCK;
		quant8_encode(set->rule, j->map, absmax, blocks, QUANT_NESTED_BLOCK,
			j->absmax_q + at, nested);
		d.absmax_q = j->absmax_q + at;
		d.nested_absmax = nested;
		d.nested_map = j->map;
		d.nested_blocksize = QUANT_NESTED_BLOCK;
		d.nested_offset = j->it->offset;
	}
	if (j->losses)
		measure(j, &d, src, from, n);
	return 0;
}

static int encode8(const struct job *j, const void *src, size_t from, size_t n, void *dst)
{
	size_t cols = j->it->in->shape[1], row = from / cols;
	if (quant_int8_encode(j->it->dtype, src, n / cols, cols, dst, j->absmax + row))
		return -1;
	struct kweight_desc d = {.dtype = DT_INT8, .k = cols, .data = dst, .scb = j->absmax + row};
	if (j->losses)
		measure(j, &d, src, from, n);
	return 0;
}

/* Values as the item's type: those of the file, or new ones that the caller frees. */
static int as_type(const struct job *j, const void *src, size_t n, void **own)
{
	enum dtype from = j->it->in->dtype, to = j->it->dtype;
	*own = from == to ? NULL : mem_alloc(n, dtype_bytes(to, 1));
	return *own ? merge_rows(from, src, to, *own, 1, n, NULL, 0) : 0;
}

static int decode(const struct job *j, size_t from, size_t n, void *dst)
{
	float *values = mem_alloc(n, sizeof *values);
	quant_decode(&j->it->from->d, from, n, values);
	int rc = merge_rows(DT_F32, values, j->it->dtype, dst, 1, n, NULL, 0);
	mem_free(values);
	return rc;
}

/* Elements [from, from + n) to dst, or where they can be read. NULL: something is not finite. */
static const void *compute(const struct job *j, const void *src, size_t from, size_t n, void *dst)
{
	void *own = NULL;
	int bad = 0;
	switch (j->it->action) {
	case DECODE:
		bad = decode(j, from, n, dst);
		break;
	case ENCODE4:
		bad = as_type(j, src, n, &own) || encode4(j, own ? own : src, from, n, dst);
		break;
	case ENCODE8:
		bad = as_type(j, src, n, &own) || encode8(j, own ? own : src, from, n, dst);
		break;
	case COPY:
		if (j->it->in->dtype != j->it->dtype) {
			bad = merge_rows(j->it->in->dtype, src, j->it->dtype, dst, 1, n, NULL, 0);
			break;
		}
		if (!merge_finite(j->it->in->dtype, src, n))
			return NULL;
		if (j->sink->dir)
			return src;
		memcpy(dst, src, result_bytes(j, n));
		break;
	}
	mem_free(own);
	return bad ? NULL : dst;
}

static int do_unit(const struct job *j, size_t from, size_t n, struct err *e)
{
	const struct st_tensor *in = j->it->in;
	size_t at = result_bytes(j, from), base = result_bytes(j, j->first);
	size_t begin = j->it->action == DECODE ? dtype_bytes(j->it->from->d.dtype, from)
					       : dtype_bytes(in->dtype, from);
	size_t read = j->it->action == DECODE ? dtype_bytes(j->it->from->d.dtype, n)
					      : dtype_bytes(in->dtype, n);
	const char *src = (const char *)in->data + begin;
	const void *p = compute(j, src, from, n, j->piece + (at - base));
	if (!p)
		return not_finite(j, e);
	if (j->sink->dir &&
		weights_put(j->sink->dir, j->it->out[PART_WEIGHT], at, p, result_bytes(j, n), e))
		return -1;
	st_release(src, read);
	return 0;
}

static void unit_task(void *arg, size_t i, int worker)
{
	struct job *j = arg;
	struct err e;
	size_t from = j->first + i * j->unit;
	size_t n = j->last - from < j->unit ? j->last - from : j->unit;
	(void)worker;
	pthread_mutex_lock(&j->lock);
	int stop = j->failed;
	pthread_mutex_unlock(&j->lock);
	if (stop || do_unit(j, from, n, &e) == 0)
		return;
	pthread_mutex_lock(&j->lock);
	if (!j->failed)
		*j->e = e;
	j->failed = 1;
	pthread_mutex_unlock(&j->lock);
}

/* ---- a tensor -------------------------------------------------------------------------------- */

static int put_part(struct job *j, enum part part, const void *p, struct err *e)
{
	const struct st_tensor *t = &j->p->out[j->it->out[part]];
	if (j->sink->dir)
		return weights_put(j->sink->dir, j->it->out[part], 0, p, t->bytes, e);
	struct st_tensor with_data = *t;
	with_data.data = p;
	return tensors_write(j->sink->stream, &with_data, e);
}

static int put_parts(struct job *j, struct err *e)
{
	const struct settings *set = &j->p->set;
	if (j->it->action == ENCODE8)
		return put_part(j, PART_ABSMAX, j->absmax, e) || put_part(j, PART_MAP, "", e) ? -1
											      : 0;
	if (j->it->action != ENCODE4)
		return 0;
	if (put_part(j, PART_ABSMAX, set->nested ? (void *)j->absmax_q : j->absmax, e) ||
		put_part(j, PART_MAP, quant4_map(set->type), e) ||
		put_part(j, PART_STATE, j->it->state, e))
		return -1;
	if (!set->nested)
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

static int do_pieces(struct job *j, struct team *team, struct err *e)
{
	size_t n = elements(j->it), step = piece_elements(j), cap = 0;
	do { /* an empty tensor is one empty piece */
		j->last = n - j->first < step ? n : j->first + step;
		size_t at = result_bytes(j, j->first), len = result_bytes(j, j->last) - at;
		mem_grow(&j->piece, &cap, len + 1, 1);
		team_run(team, (j->last - j->first + j->unit - 1) / j->unit, unit_task, j);
		if (j->failed)
			return -1;
		if (j->sink->stream &&
			tensors_write_piece(j->sink->stream, result(j), at, j->piece, len, e))
			return -1;
		j->first = j->last;
	} while (j->first < n);
	return put_parts(j, e);
}

static void sum_losses(struct loss *sum, const struct loss *l, size_t n)
{
	*sum = (struct loss){0};
	for (size_t i = 0; i < n; i++) {
		sum->error += l[i].error;
		sum->norm += l[i].norm;
		if (l[i].worst > sum->worst) {
			sum->worst = l[i].worst;
			sum->at = l[i].at;
		}
	}
}

static int do_item(const struct plan *p, const struct item *it, struct sink *sink,
	struct team *team, struct loss *loss, struct err *e)
{
	struct job j = {.p = p, .it = it, .sink = sink, .unit = plan_unit(&p->set), .e = e};
	size_t n = elements(it), stats = 0;
	if (it->action == ENCODE8) {
		size_t rows = j.unit / it->in->shape[1];
		j.unit = it->in->shape[1] * (rows ? rows : 1);
		stats = it->in->shape[0];
	} else if (it->action == ENCODE4) {
		stats = (n + p->set.blocksize - 1) / p->set.blocksize;
	}
	size_t units = (n + j.unit - 1) / j.unit;
	j.absmax = mem_alloc(stats, sizeof *j.absmax);
	j.absmax_q = mem_alloc(stats, 1);
	j.nested = mem_alloc(stats / QUANT_NESTED_BLOCK + 1, sizeof *j.nested);
	quant8_map(1, j.map);
	if (loss && stats)
		j.losses = mem_zalloc(units, sizeof *j.losses);
	pthread_mutex_init(&j.lock, NULL);
	int rc = do_pieces(&j, team, e);
	if (j.losses)
		sum_losses(loss, j.losses, units);
	pthread_mutex_destroy(&j.lock);
	mem_free(j.losses);
	mem_free(j.absmax);
	mem_free(j.absmax_q);
	mem_free(j.nested);
	mem_free(j.piece);
	return rc;
}

int work_run(const struct plan *p, struct sink *sink, struct team *team, struct loss *losses,
	struct err *e)
{
	for (size_t i = 0; i < p->n; i++)
		if (do_item(p, &p->items[i], sink, team, losses ? &losses[i] : NULL, e))
			return -1;
	return 0;
}
