/*
 * For the jinja_*.c files only: limits, values, run-time state, and what the files give each other.
 *
 * Errors inside the engine leave by longjmp to jinja_compile or jinja_render: everything made on the
 * way lies in an arena, so there is nothing to undo, and filters read like the Python they match.
 */
#ifndef TOOLS_TMPL_JINJA_INT_H
#define TOOLS_TMPL_JINJA_INT_H

#include "tools/tmpl/jinja_tree.h"

#include <string.h>

enum {
	JX_SOURCE_MAX = 4 << 20,
	JX_PARSE_DEPTH = 150,  /* nested statements and expressions in the source */
	JX_NAMES_MAX = 2000,   /* variables a template names: scopes are searched one by one */
	JX_EXPR_HEIGHT = 1000, /* operators on one path of an expression */
	JX_EVAL_DEPTH = 4000,  /* evaluations inside each other, over all calls */
	JX_CALL_DEPTH =
		190, /* macros inside each other: where CPython's recursion limit ends them */
	JX_VALUE_DEPTH = 500,  /* nesting of a value that is printed, compared or hashed */
	JX_RANGE_MAX = 100000, /* MAX_RANGE of Jinja's sandbox */
	JX_ARGS = 8,	       /* parameters of a built-in function */
};
#define JX_MEMORY_MAX ((size_t)512 << 20) /* of one render, output included */

/* ---- values --------------------------------------------------------------------------------------- */

enum { JF_MARKUP = 1, JF_GROUP = 2 }; /* flags: a string marked safe; a tuple of groupby */

struct jv_list {
	struct jv *v;
	uint32_t n, cap;
};

struct jv_entry {
	struct jv key, value;
};

struct jv_dict {
	struct jv_entry *e;
	uint32_t n, cap;
	uint32_t *index; /* open addressing, entry + 1; only when there are many */
	uint32_t mask;
};

struct jx_range {
	int64_t start, stop, step, n;
};

enum jx_view { VIEW_KEYS, VIEW_VALUES, VIEW_ITEMS }; /* in .aux of JV_VIEW; .u.dict */

struct jx_undef {
	struct jv obj, name; /* obj JV_MISSING: a variable */
	const char *hint;    /* a whole message instead */
};

struct jinja_run;

/* Anything that can be iterated. next: 1 an item, 0 the end. */
struct jx_iter {
	int (*next)(struct jinja_run *r, struct jx_iter *it, struct jv *out);
	struct jv src;
	size_t i, n;
	void *state;
};

struct jx_cycler {
	struct jv items;
	size_t pos;
};

struct jx_joiner {
	struct jv sep;
	int used;
};

/* ---- running -------------------------------------------------------------------------------------- */

struct jx_mark {
	struct jinja_span span;
	const char *text; /* printed inside a capture: what must stand there in the end */
};

struct jinja_run {
	const struct jinja *t;
	jmp_buf failed;
	struct err *e;
	struct arena arena;
	size_t used;
	uint64_t steps;
	char *sp, *se; /* room for strings */
	struct str *out;
	size_t out_base;
	struct jv *ctx, *globals; /* variables by number; what they are when not given */
	unsigned depth, calls;
	uint32_t line;
	int autoescape;
	struct tm now;
	int want_spans;
	struct jx_mark *marks;
	size_t nmarks, cap_marks;
	const void *printing[JX_VALUE_DEPTH]; /* namespaces being printed, against cycles */
	unsigned nprinting;
};

