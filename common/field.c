#include "common/field.h"

#include <string.h>

enum {
	TEXT = 1 << KIND_TEXT,
	TOKENS = 1 << KIND_TOKENS,
	TRAIN = 1 << KIND_TRAIN,
	TENSORS = 1 << KIND_TENSORS,
	ALL = TEXT | TOKENS | TRAIN | TENSORS,
};

const struct field_info field_table[] = {
	{"prompt", FT_STR, TEXT, "what comes before the answer; alone: a prompt for gen"},
	{"chosen", FT_STR, TEXT, "the preferred answer: what follows the prompt"},
	{"rejected", FT_STR, TEXT, "the other answer: what follows the prompt"},
	{"completion", FT_STR, TEXT, "the answer of a prompt-completion row"},
	{"label", FT_BOOL, TEXT | TOKENS, "KTO: whether the completion is wanted"},
	{"text", FT_STR, TEXT, "a whole text or conversation"},
	{"spans", FT_SPANS, TEXT,
		"[[from, to], ...]: bytes of text that are the assistant's words"},
	{"_templated", FT_BOOL, TEXT, "a chat template made the text: tok adds no BOS or EOS"},

	{"prompt_ids", FT_U32S, TOKENS, "token ids of the prompt"},
	{"chosen_ids", FT_U32S, TOKENS, "token ids of the preferred answer"},
	{"rejected_ids", FT_U32S, TOKENS, "token ids of the other answer"},
	{"completion_ids", FT_U32S, TOKENS, "token ids of the answer"},
	{"input_ids", FT_U32S, TOKENS, "token ids of a text row"},
	{"completion_mask", FT_U8S, TOKENS, "one byte for each of input_ids: 1 is trained on"},
	{"ref_chosen_logps", FT_NUM, TOKENS, "summed log-prob of chosen_ids under the reference"},
	{"ref_rejected_logps", FT_NUM, TOKENS, "the same of rejected_ids"},
	{"ref_completion_logps", FT_NUM, TOKENS,
		"the same of completion_ids, or of the ids that completion_mask marks"},
	{"ref_chosen_token_logps", FT_F32S, TOKENS, "log-prob of each of chosen_ids"},
	{"ref_rejected_token_logps", FT_F32S, TOKENS, "log-prob of each of rejected_ids"},
	{"ref_completion_token_logps", FT_F32S, TOKENS, "log-prob of each id of the answer"},

	{"step", FT_INT, TRAIN, "optimizer steps done"},
	{"epoch", FT_NUM, TRAIN, "passes over the data done"},
	{"loss", FT_NUM, TRAIN, "the step's loss, not rounded"},
	{"grad_norm", FT_NUM, TRAIN, "norm of the gradient before clipping"},
	{"learning_rate", FT_NUM, TRAIN, "the rate that the step used"},

	{"tensor", FT_STR, TRAIN | TENSORS, "name of the tensor that this piece belongs to"},
	{"dtype", FT_STR, TRAIN | TENSORS,
		"its type, as safetensors writes it: F32, BF16, U8, ..."},
	{"shape", FT_ANY, TRAIN | TENSORS, "its dimensions, an array of integers"},
	{"offset", FT_INT, TRAIN | TENSORS, "byte in the tensor where this piece begins"},
	{"file", FT_STR, TRAIN | TENSORS, "name of a small file that goes along"},
	{"data", FT_BIN, TRAIN | TENSORS, "the bytes of the piece or file, at most 64 MiB"},

	{"_source", FT_STR, ALL, "file:line (or row) that the record came from"},
	{"_reason", FT_STR, ALL, "in a reject stream: why the record could not be used"},
	{NULL, FT_ANY, 0, NULL},
};

/* refscore --prefix NAME writes these for any NAME. Longer endings first. */
static const struct field_info families[] = {
	{"_chosen_token_logps", FT_F32S, TOKENS, NULL},
	{"_rejected_token_logps", FT_F32S, TOKENS, NULL},
	{"_completion_token_logps", FT_F32S, TOKENS, NULL},
	{"_chosen_logps", FT_NUM, TOKENS, NULL},
	{"_rejected_logps", FT_NUM, TOKENS, NULL},
	{"_completion_logps", FT_NUM, TOKENS, NULL},
	{NULL, FT_ANY, 0, NULL},
};

const struct field_info *field_find(const char *name, size_t len)
{
	for (const struct field_info *f = field_table; f->name; f++)
		if (strlen(f->name) == len && !memcmp(f->name, name, len))
			return f;
	for (const struct field_info *f = families; f->name; f++) {
		size_t n = strlen(f->name);
		if (len > n && !memcmp(f->name, name + len - n, n))
			return f;
	}
	return NULL;
}

int field_reserved(const char *name, size_t len, unsigned kinds)
{
	if ((len && name[0] == '_') ||
		(len == strlen(STREAM_KEY) && !memcmp(name, STREAM_KEY, len)))
		return 1;
	const struct field_info *f = field_find(name, len);
	return f && (f->kinds & kinds);
}
