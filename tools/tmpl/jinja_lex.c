/*
 * Characters to tokens, after Jinja2's lexer.py: data, tags, whitespace control (trim_blocks and
 * lstrip_blocks are on), raw blocks, comments, string escapes.
 */
#include "tools/tmpl/jinja_int.h"
#include "common/utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

struct lexer {
	struct jx_compiler *c;
	const char *s;
	size_t n, at;
	uint32_t line;
	int line_start;	 /* the last match ended with a newline */
	char open[1024]; /* brackets that wait for their end */
	size_t nopen;
};

static struct jx_token *push(struct lexer *x, enum jx_tok type)
{
	struct jx_compiler *c = x->c;
	mem_grow(&c->tok, &c->captok, c->ntok + 1, sizeof *c->tok);
	struct jx_token *t = &c->tok[c->ntok++];
	*t = (struct jx_token){.type = type, .line = x->line};
	return t;
}

static int at(const struct lexer *x, size_t i, const char *what)
{
	size_t m = strlen(what);
	return i + m <= x->n && memcmp(x->s + i, what, m) == 0;
}

/* Past the white space at i. */
static size_t space_end(const struct lexer *x, size_t i)
{
	while (i < x->n) {
		size_t j = i;
		if (!jx_is_space(jx_utf8_get(x->s, x->n, &j)))
			break;
		i = j;
	}
	return i;
}

/* Steps over [x->at, to): counts lines. */
static void step(struct lexer *x, size_t to)
{
	for (size_t i = x->at; i < to; i++)
		x->line += x->s[i] == '\n';
	if (to > x->at)
		x->line_start = x->s[to - 1] == '\n';
	x->at = to;
}

/* The end of a tag at i: "-%}" with the space after it, "+%}", "%}" with one newline; 0: not here. */
static size_t tag_end(const struct lexer *x, size_t i, const char *close, int trim)
{
	if (i < x->n && x->s[i] == '-' && at(x, i + 1, close))
		return space_end(x, i + 3);
	if (trim && i < x->n && x->s[i] == '+' && at(x, i + 1, close))
		return i + 3;
	if (!at(x, i, close))
		return 0;
	i += 2;
	return trim && i < x->n && x->s[i] == '\n' ? i + 1 : i;
}

/* Data before a tag whose sign is `sign`. */
static void data(struct lexer *x, size_t to, char sign, int variable)
{
	size_t from = x->at, end = to;
	if (sign == '-') {
		while (end > from) {
			size_t i = end - 1;
			while (i > from && ((unsigned char)x->s[i] & 0xc0) == 0x80)
				i--;
			size_t j = i;
			if (!jx_is_space(jx_utf8_get(x->s, to, &j)))
				break;
			end = i;
		}
	} else if (sign != '+' && !variable) {
		size_t line = to;
		while (line > from && x->s[line - 1] != '\n')
			line--;
		if ((line > from || x->line_start) && space_end(x, line) >= to && line < to)
			end = line;
	}
	if (end > from)
		push(x, T_DATA)->v = jv_str(x->s + from, end - from);
	step(x, to);
}

static int word(const struct lexer *x, size_t *i, const char *w)
{
	size_t j = space_end(x, *i);
	if (!at(x, j, w))
		return 0;
	*i = space_end(x, j + strlen(w));
	return 1;
}

/* {% raw %} at x->at (after data): takes everything to its end. 0: not a raw block. */
static int raw(struct lexer *x)
{
	size_t i = x->at + 2;
	if (i < x->n && (x->s[i] == '-' || x->s[i] == '+'))
		i++;
	if (!word(x, &i, "raw"))
		return 0;
	size_t body = tag_end(x, i, "%}", 0);
	if (!body)
		return 0;
	step(x, body);
	for (size_t j = body; j + 1 < x->n; j++) {
		if (!at(x, j, "{%"))
			continue;
		size_t k = j + 2;
		char sign = k < x->n ? x->s[k] : 0;
		if (sign == '-' || sign == '+')
			k++;
		else
			sign = 0;
		if (!word(x, &k, "endraw"))
			continue;
		size_t end = tag_end(x, k, "%}", 1);
		if (!end)
			continue;
		data(x, j, sign, 0);
		step(x, end);
		return 1;
	}
	jx_syntax(x->c, x->line, "missing end of raw directive");
}

