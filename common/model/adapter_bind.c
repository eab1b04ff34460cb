/*
 * An adapter's tensors bound to the layers that they are on, and what must follow when they change:
 * DoRA's norms, the biases of lora_B added to the base's, the embedding's B as a weight.
 */
#include "common/model/model_int.h"

#include "common/mem.h"

static struct projection *site_projection(struct model *m, const struct lora_site *s)
{
	return s->place == SITE_HEAD ? &m->head : &m->layers[s->layer].proj[s->place];
}

static struct kbuf new_zeros(struct model *m, size_t n)
{
	struct kbuf b = {m->k->alloc(m->kc, n * sizeof(float)), DT_F32};
	if (b.p)
		m->k->zero(m->kc, b.p, n * sizeof(float));
	return b;
}

static struct measured measured_site(struct model *m, const struct lora_site *s)
{
	int embedding = s->place == SITE_EMBED;
	struct projection *p = embedding ? NULL : site_projection(m, s);
	return (struct measured){.d = embedding ? m->embed_lora.dora : p->dora,
		.w = embedding ? m->embed : p->l.w,
		.columns = embedding,
		.n = s->out,
		.len = s->in,
		.r = s->r,
		.scale = s->scale,
		.a = param_value(&m->params, s->a),
		.b = param_value(&m->params, s->b)};
}

static int bind_dora(struct model *m, struct dora **d, const struct lora_site *s)
{
	*d = mem_zalloc(1, sizeof **d);
	if (m->plan)
		return 0;
	(*d)->value = param_value(&m->params, (size_t)s->magnitude);
	(*d)->grad = param_grad(&m->params, (size_t)s->magnitude);
	struct measured w = measured_site(m, s);
	return dora_open(m, &w);
}

static int bind_embedding(struct model *m, const struct lora_site *s)
{
	struct embed_lora *l = &m->embed_lora;
	l->r = s->r;
	l->scale = s->scale;
	if (s->magnitude >= 0)
		TRY(bind_dora(m, &l->dora, s));
	if (m->plan)
		return 0;
	l->a = param_value(&m->params, s->a);
	l->da = param_grad(&m->params, s->a);
	l->b.dw = param_grad(&m->params, s->b);
	TRY(m->k->weight_new_param(m->kc, param_value(&m->params, s->b), s->out, s->r,
		KUSE_FWD | KUSE_BWD, &l->weight));
	l->b.w = l->weight;
	return 0;
}

static int bind_bias(struct model *m, struct projection *p, const struct lora_site *s)
{
	p->lora_bias = param_value(&m->params, (size_t)s->bias);
	p->dlora_bias = param_grad(&m->params, (size_t)s->bias);
	p->bias_on = new_zeros(m, s->out);
	if (!p->bias_on.p)
		return KE_MEMORY;
	if (!p->dlora_bias.p)
		return 0;
	p->dsum = new_zeros(m, s->out);
	return p->dsum.p ? 0 : KE_MEMORY;
}

static int bind_site(struct model *m, const struct lora_site *s)
{
	if (s->place == SITE_EMBED)
		return bind_embedding(m, s);
	struct projection *p = site_projection(m, s);
	p->l.lora.r = s->r;
	p->l.lora.scale = s->scale;
	if (!m->plan) {
		p->l.lora.a = param_value(&m->params, s->a);
		p->l.lora.b = param_value(&m->params, s->b);
		p->l.lora.da = param_grad(&m->params, s->a);
		p->l.lora.db = param_grad(&m->params, s->b);
	}
	if (s->bias >= 0 && !m->plan)
		TRY(bind_bias(m, p, s));
	return s->magnitude >= 0 ? bind_dora(m, &p->dora, s) : 0;
}

int adapter_bind(struct model *m, struct err *e)
{
	int rc = 0;
	for (size_t i = 0; i < m->adapter.nsites && rc == 0; i++)
		rc = bind_site(m, &m->adapter.sites[i]);
	return rc < 0 ? model_kerr(m, rc, e) : 0;
}

/* ---- what follows the arena -------------------------------------------------------------------- */

static int refresh_bias(struct model *m, struct projection *p)
{
	TRY(m->k->zero(m->kc, p->bias_on.p, p->out * sizeof(float)));
	if (p->l.bias.p)
		TRY(m->k->axpy(m->kc, 1, p->l.bias, p->out, p->bias_on));
	return m->k->axpy(m->kc, p->l.lora.scale, p->lora_bias, p->out, p->bias_on);
}

int adapter_refresh(struct model *m, int fresh)
{
	if (m->embed_lora.weight)
		TRY(m->k->weight_refresh(m->kc, m->embed_lora.weight));
	for (size_t i = 0; i < m->adapter.nsites; i++) {
		const struct lora_site *s = &m->adapter.sites[i];
		struct measured w = measured_site(m, s);
		if (s->bias >= 0)
			TRY(refresh_bias(m, site_projection(m, s)));
		if (w.d)
			TRY(dora_refresh(m, &w, fresh));
	}
	return 0;
}

int adapter_grads_begin(struct model *m)
{
	for (size_t i = 0; i < m->adapter.nsites; i++) {
		const struct lora_site *s = &m->adapter.sites[i];
		struct projection *p = s->bias < 0 ? NULL : site_projection(m, s);
		if (p && p->dsum.p)
			TRY(m->k->zero(m->kc, p->dsum.p, p->out * sizeof(float)));
	}
	return 0;
}

int adapter_grads_end(struct model *m)
{
	for (size_t i = 0; i < m->adapter.nsites; i++) {
		const struct lora_site *s = &m->adapter.sites[i];
		const struct projection *p = s->bias < 0 ? NULL : site_projection(m, s);
		if (!p || !p->dsum.p)
			continue;
		if (p->l.dbias.p)
			TRY(m->k->axpy(m->kc, 1, p->dsum, p->out, p->l.dbias));
		TRY(m->k->axpy(m->kc, p->l.lora.scale, p->dsum, p->out, p->dlora_bias));
	}
	return 0;
}

/* ---- memory ------------------------------------------------------------------------------------ */

void adapter_unbind(struct model *m)
{
	if (m->embed_lora.weight)
		m->k->weight_free(m->kc, m->embed_lora.weight);
	dora_free(m, m->embed_lora.dora);
	for (size_t i = 0; m->layers && i < m->adapter.nsites; i++) {
		if (m->adapter.sites[i].place == SITE_EMBED)
			continue;
		struct projection *p = site_projection(m, &m->adapter.sites[i]);
		if (p->bias_on.p)
			m->k->free(m->kc, p->bias_on.p);
		if (p->dsum.p)
			m->k->free(m->kc, p->dsum.p);
		dora_free(m, p->dora);
	}
}

size_t adapter_bytes(const struct model *m)
{
	size_t bytes = 0;
	for (size_t i = 0; i < m->adapter.nsites; i++) {
		const struct lora_site *s = &m->adapter.sites[i];
		if (s->bias >= 0)
			bytes += 2 * s->out * sizeof(float);
		if (s->magnitude >= 0)
			bytes += s->out * (2 * sizeof(float) + sizeof(double));
	}
	return bytes;
}
