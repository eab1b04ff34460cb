#include "common/scan.h"

/* Within a string, from s: where it goes on behind it. */
static const char *pass_string(struct scan_nesting *n, const char *s, const char *end)
{
	for (;; s++) {
		if (n->escape && s < end) {
			n->escape = 0;
			s++;
		}
		s = scan_plain(s, end);
		if (s == end)
			return s;
		n->escape = *s == '\\';
		if (*s == '"') {
			n->string = 0;
			return s + 1;
		}
	}
}

size_t scan_value(struct scan_nesting *n, const char *from, size_t len)
{
	const char *s = from, *end = from + len;
	while (s < end) {
		if (n->string) {
			s = pass_string(n, s, end);
			continue;
		}
		char bracket = (char)(*s | 0x20); /* [ is { less this bit, and ] is } */
		if (*s == '"') {
			const char *stop = scan_plain(s + 1, end);
			n->string = stop == end || *stop != '"';
			s = n->string ? stop - 1 : stop;
		} else if (bracket == '{') {
			n->depth++;
		} else if (bracket == '}') {
			if (n->depth == 0)
				break;
			n->depth--;
		} else if (*s == ',' && n->depth == 0) {
			break;
		}
		s++;
	}
	return (size_t)(s - from);
}