_Noreturn void jx_fail(struct jinja_run *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
_Noreturn void jx_fail_undefined(struct jinja_run *r, struct jv undefined);

/* Counts work against JINJA_STEPS_MAX. */
static inline void jx_spend(struct jinja_run *r, uint64_t n)
{
	r->steps += n;
	if (r->steps > JINJA_STEPS_MAX)
		jx_fail(r, "the template runs too long (over %llu steps)",
			(unsigned long long)JINJA_STEPS_MAX);
}

static inline int jx_jv_is(struct jv v, const char *s)
{
	size_t n = strlen(s);
	return v.len == n && memcmp(v.u.s, s, n) == 0;
}

void *jx_alloc(struct jinja_run *r, size_t n, size_t size);
char *jx_str_room(struct jinja_run *r, size_t n); /* n bytes for a string */
struct jv jx_str_copy(struct jinja_run *r, const char *s, size_t n);
struct jv jx_str_cat(
	struct jinja_run *r, struct jv a, const char *s, size_t n); /* appends in place if it can */
struct jv jx_strz(const char *s);
struct jv jx_list(struct jinja_run *r, size_t n);
struct jv jx_tuple(struct jinja_run *r, size_t n);
void jx_push(struct jinja_run *r, struct jv list, struct jv item);
struct jv jx_dict(struct jinja_run *r, size_t n);
void jx_dict_put(struct jinja_run *r, struct jv dict, struct jv key,
	struct jv value); /* hashable or fails */
/* NULL: not there; the key is hashable. */
struct jv_entry *jx_dict_entry(const struct jv_dict *d, struct jv key);
const struct jv *jx_dict_find(struct jinja_run *r, struct jv dict, struct jv key);
struct jv jx_undefined(struct jinja_run *r, struct jv obj, struct jv name);
struct jv jx_undefined_hint(struct jinja_run *r, const char *hint);

/* Text that is being put together outside the output: memory of the run. */
struct jx_text {
	struct jinja_run *r;
	char *s;
	size_t len, cap;
};
void jx_text_add(struct jx_text *b, const char *s, size_t n);
void jx_text_char(struct jx_text *b, char c);
struct jv jx_text_end(struct jx_text *b);

/* jinja_compare.c */
int jx_equal(
	struct jinja_run *r, struct jv a, struct jv b); /* r NULL: too deep counts as unequal */
int jx_compare(struct jinja_run *r, enum jx_cmp op, struct jv a, struct jv b);
int jx_less(struct jinja_run *r, struct jv a, struct jv b);
int jx_contains(struct jinja_run *r, struct jv seq, struct jv item);

/* jinja_value.c */
const char *jx_type_name(struct jv v);
int jx_true(struct jinja_run *r, struct jv v);
int jx_hashable(struct jinja_run *r, struct jv v);
int64_t jx_len(struct jinja_run *r, struct jv v); /* -1: has none */
int jx_is_number(struct jv v);
double jx_double(struct jv v);
int64_t jx_index(struct jinja_run *r, struct jv v); /* an int where Python wants one */

/* jinja_print.c */
void jx_str_to(struct jinja_run *r, struct jx_text *b, struct jv v);
void jx_repr_to(struct jinja_run *r, struct jx_text *b, struct jv v);
struct jv jx_to_str(struct jinja_run *r, struct jv v);	 /* str(v): a plain string */
struct jv jx_soft_str(struct jinja_run *r, struct jv v); /* keeps what is marked safe */
void jx_json_to(struct jinja_run *r, struct jx_text *b, struct jv v, struct jv *opts);
struct jv jx_escape(struct jinja_run *r, struct jv v);
void jx_emit(struct jinja_run *r, const char *s, size_t n); /* to the output */

/* jinja_iter.c */
void jx_iter(struct jinja_run *r, struct jx_iter *it, struct jv v);
int jx_iterable(struct jv v);
struct jv jx_iter_value(struct jinja_run *r, const struct jx_iter *it); /* a generator */
struct jv jx_to_list(struct jinja_run *r, struct jv v);
/* A new list, stable; keys NULL or as many as items. */
struct jv jx_sorted(struct jinja_run *r, struct jv items, const struct jv *keys, int reverse);
struct jv jx_reversed(struct jinja_run *r, struct jv v);

static inline int jx_iter_next(struct jinja_run *r, struct jx_iter *it, struct jv *out)
{
	jx_spend(r, 1);
	return it->next(r, it, out);
}

/* jinja_ops.c */
struct jv jx_binary(struct jinja_run *r, enum jx_kind op, struct jv a, struct jv b);
struct jv jx_negate(struct jinja_run *r, struct jv a, int minus);
struct jv jx_getattr(struct jinja_run *r, struct jv obj, struct jv name);
struct jv jx_attribute(struct jinja_run *r, struct jv obj, struct jv name); /* JV_MISSING: none */
struct jv jx_getitem(struct jinja_run *r, struct jv obj, struct jv key);
struct jv jx_slice(
	struct jinja_run *r, struct jv obj, struct jv start, struct jv stop, struct jv step);

/* jinja_text.c, jinja_case.c: strings as sequences of code points */
size_t jx_utf8_len(const char *s, size_t n);
size_t jx_utf8_at(const char *s, size_t n, size_t i);	  /* byte offset of code point i */
uint32_t jx_utf8_get(const char *s, size_t n, size_t *i); /* decodes and steps */
int jx_is_space(uint32_t c);
int jx_is_word(uint32_t c); /* \w of Python's re */
int jx_is_printable(uint32_t c);
int jx_is_alpha(uint32_t c);
int jx_is_decimal(uint32_t c);
int jx_is_digit(uint32_t c);
int jx_is_numeric(uint32_t c);
int jx_is_upper(uint32_t c);
int jx_is_lower(uint32_t c);
int jx_is_title(uint32_t c);
int jx_is_ident(uint32_t c, int first);
enum jx_case { CASE_UPPER, CASE_LOWER, CASE_TITLE, CASE_FOLD, CASE_SWAP, CASE_CAPITAL };
struct jv jx_case(struct jinja_run *r, struct jv s, enum jx_case how);
void jx_case_char(struct jx_text *b, const char *s, size_t n, size_t *i, enum jx_case how);
const char *jx_find(const char *hay, size_t n, const char *needle, size_t m);
struct jv jx_strip(struct jv s, const struct jv *chars, int left, int right);
struct jv jx_replace(struct jinja_run *r, struct jv s, struct jv old, struct jv new, int64_t count);
struct jv jx_split(struct jinja_run *r, struct jv s, const struct jv *sep, int64_t max, int right);
struct jv jx_splitlines(struct jinja_run *r, struct jv s, int keep);

/* jinja_number.c */
int jx_parse_int(
	struct jv s, int base, int64_t *out); /* int(str, base): 0, -1 no number, -2 too big */
int jx_parse_float(struct jv s, double *out);
struct jv jx_round(struct jinja_run *r, struct jv v, int64_t digits);

/* jinja_format.c */
struct jv jx_percent(struct jinja_run *r, struct jv fmt, struct jv args);
struct jv jx_format(
	struct jinja_run *r, struct jv fmt, const struct jv *pos, size_t npos, struct jv kw);

/* ---- built-in functions --------------------------------------------------------------------------- */

struct jx_call {
	const struct jv *pos;
	size_t npos;
	const struct jv *kw; /* key, value, key, value … */
	size_t nkw;
	struct jv a[JX_ARGS]; /* bound to parameters; JV_MISSING where not given */
	struct jv buf[JX_ARGS * 2];
};

/*
 * One row a filter, test, method or global. params: names, "?" before those that may be missing, "/"
 * in front when they cannot be given by name, NULL when the function binds its arguments itself.
 */
struct jx_builtin {
	const char *name;
	struct jv (*fn)(struct jinja_run *r, struct jv self, struct jx_call *c);
	const char *params;
};

const struct jx_builtin *jx_builtin_find(const struct jx_builtin *table, struct jv name);
struct jv jx_builtin_call(
	struct jinja_run *r, const struct jx_builtin *b, struct jv self, struct jx_call *c);
struct jv jx_bind_method(
	struct jinja_run *r, const struct jx_builtin *m, struct jv self); /* a value */
struct jv jx_call_value(struct jinja_run *r, struct jv fn, struct jx_call *c);
struct jv jx_call_macro(struct jinja_run *r, struct jv macro, struct jx_call *c);
struct jv jx_call_loop(struct jinja_run *r, struct jv loop, struct jx_call *c);
struct jv jx_call_block(struct jinja_run *r, struct jv block);
struct jv jx_loop_attr(struct jinja_run *r, struct jv loop, struct jv name); /* JV_MISSING: none */
struct jv jx_macro_attr(struct jinja_run *r, struct jv macro, struct jv name);
struct jv jx_macro_name(struct jv macro);
struct jv jx_block_named(struct jinja_run *r, struct jv name);
int64_t jx_loop_length(struct jinja_run *r, struct jv loop);
int64_t jx_loop_index(struct jv loop);

extern const struct jx_builtin jx_filters[];
extern const struct jx_builtin jx_filters_text[];
extern const struct jx_builtin jx_filters_seq[];
extern const struct jx_builtin jx_filters_pprint[];
extern const struct jx_builtin jx_filters_web[];
extern const struct jx_builtin jx_tests[];
extern const struct jx_builtin jx_globals[];
extern const struct jx_builtin jx_str_methods[];
const struct jx_builtin *jx_filter_find(struct jv name);
/* The method of v's type; *unsafe when it is there but changes v. */
const struct jx_builtin *jx_method_find(struct jv v, struct jv name, int *unsafe);
void jx_args_from(struct jx_call *to, const struct jx_call *from,
	size_t skip); /* the same call, less arguments */
/* A getter of "a.b.0" paths, as filters take them; attr JV_MISSING or none: the item itself. */
struct jv jx_get_path(struct jinja_run *r, struct jv item, struct jv attr);
int64_t jx_arg_int(struct jinja_run *r, struct jv v, int64_t otherwise);
int jx_arg_true(struct jinja_run *r, struct jv v, int otherwise);
int jx_given(struct jv v); /* neither missing nor none */
struct jv jx_want_str(struct jinja_run *r, struct jv v, const char *what);
int jx_is_case(struct jv s, int upper);

struct jv jx_capture(struct jinja_run *r, size_t mark, size_t nmarks);
void jx_run_root(struct jinja_run *r);

#endif
