/* What the result's config.json says. */
#ifndef QUANT_CONFIG_H
#define QUANT_CONFIG_H

#include "tools/quant/plan.h"

/* The base may be quantised; must, to go back. Which types may be is not asked here. */
int config_check(const json_t *config, int dequantize, struct err *e);
/* The model's element type; -1: it does not say. */
int config_dtype(const json_t *config);

/* config.json's text with quantization_config as transformers 5.23 writes it (compute: a type's name,
 * skip: --skip-modules or NULL). The caller frees. */
char *config_quantised(const json_t *config, const struct quant_form *form, int dtype,
	const char *compute, const char *skip, size_t *len);

#endif
