/* The options that several programs take, and where their values go. */
#include "common/opts_int.h"

struct opts_common opts_common = {.shard_i = 1, .shard_n = 1};
struct opts_model opts_model = {.device = "auto", .precision = "auto", .kernels = "auto"};

static int set_shard(const char *arg)
{
	const char *end;
	uint64_t i, n;
	if (opts_number(arg, &i, &end) || *end != '/' || opts_number(end + 1, &n, &end) || *end)
		return -1;
	if (i < 1 || i > n)
		return -1;
	opts_common.shard_i = i;
	opts_common.shard_n = n;
	return 0;
}

const struct opt opts_base[] = {
	{NULL, 0, OPT_GROUP, NULL, NULL, "Messages"},
	{"quiet", 'q', OPT_FLAG, &opts_common.quiet, NULL, "say nothing but warnings and errors"},
	{"verbose", 'v', OPT_FLAG, &opts_common.verbose, NULL, "say what was chosen and why"},
	{"help", 'h', OPT_FLAG, NULL, NULL, "show this help and exit"},
	{"version", 'V', OPT_FLAG, NULL, NULL, "show version and build, and exit"},
	{0},
};

const struct opt opts_output[] = {
	{NULL, 0, OPT_GROUP, NULL, NULL, "Output"},
	{"output", 'o', OPT_STR, &opts_common.output, "PATH", "write to PATH, whole or not at all"},
	{"force", 'f', OPT_FLAG, &opts_common.force, NULL,
		"replace a directory that sluice did not write"},
	{"gzip", 'z', OPT_FLAG, &opts_common.gzip, NULL, "compress the stream"},
	{0},
};

/* Rows of more than one table. */
#define THREADS                                                                                    \
	"threads", 'j', OPT_INT, &opts_common.threads, "N",                                        \
		"threads, at most 1024 (default: the CPUs this process may use)"
#define SHARD                                                                                      \
	"shard", 0, OPT_CALL, (void *)(uintptr_t)set_shard, "I/N",                                 \
		"take only records I, I+N, ... of the input"

const struct opt opts_shard[] = {
	{SHARD},
	{0},
};

const struct opt opts_threads[] = {
	{THREADS},
	{0},
};

const struct opt opts_filter[] = {
	{NULL, 0, OPT_GROUP, NULL, NULL, "Records"},
	{SHARD},
	{"skip-bad", 0, OPT_FLAG, &opts_common.skip_bad, NULL,
		"go on after bad records, and count them"},
	{"rejects", 0, OPT_STR, &opts_common.rejects, "FILE",
		"keep bad records, with reasons, as a stream (implies --skip-bad)"},
	{"keep", 0, OPT_FLAG, &opts_common.keep, NULL, "keep the columns that this stage replaces"},
	{"ignore-mismatch", 0, OPT_FLAG, &opts_common.ignore_mismatch, NULL,
		"use input made with another tokenizer, template, model or limits"},
	{THREADS},
	{0},
};

const struct opt opts_dir[] = {
	{"model", 'm', OPT_STR, &opts_model.model, "DIR",
		"the model: a Hugging Face model directory"},
	{0},
};

const struct opt opts_device[] = {
	{NULL, 0, OPT_GROUP, NULL, NULL, "Computing"},
	{"device", 0, OPT_STR, &opts_model.device, "auto|cpu|cuda[:N]",
		"where numbers are computed"},
	{"precision", 0, OPT_STR, &opts_model.precision, "auto|f32|bf16",
		"arithmetic of matrix products"},
	{"kernels", 0, OPT_STR, &opts_model.kernels, "auto|plain|…", "which kernels compute them"},
	{THREADS},
	{0},
};
