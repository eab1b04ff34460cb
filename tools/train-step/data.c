#include "tools/train-step/data.h"

#include "common/example.h"
#include "common/mem.h"
#include "tools/train-step/loss.h"
#include "tools/train-step/order.h"

#include <math.h>
#include <string.h>

/* ---- the spool ---- */

/* How a row lies there: five counts, the ids, then the mask and the name, each filled up to a word.
 */
enum { HEAD_PROMPT, HEAD_SIDE0, HEAD_SIDE1, HEAD_MASK, HEAD_WHERE, HEAD_WORDS };

static size_t words_of(size_t bytes)
{
	return (bytes + 3) / 4;
}

static int spool_row(struct data *d, struct fingerprint *print, const struct row *r, struct err *e)
{
	static const uint8_t zeros[4];
	size_t mask = r->mask ? r->nside[0] : 0, where = strlen(r->where) + 1;
	uint32_t head[HEAD_WORDS] = {(uint32_t)r->nprompt, (uint32_t)r->nside[0],
		(uint32_t)r->nside[1], (uint32_t)mask, (uint32_t)where};
	const struct {
		const void *p;
		size_t bytes;
	} parts[] = {{head, sizeof head}, {r->prompt, r->nprompt * 4},
		{r->side[0], r->nside[0] * 4}, {r->side[1], r->nside[1] * 4}, {r->mask, mask},
		{r->where, where}};
	enum { PARTS = sizeof parts / sizeof *parts };
	for (size_t i = 0; i < PARTS; i++) {
		if (spool_write(d->spool, parts[i].p, parts[i].bytes, e) < 0 ||
			spool_write(d->spool, zeros, words_of(parts[i].bytes) * 4 - parts[i].bytes,
				e) < 0)
			return -1;
		if (i > 0 && i + 1 < PARTS) /* the same rows under another name are the same data */
			fingerprint_add(print, parts[i].p, parts[i].bytes);
	}
	fingerprint_add(print, head, HEAD_WHERE * sizeof *head);
	return 0;
}

int data_row(const struct data *d, size_t i, struct row *row, struct err *e)
{
	size_t bytes = (size_t)(d->at[i + 1] - d->at[i]);
	mem_grow(&row->words, &row->cap, bytes / 4, 4);
	if (spool_read(d->spool, d->at[i], row->words, bytes, e) < 0)
		return -1;
	const uint32_t *head = row->words, *p = head + HEAD_WORDS;
	row->index = (uint32_t)i;
	row->nprompt = head[HEAD_PROMPT];
	row->nside[0] = head[HEAD_SIDE0];
	row->nside[1] = head[HEAD_SIDE1];
	row->prompt = p;
	row->side[0] = p += row->nprompt;
	row->side[1] = p += row->nside[0];
	p += row->nside[1];
	row->mask = head[HEAD_MASK] ? (const uint8_t *)p : NULL;
	row->where = (const char *)(p + words_of(head[HEAD_MASK]));
	return 0;
}

void row_done(struct row *row)
{
	mem_free(row->words);
	*row = (struct row){0};
}

/* ---- from a record to a row ---- */

static int row_from_record(
	struct record *rec, const struct data_rules *rules, struct row *r, struct err *e)
{
	struct example ex;
	if (example_read(rec, rules->vocab, &ex, e) < 0)
		return -1;
	int sides = rules->needs & LOSS_PAIRS ? 2 : 1;
	if (ex.nsides < sides)
		return err_data(e, "%s: the loss needs pairs, and there is no '%s'", rec->where,
			ex.nprompt && strcmp(ex.side[0].name, "chosen") == 0 ? "rejected_ids"
									     : "chosen_ids");
	*r = (struct row){.where = rec->where, .prompt = ex.prompt, .nprompt = ex.nprompt};
	for (int s = 0; s < sides; s++) {
		r->side[s] = ex.side[s].ids;
		r->nside[s] = ex.side[s].n;
		if (rules->max_length && r->nprompt + r->nside[s] > rules->max_length)
			return err_data(e,
				"%s: %zu tokens with the %s, over --max-length %zu (tok "
				"--max-length cuts rows)",
				rec->where, r->nprompt + r->nside[s], ex.side[s].name,
				rules->max_length);
	}
	r->mask = ex.side[0].mask;
	return 0;
}

