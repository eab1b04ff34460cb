/* Says what went wrong: in a backend's words, or by naming the tensor that is not finite. */
#include "common/model/model_int.h"

#include "common/mem.h"
#include "kernels/quant.h"

#include <math.h>

enum { PIECE = 1 << 16 }; /* elements looked at a time */

int model_kerr(const struct model *m, int rc, struct err *e)
{
	const char *what = rc == KE_MEMORY ? "device memory is out"
			   : rc == KE_TYPE ? "this element type is not implemented"
					   : m->k->describe(m->kc);
	return err_set(e, STATUS_SYSTEM, "kernels '%s': %s", m->k->name, what);
}

/* Elements [at, at + n) of a tensor as it lies in its file (slot), or of the arena's range. */
static int read_piece(const struct model *m, const struct slot *slot, struct kbuf arena, size_t at,
	size_t n, float *piece)
{
	if (!slot)
		return m->k->read(m->kc, piece, kbuf_at(arena, at).p, n * sizeof *piece);
	const struct st_tensor *file = slot->file;
	const char *p = file->data;
	if (slot->quant)
		quant_decode(&slot->quant->d, at, n, piece);
	else
		dtype_to_f32(file->dtype, p + dtype_bytes(file->dtype, at), piece, n);
	return 0;
}

/* 1 all finite, 0 not, or a KE_ code. */
static int all_finite(const struct model *m, const struct slot *slot, struct kbuf arena, size_t len)
{
	float *piece = mem_alloc(PIECE, sizeof *piece);
	int rc = 1;
	for (size_t at = 0, n; at < len && rc > 0; at += n) {
		n = len - at < PIECE ? len - at : PIECE;
		int got = read_piece(m, slot, arena, at, n, piece);
		for (size_t i = 0; i < n && got == 0; i++) {
			if (!isfinite(piece[i]))
				rc = 0;
		}
		if (got < 0)
			rc = got;
	}
	mem_free(piece);
	return rc;
}

static const char *find_tensor(const struct model *m)
{
	for (size_t i = 0; i < m->nslots; i++) {
		const struct slot *s = &m->slots[i];
		size_t len = s->rows * (s->cols ? s->cols : 1);
		if ((s->param < 0 || !m->full) && s->file &&
			all_finite(m, s, (struct kbuf){0}, len) == 0)
			return s->name;
	}
	for (size_t i = 0; i < m->params.n; i++) {
		const struct param *p = &m->params.p[i];
		if (all_finite(m, NULL, param_value(&m->params, i), param_len(p)) == 0)
			return p->name;
	}
	return NULL;
}

int model_not_finite(const struct model *m, struct err *e)
{
	const char *name = find_tensor(m);
	if (name)
		err_data(e, "tensor '%s' has values that are not finite", name);
	else
		err_data(e, "the model's output is not finite");
	return MODEL_NOT_FINITE;
}
