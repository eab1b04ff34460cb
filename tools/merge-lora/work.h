/* Doing what the plan says: blocks of rows computed by a team of threads, and put where they
 * belong. */
#ifndef MERGE_LORA_WORK_H
#define MERGE_LORA_WORK_H

#include "common/modeldir.h"
#include "common/stream.h"
#include "kernels/team.h"
#include "tools/merge-lora/plan.h"

/* Memory held: one block a thread, and one tensor's A and B as f32. */
int work_write_dir(
	const struct plan *p, struct weights_writer *w, struct team *team, struct err *e);
/* The same bytes as tensor records; one piece of a record in memory. */
int work_write_stream(
	const struct plan *p, struct stream_writer *w, struct team *team, struct err *e);

#endif
