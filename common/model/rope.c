/*
 * Rotary frequencies as transformers 5.23 computes them (modeling_rope_utils.py), in f32. A scaling
 * is a row of the table and a function that changes the plain frequencies.
 */
#include "common/mem.h"
#include "common/model/config.h"

#include <math.h>
#include <string.h>

enum { MAX_HEAD_DIM = 4096 };

static double number(const json_t *o, const char *key, double absent)
{
	const json_t *v = json_object_get(o, key);
	return json_is_number(v) ? json_number_value(v) : absent;
}

static int scale_default(struct model_config *c, const json_t *p, struct err *e)
{
	(void)c;
	(void)p;
	(void)e;
	return 0;
}

static int scale_linear(struct model_config *c, const json_t *p, struct err *e)
{
	double factor = number(p, "factor", 0);
	if (!(factor >= 1))
		return err_data(e, "rope scaling 'linear' needs a 'factor' of at least 1");
	for (size_t i = 0; i < c->head_dim / 2; i++)
		c->inv_freq[i] /= (float)factor;
	return 0;
}

/* Long waves are stretched by the factor, short ones stay, those between are blended. */
static int scale_llama3(struct model_config *c, const json_t *p, struct err *e)
{
	double factor = number(p, "factor", 0);
	double low = number(p, "low_freq_factor", 0);
	double high = number(p, "high_freq_factor", 0);
	double old = number(p, "original_max_position_embeddings", 0);
	if (!(factor >= 1) || !(low > 0) || !(high > low) || !(old >= 1))
		return err_data(e, "rope scaling 'llama3' needs 'factor' of at least 1, "
				   "'low_freq_factor' below "
				   "'high_freq_factor', and 'original_max_position_embeddings'");
	float long_wave = (float)(old / low);
	float short_wave = (float)(old / high);
	for (size_t i = 0; i < c->head_dim / 2; i++) {
		float f = c->inv_freq[i];
		float wave = (float)(2 * M_PI) / f;
		if (wave > long_wave) {
			c->inv_freq[i] = f / (float)factor;
		} else if (wave >= short_wave) {
			float smooth = ((float)old / wave - (float)low) / (float)(high - low);
			c->inv_freq[i] = (1 - smooth) * f / (float)factor + smooth * f;
		}
	}
	return 0;
}

static const struct scaling {
	const char *name;
	int (*apply)(struct model_config *c, const json_t *params, struct err *e);
} scalings[] = {
	{"default", scale_default},
	{"linear", scale_linear},
	{"llama3", scale_llama3},
};

int rope_init(struct model_config *c, const json_t *config, struct err *e)
{
	const json_t *p = json_object_get(config, "rope_parameters");
	if (!json_is_object(p))
		p = json_object_get(config, "rope_scaling");
	double theta = number(p, "rope_theta", number(config, "rope_theta", 10000));
	double partial =
		number(p, "partial_rotary_factor", number(config, "partial_rotary_factor", 1));
	const char *type = json_string_value(json_object_get(p, "rope_type"));
	if (!type)
		type = json_string_value(json_object_get(p, "type"));
	if (!type)
		type = "default";
	if (!(theta >= 1) || !isfinite(theta))
		return err_data(e, "'rope_theta' must be at least 1");
	if (partial != 1)
		return err_data(e, "'partial_rotary_factor' other than 1 is not supported");
	if (c->head_dim % 2 || c->head_dim > MAX_HEAD_DIM)
		return err_data(
			e, "'head_dim' %zu must be even and at most %d", c->head_dim, MAX_HEAD_DIM);

	c->rope_mscale = 1;
	c->inv_freq = mem_alloc(c->head_dim / 2, sizeof *c->inv_freq);
	for (size_t i = 0; i < c->head_dim / 2; i++) {
		float exponent = (float)(2 * i) / (float)c->head_dim;
		c->inv_freq[i] = 1.0f / (float)pow(theta, exponent);
	}
	for (size_t i = 0; i < sizeof scalings / sizeof *scalings; i++) {
		if (strcmp(type, scalings[i].name) == 0)
			return scalings[i].apply(c, p, e);
	}
	return err_data(
		e, "rope scaling '%s' is not supported (default, linear, llama3 are)", type);
}
