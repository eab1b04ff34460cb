/* A render's memory, errors and limits. */
#include "tools/tmpl/jinja_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void jx_fail(struct jinja_run *r, const char *fmt, ...)
{
	char what[900];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	err_data(r->e, "line %u: %s", (unsigned)r->line, what);
	longjmp(r->failed, 1);
}

void jx_fail_undefined(struct jinja_run *r, struct jv v)
{
	const struct jx_undef *u = v.u.p;
	struct jx_text b = {.r = r};
	if (u->hint)
		jx_fail(r, "%s", u->hint);
	struct jv name = u->name;
	if (name.type != JV_STR) {
		jx_repr_to(r, &b, name);
		jx_fail(r, "%s object has no element %.*s", jx_type_name(u->obj),
			(int)(b.len < 200 ? b.len : 200), b.s);
	}
	int len = name.len < 200 ? (int)name.len : 200;
	if (u->obj.type == JV_MISSING)
		jx_fail(r, "'%.*s' is undefined", len, name.u.s);
	jx_fail(r, "'%s object' has no attribute '%.*s'", jx_type_name(u->obj), len, name.u.s);
}

void *jx_alloc(struct jinja_run *r, size_t n, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(n, size, &bytes) || bytes > JX_MEMORY_MAX ||
		r->used > JX_MEMORY_MAX - bytes)
		jx_fail(r, "the template needs too much memory (over %zu MiB)",
			JX_MEMORY_MAX >> 20);
	r->used += bytes;
	jx_spend(r, bytes / 64);
	return arena_alloc(&r->arena, bytes, 1);
}

/* Strings are cut from blocks of their own, so that the last one made can grow in place. */
char *jx_str_room(struct jinja_run *r, size_t n)
{
	if ((size_t)(r->se - r->sp) < n) {
		size_t block = n < 16384 ? 32768 : n * 2;
		if (block > JX_MEMORY_MAX - r->used)
			block = n; /* then jx_alloc says so, or it just fits */
		r->sp = jx_alloc(r, block, 1);
		r->se = r->sp + block;
	} else {
		jx_spend(r, n / 64);
	}
	char *s = r->sp;
	r->sp += n;
	return s;
}

struct jv jx_str_copy(struct jinja_run *r, const char *s, size_t n)
{
	char *p = jx_str_room(r, n);
	if (n)
		memcpy(p, s, n);
	return jv_str(p, n);
}

struct jv jx_str_cat(struct jinja_run *r, struct jv a, const char *s, size_t n)
{
	if (!n)
		return a;
	if (a.len && a.u.s + a.len == r->sp &&
		(size_t)(r->se - r->sp) >= n) { /* nobody sees past a's end */
		memcpy(r->sp, s, n);
		r->sp += n;
		a.len += (uint32_t)n;
		jx_spend(r, n / 64);
		return a;
	}
	char *p = jx_str_room(r, a.len + n);
	if (a.len)
		memcpy(p, a.u.s, a.len);
	memcpy(p + a.len, s, n);
	struct jv v = jv_str(p, a.len + n);
	v.flags = a.flags;
	return v;
}

struct jv jx_strz(const char *s)
{
	return jv_str(s, strlen(s));
}

void jx_text_add(struct jx_text *b, const char *s, size_t n)
{
	if (b->cap - b->len < n) {
		size_t cap = b->cap * 2 > b->len + n ? b->cap * 2 : b->len + n + 64;
		char *p = jx_str_room(b->r, cap);
		if (b->len)
			memcpy(p, b->s, b->len);
		b->s = p;
		b->cap = cap;
	}
	if (n)
		memcpy(b->s + b->len, s, n);
	b->len += n;
}

void jx_text_char(struct jx_text *b, char c)
{
	jx_text_add(b, &c, 1);
}

struct jv jx_text_end(struct jx_text *b)
{
	if (b->cap && b->s + b->cap == b->r->sp) { /* the last one made: give back what is over */
		b->r->sp -= b->cap - b->len;
		b->cap = b->len;
	}
	return jv_str(b->s ? b->s : "", b->len);
}

struct jv jx_undefined(struct jinja_run *r, struct jv obj, struct jv name)
{
	struct jx_undef *u = jx_alloc(r, 1, sizeof *u);
	*u = (struct jx_undef){.obj = obj, .name = name};
	return (struct jv){.type = JV_UNDEFINED, .u.p = u};
}

struct jv jx_undefined_hint(struct jinja_run *r, const char *hint)
{
	struct jv v = jx_undefined(r, (struct jv){0}, jv_str("", 0));
	((struct jx_undef *)v.u.p)->hint = hint;
	return v;
}

