#include "common/jsonl.h"

#include "common/scan.h"

static int is_blank(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] != ' ' && s[i] != '\t' && s[i] != '\r')
			return 0;
	return 1;
}

int jsonl_next(struct jsonl *j, const char **text, size_t *len, struct err *e)
{
	struct scan_nesting nest = {0};
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
		/* A string that its line does not end never ends: for the parser to refuse. */
		int ends = scan_value(&nest, line, n) < n || nest.depth == 0 || nest.string;
		if (!j->text.len && ends) {
			*text = line;
			*len = n;
			return 1;
		}
		str_add(&j->text, line, n);
		str_addc(&j->text, '\n');
		if (j->text.len > j->limit)
			return err_data(e, "a value of more than %zu bytes", j->limit);
		if (ends)
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
