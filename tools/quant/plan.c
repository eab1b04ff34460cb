#include "tools/quant/plan.h"

#include "common/mem.h"
#include "kernels/merge.h"

#include <stdlib.h>
#include <string.h>

size_t plan_unit(const struct settings *set)
{
	enum { LEAST = 1 << 17 };
	size_t group = set->blocksize * QUANT_NESTED_BLOCK;
	return group > LEAST ? group : LEAST;
}

/* ---- offsets --------------------------------------------------------------------------------- */

struct survey {
	const struct settings *set;
	const struct item *item;
	float *absmax;
	int *bad; /* one a unit */
};

static void survey_unit(void *arg, size_t i, int worker)
{
	const struct survey *s = arg;
	const struct st_tensor *in = s->item->in;
	enum dtype t = s->item->dtype;
	size_t unit = plan_unit(s->set), at = i * unit;
	size_t n = in->elements - at < unit ? in->elements - at : unit;
	const char *src = (const char *)in->data + dtype_bytes(in->dtype, at);
	void *as_t = NULL;
	(void)worker;
	if (in->dtype != t) {
		as_t = mem_alloc(n, dtype_bytes(t, 1));
		s->bad[i] = merge_rows(in->dtype, src, t, as_t, 1, n, NULL, 0);
	}
	s->bad[i] |= quant4_absmax(
		t, as_t ? as_t : src, n, s->set->blocksize, s->absmax + at / s->set->blocksize);
	mem_free(as_t);
	st_release(src, dtype_bytes(in->dtype, n));
}

