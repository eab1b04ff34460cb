/* Rows from a stream to disk and back, as trees and micro-batches. */
#include "common/mem.h"
#include "tests/tap.h"
#include "tools/train-step/batch.h"
#include "tools/train-step/loss.h"

#include <unistd.h>

/* Rows 0, 2 and 5 have one prompt; row 3 has none. */
static const char pairs[] =
	"{\"prompt_ids\":[1,5,6],\"chosen_ids\":[7,8],\"rejected_ids\":[9]}\n"
	"{\"prompt_ids\":[1,5],\"chosen_ids\":[10],\"rejected_ids\":[11,12,13],\"ref_chosen_"
	"logps\":-1.5,"
	"\"ref_rejected_logps\":-2}\n"
	"{\"prompt_ids\":[1,5,6],\"chosen_ids\":[14],\"rejected_ids\":[15,16]}\n"
	"{\"prompt_ids\":[],\"chosen_ids\":[17,18],\"rejected_ids\":[19,20,21]}\n"
	"{\"prompt_ids\":[1,5,7],\"chosen_ids\":[22],\"rejected_ids\":[23]}\n"
	"{\"prompt_ids\":[1,5,6],\"chosen_ids\":[24],\"rejected_ids\":[25]}\n";

static const char texts[] = "{\"input_ids\":[1,2,3,4],\"completion_mask\":[1,0,1,1]}\n"
			    "{\"prompt_ids\":[5],\"completion_ids\":[6,7]}\n"
			    "{\"input_ids\":[8,9]}\n"
			    "{\"prompt_ids\":[5],\"chosen_ids\":[10],\"rejected_ids\":[11]}\n";

