/* A config.json of any bytes: refused with a reason, or facts that hang together. */
#include "common/model/config.h"

#include "tests/fuzz/fuzz.h"

#include <sys/stat.h>
#include <unistd.h>

static char dir[64], file[80];

static void clean(void)
{
	unlink(file);
	rmdir(dir);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct model_config c;
	struct err e = {0};
	if (!*dir) {
		snprintf(dir, sizeof dir, "/tmp/fuzz-config-XXXXXX");
		if (!mkdtemp(dir))
			abort();
		snprintf(file, sizeof file, "%s/config.json", dir);
		atexit(clean);
	}
	FILE *f = fopen(file, "wb");
	if (!f || fwrite(data, 1, size, f) != size || fclose(f))
		abort();
	if (model_config_load(&c, dir, &e) < 0) {
		if (!e.status || !*e.msg)
			abort();
		return 0;
	}
	volatile float sum = 0;
	for (size_t i = 0; i < c.head_dim / 2; i++)
		sum += c.inv_freq[i];
	if (!c.arch || !c.vocab || !c.layers || !c.heads || c.heads % c.kv_heads || c.head_dim % 2)
		abort();
	model_config_done(&c);
	return 0;
}

FUZZ_MAIN("config")
