/*
 * Every tensor of the checkpoint, once: its name and shape, and where in the model it goes.
 * Loading, the arena's rows under --full, the memory plan and the search for values that are not
 * finite all walk this one list.
 */
#include "common/model/model_int.h"

#include "common/mem.h"
#include "common/rng.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { PIECE = 1 << 16 }; /* elements converted at a time */

__attribute__((format(printf, 5, 6))) static struct slot *add_slot(
	struct model *m, size_t part, size_t rows, size_t cols, const char *fmt, ...)
{
	struct slot *s = &m->slots[m->nslots++];
	*s = (struct slot){.rows = rows, .cols = cols, .param = -1, .part = part};
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(s->name, sizeof s->name, fmt, ap);
	va_end(ap);
	return s;
}

static void add_norm(struct model *m, size_t part, struct norm *n, const char *name)
{
	struct slot *s = add_slot(m, part, m->config.dim, 0, "%s.weight", name);
	s->v = &n->g;
	s->dv = &n->dg;
}

static void add_projection(struct model *m, size_t part, struct projection *p, const char *name,
	int bias, unsigned uses)
{
	struct slot *s = add_slot(m, part, p->out, p->in, "%s.weight", name);
	s->uses = uses;
	s->w = (struct kweight **)&p->l.w;
	s->dw = &p->l.dw;
	if (!bias)
		return;
	s = add_slot(m, part, p->out, 0, "%s.bias", name);
	s->v = &p->l.bias;
	s->dv = &p->l.dbias;
}

static void add_layer(struct model *m, size_t i, unsigned uses)
{
	const struct model_config *c = &m->config;
	struct layer *l = &m->layers[i];
	const int bias[PROJ_COUNT] = {c->qkv_bias, c->qkv_bias, c->qkv_bias, c->o_bias, c->mlp_bias,
		c->mlp_bias, c->mlp_bias};
	char name[80];
	snprintf(name, sizeof name, "model.layers.%zu.input_layernorm", i);
	add_norm(m, 2 * i, &l->attn_norm, name);
	for (int p = PROJ_Q; p <= PROJ_DOWN; p++) {
		if (p == PROJ_GATE) {
			snprintf(name, sizeof name, "model.layers.%zu.post_attention_layernorm", i);
			add_norm(m, 2 * i + 1, &l->mlp_norm, name);
		}
		snprintf(name, sizeof name, "model.layers.%zu.%s", i, proj_name[p]);
		model_config_proj(c, p, &l->proj[p].out, &l->proj[p].in);
		add_projection(m, 2 * i + (p > PROJ_O), &l->proj[p], name, bias[p], uses);
		l->proj[p].module = (uint32_t)(i * PROJ_COUNT) + (uint32_t)p;
	}
}

/* The head of a tied model has a slot of its own where modules_to_save makes it a copy. */
static void add_head(struct model *m, unsigned uses)
{
	const struct model_config *c = &m->config;
	const struct adapter_config *a = &m->adapter.config;
	m->head.module = (uint32_t)(c->layers * PROJ_COUNT);
	m->head.out = c->vocab;
	m->head.in = c->dim;
	if (c->tied && (a->tie || !adapter_saves(a, "lm_head")))
		return;
	add_projection(m, 2 * c->layers, &m->head, "lm_head", 0, uses);
	m->slots[m->nslots - 1].from = c->tied ? m->slots[0].name : NULL;
}

void weights_list(struct model *m, unsigned uses)
{
	const struct model_config *c = &m->config;
	m->layers = mem_zalloc(c->layers, sizeof *m->layers);
	m->slots = mem_alloc(3 + c->layers * (2 + 2 * PROJ_COUNT), sizeof *m->slots);
	struct slot *embed = add_slot(m, 0, c->vocab, c->dim, "model.embed_tokens.weight");
	/* dora.c multiplies by an embedding that has an adapter. */
	embed->uses = KUSE_GATHER | (c->tied ? uses : 0) | (m->adapter.config.dora ? KUSE_BWD : 0);
	embed->w = &m->embed;
	embed->dw = &m->dembed;
	for (size_t i = 0; i < c->layers; i++)
		add_layer(m, i, uses);
	add_norm(m, 2 * c->layers, &m->norm, "model.norm");
	add_head(m, uses);
}

/* Every name in modules_to_save must be that of something. */
static int check_saved(const struct model *m, struct err *e)
{
	const struct adapter_config *c = &m->adapter.config;
	for (size_t i = 0; i < c->save.n; i++) {
		struct adapter_config one = {.save = {.v = &c->save.v[i], .n = 1}};
		size_t j = 0;
		while (j < m->nslots && !adapter_saves(&one, m->slots[j].name))
			j++;
		int head = m->config.tied && adapter_saves(&one, "lm_head");
		if (j == m->nslots && !head)
			return err_data(e, "modules_to_save: no module of the model ends in '%s'",
				c->save.v[i]);
	}
	return 0;
}

