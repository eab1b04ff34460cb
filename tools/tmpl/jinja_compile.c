/* A compiled template: made from source, asked, freed; the numbers of its variables. */
#include "tools/tmpl/jinja_int.h"

#include "common/utf8.h"

#include <string.h>

/* ---- variables ------------------------------------------------------------------------------------ */

/* Where the name's number is in the index, or would be: the index has room. */
static uint32_t *name_place(const struct jinja *t, struct jv name)
{
	uint32_t h = jx_hash_name(name) & t->name_mask;
	while (t->name_index[h] && !jv_equal(t->names[t->name_index[h] - 1], name))
		h = (h + 1) & t->name_mask;
	return &t->name_index[h];
}

uint32_t jx_name_find(const struct jinja *t, struct jv name)
{
	uint32_t number = t->nnames ? *name_place(t, name) : 0;
	return number ? number - 1 : UINT32_MAX;
}

uint32_t jx_name_id(struct jx_compiler *c, struct jv name)
{
	struct jinja *t = c->t;
	if (t->nnames * 2 >= t->name_mask) {
		uint32_t size = t->name_mask ? (t->name_mask + 1) * 2 : 64;
		t->name_index = arena_alloc(c->arena, size, sizeof *t->name_index);
		memset(t->name_index, 0, size * sizeof *t->name_index);
		t->name_mask = size - 1;
		for (uint32_t i = 0; i < t->nnames; i++)
			*name_place(t, t->names[i]) = i + 1;
	}
	uint32_t *place = name_place(t, name);
	if (*place)
		return *place - 1;
	if (t->nnames == JX_NAMES_MAX)
		jx_syntax(c, jx_peek(c)->line, "over %d variables", JX_NAMES_MAX);
	mem_grow(&t->names, &c->cap_names, t->nnames + 1, sizeof *t->names);
	t->names[t->nnames] = name;
	*place = ++t->nnames;
	return t->nnames - 1;
}

/* ---- the template --------------------------------------------------------------------------------- */

int jinja_compile(struct jinja **out, const char *src, size_t len, struct err *e)
{
	*out = NULL;
	if (len > JX_SOURCE_MAX)
		return err_data(e, "line 1: the template is over %d bytes long", JX_SOURCE_MAX);
	if (!utf8_valid(src, len))
		return err_data(e, "line 1: the template is not UTF-8 (byte %zu)",
			utf8_valid_prefix(src, len));
	struct jinja *t = mem_zalloc(1, sizeof *t);
	struct jx_compiler *c = mem_zalloc(1, sizeof *c);
	c->t = t;
	c->arena = &t->arena;
	c->e = e;
	if (setjmp(c->failed)) {
		mem_free(c->tok);
		mem_free(c);
		jinja_free(t);
		return -1;
	}
	jx_lex(c, src, len);
	jx_parse(c);
	jx_resolve(c);
	mem_free(c->tok);
	mem_free(c);
	*out = t;
	return 0;
}

void jinja_free(struct jinja *t)
{
	if (!t)
		return;
	arena_done(&t->arena);
	mem_free(t->names);
	mem_free(t->reads);
	mem_free(t->blocks);
	mem_free(t->literals);
	mem_free(t);
}

int jinja_reads(const struct jinja *t, const char *name)
{
	uint32_t id = jx_name_find(t, jx_strz(name));
	return id != UINT32_MAX && t->reads[id];
}

int jinja_has_generation(const struct jinja *t)
{
	return t->has_generation;
}

const char *jinja_literal(const struct jinja *t, size_t i, size_t *len)
{
	if (i >= t->nliterals)
		return NULL;
	*len = t->literals[i].len;
	return t->literals[i].u.s;
}
