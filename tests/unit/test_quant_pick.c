/* Which modules are converted: transformers' own answers (tests/oracle/quant.py). */
#include "common/mem.h"
#include "tests/tap.h"
#include "tools/quant/pick.h"

#include <stdio.h>
#include <string.h>

static int picked(const char *skip, const char *module, size_t rank, enum dtype dtype)
{
	struct err e = {0};
	struct pick *p;
	if (pick_new(&p, skip, &e))
		return -2;
	struct st_tensor t = {.name = mem_printf("%s.weight", module),
		.rank = rank,
		.elements = 4,
		.dtype = dtype};
	int rc = pick_weight(p, &t, &e);
	mem_free(t.name);
	pick_free(p);
	return rc;
}

static void check_answers(void)
{
	char pattern[100], module[100];
	int convert, n = 0, wrong = 0;
	FILE *f = fopen("tests/golden/quant/skips.tsv", "r");
	while (f && fscanf(f, "%99s %99s %d", pattern, module, &convert) == 3) {
		n++;
		if (picked(pattern, module, 2, DT_BF16) == convert)
			continue;
		diag("'%s' and '%s': %d there", pattern, module, convert);
		wrong++;
	}
	if (f)
		fclose(f);
	ok(n > 50, "%d answers", n);
	is_int(wrong, 0, "patterns leave out what they leave out in transformers");
}

int main(void)
{
	check_answers();
	is_int(picked(NULL, "lm_head", 2, DT_F32), 0, "the output head is left out by default");
	is_int(picked("q_proj", "lm_head", 2, DT_F32), 1, "a list of the user's replaces that");
	is_int(picked(NULL, "model.layers.0.mlp.up_proj", 2, DT_F32), 1, "a linear layer is taken");
	is_int(picked(NULL, "model.embed_tokens", 2, DT_F32), 0, "an embedding is not");
	is_int(picked(NULL, "transformer.wte", 2, DT_F32), 0, "whatever its name");
	is_int(picked(NULL, "model.norm", 1, DT_F32), 0, "nor a norm");
	is_int(picked(NULL, "model.layers.0.mlp.up_proj", 2, DT_I8), 0, "nor what is no float");
	is_int(picked(NULL, "h.0.attn.c_attn", 2, DT_F32), -1, "a Conv1D is refused");
	is_int(picked("q_proj,(", "x", 2, DT_F32), -2, "so is a pattern that is none");
	is_int(picked("(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b", 2, DT_F32), -1,
		"and one that never ends");
	return tap_done();
}