static void comment(struct lexer *x)
{
	for (size_t i = x->at; i < x->n; i++) {
		size_t end = tag_end(x, i, "#}", 1);
		if (end) {
			step(x, end);
			return;
		}
	}
	jx_syntax(x->c, x->line, "missing end of comment tag");
}

static int hex_escape(const char *s, size_t n, size_t digits, uint32_t *out)
{
	if (n < digits)
		return -1;
	*out = 0;
	for (size_t i = 0; i < digits; i++) {
		char ch = s[i];
		int v = ch >= '0' && ch <= '9'	 ? ch - '0'
			: ch >= 'a' && ch <= 'f' ? ch - 'a' + 10
			: ch >= 'A' && ch <= 'F' ? ch - 'A' + 10
						 : -1;
		if (v < 0)
			return -1;
		*out = *out * 16 + (uint32_t)v;
	}
	return 0;
}

/* Python's unicode-escape. A backslash before a character outside ASCII keeps Jinja's accident. */
static struct jv unescape(struct lexer *x, const char *s, size_t n)
{
	if (!memchr(s, '\\', n))
		return jv_str(s, n);
	char *o = arena_alloc(x->c->arena, n * 3 + 16, 1); /* the accident grows 2 bytes to 4 */
	size_t m = 0;
	for (size_t i = 0; i < n;) {
		if (s[i] != '\\') {
			o[m++] = s[i++];
			continue;
		}
		i++; /* the lexer's pattern promises a character here */
		char ch = s[i];
		static const char from[] = "\\'\"abfnrtv", to[] = "\\'\"\a\b\f\n\r\t\v";
		const char *simple = ch ? strchr(from, ch) : NULL;
		uint32_t c = 0;
		if (simple) {
			o[m++] = to[simple - from];
			i++;
		} else if (ch == '\n') {
			i++;
		} else if (ch >= '0' && ch <= '7') {
			for (int k = 0; k < 3 && i < n && s[i] >= '0' && s[i] <= '7'; k++)
				c = c * 8 + (uint32_t)(s[i++] - '0');
			m += utf8_put(c, o + m);
		} else if (ch == 'x' || ch == 'u' || ch == 'U') {
			size_t digits = ch == 'x' ? 2 : ch == 'u' ? 4 : 8;
			if (hex_escape(s + i + 1, n - i - 1, digits, &c) != 0)
				jx_syntax(x->c, x->line, "truncated \\%c escape in a string", ch);
			if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
				jx_syntax(x->c, x->line,
					"\\%c escape of what is no character in a string", ch);
			m += utf8_put(c, o + m);
			i += 1 + digits;
		} else if (ch == 'N') {
			jx_syntax(x->c, x->line,
				"characters by name (\\N{…}) are not supported; write \\u…");
		} else if ((unsigned char)ch < 0x80) {
			o[m++] = '\\';
			o[m++] = ch;
			i++;
		} else {
			c = jx_utf8_get(s, n, &i);
			m += (size_t)snprintf(o + m, 12,
				c < 0x100     ? "\\x%02x"
				: c < 0x10000 ? "\\u%04x"
					      : "\\U%08x",
				(unsigned)c);
		}
	}
	return jv_str(o, m);
}

static size_t digits(const struct lexer *x, size_t i)
{
	/* (\d+_)*\d+ : the end, or i when there is none */
	size_t end = i;
	while (i < x->n && x->s[i] >= '0' && x->s[i] <= '9') {
		while (i < x->n && x->s[i] >= '0' && x->s[i] <= '9')
			i++;
		end = i;
		if (i < x->n && x->s[i] == '_')
			i++;
	}
	return end;
}

