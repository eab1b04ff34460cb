/* What the result consists of: items, and the table of tensors that they become. */
#include "common/rewrite_int.h"

#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

/* ---- items ----------------------------------------------------------------------------------- */

struct rewrite_item *rewrite_add(struct rewrite *w, const struct st_tensor *in)
{
	mem_grow(&w->items, &w->cap, w->n + 1, sizeof *w->items);
	struct rewrite_item *it = &w->items[w->n++];
	*it = (struct rewrite_item){
		.name = mem_strdup(in->name), .in = in, .dtype = in->dtype, .shard = in->file};
	return it;
}

struct rewrite_item *rewrite_find(const struct rewrite *w, const char *name)
{
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->items[i].name, name) == 0)
			return &w->items[i];
	return NULL;
}

void rewrite_delta(struct rewrite_item *it, const struct delta *d)
{
	it->deltas = mem_resize(it->deltas, it->ndeltas + 1, sizeof *it->deltas);
	it->deltas[it->ndeltas++] = *d;
}

int rewrite_changes(const struct rewrite_item *it)
{
	return it->from || it->ndeltas || it->quantise;
}

void rewrite_done(struct rewrite *w)
{
	for (size_t i = 0; i < w->n; i++) {
		mem_free(w->items[i].name);
		mem_free(w->items[i].deltas);
		mem_free(w->items[i].state);
		bnb_free(w->items[i].from);
	}
	for (size_t i = 0; i < w->nout; i++)
		mem_free(w->out[i].name);
	mem_free(w->items);
	mem_free(w->out);
	*w = (struct rewrite){0};
}

/* ---- offsets --------------------------------------------------------------------------------- */

struct survey {
	struct values v;
	size_t unit;
	struct rooms *rooms;
	float *absmax;
	int *bad; /* one a unit */
};

static void survey_unit(void *arg, size_t i, int worker)
{
	const struct survey *s = arg;
	const struct rewrite_item *it = s->v.it;
	size_t at = i * s->unit, left = values_count(&s->v) - at,
	       n = left < s->unit ? left : s->unit;
	size_t block = it->form.blocksize;
	const void *p = values_see(&s->v, at, n, &s->rooms[worker], NULL);
	s->bad[i] = !p || quant4_absmax(it->dtype, p, n, block, s->absmax + at / block);
	values_release(&s->v, at, n);
}

/* The mean of a weight's absmax. */
static int find_offset(
	struct rewrite_item *it, struct team *team, struct rooms *rooms, struct err *e)
{
	struct survey s = {.rooms = rooms};
	values_open(&s.v, it);
	size_t n = values_count(&s.v), block = it->form.blocksize;
	s.unit = values_unit(&s.v);
	size_t blocks = (n + block - 1) / block, units = (n + s.unit - 1) / s.unit;
	s.absmax = mem_alloc(blocks, sizeof *s.absmax);
	s.bad = mem_zalloc(units, sizeof *s.bad);
	team_run(team, units, survey_unit, &s);
	int bad = 0;
	for (size_t i = 0; i < units; i++)
		bad |= s.bad[i];
	it->offset = quant_mean(s.absmax, blocks);
	if (bad)
		values_fault(&s.v, e);
	values_release(&s.v, 0, n);
	mem_free(s.absmax);
	mem_free(s.bad);
	values_done(&s.v);
	return bad ? -1 : 0;
}

/* ---- the table ------------------------------------------------------------------------------- */

/* A row of the result before it is sorted. */
struct row {
	struct st_tensor t;
	size_t item;
	enum part part;
};

struct table {
	struct row *v;
	size_t n;
};

static void add_row(struct table *table, const struct rewrite_item *it, size_t item, enum part part,
	char *name, enum dtype dtype, size_t rank, size_t a, size_t b)
{
	table->v[table->n++] = (struct row){
		{.name = name, .dtype = dtype, .shape = {a, b}, .rank = rank, .file = it->shard},
		item, part};
}

static void item_shape(const struct rewrite_item *it, size_t shape[2])
{
	shape[0] = it->from ? it->from->d.n : it->in->shape[0];
	shape[1] = it->from ? it->from->d.k : it->in->shape[1];
}

static int add_4bit(struct table *table, struct rewrite_item *it, size_t item, struct err *e)
{
	const struct quant_form *f = &it->form;
	size_t shape[2], len, size = dtype_bytes(f->storage, 1);
	item_shape(it, shape);
	size_t n = shape[0] * shape[1], bytes = (n + 1) / 2;
	size_t blocks = (n + f->blocksize - 1) / f->blocksize;
	const char *name = it->name, *type = f->type == DT_NF4 ? "nf4" : "fp4";
	if (bytes % size)
		return err_data(e, "tensor '%s': %zu bytes of codes are no whole number of %s",
			name, bytes, dtype_info[f->storage].torch_name);
	it->state = bnb_state(
		f->type, f->blocksize, it->dtype, shape, f->nested ? &it->offset : NULL, &len);
	add_row(table, it, item, PART_WEIGHT, mem_strdup(name), f->storage, 2, bytes / size, 1);
	add_row(table, it, item, PART_ABSMAX, mem_printf("%s" BNB_ABSMAX, name),
		f->nested ? DT_U8 : DT_F32, 1, blocks, 0);
	add_row(table, it, item, PART_MAP, mem_printf("%s" BNB_QUANT_MAP, name), DT_F32, 1, 16, 0);
	add_row(table, it, item, PART_STATE, mem_printf("%s" BNB_STATE "%s", name, type), DT_U8, 1,
		len, 0);
	if (!f->nested)
		return 0;
	add_row(table, it, item, PART_NESTED_ABSMAX, mem_printf("%s" BNB_NESTED_ABSMAX, name),
		DT_F32, 1, (blocks + QUANT_NESTED_BLOCK - 1) / QUANT_NESTED_BLOCK, 0);
	add_row(table, it, item, PART_NESTED_MAP, mem_printf("%s" BNB_NESTED_QUANT_MAP, name),
		DT_F32, 1, 256, 0);
	return 0;
}

