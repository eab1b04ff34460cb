/*
 * train-step: reads rows of token ids, trains a LoRA adapter or all weights of a model on them, and
 * writes metrics and what it trained.
 *
 * In reading order: options.c (what is asked for), run-open.c and run.c (the run), data.c (rows, from a
 * pipe or files to disk), batch.c (rows of a step as trees), step.c (forward, loss, backward),
 * loss*.c, optim.c and schedule.c; checkpoint.c, place.c, output.c and report.c (what is written).
 */
#include "common/die.h"
#include "common/sig.h"
#include "tools/train-step/options.h"
#include "tools/train-step/run.h"

int main(int argc, char **argv)
{
	struct err e = {0};
	struct run run;
	die_init("train-step");
	int first = options_parse(argc, argv);
	int rc = run_open(&run, &options, argv + first, (size_t)(argc - first), &e);
	if (rc == 0 && !options.plan) {
		rc = run_train(&run, &e);
		if (rc == 0)
			rc = run_finish(&run, &e);
	}
	run_close(&run);
	if (rc < 0)
		die_err(&e);
	if (rc > 0)
		sig_end_by(sig_stop_requested());
	return STATUS_OK;
}
