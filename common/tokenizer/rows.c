#include "common/tokenizer/rows.h"

#include "common/io.h"
#include "common/json.h"
#include "common/mem.h"

static void add_stop(struct row_rule *r, long id)
{
	size_t room = sizeof r->stop / sizeof *r->stop;
	if (id < 0 || id > UINT32_MAX || r->nstop == room || row_rule_is_stop(r, (uint32_t)id))
		return;
	r->stop[r->nstop++] = (uint32_t)id;
}

/* eos_token_id: a number or a list of them. */
static int read_stops(struct row_rule *r, const char *dir, const char *name, struct err *e)
{
	char *path = io_path(dir, name);
	json_t *config = io_exists(path) ? json_read_file(path, e) : json_object();
	mem_free(path);
	if (!config)
		return -1;
	json_t *eos = json_object_get(config, "eos_token_id");
	if (json_is_integer(eos))
		add_stop(r, (long)json_integer_value(eos));
	for (size_t i = 0; i < json_array_size(eos); i++) {
		json_t *id = json_array_get(eos, i);
		if (json_is_integer(id))
			add_stop(r, (long)json_integer_value(id));
	}
	json_decref(config);
	return 0;
}

int row_rule_load(struct row_rule *r, const struct tokenizer *t, const char *dir, struct err *e)
{
	*r = (struct row_rule){
		.bos = tokenizer_adds_bos(t) ? tokenizer_bos(t) : -1, .eos = tokenizer_eos(t)};
	add_stop(r, r->eos);
	if (read_stops(r, dir, "generation_config.json", e) < 0)
		return -1;
	return read_stops(r, dir, "config.json", e);
}

int row_rule_is_stop(const struct row_rule *r, uint32_t id)
{
	for (size_t i = 0; i < r->nstop; i++)
		if (r->stop[i] == id)
			return 1;
	return 0;
}

int row_rule_encode(const struct row_rule *r, struct encoder *enc, const char *text, size_t len,
	int templated, struct encoding *out, struct err *e)
{
	size_t first = out->n;
	int add = !templated && r->bos >= 0;
	if (add)
		encoding_add(out, (uint32_t)r->bos, 0, 0);
	if (tokenizer_encode(enc, text, len, 0, out, e) < 0)
		return -1;
	size_t n = out->n - first;
	if (r->bos < 0 || n < 2 || out->ids[first] != r->bos || out->ids[first + 1] != r->bos)
		return 0;
	if (!add || (n > 2 && out->ids[first + 2] == r->bos))
		return err_data(e, "two BOS tokens in a row");
	/* The text brought its own: that one stays. */
	encoding_drop(out, first);
	return 0;
}

int row_rule_encode_after(const struct row_rule *r, struct encoder *enc,
	const struct encoding *before, const char *text, size_t len, int templated,
	struct encoding *out, struct err *e)
{
	/* With three ids BOS has been looked for. */
	return before->settled_ids >= 3 ? tokenizer_encode_after(enc, before, text, len, out, e)
					: row_rule_encode(r, enc, text, len, templated, out, e);
}

void row_rule_end(const struct row_rule *r, int templated, struct encoding *enc)
{
	if (templated || r->eos < 0 || (enc->n && row_rule_is_stop(r, enc->ids[enc->n - 1])))
		return;
	encoding_add(enc, (uint32_t)r->eos, 0, 0);
}