static void add_int8(struct table *table, struct rewrite_item *it, size_t item)
{
	size_t shape[2];
	int stem = (int)(strlen(it->name) - strlen(".weight"));
	item_shape(it, shape);
	add_row(table, it, item, PART_WEIGHT, mem_strdup(it->name), DT_I8, 2, shape[0], shape[1]);
	add_row(table, it, item, PART_ABSMAX, mem_printf("%.*s" BNB_SCB, stem, it->name), DT_F32, 1,
		shape[0], 0);
	add_row(table, it, item, PART_MAP, mem_printf("%.*s" BNB_WEIGHT_FORMAT, stem, it->name),
		DT_U8, 0, 0, 0);
}

static void add_floats(struct table *table, struct rewrite_item *it, size_t item)
{
	size_t shape[2], rank = it->from ? 2 : it->in->rank;
	item_shape(it, shape);
	add_row(table, it, item, PART_WEIGHT, mem_strdup(it->name), it->dtype, rank, shape[0],
		shape[1]);
	if (!it->from)
		memcpy(table->v[table->n - 1].t.shape, it->in->shape, sizeof it->in->shape);
}

static int add_rows(struct table *table, struct rewrite_item *it, size_t item, struct err *e)
{
	if (it->quantise && it->form.type != DT_INT8)
		return add_4bit(table, it, item, e);
	if (it->quantise)
		add_int8(table, it, item);
	else
		add_floats(table, it, item);
	return 0;
}

/* The safetensors library writes tensors by type, in the order of its list from the end, then by
 * name: so do we. */
static int by_place(const void *a, const void *b)
{
	static const int place[DT_COUNT] = {[DT_BOOL] = 0,
		[DT_U8] = 1,
		[DT_I8] = 2,
		[DT_I16] = 3,
		[DT_F16] = 4,
		[DT_BF16] = 5,
		[DT_I32] = 6,
		[DT_F32] = 7,
		[DT_F64] = 8,
		[DT_I64] = 9};
	const struct st_tensor *x = &((const struct row *)a)->t, *y = &((const struct row *)b)->t;
	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	int order = place[y->dtype] - place[x->dtype];
	return order ? order : strcmp(x->name, y->name);
}

static int same_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int check_names(const struct rewrite *w, struct err *e)
{
	char **names = mem_alloc(w->nout, sizeof *names);
	int rc = 0;
	for (size_t i = 0; i < w->nout; i++)
		names[i] = w->out[i].name;
	qsort(names, w->nout, sizeof *names, same_name);
	for (size_t i = 1; i < w->nout && !rc; i++)
		if (strcmp(names[i], names[i - 1]) == 0)
			rc = err_data(e, "tensor '%s' would be written twice", names[i]);
	mem_free(names);
	return rc;
}

/* Rows to the result's table. Shards that have nothing left are not counted. */
static int finish_table(struct rewrite *w, struct table *table, struct err *e)
{
	int rc = 0;
	qsort(table->v, table->n, sizeof *table->v, by_place);
	w->out = mem_alloc(table->n, sizeof *w->out);
	for (size_t i = 0; i < table->n; i++) {
		const struct row *r = &table->v[i];
		w->shards += i == 0 || r->t.file != table->v[i - 1].t.file;
		w->out[i] = r->t;
		w->out[i].file = w->shards - 1;
		w->items[r->item].out[r->part] = i;
		if (!rc)
			rc = st_size(&w->out[i], e);
	}
	w->nout = table->n;
	return rc ? -1 : check_names(w, e);
}

int rewrite_plan(struct rewrite *w, struct team *team, struct err *e)
{
	if (!w->n)
		return err_data(e, "the model has no tensors");
	struct table table = {mem_alloc(w->n * PART_COUNT, sizeof *table.v), 0};
	struct rooms *rooms = rooms_new(team);
	int rc = 0;
	for (size_t i = 0; i < w->n && !rc; i++) {
		struct rewrite_item *it = &w->items[i];
		if (it->quantise && it->form.type != DT_INT8 && it->form.nested)
			rc = find_offset(it, team, rooms, e);
		if (!rc)
			rc = add_rows(&table, it, i, e);
	}
	rooms_free(rooms, team);
	if (!rc)
		rc = finish_table(w, &table, e);
	for (size_t i = 0; rc && !w->nout && i < table.n; i++)
		mem_free(table.v[i].t.name);
	mem_free(table.v);
	return rc;
}