/* The mean of a weight's absmax. */
static int find_offset(
	struct item *it, const struct settings *set, struct team *team, struct err *e)
{
	size_t n = it->in->elements, unit = plan_unit(set);
	size_t blocks = (n + set->blocksize - 1) / set->blocksize, units = (n + unit - 1) / unit;
	struct survey s = {
		set, it, mem_alloc(blocks, sizeof(float)), mem_zalloc(units, sizeof(int))};
	int bad = 0;
	team_run(team, units, survey_unit, &s);
	for (size_t i = 0; i < units; i++)
		bad |= s.bad[i];
	it->offset = quant_mean(s.absmax, blocks);
	mem_free(s.absmax);
	mem_free(s.bad);
	return bad ? err_data(e, "tensor '%s' is not finite", it->in->name) : 0;
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

static void add_row(struct table *table, const struct item *it, size_t item, enum part part,
	char *name, enum dtype dtype, size_t rank, size_t a, size_t b)
{
	table->v[table->n++] = (struct row){
		{.name = name, .dtype = dtype, .shape = {a, b}, .rank = rank, .file = it->in->file},
		item, part};
}

static void add_4bit(struct table *table, const struct settings *set, struct item *it, size_t item)
{
	size_t n = it->in->elements, size = dtype_bytes(set->storage, 1), len;
	size_t blocks = (n + set->blocksize - 1) / set->blocksize;
	const char *name = it->in->name, *type = set->type == DT_NF4 ? "nf4" : "fp4";
	it->state = bnb_state(set->type, set->blocksize, it->dtype, it->in->shape,
		set->nested ? &it->offset : NULL, &len);
	add_row(table, it, item, PART_WEIGHT, mem_strdup(name), set->storage, 2, (n + 1) / 2 / size,
		1);
	add_row(table, it, item, PART_ABSMAX, mem_printf("%s" BNB_ABSMAX, name),
		set->nested ? DT_U8 : DT_F32, 1, blocks, 0);
	add_row(table, it, item, PART_MAP, mem_printf("%s" BNB_QUANT_MAP, name), DT_F32, 1, 16, 0);
	add_row(table, it, item, PART_STATE, mem_printf("%s" BNB_STATE "%s", name, type), DT_U8, 1,
		len, 0);
	if (!set->nested)
		return;
	add_row(table, it, item, PART_NESTED_ABSMAX, mem_printf("%s" BNB_NESTED_ABSMAX, name),
		DT_F32, 1, (blocks + QUANT_NESTED_BLOCK - 1) / QUANT_NESTED_BLOCK, 0);
	add_row(table, it, item, PART_NESTED_MAP, mem_printf("%s" BNB_NESTED_QUANT_MAP, name),
		DT_F32, 1, 256, 0);
}

static void add_int8(struct table *table, struct item *it, size_t item)
{
	const char *name = it->in->name;
	int stem = (int)(strlen(name) - strlen(".weight"));
	add_row(table, it, item, PART_WEIGHT, mem_strdup(name), DT_I8, 2, it->in->shape[0],
		it->in->shape[1]);
	add_row(table, it, item, PART_ABSMAX, mem_printf("%.*s" BNB_SCB, stem, name), DT_F32, 1,
		it->in->shape[0], 0);
	add_row(table, it, item, PART_MAP, mem_printf("%.*s" BNB_WEIGHT_FORMAT, stem, name), DT_U8,
		0, 0, 0);
}

static void add_rows(struct table *table, const struct settings *set, struct item *it, size_t item)
{
	const struct st_tensor *in = it->in;
	if (it->action == ENCODE4) {
		add_4bit(table, set, it, item);
	} else if (it->action == ENCODE8) {
		add_int8(table, it, item);
	} else if (it->action == DECODE) {
		add_row(table, it, item, PART_WEIGHT, mem_strdup(in->name), it->dtype, 2,
			it->from->d.n, it->from->d.k);
	} else {
		add_row(table, it, item, PART_WEIGHT, mem_strdup(in->name), it->dtype, in->rank, 0,
			0);
		memcpy(table->v[table->n - 1].t.shape, in->shape, sizeof in->shape);
	}
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

/* Rows to the result's table. Shards that have nothing left are not counted. */
static int finish_table(struct plan *p, struct table *table, struct err *e)
{
	int rc = 0;
	qsort(table->v, table->n, sizeof *table->v, by_place);
	p->out = mem_alloc(table->n, sizeof *p->out);
	for (size_t i = 0; i < table->n; i++) {
		const struct row *r = &table->v[i];
		p->shards += i == 0 || r->t.file != table->v[i - 1].t.file;
		p->out[i] = r->t;
		p->out[i].file = p->shards - 1;
		p->items[r->item].out[r->part] = i;
		if (!rc)
			rc = st_size(&p->out[i], e);
		if (!rc && i && strcmp(r->t.name, table->v[i - 1].t.name) == 0)
			rc = err_data(e, "tensor '%s' would be written twice", r->t.name);
	}
	p->nout = table->n;
	return rc;
}

static int make_table(struct plan *p, struct err *e)
{
	struct table table = {mem_alloc(p->n * PART_COUNT + 1, sizeof *table.v), 0};
	for (size_t i = 0; i < p->n; i++) {
		add_rows(&table, &p->set, &p->items[i], i);
		p->quantised += p->items[i].action != COPY;
	}
	int rc = table.n ? finish_table(p, &table, e) : err_data(e, "the model has no tensors");
	mem_free(table.v);
	if (!rc && !p->quantised)
		rc = err_data(e, "the model has no weights for that");
	return rc;
}

static void plan_init(struct plan *p, const struct settings *set, const struct st *base)
{
	*p = (struct plan){.set = *set, .items = mem_zalloc(base->n + 1, sizeof *p->items)};
}

static struct item *add_item(struct plan *p, enum action action, const struct st_tensor *in)
{
	struct item *it = &p->items[p->n++];
	*it = (struct item){.action = action, .in = in, .dtype = in->dtype};
	if (p->set.dtype >= 0 && dtype_info[in->dtype].is_float)
		it->dtype = (enum dtype)p->set.dtype;
	return it;
}

/* ---- quantising ------------------------------------------------------------------------------ */

static int check_weight(const struct item *it, const struct settings *set, struct err *e)
{
	if (it->dtype == DT_F64)
		return err_data(e, "tensor '%s' is float64: '--dtype float32' makes it usable",
			it->in->name);
	size_t bytes = (it->in->elements + 1) / 2;
	if (set->type != DT_INT8 && bytes % dtype_bytes(set->storage, 1))
		return err_data(e, "tensor '%s': %zu bytes of codes are no whole number of %s",
			it->in->name, bytes, dtype_info[set->storage].torch_name);
	return 0;
}

static int encode_item(struct plan *p, const struct st_tensor *in, const struct pick *pick,
	struct team *team, struct err *e)
{
	int take = pick_weight(pick, in, e);
	if (take < 0)
		return -1;
	enum action how = p->set.type == DT_INT8 ? ENCODE8 : ENCODE4;
	struct item *it = add_item(p, take ? how : COPY, in);
	if (!take)
		return 0;
	if (check_weight(it, &p->set, e))
		return -1;
	return how == ENCODE4 && p->set.nested ? find_offset(it, &p->set, team, e) : 0;
}

int plan_encode(struct plan *p, const struct settings *set, const struct st *base,
	const struct pick *pick, struct team *team, struct err *e)
{
	int rc = 0;
	plan_init(p, set, base);
	for (size_t i = 0; i < base->n && !rc; i++)
		rc = encode_item(p, &base->t[i], pick, team, e);
	if (!rc)
		rc = make_table(p, e);
	if (rc)
		plan_done(p);
	return rc;
}

/* ---- and back -------------------------------------------------------------------------------- */

static int is_part_of_weight(const struct st *base, const char *name)
{
	size_t stem;
	if (!bnb_is_part(name, &stem))
		return 0;
	char *weight = mem_printf("%.*s.weight", (int)stem, name);
	int there = st_find(base, weight) != NULL;
	mem_free(weight);
	return there;
}

static int decode_item(
	struct plan *p, const struct st *base, const struct st_tensor *in, int model, struct err *e)
{
	struct bnb_weight *w = NULL;
	if (is_part_of_weight(base, in->name))
		return 0;
	int rc = bnb_open(&w, base, in->name, e);
	if (rc < 0)
		return -1;
	struct item *it = add_item(p, rc ? DECODE : COPY, in);
	it->from = w;
	if (rc && p->set.dtype >= 0)
		it->dtype = (enum dtype)p->set.dtype;
	else if (rc)
		it->dtype = w->d.dtype == DT_INT8 && model >= 0 ? (enum dtype)model : w->d.values;
	return 0;
}

int plan_decode(
	struct plan *p, const struct settings *set, const struct st *base, int model, struct err *e)
{
	int rc = 0;
	plan_init(p, set, base);
	for (size_t i = 0; i < base->n && !rc; i++)
		rc = decode_item(p, base, &base->t[i], model, e);
	if (!rc)
		rc = make_table(p, e);
	if (rc)
		plan_done(p);
	return rc;
}

void plan_done(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		mem_free(p->items[i].state);
		bnb_free(p->items[i].from);
	}
	for (size_t i = 0; i < p->nout; i++)
		mem_free(p->out[i].name);
	mem_free(p->items);
	mem_free(p->out);
	*p = (struct plan){0};
}
