/* Adafactor (arXiv 1804.04235) as transformers 5.23 runs it for --optim adafactor. */
#include "kernels/cpu/cpu_int.h"

#include <math.h>

/* Sums over elements have PARTS parts, columns are taken by COLS, whatever the threads. */
enum { PARTS = 64, COLS = 64 };

static const float tiniest = 1e-30f; /* added to every square */

struct factors {
	size_t rows, cols; /* of a vector: 1, and `row` holds a square an element */
	float *p, *row, *col;
	const float *g;
	float gscale, keep, take; /* shares of the old and the new mean */
	float rate, decay;
	double mean; /* of row[] */
	double part[PARTS];
};

static float square(const struct factors *f, size_t i)
{
	float d = f->g[i] * f->gscale;
	return d * d + tiniest;
}

static void part_of(const struct factors *f, size_t i, size_t *row, size_t *end)
{
	*row = f->rows * i / PARTS;
	*end = f->rows * (i + 1) / PARTS;
}

/* ---- the means --------------------------------------------------------------------------------- */

static void mean_rows(void *arg, size_t i, int worker)
{
	struct factors *f = arg;
	size_t row, end;
	(void)worker;
	for (part_of(f, i, &row, &end); row < end; row++) {
		double sum = 0;
		for (size_t j = 0; j < f->cols; j++)
			sum += (double)square(f, row * f->cols + j);
		f->row[row] = f->row[row] * f->keep + f->take * (float)(sum / (double)f->cols);
	}
}

static void mean_cols(void *arg, size_t i, int worker)
{
	struct factors *f = arg;
	size_t from = i * COLS, n = cpu_min(COLS, f->cols - from);
	double sum[COLS] = {0};
	(void)worker;
	for (size_t row = 0; row < f->rows; row++)
		for (size_t j = 0; j < n; j++)
			sum[j] += (double)square(f, row * f->cols + from + j);
	for (size_t j = 0; j < n; j++)
		f->col[from + j] =
			f->col[from + j] * f->keep + f->take * (float)(sum[j] / (double)f->rows);
}

static void squares(void *arg, size_t i, int worker)
{
	struct factors *f = arg;
	(void)worker;
	for (size_t j = i * COLS; j < cpu_min(f->cols, (i + 1) * COLS); j++)
		f->row[j] = f->row[j] * f->keep + f->take * square(f, j);
}

/* ---- the step ---------------------------------------------------------------------------------- */

/* What multiplies row r's gradients, but for the column's factor. */
static float row_factor(const struct factors *f, size_t row)
{
	return f->col ? 1 / sqrtf((float)((double)f->row[row] / f->mean)) : 1;
}

static float direction(const struct factors *f, float factor, size_t row, size_t j)
{
	float d = f->g[row * f->cols + j] * f->gscale;
	return factor * (1 / sqrtf(f->col ? f->col[j] : f->row[j])) * d;
}

/* A vector is one row: its parts are columns. */
static void area(
	const struct factors *f, size_t i, size_t *row, size_t *end, size_t *from, size_t *to)
{
	*from = 0;
	*to = f->cols;
	if (f->col) {
		part_of(f, i, row, end);
		return;
	}
	*row = 0;
	*end = 1;
	*from = f->cols * i / PARTS;
	*to = f->cols * (i + 1) / PARTS;
}

static void sum_squares(void *arg, size_t i, int worker)
{
	struct factors *f = arg;
	size_t row, end, from, to;
	double sum = 0;
	(void)worker;
	for (area(f, i, &row, &end, &from, &to); row < end; row++) {
		float factor = row_factor(f, row);
		for (size_t j = from; j < to; j++) {
			double u = (double)direction(f, factor, row, j);
			sum += u * u;
		}
	}
	f->part[i] = sum;
}

static void move(void *arg, size_t i, int worker)
{
	struct factors *f = arg;
	size_t row, end, from, to;
	(void)worker;
	for (area(f, i, &row, &end, &from, &to); row < end; row++) {
		float factor = row_factor(f, row), *p = f->p + row * f->cols;
		for (size_t j = from; j < to; j++)
			p[j] = p[j] * f->decay - direction(f, factor, row, j) * f->rate;
	}
}

static double total(const double part[PARTS])
{
	double sum = 0;
	for (int i = 0; i < PARTS; i++)
		sum += part[i];
	return sum;
}

int plain_adafactor(struct kctx *c, const struct koptim *o, size_t rows, size_t cols, struct kbuf p,
	struct kbuf g, struct kbuf row, struct kbuf col)
{
	double keep = 1 - pow((double)o->step, -0.8);
	struct factors f = {.rows = cols ? rows : 1,
		.cols = cols ? cols : rows,
		.p = p.p,
		.g = g.p,
		.row = row.p,
		.col = cols ? col.p : NULL,
		.gscale = o->gscale,
		.keep = (float)keep,
		.take = (float)(1 - keep),
		.decay = (float)(1 - o->lr * o->weight_decay)};
	size_t work = f.rows * f.cols * 4;
	if (CPU_F32(p, g, row, col))
		return KE_TYPE;
	if (!work)
		return KE_OK;
	if (cols) {
		cpu_run(c, work, PARTS, mean_rows, &f);
		cpu_run(c, work, cpu_blocks(cols, COLS), mean_cols, &f);
		for (size_t i = 0; i < rows; i++)
			f.mean += (double)f.row[i];
		f.mean /= (double)rows;
	} else {
		cpu_run(c, work, cpu_blocks(rows, COLS), squares, &f);
	}
	cpu_run(c, work, PARTS, sum_squares, &f);
	double rms = sqrt(total(f.part) / ((double)f.rows * (double)f.cols));
	f.rate = (float)(o->lr / fmax(rms, 1));
	cpu_run(c, work, PARTS, move, &f);
	return KE_OK;
}
