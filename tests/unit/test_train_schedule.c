/* Schedules and shuffled orders against the peers' tables (tests/oracle/train_tables.py). */
#include "tests/tap.h"
#include "tools/train-step/order.h"
#include "tools/train-step/schedule.h"

static void test_schedules(void)
{
	FILE *f = fopen("tests/golden/train/schedules.tsv", "r");
	char line[300], name[40], kwargs[200], last[300] = "";
	unsigned long long warmup, total, k;
	double want, worst = 0;
	size_t rows = 0;
	while (f && fgets(line, sizeof line, f)) {
		if (sscanf(line, "%39s %llu %llu %llu %lf %199[^\n]", name, &warmup, &total, &k,
			    &want, kwargs) != 6)
			break;
		struct schedule s;
		struct err e = {0};
		if (schedule_init(&s, name, kwargs, 1e-3, &e) < 0) {
			diag("%s", e.msg);
			break;
		}
		s.warmup = warmup;
		s.total = total;
		double off = fabs(schedule_rate(&s, k) - want) / 1e-3;
		if (!(off <= worst)) {
			worst = off;
			memcpy(last, line, sizeof last);
		}
		rows++;
	}
	if (f)
		fclose(f);
	is_int((long long)rows, 598, "every row of the peers' table is read");
	if (!ok(worst < 1e-14, "every rate equals transformers' (worst %.2g)", worst))
		diag("%s", last);
}

static void test_orders(void)
{
	FILE *f = fopen("tests/golden/train/orders.tsv", "r");
	char line[300];
	int rows = 0, same = 1;
	while (f && fgets(line, sizeof line, f)) {
		char *p = line;
		size_t n = strtoull(p, &p, 10);
		uint64_t seed = strtoull(p, &p, 10), epoch = strtoull(p, &p, 10);
		uint32_t *order = calloc(n, sizeof *order);
		order_epoch(order, n, seed, epoch, 1);
		for (size_t i = 0; i < n; i++)
			if (n <= 10 || i < 8 || i >= n - 8)
				same &= strtoul(p, &p, 10) == order[i];
		free(order);
		rows++;
	}
	if (f)
		fclose(f);
	is_int(rows, 15, "every order of the peers' table is read");
	ok(same, "every order equals accelerate's");
}

static void test_refusals(void)
{
	struct schedule s;
	struct err e;
	ok(schedule_init(&s, "sine", NULL, 1e-3, &e) < 0 && e.status == STATUS_USAGE &&
			strstr(e.msg, "cosine"),
		"an unknown schedule is refused with the list of known ones");
	ok(schedule_init(&s, "linear", "{\"num_cycles\": 2}", 1e-3, &e) < 0 &&
			strstr(e.msg, "num_cycles"),
		"a parameter that a schedule does not have is refused");
	ok(schedule_init(&s, "cosine", "[1]", 1e-3, &e) < 0, "parameters must be an object");
	ok(schedule_init(&s, "cosine", "{\"num_cycles\": \"2\"}", 1e-3, &e) < 0, "of numbers");
	ok(schedule_init(&s, "polynomial", NULL, 1e-8, &e) < 0 && strstr(e.msg, "lr_end"),
		"polynomial needs a rate above lr_end");
}

int main(void)
{
	test_schedules();
	test_orders();
	test_refusals();
	return tap_done();
}
