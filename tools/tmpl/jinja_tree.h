/* For the jinja_*.c files only: a template as tokens, as a tree, and what makes it that. */
#ifndef TOOLS_TMPL_JINJA_TREE_H
#define TOOLS_TMPL_JINJA_TREE_H

#include "tools/tmpl/jinja.h"

#include <setjmp.h>

/* ---- tokens --------------------------------------------------------------------------------------- */

enum jx_tok {
	T_EOF,
	T_DATA,
	T_VAR_BEGIN,
	T_VAR_END,
	T_BLOCK_BEGIN,
	T_BLOCK_END,
	T_NAME,
	T_STRING,
	T_INT,
	T_FLOAT,
	T_ADD,
	T_ASSIGN,
	T_COLON,
	T_COMMA,
	T_DIV,
	T_DOT,
	T_EQ,
	T_FLOORDIV,
	T_GT,
	T_GTEQ,
	T_LBRACE,
	T_LBRACKET,
	T_LPAREN,
	T_LT,
	T_LTEQ,
	T_MOD,
	T_MUL,
	T_NE,
	T_PIPE,
	T_POW,
	T_RBRACE,
	T_RBRACKET,
	T_RPAREN,
	T_SEMICOLON,
	T_SUB,
	T_TILDE,
};

struct jx_token {
	enum jx_tok type;
	uint32_t line;
	struct jv v; /* text of names, strings and data; the number */
};

/* ---- tree ----------------------------------------------------------------------------------------- */

enum jx_kind {
	/* expressions */
	E_CONST,
	E_NAME,
	E_NSREF,
	E_TUPLE,
	E_LIST,
	E_DICT,
	E_ATTR,
	E_ITEM,
	E_SLICE,
	E_CALL,
	E_FILTER,
	E_TEST,
	E_ADD,
	E_SUB,
	E_MUL,
	E_DIV,
	E_FLOORDIV,
	E_MOD,
	E_POW,
	E_COMPARE,
	E_AND,
	E_OR,
	E_NOT,
	E_NEG,
	E_POS,
	E_CONCAT,
	E_COND,
	/* statements */
	S_DATA,
	S_PRINT,
	S_IF,
	S_FOR,
	S_SET,
	S_SETBLOCK,
	S_FILTER,
	S_MACRO,
	S_CALL,
	S_GENERATION,
	S_WITH,
	S_BLOCK,
	S_AUTOESCAPE,
	S_BREAK,
	S_CONTINUE,
};

enum jx_cmp { CMP_EQ, CMP_NE, CMP_LT, CMP_LE, CMP_GT, CMP_GE, CMP_IN, CMP_NOTIN };

struct jx_nodes {
	struct jx_node **v;
	uint32_t n;
};

/* Arguments of a call, a filter or a test. */
struct jx_args {
	struct jx_nodes pos, kw;
	struct jv *keys; /* of kw */
	struct jx_node *star, *dstar;
};

/* How a variable of a scope gets its first value when the scope is entered. */
enum jx_load { LOAD_CTX, LOAD_ALIAS, LOAD_MISSING };

struct jx_init {
	enum jx_load load;
	uint32_t slot, from, up; /* from: the slot `up` functions out, or the variable's number */
};

struct jx_scope {
	struct jx_init *v;
	uint32_t n;
};

struct jx_builtin;

struct jx_node {
	enum jx_kind kind;
	uint32_t line, height;
	union {
		struct jv value; /* E_CONST, S_DATA */
		struct {	 /* E_NAME; E_NSREF with attr */
			struct jv text, attr;
			uint32_t id;	   /* the variable's number */
			uint32_t slot, up; /* where it lies; slot UINT32_MAX: in the context */
			int store, export; /* export: an assignment that {% block %} sees */
		} name;
		struct jx_nodes
			list; /* E_TUPLE E_LIST E_CONCAT; E_DICT: key, value, key, value … */
		struct
		{ /* unary and binary; E_COND: a if b else c; E_SLICE: a[b] as E_ITEM's arg */
			struct jx_node *a, *b, *c;
		} x;
		struct {
			struct jx_node *obj;
			struct jv attr;
		} attr;
		struct {
			struct jx_node *first;
			struct jx_nodes rest;
			enum jx_cmp *op;
		} cmp;
		struct { /* E_CALL E_FILTER E_TEST; obj NULL in the filters of blocks */
			struct jx_node *obj;
			const struct jx_builtin *fn; /* NULL: unknown, fails when it is reached */
			struct jv name;
			struct jx_args args;
		} call;
		struct
		{ /* S_IF: tests and bodies side by side; the else body last, without a test */
			struct jx_nodes tests;
			struct jx_nodes *bodies;
			uint32_t nbodies;
		} cond;
		struct jx_for *loop;
		struct
		{ /* S_SET: target, value; S_SETBLOCK: target, value = filters or NULL, body */
			struct jx_node *target, *value;
			struct jx_nodes body;
			struct jx_scope scope;
		} set;
		struct { /* S_FILTER: expr = filters; S_AUTOESCAPE: expr */
			struct jx_node *expr;
			struct jx_nodes body;
			struct jx_scope scope;
		} block;
		struct {
			struct jx_nodes targets, values, body;
			struct jx_scope scope;
		} with;
		struct jx_func *func; /* S_MACRO, S_CALL, S_GENERATION, S_BLOCK */
	};
};

