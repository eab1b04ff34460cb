/*
 * Jinja as transformers runs it (Jinja2 3.1.6, immutable sandbox, trim_blocks, lstrip_blocks, loop
 * controls, {% generation %}; transformers 5.23). A template is compiled once and rendered many
 * times. Knows values, not records. Template loading (include, import, extends) is refused.
 *
 * Templates are hostile input: nesting, recursion, steps, memory and output of a render are limited,
 * and what goes over is an error that names the template's line. Integers are 64 bits (Python's are
 * unbounded): what does not fit is an error. lipsum and the filter random are refused: they would
 * make a run unrepeatable.
 */
#ifndef TOOLS_TMPL_JINJA_H
#define TOOLS_TMPL_JINJA_H

#include "common/err.h"
#include "common/mem.h"
#include "common/str.h"

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* ---- values --------------------------------------------------------------------------------------- */

enum jv_type {
	JV_MISSING, /* no value at all; never seen by a template */
	JV_UNDEFINED,
	JV_NONE,
	JV_BOOL,
	JV_INT,
	JV_FLOAT,
	JV_STR,
	JV_LIST,
	JV_TUPLE,
	JV_DICT,
	/* below: made by templates only (jinja_int.h) */
	JV_RANGE,
	JV_VIEW,
	JV_ITER,
	JV_NAMESPACE,
	JV_LOOP,
	JV_MACRO,
	JV_METHOD,
	JV_GLOBAL,
	JV_CYCLER,
	JV_JOINER,
	JV_BLOCK,
};

/* Passed by value; what it points at belongs to an arena or to the caller, and never changes. */
struct jv {
	uint8_t type, flags;
	uint16_t aux;
	uint32_t len; /* of a string, in bytes */
	union {
		int64_t i;
		double f;
		const char *s; /* UTF-8, valid, not terminated */
		struct jv_list *list;
		struct jv_dict *dict;
		void *p;
	} u;
};

static inline struct jv jv_none(void)
{
	return (struct jv){.type = JV_NONE};
}

static inline struct jv jv_bool(int b)
{
	return (struct jv){.type = JV_BOOL, .u.i = b != 0};
}

static inline struct jv jv_int(int64_t i)
{
	return (struct jv){.type = JV_INT, .u.i = i};
}

static inline struct jv jv_float(double f)
{
	return (struct jv){.type = JV_FLOAT, .u.f = f};
}

/* Borrows s. Strings are at most 4 GiB. */
static inline struct jv jv_str(const char *s, size_t len)
{
	return (struct jv){.type = JV_STR, .len = (uint32_t)len, .u.s = s};
}

/* A list with room for n items, and a dict with room for n keys, empty. */
struct jv jv_list(struct arena *a, size_t n);
struct jv jv_dict(struct arena *a, size_t n);
void jv_list_add(struct arena *a, struct jv list, struct jv item);
/* Replaces the value of a key that is there. */
void jv_dict_set(struct arena *a, struct jv dict, struct jv key, struct jv value);
/* NULL when absent; key is a string. */
const struct jv *jv_dict_get(struct jv dict, const char *key, size_t len);

size_t jv_list_len(struct jv list);
struct jv jv_list_at(struct jv list, size_t i);
size_t jv_dict_len(struct jv dict);
void jv_dict_at(struct jv dict, size_t i, struct jv *key, struct jv *value);

int jv_equal(struct jv a, struct jv b); /* Python's ==, to a nesting of 500 */

/* ---- templates ------------------------------------------------------------------------------------ */

struct jinja; /* a compiled template: immutable, may be shared by threads */

/* Errors are "line N: what". src must be UTF-8, at most 4 MiB. */
int jinja_compile(struct jinja **t, const char *src, size_t len, struct err *e);
void jinja_free(struct jinja *t);

/* Whether the template reads a variable of that name; whether it has {% generation %}. */
int jinja_reads(const struct jinja *t, const char *name);
int jinja_has_generation(const struct jinja *t);
/* The i-th piece of literal text or string constant: what a template can print of its own. NULL: no more. */
const char *jinja_literal(const struct jinja *t, size_t i, size_t *len);

/* ---- rendering ------------------------------------------------------------------------------------ */

struct jinja_run; /* what a thread needs to render one template again and again */

struct jinja_run *jinja_run_new(const struct jinja *t);
void jinja_run_free(struct jinja_run *r);
/* What strftime_now says, in the zone TZ. */
void jinja_run_clock(struct jinja_run *r, time_t now);
/* A variable of all renders whose vars do not have it; what v points at outlives the run. */
void jinja_run_always(struct jinja_run *r, struct jv name, struct jv v);

struct jinja_span {
	size_t from, to; /* bytes of the rendered text */
};

struct jinja_spans {
	struct jinja_span *v;
	size_t n, cap;
};

/* Work that a render may take, and what the last one took: about one a node, and one for 64 bytes. */
#define JINJA_STEPS_MAX ((uint64_t)100000000)
uint64_t jinja_run_steps(const struct jinja_run *r);

/*
 * Appends the text to *out (which must be empty when spans are asked for). vars is a dict of the
 * template's variables, borrowed during the call. spans may be NULL; else it gets the text of
 * {% generation %} blocks, in order. On an error *out is as it was: "line N: what".
 */
int jinja_render(struct jinja_run *r, struct jv vars, struct str *out, struct jinja_spans *spans,
	struct err *e);

#endif