int weights_plan(struct model *m, struct err *e)
{
	for (size_t i = 0; i < m->nslots; i++) {
		struct slot *s = &m->slots[i];
		char *name = NULL;
		if (!m->full && !adapter_trains(&m->adapter.config, s->name, &name))
			continue;
		/* Weight decay as transformers' Trainer: not on norms, not on biases. */
		s->param = (long)params_add(
			&m->params, m->full ? s->name : name, s->rows, s->cols, s->cols > 0);
		mem_free(name);
	}
	m->adapter.tied = m->config.tied && m->adapter.config.tie ? m->slots[0].param : -1;
	return check_saved(m, e);
}

/* ---- loading ---- */

static size_t slot_len(const struct slot *s)
{
	return s->rows * (s->cols ? s->cols : 1);
}

static int check_quantised(const struct slot *s, struct err *e)
{
	const struct kweight_desc *d = &s->quant->d;
	if (s->param >= 0)
		return err_data(e,
			"tensor '%s' is quantised and cannot be trained itself: train an adapter, "
			"or "
			"the floats that quant --dequantize gives",
			s->name);
	if (d->n == s->rows && d->k == s->cols)
		return 0;
	return err_data(e, "tensor '%s' has shape [%zu, %zu], config.json asks for [%zu, %zu]",
		s->name, d->n, d->k, s->rows, s->cols);
}

static int find_file(struct model *m, struct slot *s, struct err *e)
{
	const char *name = s->from ? s->from : s->name;
	s->file = st_find(&m->st, name);
	if (!s->file)
		return err_data(e, "tensor '%s' is missing", name);
	int quantised = bnb_open(&s->quant, &m->st, name, e);
	if (quantised)
		return quantised < 0 ? -1 : check_quantised(s, e);
	if (!dtype_info[s->file->dtype].is_float)
		return err_data(e, "tensor '%s' is of a type that is not supported", s->name);
	size_t rank = s->cols ? 2 : 1;
	if (s->file->rank != rank || s->file->shape[0] != s->rows ||
		(s->cols && s->file->shape[1] != s->cols)) {
		char shape[200];
		st_shape_text(s->file, shape);
		return s->cols ? err_data(e,
					 "tensor '%s' has shape %s, config.json asks for [%zu, "
					 "%zu]",
					 s->name, shape, s->rows, s->cols)
			       : err_data(e, "tensor '%s' has shape %s, config.json asks for [%zu]",
					 s->name, shape, s->rows);
	}
	return 0;
}

/* Values [from, from + n) of a tensor: from the file, else new ones as transformers makes them:
 * normal(0, initializer_range) matrices, norms 1, biases 0. */
static void slot_values(const struct slot *s, const struct model_config *c, struct rng *rng,
	size_t from, size_t n, float *out)
{
	if (s->file) {
		const char *p = s->file->data;
		dtype_to_f32(s->file->dtype, p + dtype_bytes(s->file->dtype, from), out, n);
		return;
	}
	size_t len = strlen(s->name);
	float fixed = len > 5 && strcmp(s->name + len - 5, ".bias") == 0 ? 0 : 1;
	for (size_t i = 0; i < n; i++)
		out[i] = s->cols ? (float)(rng_normal(rng) * c->init_range) : fixed;
}

static int write_values(struct model *m, const struct slot *s, uint64_t seed, struct kbuf to)
{
	float *piece = mem_alloc(PIECE, sizeof *piece);
	struct rng rng;
	rng_init(&rng, seed, (uint64_t)(s - m->slots));
	int rc = 0;
	for (size_t at = 0, n, len = slot_len(s); at < len && rc == 0; at += n) {
		n = len - at < PIECE ? len - at : PIECE;
		slot_values(s, &m->config, &rng, at, n, piece);
		rc = m->k->write(m->kc, kbuf_at(to, at).p, piece, n * sizeof *piece);
	}
	mem_free(piece);
	return rc;
}

static int load_trained(struct model *m, struct slot *s, uint64_t seed)
{
	size_t row = (size_t)s->param;
	struct kbuf value = param_value(&m->params, row);
	TRY(write_values(m, s, seed, value));
	if (s->file)
		st_release(s->file->data, s->file->bytes);
	if (!s->cols) {
		s->trained_v = value;
		*s->dv = param_grad(&m->params, row);
		return 0;
	}
	*s->dw = param_grad(&m->params, row);
	return m->k->weight_new_param(m->kc, value, s->rows, s->cols, s->uses, &s->trained_w);
}

static int load_frozen(struct model *m, struct slot *s)
{
	if (s->cols) {
		struct kweight_desc d = {
			.dtype = s->file->dtype, .n = s->rows, .k = s->cols, .data = s->file->data};
		if (s->quant) {
			d = s->quant->d;
			d.values = DT_F32; /* as bitsandbytes: the type that is computed in */
			d.threshold = m->int8_threshold;
		}
		return m->k->weight_new(m->kc, &d, s->uses, &s->frozen_w);
	}
	s->frozen_v.t = DT_F32;
	s->frozen_v.p = m->k->alloc(m->kc, s->rows * sizeof(float));
	return s->frozen_v.p ? write_values(m, s, 0, s->frozen_v) : KE_MEMORY;
}

