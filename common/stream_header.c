/* The header: what a stream says about how it was made, and when two agree. */
#include "common/stream_int.h"

#include "common/mp.h"
#include "common/utf8.h"
#include "common/version.h"

#include <string.h>

const char *const stream_kind_name[KIND_COUNT] = {"text", "tokens", "train", "tensors"};

/* The fingerprints by their names on the wire. */
enum { FINGERPRINTS = 4 };
static const char *const fingerprint_name[FINGERPRINTS] = {
	"tokenizer", "template", "model", "reference"};

static char **fingerprint_of(const struct header *h, int i)
{
	struct header *m = (struct header *)(uintptr_t)h;
	char **const all[FINGERPRINTS] = {&m->tokenizer, &m->templ, &m->model, &m->reference};
	return all[i];
}

static char *dup_or_null(const char *s)
{
	return s ? mem_strdup(s) : NULL;
}

static void add_stage(struct header *h, const struct stage *s)
{
	h->history = mem_resize(h->history, h->nhistory + 1, sizeof *h->history);
	h->history[h->nhistory++] = (struct stage){
		mem_strdup(s->program ? s->program : ""),
		mem_strdup(s->version ? s->version : ""),
		mem_strdup(s->options ? s->options : ""),
		mem_strdup(s->input ? s->input : ""),
	};
}

void header_add_stage(struct header *h, const char *program, const char *options, const char *input)
{
	struct stage s = {(char *)(uintptr_t)program, (char[]){SLUICE_VERSION},
		(char *)(uintptr_t)options, (char *)(uintptr_t)input};
	add_stage(h, &s);
}

void header_copy(struct header *dst, const struct header *src)
{
	*dst = (struct header){
		.kind = src->kind, .json = src->json, .name = dup_or_null(src->name)};
	for (int i = 0; i < FINGERPRINTS; i++)
		*fingerprint_of(dst, i) = dup_or_null(*fingerprint_of(src, i));
	for (size_t i = 0; i < src->nhistory; i++)
		add_stage(dst, &src->history[i]);
}

void header_done(struct header *h)
{
	for (int i = 0; i < FINGERPRINTS; i++)
		mem_free(*fingerprint_of(h, i));
	for (size_t i = 0; i < h->nhistory; i++) {
		mem_free(h->history[i].program);
		mem_free(h->history[i].version);
		mem_free(h->history[i].options);
		mem_free(h->history[i].input);
	}
	mem_free(h->history);
	mem_free(h->name);
	*h = (struct header){0};
}

/* ---- writing ---- */

static void pack_text(msgpack_packer *pk, const char *s)
{
	msgpack_pack_str_with_body(pk, s, strlen(s));
}

static void pack_pair(msgpack_packer *pk, const char *key, const char *value)
{
	pack_text(pk, key);
	pack_text(pk, value);
}

void header_pack(struct str *out, const struct header *h)
{
	msgpack_packer pk;
	size_t n = 3;
	for (int i = 0; i < FINGERPRINTS; i++)
		n += *fingerprint_of(h, i) != NULL;
	mp_pack_into(&pk, out);
	msgpack_pack_map(&pk, n);
	pack_text(&pk, STREAM_KEY);
	msgpack_pack_int(&pk, STREAM_VERSION);
	pack_pair(&pk, "kind", stream_kind_name[h->kind]);
	for (int i = 0; i < FINGERPRINTS; i++)
		if (*fingerprint_of(h, i))
			pack_pair(&pk, fingerprint_name[i], *fingerprint_of(h, i));
	pack_text(&pk, "history");
	msgpack_pack_array(&pk, h->nhistory);
	for (size_t i = 0; i < h->nhistory; i++) {
		const struct stage *s = &h->history[i];
		msgpack_pack_map(&pk, 4);
		pack_pair(&pk, "program", s->program);
		pack_pair(&pk, "version", s->version);
		pack_pair(&pk, "options", s->options);
		pack_pair(&pk, "input", s->input);
	}
}

void header_to_json(struct str *out, const struct header *h)
{
	struct str packed = {0};
	header_pack(&packed, h);
	record_value_json(out, (const uint8_t *)packed.s, packed.len, FT_ANY);
	str_done(&packed);
}

/* ---- reading ---- */

static int is_key(const struct mp_value *v, const char *name)
{
	return v->type == MP_STR && v->len == strlen(name) && !memcmp(v->p, name, v->len);
}

/* A str without NULs into *to, which is freed before. */
static int take_text(struct mp *c, const char *what, char **to, struct err *e)
{
	struct mp_value v;
	if (mp_next(c, &v) || v.type != MP_STR || memchr(v.p, 0, v.len) ||
		!utf8_valid((const char *)v.p, v.len))
		return err_data(e, "bad header: '%s' is not a string", what);
	mem_free(*to);
	*to = mem_strndup((const char *)v.p, v.len);
	return 0;
}