void jx_emit(struct jinja_run *r, const char *s, size_t n)
{
	if (n > JX_MEMORY_MAX - r->used || r->out->len - r->out_base > JX_MEMORY_MAX - r->used - n)
		jx_fail(r, "the template prints too much (over %zu MiB)", JX_MEMORY_MAX >> 20);
	str_add(r->out, s, n);
	jx_spend(r, n / 64);
}

/* What was printed since `mark`, taken out of the output. */
struct jv jx_capture(struct jinja_run *r, size_t mark, size_t nmarks)
{
	struct jv v = jx_str_copy(r, r->out->s ? r->out->s + mark : "", r->out->len - mark);
	for (size_t i = nmarks; i < r->nmarks; i++) {
		struct jx_mark *m = &r->marks[i];
		if (!m->text)
			m->text = v.u.s + (m->span.from - mark);
	}
	str_cut(r->out, mark);
	return v;
}

struct jinja_run *jinja_run_new(const struct jinja *t)
{
	struct jinja_run *r = mem_zalloc(1, sizeof *r);
	r->t = t;
	r->ctx = mem_alloc(t->nnames, sizeof *r->ctx);
	r->globals = mem_zalloc(t->nnames, sizeof *r->globals);
	for (uint32_t i = 0; i < t->nnames; i++) {
		const struct jx_builtin *b = jx_builtin_find(jx_globals, t->names[i]);
		if (b)
			r->globals[i] = (struct jv){.type = JV_GLOBAL, .u.p = (void *)(uintptr_t)b};
	}
	jinja_run_clock(r, time(NULL));
	return r;
}

void jinja_run_free(struct jinja_run *r)
{
	if (!r)
		return;
	arena_done(&r->arena);
	mem_free(r->ctx);
	mem_free(r->globals);
	mem_free(r->marks);
	mem_free(r);
}

void jinja_run_clock(struct jinja_run *r, time_t now)
{
	localtime_r(&now, &r->now);
}

uint64_t jinja_run_steps(const struct jinja_run *r)
{
	return r->steps;
}

void jinja_run_always(struct jinja_run *r, struct jv name, struct jv v)
{
	uint32_t id = jx_name_find(r->t, name);
	if (id != UINT32_MAX)
		r->globals[id] = v;
}

/* Variables by number: the caller's, else those of every render, else Jinja's globals. */
static void load_context(struct jinja_run *r, struct jv vars)
{
	memcpy(r->ctx, r->globals, r->t->nnames * sizeof *r->ctx);
	for (uint32_t i = 0; i < vars.u.dict->n; i++) {
		const struct jv_entry *e = &vars.u.dict->e[i];
		uint32_t id = e->key.type == JV_STR ? jx_name_find(r->t, e->key) : UINT32_MAX;
		if (id != UINT32_MAX)
			r->ctx[id] = e->value;
	}
}

static int spans_hold(const struct jinja_run *r, struct err *e)
{
	for (size_t i = 0; i < r->nmarks; i++) {
		const struct jx_mark *m = &r->marks[i];
		size_t n = m->span.to - m->span.from;
		if (m->text && n &&
			(m->span.to > r->out->len ||
				memcmp(r->out->s + m->span.from, m->text, n) != 0))
			return err_data(e,
				"line %u: a {%% generation %%} block inside a macro, set or filter "
				"block is not "
				"printed as it stands: its place in the text cannot be told",
				(unsigned)r->line);
	}
	return 0;
}

int jinja_render(struct jinja_run *r, struct jv vars, struct str *out, struct jinja_spans *spans,
	struct err *e)
{
	arena_reset(&r->arena);
	r->e = e;
	r->used = 0;
	r->steps = 0;
	r->sp = r->se = NULL;
	r->out = out;
	r->out_base = out->len;
	r->depth = r->calls = r->nprinting = 0;
	r->line = 1;
	r->autoescape = 0;
	r->nmarks = 0;
	r->want_spans = spans != NULL;
	if (setjmp(r->failed)) {
		str_cut(out, r->out_base);
		return -1;
	}
	load_context(r, vars);
	jx_run_root(r);
	if (!spans)
		return 0;
	if (spans_hold(r, e) != 0) {
		str_cut(out, r->out_base);
		return -1;
	}
	spans->n = 0;
	mem_grow(&spans->v, &spans->cap, r->nmarks, sizeof *spans->v);
	for (size_t i = 0; i < r->nmarks; i++)
		spans->v[spans->n++] = r->marks[i].span;
	return 0;
}
