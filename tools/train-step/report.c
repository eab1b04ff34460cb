#include "tools/train-step/report.h"

#include "common/die.h"
#include "common/json.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- records ---- */

json_t *report_new(uint64_t step, double epoch)
{
	json_t *o = json_object();
	report_count(o, "step", step);
	report_number(o, "epoch", epoch);
	return o;
}

void report_number(json_t *o, const char *name, double v)
{
	json_object_set_new(o, name, json_real(v));
}

void report_count(json_t *o, const char *name, uint64_t v)
{
	json_object_set_new(o, name, json_integer((json_int_t)v));
}

int report_put(struct report *r, json_t *o, struct err *e)
{
	struct record rec = {0};
	int rc = record_from_json(&rec, o, e);
	if (rc == 0)
		rc = stream_write(r->w, &rec, e);
	if (rc == 0)
		rc = stream_flush(r->w, e);
	record_done(&rec);
	json_write(&r->log, o, 1);
	str_addc(&r->log, '\n');
	json_decref(o);
	return rc;
}

int report_replay(struct report *r, const char *lines, size_t len, struct err *e)
{
	for (const char *end; len; len -= (size_t)(end - lines), lines = end) {
		const char *nl = memchr(lines, '\n', len);
		end = nl ? nl + 1 : lines + len;
		json_t *o = json_read_bytes(lines, (size_t)(end - lines), e);
		if (!o || report_put(r, o, e) < 0)
			return -1;
	}
	return 0;
}

/* ---- clocks ---- */

static const double quiet_time = 10; /* seconds between progress lines */

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int report_start(struct report *r, const char *timing, uint64_t step, uint64_t total,
	uint64_t tokens, struct err *e)
{
	r->started = r->said = r->lapped = now();
	r->first_step = step;
	r->total_steps = total;
	r->first_tokens = r->said_tokens = r->lap_tokens = tokens;
	if (timing && !(r->timing = fopen(timing, "w")))
		return err_sys(e, "cannot write '%s'", timing);
	return 0;
}

int report_progress(
	struct report *r, uint64_t step, double epoch, double loss, uint64_t tokens, struct err *e)
{
	double t = now();
	if (r->timing) {
		double lap = t - r->lapped;
		fprintf(r->timing,
			"{\"step\": %llu, \"seconds\": %.6f, \"tokens_per_second\": %.1f}\n",
			(unsigned long long)step, lap, (double)(tokens - r->lap_tokens) / lap);
		if (fflush(r->timing) != 0)
			return err_sys(e, "cannot write the --timing file");
		r->lapped = t;
		r->lap_tokens = tokens;
	}
	double rate = (double)(tokens - r->said_tokens) / (t - r->said);
	const char *line = "step %llu of %llu, epoch %.2f, loss %.4f, %.0f tokens/s";
	unsigned long long at = step, of = r->total_steps;
	if (isatty(STDERR_FILENO))
		die_progress(line, at, of, epoch, loss, rate);
	if (t - r->said < quiet_time)
		return 0;
	if (!isatty(STDERR_FILENO))
		die_note(line, at, of, epoch, loss, rate);
	r->said = t;
	r->said_tokens = tokens;
	return 0;
}

int report_end(struct report *r, uint64_t step, uint64_t tokens, struct err *e)
{
	double t = now() - r->started;
	if (step > r->first_step)
		die_note("%llu steps in %.1f s, %.0f tokens/s",
			(unsigned long long)(step - r->first_step), t,
			(double)(tokens - r->first_tokens) / t);
	FILE *f = r->timing;
	r->timing = NULL;
	return f && fclose(f) != 0 ? err_sys(e, "cannot write the --timing file") : 0;
}

void report_done(struct report *r)
{
	if (r->timing)
		fclose(r->timing);
	if (r->w)
		stream_abandon(r->w);
	str_done(&r->log);
	*r = (struct report){0};
}