/* Cached reference log-probs, both or neither. */
static int read_reference(struct record *rec, double ref[2], struct err *e)
{
	static const char *const keys[] = {"ref_chosen_logps", "ref_rejected_logps"};
	int have = 0;
	ref[0] = ref[1] = NAN;
	for (int s = 0; s < 2; s++) {
		int rc = record_f64(rec, keys[s], &ref[s], e);
		if (rc < 0)
			return -1;
		if (rc > 0 && !isfinite(ref[s]))
			return err_data(e, "%s: '%s' is not finite", rec->where, keys[s]);
		have += rc > 0;
	}
	if (have == 1)
		return err_data(e, "%s: '%s' without '%s'", rec->where, keys[isnan(ref[0])],
			keys[isnan(ref[1])]);
	return 0;
}

/* ---- loading ---- */

static int add_row(struct data *d, struct fingerprint *print, struct record *rec,
	const struct data_rules *rules, struct err *e)
{
	struct row row = {0};
	double ref[2];
	if (row_from_record(rec, rules, &row, e) < 0)
		return -1;
	if (rules->needs & LOSS_REFERENCE) {
		if (read_reference(rec, ref, e) < 0)
			return -1;
		mem_grow(&d->ref, &d->ref_cap, d->n + 1, sizeof *d->ref);
		memcpy(d->ref[d->n], ref, sizeof ref);
		fingerprint_add(print, ref, sizeof ref);
	}
	if (spool_row(d, print, &row, e) < 0)
		return -1;
	mem_grow(&d->at, &d->cap, d->n + 2, sizeof *d->at);
	d->at[++d->n] = spool_size(d->spool);
	return d->n <= ORDER_MAX ? 0 : err_set(e, STATUS_SYSTEM, "more than %d rows", ORDER_MAX);
}

static int read_all(struct data *d, struct fingerprint *print, struct stream_reader *in,
	struct rejects *bad, const struct data_rules *rules, struct err *e)
{
	struct record rec = {0};
	int rc, stop = 0;
	while (!stop && (rc = stream_read(in, &rec, e)) != 0 && (rc > 0 || rc == STREAM_BAD))
		if (rc == STREAM_BAD || add_row(d, print, &rec, rules, e) < 0)
			stop = rejects_add(bad, &rec, e) < 0;
	record_done(&rec);
	return stop || rc < 0 ? -1 : 0;
}

static int check_header(const struct header *h, const struct data_rules *rules, struct err *e)
{
	char ours[FINGERPRINT_LEN] = "";
	if (rules->tokenizer) {
		memcpy(ours, rules->tokenizer, sizeof ours);
		fingerprint_either(ours, h->tokenizer);
	}
	if (stream_check(h, "tokenizer", h->tokenizer, *ours ? ours : NULL, rules->ignore_mismatch,
		    e) < 0)
		return -1;
	if (!(rules->needs & LOSS_REFERENCE))
		return 0;
	return stream_check(
		h, "reference", h->reference, rules->reference, rules->ignore_mismatch, e);
}

static int load(struct data *d, struct fingerprint *print, struct stream_reader *in,
	const struct data_rules *rules, struct err *e)
{
	struct rejects bad = {0};
	const struct header *h = stream_header(in);
	if (check_header(h, rules, e) < 0 ||
		rejects_open(&bad, rules->skip_bad, rules->rejects, h, e) < 0)
		return -1;
	if (rules->ignore_mismatch)
		stream_ignore_mismatch(in);
	header_copy(&d->header, h);
	if (read_all(d, print, in, &bad, rules, e) < 0) {
		rejects_abandon(&bad);
		return -1;
	}
	d->skipped = stream_skipped(in) + bad.count;
	if (rejects_close(&bad, e) < 0 || spool_flush(d->spool, e) < 0)
		return -1;
	return d->n ? 0 : err_data(e, "there are no rows to train on");
}

int data_load(
	struct data *d, char *const *paths, size_t n, const struct data_rules *rules, struct err *e)
{
	struct stream_reader *in;
	*d = (struct data){0};
	if (spool_open(&d->spool, e) < 0 ||
		stream_open(&in, paths, n, 1 << KIND_TOKENS, rules->shard_i, rules->shard_n, e) < 0)
		return -1;
	struct fingerprint *print = fingerprint_new();
	mem_grow(&d->at, &d->cap, 1, sizeof *d->at);
	d->at[0] = 0;
	int rc = load(d, print, in, rules, e);
	fingerprint_end(print, d->fingerprint);
	stream_close(in);
	return rc;
}

void data_done(struct data *d)
{
	spool_close(d->spool);
	mem_free(d->at);
	mem_free(d->ref);
	header_done(&d->header);
	*d = (struct data){0};
}
