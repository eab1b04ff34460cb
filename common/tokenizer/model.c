#include "common/tokenizer/model.h"

#include "common/mem.h"
#include "common/tokenizer/json_tables.h"

#include <string.h>

static int load_vocab(struct tokenizer *t, const struct model_json *m, struct err *e)
{
	if (!m->vocab.s || *m->vocab.s != '{')
		return err_data(e, "'vocab' is not an object");
	if (json_tables_vocab(m->vocab, &t->vocab, e) || vocab_index(&t->vocab, e))
		return -1;
	vocab_drop_others(&t->vocab);
	return 0;
}

long model_unknown(const struct tokenizer *t, const char *token, struct err *e)
{
	long id = vocab_find(&t->vocab, token, strlen(token));
	return id < 0 ? err_data(e, "the unk_token '%.60s' is not in the vocabulary", token) : id;
}

static int load_bpe(struct tokenizer *t, const struct model_json *m, struct err *e)
{
	if (!has_tables(t) && load_vocab(t, m, e))
		return -1;
	return bpe_load(t, m->options, m->merges, e);
}

/* ---- WordLevel ------------------------------------------------------------------------------------ */

static int wordlevel_load(struct tokenizer *t, const struct model_json *m, struct err *e)
{
	char *unk;
	size_t len;
	if (load_vocab(t, m, e) || part_text(m->options, "unk_token", &unk, &len, e))
		return -1;
	t->model_data = unk;
	return unk ? 0 : err_data(e, "there is no 'unk_token'");
}

static int wordlevel_encode(const struct tokenizer *t, struct encoder *enc,
	const struct ntext *text, struct span piece, struct encoding *out, struct err *e)
{
	(void)enc;
	long id = vocab_find(&t->vocab, text->s + piece.from, piece.to - piece.from);
	if (id < 0 && (id = model_unknown(t, t->model_data, e)) < 0)
		return -1;
	encoding_put(out, (uint32_t)id, text, piece.from, piece.to);
	return 0;
}

/* ---- WordPiece's half that is not about text ------------------------------------------------------ */

static int load_wordpiece(struct tokenizer *t, const struct model_json *m, struct err *e)
{
	return load_vocab(t, m, e) || wordpiece_load(t, m, e) ? -1 : 0;
}

static const struct model_kind kinds[] = {
	{"BPE", load_bpe, NULL, NULL},
	{"WordPiece", load_wordpiece, wordpiece_encode, wordpiece_done},
	{"WordLevel", wordlevel_load, wordlevel_encode, NULL},
	{"Unigram", unigram_load, unigram_encode, unigram_done},
	{0},
};

/* Old files do not say which they are: the first whose members are all there. */
static const char *guess(const struct tokenizer *t, const struct model_json *m)
{
	if (has_tables(t)) /* of others nothing is compiled */
		return "BPE";
	if (m->vocab.s && *m->vocab.s == '[')
		return "Unigram";
	if (m->merges.s)
		return "BPE";
	if (!json_object_get(m->options, "unk_token"))
		return NULL;
	return json_object_get(m->options, "max_input_chars_per_word") &&
			       json_object_get(m->options, "continuing_subword_prefix")
		       ? "WordPiece"
		       : "WordLevel";
}

int model_load(struct tokenizer *t, const struct model_json *m, struct err *e)
{
	if (!json_is_object(m->options))
		return err_data(e, "there is no 'model'");
	const json_t *named = json_object_get(m->options, "type");
	const char *type = named ? json_string_value(named) : guess(t, m);
	if (!type)
		return err_data(e, "model: there is no 'type'");
	const struct model_kind *k = kinds;
	while (k->type && strcmp(k->type, type) != 0)
		k++;
	if (!k->type)
		return err_data(e, "model '%.60s' is not implemented", type);
	t->model = k;
	return k->load(t, m, e) ? err_prefix(e, "model %s", type) : 0;
}

void model_done(struct tokenizer *t)
{
	if (t->model && t->model->done && t->model_data)
		t->model->done(t->model_data);
	else
		mem_free(t->model_data);
}
