/* mpcat: looks into streams, counts, selects, joins, orders and checks their records. */
#include "common/die.h"
#include "common/io.h"
#include "common/mp.h"
#include "common/opts.h"
#include "tools/mpcat/source.h"

#include <stdlib.h>
#include <string.h>

static struct {
	int header, count, merge, shuffle, check, stream, skip_bad;
	int64_t head, skip, seed;
	const char *raw;
} opt = {.seed = 42};

static const struct opt own[] = {
	{NULL, 0, OPT_GROUP, NULL, NULL, "What to print (default: JSON lines, ids as numbers)"},
	{"header", 0, OPT_FLAG, &opt.header, NULL, "the headers, one line of JSON an operand"},
	{"count", 'c', OPT_FLAG, &opt.count, NULL, "the number of records"},
	{"raw", 'r', OPT_STR, &opt.raw, "FIELD",
		"one field, strings without quotes, bytes as they are"},
	{"stream", 's', OPT_FLAG, &opt.stream, NULL, "a stream again"},
	{"check", 0, OPT_FLAG, &opt.check, NULL, "whether trailers and checksums are right"},
	{NULL, 0, OPT_GROUP, NULL, NULL, "Which records"},
	{"head", 0, OPT_INT, &opt.head, "N", "the first N (after --skip)"},
	{"skip", 0, OPT_INT, &opt.skip, "N", "not the first N"},
	{"merge", 0, OPT_FLAG, &opt.merge, NULL, "one of each operand in turn: undoes --shard"},
	{"shuffle", 0, OPT_FLAG, &opt.shuffle, NULL, "in random order"},
	{"seed", 0, OPT_INT, &opt.seed, "S", "which random order (default 42)"},
	{"skip-bad", 0, OPT_FLAG, &opt.skip_bad, NULL,
		"go on after lines of JSON that cannot be used"},
	{"ignore-mismatch", 0, OPT_FLAG, &opts_common.ignore_mismatch, NULL,
		"join streams that were made differently"},
	{0},
};
static const struct opt *const tables[] = {own, opts_shard, opts_output, opts_base, NULL};
static const struct opt_program program = {
	.name = "mpcat",
	.usage = "[OPTION…] [FILE…]",
	.summary = "Shows, counts, selects, joins and checks the records of streams.",
	.examples = "  mpcat prefs.mp | jq .prompt\n"
		    "  mpcat --head 100 -s prefs.mp > some.mp\n"
		    "  mpcat -s a.mp b.mp -o both.mp\n"
		    "  mpcat --merge -s shard.1 shard.2 -o whole.mp\n",
	.tables = tables,
};

/* Where the records go: text (JSON lines, or one field) or a stream; -c counts only. */
struct sink {
	struct output *text;
	struct stream_writer *stream;
	struct str line;
	uint64_t records, printed;
	int failed; /* flushing in a pause did */
	struct err e;
};

static void flush_in_pause(void *arg)
{
	struct sink *k = arg;
	if (k->failed)
		return;
	if (k->text)
		k->failed = output_flush(k->text, &k->e);
	else if (k->stream)
		k->failed = stream_flush(k->stream, &k->e);
}

static void sink_open(struct sink *k, const struct source *s)
{
	const struct field_info *info = opt.raw ? field_find(opt.raw, strlen(opt.raw)) : NULL;
	int binary = info && info->type == FT_BIN, bad = 0;
	if (opt.stream)
		bad = stream_create(
			&k->stream, opts_common.output, opts_common.gzip, s->header, &k->e);
	else
		bad = output_open(&k->text, opts_common.output, binary, opts_common.gzip, &k->e);
	if (bad)
		die_err(&k->e);
}

/* One field: strings and bytes as they are, everything else as JSON. */
static void add_raw(struct str *line, const struct field *f)
{
	const struct field_info *info = field_find(f->key, f->keylen);
	enum field_type type = info ? info->type : FT_ANY;
	struct mp c = {f->val, f->val + f->vallen};
	struct mp_value v;
	if (mp_next(&c, &v))
		return;
	if (v.type == MP_STR || (v.type == MP_BIN && (type == FT_BIN || type == FT_ANY)))
		str_add(line, v.p, v.len);
	else
		record_value_json(line, f->val, f->vallen, type);
	if (v.type != MP_BIN || type != FT_BIN)
		str_addc(line, '\n');
}

static int sink_put(struct sink *k, const struct record *rec, struct err *e)
{
	k->records++;
	if (opt.count)
		return 0;
	if (k->stream)
		return stream_write(k->stream, rec, e);
	str_reset(&k->line);
	if (opt.raw) {
		const struct field *f = record_get(rec, opt.raw);
		if (!f)
			return 0;
		add_raw(&k->line, f);
	} else {
		record_to_json(&k->line, rec);
		str_addc(&k->line, '\n');
	}
	k->printed++;
	return output_write(k->text, k->line.s, k->line.len, e);
}

