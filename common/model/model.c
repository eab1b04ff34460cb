/* Opening and closing a model, and what it tells about itself. */
#include "common/model/model_int.h"

#include "common/io.h"
#include "common/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *chosen(const char *given, const char *variable)
{
	if (!given || strcmp(given, "auto") == 0)
		given = getenv(variable);
	return given && *given ? given : "auto";
}

static int open_kernels(struct model *m, const struct model_opts *o, struct err *e)
{
	const char *name = chosen(o->kernels, "SLUICE_KERNELS");
	const char *device = chosen(o->device, "SLUICE_DEVICE");
	const char *why = NULL;
	m->k = kernels_select(device, name, &why);
	if (!m->k)
		return err_set(
			e, STATUS_SYSTEM, "kernels '%s' on device '%s': %s", name, device, why);
	m->precision = kernels_precision(m->k, o->precision);
	if (!m->precision && !kernels_precision(&kernels_plain, o->precision))
		return err_usage(e, "no such precision: '%s' (auto, f32 or bf16)", o->precision);
	if (!m->precision)
		return err_set(e, STATUS_SYSTEM, "precision '%s': the kernels '%s' compute in f32",
			o->precision, m->k->name);
	const char *index = strncmp(device, "cuda:", 5) == 0 ? device + 5 : "0";
	int rc = m->k->open(m->k, (int)strtol(index, NULL, 10), o->threads, m->precision, &m->kc);
	if (rc < 0)
		return err_set(e, STATUS_SYSTEM, "kernels '%s' cannot be opened on device '%s'",
			m->k->name, device);
	return 0;
}

/* With --full a directory may hold a config.json only: the weights come from the seed. */
static int weights_absent(const char *dir)
{
	char *single = io_path(dir, "model.safetensors");
	char *index = io_path(dir, "model.safetensors.index.json");
	int absent = !io_exists(single) && !io_exists(index);
	mem_free(single);
	mem_free(index);
	return absent;
}

static int fingerprint_seeded(struct model *m, const struct model_opts *o, struct err *e)
{
	char *path = io_path(o->dir, "config.json");
	size_t len;
	char *text = io_read_file(path, 1 << 24, &len, e);
	mem_free(path);
	if (!text)
		return -1;
	struct fingerprint *f = fingerprint_new();
	fingerprint_add(f, text, len);
	fingerprint_add(f, &o->seed, sizeof o->seed);
	fingerprint_end(f, m->fingerprint);
	mem_free(text);
	return 0;
}

static int open_files(struct model *m, const struct model_opts *o, struct err *e)
{
	if (o->plan)
		return 0;
	if (st_open_dir(&m->st, o->dir, e) == 0)
		return fingerprint_model(o->dir, 0, m->fingerprint, e);
	if (!o->full || e->status != STATUS_SYSTEM || !weights_absent(o->dir))
		return -1;
	return fingerprint_seeded(m, o, e);
}

/* Log-probs of another precision are another reference's: its rounding would not cancel. */
static void name_with_numerics(const struct model *m, const char *print, char name[MODEL_NAME_LEN])
{
	snprintf(name, MODEL_NAME_LEN, "%s%s%s", print, m->precision == KP_F32 ? "" : "-bf16",
		m->int8_threshold > 0 ? "-int8" : "");
}

/* The reference is the policy as it starts: with an adapter from a directory, both together. */
static int name_reference(struct model *m, const struct model_opts *o, struct err *e)
{
	name_with_numerics(m, m->fingerprint, m->base_reference);
	memcpy(m->reference, m->base_reference, sizeof m->reference);
	if (!o->adapter || o->plan)
		return 0;
	char adapter[FINGERPRINT_LEN], both[FINGERPRINT_LEN];
	if (fingerprint_adapter(o->adapter, adapter, e) < 0)
		return -1;
	struct fingerprint *f = fingerprint_new();
	fingerprint_add(f, m->fingerprint, FINGERPRINT_LEN);
	fingerprint_add(f, adapter, FINGERPRINT_LEN);
	fingerprint_end(f, both);
	name_with_numerics(m, both, m->reference);
	return 0;
}

static int read_adapter(struct model *m, const struct model_opts *o, struct err *e)
{
	struct adapter_config *c = &m->adapter.config;
	if (o->new_adapter) {
		*c = *o->new_adapter;
		*o->new_adapter = (struct adapter_config){0};
	} else if (adapter_read_config(c, o->adapter, e) < 0) {
		return -1;
	}
	m->has_adapter = m->adapter_on = 1;
	return m->config.tied && c->tie ? adapter_config_tie(c, e) : 0;
}

static int fill_adapter(struct model *m, const struct model_opts *o, struct err *e)
{
	int rc = o->adapter ? adapter_read_tensors(m, o->adapter, e)
			    : adapter_init(&m->adapter, &m->params, m->k, m->kc, o->seed, e);
	if (rc < 0 || adapter_bind(m, e) < 0)
		return -1;
	rc = adapter_refresh(m, !o->adapter);
	return rc < 0 ? model_kerr(m, rc, e) : 0;
}

static size_t site_part(const struct model *m, const struct lora_site *s)
{
	if (s->place == SITE_EMBED)
		return 0;
	return s->place == SITE_HEAD ? 2 * m->config.layers : 2 * s->layer + (s->place > PROJ_O);
}

