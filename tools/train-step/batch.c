#include "tools/train-step/batch.h"

#include "common/mem.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* ---- which rows share a prompt ---- */

struct place {
	uint64_t hash; /* of the prompt */
	size_t row;    /* as loaded */
	size_t tree;   /* number of its tree's first row */
};

static int by_hash(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (x->row > y->row) - (x->row < y->row);
}

static int by_tree(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	if (x->tree != y->tree)
		return x->tree < y->tree ? -1 : 1;
	return (x->row > y->row) - (x->row < y->row);
}

static int same_prompt(const struct row *a, const struct row *b)
{
	return a->nprompt && a->nprompt == b->nprompt &&
	       memcmp(a->prompt, b->prompt, a->nprompt * 4) == 0;
}

/* Orders the rows by tree. */
static void group(struct batch *b, struct place *p)
{
	for (size_t i = 0; i < b->n; i++)
		p[i] = (struct place){XXH3_64bits(b->rows[i].prompt, b->rows[i].nprompt * 4), i, i};
	qsort(p, b->n, sizeof *p, by_hash);
	for (size_t i = 1; i < b->n; i++)
		for (size_t j = i; j > 0 && p[j - 1].hash == p[i].hash; j--)
			if (same_prompt(&b->rows[p[j - 1].row], &b->rows[p[i].row])) {
				p[i].tree = p[j - 1].tree;
				break;
			}
	qsort(p, b->n, sizeof *p, by_tree);
	struct row *sorted = mem_alloc(b->n, sizeof *sorted);
	for (size_t i = 0; i < b->n; i++)
		sorted[i] = b->rows[p[i].row];
	memcpy(b->rows, sorted, b->n * sizeof *sorted);
	mem_free(sorted);
}

/* ---- labels and trees ---- */

static size_t first_label(const struct row *r)
{
	return r->nprompt ? 0 : 1; /* nothing predicts the first token of a sequence */
}

static size_t count_labels(const struct row *r, int side)
{
	const uint8_t *mask = side == 0 ? r->mask : NULL;
	size_t n = 0;
	for (size_t i = first_label(r); i < r->nside[side]; i++)
		n += !mask || mask[i];
	return n;
}

static struct loss_span take(struct batch *b, size_t n)
{
	struct loss_span s = {b->nlabels, n};
	b->nlabels += n;
	return s;
}

static struct tree *new_tree(struct batch *b, size_t row, unsigned needs)
{
	const struct row *r = &b->rows[row];
	mem_grow(&b->trees, &b->cap_trees, b->ntrees + 1, sizeof *b->trees);
	struct tree *t = &b->trees[b->ntrees++];
	*t = (struct tree){.row0 = row, .label0 = b->nlabels, .ntok = r->nprompt};
	size_t n = needs & LOSS_PROMPT_LABELS && r->nprompt ? r->nprompt - 1 : 0;
	b->loss[row].prompt = take(b, n);
	return t;
}

static void plan(struct batch *b, const struct data *d, unsigned needs)
{
	struct tree *t = NULL;
	for (size_t i = 0; i < b->n; i++) {
		const struct row *r = &b->rows[i];
		struct loss_row *l = &b->loss[i];
		*l = (struct loss_row){0};
		if (t && same_prompt(&b->rows[t->row0], r))
			l->prompt = b->loss[t->row0].prompt;
		else
			t = new_tree(b, i, needs);
		for (int s = 0; s < 2; s++) {
			l->side[s] = take(b, count_labels(r, s));
			t->ntok += r->nside[s];
			b->total.side[s] += l->side[s].n;
			b->tokens += r->nside[s] ? r->nprompt + r->nside[s] : 0;
		}
		if (d->ref)
			memcpy(l->ref, d->ref[r->index], sizeof l->ref);
		t->row1 = i + 1;
		t->label1 = b->nlabels;
		b->total.rows++;
		b->total.prompt += l->prompt.n;
	}
}

int batch_load(struct batch *b, const struct data *d, const uint32_t *idx, size_t n, unsigned needs,
	struct err *e)
{
	size_t had = b->cap;
	b->total = (struct loss_totals){0};
	b->ntrees = b->nlabels = 0;
	b->tokens = 0;
	b->n = n;
	if (n > had) {
		mem_grow(&b->rows, &b->cap, n, sizeof *b->rows);
		memset(b->rows + had, 0, (b->cap - had) * sizeof *b->rows);
		b->loss = mem_resize(b->loss, b->cap, sizeof *b->loss);
	}
	for (size_t i = 0; i < n; i++)
		if (data_row(d, idx[i], &b->rows[i], e) < 0)
			return -1;
	struct place *p = mem_alloc(n, sizeof *p);
	group(b, p);
	mem_free(p);
	plan(b, d, needs);
	return 0;
}

void batch_done(struct batch *b)
{
	for (size_t i = 0; i < b->cap; i++)
		row_done(&b->rows[i]);
	mem_free(b->rows);
	mem_free(b->loss);
	mem_free(b->trees);
	*b = (struct batch){0};
}

/* ---- micro-batches ---- */

int batch_cut(const struct batch *b, struct cut *c, size_t max_tokens, size_t max_rows)
{
	size_t tokens = 0, rows = 0, t = c->tree1;
	for (; t < b->ntrees; t++) {
		tokens += b->trees[t].ntok;
		rows += b->trees[t].row1 - b->trees[t].row0;
		if (t > c->tree1 && (tokens > max_tokens || rows > max_rows))
			break;
	}
	*c = (struct cut){c->tree1, t};
	return c->tree0 < c->tree1;
}

/* Dropout knows a sequence by its row in the data and its side; a shared prompt goes by the first.
 */
static uint32_t identity(const struct row *r, int side)
{
	return 2 * r->index + (uint32_t)side;
}

static void add_tree(const struct batch *b, const struct tree *t, struct forest *f)
{
	const struct row *first = &b->rows[t->row0];
	int root = -1;
	if (first->nprompt) {
		root = forest_segment(f, -1, first->prompt, first->nprompt, identity(first, 0));
		if (b->loss[t->row0].prompt.n)
			forest_label(f, root, 0, first->nprompt, NULL);
	}
	for (size_t i = t->row0; i < t->row1; i++)
		for (int s = 0; s < 2; s++) {
			const struct row *r = &b->rows[i];
			if (r->nside[s] == 0)
				continue;
			int seg = forest_segment(f, root, r->side[s], r->nside[s], identity(r, s));
			forest_label(f, seg, 0, r->nside[s], s == 0 ? r->mask : NULL);
		}
}

void batch_forest(const struct batch *b, const struct cut *c, struct forest *f)
{
	forest_reset(f);
	for (size_t t = c->tree0; t < c->tree1; t++)
		add_tree(b, &b->trees[t], f);
}

static int within(struct loss_span s, size_t label)
{
	return label >= s.at && label < s.at + s.n;
}

const char *batch_where(const struct batch *b, size_t label)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct loss_row *l = &b->loss[i];
		if (within(l->prompt, label) || within(l->side[0], label) ||
			within(l->side[1], label))
			return b->rows[i].where;
	}
	return b->rows[0].where;
}