static size_t exponent(const struct lexer *x, size_t i)
{
	if (i >= x->n || (x->s[i] | 32) != 'e')
		return i;
	size_t j = i + 1;
	if (j < x->n && (x->s[j] == '+' || x->s[j] == '-'))
		j++;
	size_t end = digits(x, j);
	return end > j ? end : i;
}

static size_t copy_number(const struct lexer *x, size_t from, size_t to, char buf[400])
{
	size_t m = 0;
	for (size_t i = from; i < to && m < 399; i++)
		if (x->s[i] != '_')
			buf[m++] = x->s[i];
	buf[m] = 0;
	return m;
}

static void number(struct lexer *x)
{
	size_t from = x->at, whole = digits(x, from), end = whole;
	char buf[400];
	if (!(from > 0 && x->s[from - 1] == '.')) { /* "a.1.5" is not a float */
		if (end + 1 < x->n && x->s[end] == '.') {
			size_t frac = digits(x, end + 1);
			if (frac > end + 1)
				end = frac;
		}
		end = exponent(x, end);
		if (end > whole) {
			copy_number(x, from, end, buf);
			push(x, T_FLOAT)->v = jv_float(strtod(buf, NULL));
			step(x, end);
			return;
		}
	}
	int base = 10;
	if (x->s[from] == '0' && from + 1 < x->n) {
		char k = (char)(x->s[from + 1] | 32);
		int b = k == 'x' ? 16 : k == 'o' ? 8 : k == 'b' ? 2 : 0;
		size_t i = from + 2;
		for (; b && i < x->n; i++) {
			size_t j = x->s[i] == '_' ? i + 1 : i;
			uint32_t v;
			if (j >= x->n || hex_escape(x->s + j, 1, 1, &v) != 0 || v >= (uint32_t)b)
				break;
			i = j;
		}
		if (b && i > from + 2) {
			base = b;
			end = i;
		}
	}
	if (base == 10) {
		if (x->s[from] == '0') /* 0(_?0)*: "012" is two tokens */
			for (end = from + 1; end < x->n;) {
				size_t j = x->s[end] == '_' ? end + 1 : end;
				if (j >= x->n || x->s[j] != '0')
					break;
				end = j + 1;
			}
		else
			for (end = from + 1; end < x->n;) {
				size_t j = x->s[end] == '_' ? end + 1 : end;
				if (j >= x->n || x->s[j] < '0' || x->s[j] > '9')
					break;
				end = j + 1;
			}
	}
	copy_number(x, base == 10 ? from : from + 2, end, buf);
	errno = 0;
	long long v = strtoll(buf, NULL, base);
	if (errno || end - from > 390)
		jx_syntax(x->c, x->line, "the integer '%.40s' is beyond 64 bits", buf);
	push(x, T_INT)->v = jv_int(v);
	step(x, end);
}

static int operator(struct lexer *x)
{
	static const struct {
		const char *s;
		enum jx_tok type;
	} ops[] = {
		{"//", T_FLOORDIV},
		{"**", T_POW},
		{"==", T_EQ},
		{"!=", T_NE},
		{">=", T_GTEQ},
		{"<=", T_LTEQ},
		{"+", T_ADD},
		{"-", T_SUB},
		{"/", T_DIV},
		{"*", T_MUL},
		{"%", T_MOD},
		{"~", T_TILDE},
		{"[", T_LBRACKET},
		{"]", T_RBRACKET},
		{"(", T_LPAREN},
		{")", T_RPAREN},
		{"{", T_LBRACE},
		{"}", T_RBRACE},
		{">", T_GT},
		{"<", T_LT},
		{"=", T_ASSIGN},
		{".", T_DOT},
		{":", T_COLON},
		{"|", T_PIPE},
		{",", T_COMMA},
		{";", T_SEMICOLON},
	};
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
		if (!at(x, x->at, ops[i].s))
			continue;
		char ch = ops[i].s[0];
		if (ch == '{' || ch == '(' || ch == '[') {
			if (x->nopen == sizeof x->open)
				jx_syntax(x->c, x->line, "brackets nested too deeply");
			x->open[x->nopen++] = ch == '{' ? '}' : ch == '(' ? ')' : ']';
		} else if (ch == '}' || ch == ')' || ch == ']') {
			if (!x->nopen)
				jx_syntax(x->c, x->line, "unexpected '%c'", ch);
			char want = x->open[--x->nopen];
			if (want != ch)
				jx_syntax(
					x->c, x->line, "unexpected '%c', expected '%c'", ch, want);
		}
		push(x, ops[i].type);
		step(x, x->at + strlen(ops[i].s));
		return 1;
	}
	return 0;
}

