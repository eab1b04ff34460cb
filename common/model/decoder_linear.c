/* The linear layers as one pass uses them. */
#include "common/model/model_int.h"

struct klinear linear_now(const struct workspace *ws, const struct projection *p)
{
	struct klinear l = p->l;
	if (!ws->m->adapter_on)
		l.lora.r = 0;
	l.lora.drop = ws->drop;
	l.lora.drop.module = p->module;
	return l;
}
