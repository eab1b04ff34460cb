/*
 * A tensor is cut into blocks of whole rows (a tensor that nothing is added to is one long row, cut
 * anywhere). A block's result goes to the file at its place, from the thread that made it, so that
 * computing and writing overlap; or into the piece that becomes the next record of a stream. Pages
 * of the base are given back when they have been used: resident memory does not grow with the
 * model.
 */
#include "tools/merge-lora/work.h"

#include "common/mem.h"
#include "kernels/merge.h"

#include <pthread.h>
#include <string.h>

/* Elements of a block: large enough that a write costs nothing against its bytes, small enough to
 * share a tensor out evenly. */
enum { BLOCK = 1 << 19 };

struct job {
	const struct st_tensor *out, *in;
	struct merge_part *parts; /* of row 0 */
	size_t nparts;
	size_t rows, cols;  /* the tensor seen as a matrix */
	size_t block;	    /* rows of a block */
	size_t first, last; /* rows of this run: all, or a piece's */
	/* Where results go: a file, or memory for rows first … last. */
	struct weights_writer *w;
	size_t index; /* of the tensor in w */
	char *piece;
	char **scratch; /* one block a worker; NULL with a piece */
	pthread_mutex_t lock;
	int failed; /* under lock, with e */
	struct err *e;
};

static void fail(struct job *j, const struct err *e)
{
	pthread_mutex_lock(&j->lock);
	if (!j->failed)
		*j->e = *e;
	j->failed = 1;
	pthread_mutex_unlock(&j->lock);
}

static int has_failed(struct job *j)
{
	pthread_mutex_lock(&j->lock);
	int failed = j->failed;
	pthread_mutex_unlock(&j->lock);
	return failed;
}

static int compute(const struct job *j, size_t row, size_t rows, const void *src, void *dst)
{
	enum dtype tin = j->in->dtype, tout = j->out->dtype;
	if (j->nparts == 0)
		return merge_rows(tin, src, tout, dst, 1, rows * j->cols, NULL, 0);
	struct merge_part *parts = mem_alloc(j->nparts, sizeof *parts);
	for (size_t i = 0; i < j->nparts; i++) {
		parts[i] = j->parts[i];
		parts[i].b += row * parts[i].r;
	}
	int rc = merge_rows(tin, src, tout, dst, rows, j->cols, parts, j->nparts);
	mem_free(parts);
	return rc;
}

static int not_finite(const struct job *j, struct err *e)
{
	int base = merge_finite(j->in->dtype, j->in->data, j->in->elements);
	return base ? err_data(e, "tensor '%s': the result is too large for %s", j->out->name,
			      dtype_info[j->out->dtype].torch_name)
		    : err_data(e, "tensor '%s' is not finite", j->in->name);
}

/* Nothing to add and no other type: the base's bytes are the result. */
static int is_copy(const struct job *j)
{
	return j->nparts == 0 && j->in->dtype == j->out->dtype;
}

static int do_block(struct job *j, size_t row, size_t rows, char *scratch, struct err *e)
{
	size_t from = row * j->cols, n = rows * j->cols;
	const char *src = (const char *)j->in->data + dtype_bytes(j->in->dtype, from);
	size_t offset = dtype_bytes(j->out->dtype, from), len = dtype_bytes(j->out->dtype, n);
	char *dst = j->piece ? j->piece + (offset - dtype_bytes(j->out->dtype, j->first * j->cols))
			     : scratch;
	const char *result = dst;
	int bad;
	if (is_copy(j)) {
		bad = !merge_finite(j->in->dtype, src, n);
		if (j->piece)
			memcpy(dst, src, len);
		else
			result = src;
	} else {
		bad = compute(j, row, rows, src, dst);
	}
	if (bad)
		return not_finite(j, e);
	if (!j->piece && weights_put(j->w, j->index, offset, result, len, e))
		return -1;
	st_release(src, dtype_bytes(j->in->dtype, n));
	return 0;
}

static void block_task(void *arg, size_t i, int worker)
{
	struct job *j = arg;
	struct err e;
	size_t row = j->first + i * j->block;
	size_t rows = j->last - row < j->block ? j->last - row : j->block;
	char *scratch = j->scratch ? j->scratch[worker] : NULL;
	if (!has_failed(j) && do_block(j, row, rows, scratch, &e))
		fail(j, &e);
}