/* How far down the backward must go. */
static void find_first_part(struct model *m)
{
	size_t last = 2 * m->config.layers;
	m->first_part = last + 1;
	for (size_t i = 0; i < m->nslots + m->adapter.nsites; i++) {
		const struct slot *slot = i < m->nslots ? &m->slots[i] : NULL;
		const struct lora_site *s = slot ? NULL : &m->adapter.sites[i - m->nslots];
		if (slot && slot->param < 0)
			continue;
		size_t part = slot ? slot->part : site_part(m, s);
		m->embed_trains |= slot ? slot->w == &m->embed : s->place == SITE_EMBED;
		m->head_trains |= part == last;
		if (part < m->first_part)
			m->first_part = part;
	}
	/* A tied embedding that trains is a head that trains. */
	m->head_trains |=
		m->config.tied && m->slots[0].param >= 0 && (m->full || m->adapter.config.tie);
}

static unsigned linear_uses(const struct model *m, const struct model_opts *o)
{
	return KUSE_FWD | (o->train ? KUSE_BWD : 0) |
	       (m->adapter.config.dora ? KUSE_GATHER : 0); /* dora.c measures rows */
}

static int open_parts(struct model *m, const struct model_opts *o, struct err *e)
{
	int adapter = o->adapter || o->new_adapter;
	if (o->full && adapter)
		return err_usage(
			e, "--full trains all weights: an adapter cannot be trained beside them");
	if (model_config_load(&m->config, o->dir, e) < 0 || open_kernels(m, o, e) < 0 ||
		open_files(m, o, e) < 0 || name_reference(m, o, e) < 0)
		return -1;
	if (adapter && read_adapter(m, o, e) < 0)
		return -1;
	m->full = o->full;
	weights_list(m, linear_uses(m, o));
	if (adapter && adapter_plan(&m->adapter, &m->config, &m->params, e) < 0)
		return -1;
	if ((m->full || adapter) && weights_plan(m, e) < 0)
		return -1;
	if (!o->plan) {
		if (m->params.n && params_alloc(&m->params, m->k, m->kc, o->train, e) < 0)
			return -1;
		if (weights_load(m, o->seed, e) < 0)
			return err_prefix(e, "%s", o->dir);
		if (adapter && fill_adapter(m, o, e) < 0)
			return -1;
	} else if (adapter_bind(m, e) < 0) {
		return -1;
	}
	find_first_part(m);
	return 0;
}

int model_open(struct model **out, const struct model_opts *o, struct err *e)
{
	struct model *m = mem_zalloc(1, sizeof *m);
	m->plan = o->plan;
	m->int8_threshold = o->int8_threshold;
	*out = NULL;
	if (open_parts(m, o, e) < 0) {
		model_close(m);
		return -1;
	}
	*out = m;
	return 0;
}

void model_close(struct model *m)
{
	if (!m)
		return;
	if (m->kc)
		adapter_unbind(m);
	weights_free(m);
	if (m->kc)
		params_done(&m->params, m->k, m->kc);
	adapter_done(&m->adapter);
	if (m->kc)
		m->k->close(m->kc);
	st_close(&m->st);
	model_config_done(&m->config);
	mem_free(m);
}

const struct model_config *model_config(const struct model *m)
{
	return &m->config;
}

const struct kernels *model_kernels(const struct model *m)
{
	return m->k;
}

struct kctx *model_kctx(const struct model *m)
{
	return m->kc;
}

struct params *model_params(struct model *m)
{
	return &m->params;
}

const struct adapter *model_adapter(const struct model *m)
{
	return m->has_adapter ? &m->adapter : NULL;
}

const char *model_fingerprint(const struct model *m)
{
	return m->fingerprint;
}

const char *model_reference(const struct model *m)
{
	return m->reference;
}

const char *model_base_reference(const struct model *m)
{
	return m->base_reference;
}

const char *model_precision(const struct model *m)
{
	return kernels_precision_name(m->precision);
}

void model_adapter_enable(struct model *m, int on)
{
	m->adapter_on = on && m->has_adapter;
	weights_bind(m, m->adapter_on);
}

int model_refresh(struct model *m, struct err *e)
{
	if (weights_refresh(m, e) < 0)
		return -1;
	int rc = adapter_refresh(m, 0);
	return rc < 0 ? model_kerr(m, rc, e) : 0;
}

int model_grads_begin(struct model *m, struct err *e)
{
	int rc = m->k->zero(m->kc, m->params.grad.p, m->params.total * sizeof(float));
	if (rc == 0 && m->tied_dembed.p)
		rc = m->k->zero(
			m->kc, m->tied_dembed.p, m->config.vocab * m->config.dim * sizeof(float));
	if (rc == 0)
		rc = adapter_grads_begin(m);
	return rc < 0 ? model_kerr(m, rc, e) : 0;
}

int model_grads_end(struct model *m, struct err *e)
{
	int rc = adapter_grads_end(m);
	if (rc == 0 && m->tied_dembed.p)
		rc = m->k->axpy(
			m->kc, 1, m->tied_dembed, m->config.vocab * m->config.dim, m->head.l.dw);
	return rc < 0 ? model_kerr(m, rc, e) : 0;
}
