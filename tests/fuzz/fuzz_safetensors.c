/* A safetensors file of any bytes: refused, or every byte of every tensor is there. */
#include "common/safetensors.h"

#include "tests/fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct st s;
	struct err e = {0};
	char path[64];
	int fd = memfd_create("fuzz", 0);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (!st_open_file(&s, path, &e)) {
		volatile uint8_t sum = 0;
		for (size_t i = 0; i < s.n; i++) {
			const uint8_t *p = s.t[i].data;
			for (size_t k = 0; k < s.t[i].bytes; k++)
				sum += p[k];
			if (st_find(&s, s.t[i].name) != &s.t[i])
				abort();
		}
		st_close(&s);
	} else if (!e.status || !*e.msg) {
		abort();
	}
	close(fd);
	return 0;
}

FUZZ_MAIN("safetensors")