static int sink_close(struct sink *k, uint64_t skipped, struct err *e)
{
	struct stream_writer *stream = k->stream;
	struct output *text = k->text;
	str_reset(&k->line);
	if (opt.count)
		str_addf(&k->line, "%llu\n", (unsigned long long)k->records);
	k->stream = NULL;
	k->text = NULL;
	if (stream)
		return stream_finish(stream, skipped, e);
	if (k->line.len && output_write(text, k->line.s, k->line.len, e)) {
		output_abandon(text);
		return -1;
	}
	return output_commit(text, e);
}

static void copy_records(struct source *s)
{
	struct sink k = {0};
	struct record rec = {0};
	struct err e;
	uint64_t seen = 0, bad_lines = 0,
		 head = opts_given("head") ? (uint64_t)opt.head : UINT64_MAX;
	int got = 1, bad = 0;
	sink_open(&k, s);
	s->on_pause(s, flush_in_pause, &k);
	while (!bad && k.records < head && (got = s->next(s, &rec, &e)) != 0) {
		if (got == STREAM_BAD && opt.skip_bad) {
			bad_lines++;
			die_report(&e);
			continue;
		}
		bad = got != 1;
		if (!bad && seen++ >= (uint64_t)opt.skip)
			bad = sink_put(&k, &rec, &e);
		if (!bad && k.failed) {
			e = k.e;
			bad = -1;
		}
	}
	record_done(&rec);
	if (!bad && opt.raw && k.records && !k.printed)
		bad = err_data(&e, "no record has a field '%s'", opt.raw);
	if (!bad)
		bad = sink_close(&k, s->skipped + bad_lines, &e);
	stream_abandon(k.stream);
	if (k.text) /* what was printed before the error stays: it is the user's to see */
		flush_in_pause(&k);
	output_abandon(k.text);
	str_done(&k.line);
	s->close(s);
	if (bad)
		die_err(&e);
}

/* ---- without looking at records ---- */

static void print_line(struct output *o, const struct str *line)
{
	struct err e;
	if (output_write(o, line->s, line->len, &e))
		die_err(&e);
}

/* --header and --check: a line an operand. A bad one is reported and the next looked at. */
static void each_operand(char *const *paths, size_t n)
{
	struct output *o;
	struct str line = {0};
	struct record rec = {0};
	struct err e;
	int status = STATUS_OK;
	if (output_open(&o, opts_common.output, 0, opts_common.gzip, &e))
		die_err(&e);
	for (size_t i = 0; i < n; i++) {
		struct stream_reader *r = NULL;
		uint64_t records = 0;
		int got = stream_open(&r, paths + i, 1, ~0u, 1, 1, &e) ? -1 : 0;
		if (!got)
			stream_ignore_mismatch(r);
		while (!got && opt.check && (got = stream_read(r, &rec, &e)) == 1) {
			records++;
			got = 0;
		}
		str_reset(&line);
		if (got < 0) {
			die_report(&e);
			status = status > e.status ? status : e.status;
		} else if (opt.check) {
			str_addf(&line, "%s: ok, %llu %s records, %llu skipped\n", paths[i],
				(unsigned long long)records,
				stream_kind_name[stream_header(r)->kind],
				(unsigned long long)stream_skipped(r));
		} else {
			header_to_json(&line, stream_header(r));
			str_addc(&line, '\n');
		}
		stream_close(r);
		print_line(o, &line);
	}
	record_done(&rec);
	str_done(&line);
	if (output_commit(o, &e))
		die_err(&e);
	if (status)
		exit(status);
}

int main(int argc, char **argv)
{
	static char standard_input[] = "-", *only[] = {standard_input};
	struct source *s;
	struct err e;
	die_init("mpcat");
	int first = opts_parse(&program, argc, argv);
	char **paths = argv + first;
	size_t n = (size_t)(argc - first);
	if (!n) {
		paths = only;
		n = 1;
	}
	if (opt.header + opt.count + opt.check + opt.stream + !!opt.raw > 1)
		die(STATUS_USAGE, "only one of --header, -c, -r, -s and --check at a time");
	if (opts_given("seed") && !opt.shuffle)
		die(STATUS_USAGE, "--seed is of use with --shuffle only");
	if (opt.merge && opts_common.shard_n > 1)
		die(STATUS_USAGE, "--merge and --shard exclude each other");
	if (opt.header || opt.check) {
		each_operand(paths, n);
		return STATUS_OK;
	}
	if (opt.merge ? source_merge(&s, paths, n, opts_common.ignore_mismatch, &e)
		      : source_open(&s, paths, n, opts_common.shard_i, opts_common.shard_n,
				opts_common.ignore_mismatch, &e))
		die_err(&e);
	if (opt.shuffle && source_shuffle(&s, s, (uint64_t)opt.seed, &e))
		die_err(&e);
	copy_records(s);
	return STATUS_OK;
}
