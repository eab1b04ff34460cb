/*
 * adapter_model.safetensors into the arena. Names are peft.h's, and they are all accounted for: a
 * tensor that nothing takes would be silently lost.
 */
#include "common/model/model_int.h"

#include "common/io.h"
#include "common/mem.h"

#include <string.h>

enum { PIECE = 1 << 16 }; /* elements converted at a time */

static int check_shape(const struct param *p, const struct st_tensor *t, struct err *e)
{
	char shape[200];
	size_t rank = p->cols ? 2 : 1;
	st_shape_text(t, shape);
	if (t->rank != rank || t->shape[0] != p->rows || (p->cols && t->shape[1] != p->cols))
		return p->cols ? err_data(e, "tensor '%s' is %s, the model asks for [%zu, %zu]",
					 p->name, shape, p->rows, p->cols)
			       : err_data(e, "tensor '%s' is %s, the model asks for [%zu]", p->name,
					 shape, p->rows);
	if (!dtype_info[t->dtype].is_float)
		return err_data(
			e, "tensor '%s' is of type %s", p->name, dtype_info[t->dtype].st_name);
	return 0;
}

static int read_tensor(struct model *m, const struct st *s, size_t i, struct err *e)
{
	const struct param *p = &m->params.p[i];
	const struct st_tensor *t = st_find(s, p->name);
	if (!t)
		return err_data(e, "tensor '%s' is missing", p->name);
	if (check_shape(p, t, e))
		return -1;
	float *v = mem_alloc(PIECE, sizeof *v);
	struct kbuf to = param_value(&m->params, i);
	int rc = 0;
	for (size_t n, at = 0; at < t->elements && rc == 0; at += n) {
		n = t->elements - at < PIECE ? t->elements - at : PIECE;
		const char *from = t->data;
		dtype_to_f32(t->dtype, from + dtype_bytes(t->dtype, at), v, n);
		rc = m->k->write(m->kc, kbuf_at(to, at).p, v, n * sizeof *v);
	}
	mem_free(v);
	return rc ? err_set(e, STATUS_SYSTEM, "tensor '%s': the device refused it", p->name) : 0;
}

/* ---- tensors that the arena does not have ------------------------------------------------------ */

/* PEFT saves the base's own embedding along with an adapter on it or on the head; the head of a tied
 * model is the embedding. */
static int check_copy(
	const struct model *m, const struct st_tensor *t, const char *module, struct err *e)
{
	char *name = mem_printf("%s.weight", module);
	const struct slot *s = weights_slot(m, name);
	if (!s && strcmp(module, "lm_head") == 0)
		s = weights_slot(m, "model.embed_tokens.weight");
	mem_free(name);
	if (!s || !s->file)
		return err_data(e, "tensor '%s' fits nothing in the model", t->name);
	return st_same_values(t, s->file)
		       ? 0
		       : err_data(e,
				 "tensor '%s' is not the model's: the adapter is of another one",
				 t->name);
}

/* With ensure_weight_tying the head's copy is the embedding's once more. */
static int check_tied(
	const struct model *m, const struct st *s, const struct st_tensor *t, struct err *e)
{
	const struct st_tensor *embed = st_find(s, "base_model.model.model.embed_tokens.weight");
	if (m->config.tied && m->adapter.config.tie && embed && st_same_values(t, embed))
		return 0;
	return err_data(e, "tensor '%s' fits nothing in the model", t->name);
}

static int check_other(
	const struct model *m, const struct st *s, const struct st_tensor *t, struct err *e)
{
	char *module = NULL;
	enum adapter_part part;
	int rc;
	if (!adapter_name_parse(t->name, &module, &part))
		rc = err_data(e, "tensor '%s' fits nothing in the model", t->name);
	else if (part == ADAPTER_COPY)
		rc = check_copy(m, t, module, e);
	else
		rc = check_tied(m, s, t, e);
	mem_free(module);
	return rc;
}

static int check_all_used(const struct model *m, const struct st *s, struct err *e)
{
	const struct params *ps = &m->params;
	if (s->n == ps->n)
		return 0; /* all were found, and names are unique */
	for (size_t i = 0; i < s->n; i++) {
		size_t j = 0;
		while (j < ps->n && strcmp(s->t[i].name, ps->p[j].name) != 0)
			j++;
		if (j == ps->n && check_other(m, s, &s->t[i], e))
			return -1;
	}
	return 0;
}

static int read_all(struct model *m, const struct st *s, struct err *e)
{
	for (size_t i = 0; i < m->params.n; i++)
		if (read_tensor(m, s, i, e))
			return -1;
	return check_all_used(m, s, e);
}

int adapter_read_tensors(struct model *m, const char *dir, struct err *e)
{
	struct st s;
	char *path = io_path(dir, "adapter_model.safetensors");
	int rc = st_open_file(&s, path, e);
	if (!rc) {
		rc = read_all(m, &s, e);
		if (rc)
			err_prefix(e, "%s", path);
		st_close(&s);
	}
	mem_free(path);
	return rc;
}