struct jx_for {
	struct jx_node *target, *iter, *test;
	struct jx_node *test_target; /* the target again, in the test's own scope */
	struct jx_nodes body, orelse;
	int recursive, extended;
	struct jx_scope scope, test_scope, else_scope;
	uint32_t loop_slot;
	uint32_t nslots; /* of a recursive loop, which is a function */
};

/* What in CPython would be a function: it has its own slots. */
struct jx_func {
	struct jv name;		/* a macro's or a block's */
	struct jx_node *target; /* the macro's name as a store */
	struct jx_nodes params, defaults;
	uint32_t *param_slots;
	struct jx_nodes body;
	struct jx_node *call; /* S_CALL */
	struct jx_scope scope;
	uint32_t nslots;
	uint32_t caller_slot, kwargs_slot, varargs_slot; /* UINT32_MAX: not used */
	int explicit_caller;
	int scoped, required;				  /* a block's */
	uint32_t *seen_ids, *seen_slots, *seen_up, nseen; /* a scoped block: the names it sees */
};

struct jx_frame {
	struct jx_frame *up;
	struct jv slot[];
};

struct jinja {
	struct arena arena;
	struct jv *names; /* variables the template names, by number */
	int *reads;
	uint32_t nnames;
	uint32_t *name_index, name_mask; /* of a name its number + 1; open addressing */
	struct jx_func root;
	struct jx_func **blocks;
	uint32_t nblocks;
	struct jv *literals;
	size_t nliterals, cap_literals;
	int has_generation;
};

/* ---- compiling ------------------------------------------------------------------------------------ */

struct jx_compiler {
	struct jinja *t;
	struct arena *arena;
	jmp_buf failed;
	struct err *e;
	struct jx_token *tok;
	size_t ntok, captok, at;
	unsigned depth;
	size_t cap_names, cap_blocks;
};

_Noreturn void jx_syntax(struct jx_compiler *c, uint32_t line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void jx_lex(struct jx_compiler *c, const char *src, size_t len);
void jx_parse(struct jx_compiler *c);
void jx_resolve(struct jx_compiler *c); /* names to slots */
int jx_body_reads(struct jx_nodes body, const char *name);
uint32_t jx_name_id(struct jx_compiler *c, struct jv name);
uint32_t jx_name_find(const struct jinja *t, struct jv name); /* UINT32_MAX: not named */
uint32_t jx_hash_name(struct jv name);

/* between jinja_parse.c, jinja_parse_expr.c and jinja_parse_primary.c */
struct jx_node *jx_node(struct jx_compiler *c, enum jx_kind kind, uint32_t line);
struct jx_node *jx_parse_expr(struct jx_compiler *c, int with_cond);
struct jx_node *jx_parse_tuple(struct jx_compiler *c, int with_cond, const char *end_name);
struct jx_node *jx_parse_target(
	struct jx_compiler *c, int name_only, int with_namespace, const char *end_name);
/* Checks the height of an expression that is whole. */
struct jx_node *jx_seal(struct jx_compiler *c, struct jx_node *n);
struct jx_node *jx_parse_primary(struct jx_compiler *c, int with_namespace);
struct jx_node *jx_parse_filters(struct jx_compiler *c, struct jx_node *obj, int inline_first);
void jx_nodes_add(struct jx_compiler *c, struct jx_nodes *l, struct jx_node *n);
struct jx_token *jx_peek(struct jx_compiler *c);
struct jx_token *jx_next(struct jx_compiler *c);
int jx_is_name(const struct jx_token *t, const char *name);
int jx_accept_name(struct jx_compiler *c, const char *name);
struct jx_token *jx_expect(struct jx_compiler *c, enum jx_tok type);
void jx_deeper(struct jx_compiler *c);
const char *jx_describe(const struct jx_token *t, char buf[64]);

#endif