static int take_stage(struct header *h, struct mp *c, struct err *e)
{
	struct stage s = {0};
	const char *const names[] = {"program", "version", "options", "input"};
	char **const to[] = {&s.program, &s.version, &s.options, &s.input};
	struct mp_value map, key;
	int bad = mp_next(c, &map) || map.type != MP_MAP
			  ? err_data(e, "bad header: 'history' is no list of maps")
			  : 0;
	for (size_t i = 0; !bad && i < map.len; i++) {
		size_t k = 0;
		bad = mp_next(c, &key) ? err_data(e, "bad header") : 0;
		while (!bad && k < 4 && !is_key(&key, names[k]))
			k++;
		if (!bad && k < 4)
			bad = take_text(c, names[k], to[k], e);
		else if (!bad && mp_skip(c))
			bad = err_data(e, "bad header");
	}
	if (!bad)
		add_stage(h, &s);
	for (size_t k = 0; k < 4; k++)
		mem_free(*to[k]);
	return bad;
}

static int take_history(struct header *h, struct mp *c, struct err *e)
{
	struct mp_value list;
	if (mp_next(c, &list) || list.type != MP_ARRAY)
		return err_data(e, "bad header: 'history' is no list");
	for (size_t i = 0; i < list.len; i++)
		if (take_stage(h, c, e))
			return -1;
	return 0;
}

static int take_kind(struct header *h, struct mp *c, struct err *e)
{
	char *name = NULL;
	int k = 0, bad = take_text(c, "kind", &name, e);
	while (!bad && k < KIND_COUNT && strcmp(stream_kind_name[k], name) != 0)
		k++;
	if (!bad && k == KIND_COUNT)
		bad = err_data(e, "bad header: kind '%s' is not known", name);
	h->kind = (enum stream_kind)k;
	mem_free(name);
	return bad;
}

static int take_member(
	struct header *h, const struct mp_value *key, struct mp *c, int *have_kind, struct err *e)
{
	for (int i = 0; i < FINGERPRINTS; i++)
		if (is_key(key, fingerprint_name[i]))
			return take_text(c, fingerprint_name[i], fingerprint_of(h, i), e);
	if (is_key(key, "history"))
		return take_history(h, c, e);
	if (is_key(key, "kind")) {
		*have_kind = 1;
		return take_kind(h, c, e);
	}
	return mp_skip(c) ? err_data(e, "bad header") : 0;
}

int header_unpack(struct header *h, const uint8_t *p, size_t n, struct err *e)
{
	struct mp c = {p, p + n};
	struct mp_value map, key, version;
	int have_kind = 0;
	*h = (struct header){0};
	if (mp_next(&c, &map) || map.type != MP_MAP || !map.len || mp_next(&c, &key) ||
		!is_key(&key, STREAM_KEY))
		return err_data(e, "not a sluice stream (nor JSON lines)");
	if (mp_next(&c, &version) || version.type != MP_INT || version.i < 1)
		return err_data(e, "bad header: no format version");
	if (version.i > STREAM_VERSION)
		return err_data(e,
			"format version %lld is newer than this program, which reads up to %d",
			(long long)version.i, STREAM_VERSION);
	int bad = 0;
	for (size_t i = 1; !bad && i < map.len; i++)
		bad = mp_next(&c, &key) ? err_data(e, "bad header")
					: take_member(h, &key, &c, &have_kind, e);
	if (!bad && !have_kind)
		bad = err_data(e, "bad header: no kind");
	if (bad)
		header_done(h);
	return bad;
}

/* ---- agreement ---- */

int stream_check(const struct header *h, const char *what, const char *theirs, const char *ours,
	int ignore_mismatch, struct err *e)
{
	if (h->json || !theirs || !ours || ignore_mismatch || !strcmp(theirs, ours))
		return 0;
	return err_data(e,
		"%s: made with another %s (%s) than this one (%s); '--ignore-mismatch' uses it all "
		"the same",
		h->name ? h->name : "input", what, theirs, ours);
}

static int same(const char *what, const char *a_name, const char *a, const char *b, struct err *e)
{
	if (!strcmp(a ? a : "", b ? b : ""))
		return 0;
	return err_data(e, "made with %s '%s', but %s with '%s'; '--ignore-mismatch' uses both",
		what, b ? b : "none", a_name, a ? a : "none");
}

int header_agree(const struct header *a, const struct header *b, int ignore_mismatch, struct err *e)
{
	if (a->kind != b->kind)
		return err_data(e, "holds '%s' records, but %s '%s'", stream_kind_name[b->kind],
			a->name, stream_kind_name[a->kind]);
	if (a->json || b->json || ignore_mismatch)
		return 0;
	for (int i = 0; i < FINGERPRINTS; i++)
		if (same(fingerprint_name[i], a->name, *fingerprint_of(a, i), *fingerprint_of(b, i),
			    e))
			return -1;
	for (size_t i = 0; i < a->nhistory || i < b->nhistory; i++) {
		const struct stage none = {0};
		const struct stage *x = i < a->nhistory ? &a->history[i] : &none;
		const struct stage *y = i < b->nhistory ? &b->history[i] : &none;
		char *what = mem_printf("%s options", y->program ? y->program : x->program);
		int bad = same("program", a->name, x->program, y->program, e) ||
			  same(what, a->name, x->options, y->options, e) ||
			  same("another input of a stage", a->name, x->input, y->input, e);
		mem_free(what);
		if (bad)
			return -1;
	}
	return 0;
}
