#include "tools/train-step/data.h"

#include "common/mem.h"
#include "tools/train-step/loss.h"
#include "tools/train-step/order.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the file
 * ------------------------------------------------------------------------------------ */

enum { SPOOL_BUFFER = 256 * 1024 };

struct spool {
	int fd;
	uint64_t size;
	size_t used;
	uint8_t buf[SPOOL_BUFFER];
	struct fingerprint *print;
};

static int open_unlinked(struct err *e)
{
	const char *dir = getenv("TMPDIR");
	if (!dir || !*dir)
		dir = "/tmp";
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	char *path = mem_printf("%s/train-step.XXXXXX", dir);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		err_sys(e, "cannot make a temporary file in '%s' (TMPDIR)", dir);
	else
		unlink(path);
	mem_free(path);
	return fd;
}

static int spool_flush(struct spool *s, struct err *e)
{
	for (size_t done = 0; done < s->used;) {
		ssize_t n = write(s->fd, s->buf + done, s->used - done);
		if (n < 0 && errno != EINTR)
			return err_sys(e, "cannot keep the rows in a temporary file (TMPDIR)");
		done += n > 0 ? (size_t)n : 0;
	}
	s->used = 0;
	return 0;
}

static int spool_write(struct spool *s, const void *p, size_t n, struct err *e)
{
	const uint8_t *from = p;
	s->size += n;
	while (n) {
		size_t part = sizeof s->buf - s->used < n ? sizeof s->buf - s->used : n;
		memcpy(s->buf + s->used, from, part);
		s->used += part;
		from += part;
		n -= part;
		if (s->used == sizeof s->buf && spool_flush(s, e) < 0)
			return -1;
	}
	return 0;
}

/* How a row lies there: five counts, the ids, then the mask and the name, each filled up to a word.
 */
enum { HEAD_PROMPT, HEAD_SIDE0, HEAD_SIDE1, HEAD_MASK, HEAD_WHERE, HEAD_WORDS };

static size_t words_of(size_t bytes)
{
	return (bytes + 3) / 4;
}

static int spool_row(struct spool *s, const struct row *r, struct err *e)
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
		if (spool_write(s, parts[i].p, parts[i].bytes, e) < 0 ||
			spool_write(s, zeros, words_of(parts[i].bytes) * 4 - parts[i].bytes, e) < 0)
			return -1;
		if (i + 1 < PARTS) /* the same rows under another name are the same data */
			fingerprint_add(s->print, parts[i].p, parts[i].bytes);
	}
	return 0;
}

int data_row(const struct data *d, size_t i, struct row *row, struct err *e)
{
	size_t bytes = (size_t)(d->at[i + 1] - d->at[i]);
	mem_grow(&row->words, &row->cap, bytes / 4, 4);
	for (size_t got = 0; got < bytes;) {
		ssize_t n = pread(
			d->fd, (char *)row->words + got, bytes - got, (off_t)(d->at[i] + got));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "cannot read the temporary file");
		if (n == 0)
			return err_set(e, STATUS_SYSTEM, "the temporary file has been cut short");
		got += (size_t)n;
	}
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

/* ---- from a record to a row, checked
 * ------------------------------------------------------------- */

static int field_ids(
	struct record *rec, const char *key, const uint32_t **ids, size_t *n, struct err *e)
{
	int rc = record_u32s(rec, key, ids, n, e);
	if (rc == 0)
		return err_data(e, "%s: there is no '%s'", rec->where, key);
	return rc < 0 ? -1 : 0;
}

static int row_from_pair(struct record *rec, int pairs, struct row *r, struct err *e)
{
	if (field_ids(rec, "prompt_ids", &r->prompt, &r->nprompt, e) < 0 ||
		field_ids(rec, "chosen_ids", &r->side[0], &r->nside[0], e) < 0)
		return -1;
	return pairs ? field_ids(rec, "rejected_ids", &r->side[1], &r->nside[1], e) : 0;
}

static int row_from_text(struct record *rec, struct row *r, struct err *e)
{
	size_t n = 0;
	if (field_ids(rec, "input_ids", &r->side[0], &r->nside[0], e) < 0)
		return -1;
	int rc = record_bytes(rec, "completion_mask", &r->mask, &n, e);
	if (rc > 0 && n != r->nside[0])
		return err_data(e, "%s: 'completion_mask' has %zu entries for %zu 'input_ids'",
			rec->where, n, r->nside[0]);
	return rc < 0 ? -1 : 0;
}

static int row_from_record(struct record *rec, unsigned needs, struct row *r, struct err *e)
{
	*r = (struct row){.where = rec->where};
	if (record_get(rec, "chosen_ids") || needs & LOSS_PAIRS)
		return row_from_pair(rec, (needs & LOSS_PAIRS) != 0, r, e);
	if (!record_get(rec, "completion_ids"))
		return row_from_text(rec, r, e);
	if (field_ids(rec, "prompt_ids", &r->prompt, &r->nprompt, e) < 0)
		return -1;
	return field_ids(rec, "completion_ids", &r->side[0], &r->nside[0], e);
}

