#include "tools/tmpl/tokens.h"

#include "common/io.h"

#include <string.h>

enum { FILE_MAX = 256 << 20, TOKEN_MAX = 64 };

/* As `"content": "TOKEN"`, however the file spaces it. */
static int is_added(const char *file, size_t len, const char *token, size_t n)
{
	static const char *const forms[] = {"\"content\": \"", "\"content\":\""};
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		struct str want = {0};
		str_adds(&want, forms[i]);
		str_add(&want, token, n);
		str_addc(&want, '"');
		int found = memmem(file, len, want.s, want.len) != NULL;
		str_done(&want);
		if (found)
			return 1;
	}
	return 0;
}

static int listed(const struct str *out, const char *token, size_t n)
{
	return out->len && memmem(out->s, out->len, token, n) != NULL;
}

static void look(struct str *out, const char *text, size_t len, const char *file, size_t nfile)
{
	for (size_t i = 0; i + 1 < len; i++) {
		if (text[i] != '<' || text[i + 1] != '|')
			continue;
		const char *end = memmem(text + i, len - i, "|>", 2);
		size_t n = end ? (size_t)(end + 2 - (text + i)) : 0;
		if (n < 5 || n > TOKEN_MAX || memchr(text + i, ' ', n) || memchr(text + i, '\n', n))
			continue;
		if (!is_added(file, nfile, text + i, n) && !listed(out, text + i, n)) {
			if (out->len)
				str_addc(out, ' ');
			str_add(out, text + i, n);
		}
		i += n - 1;
	}
}

void tokens_unknown(struct str *out, const struct jinja *t, const char *dir)
{
	struct err none = {0};
	char *path = io_path(dir, "tokenizer.json");
	size_t nfile, len;
	char *file = io_exists(path) ? io_read_file(path, FILE_MAX, &nfile, &none) : NULL;
	mem_free(path);
	if (!file)
		return;
	const char *text;
	for (size_t i = 0; (text = jinja_literal(t, i, &len)); i++)
		look(out, text, len, file, nfile);
	mem_free(file);
}
