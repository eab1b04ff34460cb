/* JSON text of any bytes: refused, or written so that it reads as the same value again. */
#include "common/json.h"

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = {0};
	struct str out = {0};
	json_t *v = json_read_bytes((const char *)data, size, &e);
	if (!v && (e.status != STATUS_DATA || !*e.msg))
		abort();
	for (int style = 0; v && style < 3; style++) {
		str_reset(&out);
		if (style == 2)
			json_write_pretty(&out, v, 0);
		else
			json_write(&out, v, style);
		json_t *again = json_read_bytes(out.s, out.len, &e);
		if (!again || !json_equal(v, again))
			abort();
		json_decref(again);
	}
	json_decref(v);
	str_done(&out);
	return 0;
}

FUZZ_MAIN("json")