static int check_ids(const uint32_t *ids, size_t n, size_t vocab, const char *where, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i] >= vocab)
			return err_data(e, "%s: token %u is beyond the model's vocabulary of %zu",
				where, ids[i], vocab);
	return 0;
}

/* Whether anything is trained on: the first token of a sequence is never predicted. */
static int has_label(const struct row *r)
{
	for (size_t i = r->nprompt ? 0 : 1; i < r->nside[0]; i++)
		if (!r->mask || r->mask[i])
			return 1;
	return 0;
}

static int check_row(const struct row *r, const struct data_rules *rules, struct err *e)
{
	int sides = rules->needs & LOSS_PAIRS ? 2 : 1;
	for (int s = 0; s < sides; s++) {
		const char *name = sides == 1 ? "completion"
				   : s	      ? "rejected completion"
					      : "chosen completion";
		if (r->nside[s] == 0)
			return err_data(e, "%s: the %s is empty", r->where, name);
		if (rules->max_length && r->nprompt + r->nside[s] > rules->max_length)
			return err_data(e,
				"%s: %zu tokens with the %s, over --max-length %zu (tok "
				"--max-length cuts rows)",
				r->where, r->nprompt + r->nside[s], name, rules->max_length);
		if (check_ids(r->side[s], r->nside[s], rules->vocab, r->where, e) < 0)
			return -1;
	}
	if (!has_label(r) || (sides == 2 && r->nprompt + r->nside[1] < 2))
		return err_data(e, "%s: no token to train on", r->where);
	return check_ids(r->prompt, r->nprompt, rules->vocab, r->where, e);
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

/* ---- loading
 * -------------------------------------------------------------------------------------- */

static int add_row(struct data *d, struct spool *s, struct record *rec,
	const struct data_rules *rules, struct err *e)
{
	struct row row;
	double ref[2];
	if (row_from_record(rec, rules->needs, &row, e) < 0 || check_row(&row, rules, e) < 0)
		return -1;
	if (rules->needs & LOSS_REFERENCE) {
		if (read_reference(rec, ref, e) < 0)
			return -1;
		mem_grow(&d->ref, &d->ref_cap, d->n + 1, sizeof *d->ref);
		memcpy(d->ref[d->n], ref, sizeof ref);
		fingerprint_add(s->print, ref, sizeof ref);
	}
	if (spool_row(s, &row, e) < 0)
		return -1;
	mem_grow(&d->at, &d->cap, d->n + 2, sizeof *d->at);
	d->at[++d->n] = s->size;
	return d->n <= ORDER_MAX ? 0 : err_set(e, STATUS_SYSTEM, "more than %d rows", ORDER_MAX);
}

static int read_all(struct data *d, struct spool *s, struct stream_reader *in, struct rejects *bad,
	const struct data_rules *rules, struct err *e)
{
	struct record rec = {0};
	int rc, bad_row = 0;
	while (!bad_row && (rc = stream_read(in, &rec, e)) != 0 && (rc > 0 || rc == STREAM_BAD))
		if (rc == STREAM_BAD || add_row(d, s, &rec, rules, e) < 0)
			bad_row = rejects_add(bad, &rec, e) < 0;
	record_done(&rec);
	return bad_row || rc < 0 ? -1 : 0;
}

static int check_header(const struct header *h, const struct data_rules *rules, struct err *e)
{
	if (stream_check(
		    h, "tokenizer", h->tokenizer, rules->tokenizer, rules->ignore_mismatch, e) < 0)
		return -1;
	if (!(rules->needs & LOSS_REFERENCE))
		return 0;
	return stream_check(
		h, "reference", h->reference, rules->reference, rules->ignore_mismatch, e);
}

static int load(struct data *d, struct spool *s, struct stream_reader *in,
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
	int rc = read_all(d, s, in, &bad, rules, e);
	d->skipped = bad.count;
	if (rc < 0)
		rejects_abandon(&bad);
	else if (rejects_close(&bad, e) < 0 || spool_flush(s, e) < 0)
		rc = -1;
	if (rc == 0 && d->n == 0)
		return err_data(e, "there are no rows to train on");
	return rc;
}

int data_load(
	struct data *d, char *const *paths, size_t n, const struct data_rules *rules, struct err *e)
{
	struct stream_reader *in;
	*d = (struct data){.fd = open_unlinked(e)};
	if (d->fd < 0)
		return -1;
	if (stream_open(&in, paths, n, 1 << KIND_TOKENS, rules->shard_i, rules->shard_n, e) < 0)
		return -1;
	struct spool *s = mem_zalloc(1, sizeof *s);
	s->fd = d->fd;
	s->print = fingerprint_new();
	mem_grow(&d->at, &d->cap, 1, sizeof *d->at);
	d->at[0] = 0;
	int rc = load(d, s, in, rules, e);
	fingerprint_end(s->print, d->fingerprint);
	mem_free(s);
	stream_close(in);
	return rc;
}

void data_done(struct data *d)
{
	if (d->fd >= 0)
		close(d->fd);
	mem_free(d->at);
	mem_free(d->ref);
	header_done(&d->header);
	*d = (struct data){.fd = -1};
}
