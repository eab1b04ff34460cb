/* The command line of train-step: TRL's, PEFT's and transformers' configuration keys as options. */
#ifndef TRAIN_OPTIONS_H
#define TRAIN_OPTIONS_H

#include "common/err.h"
#include "common/model/adapter.h"
#include "tools/train-step/loss.h"
#include "tools/train-step/optim.h"
#include "tools/train-step/schedule.h"

#include <stdint.h>

struct options {
	const char *loss_name;
	struct loss loss; /* chosen by loss_name */

	int full;
	int64_t lora_r;
	double lora_alpha, lora_dropout;
	const char *lora_targets, *adapter, *ref_adapter;
	const char *exclude, *layers, *rank_pattern, *alpha_pattern;
	const char *bias, *init, *modules_to_save;
	int use_rslora, use_dora, lora_bias, ensure_tying;

	int64_t batch_size, micro_batch, max_length, max_steps;
	double epochs, learning_rate, warmup_steps, warmup_ratio, max_grad_norm;
	const char *scheduler, *scheduler_kwargs;
	struct optim_opts optim;
	int64_t seed;
	int no_shuffle;

	int64_t logging_steps, save_steps, save_total_limit, eval_steps;
	const char *checkpoint_dir, *eval_file, *timing;
	uint64_t max_memory;
	int resume, plan;
};
extern struct options options;

/* Parses argv; returns the index of the first operand. Ends the program on -h and on errors. */
int options_parse(int argc, char **argv);
/* What changes the result, for the stream's history and for --resume; the caller frees. */
char *options_history(void);
/* The schedule for a run of so many steps an epoch; *total: steps of the whole run. */
int options_schedule(struct schedule *s, uint64_t steps_per_epoch, struct err *e);
/* The fresh adapter that the options ask for. */
int options_adapter(struct adapter_config *c, struct err *e);

#endif