static int run(struct job *j, struct team *team)
{
	team_run(team, (j->last - j->first + j->block - 1) / j->block, block_task, j);
	return j->failed ? -1 : 0;
}

/* ---- one tensor ------------------------------------------------------------------------------ */

static float *as_f32(const struct st_tensor *t)
{
	float *v = mem_alloc(t->elements, sizeof *v);
	dtype_to_f32(t->dtype, t->data, v, t->elements);
	return v;
}

static float *packed_f32(const struct st_tensor *a)
{
	float *plain = as_f32(a), *packed = mem_alloc(a->elements, sizeof *packed);
	merge_pack(plain, a->shape[0], a->shape[1], packed);
	mem_free(plain);
	return packed;
}

static void job_init(struct job *j, const struct plan *p, size_t i, struct err *e)
{
	const struct target *t = &p->targets[i];
	*j = (struct job){.out = &p->out[i], .in = t->in, .index = i, .e = e, .nparts = t->n};
	pthread_mutex_init(&j->lock, NULL);
	j->rows = t->n ? t->in->shape[0] : t->in->elements;
	j->cols = t->n ? t->in->shape[1] : 1;
	j->block = j->cols < BLOCK && j->cols ? BLOCK / j->cols : 1;
	j->last = j->rows;
	j->parts = mem_zalloc(t->n, sizeof *j->parts);
	for (size_t k = 0; k < t->n; k++) {
		const struct delta *d = &t->deltas[k];
		j->parts[k] = (struct merge_part){
			as_f32(d->b), packed_f32(d->a), d->a->shape[0], d->scale};
	}
}

static void job_done(struct job *j)
{
	for (size_t k = 0; k < j->nparts; k++) {
		mem_free((void *)j->parts[k].a);
		mem_free((void *)j->parts[k].b);
	}
	mem_free(j->parts);
	pthread_mutex_destroy(&j->lock);
}

/* Bytes of the largest block of any tensor's result. */
static size_t block_bytes(const struct plan *p)
{
	size_t elements = BLOCK;
	for (size_t i = 0; i < p->n; i++)
		if (p->targets[i].n && p->out[i].shape[1] > elements)
			elements = p->out[i].shape[1];
	return mem_mul(elements, sizeof(double));
}

int work_write_dir(const struct plan *p, struct weights_writer *w, struct team *team, struct err *e)
{
	size_t size = block_bytes(p);
	int workers = team_size(team), rc = 0;
	char **scratch = mem_alloc((size_t)workers, sizeof *scratch);
	for (int i = 0; i < workers; i++)
		scratch[i] = mem_alloc(size, 1);
	for (size_t i = 0; i < p->n && !rc; i++) {
		struct job j;
		job_init(&j, p, i, e);
		j.w = w;
		j.scratch = scratch;
		rc = run(&j, team);
		job_done(&j);
	}
	for (int i = 0; i < workers; i++)
		mem_free(scratch[i]);
	mem_free(scratch);
	return rc;
}

/* Rows of the next piece: at most TENSORS_PIECE bytes, at least one row. */
static size_t piece_rows(const struct job *j)
{
	size_t row = dtype_bytes(j->out->dtype, j->cols), left = j->rows - j->first;
	size_t fit = row && row < TENSORS_PIECE ? TENSORS_PIECE / row : 1;
	return left < fit ? left : fit;
}

static int write_pieces(struct job *j, struct stream_writer *w, struct team *team, struct err *e)
{
	size_t cap = 0;
	int rc = 0;
	do { /* an empty tensor is one empty piece */
		size_t offset = dtype_bytes(j->out->dtype, j->first * j->cols);
		j->last = j->first + piece_rows(j);
		size_t len = dtype_bytes(j->out->dtype, (j->last - j->first) * j->cols);
		mem_grow(&j->piece, &cap, len + 1, 1);
		rc = run(j, team);
		if (!rc)
			rc = tensors_write_piece(w, j->out, offset, j->piece, len, e);
		j->first = j->last;
	} while (!rc && j->first < j->rows);
	mem_free(j->piece);
	return rc;
}

int work_write_stream(
	const struct plan *p, struct stream_writer *w, struct team *team, struct err *e)
{
	int rc = 0;
	for (size_t i = 0; i < p->n && !rc; i++) {
		struct job j;
		job_init(&j, p, i, e);
		rc = write_pieces(&j, w, team, e);
		job_done(&j);
	}
	return rc;
}