static int string(struct lexer *x)
{
	char q = x->s[x->at];
	if (q != '\'' && q != '"')
		return 0;
	for (size_t i = x->at + 1; i < x->n; i++) {
		if (x->s[i] == '\\') {
			i++;
		} else if (x->s[i] == q) {
			push(x, T_STRING)->v = unescape(x, x->s + x->at + 1, i - x->at - 1);
			step(x, i + 1);
			return 1;
		}
	}
	return 0;
}

/* The inside of {% … %} or {{ … }}, its end included. */
static void tag(struct lexer *x, const char *close, enum jx_tok end_type, int trim)
{
	x->nopen = 0;
	while (x->at < x->n) {
		if (!x->nopen) {
			size_t end = tag_end(x, x->at, close, trim);
			if (end) {
				push(x, end_type);
				step(x, end);
				return;
			}
		}
		size_t sp = space_end(x, x->at);
		if (sp > x->at) {
			step(x, sp);
			continue;
		}
		char ch = x->s[x->at];
		if (ch >= '0' && ch <= '9') {
			number(x);
			continue;
		}
		size_t i = x->at;
		while (i < x->n) {
			size_t j = i;
			if (!jx_is_ident(jx_utf8_get(x->s, x->n, &j), i == x->at))
				break;
			i = j;
		}
		if (i > x->at) {
			push(x, T_NAME)->v = jv_str(x->s + x->at, i - x->at);
			step(x, i);
			continue;
		}
		if (!string(x) && !operator(x)) {
			size_t j = x->at;
			jx_utf8_get(x->s, x->n, &j);
			jx_syntax(x->c, x->line, "unexpected char '%.*s' at %zu", (int)(j - x->at),
				x->s + x->at, jx_utf8_len(x->s, x->at));
		}
	}
}

void jx_lex(struct jx_compiler *c, const char *src, size_t len)
{
	/* All line ends become \n; one newline at the very end goes. */
	char *s = arena_alloc(c->arena, len + 1, 1);
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		s[n++] = src[i] == '\r' ? '\n' : src[i];
		if (src[i] == '\r' && i + 1 < len && src[i + 1] == '\n')
			i++;
	}
	if (n && s[n - 1] == '\n')
		n--;
	struct lexer x = {.c = c, .s = s, .n = n, .line = 1, .line_start = 1};
	while (x.at < n) {
		size_t i = x.at;
		while (i < n && !(s[i] == '{' && i + 1 < n &&
					(s[i + 1] == '{' || s[i + 1] == '%' || s[i + 1] == '#'))) {
			const char *p = memchr(s + i + 1, '{', n - i - 1);
			i = p ? (size_t)(p - s) : n;
		}
		if (i == n) {
			push(&x, T_DATA)->v = jv_str(s + x.at, n - x.at);
			step(&x, n);
			break;
		}
		char kind = s[i + 1], sign = i + 2 < n ? s[i + 2] : 0;
		if (sign != '-' && sign != '+')
			sign = 0;
		data(&x, i, sign, kind == '{');
		if (kind == '%' && raw(&x))
			continue;
		size_t begin = x.at;
		push(&x, kind == '{' ? T_VAR_BEGIN : T_BLOCK_BEGIN);
		step(&x, begin + (sign ? 3 : 2));
		if (kind == '#') {
			c->ntok--;
			comment(&x);
		} else if (kind == '{') {
			tag(&x, "}}", T_VAR_END, 0);
		} else {
			tag(&x, "%}", T_BLOCK_END, 1);
		}
	}
	push(&x, T_EOF);
}
