#include "tools/tmpl/explain.h"

#include <string.h>

static void add_visible(struct str *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c == '\n')
			str_adds(out, "\\n\n    ");
		else if (c == '\t')
			str_adds(out, "\\t");
		else if (c < 0x20 || c == 0x7f)
			str_addf(out, "\\x%02x", c);
		else
			str_addc(out, (char)c);
	}
}

static void add_text(
	struct str *out, const char *s, size_t len, const struct jinja_spans *spans, int colour)
{
	size_t at = 0;
	str_adds(out, "    ");
	for (size_t i = 0; spans && i < spans->n; i++) {
		add_visible(out, s + at, spans->v[i].from - at);
		str_adds(out, colour ? "\033[32m" : "[");
		add_visible(out, s + spans->v[i].from, spans->v[i].to - spans->v[i].from);
		str_adds(out, colour ? "\033[0m" : "]");
		at = spans->v[i].to;
	}
	add_visible(out, s + at, len - at);
	str_addc(out, '\n');
}

void explain_row(
	struct str *out, const struct maker *m, const char *where, struct record *made, int colour)
{
	static const char *const fields[] = {"prompt", "chosen", "rejected", "completion", "text"};
	str_addf(out, "%s: %s, %s, %s\n", where, shape_name(m->last.shape), m->last.how,
		m->last.templated ? "templated" : "plain strings");
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		const char *s;
		size_t len;
		struct err none = {0};
		if (record_str(made, fields[i], &s, &len, &none) != 1)
			continue;
		int marked = !strcmp(fields[i], "text") && record_get(made, "spans");
		str_addf(out, "  %s\n", fields[i]);
		add_text(out, s, len, marked ? &m->spans : NULL, colour);
	}
}
