#include "tools/tok/explain.h"

#include <stdio.h>

static void add_visible(struct str *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c == '\n')
			str_adds(out, "\\n");
		else if (c < 0x20 || c == 0x7f)
			str_addf(out, "\\x%02x", c);
		else
			str_addc(out, (char)c);
	}
}

/* mask NULL: all as `trained` says. */
static int add_tokens(struct str *out, struct row *r, const uint32_t *ids, size_t n,
	const uint8_t *mask, int trained, int colour, struct err *e)
{
	int was = 0;
	struct str text = {0};
	for (size_t i = 0; i < n; i++) {
		int now = mask ? mask[i] : trained;
		str_reset(&text);
		if (tokenizer_decode(r->enc, &ids[i], 1, 0, &text, e) < 0) {
			str_done(&text);
			return -1;
		}
		if (was && !now)
			str_adds(out, colour ? "\033[0m" : "]");
		if (i)
			str_addc(out, '|');
		if (now && !was)
			str_adds(out, colour ? "\033[32m" : "[");
		add_visible(out, text.s ? text.s : "", text.len);
		was = now;
	}
	if (was)
		str_adds(out, colour ? "\033[0m" : "]");
	str_done(&text);
	return 0;
}

int explain_row(struct str *out, struct row *r, const char *where, int colour, struct err *e)
{
	static const char *const names[SIDES] = {"chosen  ", "rejected"};
	size_t lines = r->nsides ? r->nsides : 1;
	for (size_t i = 0; i < lines; i++) {
		size_t tail = r->nsides ? r->ntail[i] : 0;
		str_addf(out, "%s: %s %zu tokens", where,
			r->nsides == 2 ? names[i] : (r->nsides ? "row" : "text"), r->nhead + tail);
		if (r->nsides)
			str_addf(out, ", %zu trained", tail);
		str_adds(out, "\n  ");
		if (add_tokens(out, r, r->head, r->nhead, r->nsides ? NULL : r->mask, 0, colour,
			    e) < 0)
			return -1;
		if (r->nsides)
			str_adds(out, " || ");
		if (r->nsides &&
			add_tokens(out, r, r->tail[i], r->ntail[i], NULL, 1, colour, e) < 0)
			return -1;
		str_addc(out, '\n');
	}
	return 0;
}