void weights_bind(struct model *m, int trained)
{
	for (size_t i = 0; i < m->nslots; i++) {
		struct slot *s = &m->slots[i];
		int now = s->param >= 0 && (trained || m->full);
		if (s->cols)
			*s->w = now ? s->trained_w : s->frozen_w;
		else
			*s->v = now ? s->trained_v : s->frozen_v;
	}
	if (m->head_follows)
		m->head.l.w = m->embed;
	else if (m->config.tied && !m->head.l.w)
		m->head.l.w = m->slots[0].frozen_w;
}

const struct slot *weights_slot(const struct model *m, const char *name)
{
	for (size_t i = 0; i < m->nslots; i++)
		if (strcmp(m->slots[i].name, name) == 0)
			return &m->slots[i];
	return NULL;
}

/* The head of a tied model is the embedding as it trains, or with modules_to_save as it was; what the
 * gather adds to its gradient is kept apart. */
static int tie_head(struct model *m)
{
	int one = m->full || m->adapter.config.tie || m->slots[0].param < 0;
	m->head_follows = one && !weights_slot(m, "lm_head.weight");
	if (!m->dembed.p || !m->head_follows)
		return 0;
	m->head.l.dw = m->dembed;
	size_t bytes = m->config.vocab * m->config.dim * sizeof(float);
	m->tied_dembed = (struct kbuf){m->k->alloc(m->kc, bytes), DT_F32};
	if (!m->tied_dembed.p)
		return KE_MEMORY;
	m->dembed = m->tied_dembed;
	return m->k->zero(m->kc, m->tied_dembed.p, bytes);
}

int weights_load(struct model *m, uint64_t seed, struct err *e)
{
	for (size_t i = 0; i < m->nslots; i++) {
		struct slot *s = &m->slots[i];
		if (m->st.n && find_file(m, s, e) < 0)
			return -1;
		int rc = s->param < 0 || !m->full ? load_frozen(m, s) : 0;
		if (rc == 0 && s->param >= 0)
			rc = load_trained(m, s, seed);
		if (rc < 0) {
			model_kerr(m, rc, e);
			return err_prefix(e, "tensor '%s'", s->name);
		}
	}
	int rc = m->config.tied ? tie_head(m) : 0;
	weights_bind(m, 1);
	return rc < 0 ? model_kerr(m, rc, e) : 0;
}

int weights_refresh(struct model *m, struct err *e)
{
	for (size_t i = 0; i < m->nslots; i++) {
		const struct slot *s = &m->slots[i];
		if (!s->trained_w)
			continue;
		int rc = m->k->weight_refresh(m->kc, s->trained_w);
		if (rc < 0)
			return model_kerr(m, rc, e);
	}
	return 0;
}

void weights_free(struct model *m)
{
	for (size_t i = 0; i < m->nslots; i++) {
		struct slot *s = &m->slots[i];
		if (s->frozen_w)
			m->k->weight_free(m->kc, s->frozen_w);
		if (s->trained_w)
			m->k->weight_free(m->kc, s->trained_w);
		if (s->frozen_v.p)
			m->k->free(m->kc, s->frozen_v.p);
		bnb_free(s->quant);
	}
	if (m->tied_dembed.p)
		m->k->free(m->kc, m->tied_dembed.p);
	mem_free(m->slots);
	mem_free(m->layers);
}

/* Bytes of a tensor in its file; of one that is not open, as config.json has it. */
static size_t file_bytes(const struct model *m, const struct slot *s, enum dtype t)
{
	const struct bnb_config *q = &m->config.quant;
	if (s->quant) {
		const struct kweight_desc *d = &s->quant->d;
		return bnb_weight_bytes(t, d->n, d->k, d->blocksize, d->absmax_q != NULL);
	}
	return t == q->type && m->config.quantised
		       ? bnb_weight_bytes(t, s->rows, s->cols, 64, q->nested)
		       : dtype_bytes(t, slot_len(s));
}

static enum dtype file_type(const struct model *m, const struct slot *s)
{
	if (s->quant)
		return s->quant->d.dtype;
	if (s->file)
		return s->file->dtype;
	int linear = s->cols && s->w != &m->embed && s->w != (struct kweight **)&m->head.l.w;
	return linear && m->config.quantised ? m->config.quant.type : m->config.dtype;
}

size_t model_weight_bytes(const struct model *m)
{
	size_t bytes = 0;
	for (size_t i = 0; i < m->nslots; i++) {
		const struct slot *s = &m->slots[i];
		enum dtype t = file_type(m, s);
		struct kweight_desc d = {.dtype = t, .n = s->rows, .k = s->cols};
		/* What trains is counted with the arena, but for what tie_head keeps. */
		if (s->param >= 0 && s->w == &m->embed && m->config.tied &&
			(m->full || m->adapter.tied >= 0))
			bytes += slot_len(s) * sizeof(float);
		if (m->full || s->from)
			continue;
		bytes += file_bytes(m, s, t);
		bytes += s->cols ? m->k->weight_bytes(&d, s->uses) : s->rows * sizeof(float);
	}
	return bytes + adapter_bytes(m);
}
