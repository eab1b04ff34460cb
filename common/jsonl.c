#include "common/jsonl.h"

#include <string.h>

static int is_blank(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] != ' ' && s[i] != '\t' && s[i] != '\r')
			return 0;
	return 1;
}

/* Brackets open behind the line. A string that the line does not end never ends: 0, for the parser to
 * refuse. */
static long open_brackets(long depth, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '{' || s[i] == '[') {
			depth++;
		} else if (s[i] == '}' || s[i] == ']') {
			depth--;
		} else if (s[i] == '"') {
			for (i++; i < n && s[i] != '"'; i++)
				if (s[i] == '\\')
					i++;
			if (i >= n)
				return 0;
		}
	}
	return depth;
}

int jsonl_next(struct jsonl *j, const char **text, size_t *len, struct err *e)
{
	long depth = 0;
	str_reset(&j->text);
	for (;;) {
		const uint8_t *ahead;
		const char *line;
		size_t n;
		long more = input_peek(j->in, 1, &ahead, e);
		int broken = j->text.len && (!more || (more > 0 && *ahead == '{'));
		int got = more < 0 ? -1 : broken ? 0 : input_line(j->in, j->limit, &line, &n, e);
		if (got < 0)
			return -1;
		if (!got && !j->text.len)
			return 0;
		if (!got)
			break;
		j->lines++;
		if (is_blank(line, n))
			continue;
		if (!j->text.len)
			j->line = j->lines;
		depth = open_brackets(depth, line, n);
		if (!j->text.len && depth <= 0) {
			*text = line;
			*len = n;
			return 1;
		}
		str_add(&j->text, line, n);
		str_addc(&j->text, '\n');
		if (j->text.len > j->limit)
			return err_data(e, "a value of more than %zu bytes", j->limit);
		if (depth <= 0)
			break;
	}
	*text = j->text.s;
	*len = j->text.len;
	return 1;
}

void jsonl_done(struct jsonl *j)
{
	str_done(&j->text);
}
