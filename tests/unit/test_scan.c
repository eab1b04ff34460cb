/* Where values end (common/scan.h), however their bytes arrive, beside one byte at a time. */
#include "common/scan.h"
#include "tests/tap.h"

static size_t value_slowly(const char *s, size_t len)
{
	int string = 0, escape = 0;
	long depth = 0;
	for (size_t i = 0; i < len; i++) {
		if (string) {
			string = escape || s[i] != '"';
			escape = !escape && s[i] == '\\';
		} else if (s[i] == '"') {
			string = 1;
		} else if (s[i] == '{' || s[i] == '[') {
			depth++;
		} else if (depth == 0 && (s[i] == ',' || s[i] == ']' || s[i] == '}')) {
			return i;
		} else if (s[i] == '}' || s[i] == ']') {
			depth--;
		}
	}
	return len;
}

static size_t value_in_pieces(const char *s, size_t len, size_t piece)
{
	struct scan_nesting nest = {0};
	size_t at = 0;
	while (at < len) {
		size_t n = len - at < piece ? len - at : piece;
		char *exact = malloc(n);
		memcpy(exact, s + at, n);
		size_t used = scan_value(&nest, exact, n);
		free(exact);
		at += used;
		if (used < n)
			break;
	}
	return at;
}

static void check_plain(const char *text, size_t len, size_t *bad)
{
	char to[200 + SCAN_BYTES];
	for (size_t from = 0; from <= len; from++) {
		size_t want = from;
		while (want < len && scan_is_plain((unsigned char)text[want]))
			want++;
		const char *end = text + len;
		*bad += scan_plain(text + from, end) != text + want;
		*bad += scan_copy(to, text + from, end) != text + want;
		*bad += memcmp(to, text + from, want - from) != 0;
	}
}

int main(void)
{
	static const char kinds[] = "\"\"\"\\\\{}[],abcdefghijklmnopqrstuvwxyz \n\x80\xff";
	size_t bad = 0, bad_plain = 0, stopped = 0;
	uint64_t state = 1;
	for (int i = 0; i < 3000; i++) {
		char text[200];
		size_t len = (size_t)i % sizeof text;
		for (size_t k = 0; k < len; k++) {
			state = state * 6364136223846793005u + 1442695040888963407u;
			size_t kind = (state >> 33) % (sizeof kinds - 1);
			text[k] = (state >> 60) < 4 ? kinds[kind] : 'x';
		}
		size_t want = value_slowly(text, len);
		stopped += want < len;
		for (size_t piece = 1; piece < 70; piece += 1 + piece / 3)
			bad += value_in_pieces(text, len, piece) != want;
		check_plain(text, len, &bad_plain);
	}
	ok(bad == 0 && stopped > 500,
		"values end where they end byte by byte, in pieces of any size");
	ok(bad_plain == 0, "plain text ends where it ends byte by byte, and is copied");
	return tap_done();
}