static int load(struct data *d, const char *text, unsigned needs, struct err *e)
{
	const char *tmp = getenv("TMPDIR");
	char *path = mem_printf("%s/batch-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	int fd = mkstemp(path);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		exit(3);
	close(fd);
	struct data_rules rules = {
		.needs = needs, .vocab = 30, .max_length = 8, .shard_i = 1, .shard_n = 1};
	int rc = data_load(d, &path, 1, &rules, e);
	unlink(path);
	mem_free(path);
	return rc;
}

static void must(int rc, const struct err *e)
{
	if (rc < 0) {
		printf("Bail out! %s\n", e->msg);
		exit(1);
	}
}

static void test_trees(void)
{
	struct data d;
	struct batch b = {0};
	struct err e = {0};
	static const uint32_t order[] = {4, 5, 1, 0, 3, 2};
	static const uint32_t want[] = {4, 5, 0, 2, 1, 3};
	unsigned needs = LOSS_PAIRS | LOSS_REFERENCE | LOSS_PROMPT_LABELS;
	must(load(&d, pairs, needs, &e), &e);
	is_int((long long)d.n, 6, "every row is kept");
	must(batch_load(&b, &d, order, 6, needs, &e), &e);
	int same = 1;
	for (size_t i = 0; i < 6; i++)
		same &= b.rows[i].index == want[i];
	ok(same, "rows with one prompt stand together, trees in the order of their first rows");
	is_int((long long)b.ntrees, 4, "a prompt is one tree, a row without one is its own");
	is_int((long long)b.trees[1].ntok, 3 + 2 + 3 + 3, "a shared prompt is there once");
	is_int(b.rows[2].nside[0] == 2 && b.rows[2].side[0][1] == 8 && b.rows[2].side[1][0] == 9, 1,
		"ids come back from disk");
	ok(strstr(b.rows[2].where, ":1") != NULL, "so does where they came from (%s)",
		b.rows[2].where);
	ok(isnan(b.loss[0].ref[0]) && b.loss[4].ref[0] == -1.5 && b.loss[4].ref[1] == -2,
		"cached log-probs are there, the others are known to be missing");
	ok(b.loss[1].prompt.at == b.loss[2].prompt.at && b.loss[1].prompt.n == 2,
		"rows of a tree share the prompt's labels");
	/* per row: prompt labels 2 2 2 2 1 0, chosen 1 1 2 1 1 1, rejected 1 1 1 2 3 2 */
	is_int((long long)b.total.prompt, 9, "the totals count a shared prompt once a row");
	is_int((long long)b.total.side[0], 7, "and the chosen labels");
	is_int((long long)b.total.side[1], 10,
		"and the rejected ones; a first token is never predicted");
	is_int((long long)b.nlabels, 2 + 2 + 1 + 0 + 7 + 10, "labels themselves are there once");
	batch_done(&b);
	data_done(&d);
}

/* However it is cut, the forests' labels are those of the plan, and no tree is cut. */
static void test_cuts(void)
{
	struct data d;
	struct batch b = {0};
	struct err e = {0};
	struct forest f = {0};
	static const uint32_t order[] = {0, 1, 2, 3, 4, 5};
	must(load(&d, pairs, LOSS_PAIRS, &e), &e);
	must(batch_load(&b, &d, order, 6, LOSS_PAIRS, &e), &e);
	for (size_t tokens = 1; tokens < 40; tokens += 6)
		for (size_t rows = 1; rows < 7; rows++) {
			struct cut c = {0, 0};
			size_t trees = 0, labels = 0, over = 0;
			while (batch_cut(&b, &c, tokens, rows)) {
				batch_forest(&b, &c, &f);
				size_t n = b.trees[c.tree1 - 1].row1 - b.trees[c.tree0].row0;
				over += c.tree1 - c.tree0 > 1 && (f.ntok > tokens || n > rows);
				over += b.trees[c.tree0].label0 != labels;
				labels += f.nlabels;
				trees += c.tree1 - c.tree0;
			}
			if (trees != b.ntrees || labels != b.nlabels || over) {
				ok(0, "cut by %zu tokens and %zu rows", tokens, rows);
				return;
			}
		}
	ok(1, "every cut holds each tree once, whole, within the limits, with the labels of the "
	      "plan");
	forest_done(&f);
	batch_done(&b);
	data_done(&d);
}

static void test_texts(void)
{
	struct data d;
	struct batch b = {0};
	struct err e = {0};
	struct forest f = {0};
	struct cut c = {0, 0};
	static const uint32_t order[] = {0, 1, 2, 3};
	must(load(&d, texts, 0, &e), &e);
	must(batch_load(&b, &d, order, 4, 0, &e), &e);
	ok(batch_cut(&b, &c, 100, 100) && c.tree1 == b.ntrees, "all rows fit at once");
	batch_forest(&b, &c, &f);
	static const uint32_t targets[] = {3, 4, 6, 7, 10, 9};
	int same = f.nlabels == 6;
	for (size_t i = 0; same && i < 6; i++)
		same &= f.labels[i].target == targets[i];
	ok(same, "text by its mask, completions whole, pairs by their chosen side");
	is_int((long long)b.total.side[0], 6, "as the totals say");
	is_int((long long)b.tokens, 4 + 3 + 2 + 2, "tokens count every sequence");
	ok(f.segs[1].parent == -1 && f.segs[2].parent == 1 && f.segs[3].parent == 1,
		"the rows with one prompt are its children");
	forest_done(&f);
	batch_done(&b);
	data_done(&d);
}

static void test_fingerprint(void)
{
	struct data a, b, c;
	struct err e = {0};
	must(load(&a, texts, 0, &e), &e);
	must(load(&b, texts, 0, &e), &e);
	must(load(&c, strchr(texts, '\n') + 1, 0, &e), &e);
	is_str(a.fingerprint, b.fingerprint, "the same rows from another file are the same data");
	ok(strcmp(a.fingerprint, c.fingerprint) != 0, "other rows are not");
	data_done(&a);
	data_done(&b);
	data_done(&c);
}

int main(void)
{
	test_trees();
	test_cuts();
	test_texts();
	test_fingerprint();
	return tap_done();
}
