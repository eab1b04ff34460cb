#include "tools/tmpl/transcript.h"

#include "tools/tmpl/messages.h"

#include <string.h>

static const struct {
	const char *mark, *role;
} speakers[] = {{"\n\nHuman:", "user"}, {"\n\nAssistant:", "assistant"}};

struct turn {
	size_t mark, text; /* bytes where its marker and its words begin */
	const char *role;
};

/* The first turn whose marker begins at `at` or later; 0: there is none. */
static int next_turn(struct jv text, size_t at, struct turn *t)
{
	const char *s = text.u.s, *end = s + text.len;
	for (const char *p = s + at; (p = memmem(p, (size_t)(end - p), "\n\n", 2)); p++) {
		for (size_t k = 0; k < sizeof speakers / sizeof *speakers; k++) {
			size_t n = strlen(speakers[k].mark);
			if ((size_t)(end - p) < n || memcmp(p, speakers[k].mark, n) != 0)
				continue;
			*t = (struct turn){(size_t)(p - s), (size_t)(p - s) + n, speakers[k].role};
			return 1;
		}
	}
	return 0;
}

int transcript_is(struct jv text)
{
	struct turn t;
	if (text.type != JV_STR || !next_turn(text, 0, &t) || t.mark != 0 || strcmp(t.role, "user"))
		return 0;
	while (next_turn(text, t.text, &t))
		if (!strcmp(t.role, "assistant"))
			return 1;
	return 0;
}

struct jv transcript_messages(struct arena *a, struct jv text)
{
	struct jv list = jv_list(a, 4);
	struct turn t, next;
	for (int more = next_turn(text, 0, &t); more; t = next) {
		more = next_turn(text, t.text, &next);
		size_t from = t.text, to = more ? next.mark : text.len;
		from += from < to && text.u.s[from] == ' ';
		struct jv one = messages_one(a, t.role, jv_str(text.u.s + from, to - from));
		jv_list_add(a, list, jv_list_at(one, 0));
	}
	return list;
}

size_t transcript_turn(struct jv text, size_t i)
{
	struct turn t = {0};
	for (size_t k = 0; k <= i && next_turn(text, t.text, &t); k++)
		;
	return t.text;
}
