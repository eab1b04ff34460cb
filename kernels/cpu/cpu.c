/* The context of the host backends: open, close, memory, scratch; and the plain table. */
#include "kernels/cpu/cpu_int.h"
#include "kernels/quant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *aligned(size_t bytes)
{
	size_t room = (bytes + 63) & ~(size_t)63;
	if (room < bytes)
		return NULL;
	return aligned_alloc(64, room ? room : 64);
}

int cpu_open(const struct kernels *self, int device, int threads, enum kprecision precision,
	struct kctx **out)
{
	(void)device;
	struct kctx *c = calloc(1, sizeof *c);
	if (!c)
		return KE_MEMORY;
	c->precision = precision;
	c->drop = cpu_drop;
	c->rows_bf16 = cpu_rows_bf16;
	c->team = team_new(threads > 0 ? threads : team_cpus());
	if (c->team)
		c->scratch = calloc((size_t)team_size(c->team), sizeof *c->scratch);
	if (!c->scratch) {
		cpu_close(c);
		return KE_MEMORY;
	}
	snprintf(c->text, sizeof c->text, "%s in %s, %d thread%s", self->name,
		kernels_precision_name(precision), team_size(c->team),
		team_size(c->team) == 1 ? "" : "s");
	*out = c;
	return KE_OK;
}

void cpu_close(struct kctx *c)
{
	if (!c)
		return;
	if (c->scratch)
		for (int i = 0; i < team_size(c->team); i++)
			free(c->scratch[i]);
	free(c->scratch);
	free(c->shared);
	free(c->maps8);
	free(c->own);
	team_free(c->team);
	free(c);
}

const char *cpu_describe(const struct kctx *c)
{
	return c->text;
}

int cpu_reserve(struct kctx *c, size_t bytes)
{
	if (bytes <= c->scratch_bytes)
		return KE_OK;
	bytes = (bytes + 127) / 128 * 128; /* half of it is aligned, too */
	c->scratch_bytes = 0;
	for (int i = 0; i < team_size(c->team); i++) {
		free(c->scratch[i]);
		c->scratch[i] = aligned(bytes);
		if (!c->scratch[i])
			return KE_MEMORY;
	}
	c->scratch_bytes = bytes;
	return KE_OK;
}

int cpu_reserve_shared(struct kctx *c, size_t bytes)
{
	if (bytes <= c->shared_bytes)
		return KE_OK;
	free(c->shared);
	c->shared = aligned(bytes);
	c->shared_bytes = c->shared ? bytes : 0;
	return c->shared ? KE_OK : KE_MEMORY;
}

const struct quant8 *cpu_maps8(struct kctx *c)
{
	if (!c->maps8 && (c->maps8 = malloc(2 * sizeof *c->maps8))) {
		quant8_init(&c->maps8[0], 1);
		quant8_init(&c->maps8[1], 0);
	}
	return c->maps8;
}

void *cpu_alloc(struct kctx *c, size_t bytes)
{
	(void)c;
	return aligned(bytes);
}

void cpu_free(struct kctx *c, void *p)
{
	(void)c;
	free(p);
}

int cpu_zero(struct kctx *c, void *p, size_t bytes)
{
	(void)c;
	memset(p, 0, bytes);
	return KE_OK;
}

int cpu_write(struct kctx *c, void *dst, const void *host, size_t bytes)
{
	(void)c;
	memcpy(dst, host, bytes);
	return KE_OK;
}

int cpu_read(struct kctx *c, void *host, const void *src, size_t bytes)
{
	(void)c;
	memcpy(host, src, bytes);
	return KE_OK;
}

int cpu_all_f32(const struct kbuf *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (b[i].p && b[i].t != DT_F32)
			return KE_TYPE;
	return KE_OK;
}

static const char *always(void)
{
	return NULL;
}

const struct kernels kernels_plain = {
	CPU_ENTRIES,
	PLAIN_ENTRIES,
	.name = "plain",
	.exact_rows = 1,
	.precision = {KP_F32, KP_BF16},
	.unavailable = always,
	.open = cpu_open,
	.linear_fwd = plain_linear_fwd,
	.linear_bwd = plain_linear_bwd,
};
